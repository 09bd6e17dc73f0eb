"""Boards as they truly are, and walks along them with a file that may be wrong."""

from datetime import UTC, datetime

import msgspec

from drivers.person import Person
from parcelwall.clock import VirtualClock
from parcelwall.drivers import DoorState, Profile, Pulse, connect, parse_profile
from parcelwall.drivers.judge import Report
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.walk import Walk

OPEN, CLOSED = DoorState.OPEN, DoorState.CLOSED


class Stand:
    """Boards as they are, and walks along them with a file that may be wrong."""

    def __init__(self, truth: Profile) -> None:
        self.truth = truth
        self.clock = VirtualClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.core = PretendBoards(truth)
        self.boards = MemoryBoards(self.core, self.clock)

    async def walk(self, file: Profile, person: Person | None = None) -> Report:
        doors = connect(file, self.clock, self.boards.open_port)
        await doors.start()
        try:
            return await Walk(doors, self.clock, person or Person(self.boards)).run()
        finally:
            await doors.close()

    async def works(self, profile: Profile | None) -> None:
        """Each door, asked for by its number, opens, and is read as it is."""
        assert profile is not None
        assert parse_profile(msgspec.to_builtins(profile)) == profile
        doors = connect(profile, self.clock, self.boards.open_port)
        await doors.start()
        for line in profile.doors:
            await self.clock.sleep(60)
            assert await doors.open(line.door, self.clock.mono() + 5) is Pulse.ACKED
            await self.clock.sleep(1)
            assert [door for door, state in self.boards.states().items() if state is OPEN] == [line.door]
            seen = await doors.sweep()
            assert {door: one.state for door, one in seen.items()} == self.boards.states()
            assert self.boards.push_closed(line.door)
            assert (await doors.state(line.door)).state is CLOSED
        await doors.close()


def whats(report: Report) -> list[str]:
    return [finding.what for finding in report.findings]


def other(value: int) -> int:
    return 1 - value
