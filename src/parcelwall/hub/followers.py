"""Followers read the journal from a cursor and do what follows from it, each entry once.

They read below the oldest running transaction, so that an entry that commits late is never skipped. What a follower
writes and its cursor move in one transaction. docs/decisions/0001.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import asyncpg
import msgspec
import structlog

from parcelwall.hub.answering import Answering
from parcelwall.journal import streams
from parcelwall.rules import facts

PAGE = 2_000
IDLE_S = 0.15

_READ = """
SELECT tx, writer, number, kind, parcel, revision FROM entry
WHERE tx >= $1 AND (tx, coalesce(revision, 0), writer, number) > ($1, $2, $3, $4)
  AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + (SELECT tx_base FROM house)
ORDER BY tx, coalesce(revision, 0), writer, number LIMIT $5"""
_BEGIN = "INSERT INTO follower (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_MINE = """
SELECT bool_and(pg_try_advisory_xact_lock(hashtext('parcelwall follower ' || name))) FROM unnest($1::text[]) AS name"""
_CURSORS = "SELECT name, tx, revision, writer, number FROM follower WHERE name = ANY($1::text[])"
_BODIES = """
SELECT writer, number, kind, body FROM entry JOIN unnest($1::text[], $2::bigint[]) AS of (writer, number)
  USING (writer, number)"""
_MOVE = "UPDATE follower SET tx = $2, revision = $3, writer = $4, number = $5 WHERE name = ANY($1::text[])"

log = structlog.get_logger()


class Followed(msgspec.Struct, frozen=True):
    """An entry as a follower sees it: what kind, of which parcel. Its body is read by who needs it.

    `parcel` is None also for a fact of a parcel that could not be read and is only kept.
    """

    writer: str
    number: int
    kind: str
    parcel: UUID | None
    revision: int | None


Handle = Callable[[asyncpg.Connection, Sequence[Followed]], Awaitable[None]]


async def facts_of(
    connection: asyncpg.Connection, entries: Sequence[Followed]
) -> dict[tuple[str, int], facts.Fact]:
    """The facts of these entries, by writer and number; without those that cannot be read: they are kept, and tell
    nobody."""
    keys = [entry.writer for entry in entries], [entry.number for entry in entries]
    found = {}
    for row in await connection.fetch(_BODIES, *keys) if entries else []:
        with contextlib.suppress(msgspec.MsgspecError):
            if fact := facts.read(row["kind"], row["body"]):
                found[row["writer"], row["number"]] = fact
    return found


async def turn(pool: asyncpg.Pool, name: str, handle: Handle) -> int:
    """One page of entries, handled. Answers how many there were; 0 also while another process is at it."""
    return await turn_together(pool, {name: handle})


async def turn_together(pool: asyncpg.Pool, handles: dict[str, Handle]) -> int:
    """One page for the followers that are furthest behind: those that are level read it once for all of them.

    An advisory lock, not a locked row: a turn that finds nothing leaves no trace in the database.
    """
    names = list(handles)
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(_MINE, names):
            return 0
        cursors = await connection.fetch(_CURSORS, names)
        if len(cursors) < len(names):
            await connection.execute(_BEGIN, names)
            cursors = await connection.fetch(_CURSORS, names)
        places = {name: tuple(place) for name, *place in (row.values() for row in cursors)}
        first = min(places.values())
        behind = [name for name in names if places[name] == first]
        rows = await connection.fetch(_READ, *first, PAGE)
        if rows:
            entries = [Followed(*list(row.values())[1:]) for row in rows]
            for name in behind:
                await handles[name](connection, entries)
            last = rows[-1]
            await connection.execute(_MOVE, behind, last["tx"], last["revision"] or 0, last["writer"], last["number"])
    return len(rows)


async def follow(pool: asyncpg.Pool, handles: dict[str, Handle]) -> None:
    """Follows for ever. A world that fails (the database restarts) is waited out; nothing is skipped."""
    while True:
        try:
            found = await turn_together(pool, handles)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as failed:
            log.warning("followers_wait", followers=list(handles), reason=type(failed).__name__)
            found = 0
            await asyncio.sleep(1.0)
        except Exception:
            found = await _each_alone(pool, handles)
            await asyncio.sleep(1.0)
        if found < PAGE:
            await asyncio.sleep(IDLE_S)


async def _each_alone(pool: asyncpg.Pool, handles: dict[str, Handle]) -> int:
    """A turn for each by itself: one that fails at an entry holds up nobody else, and says so until it is mended."""
    found = 0
    for name, handle in handles.items():
        try:
            found = max(found, await turn(pool, name, handle))
        except Exception as failed:
            log.exception("follower_fails", follower=name, reason=type(failed).__name__)
    return found


# each carrier's own gapless feed

FEED_PER_S = 1_000  # entries of one carrier between two restores; then a later epoch has all higher numbers
_NUMBER_FEED = f"""
WITH new AS (
  SELECT carrier, w.writer, w.number, row_number() OVER (PARTITION BY carrier ORDER BY w.place) AS n
  FROM unnest($1::text[], $2::bigint[], $3::uuid[]) WITH ORDINALITY AS w (writer, number, parcel, place)
  JOIN parcel ON parcel.id = w.parcel),
head AS MATERIALIZED (
  SELECT carrier, greatest((SELECT max(number) FROM feed WHERE feed.carrier = each.carrier), begun.number) AS last
  FROM (SELECT DISTINCT carrier FROM new) AS each,
       (SELECT CASE epoch WHEN 1 THEN 0 ELSE {FEED_PER_S}::bigint * epoch END AS number FROM house) AS begun)
INSERT INTO feed (carrier, number, writer, entry_number)
SELECT carrier, n + last, writer, number FROM new JOIN head USING (carrier)"""  # noqa: S608 - a number of our own


async def number_feed(connection: asyncpg.Connection, entries: Sequence[Followed]) -> None:
    """Gives every entry of a parcel the next number of its carrier's feed. A hub that was restored has forgotten how
    far it had counted, and carriers ask for what follows the last number they have seen: so it counts on above all that
    it can have given, as it does with its streams."""
    of_parcels = [entry for entry in entries if entry.parcel is not None]
    await connection.execute(
        _NUMBER_FEED, [e.writer for e in of_parcels], [e.number for e in of_parcels], [e.parcel for e in of_parcels]
    )


async def number_and_ring(connection: asyncpg.Connection, entries: Sequence[Followed]) -> None:
    """The feed's numbers, and the news for live pages: one reading of the journal for both."""
    await number_feed(connection, entries)
    await ring(connection, entries)


# what is shown live

CHANNEL = "parcelwall_live"
ORDERS = "parcelwall_orders"  # hub/orders.py: kept by nobody
MOST_KEYS = 150  # a notification holds 8,000 bytes
FOLLOWED = frozenset({"AdmissionAdopted", "PolicyAdopted", "SiteNoted", "TableAdopted"})  # all processes go by these


async def ring(connection: asyncpg.Connection, entries: Sequence[Followed]) -> None:
    """Tells all hub processes which parcels and stations have news. Ids only, outside the writing transaction."""
    parcels = {str(entry.parcel) for entry in entries if entry.parcel}
    office = {Bells.EVERYTHING} if any(entry.kind in FOLLOWED for entry in entries) else set()  # of no station, most
    stations = {key for writer in {entry.writer for entry in entries} if (key := _key_of(writer))}
    keys = sorted(parcels | stations | office)
    for start in range(0, len(keys), MOST_KEYS):
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, ",".join(keys[start : start + MOST_KEYS]))


def _key_of(writer: str) -> str:
    """The station that the hub wrote this for, whose line ships it; `by/` and the station that wrote it; else none."""
    station = streams.station_of(writer)
    return "" if station is None else station if streams.is_hubs(writer) else f"by/{station}"


class Bells:
    """Wakes whoever waits for news of a parcel or a station in this process."""

    EVERYTHING = "*"

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}
        self.ordered: Callable[[str], None] = lambda _: None  # what another process asks of a line that may end here
        self.told: Callable[[Sequence[str]], None] = lambda _: None  # under which keys there is news, each time
        self.hears: Callable[[bool], None] = lambda _: None  # whether all news comes from now on

    def ring(self, keys: Sequence[str]) -> None:
        self.told(keys)
        for key in (*keys, self.EVERYTHING):
            for event in self._events.get(key, ()):
                event.set()

    def hang(self, key: str, event: asyncio.Event | None = None) -> asyncio.Event:
        """An event that is set at every ring for `key`; take it down again with `take_down`. One may hang under several
        keys."""
        event = event or asyncio.Event()
        self._events.setdefault(key, set()).add(event)
        return event

    def take_down(self, key: str, event: asyncio.Event) -> None:
        hung = self._events.get(key, set())
        hung.discard(event)
        if not hung:
            self._events.pop(key, None)

    async def listen(self, dsn: str, answering: Answering | None = None) -> None:
        """Rings for what any hub process's follower notifies; connects again for ever. What is not answered on the way
        is silent for all of this process."""
        answering = answering or Answering()
        while True:
            try:
                async with answering.beginning(dsn) as connection:
                    await connection.add_listener(CHANNEL, lambda *got: self.ring(got[3].split(",")))
                    await connection.add_listener(ORDERS, lambda *got: self.ordered(got[3]))
                connection.add_termination_listener(lambda _: self.hears(False))
                self.hears(not connection.is_closed())
                self.ring([key for key in self._events if key != self.EVERYTHING])
                await answering.watch(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(1.0)
            finally:
                self.hears(False)
