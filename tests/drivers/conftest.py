"""A rig is the real driver on pretend boards, over a pseudo-terminal in real time or in memory on a virtual clock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from drivers.wired import written_for
from parcelwall.clock import Clock, SystemClock, VirtualClock
from parcelwall.drivers import (
    DRIVERS,
    BoardDoors,
    DoorState,
    OpenPort,
    Profile,
    Seen,
    connect,
    open_serial,
    parse_profile,
)
from parcelwall.drivers.bus import Bus
from parcelwall.drivers.makers import driver_of
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.hands import Hands
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.pretend.pty import PtyBoards

WRITTEN = written_for("xor8a")


class Rig:
    """The driver, the boards under it and the clock of both."""

    def __init__(self, doors: BoardDoors, boards: MemoryBoards | PtyBoards, clock: Clock, open_port: OpenPort) -> None:
        self.doors, self.clock, self.boards, self.open_port = doors, clock, boards, open_port
        self.hands: Hands = boards
        self.core = boards.core

    def soon(self) -> float:
        """A deadline that is far enough away."""
        return self.clock.mono() + 5.0

    async def bare_bus(self) -> Bus:
        """The bus owner alone, in place of the doors; its user closes it."""
        await self.doors.close()
        profile = self.doors.profile
        bus = Bus(profile, self.clock, driver_of(profile.driver).codec(profile), self.open_port)
        await bus.start()
        return bus

    async def until(self, door: int, wanted: DoorState, within_s: float = 3.0) -> Seen:
        """Looks again and again until the door is seen so; the last look, if it never is."""
        end = self.clock.mono() + within_s
        while (seen := await self.doors.state(door)).state is not wanted and self.clock.mono() < end:
            await self.clock.sleep(0.02)
        return seen

    async def sweep_until(self, wanted: Callable[[dict[int, Seen]], bool], within_s: float = 5.0) -> dict[int, Seen]:
        end = self.clock.mono() + within_s
        while not wanted(seen := await self.doors.sweep()) and self.clock.mono() < end:
            await self.clock.sleep(0.05)
        return seen


MakeRig = Callable[..., Awaitable[Rig]]
Shell = Callable[[Profile, Any], Awaitable[Rig]]


@pytest.fixture
def profile() -> Profile:
    return parse_profile(WRITTEN)


@pytest.fixture
def written() -> dict[str, Any]:
    return dict(WRITTEN)


async def memory_rig(profile: Profile, chance: Any) -> Rig:
    clock = VirtualClock(datetime(2026, 11, 22, tzinfo=UTC))
    boards = MemoryBoards(PretendBoards(profile, chance), clock)
    return Rig(connect(profile, clock, boards.open_port), boards, clock, boards.open_port)


async def pty_rig(profile: Profile, chance: Any) -> Rig:
    clock = SystemClock()
    boards = PtyBoards(PretendBoards(profile, chance), clock, Path(profile.port))
    await boards.start()
    return Rig(connect(profile, clock, open_serial), boards, clock, open_serial)


async def _rigs(tmp_path: Path, driver: str, shell: Shell) -> AsyncIterator[MakeRig]:
    made: list[Rig] = []

    async def make(chance: Any = None, **changed: Any) -> Rig:
        port = str(tmp_path / f"adapter-{len(made)}")
        rig = await shell(parse_profile({**written_for(driver), "port": port, **changed}), chance)
        made.append(rig)
        await rig.doors.start()
        rig.core.requests.clear()  # some boards are asked something at the start
        return rig

    yield make
    for rig in made:
        await rig.doors.close()
        if isinstance(rig.boards, PtyBoards):
            await rig.boards.close()


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """Each driver in turn: what asks for it, directly or through a rig, runs for all of them."""
    return str(request.param)


@pytest_asyncio.fixture(params=[memory_rig, pty_rig], ids=["memory", "pty"])
async def make_rig(request: pytest.FixtureRequest, driver: str, tmp_path: Path) -> AsyncIterator[MakeRig]:
    """Makes rigs over both shells."""
    async for make in _rigs(tmp_path, driver, request.param):
        yield make


@pytest_asyncio.fixture
async def make_memory_rig(driver: str, tmp_path: Path) -> AsyncIterator[MakeRig]:
    """Makes rigs on a virtual clock only."""
    async for make in _rigs(tmp_path, driver, memory_rig):
        yield make


@pytest_asyncio.fixture
async def make_pty_rig(driver: str, tmp_path: Path) -> AsyncIterator[MakeRig]:
    """Makes rigs on pseudo-terminals only."""
    async for make in _rigs(tmp_path, driver, pty_rig):
        yield make
