"""`parcelwall verify` downstairs: the chains hold and the cache is the fold of the journal, in the order learnt."""

from collections.abc import Iterator

import msgspec

from parcelwall import clock
from parcelwall.journal import chain
from parcelwall.journal.chain import Broken
from parcelwall.rules import facts
from parcelwall.rules.book import Book
from parcelwall.rules.life import Parcel
from parcelwall.rules.places import Room, read_room, write_room
from parcelwall.station.memory import Memory


def verify_station(memory: Memory) -> list[str]:
    """Every difference, the first one first; empty for a clean station."""
    wrong = [*_chains(memory)]
    return wrong or [*_cache(memory)]


def _chains(memory: Memory) -> Iterator[str]:
    rows = memory.connection.execute("SELECT DISTINCT writer FROM entry")
    for writer in sorted({name for (name,) in rows} | set(memory.journal.writers())):
        try:
            end = chain.follow(chain.start(writer), list(memory.journal.everything(writer)))
        except Broken as broken:
            yield f"{memory.station}: chain: {broken}"
            continue
        if end != memory.journal.head(writer):
            head = memory.journal.head(writer)
            yield f"{memory.station}: chain: {writer} ends with number {end.number}, its head says {head.number}"


def _cache(memory: Memory) -> Iterator[str]:
    book = fold(memory)
    stored = {
        row[0]: row[1] for row in memory.connection.execute("SELECT id, record FROM parcel ORDER BY id")
    }
    for parcel in book.parcels.values():
        record = stored.pop(str(parcel.id), None)
        if record is None or msgspec.json.decode(record, type=Parcel) != parcel:
            yield f"{memory.station}: table parcel, {parcel.id}: what is stored does not follow from the journal"
    for left in stored:
        yield f"{memory.station}: table parcel, {left}: stored, but no entry tells of it"
    row = memory.connection.execute("SELECT record FROM room").fetchone()
    room = book.rooms.get(memory.station, Room())
    if row and read_room(row[0]) != room:
        yield f"{memory.station}: table room: {row[0]} is stored, {write_room(room)} follows"


def fold(memory: Memory) -> Book:
    """The book that this station's journal amounts to."""
    book = Book()
    for entry in memory.journal.in_order_learnt():
        fact = facts.read(entry.kind, entry.body)
        if fact is not None:
            book.learn(fact, clock.parse(entry.happened_at), memory.station)
    return book
