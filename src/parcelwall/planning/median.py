"""The p-median problem: open p sites so that demand walks least. A bound closes nearly all sites, HiGHS does the rest.

`cost[i, j]` is what demand point i pays to be served by site j (its parcels a day times metres); shape (points, sites).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parcelwall.planning.radius import RadiusModel
from parcelwall.planning.solver import Array, Limits, OutOfTime

Sites = NDArray[np.int64]
STEPS = 1200  # of the subgradient
PATIENCE = 30  # steps without a better bound until the step is halved
LOOK_EVERY = 25  # steps between two local searches from what the bound would open
Tick = Callable[[str], None]


class Siting(NamedTuple):
    """`open`: the sites, ascending; `objective`: what all demand pays; nobody can pay less than `bound`. `share[i, j]`:
    how much of point i goes to site j, where sites have capacities; None: each point goes to the nearest."""

    open: tuple[int, ...]
    objective: float
    bound: float
    proven: bool
    share: Array | None = None


def pays(cost: Array, sites: Sites) -> float:
    """What all demand pays if exactly these sites are open."""
    return float(cost[:, sites].min(axis=1).sum())


def greedy(cost: Array, p: int) -> Sites:
    """Opens one site after another, each time the one that saves most (Cornuejols, Fisher, Nemhauser 1977)."""
    near = np.full(len(cost), cost.max() + 1.0)
    chosen: list[int] = []
    for _ in range(p):
        saved = np.maximum(near[:, None] - cost, 0.0).sum(axis=0)
        saved[chosen] = -1.0
        chosen.append(int(saved.argmax()))
        near = np.minimum(near, cost[:, chosen[-1]])
    return np.array(sorted(chosen))


def exchange(cost: Array, sites: Sites, kept: Sites | None = None) -> Sites:
    """Swaps an open site for a closed one as long as that saves (Teitz, Bart 1968), the best swap first.

    Sites in `kept` are never closed.
    """
    while swap := _best_swap(cost, sites, kept):
        sites = np.sort(np.append(np.delete(sites, swap[0]), swap[1]))
    return sites


def _best_swap(cost: Array, sites: Sites, kept: Sites | None) -> tuple[int, int] | None:
    """(place among the open, site to open) of the swap that saves most; None if none saves.

    For each site that might open: who is nearer to it goes there, whoever else loses a site goes to the nearer of it
    and the second-best (Whitaker 1983).
    """
    p = len(sites)
    order = np.argsort(cost[:, sites], axis=1, kind="stable")[:, :2]
    points = np.arange(len(cost))
    first = order[:, 0]
    near = cost[points, sites[first]]
    second = cost[points, sites[order[:, 1]]] if p > 1 else np.full(len(cost), np.inf)
    best, swap = -1e-9, None
    for opened in np.setdiff1d(np.arange(cost.shape[1]), sites):
        gain = np.minimum(cost[:, opened] - near, 0.0)
        loss = np.where(gain < 0, 0.0, np.minimum(second, cost[:, opened]) - near)
        change = gain.sum() + np.bincount(first, weights=loss, minlength=p)
        if kept is not None:
            change[np.isin(sites, kept)] = np.inf
        closed = int(change.argmin())
        if change[closed] < best:
            best, swap = float(change[closed]), (closed, int(opened))
    return swap


def solve(cost: Array, p: int, *, kept: Sites | None = None, limits: Limits | None = None,
          tick: Tick = lambda _: None) -> Siting:  # fmt: skip
    """The best `p` sites, those in `kept` among them, proven unless time runs out.

    A Lagrangean bound with a local search from what it opens (Beasley 1993); reduced costs close and open sites; what
    is left goes to HiGHS in radius form (Elloumi 2005).
    """
    hunt = _Hunt(cost, p, np.array([], dtype=np.int64) if kept is None else kept)
    for step in range(STEPS):
        if hunt.over() or hunt.tired():
            break
        hunt.step()
        if step % 100 == 0:
            tick(f"Opening {p} of {cost.shape[1]}: at most {hunt.best:,.0f}, at least {hunt.bound:,.0f}")
    if hunt.over():
        return hunt.answer(proven=True)
    tick(f"Opening {p} of {cost.shape[1]}: {int((~hunt.closed).sum())} sites are left to HiGHS")
    return hunt.finish(limits)


class _Hunt:
    """The best sites so far, the bound so far, and which sites can be ruled in or out."""

    def __init__(self, cost: Array, p: int, kept: Sites) -> None:
        self.cost, self.p, self.kept = cost, p, kept
        self.sites = exchange(cost, _with(greedy(cost, p), kept, cost), kept)
        self.best = pays(cost, self.sites)
        self.whole = bool((cost == np.rint(cost)).all())
        self.bound, self.size, self.waited, self.steps = 0.0, 2.0, 0, 0
        self.closed, self.opened = np.zeros(cost.shape[1], bool), np.zeros(cost.shape[1], bool)
        self.opened[kept] = True
        self.prices = np.partition(cost, min(1, cost.shape[1] - 1), axis=1)[:, :2].max(axis=1)
        self.seen: set[bytes] = set()

    def over(self) -> bool:
        """Whether nothing better can be left: whole costs leave no room below the next whole number."""
        return self.bound >= self._must_beat()

    def tired(self) -> bool:
        """Whether the bound has stopped rising."""
        return self.size < 1e-4

    def _must_beat(self) -> float:
        return self.best - 1 + 1e-6 if self.whole else self.best * (1 - 1e-9)

    def step(self) -> None:
        """One step of the subgradient on the rule that every point is served once; prices are what service is worth."""
        worth = np.minimum(self.cost - self.prices[:, None], 0.0).sum(axis=0)
        worth[self.closed] = np.inf
        order = np.lexsort((worth, ~self.opened))  # those that must be open first; their worth stays as exact as it is
        chosen = order[: self.p]
        bound = float(self.prices.sum() + worth[chosen].sum())
        self._fix(bound, worth, order)
        self._patience(bound)
        if self.steps % LOOK_EVERY == 0:
            self._look(np.sort(chosen))
        self.steps += 1
        slack = 1.0 - (self.cost[:, chosen] < self.prices[:, None]).sum(axis=1)
        length = float(slack @ slack)
        if length:
            self.prices = self.prices + self.size * (1.02 * self.best - bound) / length * slack

    def _patience(self, bound: float) -> None:
        self.waited = 0 if bound > self.bound + 1e-9 else self.waited + 1
        self.bound = max(self.bound, bound)
        if self.waited >= PATIENCE:
            self.size, self.waited = self.size / 2, 0

    def _fix(self, bound: float, worth: Array, order: Sites) -> None:
        """Closes each site that would lift the bound above the best if it were open, and the other way round."""
        last, free = worth[order[self.p - 1]], order[self.p :]
        goal = self._must_beat()
        self.closed[free[bound + worth[free] - last > goal]] = True
        if len(free):
            inside = order[: self.p]
            self.opened[inside[bound + worth[free[0]] - worth[inside] > goal]] = True

    def _look(self, chosen: Sites) -> None:
        if chosen.tobytes() in self.seen:
            return
        self.seen.add(chosen.tobytes())
        found = exchange(self.cost, chosen, self.kept)
        if (value := pays(self.cost, found)) < self.best:
            self.best, self.sites = value, found

    def answer(self, proven: bool) -> Siting:
        return Siting(tuple(int(site) for site in self.sites), self.best, self.best if proven else self.bound, proven)

    def finish(self, limits: Limits | None) -> Siting:
        """HiGHS on the sites that are still in question. What was found so far stands if it finds nothing in time."""
        left = np.flatnonzero(~self.closed)
        model = RadiusModel(self.cost[:, left], exactly=self.p, opened=self.opened[left])
        try:
            found = model.solve(limits)
        except OutOfTime:
            return self.answer(proven=False)
        if found:
            self.bound = max(self.bound, min(found.bound, self.best))
            sites = left[list(found.open)]
            if (value := pays(self.cost, sites)) < self.best:
                self.best, self.sites = value, sites
        return self.answer(proven=found is None or found.proven)


def _with(sites: Sites, kept: Sites, cost: Array) -> Sites:
    """As many sites, with all that must be kept: the least useful others make room."""
    for site in np.setdiff1d(kept, sites):
        others = np.flatnonzero(~np.isin(sites, kept))
        worse = [pays(cost, np.append(np.delete(sites, place), site)) for place in others]
        sites = np.sort(np.append(np.delete(sites, others[int(np.argmin(worse))]), site))
    return sites
