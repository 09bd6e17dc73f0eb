"""Several buses of one station: each door on its own, one supply's gate for all, and a dead bus stops none of them."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drivers.wired import written_for
from parcelwall.clock import Clock, SystemClock, VirtualClock
from parcelwall.drivers import (
    DoorState,
    Port,
    Profile,
    Pulse,
    SeveralBuses,
    Why,
    connect_all,
    open_serial,
    parse_profiles,
)
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.errors import Trouble

OPEN, CLOSED, UNKNOWN = DoorState.OPEN, DoorState.CLOSED, DoorState.UNKNOWN


def tables(drivers: list[str], folder: str = "pretend", **changed: Any) -> list[dict[str, Any]]:
    """A [[bus]] each; the doors of the first are 1 to 4, of the second 5 to 8, and so on."""
    made = []
    for place, driver in enumerate(drivers):
        table = {**written_for(driver), "port": f"{folder}/{place}", **changed}
        table["doors"] = [{**line, "door": line["door"] + 4 * place} for line in table["doors"]]
        made.append(table)
    return made


class Memories:
    """A core and a port in memory for each bus, on one virtual clock."""

    def __init__(self, profiles: list[Profile]) -> None:
        self.clock = VirtualClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.boards = {profile.port: MemoryBoards(PretendBoards(profile), self.clock) for profile in profiles}
        self.doors = connect_all(profiles, self.clock, self.open_port)

    async def open_port(self, profile: Profile, clock: Clock) -> Port:
        return await self.boards[profile.port].open_port(profile, clock)

    def cores(self) -> list[PretendBoards]:
        return [boards.core for boards in self.boards.values()]

    def soon(self) -> float:
        return self.clock.mono() + 5.0


async def test_each_door_is_opened_on_its_own_bus():
    rig = Memories(parse_profiles(tables(["xor8a", "kerong16", "modbus_relay", "wkly"])))
    await rig.doors.start()
    assert set(await rig.doors.sweep()) == set(range(1, 17))
    for door in (3, 6, 11, 16):
        assert await rig.doors.open(door, rig.soon()) is Pulse.ACKED
        await rig.clock.sleep(1)
        assert (await rig.doors.state(door)).state is OPEN
    assert [[pulse.door for pulse in core.pulses] for core in rig.cores()] == [[3], [6], [11], [16]]
    seen = {door: each.state for door, each in (await rig.doors.sweep()).items()}
    assert seen == {door: state for boards in rig.boards.values() for door, state in boards.states().items()}
    with pytest.raises(Trouble, match="mapped on no bus"):
        await rig.doors.open(17, rig.soon())
    assert (await rig.doors.state(17)).why is Why.UNMAPPED
    await rig.doors.close()


async def test_two_buses_of_one_supply_never_pulse_at_once():
    rig = Memories(parse_profiles(tables(["xor8a", "xor8a"], supply="A", supply_gap_ms=500)))
    await rig.doors.start()
    assert await asyncio.gather(*(rig.doors.open(door, rig.soon()) for door in (1, 5, 2))) == [Pulse.ACKED] * 3
    pulses = sorted(pulse.start_at for core in rig.cores() for pulse in core.pulses)
    assert len(pulses) == 3
    assert all(later - earlier >= 0.6 for earlier, later in pairwise(pulses))
    await rig.doors.close()


async def test_one_table_is_one_bus():
    [profile] = parse_profiles(written_for("xor8a"))
    assert not isinstance(connect_all([profile], VirtualClock(datetime(2026, 11, 22, tzinfo=UTC))), SeveralBuses)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda buses: buses[1].update(port="pretend/0"), "two buses have the port pretend/0"),
        (lambda buses: buses[1].update(port="/dev/ttyUSB1"), "/dev/ttyUSB1 may be the other bus after a start"),
        (lambda buses: buses[1]["doors"][0].update(door=4), "door 4 is mapped on two buses"),
        (lambda buses: buses[1].pop("driver"), "under [[bus]] number 2 is wrong: `driver` is missing"),
        (lambda buses: buses.clear(), "has no [bus]"),
    ],
)
def test_what_cannot_be_of_several_is_told(change, told):
    buses = tables(["xor8a", "kerong16"])
    change(buses)
    with pytest.raises(Trouble) as trouble:
        parse_profiles(buses, "station.toml")
    assert told in str(trouble.value)
    assert "station.toml" in str(trouble.value)


# in real time, on pseudo-terminals


class Terminals:
    def __init__(self, drivers: list[str], folder: Path, **changed: Any) -> None:
        self.clock = SystemClock()
        profiles = parse_profiles(tables(drivers, str(folder), poll_ms=100, **changed))
        self.boards = [PtyBoards(PretendBoards(each), self.clock, Path(each.port)) for each in profiles]
        self.doors = connect_all(profiles, self.clock, open_serial)

    async def start(self) -> None:
        for boards in self.boards:
            await boards.start()
        await self.doors.start()

    async def close(self) -> None:
        await self.doors.close()
        for boards in self.boards:
            await boards.close()

    async def until(self, door: int, wanted: DoorState, within_s: float = 5.0) -> float:
        """Seconds until a sweep shows the door so."""
        begun = self.clock.mono()
        while (await self.doors.sweep())[door].state is not wanted:
            assert self.clock.mono() - begun < within_s, f"door {door} is not {wanted}"
            await self.clock.sleep(0.02)
        return self.clock.mono() - begun


async def test_a_silent_bus_does_not_slow_the_others(tmp_path):
    rig = Terminals(["xor8a", "kerong16"], tmp_path, timeout_ms=2000)
    await rig.start()
    await rig.until(5, CLOSED)
    for board in (1, 2):
        rig.boards[0].core.die(board)
    for _ in range(3):
        begun = rig.clock.mono()
        seen = await rig.doors.sweep()
        assert rig.clock.mono() - begun < 0.6, "one read of the dead one takes 2 s"
        assert seen[5].state is CLOSED
    assert await rig.doors.open(5, rig.clock.mono() + 5) is Pulse.ACKED
    assert await rig.until(5, OPEN) < 1.0
    await rig.until(1, UNKNOWN, within_s=10)
    await rig.close()


async def test_a_bus_that_is_unplugged_and_one_that_was_never_there(tmp_path):
    rig = Terminals(["xor8a", "wkly", "modbus_relay"], tmp_path)
    await rig.boards[0].start()
    await rig.boards[1].start()
    await rig.doors.start()
    await rig.until(1, CLOSED)
    await rig.until(5, CLOSED)
    assert not rig.doors.up
    assert (await rig.doors.sweep())[9].state is UNKNOWN
    assert await rig.doors.open(9, rig.clock.mono() + 1) is Pulse.DEAD
    rig.boards[0].unplug()
    await rig.until(1, UNKNOWN)
    assert await rig.doors.open(6, rig.clock.mono() + 5) is Pulse.ACKED
    assert await rig.until(6, OPEN) < 1.5
    rig.boards[0].replug()
    await rig.boards[2].start()
    await rig.until(1, CLOSED, within_s=10)
    await rig.until(9, CLOSED, within_s=10)
    await rig.close()
