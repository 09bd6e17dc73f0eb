"""What the console's page of numbers shows."""

from datetime import datetime
from typing import ClassVar

import msgspec

from parcelwall.web.console.views import Top


class Figure(msgspec.Struct, frozen=True):
    """One figure with what it is and the same of the period before. "" stands for no data, never 0."""

    name: str
    value: str
    before: str
    meaning: str
    missing: str = ""  # why there is no value, where it is not for want of anything to count


class Chart(msgspec.Struct, frozen=True):
    """A drawing and the table behind it; `csv` is where the table is fetched as a file."""

    key: str
    title: str
    meaning: str
    drawn_svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: str


class NumbersView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/numbers.html"
    top: Top
    days: int
    since: datetime
    until: datetime
    station: str
    stations: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    events: str | None = None
