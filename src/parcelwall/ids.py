"""Ids and secrets are made here, and nowhere else, so that a simulation replays them from a seed."""

import os
import random
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from parcelwall.clock import Clock

LOW_BITS = (1 << 62) - 1
VERSION_AND_VARIANT = 7 << 76 | 2 << 62


class Chance(Protocol):
    """Where random numbers come from: the system for real, a seeded generator in simulation."""

    def getrandbits(self, k: int) -> int: ...
    def random(self) -> float: ...


class SystemChance:
    """The system's random numbers, fetched a block at a time: a fetch for each costs more than what it is for."""

    BLOCK_BYTES = 2048

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)  # two processes must not draw the same numbers

    def _forget(self) -> None:
        self._block, self._used = b"", 0

    def _take(self, size_bytes: int) -> bytes:
        if self._used + size_bytes > len(self._block):
            self._block, self._used = os.urandom(max(self.BLOCK_BYTES, size_bytes)), 0
        self._used += size_bytes
        return self._block[self._used - size_bytes : self._used]

    def getrandbits(self, k: int) -> int:
        """An integer of `k` random bits."""
        return int.from_bytes(self._take(k + 7 >> 3), "big") >> -k % 8

    def random(self) -> float:
        """A number in [0, 1) of 53 random bits."""
        return self.getrandbits(53) * 2.0**-53


def born(one: UUID) -> datetime:
    """When an id of ours was made, to the millisecond. Asserts version 7."""
    assert one.version == 7, "only these carry their time"
    return datetime.fromtimestamp((one.int >> 80) / 1000, UTC)


class Ids:
    """Makes UUIDs of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits, so they sort by birth."""

    def __init__(self, clock: Clock, chance: Chance | None = None) -> None:
        self._clock = clock
        self.chance: Chance = chance or SystemChance()

    def new(self) -> UUID:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        noise = self.chance.getrandbits(74)
        return UUID(int=milliseconds << 80 | (noise >> 62) << 64 | noise & LOW_BITS | VERSION_AND_VARIANT)

    def secret(self, size_bytes: int = 32) -> bytes:
        return self.chance.getrandbits(size_bytes * 8).to_bytes(size_bytes, "big")


def seeded(clock: Clock, seed: int) -> Ids:
    """Ids that come out the same for the same seed and clock. For simulation and tests only."""
    return Ids(clock, random.Random(seed))
