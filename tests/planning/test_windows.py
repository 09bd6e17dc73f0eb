"""Ready windows as people are told them: what they should hold they hold, and their ends are where couriers come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.bench import forecast as bench
from parcelwall.planning import ready, records, visits, window_past
from parcelwall.rules import tables
from parcelwall.rules.tables import Fit, VisitCalendar
from planning.pretend_point import START, point, rows, write

FIRST = records.day_number(START.date())
DAY = FIRST + 140


@pytest.mark.parametrize("seed", [1, 2])
def test_eight_in_ten_fall_into_the_window_and_nine_in_ten_before_its_end(seed: int) -> None:
    """Two in ten come a day later: an end that holds nine in ten is not the end of the next visit for everybody."""
    parcels = point(260, seed=seed)
    since, until = window_past.roll(parcels, FIRST + 120, FIRST + 250, frozenset())
    came = ready.lead_h(parcels)
    now = np.isfinite(since) & np.isfinite(came)
    assert now.sum() > 1_000
    inside = (came >= since) & (came <= until)
    assert 0.79 <= inside[now].mean() <= 0.86 and 0.88 <= (came <= until)[now].mean() <= 0.94
    assert (until - since)[now].mean() < 24


def test_what_happens_later_changes_no_window() -> None:
    parcels = point()
    told = window_past.roll(parcels, DAY - 6, DAY, frozenset())
    parcels.deposited[parcels.deposited >= DAY + 1] += 50
    assert np.array_equal(told, window_past.roll(parcels, DAY - 6, DAY, frozenset()), equal_nan=True)


def test_no_window_is_told_where_nothing_was_learnt() -> None:
    few = records.from_rows(rows(2)[:10])
    assert np.isnan(window_past.roll(few, FIRST, FIRST + 6, frozenset())).all()


CLOCK = st.floats(0, 23.9)
SHARES = st.tuples(*[st.sampled_from([0.0, 0.24, 0.25, 1.0])] * 7)


@given(SHARES, st.tuples(*[CLOCK] * 7), st.sets(st.integers(DAY, DAY + 12)), st.floats(0, 4), st.floats(0, 200))
def test_ends_are_moved_while_learning_as_they_are_when_told(
    shares: tuple[float, ...], last: tuple[float, ...], closed: set[int], at_day: float, hours: float
) -> None:
    rows_of = tuple((hour, hour, hour) for hour in last)
    at = datetime.combine(records.day_of(DAY), datetime.min.time(), UTC) + timedelta(days=at_day)
    calendar = VisitCalendar(
        station="S", carrier="A", zone="UTC", visit_share=shares, first_h=rows_of, last_h=rows_of,
        lead_h={"on_the_way": ((0.0, 0.0, hours),) * 7}, days_off=tuple(map(records.day_of, sorted(closed))),
        fit=Fit(model="", fitted_on=at.date(), since=at.date(), until=at.date(), count=99),
    )  # fmt: skip
    told = tables.ready_window(calendar, "on_the_way", at, at.date())
    over = visits.ends_of_visits(range(DAY - 1, DAY + 30), shares, rows_of, frozenset(closed))
    until = DAY + at_day + hours / 24
    assert told is not None
    moved = visits.moved_to_end(np.array([until]), over)[0]
    assert abs((told.until - at) / timedelta(days=1) - (moved - DAY - at_day)) < 1e-6


def test_the_bench_says_what_windows_hold_by_carrier_and_beside_plain_quantiles() -> None:
    parcels = point(260)
    [figure] = bench.windows(parcels, frozenset(), ("2024", FIRST + 120, FIRST + 240), lambda text: None)
    assert figure.name == "window_2024" and figure.more["parcels"] > 1_000
    assert 0.78 <= figure.more["covers"] <= 0.87 and set(figure.more["covers_of"]) == {"A", "B"}
    assert 5 < figure.value < 24 and figure.more["no_window"] == 0
    assert bench.windows(parcels, frozenset(), ("none", FIRST, FIRST - 4), lambda text: None) == []


@pytest.mark.parametrize("days", [
    [30 * month for month in range(12)], [*range(100), *range(700, 800)], [7 * week for week in range(40)],
], ids=["one visit a month", "most of two years without one", "one visit a week"])  # fmt: skip
def test_a_point_that_is_hardly_visited_is_judged_as_far_as_can_be(days: Sequence[int], tmp_path: Path) -> None:
    """All lie there for as long: of some models that is no number."""
    came = [START + timedelta(days=day, hours=10, minutes=each) for day in days for each in range(3)]
    lines = [records.Row(at - timedelta(hours=35), at - timedelta(hours=30), at, at + timedelta(hours=20), "A")
             for at in came]  # fmt: skip
    figures = bench.judge([write(tmp_path / "point.csv", lines)], 1, True, lambda text: None)
    assert any(each.name.startswith("load_") for each in figures)
    numbers = [number for each in figures for number in (each.value, each.reference, each.ratio) if number is not None]
    assert np.isfinite(numbers).all()
