"""Ids and secrets are made here, and nowhere else, so that a simulation replays them from a seed."""

import random
import secrets
from typing import Protocol
from uuid import UUID

from parcelwall.clock import Clock


class Chance(Protocol):
    """Where random numbers come from: the system for real, a seeded generator in simulation."""

    def getrandbits(self, k: int) -> int: ...
    def random(self) -> float: ...


class Ids:
    """Makes UUIDs of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits, so they sort by birth."""

    def __init__(self, clock: Clock, chance: Chance | None = None) -> None:
        self._clock = clock
        self.chance: Chance = chance or secrets.SystemRandom()

    def new(self) -> UUID:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        noise = self.chance.getrandbits(74)
        high, low = noise >> 62, noise & ((1 << 62) - 1)
        return UUID(int=(milliseconds << 80) | (7 << 76) | (high << 64) | (2 << 62) | low)

    def secret(self, size_bytes: int = 32) -> bytes:
        return self.chance.getrandbits(size_bytes * 8).to_bytes(size_bytes, "big")


def seeded(clock: Clock, seed: int) -> Ids:
    """Ids that come out the same for the same seed and clock. For simulation and tests only."""
    return Ids(clock, random.Random(seed))
