"""The station as one thing: what its process opens at its start and closes at its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog

from parcelwall.clock import Clock
from parcelwall.drivers import Doors
from parcelwall.ids import Ids
from parcelwall.link.identity import Signer, map_bytes
from parcelwall.link.station_end import SIGNED, StationEnd
from parcelwall.station.challenge import Challenge
from parcelwall.station.desk import StationDesk
from parcelwall.station.elsewhere import Elsewhere
from parcelwall.station.keeper import Keeper
from parcelwall.station.kiosk import Kiosk
from parcelwall.station.memory import Memory
from parcelwall.station.orders import Orders, Presence
from parcelwall.station.outage import Outage
from parcelwall.station.reserve import UNWRITTEN, FileReserve
from parcelwall.station.road import Road
from parcelwall.station.space import LOOK_EVERY_S, Space
from parcelwall.station.visit import told_until

TICK_S = 0.25
FORGET_EVERY_S = 3600.0  # parcels whose life has ended leave the memory, not the file

log = structlog.get_logger()


class Identity(msgspec.Struct, frozen=True):
    """What a station was given at enrolment, beside the key that it made itself."""

    station: str
    secret: str
    hub_writer: str
    hub_key: str
    writer: str


class Station:
    """Memory, desk, doors and screen of one station. Make it with `opened`."""

    def __init__(self, memory: Memory, doors: Doors, clock: Clock, ids: Ids) -> None:
        self.memory, self.doors, self.clock, self.ids = memory, doors, clock, ids
        _learn_anew(memory)
        self.desk = StationDesk(memory, ids)
        self.desk.rests_s = doors.rests_s
        road = Road(memory, lambda: key_of(memory, ids))
        self.kiosk = Kiosk(self.desk, clock, Challenge(self.desk, ids, clock), road)
        self.keeper = Keeper(self.desk, doors, clock, self.kiosk.visit_moved)
        self.kiosk.attach(self.keeper)
        self.space, self.outage = Space(self.desk), Outage(memory, clock)
        self.boot = ids.new().hex
        self.presence, self.elsewhere = Presence(ids, clock), Elsewhere(self.kiosk, self.boot, clock)
        self.orders = Orders(self.desk, self.kiosk.serve, self.kiosk.several.offer, self.presence, clock, self.boot)

    def line_end(self, hub: str, as_before: bool = False) -> StationEnd:
        """This station's end of a new connection to the hub that is dialled as `hub`. `as_before`: with the key of
        before the last renewal, for a hub that was restored to then; it is told the present one once more."""
        hub_key, key = bytes.fromhex(self.memory.identity("hub_key") or ""), key_of(self.memory, self.ids)
        former, next_key = (_signer(self.memory, name) for name in ("former_key", "next_key"))
        if as_before and former:
            key, next_key = former, key
        return StationEnd(
            self.memory, key, hub, hub_key, self.ids.secret(32), self.boot, self.clock,
            obey=self.orders.obey, next_key=next_key,
            walked=self.memory.identity("map") or "", told=self.elsewhere.told,
            wants=(SIGNED,), told_until=lambda now: told_until(self.memory.unfinished(), now),
        )  # fmt: skip

    async def run(self) -> None:
        """Doors and screen, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.keeper.run())
            tasks.create_task(self._tick())

    async def _tick(self) -> None:
        forgotten_at, looked_at = self.clock.mono(), float("-inf")
        while True:
            self.kiosk.tick()
            self.elsewhere.look()
            if self.clock.mono() - looked_at > LOOK_EVERY_S:
                self.space.look()
                self.outage.look()
                self.orders.tell_later()
                looked_at = self.clock.mono()
            if self.clock.mono() - forgotten_at > FORGET_EVERY_S:
                self.memory.forget_ended()
                forgotten_at = self.clock.mono()
            await self.clock.sleep(TICK_S)


def _learn_anew(memory: Memory) -> None:
    """After an update: what the version before could not read is learnt. If that cannot be written now, doors open by
    what is known, and the next start tries again."""
    try:
        if memory.learn_anew():
            log.info("learnt_anew", station=memory.station, reason="this version reads other facts than the one before")
    except UNWRITTEN as no:
        log.error("not_learnt_anew", station=memory.station, reason=str(no), remedy="Make room, and start anew.")


def key_of(memory: Memory, ids: Ids) -> Signer:
    """The station's own key, made on first use; the private part never leaves this file."""
    if memory.identity("key") is None:
        memory.know({"key": ids.secret(32).hex()})
    return Signer(bytes.fromhex(memory.identity("key") or ""))


def make_next_key(memory: Memory, ids: Ids) -> Signer:
    """A new key beside the one in use. The hub is told at the next connection, and it counts from then on."""
    memory.know({"next_key": ids.secret(32).hex()})
    return Signer(bytes.fromhex(memory.identity("next_key") or ""))


def use_next_key(memory: Memory) -> None:
    """The hub takes the new key. The one before is kept: a hub restored to before this moment knows no other."""
    if next_key := memory.identity("next_key"):
        walked = memory.identity("map")
        again = {"map_sig": Signer(bytes.fromhex(next_key)).sign(map_bytes(walked))} if walked else {}
        memory.know({"key": next_key, "next_key": "", "former_key": memory.identity("key") or "", **again})


def _signer(memory: Memory, name: str) -> Signer | None:
    seed = memory.identity(name)
    return Signer(bytes.fromhex(seed)) if seed else None


def accept(memory: Memory, given: Mapping[str, Any], ids: Ids) -> None:
    """Keeps what the hub has given this computer: whose station it is, and whether it must fetch a book first."""
    known = {name: str(given[name]) for name in ("station", "secret", "hub_writer", "hub_key")}
    known["writer"] = str(given.get("writer") or given["station"])
    if given.get("fetches"):
        known |= {"restoring": "yes", "case": str(ids.new())}
    memory.know(known)


@asynccontextmanager
async def opened(
    path: Path | str, doors: Doors, clock: Clock, ids: Ids, durable: bool = True
) -> AsyncIterator[Station]:
    """A station on its file and its doors. It must be enrolled (`key_of`, then `Memory.know`)."""
    reserve = FileReserve(Path(path)) if durable and str(path) != ":memory:" else None
    memory = Memory(path, clock, durable, reserve)
    memory.reserve.remake()
    try:
        await doors.start()
        yield Station(memory, doors, clock, ids)
    finally:
        with contextlib.suppress(Exception):
            await doors.close()
        memory.close()
