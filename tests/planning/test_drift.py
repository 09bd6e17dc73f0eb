"""Drift: another demand is noticed, a week's own shape and its scatter are not taken for one."""

from datetime import date, timedelta

import pytest

from parcelwall.planning.dice import dice
from parcelwall.planning.drift import drift_p
from parcelwall.planning.nightly import DRIFT_P

MONDAY = date(2026, 11, 23)
WEEKS = 8


def days(a_day: dict[int, list[int]], today: date) -> list[date]:
    """So many requests on each day of eight weeks before today: by weekday, in turn."""
    past = [today - timedelta(days=n) for n in range(7 * WEEKS, 0, -1)]
    return [day for n, day in enumerate(past) for _ in range(a_day[day.weekday()][n // 7 % len(a_day[day.weekday()])])]


def p(asked: list[date], today: date) -> float:
    return drift_p(asked, today - timedelta(weeks=WEEKS), today)


@pytest.mark.parametrize("a_day", [15, 30, 60])
@pytest.mark.parametrize("closed", [(6,), (5, 6), (1, 2, 3, 4, 5, 6)])
def test_days_without_a_courier_are_no_drift_on_any_night_of_the_week(a_day: int, closed: tuple[int, ...]) -> None:
    by_weekday = {day: [0 if day in closed else a_day] for day in range(7)}
    for night in range(7):
        today = MONDAY + timedelta(days=night)
        assert p(days(by_weekday, today), today) > 0.1


def test_what_always_scattered_widely_is_no_drift_when_it_does_again() -> None:
    swinging = {day: [10, 40] for day in range(7)}
    assert p(days(swinging, MONDAY), MONDAY) > DRIFT_P
    steady = {day: [25] for day in range(7)}
    asked = [day for day in days(steady, MONDAY) if day < MONDAY - timedelta(days=3)]
    flood = [MONDAY - timedelta(days=n) for n in (3, 2, 1) for _ in range(45)]
    assert p(asked + flood, MONDAY) < DRIFT_P


@pytest.mark.parametrize("factor", [0, 3, 10])
def test_demand_that_changes_is_noticed(factor: int) -> None:
    weekdays = {day: [0 if day > 4 else 15] for day in range(7)}
    thursday = MONDAY + timedelta(days=3)
    asked = [day for day in days(weekdays, thursday) if day < MONDAY]
    last = [MONDAY + timedelta(days=n) for n in range(3) for _ in range(15 * factor)]
    assert p(asked + last, thursday) < DRIFT_P


def test_too_short_a_past_says_nothing() -> None:
    assert p([], MONDAY) == 1.0
    assert p([MONDAY - timedelta(days=n) for n in range(20, 0, -1)], MONDAY) == 1.0


def test_false_alarms_are_as_rare_as_they_are_told_to_be() -> None:
    """Poisson demand, weekends closed: P < .05 happens on about one night in twenty, not on two of seven."""
    rng, alarms, nights = dice(5), 0, 140
    for night in range(nights):
        today = MONDAY + timedelta(days=night % 7)
        past = [today - timedelta(days=n) for n in range(7 * WEEKS, 0, -1)]
        asked = [day for day in past if day.weekday() < 5 for _ in range(rng.poisson(20))]
        alarms += p(asked, today) < 0.05
    assert 0 < alarms <= 0.12 * nights
