"""What is told of room uses past facts only, and bad rows of a file are dropped by reason."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from parcelwall.errors import Trouble
from parcelwall.planning import past, promises
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


HEAD = "Id_parcel,DateR,DateE,DateD,DateP,Carrier\n"
ROWS = {
    "collected before it was deposited": "1,,,2018-01-02 09:00:00,2018-01-01 09:00:00,A\n",
    "no collection time": "2,,,2018-01-02 09:00:00,NaN,A\n",
    "no deposit time": "3,,,nan,2018-01-02 09:00:00,A\n",
}


def test_bad_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "point.csv"
    file.write_text(HEAD + "".join(ROWS.values()) + "4,,,2018-01-02 09:00:00,2018-01-03 09:00:00,\n")
    record = past.read([file])
    assert record.dropped == dict.fromkeys(ROWS, 1)
    assert [(stay.group, stay.left) for stay in record.stays] == [("unknown", datetime(2018, 1, 3, 9))]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEAD, HEAD + ROWS["no deposit time"]])
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
    )
    record = past.read([file])
    assert [stay.size for stay in record.stays] == [0, 2]
    assert record.dropped == {"fits no compartment": 2, "never delivered": 1, "no size or weight": 1}


def test_a_year_without_a_parcel_is_no_period_to_learn_from() -> None:
    stays = [past.Stay(START + timedelta(days=d), START + timedelta(days=d + 1), 0, "A", d) for d in (0, 1, 400, 401)]
    assert [len(each) for each in past.months(stays, stays)] == [2, 2]
    assert past.split(past.Record(stays, Counter(), "pick-up point"))[1][0].came.year == 2019


