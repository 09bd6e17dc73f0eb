"""What the desk can be asked. Each command says what it wants loaded, then decides with the rules.

`decide` raises a Refusal before it records anything, or records all it means to.
"""

from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import msgspec

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub import people
from parcelwall.hub.keys import Keys, link_hash
from parcelwall.hub.promising import as_told, note_refused, promise
from parcelwall.hub.sitting import Sitting, written
from parcelwall.hub.stations import Stations
from parcelwall.ids import Ids
from parcelwall.rules import decide, facts
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.personal import refuse_personal
from parcelwall.rules.tables import Told
from parcelwall.rules.worth import refuse_weak_proof

VERIFIED = "Name the recipient's `email` or `phone`: there a person who must be verified shows that it is they."
CANDIDATES = 4  # stations near a recipient that are locked and tried


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parcel is to be collected: a station, or the nearest with room to a place."""

    station_id: str | None = None
    near: tuple[float, float] | None = None  # (lat, lon)
    told: dict[str, Told] = {}

    def candidates(self, stations: Stations, near_km: float) -> list[str]:
        """Ids of the stations to try, nearest first. Refuses one that is unknown."""
        if self.station_id is not None:
            if self.station_id not in stations.known:
                raise Refusal("station_unknown", station=self.station_id)
            return [self.station_id]
        return [name for name, _ in stations.near(self.near or (0, 0), near_km, CANDIDATES)]


class Asked(msgspec.Struct, frozen=True):
    """Who asks, with which key, and a hash of the whole request: a repeat gets the same answer."""

    actor: str
    key: str
    request_hash: bytes


class Command(msgspec.Struct, kw_only=True):
    """One thing asked of the desk. `needs_cases`: it looks at the open cases before it opens or closes one."""

    needs_cases: ClassVar[bool] = False
    asked: Asked | None = None

    def prepare(self, ids: Ids, keys: Keys) -> None:
        """What can be made before anything is locked. May refuse what cannot be decided at all."""

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        """Ids of parcels and stations to load. May refuse what cannot be decided at all."""
        return [], []

    def decide(self, at: Sitting) -> Any:
        raise NotImplementedError


class Ready(NamedTuple):
    """What an announcement becomes if its reference is new: its fact, the fact's text, and what goes beside it."""

    fact: facts.Announced
    body: str
    sealed: people.Sealed | None
    token: str
    hashed: bytes
    contacts: tuple[bytes, ...]


class Announce(Command, kw_only=True):
    """A new parcel, and with a destination the promise of room. Answers 201 also when it has to be diverted."""

    order: decide.Order
    person: people.Person | None = None
    destination: Destination | None = None
    tried: list[str] = []
    ready: "Ready | None" = None
    put_off: int = 0  # how often it had to wait for the next batch

    def prepare(self, ids: Ids, keys: Keys) -> None:
        sealed = people.seal(self.person, self.order.carrier, keys, ids) if self.person else None
        fact = decide.announce(self.order, ids.new(), sealed.id if sealed else None)
        token = keys.link_token("track", fact.parcel)
        contacts = people.contacts_of(self.person, keys) if self.person else ()
        self.ready = Ready(fact, written(fact), sealed, token, link_hash(token), contacts)

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        decide.refuse_confused_units(self.order)
        if self.order.proof == "verified" and not (self.person and self.person.reachable):
            raise Refusal("bad_field", VERIFIED, field="recipient")
        for field in ("reference", "label", "service"):
            refuse_personal(getattr(self.order, field) or "", field)
        self.tried = self.destination.candidates(stations, near_km) if self.destination else []
        return [], self.tried

    def decide(self, at: Sitting) -> "Answer":
        known = at.references.get((self.order.carrier, self.order.reference))
        if known is not None:
            return self._again(at, at.book.parcels[known])
        if self.ready is None:
            self.prepare(at.ids, at.keys)
        assert self.ready is not None
        refuse_weak_proof(self.order, at.policy)
        fact, body, sealed, token, hashed, contacts = self.ready
        if not at.wishes.isdisjoint(contacts) and not fact.reach:
            fact = msgspec.structs.replace(fact, reach=True, wished=True)
            body = written(fact)
        at.record(fact, body=body)
        at.contacts += [(fact.parcel, each) for each in contacts]
        if sealed and self.person:
            at.people.append(sealed)
            at.persons[sealed.id] = self.person
        at.references[fact.carrier, fact.reference] = fact.parcel
        at.announced[fact.parcel] = fact
        at.links.append((hashed, fact.parcel))
        if self.destination:
            self._promise_or_divert(at, fact.parcel, contacts[0] if contacts else b"")
        return Answer(201, carrier_view(at.book.parcels[fact.parcel], token))

    def _promise_or_divert(self, at: Sitting, parcel: UUID, contact: bytes) -> None:
        told = self.destination.told if self.destination else {}
        try:
            at.record(promise(at, at.book.parcels[parcel], self.tried, told, contact))
        except Refusal as no:
            note_refused(at, at.book.parcels[parcel], self.tried, no)
            at.record(facts.Diverted(parcel=parcel, reason=as_told(at.book.parcels[parcel], no).reason))

    def _again(self, at: Sitting, parcel: Parcel) -> "Answer":
        """Announced already: the same body has the same answer, another body is refused."""
        told = at.announced.get(parcel.id)
        same = told is not None and decide.says_the_same(self.order, told)
        if not same or self._elsewhere(parcel) or self._for_another(at, parcel):
            raise Refusal("reference_taken", reference=self.order.reference)
        return Answer(201, view(at, parcel.id))

    def _for_another(self, at: Sitting, parcel: Parcel) -> bool:
        """Whether it names other people than before; not of one who was erased, of whom nothing is known."""
        known = at.persons.get(parcel.person) if parcel.person else people.Person()
        return known is not None and known != (self.person or people.Person())

    def _elsewhere(self, parcel: Parcel) -> bool:
        asked = self.destination.station_id if self.destination else None
        return asked is not None and parcel.station is not None and parcel.station != asked


class OneBatch(Command):
    """Takes a batch's key before any of its parcels is announced: one key, one batch, all of it or nothing."""

    def decide(self, at: Sitting) -> "Answer":
        return Answer(200, {})


class Reserve(Command, kw_only=True):
    """Room for an announced parcel, or room elsewhere for one that has room already."""

    carrier: str
    parcel: UUID
    destination: Destination
    tried: list[str] = []

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        self.tried = self.destination.candidates(stations, near_km)
        return [self.parcel], self.tried

    def decide(self, at: Sitting) -> "Answer":
        parcel = own(at, self.parcel, self.carrier)
        if parcel.stage == Stage.RESERVED and parcel.station in self.tried[:1]:
            return Answer(200, view(at, parcel.id))
        try:
            at.record(promise(at, parcel, self.tried, self.destination.told))
        except Refusal as no:
            note_refused(at, parcel, self.tried, no)
            raise as_told(parcel, no) from no
        if parcel.stage == Stage.RESERVED and parcel.station and parcel.reservation:
            at.record(facts.Withdrawn(parcel=parcel.id, reservation=parcel.reservation, station=parcel.station))
        return Answer(200, view(at, parcel.id))


class Cancel(Command, kw_only=True):
    carrier: str
    parcel: UUID
    why: str = ""
    by: facts.By = "carrier"

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        refuse_personal(self.why, "why")
        return [self.parcel], []

    def decide(self, at: Sitting) -> "Answer":
        at.record(decide.cancel(own(at, self.parcel, self.carrier), self.why, self.by))
        return Answer(200, view(at, self.parcel))


class Divert(Command, kw_only=True):
    carrier: str
    parcel: UUID
    reason: str
    by: facts.By = "carrier"

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> "Answer":
        at.record(decide.divert(own(at, self.parcel, self.carrier), self.reason, self.by))
        return Answer(200, view(at, self.parcel))


class Extend(Command, kw_only=True):
    """Keep it longer. `carrier` is None when the recipient asks with the secret link; `until_now` is the time that
    their page showed: a second click on the same page adds nothing."""

    carrier: str | None
    parcel: UUID
    hours: int | None = None
    by: facts.By = "carrier"
    actor: UUID | None = None
    until_now: str = ""

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> "Answer":
        parcel = own(at, self.parcel, self.carrier)
        if self.until_now and parcel.collect_by and self.until_now != clock.text(parcel.collect_by):
            return Answer(200, view(at, self.parcel))
        fact = decide.extend(parcel, self.hours, self.by, at.now, at.policy)
        at.record(msgspec.structs.replace(fact, actor=self.actor))
        return Answer(200, view(at, self.parcel))


class Report(Command, kw_only=True):
    """What a carrier scanned on the way. Feeds the tracking sentence; never moves the stage."""

    carrier: str
    parcel: UUID
    mark: str
    reason: str = ""
    expected_at: datetime | None = None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> "Answer":
        own(at, self.parcel, self.carrier)
        at.record(facts.CarrierReported(parcel=self.parcel, mark=self.mark, reason=self.reason,
                                        expected_at=self.expected_at))  # fmt: skip
        return Answer(200, view(at, self.parcel))


class RenewCode(Command, kw_only=True):
    """A new code for a parcel that lies in its compartment: two codes at one station came out alike."""

    parcel: UUID

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> "Answer":
        parcel = at.book.parcels.get(self.parcel)
        if parcel is None or parcel.stage not in INSIDE or parcel.reservation is None:
            raise Refusal("wrong_stage")
        at.record(facts.CodeRenewed(parcel=parcel.id, reservation=parcel.reservation, generation=parcel.generation + 1))
        return Answer(200, view(at, self.parcel))


class Answer(msgspec.Struct):
    """What the desk says: an HTTP status that fits, and a body."""

    status: int
    body: dict[str, Any]
    _text: bytes = b""

    @property
    def text(self) -> bytes:
        """The body as JSON, made once: it is both sent and kept for repeats."""
        self._text = self._text or msgspec.json.encode(self.body)
        return self._text


def own(at: Sitting, parcel: UUID, carrier: str | None) -> Parcel:
    """The parcel, if it is this carrier's. A foreign one is refused like one that never was."""
    found = at.book.parcels.get(parcel)
    if found is None or (carrier is not None and found.carrier != carrier):
        raise Refusal("not_found")
    return found


def view(at: Sitting, parcel: UUID) -> dict[str, Any]:
    """A parcel as its carrier sees it."""
    return carrier_view(at.book.parcels[parcel], at.keys.link_token("track", parcel))


def carrier_view(parcel: Parcel, token: str) -> dict[str, Any]:
    """What a carrier may see of its own parcel: no code, no door, no person."""
    shown = {
        "id": str(parcel.id), "reference": parcel.reference, "carrier": parcel.carrier, "stage": parcel.stage.value,
        "reason": parcel.reason or None, "station": parcel.station, "size": parcel.size,
        "deposit_by": parcel.deposit_by, "deposited_at": parcel.deposited_at, "collect_by": parcel.collect_by,
        "expected_at": parcel.expected_at, "announced_at": parcel.announced_at, "ended_at": parcel.ended_at,
        "mark": parcel.mark or None, "track": f"/t/{token}",
    }  # fmt: skip
    return {name: value for name, value in shown.items() if value is not None}
