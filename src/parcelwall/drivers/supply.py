"""Two brakes on coils: one pulse at a time per power supply, and a share of pulses per coil.

Several coils at once make the voltage sag until the computer resets; a coil pulsed too often burns.
Source: hardware.md 2.2, laws 3 and 11.
"""

import asyncio
from collections import deque
from typing import Self

from parcelwall.clock import Clock

COIL_LIMITS = ((3, 30.0), (6, 600.0))  # (pulses, seconds)


class Supply:
    """The gate of one power supply. Several buses may share it; its holder is the only one who pulses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_at = float("-inf")
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._turn.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._turn.release()

    async def rest(self, not_after: float) -> bool:
        """Waits until the next pulse may start. False at once if that is later than `not_after` (mono seconds)."""
        if self._free_at > not_after:
            return False
        wait_s = self._free_at - self._clock.mono()
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        return True

    def pulsed(self, start_at: float, pulse_s: float, gap_s: float) -> None:
        """A pulse may have started as late as `start_at`: nothing may start before its end and the gap."""
        self._free_at = max(self._free_at, start_at + pulse_s + gap_s)


class Coil:
    """When one coil was driven, as far back as its limits look."""

    def __init__(self) -> None:
        self._driven_at: deque[float] = deque(maxlen=max(pulses for pulses, _ in COIL_LIMITS))

    def driven(self, at: float) -> None:
        self._driven_at.append(at)

    def may_be_driven(self, now: float) -> bool:
        """At most 3 pulses in 30 s and 6 in 10 min."""
        return self.rests_until() <= now

    def rests_until(self, more: int = 0) -> float:
        """Before it, in monotonic seconds, the coil is not driven; -inf for one that had no share of pulses yet. With
        `more`, as if it were driven so many times just now, fewer than any limit."""
        return max(
            (self._driven_at[more - pulses] + seconds
             for pulses, seconds in COIL_LIMITS if len(self._driven_at) >= pulses - more),
            default=float("-inf"),
        )
