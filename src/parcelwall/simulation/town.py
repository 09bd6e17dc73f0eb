"""A town: one hub, stations on pretend boards, lines that can be cut, and the hands of the people at the doors."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers import connect, parse_profile
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.profile import Profile
from parcelwall.errors import Refusal
from parcelwall.hub import house as hub_house
from parcelwall.hub.house import Hub
from parcelwall.ids import Ids
from parcelwall.link.hub_end import HubEnd
from parcelwall.link.pump import PretendLine
from parcelwall.rules import access, facts
from parcelwall.rules.layout import Layout
from parcelwall.rules.policy import Policy
from parcelwall.station import house as station_house
from parcelwall.station.house import Station
from parcelwall.station.memory import Memory
from parcelwall.station.visit import Visit

HUB_NAME = "hub.town"
AT_A_DOOR_S = 6.0  # what a person needs between an open door and a shut one


class Line(PretendLine):
    """A line that beats once, after the news: what is said before news that is on its way tells the hub nothing."""

    async def carry(self) -> None:
        await self._to_hub(self.station.news())
        await self._to_station(await self.hub.news())
        await self.beat()

    async def beat(self) -> None:
        await self._to_hub(self.station.beat())


class PretendStation:
    """A real station whose board is pretend, and the people in front of it."""

    def __init__(self, name: str, station: Station, boards: MemoryBoards, hub: Hub, courier: UUID) -> None:
        self.name, self.station, self.boards, self._hub, self.courier = name, station, boards, hub, courier
        self.line: Line | None = None
        self.desk = station.desk
        self.is_cut = False

    async def connect(self) -> None:
        hub_end = HubEnd(self._hub, self._hub.signer, HUB_NAME, self._hub.ids.secret(32), self._hub.clock)
        line = Line(self.station.line_end(HUB_NAME), hub_end)
        await line.connect()
        self.line = line
        self.desk.online = True

    def lead_to(self, hub: Hub) -> None:
        """The line is cut, and will lead to this hub: the same one, restored, or another process of it."""
        self.cut()
        self._hub = hub

    def cut(self) -> None:
        self.line = None
        self.desk.online = False
        self.is_cut = True

    async def carry(self) -> None:
        """Both books are told what the other side wrote; connects first if the line was cut."""
        self.is_cut = False
        if self.line is None:
            await self.connect()
        assert self.line is not None
        await self.line.carry()

    async def beat(self) -> None:
        """A sign of life from a station that has nothing to say; nothing if the line is cut."""
        if self.line is not None:
            await self.line.beat()

    async def deposit(self, label: str, jams: bool = False) -> Visit:
        """The courier scans a label, puts the parcel in and pushes the door shut. Raises the station's Refusal."""
        return await self._through_the_door(self.desk.deposit_by_label(label, self.courier), jams)

    async def collect(
        self, digits: str, selector: str | None = None, jams: bool = False, forgets: bool = False
    ) -> Visit:
        """Somebody types a code, takes the parcel and pushes the door shut. Raises the station's Refusal."""
        return await self._through_the_door(self.desk.collect_by_code(digits, selector), jams, forgets)

    async def take_back(self, parcel: UUID) -> Visit:
        return await self._through_the_door(self.desk.take_back(parcel, self.courier))

    async def _through_the_door(self, visit: Visit, jams: bool = False, forgets: bool = False) -> Visit:
        """`jams`: the latch does not let go, today and until `mend`. `forgets`: the door is left open behind them."""
        if jams:
            self.boards.core.jam(visit.compartment)
        visit = await self.station.keeper.serve(visit)
        if visit.outcome:
            raise Refusal("door_failed", door=visit.compartment)
        await self.station.clock.sleep(AT_A_DOOR_S)
        if not forgets:
            await self.shut(visit.compartment)
        return visit

    async def shut(self, door: int) -> None:
        """Somebody pushes a door shut, and the keeper sees it."""
        self.boards.push_closed(door)
        await self.station.clock.sleep(1.0)
        await self.station.keeper.watch()

    def mend(self) -> None:
        """A technician frees every latch that jams."""
        for line in self.boards.core.profile.doors:
            self.boards.core.jam(line.door, False)

    def courier_code(self) -> str:
        """What the courier types today; made by the hub."""
        key = self._hub.stations.known[self.name].courier_key
        return access.courier_code(key, self.name, self.courier, self.desk.today)

    def is_free(self, compartment: int) -> bool:
        return not self.station.memory.room().unusable & self.desk.plan.bit(compartment)

    def code_of(self, parcel: UUID) -> str:
        """What the recipient's message says; made by the hub."""
        known = self.station.memory.parcel(parcel)
        assert known is not None and known.reservation is not None
        key = self._hub.stations.known[self.name].code_key
        return access.pickup_code(key, self.name, known.reservation, known.generation)


class Town:
    """Opened by `a_town`; stations are added one by one."""

    def __init__(self, hub: Hub, data_dir: Path, clock: Clock, ids: Ids, stack: AsyncExitStack, durable: bool) -> None:
        self.hub, self.clock, self.ids = hub, clock, ids
        self.data_dir, self._stack, self._durable = data_dir, stack, durable
        self.stations: dict[str, PretendStation] = {}

    async def station(self, about: facts.StationConfigured, ids: Ids | None = None) -> PretendStation:
        """A new station: configured, enrolled with a claim code, one courier admitted, connected.

        `ids` of its own make what it does independent of what the rest of the town does meanwhile.
        """
        ids = ids or self.ids
        await self.hub.configure(about)
        boards = MemoryBoards(PretendBoards(pretend_profile(about.layout), ids.chance), self.clock)
        station = await self._computer(about.station, about.station, boards, ids)
        courier = self.ids.new()
        grant = facts.Granted(
            grant=self.ids.new(), station=about.station, may=("deposit", "take_back"), courier=courier
        )  # fmt: skip
        await self.hub.grant(grant)
        pretend = PretendStation(about.station, station, boards, self.hub, courier)
        self.stations[about.station] = pretend
        await pretend.carry()
        return pretend

    async def replace(self, name: str, hub: Hub | None = None) -> PretendStation:
        """A new computer for a station whose disk is lost, before the same doors; connected, with its book fetched."""
        before, hub = self.stations[name], hub or self.hub
        before.cut()
        await before.station.doors.close()
        file = f"{name}-{hub.clock.now():%H%M%S}"
        station = await self._computer(name, file, before.boards, self.ids, hub)
        self.stations[name] = PretendStation(name, station, before.boards, hub, before.courier)
        await self.stations[name].carry()
        await station.keeper.take_stock()
        return self.stations[name]

    async def _computer(
        self, name: str, file: str, boards: MemoryBoards, ids: Ids, hub: Hub | None = None
    ) -> Station:  # fmt: skip
        path = self.data_dir / "stations" / f"{file}.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self._enrol(path, name, ids, hub or self.hub)
        doors = connect(boards.core.profile, self.clock, open_port=boards.open_port)
        return await self._stack.enter_async_context(
            station_house.opened(path, doors, self.clock, ids, self._durable)
        )

    async def adopt(self, policy: Policy) -> None:
        """The hub decides by this policy from now on, and tells every station."""
        async with self.hub.pool.acquire() as connection, connection.transaction():
            at = self.hub.desk.sitting(connection)
            await at.load((), self.stations)
            for stream in (None, *map(self.hub.streams.station, self.stations)):
                at.record(facts.PolicyAdopted(policy=policy), stream)
            await at.write()
        await self.hub.refresh()

    async def close_cases(self, station: str, outcome: str) -> int:
        """Somebody has looked at whatever the hub knows to be open at a station. Answers how many cases it was."""
        async with self.hub.pool.acquire() as connection, connection.transaction():
            at = self.hub.desk.sitting(connection)
            await at.load((), [station])
            await at.load_cases([station], ())
            contested = {row["id"] for row in await connection.fetch("SELECT id FROM parcel WHERE contested")}
            closed = sorted(each.id for each in at.book.cases.values() if each.parcel not in contested)
            for case in closed:
                at.record(facts.CaseClosed(case=case, station=station, outcome=outcome))
            await at.write()
            return len(closed)

    async def _enrol(self, path: Path, station: str, ids: Ids, hub: Hub) -> None:
        memory = Memory(path, self.clock, self._durable)
        signer = station_house.key_of(memory, ids)
        given = await hub.enrol(await hub.claim(station), signer.public)
        station_house.accept(memory, msgspec.structs.asdict(given), ids)
        memory.close()


def pretend_profile(layout: Layout, port: str = "pretend") -> Profile:
    """A bus of 24-channel 8A boards, one lock per compartment in the order of the layout."""
    doors = [
        {"door": each.number, "board": place // 24 + 1, "lock": place % 24 + 1}
        for place, each in enumerate(layout.compartments)
    ]
    boards = [{"address": address, "channels": 24} for address in sorted({door["board"] for door in doors})]
    learned = {"status_bytes": 3, "status_order": "low_last", "closed_value": 1}
    return parse_profile({"driver": "xor8a", "port": port, "boards": boards, "doors": doors, **learned})


@asynccontextmanager
async def a_town(data_dir: Path, clock: Clock, ids: Ids, durable: bool = True, dsn: str = "") -> AsyncIterator[Town]:
    """A hub in `data_dir` (or on the running database `dsn`) and room for stations. Everything is closed at the end."""
    async with AsyncExitStack() as stack:
        hub_dir = data_dir / "hub"
        hub_dir.mkdir(parents=True, exist_ok=True)
        opening = (
            hub_house.serving(dsn, hub_dir, clock, ids)
            if dsn
            else hub_house.opened(hub_dir, clock, ids, durable=durable)
        )
        hub = await stack.enter_async_context(opening)
        yield Town(hub, data_dir, clock, ids, stack, durable)
