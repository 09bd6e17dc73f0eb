"""`parcelwall verify` downstairs: the chains hold, the cache is the fold of the journal in the order learnt, and
every door was moved by a visit that stands on the disk."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from parcelwall import clock
from parcelwall.journal import chain, streams
from parcelwall.journal.chain import Broken, Entry
from parcelwall.rules import facts
from parcelwall.rules.book import Book, CaseFile
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import ENDED, Parcel
from parcelwall.rules.personal import told_of_people
from parcelwall.rules.places import Room, read_room, write_room
from parcelwall.station.fold import NEWEST_COUNTS
from parcelwall.station.memory import Memory
from parcelwall.station.visit import Visit

OUTCOMES: dict[type[Fact], tuple[str, ...]] = {
    facts.Deposited: ("deposit",), facts.Collected: ("collect",), facts.TakenBack: ("take_back", "put_right"),
}  # fmt: skip


def verify_station(memory: Memory) -> list[str]:
    """Every difference, the first one first; empty for a clean station."""
    wrong = [*_chains(memory)]
    if not wrong:
        visits, bad = _visits(memory)
        reading = _Reading(memory.station, memory.writer, visits)
        wrong = [*reading.read(memory), *bad, *_cache(memory, reading), *reading.left_over()]
    return [f"{memory.station}: {text}" for text in wrong]


def fold(memory: Memory) -> Book:
    """The book that this station's journal amounts to."""
    reading = _Reading(memory.station, memory.writer, {})
    for _ in reading.read(memory):
        pass
    return reading.book


def _chains(memory: Memory) -> Iterator[str]:
    rows = memory.connection.execute("SELECT DISTINCT writer FROM entry")
    for writer in sorted({name for (name,) in rows} | set(memory.journal.writers())):
        try:
            end = chain.follow(chain.start(writer), list(memory.journal.everything(writer)))
        except Broken as broken:
            yield f"chain: {broken}"
            continue
        head = memory.journal.head(writer)
        if end.number != head.number:
            yield f"chain: {writer} ends with number {end.number}, its head says {head.number}"
        elif end != head:
            yield f"chain: {writer} ends with another hash than its head says"
    acknowledged, wrote = memory.journal.cursor("acknowledged"), memory.wrote().number
    if acknowledged > wrote:
        yield f"INV-08: the hub is said to have number {acknowledged}, {wrote} were written"


class _Reading:
    """Learns the journal in the order in which the station did, and looks at each entry as it goes by."""

    def __init__(self, station: str, writer: str, visits: dict[UUID, Visit]) -> None:
        self.station, self.writer, self.visits = station, writer, visits
        self.book = Book()
        self.standing: dict[str, str] = {}
        self._revoked: set[UUID] = set()
        self._newest: dict[str, tuple[int, int]] = {}
        self._promised: dict[UUID, int] = {}  # reservations, and the epochs in which they were made
        self._opened: dict[UUID, set[UUID]] = {}  # visits whose door was opened, and the cases that held it then
        self._shut: set[UUID] = set()
        self._done: set[UUID] = set()
        self._last_at: dict[str, str] = {}

    def read(self, memory: Memory) -> Iterator[str]:
        for entry in memory.journal.in_order_learnt():
            own = not streams.is_hubs(entry.writer)
            name = f"{entry.writer} number {entry.number}"
            if own and entry.kind != "ClockSet" and entry.happened_at < self._last_at.get(entry.writer, ""):
                yield f"INV-07: {name} happened before the entry before it"
            self._last_at[entry.writer] = entry.happened_at
            if entry.kind not in facts.KINDS:
                continue
            if facts.KINDS[entry.kind] not in (facts.STATION_KINDS if own else facts.HUB_KINDS):
                yield f"INV-07: {name} is of kind {entry.kind}, which is not for {entry.writer} to write"
            try:
                fact = facts.read(entry.kind, entry.body)
            except msgspec.DecodeError as no:
                yield f"entry: {name} cannot be read: {no}"
                continue
            if fact is not None:
                yield from self._take(name, entry, fact, own)

    def _take(self, name: str, entry: Entry, fact: Fact, own: bool) -> Iterator[str]:
        if found := told_of_people(entry.kind, entry.body):
            yield f"INV-11: {name} holds what looks like {found}"
        if entry.writer == self.writer:  # visits of a computer before are gone with it; our own are kept for ever
            yield from self._judge(name, fact)
        if isinstance(fact, facts.Reserved) and self._is_late(fact, streams.epoch_of(entry.writer)):
            return
        if isinstance(fact, NEWEST_COUNTS):
            place = streams.place_of(entry.writer, entry.number)
            if place < self._newest.get(fact.kind, place):
                return
            self._newest[fact.kind] = place
        self._stand(fact)
        self.book.learn(fact, clock.parse(entry.happened_at), self.station)

    def _is_late(self, fact: facts.Reserved, epoch: int) -> bool:
        """A promise that is older than the one in force, and of an earlier epoch, changes nothing."""
        self._promised[fact.reservation] = epoch
        known = self.book.parcels.get(fact.parcel)
        if known is None or known.reservation is None or known.reservation <= fact.reservation:
            return False
        return self._promised.get(known.reservation, epoch) > epoch

    def _stand(self, fact: Fact) -> None:
        if isinstance(fact, facts.Revoked):
            self.standing.pop(f"Granted/{fact.grant}", None)
            self._revoked.add(fact.grant)
        elif isinstance(fact, facts.Granted) and fact.stands and fact.grant not in self._revoked:
            self.standing[f"Granted/{fact.grant}"] = facts.body(fact)
        elif isinstance(fact, NEWEST_COUNTS):
            self.standing[fact.kind] = facts.body(fact)

    def _judge(self, name: str, fact: Any) -> Iterator[str]:
        """INV-04, 06: what a door did belongs to a visit, which was there first; a parcel is in or out once the door
        was seen shut."""
        about = getattr(fact, "visit", None)
        if about is None:
            return
        visit = self.visits.get(about)
        if visit is None:
            yield f"INV-04: {name} ({fact.kind}) names visit {about}, of which no row is stored"
            return
        if visit.compartment != fact.compartment:
            yield f"INV-04: {name} ({fact.kind}) names visit {about}, which did not open compartment {fact.compartment}"
            return
        if isinstance(fact, facts.DoorOpened):
            self._opened.setdefault(about, self._holding(fact.compartment))
            if visit.opened_at is None:
                yield f"INV-05: {name} opened a door in visit {about}, whose row does not say so: its code is not spent"
        elif isinstance(fact, facts.DoorClosed):
            self._shut.add(about)
        elif type(fact) in OUTCOMES:
            yield from self._judge_outcome(name, fact, visit)

    def _judge_outcome(self, name: str, fact: Any, visit: Visit) -> Iterator[str]:
        self._done.add(visit.id)
        for_that = visit.purpose in OUTCOMES[type(fact)] and (visit.purpose != "put_right" or visit.taken_out)
        if not for_that or (visit.parcel, visit.reservation) != (fact.parcel, fact.reservation):
            yield f"INV-05: {name} ({fact.kind}) says something else than its visit {visit.id} was begun for"
        if visit.id not in self._opened or visit.id not in self._shut:
            yield f"INV-06: {name} ({fact.kind}) stands before its door was seen open and shut again"
        if isinstance(fact, facts.Deposited) and self._held(fact.compartment, visit):
            yield f"INV-01: {name} put a parcel into compartment {fact.compartment}, which an open case held"

    def _holding(self, compartment: int) -> set[UUID]:
        cases = self.book.cases.items()
        return {name for name, case in cases
                if case.holds and case.compartment == compartment and case.closed_at is None}  # fmt: skip

    def _held(self, compartment: int, visit: Visit) -> bool:
        """Whether a case held the compartment before the visit. One that the visit itself brought about does not count:
        it came with or after its door; by entries, for a clock may go back while a door stands open."""
        before = self._opened.get(visit.id, set()) & self._holding(compartment)
        return any(self.book.cases[each].opened_at < visit.begun_at for each in before)

    def left_over(self) -> Iterator[str]:
        """Visits that say they did what no entry tells of."""
        for visit in self.visits.values():
            if visit.opened_at is not None and visit.id not in self._opened:
                yield f"INV-06: visit {visit.id} opened compartment {visit.compartment}, and no entry tells of it"
            elif visit.outcome == "done" and _ends_in_a_fact(visit) and visit.id not in self._done:
                yield f"INV-06: visit {visit.id} ended its {visit.purpose}, and no entry tells of it"


def _ends_in_a_fact(visit: Visit) -> bool:
    return visit.taken_out or visit.purpose not in ("reopen", "put_right", "inspect")


def _visits(memory: Memory) -> tuple[dict[UUID, Visit], list[str]]:
    """All visits, and what is wrong with them by themselves: INV-05, INV-06."""
    visits: dict[UUID, Visit] = {}
    wrong: list[str] = []
    spent: dict[tuple[UUID | None, int], UUID] = {}
    columns = "id, screen, purpose, reservation, generation, opened, ended, record"
    for row in memory.connection.execute(f"SELECT {columns} FROM visit ORDER BY id"):  # noqa: S608 (no input in it)
        visit = msgspec.json.decode(row[-1], type=Visit)
        visits[visit.id] = visit
        follows = (str(visit.id), visit.screen, visit.purpose, str(visit.reservation or ""), visit.generation,
                   visit.opened_at is not None, visit.step == "ended")  # fmt: skip
        if tuple(row[:-1]) != follows:
            said = ", ".join(f"{name} is {a}, its record says {b}" for name, a, b in
                             zip(columns.split(", "), row, follows, strict=False) if a != b)  # fmt: skip
            wrong.append(f"INV-05: table visit, {row[0]}: {said}")
        code = (visit.reservation, visit.generation)
        by_code = visit.purpose == "collect" and visit.courier is None
        if by_code and visit.opened_at and spent.setdefault(code, visit.id) != visit.id:
            wrong.append(f"INV-05: one code opened visits {spent[code]} and {visit.id}")
    return visits, wrong


def _cache(memory: Memory, reading: _Reading) -> Iterator[str]:
    stored = {row[0]: row[1:] for row in memory.connection.execute("SELECT id, ended, record FROM parcel ORDER BY id")}
    for parcel in reading.book.parcels.values():
        row = stored.pop(str(parcel.id), None)
        yield from _different(f"table parcel, {parcel.id}", row, parcel, Parcel, parcel.stage in ENDED)
    for left in stored:
        yield f"table parcel, {left}: stored, but no entry tells of it"
    cases = {row[0]: row[1:] for row in memory.connection.execute("SELECT id, open, record FROM case_file ORDER BY id")}
    for case in reading.book.cases.values():
        row = cases.pop(str(case.id), None)
        yield from _different(f"table case_file, {case.id}", row, case, CaseFile, case.closed_at is None)
    for left in cases:
        yield f"table case_file, {left}: stored, but no entry tells of it"
    record = memory.connection.execute("SELECT record FROM room").fetchone()
    room = reading.book.rooms.get(memory.station, Room())
    if (read_room(record[0]) if record else Room()) != room:
        yield f"table room: {record and record[0]} is stored, {write_room(room)} follows"
    standing = dict(memory.connection.execute("SELECT name, record FROM standing"))
    for name in sorted({*standing, *reading.standing}):
        if standing.get(name) != reading.standing.get(name):
            yield f"table standing, {name}: {standing.get(name)} is stored, {reading.standing.get(name)} follows"


def _different(where: str, row: tuple[Any, ...] | None, follows: Any, kind: Any, flag: bool) -> Iterator[str]:
    """Says in which field a stored row is another than what follows from the journal."""
    if row is None:
        yield f"{where}: the journal tells of it, no row is stored"
        return
    try:
        stored = msgspec.json.decode(row[1], type=kind)
    except msgspec.DecodeError as no:
        yield f"{where}: the stored record cannot be read: {no}"
        return
    for name in kind.__struct_fields__:
        if getattr(stored, name) != getattr(follows, name):
            a, b = getattr(stored, name), getattr(follows, name)
            yield f"{where}, {name}: {a} is stored, {b} follows from the journal"
            return
    if bool(row[0]) != flag:
        yield f"{where}: its flag is {row[0]}, {int(flag)} follows"
