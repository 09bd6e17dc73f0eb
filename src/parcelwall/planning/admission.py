"""How many to admit, by kind of parcel and visit: the linear program of the literature on a rolling horizon.

Its solution gives reservation levels (admit a kind until its level is reached), its dual prices give bid prices (admit
while a parcel is worth more than the room that it takes from later ones). docs/planning/allocation.md has the program.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from parcelwall.errors import Trouble
from parcelwall.planning.demand import Array, Requests, survives
from parcelwall.planning.dice import dice
from parcelwall.planning.expected import Expected
from parcelwall.planning.trial import Inside
from parcelwall.rules import places

VISITS_AHEAD = 14
NOT_BINDING = 1e-6


class Solved(msgspec.Struct, frozen=True):
    """`level[stratum, size]` for the visit under way, `levels[visit, stratum, size]` for each of the horizon;
    `price[class, visit]` of one compartment at each visit's end."""

    level: Array
    price: Array
    ends_h: Array
    levels: Array


class Program:
    """max admitted, s.t. expected occupancy of each class at the end of each visit <= its compartments."""

    def __init__(self, expected: Expected, compartments: Sequence[int], horizon: int = VISITS_AHEAD) -> None:
        self.expected, self.compartments, self.horizon = expected, np.asarray(compartments, dtype=float), horizon
        strata, classes = expected.mean.shape[1], len(compartments)
        kinds = [(t, g, s, c) for t in range(horizon) for g in range(strata) for s in range(classes)
                 for c in range(s, classes)]  # fmt: skip
        self.t, self.g, self.s, self.c = (np.array(column) for column in zip(*kinds, strict=True))
        self.option = (self.t * strata + self.g) * classes + self.s
        self._matrices: dict[int, csr_array] = {}

    def solve(
        self, now_h: float, stored: Sequence[tuple[float, int, int]], worth: Array | None = None,
        promised: Array | None = None, demand: Array | None = None,
    ) -> Solved:  # fmt: skip
        """The best plan from what is stored now. `worth[stratum, size]` of one parcel, 1 if not given;
        `promised[class, visit]`: expected to be there then of what is promised already; `demand[visit, stratum, size]`:
        what is still to be asked for, if it is not the mean of the visit.

        Raises Trouble if HiGHS finds none.
        """
        ends, which = self.expected.ahead(now_h, self.horizon)
        taken = self.expected.still_there(now_h, stored, ends, len(self.compartments))
        if promised is not None:
            taken = taken + promised
        room = np.maximum(self.compartments[:, None] - taken, 0).ravel()
        asked = (self.expected.mean[which] if demand is None else demand).ravel()
        gain = np.ones(len(self.t)) if worth is None else worth[self.g, self.s]
        found = linprog(-gain, A_ub=self._matrix(int(which[0]), ends), b_ub=np.concatenate([room, asked]),
                        method="highs")  # fmt: skip
        if found.x is None:
            raise Trouble(f"the levels were not found: {found.message}")
        levels = np.zeros((self.horizon, *self.expected.mean.shape[1:]))
        np.add.at(levels, (self.t, self.g, self.s), found.x)
        price = -found.ineqlin.marginals[: room.size].reshape(len(self.compartments), self.horizon)
        return Solved(levels[0], price, ends, levels)

    def _matrix(self, first: int, ends: Array) -> csr_array:
        """Rows: occupancy of class c at the end of visit t', then requests of each option. Known by the first visit."""
        known = self._matrices.get(first)
        if known is None:
            n = len(self.t)
            occupied = np.zeros((len(self.compartments), self.horizon, n))
            for later in range(self.horizon):
                mine = np.flatnonzero(self.t <= later)
                ages = ends[later] - ends[self.t[mine]]
                occupied[self.c[mine], later, mine] = self.stays(self.g[mine], ages)
            asked = csr_array((np.ones(n), (self.option, np.arange(n))))
            known = csr_array(np.vstack([occupied.reshape(-1, n), asked.toarray()]))
            self._matrices[first] = known
        return known

    def stays(self, stratum: Array, age_h: Array) -> Array:
        return survives(self.expected.survival, stratum, age_h)


class Levels:
    """Reservation levels: solved again at each visit; a level is rounded down, plus one with its remainder's chance."""

    name = "reservation levels"

    def __init__(self, expected: Expected, seed: int = 1, worth: Array | None = None) -> None:
        self.expected, self._rng, self._worth = expected, dice(seed), worth

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        self.program = Program(self.expected, compartments)

    def visit(self, now_h: float, inside: Inside) -> None:
        solved = self.program.solve(now_h, list(inside.stored.values()), self._worth)
        now = self.expected.mean[self.expected.ahead(now_h, 1)[1][0]]
        whole = np.floor(solved.level + NOT_BINDING)
        level = whole + (self._rng.random(whole.shape) < solved.level - whole)
        self.level = np.where(solved.level >= now - NOT_BINDING, np.inf, level)
        self.count = np.zeros(whole.shape, dtype=int)

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        if not self.count[stratum, size] < self.level[stratum, size]:
            return None
        chosen = places.best_fit(inside.free, size)
        if chosen is not None:
            self.count[stratum, size] += 1
        return chosen


class BidPrice:
    """Admit while a parcel is worth at least what its room is expected to be worth to later ones."""

    name = "bid price"

    def __init__(self, expected: Expected) -> None:
        self.expected = expected

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        self.program = Program(self.expected, compartments)

    def visit(self, now_h: float, inside: Inside) -> None:
        solved = self.program.solve(now_h, list(inside.stored.values()))
        strata = self.expected.mean.shape[1]
        ages = solved.ends_h - solved.ends_h[0]
        stays = np.array([self.program.stays(np.full(len(ages), g), ages) for g in range(strata)])
        self.cost = stays @ solved.price.T  # strata x classes

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        if self.cost[stratum, size:].min() > 1 + NOT_BINDING:
            return None
        return places.best_fit(inside.free, size)
