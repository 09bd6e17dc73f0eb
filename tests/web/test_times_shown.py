"""Times on pages and in files to take home, on the days on which the clocks are moved."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcelwall.web import render
from parcelwall.web.views import Look

BERLIN = Look(zone="Europe/Berlin")
AUTUMN, SPRING = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2027, 3, 27, 23, tzinfo=UTC)
Shown = Callable[[Any, Look], str]


@pytest.mark.parametrize("shown", [render.clock, render.moment, render.full, render.dated, render.clock_seconds])
@pytest.mark.parametrize(("midnight", "hours"), [(AUTUMN, 25), (SPRING, 23), (AUTUMN - timedelta(days=7), 24)])
def test_each_hour_of_a_day_has_a_name_of_its_own(shown: Shown, midnight: datetime, hours: int) -> None:
    told = [shown(midnight + timedelta(hours=each), BERLIN) for each in range(hours)]
    assert len(set(told)) == hours, told


@pytest.mark.parametrize(("language", "first", "second"), [
    ("en", "02:30 GMT+02:00", "02:30 GMT+01:00"), ("de", "02:30 GMT+02:00", "02:30 GMT+01:00"),
    ("ar", "2:30 ص غرينتش+02:00", "2:30 ص غرينتش+01:00"),
])  # fmt: skip
def test_the_hour_that_autumn_repeats_is_told_apart_as_in_mails(language: str, first: str, second: str) -> None:
    look = Look(zone="Europe/Berlin", language=language)
    assert [render.clock(AUTUMN + timedelta(hours=each), look) for each in (2.5, 3.5)] == [first, second]
    assert "GMT" not in render.clock(AUTUMN + timedelta(hours=4.5), look)
