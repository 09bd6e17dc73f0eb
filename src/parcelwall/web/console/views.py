"""What the console's pages are told. One frozen object per page; `web/views.py` says how such objects are meant.

Each names its template. No field holds a code that opens a door. A person's name stands in
`views_parcels.Revealed` alone.
"""

from datetime import datetime
from typing import ClassVar

import msgspec

from parcelwall.hub.acts import Act
from parcelwall.hub.needs import Need
from parcelwall.hub.sites import Site
from parcelwall.hub.watching import AtAGlance, Behind, Noted
from parcelwall.web.console.crowd import Pin
from parcelwall.web.console.hours import Hour


class Top(msgspec.Struct, frozen=True):
    """What stands on every page. `nav`: keys of pages that this person may see; `slip` goes into each form."""

    person: str
    role: str
    slip: str
    nav: tuple[str, ...]
    here: str
    needs: int
    now: datetime
    said: str = ""
    refused: bool = False
    fresh: bool = False  # proved a moment ago to be there
    passkeys: bool = False  # has one, by which to prove it
    narrowed: str = ""  # the list of what needs somebody: the rest of its address


class OutView(msgspec.Struct, frozen=True):
    """Shown on a page that was open while its sign-in ended."""

    template: ClassVar[str] = "console/out.html"
    events: str | None = None


class RefusedView(msgspec.Struct, frozen=True):
    """Why there is no page, or why nothing was done."""

    template: ClassVar[str] = "console/refused.html"
    heading: str
    line: str
    events: str | None = None


class SignInView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/sign-in.html"
    to: str
    said: str = ""
    events: str | None = None


class MeView(msgspec.Struct, frozen=True):
    """Who somebody is here. `passkeys`: name, made, last used."""

    template: ClassVar[str] = "console/me.html"
    top: Top
    id: str
    rights: str
    area: tuple[str, ...]
    passkeys: tuple[tuple[str, datetime, datetime | None], ...]
    events: str | None = None


class NeedRow(msgspec.Struct, frozen=True):
    """One line of the list, with where it is and where its next act is done."""

    need: Need
    place: str
    words: str
    next: str
    cost: str
    here: str
    may_close: bool = False
    may_agree: bool = False
    mine: bool = False
    photos: int = 0
    noted: tuple[tuple[str, datetime, str], ...] = ()
    """What was done about it so far: in words, when, by whom."""
    may_send: bool = False
    may_tell: bool = False


class MapView(msgspec.Struct, frozen=True):
    """All stations. `town_svg` is empty in news of the stream: the page keeps the streets that it has."""

    template: ClassVar[str] = "console/map.html"
    top: Top
    rows: tuple[AtAGlance, ...]
    pins: tuple[Pin, ...]
    needs: tuple[NeedRow, ...]
    window: str
    scale: str
    town_svg: str
    zero: str
    tiles: str
    tiles_now: bool
    all: int
    inside: int
    in_use: int
    doors: int
    chart_svg: str
    query: str = ""
    only: str = "all"
    hour: Hour | None = None  # None: a page without the slider
    events: str | None = None

    @property
    def has_dots(self) -> bool:
        return any(pin.shape == "dot" for pin in self.pins)


class WallView(MapView, frozen=True):
    """The same for a large screen that nobody touches: no act, no name, no number of a parcel."""

    template: ClassVar[str] = "console/wall.html"


class NeedsView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/needs.html"
    top: Top
    rows: tuple[NeedRow, ...]
    events: str | None = None
    more: int = 0
    """So many that cost less are not shown."""
    kinds: tuple[tuple[str, str, int], ...] = ()
    """Of each kind that there is, dearest first: its key, what it costs, how many."""
    only: str = ""
    query: str = ""


class Chosen(msgspec.Struct, frozen=True):
    """The door that somebody looks at, and what may be done to it."""

    door: Behind
    may_open: bool
    may_hold: bool
    may_find: bool
    about: str = ""


class ScreenSays(msgspec.Struct, frozen=True):
    """What a station's screen says besides: (code, name of the language, words) each. `until_field` as in the form."""

    texts: tuple[tuple[str, str, str], ...]
    own: str
    until: datetime | None
    who: str
    until_field: str
    longest: int
    may: bool


class StationView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/station.html"
    top: Top
    glance: AtAGlance
    cabinet_svg: str
    doors: tuple[Behind, ...]
    latest: tuple[tuple[Noted, str, str], ...]
    acts: tuple[Act, ...]
    needs: tuple[NeedRow, ...]
    site: Site | None
    software: str
    power: str
    charge: float | None
    power_at: datetime | None
    to_carry: int
    chosen: Chosen | None
    kiosk: str
    reasons: tuple[tuple[str, str], ...]
    me: str
    may_agree: bool
    passkeys: bool
    screen: ScreenSays | None = None
    may_write_off: bool = False  # all that lies there, at once
    may_take_out: bool = False  # what is late there
    events: str | None = None


class LongerView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/longer.html"
    top: Top
    stations: tuple[tuple[AtAGlance, bool], ...]
    hours: int
    reason: str
    inside: int | None
    alone: bool
    acts: tuple[Act, ...]
    me: str
    may_agree: bool
    events: str | None = None
