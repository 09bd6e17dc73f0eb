"""Time comes in from here, and from nowhere else.

`now()` is the wall clock in UTC; `mono()` counts seconds that never run backwards and is what durations and
deadlines of door pulses are measured with.
"""

import asyncio
import re
import time
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import tzdata

A_DAY_S = 24 * 3600


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


class PacedClock:
    """The day goes `pace` times as fast as the machine's, and seconds stay seconds: for a town that is looked at.

    What is measured (`mono`, `sleep`) is real, so that locks, lines and hands take the time they take. The pace may be
    changed at any moment; `now` never goes back, and begins at `start` if the machine's clock is behind that.
    """

    def __init__(self, machine: Clock, start: datetime | None = None) -> None:
        self._machine = machine
        self._at = max(machine.now(), start) if start else machine.now()
        self._since = machine.mono()
        self.pace = 1.0

    def now(self) -> datetime:
        return self._at + timedelta(seconds=(self._machine.mono() - self._since) * self.pace)

    def mono(self) -> float:
        return self._machine.mono()

    async def sleep(self, seconds: float) -> None:
        await self._machine.sleep(seconds)

    def go(self, pace: float) -> None:
        """From now on at this pace, at least 1: a day that stood still would never let a deadline come."""
        assert pace >= 1, "time never runs backwards"
        if pace != self.pace:
            self._at, self._since, self.pace = self.now(), self._machine.mono(), pace


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


def shifts(zone: zoneinfo.ZoneInfo, since: datetime, until: datetime) -> list[tuple[datetime, datetime, timedelta]]:
    """From when until when the clocks of a zone are how far ahead of UTC, from `since` to `until`: for statements in
    a database, which may know another list of zones."""
    found, begun, here, end = [], int(since.timestamp()), int(since.timestamp()), int(until.timestamp()) + 1
    while here < end:
        then = min(here + A_DAY_S, end)
        if _ahead(zone, here) != _ahead(zone, then):
            while then - here > 1:
                middle = (here + then) // 2
                here, then = (middle, then) if _ahead(zone, middle) == _ahead(zone, here) else (here, middle)
            found.append((begun, then, _ahead(zone, here)))
            begun = then
        here = then
    found.append((begun, end, _ahead(zone, begun)))
    return [(datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC), ahead) for a, b, ahead in found]


def _ahead(zone: zoneinfo.ZoneInfo, at_s: int) -> timedelta:
    return datetime.fromtimestamp(at_s, zone).utcoffset() or timedelta()


def take_newest_zones(folders: Sequence[str] = zoneinfo.TZPATH, ours: str = tzdata.IANA_VERSION) -> None:
    """From here on clocks are moved as the newest list of zones says: the machine's, if it is at least as new as the
    package `tzdata`, else that one. Python by itself takes the machine's, however old: countries change their mind
    every year, and a hub and its stations would be an hour apart."""
    versions = [_version(Path(folder)) for folder in folders]
    zoneinfo.reset_tzpath([folder for folder, its in zip(folders, versions, strict=True) if its >= ours])
    zoneinfo.ZoneInfo.clear_cache()


def _version(folder: Path) -> str:
    """Such as `2026b`; nothing where it does not say."""
    file = folder / "tzdata.zi"
    found = re.match(r"# version (\d{4}\w*)", file.read_text()[:100]) if file.is_file() else None
    return found[1] if found else ""
