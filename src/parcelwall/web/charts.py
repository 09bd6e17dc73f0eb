"""Charts as SVG, drawn here: no library, no script. Each says in one sentence what it shows (`role="img"`), each part
has its figure beside it, and the page puts the table behind it. Colours come from `charts.css` by class.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from typing import NamedTuple

import msgspec
from babel.dates import get_day_names
from markupsafe import escape

from parcelwall.web.render import Words, clock, day, locale_of, moment
from parcelwall.web.views import Look

WIDE, LEFT, RIGHT, TOP = 540, 54, 16, 26
BESIDE = 340
"""Units across of a chart in a card, and in a side column: they are drawn as about as many pixels, so that its figures
can be read."""
A_DAY, A_WEEK = 30, 170  # hours, and a few
LONGEST_BAR = 74  # of a hundred; its figure stands behind it


def N_(message: str) -> str:
    """Marks a text for the catalogues."""
    return message


NOW, DOORS_IN_USE = N_("now"), N_("Doors in use")
ALL_DOORS = N_("all %(doors)s doors")
USE_SAID = N_("Doors in use over time: %(low)s at least, %(high)s at most, of %(doors)s.")
PEAKS_SAID = N_("Parcels put in and taken out by weekday and hour. Most at %(when)s: %(count)s.")
MOST = N_("Most: %(when)s, %(count)s")
BARS_SAID = N_("%(title)s. Most: %(name)s, %(count)s.")
NOTHING_SAID = N_("%(title)s: nothing in this time.")


def _svg(high: float, said: str, parts: Sequence[str], wide: float = WIDE) -> str:
    name = f'role="img" aria-label="{escape(said)}"'
    return f'<svg class="chart" viewBox="0 0 {wide:g} {high:g}" {name}>{"".join(parts)}</svg>'


def _of_any_width(high: float, said: str, parts: Sequence[str]) -> str:
    """Its words are as large wherever it stands; what is to grow with it is given in hundredths of its width."""
    return (
        f'<svg class="chart chart-any" width="100%" height="{high:g}" role="img" aria-label="{escape(said)}">'
        f'{"".join(parts)}</svg>'
    )


def _nothing(title: str, words: Words) -> str:
    said = words.gettext(NOTHING_SAID) % {"title": title}
    return _of_any_width(40, said, [_text("", 0, 24, said)])


def _text(kind: str, x: float, y: float, words: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def day_line(
    use: Sequence[tuple[datetime, int]], doors: int, look: Look, words: Words, high: float = 190, wide: float = WIDE
) -> str:
    """Doors in use by hour as a line with its area, against all doors there are; `high` and `wide` in units."""
    if not use or not doors:
        return ""
    bottom, top = high - 28, TOP
    step = (wide - LEFT - RIGHT) / max(1, len(use) - 1)
    points = [(LEFT + at * step, bottom - (bottom - top) * min(1.0, n / doors)) for at, (_, n) in enumerate(use)]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts = [
        f'<path class="chart-area" d="M{LEFT} {bottom}L{line}L{points[-1][0]:.1f} {bottom}Z"/>',
        *(f'<path class="chart-rule" d="M{LEFT} {y:g}H{wide - RIGHT:g}"/>' for y in (top, (top + bottom) / 2, bottom)),
        f'<path class="chart-line" d="M{line}"/>',
        *(_text("chart-end", LEFT - 6, y + 5, f"{share} %") for share, y in
          ((100, top), (50, (top + bottom) / 2), (0, bottom))),
        _text("chart-label chart-last", wide - RIGHT, top - 8, words.gettext(ALL_DOORS) % {"doors": doors}),
        *_hours(use, step, bottom, look, 6 if wide >= WIDE else 4),
        *_last(points[-1], use[-1][1], words),
    ]  # fmt: skip
    counts = [n for _, n in use]
    return _svg(high, words.gettext(USE_SAID) % {"low": min(counts), "high": max(counts), "doors": doors}, parts, wide)


def _hours(use: Sequence[tuple[datetime, int]], step: float, bottom: float, look: Look, times: int) -> list[str]:
    """About so many times below the line: hours of a day, or days of a longer span."""
    hours = len(use)
    shown = clock if hours <= A_DAY else moment if hours <= A_WEEK else day
    every = max(1, hours // (times if shown is clock else times - 2))
    return [
        _text("chart-middle", LEFT + at * step, bottom + 20, shown(use[at][0], look))
        for at in range(every // 2, len(use), every)
    ]


def _last(point: tuple[float, float], n: int, words: Words) -> list[str]:
    x, y = point
    above = y - 12 if y > TOP + 26 else y + 22
    return [
        f'<circle class="chart-dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        _text("chart-label chart-last", x - 8, above, f"{words.gettext(NOW)}: {n}"),
    ]


def peaks(table: Sequence[Sequence[int]], look: Look, words: Words, title: str) -> str:
    """Weekdays by hours: the fuller a square is drawn, the more. The busiest square has a ring, and is told below."""
    most = max(max(row) for row in table)
    if not most:
        return _nothing(title, words)
    names = get_day_names("abbreviated", locale=locale_of(look.language))
    side = (WIDE - LEFT - RIGHT) / 24
    parts = [_text("chart-end", LEFT - 8, TOP + row * 26 + 18, names[row]) for row in range(7)]
    parts += [_text("chart-middle", LEFT + hour * side + side / 2, TOP - 8, str(hour)) for hour in range(0, 24, 3)]
    busiest = max(product(range(7), range(24)), key=lambda at: table[at[0]][at[1]])
    for row, hour in product(range(7), range(24)):
        parts += _square(LEFT + hour * side, TOP + row * 26, side, table[row][hour], most, (row, hour) == busiest)
    utc = msgspec.structs.replace(look, zone="UTC")  # these are hours of each station's own clock
    told = {"when": f"{names[busiest[0]]} {clock(datetime(2024, 1, 1, busiest[1], tzinfo=UTC), utc)}", "count": most}
    bottom = TOP + 7 * 26
    parts.append(_text("chart-label", LEFT, bottom + 20, words.gettext(MOST) % told))
    return _svg(bottom + 28, words.gettext(PEAKS_SAID) % told, parts)


def _square(x: float, y: float, side: float, n: int, most: int, busiest: bool) -> list[str]:
    """A frame, filled from below as far as its share of the most: read without colour."""
    tall = 22 * n / most
    drawn = [f'<rect class="chart-frame" x="{x + 1:.1f}" y="{y:g}" width="{side - 3:.1f}" height="22"/>']
    if n:
        drawn.append(
            f'<rect class="chart-bar" x="{x + 1:.1f}" y="{y + 22 - tall:.1f}" width="{side - 3:.1f}" '
            f'height="{tall:.1f}"/>'
        )
    if busiest:
        drawn.append(f'<rect class="chart-ring" x="{x - 1:.1f}" y="{y - 2:g}" width="{side + 1:.1f}" height="26"/>')
    return drawn


class Bar(NamedTuple):
    """A row of a bar chart: as long as `n`, with the figure `told` behind it."""

    name: str
    n: float
    told: str


def bars(rows: Sequence[Bar], words: Words, title: str, most: float = 0) -> str:
    """One bar for each row, its name above it and its figure behind it; the longest is as long as `most` if that is
    more. Of a name too long for a phone the end is left out: the table below has it whole."""
    first = max(rows, key=lambda row: row.n, default=None)
    if first is None or not first.n:
        return _nothing(title, words)
    most = max(most, first.n)
    parts: list[str] = []
    for at, row in enumerate(rows):
        y, share = at * 46, max(LONGEST_BAR * row.n / most, 0.2)
        parts += [
            _text("chart-name", 0, y + 16, row.name if len(row.name) <= 38 else row.name[:37] + "…"),
            f'<rect class="chart-bar" x="0" y="{y + 22}" width="{share:.1f}%" height="14" rx="3"/>',
            f'<text class="chart-label" x="{share:.1f}%" y="{y + 34}" dx="8">{escape(row.told)}</text>',
        ]
    said = words.gettext(BARS_SAID) % {"title": title, "name": first.name, "count": first.told}
    return _of_any_width(len(rows) * 46, said, parts)
