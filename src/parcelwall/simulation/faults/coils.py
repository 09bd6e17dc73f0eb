"""How often each coil was driven since its station started, as this simulation saw it.

A coil that had its share rests, and whoever wants its door has to wait. The limits stand here once more (hardware.md
law 11): what the station's own brake says is no excuse.
"""

from collections import defaultdict, deque
from functools import partial

import msgspec

LIMITS = ((3, 30.0), (6, 600.0))  # (pulses, seconds)
REMEMBERED = 1 + max(pulses for pulses, _ in LIMITS)


class Order(msgspec.Struct):
    """An order to drive a coil, in monotonic seconds; the coil is driven once between the two."""

    given_at: float
    over_at: float = float("inf")


class Coils:
    """All coils of one station."""

    def __init__(self) -> None:
        self._orders: dict[int, deque[Order]] = defaultdict(partial(deque, maxlen=REMEMBERED))

    def begins(self, door: int, at: float) -> Order:
        self._orders[door].append(Order(at))
        return self._orders[door][-1]

    def was_not_driven(self, door: int) -> None:
        """The newest order has reached no board."""
        self._orders[door].pop()

    def may_rest(self, door: int, at: float) -> bool:
        """Whether it had so many pulses that it may have to rest."""
        had = self._orders[door]
        return any(len(had) >= pulses and at < had[-pulses].over_at + seconds for pulses, seconds in LIMITS)

    def had_too_many(self, door: int) -> bool:
        """Whether its newest pulse, which is over, was surely one too many."""
        had = self._orders[door]
        return any(len(had) > pulses and had[-1].over_at - had[-1 - pulses].given_at < s for pulses, s in LIMITS)
