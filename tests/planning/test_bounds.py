"""The bounds of docs/planning/allocation.md: in the right order, exact on the reference seeds, never beaten."""

from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.planning import bounds
from parcelwall.planning.demand import COMPARTMENTS, LOADS, Requests, generated
from parcelwall.planning.trial import BestFit, replay

# seed 0..2 at each load: requests, clairvoyant, best fit
REFERENCE = {
    0.7: [(1182, 1110, 1064), (1121, 1059, 1037), (1157, 1098, 1061)],
    0.9: [(1440, 1249, 1152), (1375, 1230, 1146), (1456, 1275, 1177)],
    1.1: [(1804, 1394, 1179), (1744, 1394, 1185), (1807, 1408, 1167)],
    1.4: [(2266, 1584, 1222), (2269, 1590, 1161), (2230, 1564, 1183)],
}


def one_class(rows: list[tuple[int, int, int]]) -> Requests:
    """Requests (comes, stays, size) in whole quarters of hours; every stay is a stratum of its own."""
    rows = sorted(rows)
    comes = np.array([row[0] / 4 for row in rows])
    stays = np.array([row[1] / 4 for row in rows])
    grid = np.arange(0, 40, 0.25)
    survival = np.array([(grid < stay).astype(float) for stay in stays])
    n = len(rows)
    return Requests(comes, comes + stays, np.array([row[2] for row in rows]), np.arange(n), np.zeros(n, int),
                    ("all",), survival)  # fmt: skip


few = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 2)), min_size=1, max_size=7)


@pytest.mark.parametrize("load", [0.7, 1.4])
def test_the_first_seed_is_the_reference(load: float) -> None:
    made = generated(0, load)
    best_fit = int(replay(BestFit(), made, COMPARTMENTS).served.sum())
    assert (len(made), round(bounds.clairvoyant(made, COMPARTMENTS)), best_fit) == REFERENCE[load][0]


@pytest.mark.slow
@pytest.mark.parametrize("load", LOADS)
def test_all_reference_seeds(load: float) -> None:
    for seed, wanted in enumerate(REFERENCE[load]):
        made = generated(seed, load)
        best_fit = int(replay(BestFit(), made, COMPARTMENTS).served.sum())
        assert (len(made), round(bounds.clairvoyant(made, COMPARTMENTS)), best_fit) == wanted


@settings(max_examples=60, deadline=None)
@given(few, st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)))
def test_bounds_stand_in_their_order(rows: list[tuple[int, int, int]], station: tuple[int, int, int]) -> None:
    made = one_class(rows)
    whole = bounds.clairvoyant(made, station)
    assert bounds.clairvoyant(made, station, whole=False) >= whole - 1e-6
    assert bounds.migration(made, station) >= whole - 1e-6
    assert replay(BestFit(), made, station).served.sum() <= whole + 1e-6


@settings(max_examples=40, deadline=None)
@given(few, st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 2)))
def test_the_clairvoyant_is_what_trying_everything_finds(
    rows: list[tuple[int, int, int]], station: tuple[int, int, int]
) -> None:
    made = one_class(rows[:5])
    assert round(bounds.clairvoyant(made, station)) == _by_trying(made, station)


def _by_trying(made: Requests, station: tuple[int, ...]) -> int:
    best = 0
    for classes in product(*[[None, *range(size, 3)] for size in made.size]):
        stored = [(made.comes_h[j], made.leaves_h[j], c) for j, c in enumerate(classes) if c is not None]
        fits = all(
            sum(came <= moment < left and c == mine for came, left, c in stored) <= station[mine]
            for moment, _, mine in stored
        )
        best = max(best, len(stored)) if fits else best
    return best


def test_for_one_class_and_one_constant_stay_fluid_and_clairvoyant_are_one() -> None:
    made = one_class([(comes, 8, 0) for comes in (0, 1, 3, 8, 9, 10, 11, 12, 20)])
    one = Requests(made.comes_h, made.leaves_h, made.size, np.zeros(len(made), int), made.group, made.names,
                   made.survival[:1])  # fmt: skip
    assert bounds.fluid(one, (2,)) == pytest.approx(bounds.clairvoyant(one, (2,)), abs=1e-6)


def test_a_fair_bound_is_no_higher_and_serves_no_group_much_less() -> None:
    made = generated(3, 1.4)
    plain, fair = bounds.fluid(made, COMPARTMENTS), bounds.fluid(made, COMPARTMENTS, 0.05)
    assert 0.8 * plain < fair < plain


@settings(max_examples=30, deadline=None)
@given(few, st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 2)), st.sampled_from([0.0, 0.05, 0.3]))
def test_both_fluid_bounds_at_once_are_each_alone(
    rows: list[tuple[int, int, int]], station: tuple[int, int, int], tolerance: float
) -> None:
    made = msgspec.structs.replace(one_class(rows), group=np.arange(len(rows)) % 2, names=("a", "b"))
    alone = bounds.fluid(made, station), bounds.fluid(made, station, tolerance)
    assert bounds.fluid_and_fair(made, station, tolerance) == pytest.approx(alone, abs=1e-6)


def test_nobody_asks_and_nobody_is_served() -> None:
    none = Requests(*(np.zeros(0),) * 2, *(np.zeros(0, int),) * 3, (), np.ones((1, 8)))
    assert bounds.clairvoyant(none, COMPARTMENTS) == 0
