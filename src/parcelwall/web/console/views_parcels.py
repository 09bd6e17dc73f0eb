"""What the console's pages of parcels show: what a search found, and one parcel's story."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from parcelwall.web.console.views import NeedRow, Top


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
