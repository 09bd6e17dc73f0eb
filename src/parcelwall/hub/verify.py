"""`parcelwall verify` upstairs: the chain holds, the tables are the fold of the journal and nothing else, and the
invariants are true. Answers differences in the order found; an empty list is a clean hub."""

import heapq
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from parcelwall import clock
from parcelwall.hub import transactions
from parcelwall.hub.database import take_its_time
from parcelwall.hub.followers import FEED_PER_S
from parcelwall.hub.sitting import read_parcel, write_parcel
from parcelwall.hub.verify_promises import promises
from parcelwall.hub.verify_reading import UNREAD, Kept, Reading, as_learnt
from parcelwall.journal import chain, streams
from parcelwall.journal.chain import Broken, Entry, Head
from parcelwall.rules import facts
from parcelwall.rules.book import Book, CaseFile, Learned
from parcelwall.rules.decide import looks_after
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import ENDED, INSIDE, Parcel, Stage
from parcelwall.rules.personal import told_of_people
from parcelwall.rules.places import bits, promises_fit, read_room, write_room
from parcelwall.rules.policy import Policy

PAGE = 2000
FORGOTTEN_AFTER = timedelta(hours=24)  # past its due date, while the hub was at work
AT_WORK = timedelta(minutes=10)  # a hub that wrote something so long ago, and again since, has swept in between

NOT_LEARNT_AGAIN = (facts.StationConfigured, facts.StationEnrolled)  # of what is given back to a restored hub
DECIDED = (
    facts.Announced, facts.Reserved, facts.Lapsed, facts.Cancelled, facts.Diverted, facts.Extended, facts.Expired,
    facts.CodeRenewed, facts.WrittenOff,
)  # fmt: skip


async def verify_hub(pool: asyncpg.Pool) -> list[str]:
    """Every difference, the first one first."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await take_its_time(connection)
        kept: dict[str, list[Kept]] = {}
        wrong = [text async for text in _chains(connection, kept)]
        if wrong:
            return wrong
        reading = Reading()
        reading.note_epochs(kept)
        wrong = [*_fold(as_learnt(kept, await connection.fetch(UNREAD)), reading)]
        wrong += [text async for text in _tables(connection, reading)]
        wrong += invariants(reading.book, max((each.overbook for each in reading.policies.values()), default=0))
        wrong += _surprises(reading)
        wrong += promises(reading)
        wrong += _forgotten(reading, kept)
        return wrong + [text async for text in _followers(connection)]


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
        head = heads.get(writer, chain.start(writer))
        if head.number != end.number:
            yield f"chain: {writer} ends with number {end.number}, its head says {head.number}"
        elif head != end:
            yield f"chain: {writer} ends with another hash than its head says"


async def _entries(connection: asyncpg.Connection, writer: str) -> AsyncIterator[Kept]:
    query = """SELECT writer, number, kind, happened_at, body, hash, parcel, revision, recorded_at, tx FROM entry
               WHERE writer = $1 AND number > $2 ORDER BY number LIMIT $3"""
    after: int = 0
    while rows := await connection.fetch(query, writer, after, PAGE):
        for row in rows:
            entry = Entry(writer, row["number"], row["kind"], clock.text(row["happened_at"]), row["body"], row["hash"])
            yield Kept(entry, row["parcel"], row["revision"], row["recorded_at"], row["tx"])
        after = rows[-1]["number"]


def _fold(kept: dict[str, list[Kept]], reading: Reading) -> Iterator[str]:
    """Learns everything in an order that keeps each writer's numbers and each parcel's revisions. What neither orders,
    such as a layout and what its station tells of it, goes by the time of recording. A new epoch's stream is begun when
    the one before has come to where the backup ended."""
    queues = {stream: deque(rows) for stream, rows in kept.items() if rows}
    waiting = {before: list(after) for before, after in reading.next_streams.items() if before in queues}
    blocked: dict[tuple[UUID, int], str] = {}
    revisions = reading.revisions
    later = {writer for after in waiting.values() for writer in after}
    ready: list[tuple[datetime, int, str]] = []  # heads of streams, the one that was recorded first on top

    def begin(*writers: str) -> None:
        for writer in writers:
            queue = queues[writer]
            if queue:
                heapq.heappush(ready, (queue[0].recorded_at, queue[0].tx, writer))
            if not queue or reading.was_given_back(queue[0].entry):
                begin(*waiting.pop(writer, ()))

    begin(*(writer for writer in queues if writer not in later))
    while ready:
        writer = heapq.heappop(ready)[-1]
        queue = queues[writer]
        row = queue[0]
        if row.parcel is not None and row.revision != revisions.get(row.parcel, 0) + 1:
            blocked[row.parcel, row.revision or 0] = writer
            continue
        queue.popleft()
        yield from _learn(row, row.entry.writer, reading)
        if row.parcel is not None:
            revisions[row.parcel] = row.revision or 0
            if behind := blocked.pop((row.parcel, revisions[row.parcel] + 1), None):
                begin(behind)
        begin(writer)
    yield from _out_of_order(queues, revisions)


def _out_of_order(queues: dict[str, deque[Kept]], revisions: dict[UUID, int]) -> Iterator[str]:
    for row in (queue[0] for queue in queues.values() if queue):
        yield f"order: {row.name} is revision {row.revision} of parcel {row.parcel}, " \
              f"after revision {revisions.get(row.parcel, 0) if row.parcel else 0}"  # fmt: skip


def _learn(row: Kept, writer: str, reading: Reading) -> Iterator[str]:
    entry = row.entry
    of_hub = streams.is_hubs(writer)
    allowed = facts.HUB_KINDS if of_hub else facts.STATION_KINDS
    kind = facts.KINDS.get(entry.kind)
    if kind is None:
        return  # a newer writer's: kept as it came
    if kind not in allowed:
        if of_hub:
            yield f"INV-07: {row.name} is of kind {entry.kind}, which only a station writes"
        return  # kept as it came; a case was opened for it
    try:
        fact = facts.read(entry.kind, entry.body)
    except msgspec.DecodeError:
        return
    station = None if of_hub else streams.station_of(writer)
    if fact is None or (not of_hub and getattr(fact, "station", station) not in (None, station)):
        return
    if isinstance(fact, facts.ParcelFact) and fact.parcel != row.parcel:
        yield f"entry: {row.name} is filed under parcel {row.parcel}, it speaks of {fact.parcel}"
    if reading.was_given_back(entry):
        learned = reading.book.learn_again(fact, clock.parse(entry.happened_at))
    else:
        learned = reading.book.learn(fact, clock.parse(entry.happened_at), station)
    if not (reading.was_given_back(entry) and isinstance(fact, NOT_LEARNT_AGAIN)):
        reading.note(row, fact, streams.station_of(writer))
    yield from _judge(row, fact, learned, reading)


def _judge(row: Kept, fact: Fact, learned: Learned, reading: Reading) -> Iterator[str]:
    """What can be told of one entry at the moment it is learnt."""
    if found := told_of_people(row.entry.kind, row.entry.body):
        yield f"INV-11: {row.name} holds what looks like {found}"
    decided = isinstance(fact, DECIDED) and not reading.was_given_back(row.entry)
    if decided and learned.before is not None and learned.before == learned.after:
        stage = learned.before.stage
        yield f"INV-08: {row.name} ({fact.kind}) changed nothing at parcel {row.parcel}, which was {stage}"
    if learned.surprise and row.parcel:
        reading.surprises.append((row, row.parcel, learned.surprise.about))
    at = clock.parse(row.entry.happened_at)
    if isinstance(fact, facts.Lapsed):
        reading.lapsed.add(fact.reservation)
        ended = learned.before if learned.before and learned.before.reservation == fact.reservation else None
        if ended and ended.deposit_by and at < ended.deposit_by:
            yield f"INV-03: {row.name} gives back room of parcel {row.parcel} before its time"
    if isinstance(fact, facts.DOOR_KINDS):
        yield from _judge_door(row, fact, at, reading)


def _judge_door(row: Kept, fact: Any, at: datetime, reading: Reading) -> Iterator[str]:
    """A door's fact names a promise that was made for this parcel at this station, and had not been given away."""
    parcel, station, deposit_by = reading.promised.get(fact.reservation, (None, None, None))
    if (parcel, station) != (fact.parcel, fact.station):
        yield f"INV-05: {row.name} ({fact.kind}) names reservation {fact.reservation}, never promised to it here"
    given_away = isinstance(fact, facts.Deposited) and fact.reservation in reading.lapsed
    if given_away and deposit_by and at <= deposit_by and not _case(reading.book, fact.parcel, "lapsed_while_silent"):
        yield f"INV-03: the room of parcel {fact.parcel} was given back before {station} was heard of: it came in time"


def _case(book: Book, parcel: UUID, about: str) -> bool:
    return any(case.parcel == parcel and case.about == about for case in book.cases.values())


def _surprises(reading: Reading) -> Iterator[str]:
    for row, parcel, about in reading.surprises:
        if not _case(reading.book, parcel, about):
            yield f"INV-02: {row.name}: {about.replace('_', ' ')} of parcel {parcel}, and no case was opened"


async def _tables(connection: asyncpg.Connection, reading: Reading) -> AsyncIterator[str]:
    book = reading.book
    async for text in _parcels(connection, reading):
        yield text
    async for text in _stations(connection, reading):
        yield text
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


async def _stations(connection: asyncpg.Connection, reading: Reading) -> AsyncIterator[str]:
    query = """SELECT id, name, lat, lon, record, room, public_key FROM station
               LEFT JOIN station_identity ON station = id ORDER BY id"""
    missing = dict(reading.configured)
    for row in await connection.fetch(query):
        about, room = missing.pop(row["id"], None), reading.book.rooms.get(row["id"])
        if about is None or room is None:
            yield f"table station, {row['id']}: stored, but no entry tells of it"
            continue
        follows = {"name": about.name, "lat": about.lat, "lon": about.lon, "record": facts.body(about),
                   "public_key": reading.keys.get(row["id"])}  # fmt: skip
        for name, value in follows.items():
            if row[name] != value:
                yield f"table station, {row['id']}, {name}: {row[name]} is stored, {value} follows from the journal"
        if read_room(row["room"]) != room:
            yield f"table station, {row['id']}, room: {row['room']} is stored, {write_room(room)} follows"
    for name in missing:
        yield f"table station, {name}: the journal tells of it, no row is stored"


_COLUMNS = ("carrier", "reference", "stage", "station", "reservation", "compartment", "due", "contested", "label")


async def _parcels(connection: asyncpg.Connection, reading: Reading) -> AsyncIterator[str]:
    missing = dict(reading.book.parcels)
    async for row in connection.cursor("SELECT * FROM parcel ORDER BY id"):
        parcel = missing.pop(row["id"], None)
        if parcel is None:
            yield f"table parcel, {row['id']}: stored, but no entry tells of it"
            continue
        expected: dict[str, Any] = {name: getattr(parcel, name) for name in _COLUMNS}
        expected |= {"record": write_parcel(parcel), "revision": reading.revisions[parcel.id]}
        expected["reference"] = expected["reference"] or str(parcel.id)
        for name, value in expected.items():
            if row[name] != value and not (name == "record" and _says(row[name], parcel)):
                stored, follows = _shorter(row[name], value) if name == "record" else (row[name], value)
                yield f"table parcel, {row['id']}, {name}: {stored} is stored, {follows} follows from the journal"
                break
    for parcel_id in missing:
        yield f"table parcel, {parcel_id}: the journal tells of it, no row is stored"


def _says(stored: str, parcel: Parcel) -> bool:
    """Whether a record says this, if in the words of an older version, which had not all its fields."""
    try:
        return read_parcel(stored) == parcel
    except msgspec.DecodeError:
        return False


def _shorter(stored: str, follows: str) -> tuple[object, object]:
    """Of two records only the fields that differ."""
    try:
        a, b = msgspec.json.decode(stored, type=dict[str, Any]), msgspec.json.decode(follows, type=dict[str, Any])
    except msgspec.DecodeError:
        return stored, follows
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    return {name: a.get(name) for name in names}, {name: b.get(name) for name in names}


def invariants(book: Book, overbook: int = 0) -> Iterator[str]:
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
        room = book.rooms[station]
        if promises_fit(plan, room, overbook):
            continue
        taken_away = _taken_away(book, station) | {plan.number(place) for place in bits(room.held | room.broken)}
        allowed = overbook + len(taken_away) + _promised_twice(book, station)
        if not promises_fit(plan, room, allowed):
            yield f"INV-03: promises at {station} do not fit its free compartments, nor with the {len(taken_away)} " \
                  "that doors and people took away since"  # fmt: skip


def _promised_twice(book: Book, station: str) -> int:
    """How many promises are older than an open case that says that room was promised twice here, in a time that a
    restored hub has lost. Those made since find no excuse in it."""
    told = (case.opened_at for case in book.cases.values()
            if (case.about, case.station, case.closed_at) == ("short_of_room", station, None))  # fmt: skip
    last = max(told, default=None)
    if last is None:
        return 0
    promised = (each.announced_at for each in book.parcels.values()
                if each.station == station and each.stage == Stage.RESERVED)  # fmt: skip
    return sum(at is None or at <= last for at in promised)


def _taken_away(book: Book, station: str) -> set[int]:
    """The compartments that cases have taken away from promises in force: those that such a case holds, or held when
    the oldest of these parcels was announced or later, and those of parcels of which a case tells."""
    here = [each for each in book.parcels.values() if each.station == station]
    promised = (each.announced_at for each in here if each.stage == Stage.RESERVED)
    since = min((at for at in promised if at), default=None)
    cases = [case for case in book.cases.values() if case.station == station]
    held = {
        case.compartment for case in cases
        if case.holds and (case.closed_at is None or (since is not None and case.closed_at >= since))
    }  # fmt: skip
    told_of = {case.parcel for case in cases}
    inside = {each.compartment for each in here if each.stage in INSIDE and each.id in told_of}
    return {each for each in held | inside if each is not None}


def _forgotten(reading: Reading, kept: dict[str, list[Kept]]) -> Iterator[str]:
    """INV-10: nothing is long past its due date without a case, as far as the hub was at work since."""
    times = [row.recorded_at for rows in kept.values() for row in rows]
    if not times:
        return
    newest = max(times)
    at_work = max((when for when in times if when <= newest - AT_WORK), default=newest - AT_WORK)
    silence = max((p.lapse_silence_hours for p in reading.policies.values()), default=Policy().lapse_silence_hours)
    cases: dict[UUID | None, list[CaseFile]] = {}
    for case in reading.book.cases.values():
        cases.setdefault(case.parcel, []).append(case)
    for parcel in reading.book.parcels.values():
        patience = FORGOTTEN_AFTER + (timedelta(hours=silence) if parcel.stage == Stage.RESERVED else timedelta(0))
        before, known = at_work - patience, cases.get(parcel.id, ())
        if parcel.due and parcel.due < before and not any(looks_after(each, parcel, before) for each in known):
            yield f"INV-10: parcel {parcel.id} is {parcel.stage} and was due on {clock.text(parcel.due)}: forgotten"


_PASSED = """
SELECT e.writer, e.number FROM entry e, follower f
WHERE f.name = 'feed' AND e.parcel IS NOT NULL
  AND (e.tx, coalesce(e.revision, 0), e.writer, e.number) <= (f.tx, f.revision, f.writer, f.number)
  AND NOT EXISTS (SELECT FROM feed WHERE feed.writer = e.writer AND feed.entry_number = e.number)
ORDER BY e.tx, coalesce(e.revision, 0), e.writer, e.number LIMIT 1"""
_AHEAD = """
SELECT 'the cursor of ' || name AS what, tx FROM follower WHERE tx >= $1 UNION ALL
(SELECT writer || ' number ' || number, tx FROM entry WHERE tx >= $1 ORDER BY tx DESC LIMIT 1) ORDER BY what"""
_HOLES = f"""
SELECT DISTINCT ON (carrier) carrier, number, before FROM (
  SELECT carrier, number, coalesce(lag(number) OVER (PARTITION BY carrier ORDER BY number), 0) AS before FROM feed) each
WHERE number <> before + 1 AND NOT EXISTS (
  SELECT FROM writer WHERE name LIKE 'hub:%' AND number > 1
    AND {FEED_PER_S}::bigint * split_part(substr(name, 5), '/', 1)::bigint + 1 = each.number)
ORDER BY carrier, number"""  # noqa: S608 - a number of our own
_STRAY = """
SELECT n.writer, n.number, n.purpose FROM notice n LEFT JOIN entry e ON e.writer = n.writer AND e.number = n.number
WHERE CASE n.purpose WHEN 'opened_by_us' THEN e.kind IS DISTINCT FROM 'OrderAnswered'
  WHEN 'code_drawn' THEN e.kind IS DISTINCT FROM 'Granted'
  WHEN 'looked_after' THEN e.kind IS DISTINCT FROM 'CaseNoted'
  ELSE e.parcel IS DISTINCT FROM n.parcel END ORDER BY 1, 2 LIMIT 1"""


async def _followers(connection: asyncpg.Connection) -> AsyncIterator[str]:
    """INV-08: what followers have passed they have done, and what they did follows from an entry."""
    following = await connection.fetchval(transactions.NEXT)
    for row in await connection.fetch(_AHEAD, following):
        yield f"INV-08: {row['what']} stands at transaction {row['tx']}, the next one is {following}: what is " \
              "written now is told to nobody. Stop every hub process and start them anew"  # fmt: skip
    for row in await connection.fetch(_PASSED):
        yield f"INV-08: the feed's cursor has passed {row['writer']} number {row['number']}, which is in no feed"
    for row in await connection.fetch(_HOLES):
        yield f"INV-08: the feed of {row['carrier']} has number {row['number']} after {row['before']}"
    for row in await connection.fetch(_STRAY):
        yield f"INV-08: a notice ({row['purpose']}) names {row['writer']} number {row['number']}, not of its parcel"
