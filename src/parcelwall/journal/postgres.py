"""The journal on PostgreSQL. Every function works inside the caller's transaction, on many writers at once.

Lock order of the house: parcels, stations, then writers in the order of their names.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Connection

from parcelwall import clock
from parcelwall.journal import chain
from parcelwall.journal.chain import Entry, Head
from parcelwall.journal.together import Together
from parcelwall.rules.facts import STATIONS_TELL


class Row(msgspec.Struct, frozen=True):
    """An entry with the hub's own marks: the parcel it is of, and its place in that parcel's life as the hub saw it."""

    entry: Entry
    parcel: UUID | None = None
    revision: int | None = None


# All or nothing: with some locked, waiting for others to be begun elsewhere would be a deadlock.
_LOCK = """
SELECT name, number, hash FROM writer WHERE name = ANY($1::text[])
  AND (SELECT count(*) FROM writer WHERE name = ANY($1::text[])) = cardinality($1::text[])
ORDER BY name FOR NO KEY UPDATE"""
_BEGIN = """
INSERT INTO writer (name, number, hash) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])
ON CONFLICT (name) DO NOTHING"""
_MOVE = """
UPDATE writer SET number = new.number, hash = new.hash
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS new (name, number, hash)
WHERE writer.name = new.name AND writer.number < new.number"""
# Each array by itself: one `unnest` of them all writes each aside first, which is half of what reading them costs.
_INSERT = """
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision)
SELECT writer, number, kind, happened_at::timestamptz, body, hash, $9, parcel, revision
FROM (SELECT unnest($1::text[]) AS writer, unnest($2::bigint[]) AS number, unnest($3::text[]) AS kind,
             unnest($4::text[]) AS happened_at, unnest($5::text[]) AS body, unnest($6::bytea[]) AS hash,
             unnest($7::uuid[]) AS parcel, unnest($8::int[]) AS revision) AS new"""
_SINCE = """
SELECT writer, number, kind, happened_at, body, hash FROM entry
WHERE writer = $1 AND number > $2 ORDER BY number LIMIT $3"""


async def lock_heads(connection: Connection, writers: Iterable[str]) -> dict[str, Head]:
    """The heads of these writers, locked until the transaction ends. Unknown writers begin here."""
    names = sorted(set(writers))
    rows = await connection.fetch(_LOCK, names)
    if len(rows) < len(names):
        new = [chain.start(name) for name in names]
        await connection.execute(_BEGIN, names, [head.number for head in new], [head.hash for head in new])
        rows = await connection.fetch(_LOCK, names)
    return {row["name"]: Head(row["number"], row["hash"]) for row in rows}


async def store(connection: Connection, rows: Sequence[Row], recorded_at: datetime) -> None:
    """Rows whose entries follow the locked heads without a hole; moves the heads in the same transaction."""
    together = Together()
    add_rows(together, rows, recorded_at)
    await together.run(connection)


def add_rows(together: Together, rows: Sequence[Row], recorded_at: datetime) -> None:
    """What `store` writes, to be sent together with other things."""
    entries = [row.entry for row in rows]
    if not entries:
        return
    together.add(
        _INSERT, [e.writer for e in entries], [e.number for e in entries], [e.kind for e in entries],
        [e.happened_at for e in entries], [e.body for e in entries],
        [e.hash for e in entries], [row.parcel for row in rows], [row.revision for row in rows], recorded_at,
    )  # fmt: skip
    last = {entry.writer: entry for entry in entries}
    together.add(_MOVE, list(last), [e.number for e in last.values()], [e.hash for e in last.values()])


async def head(connection: Connection, writer: str) -> Head:
    row = await connection.fetchrow("SELECT number, hash FROM writer WHERE name = $1", writer)
    return Head(row["number"], row["hash"]) if row else chain.start(writer)


async def since(connection: Connection, writer: str, after: int, limit: int = 1000) -> list[Entry]:
    """The writer's entries after a number, oldest first."""
    return [_entry(row) for row in await connection.fetch(_SINCE, writer, after, limit)]


def _entry(row) -> Entry:  # type: ignore[no-untyped-def]
    happened_at = clock.text(row["happened_at"])
    return Entry(row["writer"], row["number"], row["kind"], happened_at, row["body"], row["hash"])


# Of facts that only the hub may tell: a station's stream holds whatever its computer wrote, also one that was stolen.
OF_HUB = "left(writer, 4) = 'hub:'"

# Nothing was written down before it happened, and no station is cut off for so long and still serves: its clock is
# wrong then, by hours or in the year 1, and the hub's own is believed.
_AT = f"""CASE WHEN {OF_HUB} OR happened_at BETWEEN recorded_at - interval '100 days' AND recorded_at
  THEN happened_at ELSE recorded_at END"""
_OF_KINDS = f"""
SELECT kind, {_AT} AS at, parcel, body FROM entry WHERE kind = ANY($1::text[]) AND {_AT} >= $2
  AND ({OF_HUB} OR kind = ANY($3::text[])) ORDER BY at, writer, number"""  # noqa: S608 - a text of our own


async def of_kinds(
    connection: Connection, kinds: Sequence[str], since: datetime
) -> AsyncIterator[tuple[str, datetime, UUID | None, str]]:
    """Kind, time, parcel and body of all entries of these kinds in the order in which they happened: of kinds that only
    the hub may tell, those of its own streams. Of a station whose clock was wrong, the time is when the hub heard it.

    Reads through the whole journal, in one read-only transaction and a few thousand rows at a time: for planning, by
    night.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        theirs = [kind for kind in kinds if kind in STATIONS_TELL]
        async for row in connection.cursor(_OF_KINDS, list(kinds), since, theirs, prefetch=2000):
            yield row["kind"], row["at"], row["parcel"], row["body"]


async def count(connection: Connection, kind: str) -> int:
    """How many entries of a kind the hub has written."""
    sql = f"SELECT count(*) FROM entry WHERE kind = $1 AND {OF_HUB}"  # noqa: S608 - a text of our own
    return int(await connection.fetchval(sql, kind))
