"""Times in the reader's language and the station's zone, through both changes of the clocks."""

from datetime import UTC, datetime

import pytest

from parcelwall.notices import times
from parcelwall.notices.language import words

WHEN = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HELSINKI, BERLIN = "Europe/Helsinki", "Europe/Berlin"


@pytest.mark.parametrize(
    ("language", "short", "long"),
    [
        ("en", "Tue 24 Nov, 10:30", "Tuesday 24 November, 10:30"),
        ("en-US", "Tue, Nov 24, 10:30 AM", "Tuesday, November 24, 10:30 AM"),
        ("de", "Di., 24. Nov., 10:30", "Dienstag, 24. November, 10:30"),
        ("pl", "wt., 24 lis, 10:30", "wtorek, 24 listopada, 10:30"),
    ],
)
def test_moments(language: str, short: str, long: str) -> None:
    assert times.moment(WHEN, HELSINKI, words(language)) == short
    assert times.long_moment(WHEN, HELSINKI, words(language)) == long


def test_the_stations_zone_counts_and_may_be_another_day() -> None:
    late = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
    assert times.moment(late, HELSINKI, words("en")) == "Wed 25 Nov, 00:30"
    assert times.moment(late, "America/New_York", words("en")) == "Tue 24 Nov, 17:30"
    assert times.day(late, HELSINKI, words("pl")) == "śr., 25 lis"


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert times.hour(first, BERLIN, words("de")) == "02:30 GMT+02:00"
    assert times.hour(second, BERLIN, words("de")) == "02:30 GMT+01:00"
    assert times.hour(datetime(2026, 10, 25, 2, 30, tzinfo=UTC), BERLIN, words("de")) == "03:30"


def test_spring_skips_an_hour_without_a_mark() -> None:
    before, after = (datetime(2026, 3, 29, hour, 59, tzinfo=UTC) for hour in (0, 1))
    assert times.hour(before, BERLIN, words("de")) == "01:59"
    assert times.hour(after, BERLIN, words("de")) == "03:59"


def test_durations_and_distances() -> None:
    assert times.duration(41 * 3600, words("en")) == "41 hours"
    assert times.duration(300, words("pl")) == "5 minut"
    assert times.duration(0, words("de")) == "1 Sekunde"
    assert times.distance(362, words("en")) == "350 m"
    assert times.distance(12, words("en")) == "50 m"
    assert times.distance(1234, words("de")) == "1,2 km"
