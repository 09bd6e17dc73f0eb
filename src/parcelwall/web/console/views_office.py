"""What the console's pages of couriers, policies and people show."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from parcelwall.hub.admission import Changed
from parcelwall.hub.policies import Adopted
from parcelwall.web.console.admitted import RowInWords
from parcelwall.web.console.views import Top


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


class KnobRow(msgspec.Struct, frozen=True):
    """`value` as text, "" for nothing. `kind` is "number", "yes_no", "phone", "carriers" or "currency"."""

    name: str
    value: str
    meaning: str
    kind: str
    may_be_empty: bool


class KnobGroup(msgspec.Struct, frozen=True):
    heading: str
    knobs: tuple[KnobRow, ...]


class PolicyView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/policy.html"
    top: Top
    version: int
    knobs: tuple[KnobGroup, ...]
    history: tuple[Adopted, ...]
    may_adopt: bool
    wrong: str = ""
    events: str | None = None
    rows: tuple[RowInWords, ...] = ()  # of admission, in force; as many as are shown of `rows_all`
    rows_all: int = 0
    adopted: tuple[tuple[Changed, RowInWords], ...] = ()  # the newest first


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
