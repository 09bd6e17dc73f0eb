"""The doors of several buses as those of one station. A bus that is dead or slow does not hold up the others."""

import asyncio
from collections.abc import Sequence

from parcelwall.clock import Clock
from parcelwall.drivers.doors import BoardDoors
from parcelwall.drivers.seen import DoorState, Pulse, Seen, Why
from parcelwall.errors import Trouble


class SeveralBuses:
    """`Doors` over the doors of each bus. No door may be on two of them."""

    def __init__(self, buses: Sequence[BoardDoors], clock: Clock) -> None:
        self.buses, self._clock = tuple(buses), clock
        self._bus_of = {line.door: bus for bus in buses for line in bus.profile.doors}
        assert len(self._bus_of) == sum(len(bus.profile.doors) for bus in buses), "a door is on one bus"
        self._sweeping: dict[BoardDoors, asyncio.Task[dict[int, Seen]]] = {}
        self._patience_s = max(bus.profile.poll_ms for bus in buses) / 1000

    @property
    def up(self) -> bool:
        """Whether all ports are open."""
        return all(bus.up for bus in self.buses)

    async def start(self) -> None:
        """Begin on all. Accepts that some, or all, are unplugged."""
        await asyncio.gather(*(bus.start() for bus in self.buses))

    async def close(self) -> None:
        """Let go of all ports, whatever one of them says to that."""
        for task in self._sweeping.values():
            task.cancel()
        await asyncio.gather(*self._sweeping.values(), return_exceptions=True)
        self._sweeping.clear()
        await asyncio.gather(*(bus.close() for bus in self.buses), return_exceptions=True)

    async def open(self, door: int, not_after: float) -> Pulse:
        """One pulse, or none; see `Doors.open`. Raises Trouble when the door is mapped on no bus."""
        if door not in self._bus_of:
            raise Trouble(f"Door {door!r} is mapped on no bus. Map it by the commissioning walk.")
        return await self._bus_of[door].open(door, not_after)

    def rests_s(self, door: int, more: int = 0) -> float:
        """How long this door's coil has to rest; see `Doors.rests_s`."""
        return self._bus_of[door].rests_s(door, more) if door in self._bus_of else 0.0

    async def state(self, door: int) -> Seen:
        """A fresh look at one door; see `Doors.state`. Waits for no other bus."""
        bus = self._bus_of.get(door)
        return await bus.state(door) if bus else Seen(DoorState.UNKNOWN, self._clock.mono(), Why.UNMAPPED)

    async def follow(self, door: int) -> Seen:
        """A look at a door that is looked at all the time; see `Doors.follow`. Waits for no other bus."""
        bus = self._bus_of.get(door)
        return await bus.follow(door) if bus else Seen(DoorState.UNKNOWN, self._clock.mono(), Why.UNMAPPED)

    async def sweep(self) -> dict[int, Seen]:
        """A look at every mapped door; see `Doors.sweep`.

        Of a bus that takes longer than a poll period, what was last seen of its doors: once too old, that is UNKNOWN.
        Its own look goes on meanwhile.
        """
        for bus in self.buses:
            if bus not in self._sweeping:
                self._sweeping[bus] = asyncio.create_task(bus.sweep())
        done, _ = await asyncio.wait(self._sweeping.values(), timeout=self._patience_s)
        seen: dict[int, Seen] = {}
        for bus in self.buses:
            task = self._sweeping[bus]
            if task in done:
                del self._sweeping[bus]
                seen |= task.result()
            else:
                seen |= bus.last()
        return seen
