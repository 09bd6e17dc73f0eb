"""Rules of admission and placing on trial: what they may see, what they may not do, how they compare."""

from copy import deepcopy
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.planning import admission, baselines, bounds, expected, pricing
from parcelwall.planning.demand import COMPARTMENTS, LOADS, STEP_H, Requests, generated, survives
from parcelwall.planning.trial import BestFit, Inside, Rule, replay

PAST = [generated(seed, 1.4) for seed in (100, 101, 102)]
MODEL = expected.of_generator(PAST)


@cache
def _fitted() -> list[Rule]:
    prices = pricing.fit(PAST[:2], MODEL, COMPARTMENTS, rounds=2, candidates=8)
    return [BestFit(), admission.Levels(MODEL), admission.BidPrice(MODEL), pricing.Priced(MODEL, prices),
            *baselines.fitted(PAST[:1], MODEL, COMPARTMENTS, STEP_H)]  # fmt: skip


def all_rules() -> list[Rule]:
    """Every rule that ships, its dice at their beginning."""
    return deepcopy(_fitted())


def test_what_lies_there_longer_than_anything_in_the_past_stays() -> None:
    survival = np.array([[1.0, 0.5, 0.0, 0.0]])  # nobody ever stayed longer than half an hour
    model = expected.Expected(24.0, np.array([12.0]), np.ones((1, 1, 1)), survival)
    stored = [(9.0, 0, 0), (9.5, 0, 0), (9.75, 0, 0)]
    assert model.still_there(10.0, stored, np.array([10.0, 12.0]), 1)[0].tolist() == [3.0, 2.0]


def cut(made: Requests, n: int) -> Requests:
    part = {name: getattr(made, name)[:n] for name in ("comes_h", "leaves_h", "size", "stratum", "group")}
    return msgspec.structs.replace(made, **part)


def test_no_rule_overfills_a_class_and_each_gives_the_same_answer_twice() -> None:
    made = cut(generated(0, 1.4), 300)
    for first, second in zip(all_rules(), all_rules(), strict=True):
        once, again = replay(first, made, COMPARTMENTS), replay(second, made, COMPARTMENTS)
        assert (once.put == again.put).all(), first.name
        for c, room in enumerate(COMPARTMENTS):
            mine = once.put == c
            for moment in made.comes_h[mine]:
                assert ((made.comes_h <= moment) & (made.leaves_h > moment))[mine].sum() <= room, first.name


@settings(max_examples=6, deadline=None)
@given(st.integers(200, 10_000), st.sampled_from(LOADS), st.integers(20, 90), st.tuples(*[st.integers(0, 6)] * 3))
def test_no_rule_serves_more_than_who_knows_every_stay(
    seed: int, load: float, n: int, station: tuple[int, int, int]
) -> None:
    made = cut(generated(seed, load), n)
    most = bounds.clairvoyant(made, station)
    relaxed, moved = bounds.clairvoyant(made, station, whole=False), bounds.migration(made, station)
    assert relaxed >= most - 1e-6 and moved >= most - 1e-6
    for rule in all_rules():
        assert replay(rule, made, station).served.sum() <= most + 1e-6, rule.name


def test_a_rule_never_sees_how_long_a_parcel_will_stay() -> None:
    """Stays are drawn anew from the middle on: what was decided before does not change."""
    made = generated(1, 1.4)
    half = 200
    later = made.leaves_h.copy()
    later[half:] = made.comes_h[half:] + 72
    changed = msgspec.structs.replace(made, leaves_h=later)
    for rule in all_rules():
        a, b = replay(rule, cut(made, half), COMPARTMENTS), replay(rule, cut(changed, half), COMPARTMENTS)
        if rule.name in ("random fit", "class selection", "reservation levels"):
            continue  # their dice have moved on
        assert (a.put == b.put).all(), rule.name


def test_levels_beat_always_accepting_at_a_high_load_by_refusing_slow_collectors() -> None:
    made = generated(0, 1.4)
    plain, levels = replay(BestFit(), made, COMPARTMENTS), replay(admission.Levels(MODEL), made, COMPARTMENTS)
    assert levels.served.sum() > 1.08 * plain.served.sum()
    assert 1 - levels.served[made.group == 1].mean() > 0.6


def test_lanes_serve_what_the_exact_trial_serves() -> None:
    vectors = pricing.Vectors(COMPARTMENTS, 2)
    lanes = pricing.Lanes(PAST, MODEL, COMPARTMENTS, pricing.AHEAD)
    prices = vectors.prices(vectors.middle, MODEL)
    exact = sum(replay(pricing.Priced(MODEL, prices), each, COMPARTMENTS).served.sum() for each in PAST)
    assert lanes.served(vectors.decide(vectors.middle[None, :]), 1)[0] == pytest.approx(exact, rel=0.002)


def test_prices_that_are_no_gain_are_not_used() -> None:
    calm = [generated(seed, 0.3) for seed in (100, 101, 102)]
    model = expected.of_generator(calm)
    prices = pricing.fit(calm[:1], model, COMPARTMENTS, rounds=1, candidates=6)
    assert not pricing.worth_it(prices, calm, model, COMPARTMENTS)


def test_equal_values_protect_nothing_and_unequal_ones_do() -> None:
    assert baselines.littlewood([1, 1, 1], [5, 9, 12]) == [0, 0]
    assert baselines.littlewood([4, 1], [5, 9])[0] == 6  # P(N > 6) = .24 <= 1/4 < P(N > 5) = .38


def test_survival_is_one_at_the_beginning_and_holds_its_last_value() -> None:
    table = np.array([[1.0, 0.5, 0.25]])
    assert survives(table, 0, 0.0) == 1 and survives(table, 0, STEP_H / 2) == 0.75 and survives(table, 0, 99) == 0.25


def test_a_parcel_that_stays_longer_than_any_before_is_taken_to_stay() -> None:
    taken = MODEL.still_there(1000.0, [(0.0, 1, 0)], np.array([1000.5, 1024.0]), 3)
    assert 0 <= taken[1, 0] <= 1 and taken[0].sum() == 0


def test_the_largest_class_first_is_a_bad_example() -> None:
    made = generated(0, 0.9)
    served = [replay(rule, made, COMPARTMENTS).served.sum() for rule in (baselines.LargestFirst(), BestFit())]
    assert served[0] < 0.9 * served[1]


def test_first_fit_is_best_fit_where_doors_are_numbered_by_size() -> None:
    rule = baselines.FirstFit()
    made = generated(0, 0.9)
    rule.begin(made, COMPARTMENTS)
    rule.cls = sorted(rule.cls)
    inside = Inside([0, 2, 1], {})
    rule.door_of = {}
    assert rule.place(0.0, 1, 0, inside) == 1
