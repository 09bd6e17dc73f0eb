"""What the console's pages are told. One frozen object per page; `web/views.py` says how such objects are meant.

Each names its template. No field holds a code that opens a door. A person's name stands in `Revealed` alone.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from parcelwall.hub.acts import Act
from parcelwall.hub.admission import Changed
from parcelwall.hub.needs import Need
from parcelwall.hub.policies import Adopted
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


class Found(msgspec.Struct, frozen=True):
    reference: str
    parcel: UUID
    stage: str
    place: str


class ParcelsView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/parcels.html"
    top: Top
    asked: str
    found: tuple[Found, ...]
    events: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One step of a story: what, by whom, which door, and both clocks. `late_s`: how long after it happened the hub
    heard of it."""

    words: str
    detail: str
    who: str
    door: int | None
    station: str
    happened_at: datetime
    recorded_at: datetime
    late_s: int
    writer: str
    number: int


class Told(msgspec.Struct, frozen=True):
    purpose: str
    channel: str
    state: str
    at: datetime | None


class Revealed(msgspec.Struct, frozen=True):
    """Who it is for, masked, or in clear after a reason was given."""

    name: str
    email: str
    phone: str
    clear: bool = False


class ParcelView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/parcel.html"
    top: Top
    parcel: UUID
    reference: str
    carrier: str
    stage: str
    station: str
    station_name: str
    door: int | None
    size: str
    sides: str
    collect_by: datetime | None
    deposit_by: datetime | None
    lines: tuple[Line, ...]
    cases: tuple[NeedRow, ...]
    told: tuple[Told, ...]
    person: Revealed | None
    may_reveal: bool
    may_extend: bool
    reasons: tuple[tuple[str, str], ...]
    may_cancel: bool = False
    may_write_off: bool = False
    endings: tuple[tuple[str, str], ...] = ()
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


class CourierRow(msgspec.Struct, frozen=True):
    courier: UUID
    grant: UUID
    station: str
    station_name: str
    since: datetime
    until: datetime | None
    may: tuple[str, ...]
    by: str
    brought: int
    taken: int
    last_at: datetime | None
    carriers: tuple[str, ...] = ()
    """Whose parcels their phone tells of, by name; () for all."""


class CouriersView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/couriers.html"
    top: Top
    rows: tuple[CourierRow, ...]
    stations: tuple[tuple[str, str], ...]
    code: str = ""
    code_for: str = ""
    events: str | None = None
    at: str = ""
    query: str = ""
    more: bool = False
    """There are others, which are not shown."""
    new: UUID | None = None
    """Of the courier whom the form admits if it names none: sent twice, it is one courier."""
    carriers: tuple[tuple[str, str], ...] = ()
    """Id and name of each that is known."""
    restored_at: datetime | None = None
    """When the hub was brought back from a backup, while orders of stops that are gone since may matter."""


class PolicyView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/policy.html"
    top: Top
    version: int
    knobs: tuple[tuple[str, str, str], ...]
    history: tuple[Adopted, ...]
    may_adopt: bool
    wrong: str = ""
    events: str | None = None
    rows: tuple[Changed, ...] = ()  # of admission, the newest first


class StaffRow(msgspec.Struct, frozen=True):
    id: str
    name: str
    role: str
    area: tuple[str, ...]
    seen_at: datetime | None
    admitted: bool
    looked: int
    mine: bool = False


class PeopleView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/people.html"
    top: Top
    rows: tuple[StaffRow, ...]
    roles: tuple[tuple[str, str], ...]
    stations: tuple[tuple[str, str], ...]
    key: str = ""
    key_for: str = ""
    events: str | None = None
    who: str = ""
    """Whose form is shown: a box for each station is there once, not once for each person."""


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
