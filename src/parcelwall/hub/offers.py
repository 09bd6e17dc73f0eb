"""Offers at order time: the stations near a place, with the chance of room, answered from tables without a lock.

Requests that arrive together read their rows together. What was offered is kept in batches, a moment later: an offer
is advice, and losing the last second of them in a crash loses no promise.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol
from uuid import UUID

import asyncpg
import msgspec

from parcelwall.clock import Clock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import followers, rooms
from parcelwall.hub.admission import heads_at
from parcelwall.hub.lanes import LOST, Lane
from parcelwall.hub.stations import Stations
from parcelwall.hub.tables import Tables
from parcelwall.ids import Ids
from parcelwall.rules import admission, decide, offers, tables
from parcelwall.rules.life import Parcel
from parcelwall.rules.offers import Offer, OtherWay, Ready, RoomTable, Standing
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow, Told

WITHIN_KM = 25.0
AT_ONCE = 64
WRITE_EVERY_S = 1.0
MOST_KEPT = 20_000  # offers that wait to be written; more are dropped and counted
Heads = Mapping[str, Sequence[admission.Kind]]

_CHOSE = "UPDATE offer SET chosen = $2 WHERE id = $1 AND carrier = $3 AND $2 = ANY(stations) AND chosen IS NULL"
_ADOPT = """
INSERT INTO learnt SELECT *, $4::timestamptz FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, adopted_at = excluded.adopted_at"""


class Wanted(msgspec.Struct, frozen=True):
    """What an offer is asked for: a parcel as it would be announced, and a place (lat, lon) in degrees."""

    order: decide.Order
    place: tuple[float, float]
    most: int = offers.SHOWN


class Offered(msgspec.Struct, kw_only=True):
    """The answer. `id` names it when one of its stations is reserved."""

    id: UUID
    as_of: datetime
    arrival: datetime
    offers: list[Offer]
    other_way: OtherWay | None


class _Ask(msgspec.Struct):
    wanted: Wanted
    parcel: Parcel
    near: list[tuple[str, float]]


class _Kept(msgspec.Struct, frozen=True, gc=False):
    """An offer as its row holds it; lists are by station, best first."""

    id: UUID
    offered_at: datetime
    arrival: datetime
    carrier: str
    stations: list[str]
    sizes: list[str]
    chances: list[float | None]
    reasons: list[str]
    service: str
    seconds: list[str]
    ready_since: list[datetime | None]
    ready_by: list[datetime | None]


_COLUMNS = ", ".join(_Kept.__struct_fields__)
_TOLD = f"SELECT {_COLUMNS} FROM offer WHERE id = $1"  # noqa: S608, names of our own
_KEEP = f"""
INSERT INTO offer ({_COLUMNS})
SELECT {_COLUMNS} FROM json_populate_recordset(null::offer, $1::json) ON CONFLICT DO NOTHING"""  # noqa: S608, the same


class InForce(Protocol):
    """What decides: the policy, the rows of admission, and whether the hub can verify people."""

    policy: Policy
    rows: tuple[AdmissionRow, ...]
    verifies: bool


class Offers:
    """Makes offers for one hub process. `visits` knows when couriers come, `in_force` has what its desk decides by."""

    def __init__(
        self, pool: asyncpg.Pool, clock: Clock, ids: Ids, stations: Stations, visits: Tables, in_force: InForce
    ) -> None:
        self._pool, self._clock, self._ids, self._stations, self._in_force = pool, clock, ids, stations, in_force
        self._visits = visits
        self._lane: Lane[_Ask, Offered] = Lane(self._serve, lambda _: 1, AT_ONCE)
        self._kept: dict[UUID, _Kept] = {}
        self._writing: dict[UUID, _Kept] = {}
        self._chosen: list[tuple[UUID, str, str]] = []
        self.rooms = rooms.Rooms(pool, clock)
        self.dropped = 0

    async def offer(self, wanted: Wanted) -> Offered:
        """Offers, best first. Raises Refusal for sides that cannot be or a time too far ahead; Trouble if the database
        cannot be reached."""
        return await self.put(wanted)

    def put(self, wanted: Wanted) -> asyncio.Future[Offered]:
        """The same, to be waited for. Raises Refusal at once."""
        decide.refuse_confused_units(wanted.order)
        decide.refuse_unverifiable(wanted.order.proof, self._in_force.verifies)
        order, now = wanted.order, self._clock.now()
        parcel = Parcel(
            id=self._ids.new(), carrier=order.carrier, length_mm=order.length_mm, width_mm=order.width_mm,
            height_mm=order.height_mm, weight_g=order.weight_g, climate=order.climate, proof=order.proof,
            reach=order.reach, expected_at=order.expected_at, service=order.service,
        )  # fmt: skip
        decide.refuse_reserve(parcel, now, self._in_force.policy)
        near = self._stations.near(wanted.place, WITHIN_KM, wanted.most)
        return self._lane.put(_Ask(wanted, parcel, near))

    async def _serve(self, asks: Sequence[_Ask]) -> list[Offered | Exception]:
        names = {station for ask in asks for station, _ in ask.near}
        known = await self.rooms.look(names)
        now, rows = self._clock.now(), self._in_force.rows
        counted = [name for name in names if admission.counts_heads(rows, name)] if rows else []
        heads = await heads_at(self._pool, self._stations, counted) if counted else {}
        return [self._answered(ask, known, heads, now) for ask in asks]

    def _answered(
        self, ask: _Ask, known: dict[str, rooms.Remembered], heads: Heads, now: datetime
    ) -> Offered | Exception:
        """The answer, or what came in its way: that is told to its asker, and those that came in with it are served."""
        try:
            return self._answer(ask, known, heads, now)
        except Exception as failed:
            return failed

    def _answer(self, ask: _Ask, known: dict[str, rooms.Remembered], heads: Heads, now: datetime) -> Offered:
        parcel, policy = ask.parcel, self._in_force.policy
        arrival = max(now, parcel.expected_at or now)
        standings, stated = [], _ready(None, parcel, now, policy)
        for station, metres in ask.near:
            row, here = known.get(station), self._stations.known[station]
            if row is not None:
                calendar = self._visits.calendars.get((station, parcel.carrier))
                is_open = row.in_service and here.permitted(now, policy)
                ready = stated if calendar is None else _ready(calendar, parcel, now, policy)
                standings.append(Standing(station, here.place, metres, here.plan, row.room, is_open, row.table,
                                          ready, here.about.zone, heads.get(station, ())))  # fmt: skip
        made, other_way = offers.rank_offers(parcel, standings, arrival, now, policy, self._in_force.rows)
        self._keep(parcel, now, arrival, made)
        return Offered(id=parcel.id, as_of=now, arrival=arrival, offers=made, other_way=other_way)

    def _keep(self, parcel: Parcel, now: datetime, arrival: datetime, made: Sequence[Offer]) -> None:
        if len(self._kept) >= MOST_KEPT:
            self.dropped += 1
            return
        self._kept[parcel.id] = _Kept(
            parcel.id, now, arrival, parcel.carrier, [o.station for o in made], [o.size or "" for o in made],
            [o.probability for o in made], [o.reason or "" for o in made], parcel.service,
            [o.second.station if o.second else "" for o in made],
            [o.ready.since if o.ready else None for o in made], [o.ready.by if o.ready else None for o in made],
        )  # fmt: skip

    async def told(self, offer: UUID, carrier: str) -> dict[str, Told]:
        """What this carrier's offer had said, by station; nothing of one that is not known (another process writes
        its offers a second later, a crash loses the last of them)."""
        kept = self._kept.get(offer) or self._writing.get(offer) or await self._read(offer)
        if kept is None or kept.carrier != carrier:
            return {}
        columns = zip(kept.stations, kept.chances, kept.reasons, kept.seconds, kept.ready_since, kept.ready_by,
                      strict=False)  # older ones lack the last three  # fmt: skip
        return {station: Told(chance=chance if chance is None else round(chance, 3), second=second, since=since, by=by)
                for station, chance, reason, second, since, by in columns if not reason}  # fmt: skip

    async def _read(self, offer: UUID) -> _Kept | None:
        row = await self._pool.fetchrow(_TOLD, offer)
        return _Kept(*row) if row else None

    def chose(self, offer: UUID, station: str, carrier: str) -> None:
        """One of an offer's stations was reserved."""
        self._chosen.append((offer, station, carrier))

    async def write(self) -> None:
        """Keeps what was offered and chosen since; offers first."""
        self._writing, self._kept = self._kept, {}
        chosen, self._chosen = self._chosen, []
        try:
            if self._writing or chosen:
                async with self._pool.acquire() as connection, connection.transaction():
                    # One text, since the driver's arrays take a fifth of the process and hold up everybody meanwhile.
                    await connection.execute(_KEEP, msgspec.json.encode(list(self._writing.values())).decode())
                    await connection.executemany(_CHOSE, chosen)
        except LOST:
            self._keep_for_later(chosen)
            raise
        except asyncpg.PostgresError:
            self.dropped += len(self._writing)
            raise
        finally:
            self._writing = {}

    def _keep_for_later(self, chosen: list[tuple[UUID, str, str]]) -> None:
        """The database is away: what was to be written waits, as much of it as may be kept."""
        room = max(0, MOST_KEPT - len(self._kept))
        self.dropped += max(0, len(self._writing) - room)
        self._kept = dict(islice(self._writing.items(), room)) | self._kept
        self._chosen = [*chosen, *self._chosen][-MOST_KEPT:]

    async def run(self) -> None:
        """Writes once a second, until it is cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self.write()
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self.write()

    async def close(self) -> None:
        await self._lane.close()


def _ready(calendar: tables.VisitCalendar | None, parcel: Parcel, now: datetime, policy: Policy) -> Ready:
    """From the courier's own visits there, if an adopted calendar knows; else the window that a promise would state."""
    if calendar is not None:
        window = tables.ready_window(calendar, "announced", now, now.date(), expected_at=parcel.expected_at)
        if window is not None:
            return Ready(window.since, window.until, "visits")
    since = max(now, parcel.expected_at or now)
    return Ready(since, since + timedelta(hours=policy.deposit_window_hours), "stated")


async def adopt(
    connection: asyncpg.Connection, stations: Stations, lines: Sequence[bytes], now: datetime
) -> dict[str, int]:
    """Takes the tables of a plan file, one JSON object a line, into use; answers how many of each kind.

    Raises Refusal, and takes none, if a line is no table that the hub reads, or of a station or sizes that there are
    not. Raises Trouble for an empty file.
    """
    rows = [_table(line, number, stations) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise Trouble("the plan file holds no table")
    kinds = [kind for kind, _, _ in rows]
    learnt = [row for row in rows if row[0] != "AdmissionRow"]  # those stand in the journal alone
    await connection.execute(_ADOPT, *([row[i] for row in learnt] for i in range(3)), now)
    await connection.execute("SELECT pg_notify($1, $2)", followers.CHANNEL, rooms.LEARNT)
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _table(line: bytes, number: int, stations: Stations) -> tuple[str, str, str]:
    try:
        found = msgspec.json.decode(line, type=RoomTable | tables.VisitCalendar | AdmissionRow)
    except (msgspec.MsgspecError, ValueError, RecursionError) as no:
        raise Refusal("bad_field", f"Line {number} of the plan file is no table of ours: {no}", field="file") from no
    if odd := _of_no_use(found, stations):
        raise Refusal("bad_field", f"Line {number} of the plan file cannot be used: {odd}. Plan anew.", field="file")
    kind = type(found).__name__
    if isinstance(found, RoomTable):
        key = found.station
    elif isinstance(found, tables.VisitCalendar):
        key = f"{found.station}/{found.carrier}"
    else:
        key = found.name
    return kind, key, msgspec.json.encode(found).decode()


def _of_no_use(table: RoomTable | tables.VisitCalendar | AdmissionRow, stations: Stations) -> str:
    """Why it would never be used at this hub; empty if it would, and for rows of admission (`refuse_odd` says that)."""
    if isinstance(table, AdmissionRow):
        return ""
    here = stations.known.get(table.station)
    if here is None:
        return f"there is no station {table.station!r}"
    if isinstance(table, tables.VisitCalendar):
        return "a carrier's name holds a NUL" if "\0" in table.carrier else tables.of_no_use(table)
    sizes = {size for rows in (table.chance, *table.by_carrier.values()) for size in rows}
    if sizes <= here.plan.sizes.keys():
        return ""
    return f"{table.station} has the sizes {', '.join(here.plan.sizes)}, and the table {', '.join(sorted(sizes))}"
