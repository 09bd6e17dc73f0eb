"""`parcelwall verify` upstairs: the chain holds, the tables are the fold of the journal and nothing else, and the
invariants are true. Answers differences in the order found; an empty list is a clean hub."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from parcelwall import clock
from parcelwall.hub.sitting import write_parcel
from parcelwall.journal import chain
from parcelwall.journal.chain import Broken, Entry, Head
from parcelwall.rules import facts
from parcelwall.rules.book import Book
from parcelwall.rules.life import ENDED, INSIDE
from parcelwall.rules.places import promises_fit, read_room, write_room

PAGE = 2000


class Kept(msgspec.Struct, frozen=True):
    """A stored row: the entry, whose parcel it is of, and where in that parcel's life."""

    entry: Entry
    parcel: UUID | None
    revision: int | None


async def verify_hub(pool: asyncpg.Pool) -> list[str]:
    """Every difference, the first one first."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        kept: dict[str, list[Kept]] = {}
        wrong = [text async for text in _chains(connection, kept)]
        if wrong:
            return wrong
        book, revisions = Book(), dict[UUID, int]()
        wrong = [*_fold(kept, book, revisions)]
        wrong += [text async for text in _tables(connection, book, revisions)]
        return [*wrong, *invariants(book)]


async def _chains(connection: asyncpg.Connection, kept: dict[str, list[Kept]]) -> AsyncIterator[str]:
    heads = {row["name"]: Head(row["number"], row["hash"]) for row in await connection.fetch("SELECT * FROM writer")}
    written = {row["writer"] for row in await connection.fetch("SELECT DISTINCT writer FROM entry")}
    for writer in sorted(written | set(heads)):
        rows = [row async for row in _entries(connection, writer)]
        kept[writer] = rows
        try:
            end = chain.follow(chain.start(writer), [row.entry for row in rows])
        except Broken as broken:
            yield f"chain: {broken}"
            continue
        if heads.get(writer, chain.start(writer)) != end:
            yield f"chain: {writer} ends with number {end.number}, its head says {heads[writer].number}"


async def _entries(connection: asyncpg.Connection, writer: str) -> AsyncIterator[Kept]:
    query = """SELECT writer, number, kind, happened_at, body, hash, parcel, revision FROM entry
               WHERE writer = $1 AND number > $2 ORDER BY number LIMIT $3"""
    after: int = 0
    while rows := await connection.fetch(query, writer, after, PAGE):
        for row in rows:
            entry = Entry(writer, row["number"], row["kind"], clock.text(row["happened_at"]), row["body"], row["hash"])
            yield Kept(entry, row["parcel"], row["revision"])
        after = rows[-1]["number"]


def _fold(kept: dict[str, list[Kept]], book: Book, revisions: dict[UUID, int]) -> Iterator[str]:
    """Learns everything in an order that keeps each writer's numbers and each parcel's revisions."""
    queues = {writer: deque(rows) for writer, rows in kept.items()}
    blocked: dict[tuple[UUID, int], str] = {}
    ready = [writer for writer, queue in queues.items() if queue]
    while ready:
        writer = ready.pop()
        queue = queues[writer]
        while queue:
            row = queue[0]
            if row.parcel is not None and row.revision != revisions.get(row.parcel, 0) + 1:
                blocked[row.parcel, row.revision or 0] = writer
                break
            queue.popleft()
            yield from _learn(row, writer, book)
            if row.parcel is not None:
                revisions[row.parcel] = row.revision or 0
                if waiting := blocked.pop((row.parcel, revisions[row.parcel] + 1), None):
                    ready.append(waiting)
    for writer, queue in queues.items():
        if queue:
            row = queue[0]
            yield f"order: {writer} number {row.entry.number} is revision {row.revision} of parcel {row.parcel}, " \
                  f"after revision {revisions.get(row.parcel, 0) if row.parcel else 0}"  # fmt: skip


def _learn(row: Kept, writer: str, book: Book) -> Iterator[str]:
    entry = row.entry
    of_hub = writer.startswith("hub:")
    allowed = facts.HUB_KINDS if of_hub else facts.STATION_KINDS
    kind = facts.KINDS.get(entry.kind)
    if kind is None or kind not in allowed:
        return  # kept as it came; a case was opened for it
    try:
        fact = facts.read(entry.kind, entry.body)
    except msgspec.DecodeError:
        return
    station = None if of_hub else writer
    if not of_hub and getattr(fact, "station", writer) not in (None, writer):
        return
    if isinstance(fact, facts.ParcelFact) and fact.parcel != row.parcel:
        yield f"entry: {writer} number {entry.number} is filed under parcel {row.parcel}, it speaks of {fact.parcel}"
    if fact is not None:
        book.learn(fact, clock.parse(entry.happened_at), station)


async def _tables(connection: asyncpg.Connection, book: Book, revisions: dict[UUID, int]) -> AsyncIterator[str]:
    async for text in _parcels(connection, book, revisions):
        yield text
    for row in await connection.fetch("SELECT id, room, record FROM station ORDER BY id"):
        room = book.rooms.get(row["id"])
        if room is not None and read_room(row["room"]) != room:
            yield f"table station, {row['id']}, room: {row['room']} is stored, {write_room(room)} follows"
    stored = {row["id"]: row for row in await connection.fetch("SELECT * FROM case_file")}
    for case in book.cases.values():
        row = stored.pop(case.id, None)
        for name in ("about", "parcel", "station", "compartment", "holds", "opened_at", "closed_at", "outcome"):
            follows = getattr(case, name)
            if row is None or row[name] != follows:
                yield f"table case_file, {case.id}, {name}: {row and row[name]} is stored, {follows} follows"
                break
    for case_id in stored:
        yield f"table case_file, {case_id}: stored, but no entry tells of it"


_COLUMNS = ("carrier", "reference", "stage", "station", "reservation", "compartment", "due", "contested")


async def _parcels(connection: asyncpg.Connection, book: Book, revisions: dict[UUID, int]) -> AsyncIterator[str]:
    missing = dict(book.parcels)
    async for row in connection.cursor("SELECT * FROM parcel ORDER BY id"):
        parcel = missing.pop(row["id"], None)
        if parcel is None:
            yield f"table parcel, {row['id']}: stored, but no entry tells of it"
            continue
        expected: dict[str, Any] = {name: getattr(parcel, name) for name in _COLUMNS}
        expected |= {"record": write_parcel(parcel), "revision": revisions[parcel.id]}
        expected["reference"] = expected["reference"] or str(parcel.id)
        for name, value in expected.items():
            if row[name] != value:
                yield f"table parcel, {row['id']}, {name}: {row[name]} is stored, {value} follows from the journal"
                break
    for parcel_id in missing:
        yield f"table parcel, {parcel_id}: the journal tells of it, no row is stored"


def invariants(book: Book) -> Iterator[str]:
    """INV-01, 02, 03 and 10 of a book: what no accepted command may break, unless a door did and a case is open."""
    behind: dict[tuple[str | None, int | None], UUID] = {}
    with_case = {case.parcel for case in book.cases.values() if case.closed_at is None}
    for parcel in book.parcels.values():
        place = (parcel.station, parcel.compartment)
        if parcel.stage in INSIDE and not parcel.contested and behind.setdefault(place, parcel.id) != parcel.id:
            yield f"INV-01: two parcels in compartment {place[1]} of {place[0]}"
        if parcel.stage not in ENDED and parcel.due is None and parcel.id not in with_case:
            yield f"INV-10: parcel {parcel.id} has no due date and no case"
        if parcel.contested and parcel.id not in with_case:
            yield f"INV-02: parcel {parcel.id} is contested without a case"
    for station, plan in book.plans.items():
        faulty = any(case.station == station for case in book.cases.values())
        if not faulty and not promises_fit(plan, book.rooms[station]):
            yield f"INV-03: promises at {station} do not fit its free compartments"


