"""The search of a mix never builds what does not fit, and never sells what is worse on unseen days."""

from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.errors import Trouble
from parcelwall.planning.demand import generated
from parcelwall.planning.mix import Found, Judged, Room, filled, height, judge, neighbours, proportional, search
from parcelwall.planning.mix_plan import Wish, _chart, plan
from parcelwall.workers import HERE, workers

ROOM = Room(height_mm=(80, 190, 410), total_mm=9_000, least=(2, 1, 1), worth=(1.0, 1.0, 1.0))
mixes = st.tuples(st.integers(2, 40), st.integers(1, 20), st.integers(1, 6)).filter(lambda m: height(m, ROOM) <= 9_000)


@given(mixes)
@settings(max_examples=50, deadline=None)
def test_neighbours_fit_and_keep_the_least(mix: tuple[int, ...]) -> None:
    for each in neighbours(mix, ROOM):
        assert height(each, ROOM) <= ROOM.total_mm
        assert all(count >= least for count, least in zip(each, ROOM.least, strict=True))
        assert ROOM.total_mm - height(each, ROOM) < min(ROOM.height_mm)
    assert filled(mix, ROOM)[0] >= mix[0]


def test_the_search_finds_the_reference_mix() -> None:
    """Of docs/planning/mix.md: 27/23/6 at a load of 0.7 with these seeds."""
    past, unseen = [generated(seed, 0.7) for seed in range(100, 105)], [generated(seed, 0.7) for seed in range(3)]
    free = Room(height_mm=(80, 190, 410), total_mm=9_000, least=(0, 0, 0), worth=(1.0, 1.0, 1.0))
    found = search((24, 20, 8), free, past, unseen)
    assert found.mix == (27, 23, 6)
    assert found.unseen.value > found.start_unseen.value
    assert judge((24, 20, 8), past, free.worth) == found.start_past
    assert height(proportional(free, past), free) <= 9_000


def test_a_floor_keeps_large_parcels() -> None:
    past = [generated(seed, 1.1) for seed in range(100, 102)]
    free = Room(height_mm=(80, 190, 410), total_mm=9_000, least=(0, 0, 0), worth=(1.0, 1.0, 1.0))
    assert search((24, 20, 8), free, past, past).past.served[2] < 0.1, "large ones are given up"
    floored = Room(height_mm=(80, 190, 410), total_mm=9_000, least=(0, 0, 0), worth=(1.0, 1.0, 1.0), floor=0.4)
    assert search((24, 20, 8), floored, past, past).past.served[2] >= 0.4


def test_a_file_of_parcels_makes_a_report(tmp_path: Path) -> None:
    file = tmp_path / "parcels.csv"
    rows = ["DateR,DateE,DateD,DateP,Carrier"]
    for day in range(60):
        month, of_month = 1 + day // 30, 1 + day % 28
        rows += [f",,2025-{month:02}-{of_month:02} 10:{k:02}:00,2025-{month:02}-{of_month:02} {15 + k % 8}:00:00,A"
                 for k in range(30)]  # fmt: skip
    file.write_text("\n".join([*rows, ",,2025-01-01 10:00:00,2024-01-01 10:00:00,A"]), encoding="utf-8")
    report, found = plan(file, Wish(start=(6, 5, 2)), lambda _: None)
    page, _ = report.write(tmp_path / "out", found)
    assert found.served >= found.served_before
    assert any("collected before it was deposited" in text for text in found.told)
    assert "<svg" in page.read_text(encoding="utf-8")


@pytest.mark.timeout(20)
def test_a_search_ends_where_nothing_that_is_asked_for_is_worth_anything() -> None:
    """It went on without end: of nothing out of nothing none is better, nor as good."""
    past = [generated(1, 0.1)]
    small = [msgspec.structs.replace(past[0], size=past[0].size * 0)]
    for periods, worth in ((past, (0.0, 0.0, 0.0)), (small, (0.0, 1.0, 1.0))):
        with pytest.raises(Trouble, match="worth anything"):
            search((6, 5, 2), msgspec.structs.replace(ROOM, worth=worth), periods, periods)


def test_a_size_that_nobody_asked_for_has_no_bar_of_none_served() -> None:
    judged = Judged(0.9, (0.9, 0.8, float("nan")))
    axes = _chart(Found((24, 20, 8), judged, judged, judged, judged, 1)).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.9, 0.8] * 2
    assert [each.get_text() for each in axes.get_xticklabels()] == ["S", "M", "L: none asked"]


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="three numbers"):
        plan(None, Wish(start=(1, 2)), lambda _: None)
    for wish, says in (
        (Wish(total_mm=100), "mm and there are"), (Wish(total_mm=0), "there are 0 mm"),
        (Wish(start=(0, 0, 0)), "at least one"),
        (Wish(height_mm=(0, 190, 410)), "at least a millimetre"), (Wish(least=(60, 60, 60)), "fewer compartments"),
        (Wish(start=(1, 0, 0), load=0.01), "brings no parcel"),
    ):  # fmt: skip
        with pytest.raises(Trouble, match=says):
            plan(None, wish, lambda _: None)
    empty = tmp_path / "empty.csv"
    empty.write_text("DateD,DateP\n", encoding="utf-8")
    with pytest.raises(Trouble):
        plan(empty, Wish(), lambda _: None)


def test_many_hands_find_the_same_mix() -> None:
    past, unseen = [generated(100, 0.7)], [generated(1, 0.7)]
    alone = search((24, 20, 8), ROOM, past, unseen)
    with workers(2) as pool:
        together = search((24, 20, 8), ROOM, past, unseen, pool=pool)
    assert (together.mix, together.past, together.unseen) == (alone.mix, alone.past, alone.unseen)


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("ray"), reason="needs Ray, which is optional: requirements/ray.txt")
def test_a_ray_cluster_finds_the_same_mix() -> None:
    past, unseen = [generated(100, 0.7)], [generated(1, 0.7)]
    alone = search((24, 20, 8), ROOM, past, unseen)
    with workers(1, HERE) as pool:
        together = search((24, 20, 8), ROOM, past, unseen, pool=pool)
    assert (together.mix, together.past, together.unseen) == (alone.mix, alone.past, alone.unseen)


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed here")
def test_who_has_no_ray_is_told_how_to_get_it() -> None:
    with pytest.raises(Trouble, match=r"requirements/ray\.txt"):
        workers(1, HERE)


def test_a_floor_that_is_not_kept_is_said_with_what_the_start_serves() -> None:
    """One large compartment serves few large parcels: the plan kept it, and its JSON said nothing of it."""
    _, found = plan(None, Wish(start=(60, 2, 1), load=0.9), lambda _: None)
    assert found.served_by_size[2] is not None and found.served_by_size[2] < 0.6
    [said] = [each for each in found.told if "floor" in each]
    assert f"L {found.served_by_size[2]:.0%} (with the start" in said and "S " not in said
