"""One sitting of the desk: rows are loaded and locked, decisions made in memory, and all of it written at once.

`record` is the only way a parcel, a room or a case changes at the hub, and it writes the journal in the same
transaction. Locks are taken in one order: parcels, stations, writers.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Connection

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub import people
from parcelwall.hub.beside_newer import carried_along, only_later_knows
from parcelwall.hub.keys import Keys
from parcelwall.hub.stations import Station, Stations
from parcelwall.ids import Ids
from parcelwall.journal import chain, postgres
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.journal.postgres import Row
from parcelwall.journal.together import Together
from parcelwall.rules import decide, facts
from parcelwall.rules.book import Book, CaseFile, Learned
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.places import read_room, write_room
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow

_OF_DOORS = (facts.DoorOpened, facts.DoorClosed)  # the most of all entries: kept, and nothing is learnt from them
_OF_CASES = (facts.CaseOpened, facts.CaseClosed)
_OF_NO_STATION = (facts.Announced, facts.CarrierReported)
_NOTHING = Learned(None, None, None)
_PARCEL = msgspec.json.Decoder(Parcel)
_ANNOUNCED = msgspec.json.Decoder(facts.Announced)

_LOCK_PARCELS = """
SELECT id, revision, record FROM parcel WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"""
_FIND_REFERENCES = """
SELECT id, revision, record FROM parcel
JOIN unnest($1::text[], $2::text[]) AS asked (c, r) ON carrier = c AND reference = r"""
_FIND_ANNOUNCED = """
SELECT parcel, body FROM entry WHERE parcel = ANY($1::uuid[]) AND kind = 'Announced' ORDER BY revision DESC"""
_LOCK_STATIONS = """
SELECT id, config, room, in_service FROM station WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"""
# What another process is at is left out: nobody waits for its commit.
_LOCK_FREE_STATIONS = _LOCK_STATIONS + " SKIP LOCKED"
_CASES = """
SELECT * FROM case_file WHERE (closed_at IS NULL AND (station = ANY($1::text[]) OR parcel = ANY($3::uuid[])))
  OR id = ANY($2::uuid[])
  OR (parcel = ANY($3::uuid[]) AND closed_at > $4 AND about IN ('never_brought', 'never_taken_back'))"""
_PRESENT = "SELECT id, revision, record FROM parcel WHERE station = $1 AND due IS NOT NULL AND stage = ANY($2::text[])"
_WRITE_PARCELS = """
INSERT INTO parcel (id, carrier, reference, stage, station, reservation, compartment, due, contested, revision,
                    label, record)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::int[],
                     $8::timestamptz[], $9::bool[], $10::int[], $11::text[], $12::text[])
ON CONFLICT (id) DO UPDATE SET carrier = excluded.carrier, reference = excluded.reference, stage = excluded.stage,
  station = excluded.station, reservation = excluded.reservation, compartment = excluded.compartment,
  due = excluded.due, contested = excluded.contested, revision = excluded.revision, label = excluded.label,
  record = excluded.record"""
_WRITE_NEW_PARCELS = _WRITE_PARCELS.partition("ON CONFLICT")[0]
_WRITE_ROOMS = """
UPDATE station SET room = new.room FROM unnest($1::text[], $2::text[]) AS new (id, room) WHERE station.id = new.id"""
_WRITE_CASES = """
INSERT INTO case_file (id, about, parcel, station, compartment, holds, opened_at, closed_at, outcome)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::int[], $6::bool[], $7::timestamptz[],
                     $8::timestamptz[], $9::text[])
ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at, outcome = excluded.outcome"""
_WRITE_LINKS = """
INSERT INTO link (hash, parcel, page) SELECT hash, parcel, 'track' FROM unnest($1::bytea[], $2::uuid[])
  AS new (hash, parcel) ON CONFLICT DO NOTHING"""
_WRITE_REFUSED = """
INSERT INTO refused SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
  $6::text[], $7::text[], $8::text[], $9::text[]) ON CONFLICT DO NOTHING"""


class Streams:
    """Which stream the hub writes a fact into: the station's that must know it, else this process's own slot."""

    def __init__(self, epoch: int, slot: int) -> None:
        self.epoch, self.number = epoch, slot
        self.slot = f"hub:{epoch}/slot-{slot}"

    def station(self, station: str) -> str:
        return f"hub:{self.epoch}/{station}"


class Sitting:
    """The work of one transaction. Everything a decision may ask is here before the first decision."""

    def __init__(
        self, connection: Connection, now: datetime, ids: Ids, keys: Keys, stations: Stations, streams: Streams,
        policy: Policy,
    ) -> None:  # fmt: skip
        self.connection, self.now, self.ids, self.keys, self.policy = connection, now, ids, keys, policy
        self.stations, self.streams = stations, streams
        self._now_text = clock.text(now)
        self.book = Book()
        self.references: dict[tuple[str, str], UUID] = {}
        self.announced: dict[UUID, facts.Announced] = {}  # what was said of those, by parcel
        self.revisions: dict[UUID, int] = {}
        self.here: dict[str, Station] = {}
        self.heads: dict[str, Head] = {}
        self.people: list[people.Sealed] = []
        self.persons: dict[UUID, people.Person] = {}  # of parcels announced before, and here
        self.links: list[tuple[bytes, UUID]] = []
        self.contacts: list[tuple[UUID, bytes]] = []  # of parcels announced here: perhaps an account's
        self.wishes: frozenset[bytes] = frozenset()  # contacts of those who asked for doors within reach
        self.rows: tuple[AdmissionRow, ...] = ()  # of admission, in force
        self.verifies = True  # whether passkeys can be shown at this hub's address
        self.labels: dict[tuple[str, str, str], UUID] = {}  # carrier, station, label: see `twins`
        self.refused: list[tuple[Any, ...]] = []  # of room: counted, no facts
        self.together = Together()
        self._drafts: list[tuple[str, Draft, UUID | None, int | None]] = []
        self._rows: list[Row] = []
        self._late = False  # whether something was learnt that stood here already
        self._reads = False  # whether any parcel was here before
        self._changed: dict[UUID, int] = {}  # parcels that are to be written, with their revisions
        self._cases: set[UUID] = set()
        self._more: dict[UUID, dict[str, Any]] = {}  # of parcels, by a later version of the hub

    async def load(
        self, parcels: Iterable[UUID], stations: Iterable[str], writers: Iterable[str] = (), free_only: bool = False
    ) -> None:
        """Locks and reads what will be decided on. `free_only`: without the stations that another process is at."""
        await self._load_parcels(set(parcels))
        promised_at = {parcel.station for parcel in self.book.parcels.values() if parcel.station}
        await self._load_stations(set(stations) | promised_at, _LOCK_FREE_STATIONS if free_only else _LOCK_STATIONS)
        await self._lock_heads({self.streams.station(station) for station in self.here} | set(writers))

    async def _lock_heads(self, writers: set[str]) -> None:
        if wanted := writers - self.heads.keys():
            self.heads |= await postgres.lock_heads(self.connection, wanted)

    async def _load_parcels(self, wanted: set[UUID]) -> None:
        if wanted:
            self._take_parcels(await self.connection.fetch(_LOCK_PARCELS, list(wanted)))

    async def load_references(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Parcels already announced under these (carrier, reference) pairs, what was said of them, and for whom they
        are."""
        carriers, references = [pair[0] for pair in wanted], [pair[1] for pair in wanted]
        rows = await self.connection.fetch(_FIND_REFERENCES, carriers, references)
        self._take_parcels(rows)
        if rows:  # the first one counts, as in the fold
            told = await self.connection.fetch(_FIND_ANNOUNCED, [row["id"] for row in rows])
            self.announced |= {row["parcel"]: _ANNOUNCED.decode(row["body"]) for row in told}
        if whom := [parcel.person for parcel in self.book.parcels.values() if parcel.person]:
            self.persons |= await people.find_all(self.connection, whom, self.keys)

    def _take_parcels(self, rows: Sequence[Any]) -> None:
        self._reads = self._reads or bool(rows)
        for row in rows:
            parcel = _PARCEL.decode(row["record"])
            self.book.parcels[parcel.id] = parcel
            if more := only_later_knows(row["record"]):
                self._more[parcel.id] = more
            self.revisions[parcel.id] = row["revision"]
            self.references[parcel.carrier, parcel.reference] = parcel.id

    async def _load_stations(self, wanted: set[str], lock: str) -> None:
        if not wanted:
            return
        for row in await self.connection.fetch(lock, sorted(wanted)):
            station = self.stations.known.get(row["id"])
            if station is None or station.config != row["config"]:
                station = await self.stations.read(self.connection, row["id"])
            station.in_service = row["in_service"]
            self.here[station.id] = station
            self.book.plans[station.id] = station.plan
            self.book.rooms[station.id] = read_room(row["room"])

    async def load_present(self, station: str) -> None:
        """Parcels promised to a station or inside it, to count, not to change: with its row locked nobody does."""
        self._take_parcels(await self.connection.fetch(_PRESENT, station, [Stage.RESERVED, *INSIDE]))

    async def load_cases(
        self, stations: Iterable[str], cases: Iterable[UUID], parcels: Iterable[UUID] = ()
    ) -> None:
        """Open cases of these stations and parcels, and these, open or not; needed before one is opened or closed. Of
        the parcels also the closed ones that put off what would be asked about them."""
        put_off = self.now - decide.PUT_OFF
        for row in await self.connection.fetch(_CASES, list(stations), list(cases), list(parcels), put_off):
            self.book.take_case(CaseFile(**dict(row)))

    def record(self, fact: Fact, stream: str | None = None, body: str = "") -> Learned:
        """Writes a fact of the hub's own, now. `body` is its text, if that was made already. Refuses a NUL."""
        body = body or written(fact)
        learned = self.book.learn(fact, self.now)
        parcel = fact.parcel if facts.is_of_parcel(fact) else None
        stream = stream or self._stream_of(fact, learned)
        draft = Draft(fact.kind, self._now_text, body)
        self._drafts.append((stream, draft, parcel, self._revise(parcel)))
        self._note_case(fact)
        return learned

    def receive(self, entry: Entry, fact: Fact | None, station: str) -> Learned:
        """Takes in what a station wrote. `entry` is chained already; None for a fact that cannot be read."""
        parcel = fact.parcel if facts.is_of_parcel(fact) else None
        self._rows.append(Row(entry, parcel, self._revise(parcel)))
        if fact is None or type(fact) in _OF_DOORS:
            return _NOTHING
        learned = self.book.learn(fact, clock.parse(entry.happened_at), station)
        self._note_case(fact)
        return learned

    def learn_late(self, entry: Entry, fact: Fact, station: str) -> tuple[Learned, int | None]:
        """Learns what a station wrote, and this hub had kept unread; and where in its parcel's life that is."""
        revision = self._revise(fact.parcel if facts.is_of_parcel(fact) else None)
        self._late = True
        learned = self.book.learn(fact, clock.parse(entry.happened_at), station)
        self._note_case(fact)
        return learned, revision

    def receive_again(self, entry: Entry, fact: Fact | None) -> Learned:
        """Takes in what the hub itself wrote and has lost since. `entry` is chained already."""
        at = clock.parse(entry.happened_at)
        parcel = fact.parcel if facts.is_of_parcel(fact) else None
        self._rows.append(Row(entry, parcel, self._revise(parcel)))
        if fact is None:
            return _NOTHING
        learned = self.book.learn_again(fact, at)
        self._note_case(fact)
        return learned

    def taken_in(self) -> Iterator[tuple[UUID, Entry]]:
        """What was received in this sitting of parcels, which no statement sees before it is written."""
        yield from ((row.parcel, row.entry) for row in self._rows if row.parcel)

    def _stream_of(self, fact: Fact, learned: Learned) -> str:
        if type(fact) in _OF_NO_STATION:
            return self.streams.slot
        station = getattr(fact, "station", None)
        if station is None and learned.before is not None:
            station = learned.before.station
        return self.streams.station(station) if station in self.here else self.streams.slot

    def _revise(self, parcel: UUID | None) -> int | None:
        if parcel is None:
            return None
        revision = self.revisions.get(parcel, 0) + 1
        self.revisions[parcel] = self._changed[parcel] = revision
        return revision

    def _note_case(self, fact: Fact) -> None:
        if type(fact) in _OF_CASES and fact.case in self.book.cases:  # type: ignore[attr-defined]
            self._cases.add(fact.case)  # type: ignore[attr-defined]

    def open_case(
        self, about: str, parcel: UUID | None, station: str | None, compartment: int | None, holds: bool,
        details: dict[str, Any] | None = None,
    ) -> UUID:  # fmt: skip
        case = self.ids.new()
        self.record(facts.CaseOpened(case=case, about=about, parcel=parcel, station=station, compartment=compartment,
                                     holds=holds, details=details or {}))  # fmt: skip
        return case

    async def write(self) -> None:
        """Everything recorded, in one statement. This process's own stream comes last of all locks."""
        await self._lock_heads({stream for stream, *_ in self._drafts})
        self._add_entries()
        self._add_parcels()
        rooms = {name: write_room(self.book.rooms[name]) for name in self.here}
        if rooms and (self._rows or self._drafts or self._late):
            self.together.add(_WRITE_ROOMS, list(rooms), list(rooms.values()))
        self._add_cases()
        if self.people:
            people.add_rows(self.together, self.people, self.now)
        if self.contacts:
            people.add_joins(self.together, self.contacts, self.now)
        if self.refused:
            self.together.add(_WRITE_REFUSED, *(list(column) for column in zip(*self.refused, strict=True)))
        if self.links:
            self.together.add(_WRITE_LINKS, [each[0] for each in self.links], [each[1] for each in self.links])
        await self.together.run(self.connection)

    def _add_entries(self) -> None:
        by_stream: dict[str, list[tuple[Draft, UUID | None, int | None]]] = {}
        for stream, draft, parcel, revision in self._drafts:
            by_stream.setdefault(stream, []).append((draft, parcel, revision))
        rows = self._rows
        for stream, items in by_stream.items():
            entries = chain.extend(stream, self.heads[stream], [draft for draft, _, _ in items])
            rows += [Row(e, parcel, rev) for e, (_, parcel, rev) in zip(entries, items, strict=True)]
        postgres.add_rows(self.together, rows, self.now)

    def _add_parcels(self) -> None:
        # What leaves a compartment goes before what comes into it: the index looks at each row as it is written.
        changed = [(self.book.parcels[each], revision) for each, revision in self._changed.items()]
        changed.sort(key=lambda each: (each[0].compartment is not None, each[0].id.int))
        parcels = [parcel for parcel, _ in changed]
        all_new = not self._reads and not any(parcel.compartment for parcel in parcels)
        if parcels:
            self.together.add(
                _WRITE_NEW_PARCELS if all_new else _WRITE_PARCELS,
                [p.id for p in parcels], [p.carrier for p in parcels],
                [p.reference or str(p.id) for p in parcels], [p.stage for p in parcels], [p.station for p in parcels],
                [p.reservation for p in parcels], [p.compartment for p in parcels], [p.due for p in parcels],
                [p.contested for p in parcels], [revision for _, revision in changed],
                [p.label for p in parcels], [carried_along(write_parcel(p), self._more.get(p.id, {})) for p in parcels],
            )  # fmt: skip

    def _add_cases(self) -> None:
        cases = [self.book.cases[each] for each in self._cases]
        if cases:
            columns = ("id", "about", "parcel", "station", "compartment", "holds", "opened_at", "closed_at", "outcome")
            self.together.add(_WRITE_CASES, *([getattr(c, name) for c in cases] for name in columns))


def written(fact: Fact) -> str:
    """The text of a fact. Refuses one that could not be read again."""
    body = facts.body(fact)
    if "\\u0000" in body:
        raise Refusal("bad_field", problem="a NUL character")
    return body


_ENCODER = msgspec.json.Encoder()


def write_parcel(parcel: Parcel) -> str:
    return _ENCODER.encode(parcel).decode()


def read_parcel(record: str) -> Parcel:
    return _PARCEL.decode(record)
