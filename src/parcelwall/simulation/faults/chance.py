"""Luck in named streams: each part of a town draws from its own, so that one more fault does not shift the others."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from math import log
from typing import TypeVar

from parcelwall.clock import Clock
from parcelwall.ids import Chance, Ids, seeded

Thing = TypeVar("Thing")


class Luck:
    """Draws from one stream."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance

    def happens(self, rate: float) -> bool:
        return self.chance.random() < rate

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.chance.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.chance.random() * (high - low + 1))

    def pick(self, things: Sequence[Thing]) -> Thing:
        return things[int(self.chance.random() * len(things))]

    def wait(self, mean: timedelta) -> timedelta:
        """Until the next of things that happen at random, once in `mean`."""
        return -log(1 - self.chance.random()) * mean


class Streams:
    """The streams of one seed, by name."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def ids(self, name: str, clock: Clock) -> Ids:
        number = int.from_bytes(hashlib.sha256(f"{self._seed}/{name}".encode()).digest()[:8], "big")
        return seeded(clock, number)

    def luck(self, name: str, clock: Clock) -> Luck:
        return Luck(self.ids(name, clock).chance)
