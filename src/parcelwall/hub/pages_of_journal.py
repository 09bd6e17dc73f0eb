"""The journal as people leaf through it: one station's streams, newest first, with both clocks and the hashes."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import WRITTEN_BY, WRITTEN_FOR
from parcelwall.journal import chain
from parcelwall.journal.chain import Broken, Entry, Head

ON_A_PAGE = 50
LOOKED_BACK = 50_000  # entries that a page of one kind looks through: weeks of a station's
NEWEST = 2**62

_WRITERS = f"""
SELECT name, number, hash FROM writer WHERE name = ANY(ARRAY({WRITTEN_BY} UNION {WRITTEN_FOR}))
ORDER BY name LIKE 'hub:%', name DESC"""  # noqa: S608 - a text of our own
_PAGE = """
SELECT writer, number, kind, happened_at, recorded_at, body, hash, parcel FROM entry
WHERE writer = $1 AND number < $2 AND number >= $2 - $3::bigint AND ($4 = '' OR kind = $4)
ORDER BY number DESC LIMIT $5"""
# The index of `recorded_at` tells ranges apart, not rows: a page looks through hours or days, never through all.
_ACROSS = f"""
SELECT writer, number, kind, happened_at, recorded_at, body, hash, parcel FROM entry
WHERE recorded_at > $1 AND recorded_at <= $2 AND (recorded_at, writer, number) < ($2, $3, $4)
  AND ($5 = '' OR kind = $5) AND ($6::text[] = '{{}}' OR writer = ANY(ARRAY(
    {WRITTEN_BY.replace("$1", "$6")} UNION {WRITTEN_FOR.replace("$1", "$6")})))
  AND kind <> ALL($8::text[])
ORDER BY recorded_at DESC, writer DESC, number DESC LIMIT $7"""  # noqa: S608 - the same
_UNTIL = "SELECT number FROM entry WHERE writer = $1 AND happened_at <= $2 ORDER BY number DESC LIMIT 1"
_BEFORE = "SELECT hash FROM entry WHERE writer = $1 AND number = $2"


class Written(msgspec.Struct, frozen=True):
    """One entry as it is shown. `body` is the whole fact, for its words; no entry holds anybody's name or code."""

    number: int
    kind: str
    happened_at: datetime
    recorded_at: datetime
    hash: str
    door: int | None = None
    parcel: UUID | None = None
    body: dict[str, Any] = {}


class Stream(msgspec.Struct, frozen=True):
    """One writer's entries as far as they are here: how many, and the hash of the last."""

    writer: str
    number: int
    hash: str


class Leaf(msgspec.Struct, frozen=True):
    """A page. `whole`: its hashes follow from each other; None where a kind was picked out, and nothing can follow."""

    stream: Stream
    entries: tuple[Written, ...]
    older: int | None
    whole: bool | None


async def streams_of(hub: Hub, station: str) -> list[Stream]:
    """What a station wrote, newest life first, and what the hub wrote for it. Raises Refusal for an unknown station."""
    if station not in hub.stations.known:
        raise Refusal("station_unknown", station=station)
    rows = await hub.pool.fetch(_WRITERS, [station])
    return [Stream(row["name"], row["number"], row["hash"].hex()) for row in rows]


async def leaf(hub: Hub, stream: Stream, before: int = NEWEST, kind: str = "", back: int = LOOKED_BACK) -> Leaf:
    """The entries of a stream below a number, newest first; of one kind, if one is named, looking through so many."""
    upper = min(before, stream.number + 1)
    rows = await hub.pool.fetch(_PAGE, stream.writer, upper, back, kind, ON_A_PAGE)
    # A kind that is rare may begin farther back than was looked: then the next leaf goes on from there.
    end = rows[-1]["number"] if len(rows) == ON_A_PAGE else upper - back
    older = end if end > 1 else None
    return Leaf(stream, tuple(map(_written, rows)), older, None if kind else await _is_whole(hub, stream.writer, rows))


async def reached(hub: Hub, stream: Stream, until: datetime) -> int:
    """The number of the newest entry of a stream that had happened by then, on the clock of who wrote it; else 0."""
    return int(await hub.pool.fetchval(_UNTIL, stream.writer, until) or 0)


class Place(msgspec.Struct, frozen=True):
    """Where a leaf of the journal of all goes on: below the entry that came at this time, of this writer and number; of
    no writer: before this time."""

    at: datetime
    writer: str = ""
    number: int = 0


class Across(msgspec.Struct, frozen=True):
    """What came from all writers of an area: a leaf of it, each entry with its writer, and where the next goes on."""

    entries: tuple[tuple[str, Written], ...]
    older: Place | None


async def across(
    hub: Hub, area: Collection[str], since: datetime, below: Place, kind: str = "", without: Collection[str] = ()
) -> Across:  # fmt: skip
    """What came here since then and below a place, newest first, from stations of an area and for them; from everybody
    if none is named. `without` some kinds. In the order in which it came here, as nothing else has an index."""
    rows = await hub.pool.fetch(
        _ACROSS, since, below.at, below.writer, below.number, kind, sorted(area), ON_A_PAGE + 1, list(without)
    )
    shown = rows[:ON_A_PAGE]
    last = shown[-1] if len(rows) > ON_A_PAGE else None
    older = Place(last["recorded_at"], last["writer"], last["number"]) if last else None
    return Across(tuple((row["writer"], _written(row)) for row in shown), older)


async def _is_whole(hub: Hub, writer: str, rows: list[Any]) -> bool:
    """Whether each hash follows from the one before, and the first from what stands on the next page."""
    entries = [
        Entry(writer, row["number"], row["kind"], clock.text(row["happened_at"]), row["body"], row["hash"])
        for row in reversed(rows)
    ]
    if not entries:
        return True
    number = entries[0].number - 1
    known = await hub.pool.fetchval(_BEFORE, writer, number) if number else chain.start(writer).hash
    try:
        chain.follow(Head(number, known or b""), entries)
    except Broken:
        return False
    return True


def _written(row: Any) -> Written:
    body = msgspec.json.decode(row["body"])
    return Written(row["number"], row["kind"], row["happened_at"], row["recorded_at"], row["hash"].hex(),
                   body.get("compartment"), row["parcel"], body)  # fmt: skip
