"""Charts as SVG, drawn here: no library, no script. Each says in one sentence what it shows (`role="img"`), each part
has its figure beside it, and the page puts the table behind it. Colours come from `charts.css` by class.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, product
from typing import NamedTuple

import msgspec
from babel.dates import get_day_names
from markupsafe import escape

from parcelwall.web.render import Words, clock, day, locale_of, moment
from parcelwall.web.views import Look

TOP, ROW = 26, 26  # pixels: above a plot, and of a weekday
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


def _svg(high: float, said: str, parts: Sequence[str], kind: str = "chart") -> str:
    """Its words are as large wherever it stands; what is to grow with it is given in hundredths of its width."""
    size = f'width="100%" height="{high:g}"'
    return f'<svg class="{kind}" {size} role="img" aria-label="{escape(said)}">{"".join(parts)}</svg>'


def _plot(high: float, said: str, parts: Sequence[str], shapes: str = "") -> str:
    """One with words beside it, left of where it begins; `shapes` in hundredths of its width and in pixels."""
    stretched = f'viewBox="0 0 100 {high:g}" preserveAspectRatio="none"'
    drawn = [f'<svg class="chart-shapes" {stretched}>{shapes}</svg>'] if shapes else []
    return _svg(high, said, [*drawn, *parts], "chart chart-plot")


def _nothing(title: str, words: Words) -> str:
    said = words.gettext(NOTHING_SAID) % {"title": title}
    return _svg(40, said, [_text("", 0, 24, said)])


def _text(kind: str, x: float | str, y: float, words: str) -> str:
    return f'<text class="{kind}" x="{x if isinstance(x, str) else f"{x:g}"}" y="{y:g}">{escape(words)}</text>'


def day_line(
    use: Sequence[tuple[datetime, int]], doors: int, look: Look, words: Words, high: float = 190, times: int = 6
) -> str:
    """Doors in use by hour as a line with its area, against all doors there are; about so many times below it, and half
    as many on a phone."""
    if not use or not doors:
        return ""
    bottom, top = high - 28, TOP
    points = [(_share(at, len(use)), bottom - (bottom - top) * min(1.0, n / doors)) for at, (_, n) in enumerate(use)]
    line = "L".join(f"{x:.2f} {y:.1f}" for x, y in points)
    shapes = [
        f'<path class="chart-area" d="M{points[0][0]:.2f} {bottom}L{line}L100 {bottom}Z"/>',
        *(f'<path class="chart-rule" d="M0 {y:g}H100"/>' for y in (top, (top + bottom) / 2, bottom)),
        f'<path class="chart-line" d="M{line}"/>',
    ]
    inside = [
        _text("chart-label chart-last", "100%", top - 8, words.gettext(ALL_DOORS) % {"doors": doors}),
        *_hours(use, bottom, look, times), *_last(points[-1][1], use[-1][1], words),
    ]  # fmt: skip
    shares = ((100, top), (50, (top + bottom) / 2), (0, bottom))
    beside = [_text("chart-end", -6, y + 5, f"{share} %") for share, y in shares]
    counts = [n for _, n in use]
    said = words.gettext(USE_SAID) % {"low": min(counts), "high": max(counts), "doors": doors}
    return _plot(high, said, [*beside, *inside], "".join(shapes))


def _share(at: int, of: int) -> float:
    """Where one of so many stands, in hundredths; one alone at the end, which is now."""
    return 100 * at / (of - 1) if of > 1 else 100.0


def _hours(use: Sequence[tuple[datetime, int]], bottom: float, look: Look, times: int) -> list[str]:
    """About so many times below the line: hours of a day, or days of a longer span."""
    hours = len(use)
    shown = clock if hours <= A_DAY else moment if hours <= A_WEEK else day
    every = max(1, hours // (times if shown is clock else times - 2))
    kinds = cycle(("chart-middle", "chart-middle chart-also"))
    return [
        _text(next(kinds), f"{_share(at, hours):.2f}%", bottom + 20, shown(use[at][0], look))
        for at in range(every // 2, hours, every)
    ]


def _last(y: float, n: int, words: Words) -> list[str]:
    above = y - 12 if y > TOP + 26 else y + 22
    return [
        f'<circle class="chart-dot" cx="100%" cy="{y:.1f}" r="5"/>',
        f'<text class="chart-label chart-last" x="100%" y="{above:g}" dx="-8">'
        f'{escape(f"{words.gettext(NOW)}: {n}")}</text>',
    ]


def peaks(table: Sequence[Sequence[int]], look: Look, words: Words, title: str) -> str:
    """Weekdays by hours: the fuller a square is drawn, the more. The busiest square has a ring, and is told below."""
    most = max(max(row) for row in table)
    if not most:
        return _nothing(title, words)
    names = get_day_names("abbreviated", locale=locale_of(look.language))
    side = 100 / 24
    parts = [_text("chart-end", -8, TOP + row * ROW + 18, names[row]) for row in range(7)]
    parts += [_text("chart-middle", f"{(hour + 0.5) * side:.2f}%", TOP - 8, str(hour)) for hour in range(0, 24, 3)]
    busiest = max(product(range(7), range(24)), key=lambda at: table[at[0]][at[1]])
    for row, hour in product(range(7), range(24)):
        parts += _square(hour * side, TOP + row * ROW, side, table[row][hour], most, (row, hour) == busiest)
    utc = msgspec.structs.replace(look, zone="UTC")  # these are hours of each station's own clock
    told = {"when": f"{names[busiest[0]]} {clock(datetime(2024, 1, 1, busiest[1], tzinfo=UTC), utc)}", "count": most}
    bottom = TOP + 7 * ROW
    parts.append(_text("chart-label", 0, bottom + 20, words.gettext(MOST) % told))
    return _plot(bottom + 28, words.gettext(PEAKS_SAID) % told, parts)


def _square(x: float, y: float, side: float, n: int, most: int, busiest: bool) -> list[str]:
    """A frame, filled from below as far as its share of the most: read without colour. `x` and `side` in hundredths."""
    tall, gap = 22 * n / most, 0.1 * side
    across = f'x="{x + gap:.2f}%" width="{side - 2 * gap:.2f}%"'
    drawn = [f'<rect class="chart-frame" {across} y="{y:g}" height="22"/>']
    if n:
        drawn.append(f'<rect class="chart-bar" {across} y="{y + 22 - tall:.1f}" height="{tall:.1f}"/>')
    if busiest:
        drawn.append(f'<rect class="chart-ring" x="{x:.2f}%" width="{side:.2f}%" y="{y - 2:g}" height="26"/>')
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
    return _svg(len(rows) * 46, said, parts)
