"""Charts of numbers: what their words say."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from parcelwall.notices.language import words
from parcelwall.web import charts
from parcelwall.web.console import figures
from parcelwall.web.views import Look

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
LOOK = Look(zone="Europe/Helsinki")


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize(("days", "shown"), [(1, "13:00"), (7, "Fri 14:00"), (28, "24 Nov"), (91, "17 Nov")])
def test_times_below_a_line_are_told_apart(days: int, shown: str) -> None:
    """Over four weeks `Wed 13:00` stood there four times."""
    use = [(NOW - timedelta(hours=24 * days - each), each % 20) for each in range(24 * days)]
    every = texts(charts.day_line(use, 48, LOOK, words("en")))
    below = [each for each in every if not each.endswith(("%", "doors"))][:-1]  # the last is how many there are now
    assert len(below) in (4, 5, 6) and len(set(below)) == len(below), below
    assert any(shown in each for each in below), below


def test_lines_and_squares_are_drawn_for_any_width() -> None:
    """On a phone they were 540 pixels wide, and scrolled."""
    use = [(NOW - timedelta(hours=24 - each), each % 20) for each in range(24)]
    table = [[day * hour for hour in range(24)] for day in range(7)]
    for svg in (charts.day_line(use, 48, LOOK, words("en")), charts.peaks(table, LOOK, words("en"), "Peaks")):
        places = re.findall(r'<(?:text|rect|circle)[^>]* c?x="([^"]+)"', svg)
        assert len(places) > 8 and all(x.endswith("%") or float(x) <= 0 for x in places), places
        assert re.findall(r'viewBox="([^"]+)"', svg) in ([], ["0 0 100 190"])
    only = charts.day_line([(NOW, 3)], 48, LOOK, words("en"))
    assert "M100.00 " in only and texts(only)[-1] == "now: 3"


def test_the_busiest_hour_is_told_as_the_region_tells_hours() -> None:
    table = [[7 if (day, hour) == (1, 20) else 0 for hour in range(24)] for day in range(7)]
    assert texts(charts.peaks(table, LOOK, words("en"), "Peaks"))[-1] == "Most: Tue 20:00, 7"
    american = charts.peaks(table, Look(language="en-US", zone="America/New_York"), words("en"), "Peaks")
    assert texts(american)[-1].replace("\u202f", " ") == "Most: Tue 8:00 PM, 7"


@pytest.mark.parametrize(("key", "row", "name", "told"), [
    ("groups", ("carrier", "demo-post", 465, 7), "carrier · demo-post", "7 of 465"),
    ("more", ("S", 12, 3), "S", "3 of 12"), ("more", ("S", 12, ""), "S", "0 of 12"),
    ("fill", ("S", 20, 3, 0, 30, 6), "S", "6 %"), ("waiting", ("6 h", 28), "6 h", "28 %"),
    ("costs", ("stops of couriers", 4.0, 2.5, "EUR", 10.0), "stops of couriers", "€10.00"),
    ("faults", ("Kluuvi", 23, "did not open", 1), "Kluuvi · 23 · did not open", "1"),
])  # fmt: skip
def test_a_bar_says_of_what_its_figure_is(key: str, row: tuple[Any, ...], name: str, told: str) -> None:
    """`carrier · demo-post · 465` stood above a bar of 7."""
    asked: Any = SimpleNamespace(look=LOOK, say=words("en").gettext)
    bar = figures._bar(asked, key, row)
    assert (bar.name, bar.told, bar.n) == (name, told, float(row[-1] or 0))


def test_a_share_is_drawn_of_a_hundred_and_zeros_alone_are_nothing() -> None:
    of_100 = charts.bars([charts.Bar("S", 50, "50%")], words("en"), "How full", 100)
    assert f'width="{charts.LONGEST_BAR / 2:.1f}%"' in of_100
    assert texts(charts.bars([charts.Bar("S", 0, "0%")], words("en"), "How full", 100)) == [
        "How full: nothing in this time."
    ]
