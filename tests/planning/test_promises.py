"""What is told of room uses past facts only, and bad rows of a file are dropped by reason."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from parcelwall.errors import Trouble
from parcelwall.planning import past, promises, room_judged
from parcelwall.planning.dice import dice

START = datetime(2018, 1, 1, 9)


def a_point(last_stay_h: float, n: int = 160) -> promises.Point:
    """Four parcels a day, each handed over the day before; those of the last quarter stay `last_stay_h`."""
    rng = dice(3)
    stays = []
    for k in range(n):
        came = START + timedelta(days=k // 4, minutes=k % 4)
        hours = float(rng.uniform(1, 60)) if k < n * 3 // 4 else last_stay_h
        stays.append(past.Stay(came, came + timedelta(hours=hours), int(rng.integers(0, 3)), "A", k,
                               came - timedelta(hours=18)))  # fmt: skip
    return promises.point(stays)


def test_what_is_told_does_not_depend_on_what_happens_later() -> None:
    n, station = 160, (3, 3, 2)
    early = np.arange(60, n * 3 // 4)
    once, again = (promises.tell(a_point(hours), station, early) for hours in (2.0, 160.0))
    for name in ("raw", "calibrated", "learnt"):
        assert (getattr(once, name) == getattr(again, name)).all(), name
    assert 0 < once.fitted.mean() < 1 and (once.raw >= 0).all() and (once.raw <= 1).all()


def test_what_tables_would_have_told_does_not_depend_on_what_happens_later() -> None:
    station, early = (3, 3, 2), np.arange(60, 110)
    once, again = (room_judged.tables(a_point(hours), station, early) for hours in (2.0, 160.0))
    assert once.ways == ["moved"] * len(once.ways) and np.isfinite(once.told).all()
    assert (once.told == again.told).all() and (once.raw == again.raw).all() and not (once.told == once.raw).all()


def test_what_tables_told_stands_beside_the_parcel_that_it_was_told_of() -> None:
    """Parcels that are deposited in another order than they were handed over: one that found no room stays that one."""
    point, judged = a_point(2.0), np.arange(60, 110)
    mixed = np.where(np.arange(160) % 5 == 0, point.handed_h - 24, point.handed_h)
    point = msgspec.structs.replace(point, handed_h=mixed)
    turned = judged[::-1]
    one, other = (room_judged.tables(point, (3, 3, 2), these) for these in (judged, turned))
    put = promises.placed(point, (3, 3, 2))
    assert (one.fitted == (put[judged] >= 0)).all() and (one.fitted == other.fitted[::-1]).all()
    assert np.allclose(one.raw, other.raw[::-1])


HEAD = "Id_parcel,DateR,DateE,DateD,DateP,Carrier\n"
ROWS = {
    "collected before it was deposited": "1,,,2018-01-02 09:00:00,2018-01-01 09:00:00,A\n",
    "no collection time": "2,,,2018-01-02 09:00:00,NaN,A\n",
    "no deposit time": "3,,,nan,2018-01-02 09:00:00,A\n",
}


def good(n: int = past.FEWEST, year: int = 2018) -> str:
    days = [f"{year}-01-{k % 28 + 1:02}" for k in range(n)]
    return "".join(f"{year}{k},,,{day} 09:00:00,{day} 17:00:00,\n" for k, day in enumerate(days))


def test_bad_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "point.csv"
    far = "9,,,2098-01-02 09:00:00,2098-01-03 09:00:00,A\n"
    file.write_text(HEAD + "".join(ROWS.values()) + good() + "7,a\n" + far + good(1))
    record = past.read([file])
    assert record.dropped == dict.fromkeys(ROWS, 1) | {
        "no deposit time": 2, "the same parcel again": 1, "more than a year from nearly all others": 1}  # fmt: skip
    assert {(stay.group, stay.came.year) for stay in record.stays} == {("unknown", 2018)}


def test_a_gap_of_years_between_two_times_of_work_is_no_reason_to_drop(tmp_path: Path) -> None:
    file = tmp_path / "point.csv"
    file.write_text(HEAD + good(20, 2014) + good(20, 2018))
    record = past.read([file])
    assert len(record.stays) == 40 and not record.dropped
    before, judged = past.split(record)
    assert {stay.came.year for stay in before} == {2014} and {stay.came.year for stay in judged} == {2018}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEAD, HEAD + ROWS["no deposit time"], HEAD + good(5)])
def test_a_file_that_tells_nothing_is_refused_with_what_it_lacks(tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.csv"
    file.write_text(text)
    with pytest.raises(Trouble):
        past.read([file])


def test_orders_have_their_own_sizes_and_what_fits_nothing_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "purchased_at,delivered_at,length_cm,width_cm,height_cm,weight_g\n"
        "2018-01-01,2018-01-05 12:00:00,30,20,6,500\n2018-01-01,2018-01-05 12:00:00,30,20,30,500\n"
        "2018-01-01,2018-01-05 12:00:00,300,20,6,500\n2018-01-01,,30,20,6,500\n"
        "2018-01-01,2018-01-05 12:00:00,30,20,6,99000\n2018-01-01,2018-01-05 12:00:00,30,20,nan,500\n"
        + "2018-01-01,2018-01-06 12:00:00,30,20,6,500\n" * past.FEWEST
    )
    record = past.read([file])
    assert [stay.size for stay in record.stays] == [0, 2, *[0] * past.FEWEST]
    assert record.dropped == {"fits no compartment": 2, "never delivered": 1, "no size or weight": 1}


def test_a_year_without_a_parcel_is_no_period_to_learn_from() -> None:
    stays = [past.Stay(START + timedelta(days=d), START + timedelta(days=d + 1), 0, "A", d) for d in (0, 1, 400, 401)]
    assert [len(each) for each in past.months(stays, stays)] == [2, 2]
    assert past.split(past.Record(stays, Counter(), "pick-up point"))[1][0].came.year == 2019



def test_what_is_held_back_has_no_part_in_what_it_judges() -> None:
    """A rule is fitted on the first months and tried on the others: these may teach nothing before."""
    def stays(later_h: float) -> list[past.Stay]:
        came = [START + timedelta(hours=9 * n) for n in range(480)]  # 180 days
        return [past.Stay(at, at + timedelta(hours=5.0 + n % 7 if n < 320 else later_h), n % 3, "A", n)
                for n, at in enumerate(came)]  # fmt: skip

    (first, held, ends_h), (same, other, same_ends_h) = (past.held_back(stays(hours)) for hours in (2.0, 90.0))
    assert (len(first), len(held), ends_h) == (4, 2, same_ends_h)
    for a, b in zip([*first, *held], [*same, *other], strict=True):
        assert (a.survival == b.survival).all() and (a.stratum == b.stratum).all()
    assert all((a.leaves_h == b.leaves_h).all() for a, b in zip(first, same, strict=True))
    assert not (held[0].leaves_h == other[0].leaves_h).all()
