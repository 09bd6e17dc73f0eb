"""A fast replay of requests through `rules/places.py` alone: what a rule of admission and placing serves.

For fitting thresholds, for the search of a mix of sizes, and for the tables of docs/planning/allocation.md. Every rule
sees the same requests; of a stay it sees the stratum and never the hours.
"""

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Protocol

import msgspec
import numpy as np

from parcelwall.planning.demand import Array, Requests
from parcelwall.rules import places


class Inside(msgspec.Struct):
    """What a rule may look at: free compartments by class, and what lies inside: (came, class, stratum) by request."""

    free: list[int]
    stored: dict[int, tuple[float, int, int]]


class Rule(Protocol):
    """A rule of admission, and where what is admitted is put."""

    name: str

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        """A replay begins. Nothing of `requests` but its survival table and sizes of arrays may be used."""

    def visit(self, now_h: float, inside: Inside) -> None:
        """A courier's visit begins."""

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        """The class for this request, None to refuse it."""


class Outcome(msgspec.Struct):
    """What became of n requests: `put` is the class of each, -1 where refused. Decision times in ns, n each."""

    put: Array
    took_ns: Array

    @property
    def served(self) -> Array:
        return self.put >= 0


def replay(
    rule: Rule, requests: Requests, compartments: Sequence[int], ticks_ns: Callable[[], int] = lambda: 0,
    looks_h: Sequence[float] | None = None,
) -> Outcome:  # fmt: skip
    """One rule through all requests, from an empty station. A rule that puts a parcel where it does not fit, or where
    nothing is free, is a fault of ours. `ticks_ns` is the clock that decisions are timed by. `looks_h`, ascending: when
    the rule looks ahead (`visit`), if not at the beginning of each visit."""
    inside = Inside(list(compartments), {})
    leaving: list[tuple[float, int]] = []
    looks = deque(looks_h or ())
    put = np.full(len(requests), -1)
    took = np.zeros(len(requests), dtype=np.int64)
    rule.begin(requests, compartments)
    rows = zip(requests.comes_h.tolist(), requests.leaves_h.tolist(), requests.size.tolist(),
               requests.stratum.tolist(), requests.visit.tolist(), strict=True)  # fmt: skip
    current = -1
    for index, (comes, leaves, size, stratum, visit) in enumerate(rows):
        while looks and looks[0] <= comes:
            _leave(inside, leaving, looks[0])
            rule.visit(looks.popleft(), inside)
        _leave(inside, leaving, comes)
        if looks_h is None and visit != current:
            current = visit
            rule.visit(comes, inside)
        began = ticks_ns()
        chosen = rule.place(comes, size, stratum, inside)
        took[index] = ticks_ns() - began
        if chosen is not None:
            assert chosen >= size and inside.free[chosen] > 0, f"{rule.name} put a parcel where it has no room"
            inside.free[chosen] -= 1
            inside.stored[index] = (comes, chosen, stratum)
            put[index] = chosen
            heappush(leaving, (leaves, index))
    return Outcome(put, took)


def _leave(inside: Inside, leaving: list[tuple[float, int]], now_h: float) -> None:
    """Frees the compartments of all that have left by now."""
    while leaving and leaving[0][0] <= now_h:
        inside.free[inside.stored.pop(heappop(leaving)[1])[1]] += 1


class BestFit:
    """Everybody for whom a fitting compartment is free, into the smallest class that fits: always accept."""

    name = "best fit"

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        """It needs to know nothing."""

    def visit(self, now_h: float, inside: Inside) -> None:
        """It keeps no count of visits."""

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        return places.best_fit(inside.free, size)
