"""Draws the static map round a station as SVG, from a small file of streets that ships with the faces (ODbL, NOTICE).

No map library, no tiles, no foreign host. Local flat projection; the circle drawn has a radius of about 300 m. Every
page that shows the drawing carries the credit "© OpenStreetMap contributors" (faces.md 7).
"""

import json
import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import escape

EXTRACT = Path(__file__).parent / "static" / "map" / "helsinki.json"
RADIUS_M = 300
COARSE, LETTER, FROM_NAME, FROM_PIN = 2.5, 6.4, 60, 56
EDGE_M = 60
"""A station nearer than this to the edge of the extract gets no map: half of it would be empty."""

Point = tuple[float, float]


class Sheet(NamedTuple):
    """What a drawing is drawn on: its size in units, how many of them a metre is, and which steps are left out."""

    wide: float
    high: float
    units_per_m: float
    coarse: float = COARSE
    letter: float = LETTER


PHONE = Sheet(440, 250, 440 / (2 * RADIUS_M))


@lru_cache(maxsize=1)
def _extract() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXTRACT.read_text())
    return found


@lru_cache(maxsize=256)
def station_map(lat: float, lon: float) -> str | None:
    """The map round a place as SVG, or None when the place lies outside the extract: then the page says the address."""
    data = _extract()
    x, y = _metres(data["origin"], lat, lon)
    left, bottom, right, top = data["frame"]
    if not (left + EDGE_M < x < right - EDGE_M and bottom + EDGE_M < y < top - EDGE_M):
        return None
    half_wide, half_high = PHONE.wide / 2 / PHONE.units_per_m, PHONE.high / 2 / PHONE.units_per_m
    centre = (_within(x, left + half_wide, right - half_wide), _within(y, bottom + half_high, top - half_high))
    return _Drawing(data, centre, PHONE).svg((x, y))


def _within(value: float, least: float, most: float) -> float:
    """The nearest to `value` that is in bounds: near the edge of the extract a station is not in the middle of its map,
    which would end there in mid-picture."""
    return min(max(value, least), most) if least <= most else (least + most) / 2


class Town(NamedTuple):
    """All that the extract has, once: `inner` is what stands in an SVG, `place` puts a station on it."""

    inner: str
    sheet: Sheet
    centre: Point
    origin: list[float]

    def place(self, lat: float, lon: float) -> Point:
        """On the drawing, in its units; exact on the tiles that lie under it, however far away."""
        x, y = _conformal(self.origin, lat, lon)
        return (
            self.sheet.wide / 2 + (x - self.centre[0]) * self.sheet.units_per_m,
            self.sheet.high / 2 - (y - self.centre[1]) * self.sheet.units_per_m,
        )


    @property
    def zero(self) -> str:
        """Where the origin stands on the drawing, its longitude and latitude: for tiles that are laid under it."""
        x, y = self.place(self.origin[1], self.origin[0])
        return f"{x:.2f} {y:.2f} {self.origin[0]} {self.origin[1]}"

    def has(self, x: float, y: float) -> bool:
        """Whether there are streets at this place of the drawing."""
        return 0 <= x <= self.sheet.wide and 0 <= y <= self.sheet.high


@lru_cache(maxsize=1)
def town() -> Town:
    """The whole extract as one drawing for the console, a metre a unit. No pins: the console has its own."""
    data = _extract()
    left, bottom, right, top = data["frame"]
    sheet = Sheet(right - left, top - bottom, 1.0, 2.0, 9.0)
    centre = ((left + right) / 2, (bottom + top) / 2)
    return Town("".join(_Drawing(data, centre, sheet).layers()), sheet, centre, data["origin"])


def _conformal(origin: list[float], lat: float, lon: float) -> Point:
    """As web tiles are drawn (Mercator), in metres of the origin: in this town the same as `_metres` to seven."""
    flat, earth_m = math.cos(math.radians(origin[1])), 111_320 * 180 / math.pi
    rise = math.asinh(math.tan(math.radians(lat))) - math.asinh(math.tan(math.radians(origin[1])))
    return (lon - origin[0]) * flat * 111_320, rise * earth_m * flat


def _metres(origin: list[float], lat: float, lon: float) -> Point:
    return (lon - origin[0]) * math.cos(math.radians(origin[1])) * 111_320, (lat - origin[1]) * 110_540


def _points(steps: list[int]) -> Iterator[Point]:
    x = y = 0
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        yield x, y


class _Drawing:
    def __init__(self, data: dict[str, Any], centre: Point, sheet: Sheet) -> None:
        self.data, self.centre, self.sheet = data, centre, sheet
        self.roads = [(large, name, self.line(steps)) for large, name, steps in data["roads"]]
        self.roads = [road for road in self.roads if self.in_view(road[2])]

    def line(self, steps: list[int]) -> list[Point]:
        """On the sheet: y downwards, without points nearer than 2.5 units to the one before."""
        placed = [self.place(point) for point in _points(steps)]
        kept = placed[:1]
        for point in placed[1:-1]:
            if math.dist(point, kept[-1]) >= self.sheet.coarse:
                kept.append(point)
        return kept + placed[-1:]

    def place(self, point: Point) -> Point:
        return (
            self.sheet.wide / 2 + (point[0] - self.centre[0]) * self.sheet.units_per_m,
            self.sheet.high / 2 - (point[1] - self.centre[1]) * self.sheet.units_per_m,
        )

    def svg(self, station: Point) -> str:
        """The whole drawing, with a pin at `station` (metres, as the centre)."""
        pin = self.place(station)
        parts = [*self.layers(pin), _pin(round(pin[0], 1), round(pin[1], 1))]
        size = f"{self.sheet.wide:g} {self.sheet.high:g}"
        return f'<svg class="map-drawing" viewBox="0 0 {size}" aria-hidden="true">{"".join(parts)}</svg>'

    def layers(self, pin: Point | None = None) -> Iterator[str]:
        """From the ground up, names last; those keep away from the pin."""
        yield from (self.areas(kind) for kind in ("green", "water", "house"))
        yield from (self.streets(large) for large in (0, 1))
        yield from self.names(pin)

    def in_view(self, line: list[Point]) -> bool:
        xs, ys = [x for x, _ in line], [y for _, y in line]
        return max(xs) > 0 and min(xs) < self.sheet.wide and max(ys) > 0 and min(ys) < self.sheet.high

    def areas(self, kind: str) -> str:
        rings = [[self.line(ring) for ring in area] for area in self.data[kind]]
        seen = "".join(_way(ring) + "Z" for area in rings if self.in_view(area[0]) for ring in area)
        return f'<path class="map-{kind}" fill-rule="evenodd" d="{seen}"/>' if seen else ""

    def streets(self, large: int) -> str:
        seen = "".join(_way(line) for is_large, _, line in self.roads if is_large == large)
        return f'<path class="map-road map-{"large" if large else "small"}" d="{seen}"/>' if seen else ""

    def names(self, pin: Point | None) -> Iterator[str]:
        """Each name once, on the longest straight piece of its street, away from other names and the pin."""
        taken: list[Point] = [pin or (-1e6, -1e6)]
        done: set[str] = set()
        pieces = [piece for _, name, line in self.roads if name for piece in _straight(line, name, self.sheet)]
        for length, name, start, end in sorted(pieces, reverse=True):
            middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
            if name in done or length < self.sheet.letter * len(name) or not _free(middle, taken, len(name)):
                continue
            done.add(name)
            taken.append(middle)
            yield _name(name, middle, math.degrees(math.atan2(end[1] - start[1], end[0] - start[0])))


def _way(line: list[Point]) -> str:
    """A path in whole and half units, as steps from point to point, which is a third shorter."""
    whole = [(round(x * 2), round(y * 2)) for x, y in line]
    steps = "".join(f"l{(bx - ax) / 2:g} {(by - ay) / 2:g}" for (ax, ay), (bx, by) in pairwise(whole))
    return f"M{whole[0][0] / 2:g} {whole[0][1] / 2:g}{steps.replace(' -', '-')}"


def _straight(line: list[Point], name: str, sheet: Sheet) -> Iterator[tuple[float, str, Point, Point]]:
    """Pieces of a street that bend by less than 12 degrees, cut to what the sheet shows."""
    start = 0
    for at in range(1, len(line)):
        if at + 1 == len(line) or _bend(line[start], line[at], line[at + 1]) > 12:
            piece = _clipped(line[start], line[at], sheet)
            if piece:
                yield math.dist(*piece), name, *piece
            start = at


def _bend(a: Point, b: Point, c: Point) -> float:
    first, second = math.atan2(b[1] - a[1], b[0] - a[0]), math.atan2(c[1] - b[1], c[0] - b[0])
    return abs(math.degrees(math.remainder(second - first, math.tau)))


def _clipped(a: Point, b: Point, sheet: Sheet) -> tuple[Point, Point] | None:
    """The part of a-b inside the sheet less a margin, None when nothing is (Liang and Barsky)."""
    low, high, margin = 0.0, 1.0, 10
    dx, dy = b[0] - a[0], b[1] - a[1]
    right, bottom = sheet.wide - margin, sheet.high - margin
    for p, q in ((-dx, a[0] - margin), (dx, right - a[0]), (-dy, a[1] - margin), (dy, bottom - a[1])):
        if p == 0 and q < 0:
            return None
        if p < 0:
            low = max(low, q / p)
        elif p > 0:
            high = min(high, q / p)
    if low >= high:
        return None
    return (a[0] + low * dx, a[1] + low * dy), (a[0] + high * dx, a[1] + high * dy)


def _free(middle: Point, taken: list[Point], letters: int) -> bool:
    pin, *names = taken
    near_pin = math.dist(middle, pin) < FROM_PIN and abs(middle[1] - pin[1]) < 40
    return not near_pin and all(math.dist(middle, other) >= max(FROM_NAME, letters * 4) for other in names)


def _name(name: str, at: Point, degrees: float) -> str:
    """Turned along its street, never standing on its head."""
    turn = degrees - 180 if degrees > 90 else degrees + 180 if degrees < -90 else degrees
    place = f'x="{at[0]:.0f}" y="{at[1] + 4:.0f}" transform="rotate({turn:.0f} {at[0]:.0f} {at[1]:.0f})"'
    return f'<text class="map-name" {place}>{escape(name)}</text>'


def _pin(x: float, y: float) -> str:
    """The mark of the product over a point: its tip is the station."""
    doors = "".join(
        f'<rect class="map-pin-{"lit" if (row, column) == (1, 1) else "door"}" x="{x - 9.5 + column * 7:g}" '
        f'y="{y - 35.5 + row * 7:g}" width="5" height="5" rx="1"/>'
        for row in range(3)
        for column in range(3)
    )
    corners = "h24a7 7 0 0 1 7 7v20a7 7 0 0 1 -7 7h-6l-6 9l-6 -9h-6a7 7 0 0 1 -7 -7v-20a7 7 0 0 1 7 -7z"
    return f'<path class="map-pin" d="M{x - 12:g} {y - 43:g}{corners}"/>{doors}'
