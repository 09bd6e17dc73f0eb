"""The fold: what the facts so far amount to. Hub desk, station desk, simulation and `verify` all learn through here,
so nothing is decided twice in two ways."""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from parcelwall.rules import facts
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import INSIDE, Parcel, learn
from parcelwall.rules.places import Plan, Room, plan_of, room_after


class CaseFile(msgspec.Struct, frozen=True):
    """A surprise that a person should look at, open until `closed_at`."""

    id: UUID
    about: str
    opened_at: datetime
    parcel: UUID | None = None
    station: str | None = None
    compartment: int | None = None
    holds: bool = False
    closed_at: datetime | None = None
    outcome: str = ""


class Surprise(NamedTuple):
    """What a case should be opened about."""

    about: str
    station: str | None
    compartment: int | None
    holds: bool


class Learned(NamedTuple):
    before: Parcel | None
    after: Parcel | None
    surprise: Surprise | None


class Book:
    """Parcels, rooms of stations and cases, as the facts learnt so far make them. Holds as much as it was given."""

    def __init__(self) -> None:
        self.parcels: dict[UUID, Parcel] = {}
        self.plans: dict[str, Plan] = {}
        self.rooms: dict[str, Room] = {}
        self.cases: dict[UUID, CaseFile] = {}
        self._closed_early: dict[UUID, tuple[facts.CaseClosed, datetime]] = {}  # before their opening was learnt
        self._holding: dict[tuple[str | None, int | None], set[UUID]] = defaultdict(set)  # open cases by compartment

    def take_case(self, case: CaseFile) -> None:
        """A case as it is known, read from a table or just opened. Does not touch the room."""
        self.cases[case.id] = case
        if case.holds and case.closed_at is None:
            self._holding[case.station, case.compartment].add(case.id)

    def learn(self, fact: Fact, at: datetime, station: str | None = None) -> Learned:
        """Takes one fact in. `station` is whose doors saw it, for facts that do not name their station."""
        if facts.is_of_parcel(fact):
            return self._learn_of_parcel(fact, at)
        if isinstance(fact, facts.StationConfigured):
            self._configure(fact)
        elif isinstance(fact, facts.CompartmentHealth) and station in self.plans:
            self._health(station, fact)
        elif isinstance(fact, facts.CaseOpened):
            self._open_case(fact, at, fact.station or station)
        elif isinstance(fact, facts.CaseClosed):
            self._close_case(fact, at)
        return Learned(None, None, None)

    def learn_again(self, fact: Fact, at: datetime) -> Learned:
        """What the hub wrote, lost, and is given back. A promise older than the one known is late news by now.

        Layouts and keys are kept and not learnt: what was set up since counts, and somebody sets up the rest again.
        """
        if isinstance(fact, facts.Reserved):
            before = self.parcels.get(fact.parcel)
            if before is not None and before.reservation is not None and fact.reservation < before.reservation:
                return Learned(before, before, None)
        if facts.is_of_parcel(fact) or type(fact) in (facts.CaseOpened, facts.CaseClosed):
            return self.learn(fact, at)
        return Learned(None, None, None)

    def _learn_of_parcel(self, fact: facts.ParcelFact, at: datetime) -> Learned:
        before = self.parcels.get(fact.parcel)
        after, expected = learn(before, fact, at)
        surprise = None if expected or type(fact) not in facts.DOOR_KINDS else _unexpected(fact, before)
        if type(fact) is facts.Deposited and (about := self._odd_place(fact, before)):
            after = msgspec.structs.replace(after, contested=True)
            surprise = Surprise(about, fact.station, fact.compartment, True)
        self.parcels[fact.parcel] = after
        was_at = before.station if before else None
        for station in (after.station,) if was_at in (None, after.station) else (was_at, after.station):
            if station in self.plans:
                self.rooms[station] = room_after(self.plans[station], station, self.rooms[station], before, after)
        return Learned(before, after, surprise)

    def _odd_place(self, fact: facts.Deposited, before: Parcel | None) -> str:
        """What is wrong with where it was put: somebody else's is in there, or the layout has no such compartment."""
        if fact.station not in self.plans:
            return ""
        room, bit = self.rooms[fact.station], self.plans[fact.station].bit(fact.compartment)
        if not bit:
            return "no_such_compartment"
        own = before is not None and before.station == fact.station and before.compartment == fact.compartment
        others = bit in room.shared if own else bool(room.taken & bit)
        return "two_in_one_compartment" if others else ""

    def _configure(self, fact: facts.StationConfigured) -> None:
        """A new layout: what is inside and promised there is counted anew against it."""
        plan, room = plan_of(fact.layout), self.rooms.get(fact.station, Room())
        old = self.plans.get(fact.station)
        self.plans[fact.station] = plan
        self.rooms[fact.station] = Room()
        for parcel in self.parcels.values():
            if parcel.station == fact.station:
                self.rooms[fact.station] = room_after(plan, fact.station, self.rooms[fact.station], None, parcel)
        if old:
            moved = {name: _moved(getattr(room, name), old, plan) for name in ("broken", "held")}
            self.rooms[fact.station] = msgspec.structs.replace(self.rooms[fact.station], **moved)

    def _health(self, station: str, fact: facts.CompartmentHealth) -> None:
        room, bit = self.rooms[station], self.plans[station].bit(fact.compartment)
        broken = room.broken & ~bit if fact.usable else room.broken | bit
        self.rooms[station] = msgspec.structs.replace(room, broken=broken)

    def _open_case(self, fact: facts.CaseOpened, at: datetime, station: str | None) -> None:
        if fact.case not in self.cases:
            self.take_case(
                CaseFile(fact.case, fact.about, at, fact.parcel, station, fact.compartment, fact.holds)
            )
            if fact.holds:  # one that does not hold says nothing of others about this compartment
                self._hold_again(station, fact.compartment)
            if fact.case in self._closed_early:
                self._close_case(*self._closed_early.pop(fact.case))

    def _close_case(self, fact: facts.CaseClosed, at: datetime) -> None:
        """The station opens, the hub closes: two books, so the closing may be learnt first."""
        case = self.cases.get(fact.case)
        if case is None:
            self._closed_early[fact.case] = (fact, at)
        elif case.closed_at is None:
            self.cases[fact.case] = msgspec.structs.replace(case, closed_at=at, outcome=fact.outcome)
            self._holding[case.station, case.compartment].discard(fact.case)
            self._hold_again(case.station, case.compartment)

    def _hold_again(self, station: str | None, compartment: int | None) -> None:
        if station not in self.plans or compartment is None:
            return
        room, bit = self.rooms[station], self.plans[station].bit(compartment)
        held = room.held | bit if self._holding[station, compartment] else room.held & ~bit
        self.rooms[station] = msgspec.structs.replace(room, held=held)


def _moved(mask: int, old: Plan, new: Plan) -> int:
    return sum(new.bit(number) for number, place in old.place.items() if mask >> place & 1)


_ABOUT = {
    facts.Deposited: "unexpected_deposit",
    facts.Collected: "unexpected_collection",
    facts.TakenBack: "unexpected_removal",
}


def _unexpected(fact: facts.ParcelFact, before: Parcel | None) -> Surprise:
    """A second deposit, or what another station does with a parcel that is inside, leaves a compartment that nobody can
    vouch for: it is held until looked at."""
    station, compartment = getattr(fact, "station", None), getattr(fact, "compartment", None)
    inside = before if before is not None and before.stage in INSIDE else None
    if inside and isinstance(fact, facts.Deposited):
        return Surprise("deposited_twice", inside.station, inside.compartment, True)
    if inside and inside.station != station:
        return Surprise(_ABOUT[type(fact)], inside.station, inside.compartment, True)
    return Surprise(_ABOUT[type(fact)], station, compartment, False)
