"""What can have happened. A fact stands alone: it carries all that is needed to understand it.

The body of an entry is the JSON of one of these. Kinds only grow: a new field has a default, an old field is never
renamed or dropped (tests/rules/golden holds one file per kind and version). No fact holds a name, phone, address or
code. Lengths in millimetres, weights in grams, times aware. What `read` refuses, no side learns: it is kept as it came.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeGuard
from uuid import UUID

import msgspec
from msgspec import Meta

from parcelwall.rules.fact import By, Door, Fact, Moment, ParcelFact
from parcelwall.rules.facts_door import (
    CompartmentHealth,
    DoorClosed,
    DoorFailed,
    DoorOpened,
    OrderAnswered,
    WrongCode,
)
from parcelwall.rules.facts_machine import ClockSet, JournalRestored, Measured, Power, StoodStill
from parcelwall.rules.facts_office import AdmissionAdopted, CaseNoted, Forgotten, Looked, SiteNoted, StaffChanged
from parcelwall.rules.facts_round import RoundOrdered, StopPassed
from parcelwall.rules.facts_station import EpochBegan, KeyRevoked, ScreenNoted, StationConfigured, StationEnrolled
from parcelwall.rules.layout import Climate
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import DwellCurve, Told, VisitCalendar

Proof = Literal["code", "token", "verified"]
Direction = Literal["delivery", "return"]
Hours = Annotated[int, Meta(ge=0, le=100_000)]  # more than eleven years is a slip
Generation = Annotated[int, Meta(ge=0, lt=2**31)]  # of a code: four bytes of what it is derived from


class Announced(ParcelFact, frozen=True, kw_only=True):
    """A carrier has told the hub of a parcel."""

    carrier: str
    reference: str
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int
    climate: Climate = "ambient"
    proof: Proof = "code"
    direction: Direction = "delivery"
    reach: bool = False
    person: UUID | None = None  # row of the vault
    label: str | None = None  # what the scanner reads, if not the reference
    expected_at: Moment | None = None
    value: str | None = None  # decimal text
    currency: str | None = None
    service: str = ""  # what the carrier sold, such as `express`: rows of admission may tell services apart
    wished: bool | None = None  # whether its recipient asked for `reach`, not the carrier; older ones do not say


class Reserved(ParcelFact, frozen=True, kw_only=True):
    """The hub promises a size at a station until a time. Carries all the station needs to serve it alone."""

    reservation: UUID
    station: str
    size: str  # smallest that fits; the station gives the door
    deposit_by: Moment
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int
    hold_hours: Hours
    climate: Climate = "ambient"
    proof: Proof = "code"
    direction: Direction = "delivery"
    reach: bool = False
    label_tag: str = ""  # HMAC of what the scanner reads, under the station's key
    selector: str = ""  # last 4 digits of the parcel number
    generation: Generation = 0
    policy: int = 0
    expected_at: Moment | None = None
    blocked: bool | None = None
    told: Told | None = None  # what an offer had said of it
    group: str = ""  # alike for parcels of one recipient at one station on one day; says nothing elsewhere
    carrier: str = ""  # whose it is: two carriers may have printed one label


class Withdrawn(ParcelFact, frozen=True, kw_only=True):
    """To the old station's stream: room is held elsewhere now."""

    reservation: UUID
    station: str


class Lapsed(ParcelFact, frozen=True, kw_only=True):
    """The parcel was not brought in time; the room is given back."""

    reservation: UUID


class Cancelled(ParcelFact, frozen=True, kw_only=True):
    reservation: UUID | None = None
    why: str = ""
    by: By = "carrier"
    actor: UUID | None = None


class Diverted(ParcelFact, frozen=True, kw_only=True):
    """It goes the conventional way. `reason` is one of errors.REASONS."""

    reason: str
    reservation: UUID | None = None
    by: By = "hub"


class Extended(ParcelFact, frozen=True, kw_only=True):
    collect_by: Moment
    by: By = "recipient"
    actor: UUID | None = None


class Expired(ParcelFact, frozen=True, kw_only=True):
    """The holding time is over. It may be collected still, until a courier takes it back."""


class WrittenOff(ParcelFact, frozen=True, kw_only=True):
    """Nobody will ever hand it out: its station is gone, or it is. `station` and `compartment` are where it was known
    to lie. What a door tells of it later is believed, and a surprise."""

    reservation: UUID
    station: str
    compartment: Door
    why: str
    actor: UUID | None = None


class CarrierReported(ParcelFact, frozen=True, kw_only=True):
    """What a carrier scanned on the way. Feeds the tracking sentence; never moves the stage."""

    mark: str
    reason: str = ""
    place: str = ""
    expected_at: Moment | None = None


class CodeRenewed(ParcelFact, frozen=True, kw_only=True):
    reservation: UUID
    generation: Generation


class Blocked(ParcelFact, frozen=True, kw_only=True):
    """Nobody may collect it until `Unblocked`: a dispute, a fraud, a recall. Beats every code, QR and order."""

    why: str = ""
    by: By = "operator"
    actor: UUID | None = None


class Unblocked(ParcelFact, frozen=True, kw_only=True):
    by: By = "operator"
    why: str = ""
    actor: UUID | None = None


class Deposited(ParcelFact, frozen=True, kw_only=True):
    """It was put in: the door that was opened for it was seen shut."""

    reservation: UUID
    station: str
    compartment: Door
    collect_by: Moment
    visit: UUID
    courier: UUID | None = None
    by: By = "courier"
    policy: int = 0

    def __post_init__(self) -> None:
        if not 2000 <= self.collect_by.year < 3000:
            raise ValueError("collect_by is not of our time")


class Collected(ParcelFact, frozen=True, kw_only=True):
    reservation: UUID
    station: str
    compartment: Door
    visit: UUID
    generation: Generation = 0
    by: By = "recipient"


class TakenBack(ParcelFact, frozen=True, kw_only=True):
    reservation: UUID
    station: str
    compartment: Door
    visit: UUID
    courier: UUID | None = None
    by: By = "courier"


class Granted(Fact, frozen=True, kw_only=True):
    """A person may do something at a station until a time: a courier bring and take back, a delegate collect.

    With a compartment it tells of an order to open that one at once. The order moves the door, this fact never does.
    With a tag it is one more code for one reservation: `rules.access.code_tag` of its digits, from `not_before` on.
    """

    grant: UUID
    station: str
    may: tuple[Literal["deposit", "take_back", "collect", "service"], ...]
    courier: UUID | None = None
    parcel: UUID | None = None
    until: Moment | None = None
    by: By = "unknown"
    compartment: Door | None = None
    reason: str = ""
    reservation: UUID | None = None
    tag: str = ""
    not_before: Moment | None = None
    actor: UUID | None = None
    second: UUID | None = None  # who agreed, where the policy asks for two
    carriers: tuple[str, ...] = ()  # whose parcels a courier is told of; () for all

    @property
    def stands(self) -> bool:
        """Whether a station keeps it: staff, and codes. A delegate's is in their token, an order's is over at once."""
        return self.courier is not None or self.tag != ""

    def in_force(self, now: datetime) -> bool:
        return (self.not_before is None or self.not_before <= now) and (self.until is None or self.until > now)


class Revoked(Fact, frozen=True, kw_only=True):
    grant: UUID
    station: str
    actor: UUID | None = None


class PolicyAdopted(Fact, frozen=True, kw_only=True):
    policy: Policy
    actor: UUID | None = None


class TableAdopted(Fact, frozen=True, kw_only=True):
    """An operator approved a table: it replaces the one of that name. `plan` is the digest of the plan file."""

    table: DwellCurve | VisitCalendar
    plan: str = ""


class CaseOpened(Fact, frozen=True, kw_only=True):
    """A surprise that a person should look at. With `holds` the compartment is not offered until it is closed."""

    case: UUID
    about: str
    parcel: UUID | None = None
    station: str | None = None
    compartment: Door | None = None
    holds: bool = False
    details: dict[str, Any] = {}  # noqa: RUF012 - a Struct copies it
    actor: UUID | None = None


class CaseClosed(Fact, frozen=True, kw_only=True):
    case: UUID
    station: str | None = None
    outcome: str = ""
    actor: UUID | None = None


HUB_KINDS = (
    Announced, Reserved, Withdrawn, Lapsed, Cancelled, Diverted, Extended, Expired, WrittenOff, CarrierReported,
    Granted, Revoked, CodeRenewed, Blocked, Unblocked, PolicyAdopted, TableAdopted, StationEnrolled, KeyRevoked,
    EpochBegan, StationConfigured, CaseClosed, CaseOpened, Looked, SiteNoted, AdmissionAdopted,
    StaffChanged, Forgotten, ScreenNoted, CaseNoted, RoundOrdered, StopPassed,
)  # fmt: skip
STATION_KINDS = (
    Deposited, Collected, TakenBack, DoorOpened, DoorClosed, DoorFailed, CompartmentHealth, WrongCode, Measured, Power,
    ClockSet, StoodStill, JournalRestored, CaseOpened, OrderAnswered,
)  # fmt: skip
STATIONS_TELL = frozenset(kind.__name__ for kind in STATION_KINDS)  # all others are the hub's alone to tell
DOOR_KINDS = (Deposited, Collected, TakenBack)  # what a door saw: never refused
KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in (*HUB_KINDS, *STATION_KINDS)}
_OF_PARCELS = frozenset(kind for kind in KINDS.values() if issubclass(kind, ParcelFact))

_decoders = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_encoder = msgspec.json.Encoder()


def is_of_parcel(fact: Fact | None) -> TypeGuard[ParcelFact]:
    """Whether it is a fact in a parcel's life: `isinstance`, without the walk that msgspec's classes make of it."""
    return type(fact) in _OF_PARCELS


def body(fact: Fact) -> str:
    """The exact text that is stored, hashed and shipped."""
    return _encoder.encode(fact).decode()


def read(kind: str, text: str) -> Fact | None:
    """The fact of an entry; None for a kind that this version does not know.

    Raises msgspec.ValidationError or DecodeError for a body that does not fit its kind, or that holds a NUL, which
    no database keeps; and for a layout that no door can be found in.
    """
    if "\\u0000" in text:
        raise msgspec.ValidationError("a NUL character")
    decoder = _decoders.get(kind)
    fact: Fact | None = decoder.decode(text) if decoder else None
    if type(fact) is StationConfigured and not fact.layout.is_whole:
        raise msgspec.ValidationError("compartments with one number, or of a size that is none")
    return fact
