"""Tables of planning as rules read them: never a number outside its range, never a table that is too old."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.rules import tables
from parcelwall.rules.tables import DwellCurve, Fit, VisitCalendar

TODAY = date(2026, 11, 26)
FIT = Fit(model="shares", fitted_on=TODAY, since=date(2025, 11, 26), until=TODAY, count=400)
ZONE = "Europe/Helsinki"
WEEK = range(7)


def calendar(**changed: object) -> VisitCalendar:
    """Couriers come on weekdays between nine and eleven, and never at the weekend."""
    usual = VisitCalendar(
        station="S-0012", carrier="post", zone=ZONE, visit_share=(0.9,) * 5 + (0.0, 0.0),
        first_h=((8.5, 9.0, 9.5),) * 5 + ((), ()), last_h=((9.5, 10.0, 11.0),) * 5 + ((), ()),
        lead_h={"on_the_way": ((12.0, 18.0, 20.0),) * 7}, fit=FIT,
    )  # fmt: skip
    return msgspec.structs.replace(usual, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hours", "there"),
    [((), ()), ((1.0,), (1.0,)), ((0.0, 5.0), (1.0, 1.2)), ((0.0, 5.0, 5.0), (1.0, 0.5, 0.4)),
     ((0.0, 5.0, 9.0), (1.0, 0.5, 0.6)), ((0.0, 5.0), (1.0, float("nan"))), ((0.0, float("nan")), (1.0, 0.5))],
)  # fmt: skip
def test_a_curve_that_is_none_is_not_taken(hours: tuple[float, ...], there: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="dwell curve"):
        DwellCurve(stratum="all", hours=hours, there=there, fit=FIT)
    text = msgspec.json.encode({"type": "DwellCurve", "stratum": "all", "hours": hours, "there": there, "fit": FIT})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=DwellCurve)


def test_ready_by_is_the_end_of_the_visit_that_it_falls_into() -> None:
    handed_over = datetime(2026, 11, 25, 14, 0, tzinfo=ZoneInfo(ZONE))  # Wednesday
    window = tables.ready_window(calendar(), "on_the_way", handed_over, TODAY)
    assert window is not None
    assert window.since == handed_over + timedelta(hours=12)
    assert window.until == datetime(2026, 11, 26, 11, 0, tzinfo=ZoneInfo(ZONE))
    assert window.median == handed_over + timedelta(hours=calendar().lead_h["on_the_way"][2][1])


def test_who_hands_over_on_friday_is_told_monday_and_after_a_holiday_tuesday() -> None:
    friday = datetime(2026, 11, 27, 14, 0, tzinfo=ZoneInfo(ZONE))
    window = tables.ready_window(calendar(), "on_the_way", friday, TODAY)
    assert window is not None and window.until.date() == date(2026, 11, 30)
    window = tables.ready_window(calendar(days_off=(date(2026, 11, 30),)), "on_the_way", friday, TODAY)
    assert window is not None and window.until.date() == date(2026, 12, 1)


def test_a_calendar_that_was_fitted_on_a_day_to_come_is_none() -> None:
    for days, good in ((-35, True), (-36, False), (0, True), (1, True), (2, False), (400, False)):
        fitted = msgspec.structs.replace(FIT, fitted_on=TODAY + timedelta(days=days))
        assert tables.fresh(fitted, TODAY) is good, days


def test_a_parcel_that_is_expected_later_is_told_no_visit_before() -> None:
    zone = ZoneInfo(ZONE)
    announced, expected = (datetime(2026, 11, day, 14, 0, tzinfo=zone) for day in (25, 29))  # Wednesday; Sunday
    window = tables.ready_window(calendar(), "on_the_way", announced, TODAY, expected_at=expected)
    assert window is not None and window.since == expected and window.median is None
    assert window.until == datetime(2026, 11, 30, 11, 0, tzinfo=zone), "nobody comes on a Sunday"
    sooner = tables.ready_window(calendar(), "on_the_way", announced, TODAY, expected_at=announced)
    assert sooner == tables.ready_window(calendar(), "on_the_way", announced, TODAY)
    today = calendar(lead_h={"out_for_delivery": ((0.5, 1.0, 3.0),) * 7})
    on_its_way = tables.ready_window(today, "out_for_delivery", announced, TODAY, expected_at=expected)
    assert on_its_way == tables.ready_window(today, "out_for_delivery", announced, TODAY)


def test_nothing_is_told_where_the_calendar_does_not_know() -> None:
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    stale = msgspec.structs.replace(FIT, fitted_on=TODAY - timedelta(days=60))
    for not_known in (calendar(lead_h={}), calendar(lead_h={"on_the_way": ((),) * 7}), calendar(fit=stale)):
        assert tables.ready_window(not_known, "on_the_way", at, TODAY) is None


@given(st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 20), timezones=st.just(UTC)), st.floats(0, 100))
def test_a_window_is_one_on_every_day_of_the_year_also_when_the_clock_changes(at: datetime, late_h: float) -> None:
    window = tables.ready_window(calendar(), "on_the_way", at, TODAY, late_h)
    assert window is not None and at < window.since <= window.until
    assert window.median is not None and window.since <= window.median <= window.until
    assert window.until - at <= timedelta(days=8, hours=late_h)


def test_a_round_that_runs_late_moves_the_window_and_an_early_one_does_not() -> None:
    zone = ZoneInfo(ZONE)
    at_ten, at_eight = (datetime(2026, 11, 25, hour, 0, tzinfo=zone) for hour in (10, 8))
    assert tables.runs_late_h([(calendar(), at_ten)]) == pytest.approx(1.0)
    assert tables.runs_late_h([(calendar(), at_eight)]) == 0
    assert tables.runs_late_h([]) == 0


def test_a_calendar_that_is_none_is_not_taken() -> None:
    for wrong in ({"visit_share": (0.5,)}, {"visit_share": (float("nan"),) * 7}, {"first_h": ((3.0, 2.0, 1.0),) * 7},
                  {"last_h": ((1.0,),) * 7}):  # fmt: skip
        with pytest.raises(ValueError):
            calendar(**wrong).__post_init__()


@pytest.mark.parametrize(("changed", "why"), [
    ({}, ""), ({"zone": "Mars/Olympus"}, "no time zone"), ({"zone": ""}, "no time zone"),
    ({"zone": "../etc/passwd"}, "no time zone"),
    ({"lead_h": {"announced": ((1.0, 2.0, 1e308),) * 7}}, "until a deposit"),
    ({"lead_h": {"announced": ((-50.0, -40.0, -30.0),) * 7}}, "until a deposit"),
    ({"last_h": ((1.0, 2.0, 1e9),) * 7}, "clock hours"), ({"first_h": ((-1.0, 2.0, 3.0),) * 7}, "clock hours"),
])  # fmt: skip
def test_a_calendar_by_which_no_window_can_be_told_says_why(changed: dict[str, object], why: str) -> None:
    said = tables.of_no_use(calendar(**changed))
    assert why in said if why else said == ""


def test_where_no_visit_is_likely_an_expected_time_is_no_window_of_hardly_any_length() -> None:
    announced = datetime(2026, 11, 25, 14, 0, tzinfo=ZoneInfo(ZONE))
    for seldom in (calendar(visit_share=(0.2,) * 7), calendar(first_h=((),) * 7, last_h=((),) * 7)):
        learnt = tables.ready_window(seldom, "on_the_way", announced, TODAY)
        assert learnt is not None and learnt.until == announced + timedelta(hours=20), "the lead is known all the same"
        for hours, told in ((0, True), (18, True), (18.1, False), (19.99, False), (96, False)):
            expected = announced + timedelta(hours=hours)
            window = tables.ready_window(seldom, "on_the_way", announced, TODAY, expected_at=expected)
            assert (window is not None) is told, hours
            assert window is None or (window.since, window.until) == (max(learnt.since, expected), learnt.until)


@pytest.mark.parametrize(("minute", "day"), [(0, 30), (1, 1), (59, 1)])
def test_who_is_expected_when_the_visit_is_mostly_over_comes_with_the_next_one(minute: int, day: int) -> None:
    zone = ZoneInfo(ZONE)
    announced = datetime(2026, 11, 25, 14, 0, tzinfo=zone)
    expected = datetime(2026, 11, 30, 10, minute, tzinfo=zone)  # half of Monday's visits are over at ten
    window = tables.ready_window(calendar(), "on_the_way", announced, TODAY, expected_at=expected)
    assert window is not None and window.since == expected
    assert (window.until.day, window.until.hour) == (day, 11)
