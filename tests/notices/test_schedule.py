"""Back-off and quiet hours, by the clock on the station's wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.notices.letters import Purpose
from parcelwall.notices.schedule import PATIENT, gave_up, next_try, remind_at, send_at

HELSINKI = "Europe/Helsinki"


def wall(text: str, zone: str = HELSINKI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_waits_double_to_an_hour_and_spread() -> None:
    assert [next_try(tries, 1.0) for tries in (1, 2, 3, 7, 8, 9, 1000)] == [30, 60, 120, 1920, 3600, 3600, 3600]
    assert next_try(1, 0.0) == 15
    assert [next_try(tries, 1.0, seldom=True) for tries in (1, 2, 5, 6, 7, 99)] == [30, 120, 7680, 30720, 43200, 43200]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_between_half_and_whole(tries: int, chance: float) -> None:
    assert 15 <= next_try(tries, chance) <= 3600


def test_gives_up_after_72_hours() -> None:
    began = wall("2026-11-22 08:00")
    assert not gave_up(began, began + timedelta(hours=71, minutes=59))
    assert gave_up(began, began + timedelta(hours=72))


@pytest.mark.parametrize(
    ("due", "sent"),
    [
        ("2026-11-22 20:59", "2026-11-22 20:59"), ("2026-11-22 21:00", "2026-11-23 08:00"),
        ("2026-11-22 23:30", "2026-11-23 08:00"), ("2026-11-23 03:00", "2026-11-23 08:00"),
        ("2026-11-23 07:59", "2026-11-23 08:00"), ("2026-11-23 08:00", "2026-11-23 08:00"),
        ("2026-10-25 02:00", "2026-10-25 08:00"), ("2026-03-29 02:30", "2026-03-29 08:00"),
    ],
)  # fmt: skip
def test_reminders_wait_for_the_morning(due: str, sent: str) -> None:
    assert send_at("reminder", wall(due), HELSINKI) == wall(sent)


@pytest.mark.parametrize("purpose", ["ready", "moved", "kept_longer"])
def test_what_is_waited_for_goes_at_once(purpose: Purpose) -> None:
    night = wall("2026-11-23 03:00")
    assert purpose not in PATIENT and send_at(purpose, night, HELSINKI) == night


def test_quiet_hours_inside_one_day_and_none() -> None:
    assert send_at("reminder", wall("2026-11-22 13:30"), HELSINKI, 13, 15) == wall("2026-11-22 15:00")
    assert send_at("reminder", wall("2026-11-22 03:30"), HELSINKI, 0, 0) == wall("2026-11-22 03:30")


def test_a_reminder_that_would_come_too_late_comes_before_the_night() -> None:
    assert remind_at(wall("2026-11-24 10:30"), 24, HELSINKI) == wall("2026-11-23 10:30")
    assert remind_at(wall("2026-11-24 22:30"), 24, HELSINKI) == wall("2026-11-24 08:00")
    assert remind_at(wall("2026-11-24 07:00"), 4, HELSINKI) == wall("2026-11-23 21:00")
