"""What offers look at, kept in memory: the room and the table of chances of every station.

A station is read once, and again after the journal's follower told of news of it (`followers.Bells`): what is told is
as old as the follower is behind, a fraction of a second. While the line that brings the news is down nothing is kept,
and nothing is kept for long. Good for advice; a promise is decided by the row itself, under the station's lock.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import asyncpg
import msgspec

from parcelwall.clock import Clock
from parcelwall.rules.offers import RoomTable
from parcelwall.rules.places import Room, read_room

LEARNT = "learnt"  # the bell that rings when tables were adopted
KEPT_S = 60.0  # a follower that stands still must not make us tell old rooms for ever
AT_ONCE = 1_000  # stations read by one query

_READ = """
SELECT id, room, in_service, body AS chance
FROM station LEFT JOIN learnt ON kind = 'RoomTable' AND key = id WHERE id = ANY($1::text[])"""
_room_table = msgspec.json.Decoder(RoomTable)


class Remembered(msgspec.Struct, frozen=True, gc=False):
    """A station's row as last read, at `read_s` of a steady clock."""

    room: Room
    in_service: bool
    table: RoomTable | None
    read_s: float


class Rooms:
    """The rooms that one hub process remembers. `hears` is set while news of stations come in."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._known: dict[str, Remembered] = {}
        self._reading: list[set[str]] = []  # for each reading under way, what there was news of meanwhile
        self.hears = False
        self._stands = asyncio.Event()

    async def look(self, stations: Collection[str]) -> dict[str, Remembered]:
        """Those of these stations that exist. Raises what the database raises where it has to be asked."""
        found = self.remembered(stations)
        if len(found) < len(stations):
            found |= await self._read([name for name in stations if name not in found])
        return found

    def forget(self, keys: Iterable[str]) -> None:
        """There is news under these bells: of stations, of what stations wrote (`by/...`), of adopted tables."""
        for key in keys:
            if key == LEARNT:
                self._known.clear()
            name = key.removeprefix("by/")
            self._known.pop(name, None)
            for late in self._reading:
                late.add(name)

    def connected(self, yes: bool) -> None:
        """The line that brings the news stands again, or is down: what was remembered may be old."""
        self.hears = yes
        self._known.clear()
        for late in self._reading:
            late.add(LEARNT)
        if yes:
            self._stands.set()

    async def run(self, stations: Callable[[], Iterable[str]]) -> None:
        """Reads all stations each time that the line stands again, so that the first requests need not; for ever."""
        while True:
            await self._stands.wait()
            self._stands.clear()
            names = list(stations())
            for start in range(0, len(names), AT_ONCE):
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self.look(names[start : start + AT_ONCE])

    def remembered(self, stations: Iterable[str]) -> dict[str, Remembered]:
        """Those of these stations that need not be read."""
        young, known, found = self._clock.mono() - KEPT_S, self._known, {}
        for name in stations:
            each = known.get(name)
            if each is not None and each.read_s > young:
                found[name] = each
        return found

    async def _read(self, stations: Sequence[str]) -> dict[str, Remembered]:
        late: set[str] = set()
        self._reading.append(late)
        try:
            now_s = self._clock.mono()
            rows = await self._pool.fetch(_READ, stations)
        finally:
            self._reading = [each for each in self._reading if each is not late]
        found = {row["id"]: _understood(row, now_s) for row in rows}
        if self.hears and LEARNT not in late:
            self._known.update((name, each) for name, each in found.items() if name not in late)
        return found


def _understood(row: Any, read_s: float) -> Remembered:
    table = _table(row["chance"]) if row["chance"] else None
    return Remembered(_room(row["room"]), row["in_service"], table, read_s)


@lru_cache(maxsize=4096)
def _room(text: str) -> Room:
    """Stations that are full or empty alike share one."""
    return read_room(text)


def _table(text: str) -> RoomTable | None:
    """Sixty thousand tables of two dozen numbers for each carrier: equal rows and equal names are kept once."""
    try:
        table = _room_table.decode(text)
    except msgspec.DecodeError:
        return None  # of another version, or damaged: counts alone, as without a table
    by_carrier = {_name(carrier): _rows(rows) for carrier, rows in table.by_carrier.items()}
    chance, model, why = _rows(table.chance), _name(table.model), _name(table.why)
    return msgspec.structs.replace(table, chance=chance, model=model, by_carrier=by_carrier, why=why)


def _rows(chance: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    return {_name(size): _row(tuple(map(_number, row))) for size, row in chance.items()}


@lru_cache(maxsize=256)
def _name(text: str) -> str:
    return text


@lru_cache(maxsize=65536)
def _row(chances: tuple[float, ...]) -> tuple[float, ...]:
    return chances


@lru_cache(maxsize=16384)
def _number(chance: float) -> float:
    """They are told to four digits: of ten thousand each is kept once."""
    return chance
