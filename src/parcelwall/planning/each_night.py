"""What the nightly plan's thresholds would have served: planned at each midnight, and evaluated as the hub does it."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from parcelwall.planning.admission import NOT_BINDING, Program, Solved
from parcelwall.planning.demand import Array, Requests
from parcelwall.planning.dice import Dice, dice
from parcelwall.planning.expected import Expected
from parcelwall.planning.trial import Inside
from parcelwall.rules import admission, places

HORIZON = 7  # days


def whole_levels(solved: Solved, demand: Array, rng: Dice) -> tuple[Array, Array]:
    """By day, service and size: levels in whole numbers, plus one with the chance of the remainder; and where they
    bind, because less is admitted than is asked for."""
    whole = np.floor(solved.levels + NOT_BINDING)
    return whole + (rng.random(whole.shape) < solved.levels - whole), solved.levels < demand - NOT_BINDING


class EachNight:
    """A rule for `trial.replay` that is looked at each midnight: one level for the day, by service (stratum) and size.
    Heads are those of the day that are there still. Nothing is promised ahead: a replay knows arrivals only."""

    name = "nightly levels"

    def __init__(self, expected: Expected, seed: int, worth: Array) -> None:
        self.expected, self._rng, self._worth = expected, dice(seed), worth

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        self.program = Program(self.expected, compartments, HORIZON)

    def visit(self, now_h: float, inside: Inside) -> None:
        """Midnight: the plan for the day that begins."""
        self.expects = self.expected.mean[self.expected.ahead(now_h, 1)[1][0]]
        solved = self.program.solve(now_h, list(inside.stored.values()), self._worth)
        level, binds = whole_levels(solved, self.expected.mean[self.expected.ahead(now_h, HORIZON)[1]], self._rng)
        self.level = np.where(binds[0], level[0], self.expects)
        self.today: dict[tuple[int, int], list[tuple[float, int, int]]] = defaultdict(list)

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        there = Counter(inside.stored.values())
        mine = self.today[stratum, size]
        heads = sum((Counter(mine) & there).values())
        if not admission.within_level(heads, self.level[stratum, size], self.expects[stratum, size]):
            return None
        chosen = places.best_fit(inside.free, size)
        if chosen is not None:
            mine.append((now_h, chosen, stratum))
        return chosen
