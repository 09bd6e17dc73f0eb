"""Time comes in from here, and from nowhere else.

`now()` is the wall clock in UTC; `mono()` counts seconds that never run backwards and is what durations and
deadlines of door pulses are measured with.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from: the machine, or a simulation."""
    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def mono(self) -> float:
        """Seconds since an arbitrary start; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def mono(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that moves only when told: `advance` and `move_to` never go back; `sleep` advances at once."""

    def __init__(self, start: datetime) -> None:
        assert start.tzinfo is not None, "a clock starts at an aware time"
        self._now = start
        self._mono = 0.0

    def now(self) -> datetime:
        return self._now

    def mono(self) -> float:
        return self._mono

    def advance(self, seconds: float) -> None:
        assert seconds >= 0, "time never runs backwards"
        self._now += timedelta(seconds=seconds)
        self._mono += seconds

    def move_to(self, when: datetime) -> None:
        self.advance(max(0.0, (when - self._now).total_seconds()))

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)


def text(when: datetime) -> str:
    """UTC text with six decimals and `Z`, the form that entries are hashed with: `2026-11-22T08:00:00.000000Z`."""
    utc = when if when.tzinfo is UTC else when.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def parse(written: str) -> datetime:
    """The reverse of `text`. Raises ValueError for anything that is not an aware time."""
    when = datetime.fromisoformat(written)
    if when.tzinfo is None:
        raise ValueError(f"{written!r} has no time zone; write UTC times with a Z")
    return when.astimezone(UTC)
