"""What must be so: at every virtual midnight what open parcels tell, and at the end, when all is quiet, everything."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from parcelwall.hub.ending import WRITTEN_OFF
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.stations import Station, rooms
from parcelwall.hub.verify import invariants
from parcelwall.rules.book import Book, CaseFile
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.places import Plan, Room, room_after, write_room
from parcelwall.simulation.check import check_books
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.things import Behind
from parcelwall.simulation.faults.trace import short
from parcelwall.simulation.faults.upstairs import Upstairs

OPEN = (Stage.ANNOUNCED, Stage.RESERVED, *INSIDE)
NOTED_WITHIN = timedelta(minutes=5)


async def at_midnight(upstairs: Upstairs, posts: Sequence[Outpost], overbook: int) -> list[tuple[str, str]]:
    """(parcel, what is wrong) of the hub's tables and the stations' heads. Reads what is open, not whole journals."""
    wrong: list[tuple[str, str]] = []
    async with upstairs.eye.acquire() as connection:
        rows = await connection.fetch("SELECT record FROM parcel WHERE stage = ANY($1::text[])", list(OPEN))
        parcels = [read_parcel(row["record"]) for row in rows]
        cases = await connection.fetch("SELECT * FROM case_file")
        stored = await rooms(connection, [post.name for post in posts])
        heads = {row["name"]: row for row in await connection.fetch("SELECT * FROM writer")}
    book = _book(upstairs, parcels, [CaseFile(**dict(row)) for row in cases])
    for name, room in stored.items():
        counted = book.rooms[name]
        if (room.taken, room.promised, room.shared) != (counted.taken, counted.promised, counted.shared):
            wrong.append(("", f"INV-09: room of {name} is {write_room(room)}, its parcels make {write_room(counted)}"))
        book.rooms[name] = room
    wrong += [(_parcel_in(text), text) for text in invariants(book, overbook)]
    for post in (each for each in posts if each.station):
        wrong += [("", text) for text in _heads(post, heads) if not post.healing]
        wrong += [("", text) for text in _own_room(post)]
    return wrong


def overpromised(
    known: Mapping[str, Station], before: Mapping[str, Room], after: Mapping[str, Room], overbook: int
) -> Iterator[str]:
    """INV-03 for one batch, by another way than the rules': of each size and above, no more is newly promised than is
    free. Sizes are a chain here, so counting is enough (Hall 1935)."""
    for name, room in after.items():
        plan = known[name].plan
        order = list(dict.fromkeys(size for size, _ in plan.kinds))
        for place, size in enumerate(order):
            larger = set(order[place:])
            bits = [bit for bit, each in enumerate(plan.layout.compartments) if each.size in larger]
            free = sum(not (room.taken | room.held | room.broken) >> bit & 1 for bit in bits)
            promised, earlier = (_wanting(plan, each, larger) for each in (room, before[name]))
            if promised > free + overbook and promised > earlier:
                yield f"INV-03: {promised} promises of {size} and above at {name}, and {free} compartments are free"


def _wanting(plan: Plan, room: Room, sizes: set[str]) -> int:
    """Promises that only compartments of these sizes can keep."""
    kinds = [size for size, _ in plan.kinds]
    return sum(
        count for need, count in room.promised.items()
        if all(size in sizes for place, size in enumerate(kinds) if need >> place & 1)
    )  # fmt: skip


def _book(upstairs: Upstairs, parcels: Sequence[Parcel], cases: Sequence[CaseFile]) -> Book:
    book = Book()
    for name, known in upstairs.first.stations.known.items():
        book.plans[name], book.rooms[name] = known.plan, Room()
    for parcel in parcels:
        book.parcels[parcel.id] = parcel
        if parcel.station in book.plans:
            plan, name = book.plans[parcel.station], parcel.station
            book.rooms[name] = room_after(plan, name, book.rooms[name], None, parcel)
    for case in cases:
        book.take_case(case)
    return book


def _heads(post: Outpost, heads: dict[str, dict[str, object]]) -> list[str]:
    """INV-07, INV-08: neither side has of the other's book what the other never wrote, and where both have as much,
    it is the same."""
    wrong, memory = [], post.up.memory
    pairs = ((post.name, memory.wrote(), "hub"), (memory.hub_writer, memory.has(), "station"))
    for writer, here, copy in pairs:
        there = heads.get(writer)
        number = int(there["number"]) if there else 0  # type: ignore[call-overload]
        behind = number <= here.number if copy == "hub" else here.number <= number
        if not behind:
            wrong.append(f"INV-07: of {writer} the {copy} has more than was written: {number} and {here.number}")
        elif there and number == here.number and there["hash"] != here.hash:
            wrong.append(f"INV-07: of {writer} hub and station hold other hashes of number {number}")
    if memory.journal.cursor("acknowledged") > (int(heads[post.name]["number"]) if post.name in heads else 0):  # type: ignore[call-overload]
        wrong.append(f"INV-08: {post.name} was told that the hub has what it has not")
    return wrong


def _own_room(post: Outpost) -> list[str]:
    """INV-09 at the station: what is taken and promised is what its open parcels amount to."""
    desk = post.up.desk
    counted = Room()
    for parcel in post.up.memory.parcels():
        counted = room_after(desk.plan, post.name, counted, None, parcel)
    room = post.up.memory.room()
    if (room.taken, room.promised, room.shared) != (counted.taken, counted.promised, counted.shared):
        return [f"INV-09: {post.name} holds its room to be {write_room(room)}, its parcels make {write_room(counted)}"]
    return []


async def at_the_end(
    upstairs: Upstairs, posts: Sequence[Outpost], behind: dict[str, Behind], notices: bool
) -> list[tuple[str, str]]:
    """Everything, once all is quiet: every book, between the books, the world against the books, nothing forgotten."""
    found = await check_books(upstairs.eye, [post.up.memory for post in posts])
    wrong = [(_parcel_in(text), text) for text in found]
    for post in posts:
        if post.up.desk.unfinished():
            wrong.append(("", f"INV-06: a visit at {post.name} is open still, though all is quiet"))
        if post.up.memory.unsent():
            wrong.append(("", f"INV-08: {post.name} has {post.up.memory.unsent()} entries that never reached the hub"))
        if post.healing:
            wrong.append(("", f"F28: {post.name} holds what a hub that was restored never got back"))
        wrong += _world(post, behind[post.name])
    if notices:
        wrong += await _untold(upstairs)
    return wrong


def _parcel_in(text: str) -> str:
    """The parcel that a difference speaks of, as the trace names it; empty if it names none."""
    found = re.search(r"parcel,? ([0-9a-f-]{36})", text)
    return short(UUID(found[1])) if found else ""


def _world(post: Outpost, behind: Behind) -> list[tuple[str, str]]:
    """What lies behind the doors is what the book says; unless a case tells that somebody has to look, at a door at
    which this simulation has done something."""
    wrong: list[tuple[str, str]] = []
    in_book = {parcel.compartment: parcel for parcel in post.up.memory.parcels() if parcel.stage in INSIDE}
    cases = post.up.memory.connection.execute(
        "SELECT json_extract(record, '$.compartment'), json_extract(record, '$.about') FROM case_file WHERE open"
    ).fetchall()
    told_of, given_up = {door for door, _ in cases}, {door for door, about in cases if about == WRITTEN_OFF}
    for door in sorted({line.door for line in post.profile.doors}):
        there, known = behind.at(door), in_book.get(door)
        told = door in told_of and door in post.harm.ever
        excused = told or door in behind.muddled or any(thing.muddled for thing in there)
        if excused:
            continue
        if known and known.id not in {thing.id for thing in there}:
            wrong.append((short(known.id), f"INV-06: the book has a parcel behind door {door}, nothing lies there"))
        strays = [thing.name for thing in there if not ((known and known.id == thing.id)
                                                        or (thing.written_off and door in given_up))]  # fmt: skip
        wrong += [(name, f"INV-06: a parcel lies behind door {door}, the book does not know of it") for name in strays]
    return wrong


async def cases_in_calm(upstairs: Upstairs) -> list[tuple[str, str]]:
    """Nothing has gone wrong, so nobody has anything to look at but what was never brought or fetched."""
    about = "SELECT about, count(*) AS n FROM case_file WHERE about <> ALL($1::text[]) GROUP BY about ORDER BY about"
    rows = await upstairs.eye.fetch(about, ["never_brought", "never_taken_back"])
    return [("", f"calm: {row['n']} cases of {row['about']}, and nothing went wrong") for row in rows]


_UNTOLD = """
SELECT e.parcel, e.writer, e.number FROM entry e JOIN parcel p ON p.id = e.parcel
WHERE (e.kind = 'Deposited' OR e.kind = 'WrittenOff' AND p.stage = 'WRITTEN_OFF') AND p.person IS NOT NULL
  AND NOT EXISTS (SELECT FROM notice n WHERE n.writer = e.writer AND n.number = e.number) LIMIT 5"""


async def _untold(upstairs: Upstairs) -> list[tuple[str, str]]:
    """INV-10: of every deposit, and of all that is lost, a notice was attempted, or given up with a case."""
    rows = await upstairs.eye.fetch(_UNTOLD.replace("p.person IS NOT NULL", "p.record LIKE '%\"person\":\"%'"))
    wrong = [(short(row["parcel"]), f"INV-10: nobody was told of {row['writer']} number {row['number']}")
             for row in rows]  # fmt: skip
    waiting = await upstairs.eye.fetch(
        "SELECT parcel, purpose FROM notice WHERE state = 'failed' AND trouble <> '' AND NOT EXISTS "
        "(SELECT FROM case_file WHERE case_file.parcel = notice.parcel) LIMIT 5"
    )
    return wrong + [
        (short(row["parcel"]), f"INV-10: a notice ({row['purpose']}) was given up, and no case tells of it")
        for row in waiting
    ]
