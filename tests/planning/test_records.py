"""Files of pick-up points: what cannot be is left out and counted; what is no such file is told in a sentence."""

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from parcelwall.errors import Trouble
from parcelwall.planning import records
from parcelwall.planning.records import COLUMNS, from_rows, read_pickups
from planning.pretend_point import HEAD, rows, write

GOOD = "1,2024-01-01,2024-01-01 15:00:00,2024-01-02 09:00:00,2024-01-03 10:00:00,A"


def read(tmp_path: Path, *lines: str, head: str = HEAD) -> records.Records:
    path = tmp_path / "point.csv"
    path.write_text("\n".join([head, *lines]) + "\n")
    return read_pickups([path])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2,2024-01-01,2024-01-01 15:00:00,2024-01-02 09:00:00,2024-01-02 08:00:00,A", "negative_dwell"),
        ("2,2024-01-01,2024-01-01 15:00:00,2024-01-01 14:00:00,2024-01-02 08:00:00,A", "deposited_before_hand_over"),
        ("2,2024-01-01,NaN,2024-01-02 09:00:00,2024-01-03 08:00:00,A", "no_time"),
        ("2,nan,NaT,,,A", "no_time"),
        ("2,2024-01-01,2024-01-01 15:00:00,yesterday,2024-01-03 08:00:00,A", "unreadable_time"),
        ("2,2024-01-01,2024-01-01 15:00:00,0024-01-02,2024-01-03 08:00:00,A", "unreadable_time"),
        ("2,2024-01-01,2024-01-01 15:00:00,2024-01-02 09:00:00,2034-01-03 08:00:00,A", "times_too_far_apart"),
        ("2,2024-01-01,2024-01-01 15:00:00,2024-01-02 09:00:00,2024-01-03 08:00:00,", "no_carrier"),
        (GOOD, "double"),
        ("1,2024-02-01,2024-02-01 15:00:00,2024-02-02 09:00:00,2024-02-03 08:00:00,A", "double"),
        ("2,2024-01-01", "no_time"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_counted(tmp_path: Path, line: str, reason: str) -> None:
    found = read(tmp_path, GOOD, line)
    assert len(found) == 1
    assert found.bad == {reason: 1}


OPEN = (
    "2,2024-01-02,2024-01-02 15:00:00,2024-01-03 09:00:00,,A",
    "3,2024-01-02,2024-01-02 15:00:00,NaT,nan,A",
    "4,2024-01-03,,,,A",
)


def test_what_lies_there_or_is_on_its_way_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    """A live export: who is not collected yet was left out, and an empty station was foretold."""
    hole = "5,2024-01-02,,2024-01-03 09:00:00,,A"
    assert read(tmp_path, GOOD, *OPEN, hole).bad == {"no_time": 4}, "what is judged is over"
    found = read_pickups([tmp_path / "point.csv"], with_open=True)
    assert found.bad == {"no_time": 1}
    known = [np.isfinite(each).sum() for each in (found.ready, found.handed, found.deposited, found.collected)]
    assert known == [4, 3, 2, 1] and found.dwell_h[1:].tolist() == [np.inf] * 3


def test_what_was_never_written_down_to_be_over_does_not_lie_there_for_ever(tmp_path: Path) -> None:
    late = "6,2024-02-20,2024-02-20 15:00:00,2024-02-21 09:00:00,2024-02-21 10:00:00,A"
    read(tmp_path, GOOD, *OPEN, late)
    found = read_pickups([tmp_path / "point.csv"], with_open=True)
    assert len(found) == 2 and found.bad == {"open_for_too_long": 3}


def test_of_a_file_that_loses_ends_nothing_lies_there_longer_than_parcels_do(tmp_path: Path) -> None:
    """Every seventh collection is NaN: the load of the last six weeks was foretold to be there for good."""
    whole = rows(150, 4)
    made = [row if n % 7 else replace(row, collected=None) for n, row in enumerate(whole)]
    file = write(tmp_path / "point.csv", made)
    file.write_text(file.read_text().replace("None", "NaN"))
    found = read_pickups([file], with_open=True)
    there = np.isinf(found.collected)
    assert 0 < there.sum() < 6 and found.deposited[there].min() > found.deposited.max() - 7
    assert found.bad == {"open_for_too_long": len(made) - len(found)}
    file = write(tmp_path / "live.csv", [*whole[:-3], *(replace(row, collected=None) for row in whole[-3:])])
    file.write_text(file.read_text().replace("None", ""))
    assert np.isinf(read_pickups([file], with_open=True).collected).sum() == 3


def test_one_row_is_a_history(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert found.dwell_h.tolist() == pytest.approx([25])
    assert records.day_of(int(found.deposited[0])).isoformat() == "2024-01-02"


@pytest.mark.parametrize(("lines", "head"), [((), HEAD), (("2,nan,nan,nan,nan,A",), HEAD), ((GOOD,), "a,b,c,d,e,f")])
def test_no_file_of_this_form_is_told_with_what_to_do(tmp_path: Path, lines: tuple[str, ...], head: str) -> None:
    with pytest.raises(Trouble, match=r"no row that can be used|lacks the columns DateR"):
        read(tmp_path, *lines, head=head)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be read"):
        read_pickups([tmp_path / "gone.csv"])
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(b"a" * 10_000)[:30])
    with pytest.raises(Trouble, match="cannot be read"):
        read_pickups([torn])


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(chance) -> None:  # type: ignore[no-untyped-def]
    inorder = rows(20)
    shuffled = list(inorder)
    chance.shuffle(shuffled)
    ours, theirs = from_rows(inorder), from_rows(shuffled)
    for name in COLUMNS:
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))


def test_several_files_are_one_history(tmp_path: Path) -> None:
    made = rows(30)
    halves = [write(tmp_path / f"{i}.csv", part) for i, part in enumerate((made[:100], made[100:]))]
    assert len(read_pickups(halves)) == len(read_pickups([write(tmp_path / "all.csv", made)])) == len(made)


def test_a_dwell_over_a_clock_change_is_what_the_hub_measured() -> None:
    night = datetime(2024, 10, 27, 3, 50)
    row = records.Row(night, night, night, night - timedelta(minutes=30), "A", dwell_h=0.5)
    found = from_rows([row])
    assert found.dwell_h.tolist() == [0.5]


def test_a_time_with_its_zone_is_read_off_the_files_own_clock(tmp_path: Path) -> None:
    found = read(tmp_path, "a,2018-03-24T00:00:00+01:00,2018-03-24T09:00:00+01:00,2018-03-24T22:30:00+01:00,"
                           "2018-03-25T09:30:00+02:00,A")  # fmt: skip
    assert (found.deposited[0] % 1) * 24 == pytest.approx(22.5) and (found.collected[0] % 1) * 24 == pytest.approx(9.5)
    assert found.dwell_h[0] == pytest.approx(10.0), "that night has an hour less"
