"""Siting in radius form: for each point the ring in which its nearest open site lies, not which site it is.

Elloumi (2005), "Alternative formulation for the p-median problem": the same bound as the classical form with far fewer
columns. With costs of opening it is the facility location problem, without limits of capacity.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parcelwall.planning.solver import Array, Limits, Rows, minimise


class Opened(NamedTuple):
    """Which sites are open, what it costs with opening, what nothing can be below, whether that is the same."""

    open: tuple[int, ...]
    objective: float
    bound: float
    proven: bool


class RadiusModel:
    """`cost[i, j]` of serving point i from site j; `fixed[j]` of opening; `exactly` so many open, or as many as pay."""

    def __init__(
        self, cost: Array, *, fixed: Array | None = None, exactly: int | None = None,
        opened: NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        points, self.sites = cost.shape
        self._rows = Rows()
        self._prices: list[Array] = [np.zeros(self.sites) if fixed is None else fixed]
        self._constant, self._columns = 0.0, self.sites
        self._low = np.zeros(self.sites) if opened is None else opened.astype(float)
        far = self.sites - exactly + 1 if exactly else self.sites + 1
        if exactly is not None:
            self._rows.add(np.arange(self.sites), 1.0, exactly, exactly)
        else:
            self._rows.add(np.arange(self.sites), 1.0, 1, np.inf)
        for point in range(points):
            self._add_point(cost[point], far)

    def _add_point(self, cost: Array, far: int) -> None:
        """Ring by ring: z = 1 if nothing is open this near. The last ring has a site in any case."""
        order = np.argsort(cost, kind="stable")
        levels, starts = np.unique(cost[order], return_index=True)
        ends = np.append(starts[1:], self.sites)
        rings = min(int((ends < far).sum()), len(levels) - 1)
        self._constant += float(levels[0])
        self._prices.append(np.diff(levels)[:rings])
        z = self._columns + np.arange(rings)
        self._columns += rings
        if not rings:
            return
        within = ends[rings - 1]
        ring_of = np.searchsorted(ends[:rings], np.arange(within), side="right")
        ring = np.arange(rings)
        # sites of the ring, z of the ring, minus z of the ring inside it
        rows = np.concatenate([ring_of, ring, ring[1:]])
        columns = np.concatenate([order[:within], z, z[:-1]])
        values = np.concatenate([np.ones(within + rings), -np.ones(rings - 1)])
        low = np.zeros(rings)
        low[0] = 1.0
        self._rows.add_many(rows, columns, values, low, np.full(rings, np.inf))

    def solve(self, limits: Limits | None = None) -> Opened | None:
        """The best sites; None if none can be opened as asked. Raises OutOfTime when none was found in time."""
        z = self._columns - self.sites
        integer = np.arange(self._columns) < self.sites
        low = np.concatenate([self._low, np.zeros(z)])
        found = minimise(np.concatenate(self._prices), self._rows, integer=integer, low=low,
                         high=np.ones(self._columns), limits=limits)  # fmt: skip
        if found is None:
            return None
        sites = tuple(int(j) for j in np.flatnonzero(found.x[: self.sites] > 0.5))
        return Opened(sites, found.objective + self._constant, found.bound + self._constant, found.proven)
