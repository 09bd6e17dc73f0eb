"""How fast a demo's day goes: fast while everybody waits, at its own pace while somebody stands at a door or acts.

Only the day is fast. Locks, lines and screens keep their seconds, and each deadline that is shown is one of this day.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from parcelwall import clock as clocks
from parcelwall.clock import PacedClock
from parcelwall.errors import Trouble

FASTEST = 360.0  # a day in four minutes: lines beat often enough for no more than that
ACTS_FOR_S = 20.0  # so long after somebody's act time goes at its own pace
LOOK_EVERY_S, KEEP_EVERY_S = 0.05, 1.0
ALIVE_S = 30.0  # of the day, between two beats of a line


class Pace:
    """Moves a PacedClock between its own pace and `speed`. `busy` says whether somebody stands at a door."""

    def __init__(self, clock: PacedClock, speed: float, kept_in: Path) -> None:
        if not 1 <= speed <= FASTEST:
            raise Trouble(f"A day goes between 1 and {FASTEST:.0f} times as fast; {speed:g} is neither.")
        self.clock, self.speed, self._kept_in = clock, speed, kept_in
        self.busy: Callable[[], bool] = lambda: False
        self.wanted = speed > 1
        self._acting_until, self._guests = 0.0, 0

    @property
    def beat_every_s(self) -> float:
        """How often a line must beat, in real seconds, so that no station looks silent on a fast day."""
        return max(0.1, min(20.0, ALIVE_S / self.speed))

    def act(self) -> None:
        """Somebody has done something: they are to see what comes of it."""
        self._acting_until = self.clock.mono() + ACTS_FOR_S
        self.clock.go(1.0)

    @contextmanager
    def at_its_own(self) -> Iterator[None]:
        """While this lasts no second is shorter than a second."""
        self._guests += 1
        self.clock.go(1.0)
        try:
            yield
        finally:
            self._guests -= 1

    @property
    def rests(self) -> bool:
        return bool(self._guests) or self.clock.mono() < self._acting_until or self.busy()

    async def run(self) -> None:
        """For ever. What the day is at is kept, so that a town that is opened again never goes back."""
        keep_at = 0.0
        while True:
            self.clock.go(self.speed if self.wanted and not self.rests else 1.0)
            if self.clock.mono() >= keep_at:
                self._kept_in.write_text(clocks.text(self.clock.now()))
                keep_at = self.clock.mono() + KEEP_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)


def where_it_was(kept_in: Path) -> datetime | None:
    """The moment of the day at which a town was left; None for a new one."""
    return clocks.parse(kept_in.read_text()) if kept_in.exists() else None


def noticing(app: Any, act: Callable[[], None]) -> Any:
    """The app, telling `act` of everything that a person sends: forms, not the API of shops and not the lines."""

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        person = scope["type"] == "http" and scope["method"] == "POST"
        if person and not scope["path"].startswith(("/api/", "/enrol", "/demo/", "/beat", "/screen")):
            act()
        await app(scope, receive, send)

    return listening


def in_frames(app: Any) -> Any:
    """The app of a demo, whose pages may stand in frames of this machine's pages. Every other hub and kiosk forbids."""

    async def framed(scope: Any, receive: Any, send: Any) -> None:
        async def allowing(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(name, _near(value)) for name, value in message["headers"]]
            await send(message)

        await app(scope, receive, allowing)

    return framed


def _near(value: bytes) -> bytes:
    return value.replace(b"frame-ancestors 'none'", b"frame-ancestors http://127.0.0.1:*")
