"""The chance of room: the pass over classes against simulation, calibration on outcomes, and inputs that cannot be."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from parcelwall.planning import room
from parcelwall.planning.dice import dice
from parcelwall.rules import places

chance = st.floats(0, 1)
some = st.lists(chance, max_size=3)


@settings(max_examples=60, deadline=None)
@given(some, some, some, st.tuples(*[st.integers(0, 3)] * 3), st.integers(0, 2))
def test_the_pass_is_what_adding_up_all_cases_finds(
    small: list[float], middle: list[float], large: list[float], station: tuple[int, ...], size: int
) -> None:
    everyone = [(p, c) for c, group in enumerate((small, middle, large)) for p in group]
    total = 0.0
    for there in product((0, 1), repeat=len(everyone)):
        weight = float(np.prod([p if yes else 1 - p for (p, _), yes in zip(everyone, there, strict=True)]))
        asked = [sum(yes for (_, cls), yes in zip(everyone, there, strict=True) if cls == c) for c in range(3)]
        total += weight * _fits(asked, station, size)
    laws = [room.count_law(group) for group in (small, middle, large)]
    assert room.room_chance(laws, station, size) == pytest.approx(total, abs=1e-9)


def _fits(asked: list[int], station: tuple[int, ...], size: int) -> bool:
    """Larger parcels that find no room are not stored; ours and the smaller ones must fit beside them."""
    stored, room_so_far = 0, 0
    for u in range(2, -1, -1):
        stored, room_so_far = stored + asked[u], room_so_far + station[u]
        if u <= size and stored + 1 > room_so_far:
            return False
        stored = min(stored, room_so_far)
    return True


def test_the_pass_agrees_with_stations_that_are_filled_at_random() -> None:
    rng = dice(5)
    station, chances = (6, 4, 2), ([0.7] * 5, [0.5] * 6, [0.6] * 2)
    laws = [room.count_law(each, 0.8) for each in chances]
    hits = 0
    for _ in range(4_000):
        free = list(station)
        for c in (2, 1, 0):  # best fit in any order places a largest set
            for _ in range(int((rng.random(len(chances[c])) < chances[c][0]).sum() + rng.poisson(0.8))):
                put = places.best_fit(free, c)
                if put is not None:
                    free[put] -= 1
        hits += places.best_fit(free, 1) is not None
    assert room.room_chance(laws, station, 1) == pytest.approx(hits / 4_000, abs=0.03)


@settings(max_examples=40, deadline=None)
@given(st.lists(chance, max_size=60), st.lists(st.floats(0, 30), min_size=1, max_size=3))
def test_a_law_of_many_is_what_taking_them_one_by_one_finds(chances: list[float], more: list[float]) -> None:
    law = np.ones(1)
    for p in chances:
        law = np.convolve(law, [1 - p, p])
    for turn, found in zip(more, room.count_laws(np.array([chances] * len(more)), np.array(more)), strict=True):
        expected = np.convolve(law, poisson.pmf(np.arange(len(found)), turn))[: len(found)]
        assert found == pytest.approx(expected, abs=1e-7), "up to the little that the Poisson law is cut off by"
        alone = room.count_law(chances, turn)
        assert alone == pytest.approx(expected[: len(alone)], abs=1e-7)


def test_a_law_adds_up_to_one_and_has_the_right_mean() -> None:
    law = room.count_law([0.2, 0.9, 0.5], 1.5)
    assert law.sum() == pytest.approx(1, abs=1e-4)
    assert (law * np.arange(len(law))).sum() == pytest.approx(3.1, abs=1e-3)


def test_a_chance_that_is_none_is_counted_as_a_parcel_that_stays() -> None:
    assert room.count_law([float("nan"), -0.2, 1.7]) == pytest.approx([0, 0, 0, 1])


def test_calibration_learns_what_really_came_of_what_was_told() -> None:
    rng = dice(1)
    raw = rng.random(4_000)
    came_true = (rng.random(4_000) < raw**2).astype(float)
    told = room.Calibration(raw, came_true)(np.array([0.1, 0.5, 0.9]))
    assert told == pytest.approx([0.01, 0.25, 0.81], abs=0.06)
    assert (np.diff(room.Calibration(raw, came_true)(np.linspace(0, 1, 50))) >= 0).all()


def test_without_a_past_or_with_no_number_something_careful_is_told() -> None:
    empty = room.Calibration(np.zeros(0), np.zeros(0))
    assert empty(np.array([1.0, float("nan"), 0.0])) == pytest.approx([0.995, 0.01, 0.01])


def test_scores() -> None:
    told, came_true = np.array([0.9, 0.8, 0.2, 0.1]), np.array([1.0, 1, 0, 0])
    assert room.brier(told, came_true) == pytest.approx(0.025)
    assert room.auc(told, came_true) == 1 and room.auc(told, 1 - came_true) == 0
    assert room.calibration_error(told, came_true, bins=2) == pytest.approx(0.15)
