"""Rows of admission in words, on the console's page of policies."""

from datetime import UTC, date, datetime, timedelta

import msgspec

from parcelwall.notices.language import words
from parcelwall.rules.tables import AdmissionRow
from parcelwall.web.console.admitted import Reading
from parcelwall.web.render import Renderer, no_words
from parcelwall.web.views import Look
from web import samples, samples_console

NOW = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)  # Friday already at the station, in Helsinki
LEVELS = AdmissionRow(name="levels", station="S-0012", rule="threshold", first_day=date(2026, 11, 27), levels=(2.5, 3),
                      expected=(4.25, 3))  # fmt: skip


def read(language: str = "en", now: datetime = NOW) -> Reading:
    return msgspec.structs.replace(samples_console.reading(words(language)), now=now)


def test_a_row_says_what_holds_on_the_day_of_its_station() -> None:
    assert read().row(LEVELS).says == "At most 2.5 are admitted for today, 4.25 are expected."
    assert read("de").row(LEVELS).says == "Für heute werden höchstens 2,5 angenommen, erwartet sind 4,25."
    tomorrow = read(now=NOW + timedelta(days=1)).row(LEVELS).says
    assert tomorrow == "Whoever has room is admitted for today: 3 are expected, the row would admit 3."
    assert read(now=NOW - timedelta(days=1)).row(LEVELS).says == "It says nothing of today."
    assert read(now=NOW + timedelta(days=2)).row(LEVELS).says == "It says nothing of today."


def test_prices_are_those_of_the_weekday() -> None:
    row = AdmissionRow(name="room", rule="price", prices=(0, 0, 0, 0.1, 0.35, 0, 0))
    assert "is worth 0.35 to" in read().row(row).says


def test_it_is_told_whom_a_row_is_about() -> None:
    row = AdmissionRow(name="held", rule="protect", keep={"L": 1, "M": 12}, sizes=("L", "M"), carriers=("acme",),
                       services=("express",), spared=("medicine",), lead_h=(0.5, 1200))  # fmt: skip
    assert read().row(row).about == (
        "Each station", "sizes L, M", "carriers acme", "services express", "never services medicine",
        "0.5 to 1,200 hours ahead",
    )  # fmt: skip
    assert read().row(row).says == "Room is kept for parcels that come later: 1 × L, 12 × M."
    assert read().row(msgspec.structs.replace(LEVELS, name="other", station="S-7")).about == ("S-7",)
    assert read().row(LEVELS).about == ("Kluuvi",)


def test_numbers_that_mean_no_limit_are_shown_by_their_size() -> None:
    row = AdmissionRow(name="all", rule="threshold", levels=(1e308,) * 7, expected=(2.5e26,) * 7, lead_h=(1, 1e99))
    assert read().row(row).says.endswith(": 2.5E26 are expected, the row would admit 1E308.")
    assert read("ar").row(row).about[-1]


def test_a_row_that_is_good_for_ever_names_no_day() -> None:
    """The last second of the calendar is none in Helsinki, and the page answered nobody."""
    ever = AdmissionRow(name="ever", rule="always", good_until=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    view = msgspec.structs.replace(samples.all_views(no_words("en"))["console-policy"], rows=(read().row(ever),))
    assert "Until" not in Renderer().page(view, Look(zone="Europe/Helsinki"))
    soon = msgspec.structs.replace(ever, good_until=NOW)
    view = msgspec.structs.replace(view, rows=(read().row(soon),))
    assert "Until" in Renderer().page(view, Look(zone="Europe/Helsinki"))


def test_the_page_tells_that_there_are_more_rows_than_it_shows() -> None:
    sample = samples.all_views(no_words("en"))["console-policy"]
    assert "These are 4 of 2310 rows." in Renderer().page(sample, Look())
    few = msgspec.structs.replace(sample, rows_all=4)
    assert "These are" not in Renderer().page(few, Look())
