"""An event loop whose time is skipped: when all that runs has to wait, the next moment is now.

Unlike with `clock.VirtualClock`, things that wait at the same time do so side by side, as on a real line; and what the
machine has to do besides costs no time.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from station.towns import NOW

T = TypeVar("T")


class _Impatient(selectors.DefaultSelector):
    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout:
            self.skipped_s += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.skipped_s


class LoopClock:
    """A Clock that tells the running loop's time."""

    def mono(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.mono())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(doing: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(doing)
