"""Load forecasts: nothing is known before it happened, bands hold, and the worse model is not adopted."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.planning import forecast, pipeline, records
from parcelwall.planning.bands import bands
from parcelwall.planning.forecast import BASELINES, CANDIDATES, Rolling, load_by_day, roll
from parcelwall.planning.records import Records, from_rows
from parcelwall.planning.scores import covers
from planning.pretend_point import START, point, rows

HOUR = 20.0
FIRST = records.day_number(START.date())


def rolled(parcels: Records, days: int = 190, **more: object) -> Rolling:
    return roll(parcels, HOUR, FIRST + days, 3, known_until=FIRST + days, every_days=28, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def usual() -> Rolling:
    return rolled(point())


def sound(told: Rolling) -> None:
    for each in (told.told, told.low, told.high, *told.candidates.values()):
        assert np.isfinite(each).all()
        assert (each >= 0).all()
    assert (told.low <= told.told).all() and (told.told <= told.high).all()


def test_it_beats_every_baseline_at_a_point_that_keeps_its_laws(usual: Rolling) -> None:
    sound(usual)
    for h in range(3):
        known = np.isfinite(usual.came[:, h]) & (usual.days > FIRST + 100)
        error = {name: np.abs(usual.candidates[name][:, h] - usual.came[:, h])[known].mean() for name in CANDIDATES}
        told = np.abs(usual.told[:, h] - usual.came[:, h])[known].mean()
        assert told < min(error[name] for name in BASELINES)
        assert covers(usual.low[known, h], usual.high[known, h], usual.came[known, h]) > 0.65


def test_what_happens_later_changes_nothing_that_was_told_before(usual: Rolling) -> None:
    """The future is another one from day 150 on: a flood of parcels, none of them collected."""
    cut = START.replace(month=5, day=30)
    before = [row for row in rows() if row.ready < cut]
    assert all(row.deposited and row.collected for row in before)
    known = [
        records.Row(row.ready, row.handed if row.handed < cut else None, row.deposited if row.deposited < cut else None,
                    row.collected if row.collected < cut else None, row.carrier)
        for row in before
        if row.handed and row.deposited and row.collected
    ]  # fmt: skip
    flood = [records.Row(cut, cut, cut, None, "B")] * 300
    other = rolled(from_rows([*known, *flood]))
    day = records.day_number(cut.date())
    same = usual.days < day  # at 20:00 of the day before, all was as it had been
    assert same.sum() > 60
    for ours, theirs in ((usual.told, other.told), (usual.low, other.low), (usual.high, other.high)):
        assert np.allclose(ours[same], theirs[same])
    assert not np.allclose(usual.told[~same], other.told[~same])


def afternoons(days: int, dice: np.random.Generator) -> list[records.Row]:
    """About 20 a day are announced from three o'clock, brought at nine the next morning and collected at six."""
    made = []
    for day in range(days):
        for minutes in dice.integers(0, 120, dice.poisson(20)).tolist():
            told = START + timedelta(days=day, hours=15, minutes=minutes)
            brought = START + timedelta(days=day + 1, hours=9)
            made.append(records.Row(told, told + timedelta(hours=3), brought, brought + timedelta(hours=9), "A"))
    return made


def test_at_noon_nobody_knows_what_is_announced_in_the_afternoon_and_it_is_expected_all_the_same() -> None:
    """A run at midday foretold none for the next noon, and scored its past as if it had known the afternoons."""
    last, now = FIRST + 130, START + timedelta(days=130, hours=12)
    every = afternoons(140, np.random.default_rng(1))
    known = [records.Row(row.ready, *(at if at and at <= now else None for at in (row.handed, row.deposited,
                                                                                  row.collected)), row.carrier)
             for row in every if row.ready <= now]  # fmt: skip
    then, later = (roll(from_rows(each), 12.0, last, 2, every_days=28) for each in (known, every))
    assert then.told[-1] == pytest.approx([20, 20], abs=5)
    assert np.array_equal(then.told, later.told) and np.array_equal(then.low, later.low)
    error = np.abs(later.candidates["pipeline"] - later.came)[:, 0]
    assert np.nanmean(error) > 2, "what 20 on average are, more or less, cannot be known to the parcel"


def test_load_is_counted_as_one_would(usual: Rolling) -> None:
    parcels = point()
    day = FIRST + 100
    at = day + HOUR / 24
    counted = ((parcels.deposited <= at) & (parcels.collected > at)).sum()
    assert load_by_day(parcels, HOUR, day, day)[0] == counted
    assert usual.came[usual.days == day - 1, 0][0] == counted


STRANGE = {
    "a gap": point(skip=range(100, 160)),
    "one parcel": from_rows(rows(1)[:1]),
    "ten times the demand": from_rows([*rows(150), *rows(150, 120, seed=2)[-900:]]),
    "a short history": point(days=40),
    "no history": from_rows([]),
}


@pytest.mark.parametrize("parcels", STRANGE.values(), ids=STRANGE)
def test_a_strange_history_gives_a_forecast_all_the_same(parcels: Records) -> None:
    sound(rolled(parcels, 165))


def test_after_a_gap_of_a_year_old_parcels_are_not_taken_for_news() -> None:
    early, late = rows(120), rows(40, seed=2)
    gap = FIRST + 500
    moved = [
        records.Row(*(when and when.replace(year=when.year + 1, month=(when.month - 1 + 4) % 12 + 1)
                      for when in (row.ready.replace(day=min(row.ready.day, 28)),
                                   row.handed and row.handed.replace(day=min(row.handed.day, 28)))),
                    None, None, row.carrier)
        for row in late
    ]  # fmt: skip
    told = roll(from_rows([*early, *moved]), HOUR, gap, 3, every_days=28)
    sound(told)
    assert told.told[-30:].max() < 200


def test_the_worse_model_is_not_adopted(usual: Rolling) -> None:
    past = forecast.Past(usual.days, np.ones((len(usual.days), 3, 4)), np.ones((len(usual.days), 3)),
                         usual.candidates["persistence"][:, 0], usual.came, frozenset())  # fmt: skip
    errors = {name: np.full(usual.came.shape, 5.0) for name in CANDIDATES}
    errors["last_week"] = np.full(usual.came.shape, 4.0)
    assert forecast.best(past, errors, 0, int(usual.days[-1]), 1000) == "last_week"
    assert forecast.best(past, errors, 0, int(usual.days[10]), 1000) == "pipeline"
    assert forecast.best(past, errors, 0, int(usual.days[10]), 3) == "weekday_mean"


def test_a_station_of_three_weeks_leans_on_the_network() -> None:
    new, network = from_rows(rows(20, 3, seed=9)), point()
    seen, of_all = (pipeline.see(each, HOUR) for each in (new, network))
    prior = pipeline.learn(of_all, FIRST + 190, 3)
    alone, leaning = pipeline.learn(seen, FIRST + 21, 3), pipeline.learn(seen, FIRST + 21, 3, prior)
    far = np.abs(alone.stored - prior.stored).mean()
    assert np.abs(leaning.stored - prior.stored).mean() < far


def test_holidays_bring_no_parcels() -> None:
    parcels = point()
    ready = np.bincount(pipeline.whole(parcels.ready) - FIRST)
    day = FIRST + 150
    closed = frozenset({day + 1})
    usual, off = (pipeline.arrivals_ahead(ready[:151], day, 1, each, FIRST)[0] for each in (frozenset(), closed))
    assert usual > 8
    assert off == pytest.approx(0, abs=0.5)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 4), st.integers(1, 4))
def test_bands_hold_what_they_say_whatever_the_scale_was_taken_for(seed: int, spread: float, ahead: int) -> None:
    dice = np.random.default_rng(seed)
    came = 50 + spread * dice.standard_normal(600)
    told = np.full(600, 50.0)
    low, high = bands(told, np.ones(600), came, ahead)
    assert 0.73 < covers(low[100:], high[100:], came[100:]) < 0.87
    assert (low >= 0).all()


def test_bands_go_on_where_nothing_is_known() -> None:
    came = np.full(100, np.nan)
    low, high = bands(np.full(100, 3.0), np.ones(100), came, 2)
    assert np.isfinite(low).all() and (low < 3).all() and (high > 3).all()
