"""The learnt chance of room: monotone in room, mended by what came true of late, silent while little is known."""

import numpy as np

from parcelwall.planning import learnt_room, room
from parcelwall.planning.dice import dice
from parcelwall.planning.learnt_room import COLUMNS, Ahead

STATION = (14, 12, 5)


def some(stored: float, on_the_way: float) -> Ahead:
    nothing = np.zeros(3)
    return Ahead(np.full(3, stored), np.full(3, on_the_way), nothing, nothing, nothing, nothing)


def row(stored: float, on_the_way: float = 0.0, size: int = 0) -> list[float]:
    return learnt_room.columns(some(stored, on_the_way), STATION, size, np.zeros(3), [0, 1, 12, 1, 24.0])


def a_past(n: int = 1500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One parcel an hour; the fuller the station, the rarer it fits. Known a day later."""
    rng = dice(4)
    stored = rng.uniform(0, 40, n)
    rows = np.array([row(each) for each in stored])
    fitted = (rng.random(n) < 1 / (1 + np.exp((stored - 25) / 4))).astype(float)
    return rows, np.arange(n, dtype=float), fitted


def test_a_row_has_its_columns_and_the_scarcest_union_counts() -> None:
    named = dict(zip(COLUMNS, row(4, size=2), strict=True))
    assert named["free"] == 5 - 4 and named["free_now"] == 5
    assert dict(zip(COLUMNS, row(4, size=0), strict=True))["free"] == 31 - 4, "a small one fits anywhere"


def test_more_parcels_never_raise_the_chance_and_the_truth_is_learnt() -> None:
    rows, asked, fitted = a_past()
    told = learnt_room.tell(rows, asked, asked + 24, fitted, 1000.0)
    assert np.isnan(told[:1001]).all() and np.isfinite(told[1001:]).all()
    stored = rows[1001:, list(COLUMNS).index("stored")]
    order = np.argsort(stored)
    week = (asked[1001:] // 168).astype(int)
    for each in np.unique(week):
        assert (np.diff(told[1001:][order][week[order] == each]) <= 1e-12).all()
    true = 1 / (1 + np.exp((stored - 25) / 4))
    assert room.brier(told[1001:], true) < 0.02


def test_nothing_is_told_before_enough_is_known_and_nothing_later_changes_it() -> None:
    rows, asked, fitted = a_past(400)
    assert np.isnan(learnt_room.tell(rows[:150], asked[:150], asked[:150] + 24, fitted[:150], 0.0)).all()
    once = learnt_room.tell(rows, asked, asked + 24, fitted, 300.0)
    later = np.where(asked + 24 >= 336, 1 - fitted, fitted)  # known after the last Monday
    assert np.array_equal(once, learnt_room.tell(rows, asked, asked + 24, later, 300.0), equal_nan=True)


def test_chances_that_were_told_too_high_are_told_lower() -> None:
    rng = dice(2)
    before = np.full(2_000, 0.9)
    came_true = (rng.random(2_000) < 0.7).astype(float)
    told = learnt_room.recalibrated(np.array([0.9, 0.5]), before, came_true)
    assert abs(told[0] - 0.7) < 0.05 and 0.01 <= told[1] <= 0.5
    assert abs(learnt_room.recalibrated(np.array([0.9]), np.zeros(0), np.zeros(0))[0] - 0.9) < 1e-9
