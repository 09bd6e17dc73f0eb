"""Draws a station as one SVG from its layout, and says where a door is in one sentence. Units: millimetres.

The drawing is never mirrored: left and right are physical. Colours come from `cabinet.css` by class, so day, night,
high contrast, forced colours and print need no second drawing. Each number in a drawing can be read: by speech from
the name of the whole (`role="img"`), by eye from a call-out bubble outside the lit door (faces.md 2.6).
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

import msgspec
from markupsafe import escape

from parcelwall.rules.layout import Compartment, Layout, Panel

View = Literal["mine", "operator"]
State = Literal["free", "used", "open", "fault", "unknown"]
Band = Literal["high", "shoulder", "waist", "knee", "ground"]
Side = Literal["left", "right", "under"]

RIM, ROOM_BELOW, ROOM_ABOVE = 26, 200, 30
PERSON_MM, PERSON_WIDE = 1700, 500
BUBBLE_WIDE, BUBBLE_HIGH, POINTER = 310, 230, 56
BANDS: tuple[tuple[int, Band], ...] = ((1500, "high"), (1200, "shoulder"), (850, "waist"), (450, "knee"))
"""Least height of the handle above the ground for each word; lower is "ground" (judgement, faces.md 2.6)."""


class Words(Protocol):
    """What the drawing needs of a language."""
    def gettext(self, message: str) -> str: ...


def N_(message: str) -> str:
    """Marks a text for the catalogues; it is looked up where it is shown."""
    return message


PLACES: dict[tuple[Side, Band], str] = {
    ("left", "high"): N_("Left of the screen, high up."),
    ("left", "shoulder"): N_("Left of the screen, shoulder height."),
    ("left", "waist"): N_("Left of the screen, waist height."),
    ("left", "knee"): N_("Left of the screen, knee height."),
    ("left", "ground"): N_("Left of the screen, near the ground."),
    ("right", "high"): N_("Right of the screen, high up."),
    ("right", "shoulder"): N_("Right of the screen, shoulder height."),
    ("right", "waist"): N_("Right of the screen, waist height."),
    ("right", "knee"): N_("Right of the screen, knee height."),
    ("right", "ground"): N_("Right of the screen, near the ground."),
    ("under", "high"): N_("Above the screen, high up."),
    ("under", "shoulder"): N_("Above the screen, shoulder height."),
    ("under", "waist"): N_("Under the screen, waist height."),
    ("under", "knee"): N_("Under the screen, knee height."),
    ("under", "ground"): N_("Under the screen, near the ground."),
}
COLUMNS: dict[Band, str] = {
    "high": N_("Column %(column)s from the left, high up."),
    "shoulder": N_("Column %(column)s from the left, shoulder height."),
    "waist": N_("Column %(column)s from the left, waist height."),
    "knee": N_("Column %(column)s from the left, knee height."),
    "ground": N_("Column %(column)s from the left, near the ground."),
}
DOOR_IS_OPEN, DOOR_IS_SHUT = N_("Door %(door)s is open. %(place)s"), N_("Door %(door)s. %(place)s")
STATION, YOU_ARE_HERE = N_("The station with %(doors)s doors."), N_("You are here")
DOOR_IS = N_("Door %(door)s: %(state)s")
STATE_WORDS: dict[State, str] = {
    "free": N_("free"), "used": N_("in use"), "open": N_("open"), "fault": N_("out of use"), "unknown": N_("unknown"),
}  # fmt: skip
"""What the operator's picture says of a door to whoever does not see it."""


def band(door: Compartment) -> Band:
    return next((name for least, name in BANDS if door.handle_mm >= least), "ground")


def side(door: Compartment, panel: Panel) -> Side:
    middle = door.x_mm + door.width_mm / 2
    if middle < panel.x_mm:
        return "left"
    return "right" if middle > panel.x_mm + panel.width_mm else "under"


def place_sentence(layout: Layout, door: int, words: Words) -> str:
    """Where the door is: `Left of the screen, waist height.` Without a screen its column is counted; "" for a door that
    the layout does not have."""
    at = layout.compartment(door)
    if at is None:
        return ""
    if layout.panel is not None:
        return words.gettext(PLACES[side(at, layout.panel), band(at)])
    columns = sorted({each.x_mm for each in layout.compartments})
    return words.gettext(COLUMNS[band(at)]) % {"column": columns.index(at.x_mm) + 1}


def draw(
    layout: Layout,
    words: Words,
    lit: int | None = None,
    open: bool = False,
    view: View = "mine",
    states: Mapping[int, State] | None = None,
    link: str = "",
) -> str:
    """The station as SVG. `lit` is the reader's own door, `open` draws it open. `states` are drawn for operators only
    (view "operator"), with every door's number; `link` such as "?door=" makes each of those doors a link."""
    sheet = _Sheet(layout, words, lit, open) if view == "mine" else _ToldSheet(layout, words, lit)
    parts = [*sheet.ground(), *sheet.body(), *sheet.doors(states or {}, link), *sheet.screen()]
    if sheet.lit is not None:
        parts += sheet.lit_door()
    kind = 'role="group"' if link else 'role="img"'
    return (
        f'<svg class="cabinet" {kind} aria-label="{escape(_name(layout, words, lit, open))}" '
        f'viewBox="{sheet.left} 0 {sheet.right - sheet.left} {sheet.bottom}">{"".join(parts)}</svg>'
    )


def _name(layout: Layout, words: Words, lit: int | None, open: bool) -> str:
    if lit is None:
        return words.gettext(STATION) % {"doors": len(layout.compartments)}
    said = words.gettext(DOOR_IS_OPEN if open else DOOR_IS_SHUT)
    return (said % {"door": lit, "place": place_sentence(layout, lit, words)}).strip()


class Box(msgspec.Struct, frozen=True):
    """A rectangle of the drawing: y grows downwards here, as SVG has it."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


def _rect(box: Box, kind: str, radius: float = 14) -> str:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect class="{kind}" {place} rx="{radius:g}"/>'


def _path(kind: str, *points: tuple[float, float], closed: bool = False) -> str:
    steps = "L".join(f"{x:g} {y:g}" for x, y in points)
    return f'<path class="{kind}" d="M{steps}{"Z" if closed else ""}"/>'


class _Sheet:
    """One drawing: where things are, then the things from back to front."""

    def __init__(self, layout: Layout, words: Words, lit: int | None, open: bool) -> None:
        self.layout, self.words, self.open = layout, words, open
        self.lit = layout.compartment(lit) if lit is not None else None
        doors = layout.compartments
        self.wide = max(each.x_mm + each.width_mm for each in doors)
        if layout.panel is not None:
            self.wide = max(self.wide, layout.panel.x_mm + layout.panel.width_mm)
        self.tall = max(each.y_mm + each.height_mm for each in doors)
        self.floor = max(self.tall + RIM, PERSON_MM) + ROOM_ABOVE
        self.bottom = self.floor + ROOM_BELOW
        self.person_left = self.lit is not None and self._hinge_is_left() is False
        outside = self._bubble_outside()
        self.left = -RIM - (PERSON_WIDE if self.person_left else outside if self._hinge_is_left() else 20)
        self.right = self.wide + RIM + (outside if self.person_left else PERSON_WIDE)

    def _hinge_is_left(self) -> bool:
        """The free side faces the screen, so that the line meets the handle; a door under the screen: hinged right."""
        if self.lit is None or self.layout.panel is None:
            return True
        return side(self.lit, self.layout.panel) == "left"

    def _bubble_outside(self) -> float:
        """Room for the call-out bubble where it stands outside the body, 20 when it stands over the next column."""
        if self.lit is None:
            return 20
        reach = self._leaf() + POINTER + BUBBLE_WIDE
        hinge_to_edge = self.lit.x_mm if self._hinge_is_left() else self.wide - self.lit.x_mm - self.lit.width_mm
        return max(20.0, reach - hinge_to_edge - RIM + 14)

    def _leaf(self) -> float:
        return 120 if self.open else 0

    def box(self, door: Compartment | Panel) -> Box:
        y = self.floor - door.y_mm - door.height_mm
        return Box(door.x_mm, y, door.width_mm, door.height_mm)

    def ground(self) -> Iterator[str]:
        foot = self.left + PERSON_WIDE / 2 if self.person_left else self.right - PERSON_WIDE / 2
        yield _path("ground", (self.left + 20, self.floor), (self.right - 20, self.floor))
        yield _person(foot, self.floor)

    def body(self) -> Iterator[str]:
        lowest = min(each.y_mm for each in self.layout.compartments)
        yield _rect(Box(RIM, self.floor - lowest, self.wide - 2 * RIM, lowest), "plinth", 0)
        around = Box(-RIM, self.floor - self.tall - RIM, self.wide + 2 * RIM, self.tall - lowest + 2 * RIM)
        yield _rect(around, "body", 30)

    def doors(self, states: Mapping[int, State], link: str) -> Iterator[str]:
        """All plain: a public picture never tells which other doors are full, open or broken."""
        for each in self.layout.compartments:
            if each is not self.lit:
                yield _rect(self.box(each), "door")

    def screen(self) -> Iterator[str]:
        panel = self.layout.panel
        if panel is None:
            return
        box = self.box(panel)
        x, y = box.middle
        yield _rect(box, "screen", 18)
        yield f'<circle class="you" cx="{x:g}" cy="{y - 22:g}" r="24"/>'
        yield f'<path class="you" d="M{x - 46:g} {y + 58:g}a46 46 0 0 1 92 0Z"/>'
        yield from self._here(x)

    def _here(self, x: float) -> Iterator[str]:
        below = self.floor + 44
        yield f'<text class="here" x="{x:g}" y="{below + 122:g}">{escape(self.words.gettext(YOU_ARE_HERE))}</text>'
        yield _path("here-mark", (x - 34, below), (x, below - 34), (x + 34, below), closed=True)

    def lit_door(self) -> Iterator[str]:
        assert self.lit is not None
        box = self.box(self.lit)
        yield from self._opening(box) if self.open else (_rect(box, "door lit"),)
        yield from self._line(box)
        yield from self._bubble(box)

    def _opening(self, box: Box) -> Iterator[str]:
        """Dark inside, and the leaf swung out from its hinge towards the reader."""
        yield _rect(box, "inside")
        hinge, out = (box.x, -self._leaf()) if self._hinge_is_left() else (box.right, self._leaf())
        sink = min(60.0, 20 + box.height / 8)
        corners = ((hinge, box.y), (hinge + out, box.y + sink), (hinge + out, box.bottom + sink), (hinge, box.bottom))
        yield _path("door lit leaf", *corners, closed=True)

    def _line(self, box: Box) -> Iterator[str]:
        """From the screen to the gap beside it, up or down, then across to the handle."""
        if self.layout.panel is None or self.lit is None:
            return
        screen = self.box(self.layout.panel)
        start = screen.middle[1]
        goal = box.middle[1]
        left = side(self.lit, self.layout.panel) == "left"
        edge = screen.x if left else screen.right
        gap = edge + (-50 if left else 50)
        handle = box.right - 30 if left else box.x + 30
        for kind in ("line-case", "line"):
            yield _path(kind, (edge, start), (gap, start), (gap, goal), (handle, goal))
        yield f'<circle class="dot" cx="{handle:g}" cy="{goal:g}" r="26"/>'

    def _bubble(self, box: Box) -> Iterator[str]:
        assert self.lit is not None
        left = self._hinge_is_left()
        tip = box.x - self._leaf() if left else box.right + self._leaf()
        middle = min(max(box.middle[1], BUBBLE_HIGH / 2 + 10), self.floor - BUBBLE_HIGH / 2)
        inner = tip - POINTER if left else tip + POINTER
        bubble = Box(inner - BUBBLE_WIDE if left else inner, middle - BUBBLE_HIGH / 2, BUBBLE_WIDE, BUBBLE_HIGH)
        yield _bubble_path(bubble, (tip, box.middle[1]), left)
        x, y = bubble.middle
        yield f'<text class="bubble-number" x="{x:g}" y="{y + 64:g}">{self.lit.number}</text>'


class _ToldSheet(_Sheet):
    """The operator's drawing: every door with its number and state, nobody in front of it."""

    def __init__(self, layout: Layout, words: Words, lit: int | None) -> None:
        super().__init__(layout, words, lit, open=False)
        self.left, self.right = -RIM - 20, self.wide + RIM + 20
        self.floor = self.tall + RIM + ROOM_ABOVE
        self.bottom = self.floor + 30

    def ground(self) -> Iterator[str]:
        yield _path("ground", (self.left + 10, self.floor), (self.right - 10, self.floor))

    def doors(self, states: Mapping[int, State], link: str) -> Iterator[str]:
        for each in self.layout.compartments:
            state = states.get(each.number, "unknown")
            drawn = "".join(self._told(each, state))
            said = {"door": each.number, "state": self.words.gettext(STATE_WORDS[state])}
            name = escape(self.words.gettext(DOOR_IS) % said)
            yield f'<a href="{escape(link)}{each.number}" aria-label="{name}">{drawn}</a>' if link else drawn

    def _told(self, door: Compartment, state: State) -> Iterator[str]:
        box = self.box(door)
        x, y = box.middle
        yield _rect(box, f"door {state}")
        yield _mark(box, state)
        yield f'<text class="number" x="{x:g}" y="{y + 24:g}">{door.number}</text>'

    def _here(self, x: float) -> Iterator[str]:
        return iter(())

    def lit_door(self) -> Iterator[str]:
        assert self.lit is not None
        box = self.box(self.lit)
        yield _rect(Box(box.x - 14, box.y - 14, box.width + 28, box.height + 28), "ring", 22)


def _bubble_path(box: Box, tip: tuple[float, float], points_right: bool) -> str:
    """A rounded box with a pointer to the door, as one outline."""
    r, half = 44, 46
    x, y, right, bottom = box.x, box.y, box.right, box.bottom
    middle = min(max(tip[1], y + r + half), bottom - r - half)
    on_right = f"V{middle - half:g}L{tip[0]:g} {tip[1]:g}L{right:g} {middle + half:g}" if points_right else ""
    on_left = "" if points_right else f"V{middle + half:g}L{tip[0]:g} {tip[1]:g}L{x:g} {middle - half:g}"
    return (
        f'<path class="bubble" d="M{x + r:g} {y:g}H{right - r:g}a{r} {r} 0 0 1 {r} {r}{on_right}V{bottom - r:g}'
        f'a{r} {r} 0 0 1 -{r} {r}H{x + r:g}a{r} {r} 0 0 1 -{r} -{r}{on_left}V{y + r:g}a{r} {r} 0 0 1 {r} -{r}Z"/>'
    )


def _mark(box: Box, state: State) -> str:
    """The shape of a state, so that colour is never the only sign."""
    if state == "fault":
        return _path("cross", (box.x + 24, box.y + 16), (box.x + 74, box.bottom - 16)) + _path(
            "cross", (box.x + 74, box.y + 16), (box.x + 24, box.bottom - 16)
        )
    if state == "open":
        sink = min(40.0, box.height / 4)
        leaf = ((box.x, box.y), (box.x + 90, box.y + sink), (box.x + 90, box.bottom + sink), (box.x, box.bottom))
        return _path("leaf-open", *leaf, closed=True)
    if state == "unknown":
        return f'<text class="doubt" x="{box.right - 30:g}" y="{box.middle[1] + 24:g}">?</text>'
    return ""


def _person(foot: float, floor: float) -> str:
    """An outline 1,700 mm high, which gives the picture its measure."""
    top = floor - PERSON_MM
    head = f'<circle class="person" cx="{foot:g}" cy="{top + 120:g}" r="112"/>'
    body = (
        f"M{foot - 215:g} {top + 1010:g}V{top + 480:g}a190 190 0 0 1 190 -190h50a190 190 0 0 1 190 190V{top + 1010:g}"
        f"a48 48 0 0 1 -96 0V{top + 560:g}M{foot - 119:g} {top + 560:g}V{top + 1010:g}a48 48 0 0 1 -96 0"
        f"M{foot - 119:g} {top + 900:g}V{floor - 6:g}H{foot - 14:g}V{top + 1060:g}h28V{floor - 6:g}H{foot + 119:g}"
        f"V{top + 900:g}"
    )
    return head + f'<path class="person" d="{body}"/>'
