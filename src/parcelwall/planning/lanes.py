"""Many candidates of one rule over many past periods at once, so that a search can afford to try thousands.

A lane is one candidate in one period. Visit by visit, the first arrival of every period is decided for all candidates,
then the second, and so on. It serves what `trial.replay` serves.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from parcelwall.planning.demand import VISIT_LASTS_H, Array, Requests, stays_on
from parcelwall.planning.expected import Expected

# (free ahead, stay, visits ahead, share left, class) -> admitted; shapes in `planning.pricing`
Decide = Callable[[Array, Array, Array, Array, Array], Array]


class State(msgspec.Struct):
    """L periods in one visit: P candidates, U classes, H visits ahead, G strata. `of` are the periods' numbers."""

    of: Array  # (L)
    free: Array  # (L, P, U) compartments free now
    ahead: Array  # (L, P, U, H) expected free ones of class u or larger
    stay: Array  # (L, G, H)
    visits: Array  # (L, H)
    end_h: Array  # (L)

    def only(self, keep: Array) -> "State":
        """The same of some periods only."""
        return State(*(getattr(self, name)[keep] for name in self.__struct_fields__))


class Lanes:
    """Past periods laid beside each other."""

    def __init__(self, past: Sequence[Requests], expected: Expected, compartments: Sequence[int], horizon: int) -> None:
        self.past, self.expected, self.horizon = past, expected, horizon
        self.compartments = np.asarray(compartments, dtype=float)
        self.classes = np.arange(len(compartments))
        self._starts = [np.append(np.flatnonzero(np.diff(each.visit, prepend=-1)), len(each)) for each in past]
        self._leaving = [np.argsort(each.leaves_h, kind="stable") for each in past]
        # how many of a period have left by the time each request comes
        self._gone = [np.searchsorted(each.leaves_h[order], each.comes_h, side="right")
                      for each, order in zip(past, self._leaving, strict=True)]  # fmt: skip

    def served(self, decide: Decide, candidates: int) -> Array:
        """Requests served by each candidate, summed over the periods."""
        total = np.zeros(candidates)
        put = [np.full((candidates, len(each)), -1, dtype=np.int8) for each in self.past]
        for number in range(max(len(each) for each in self._starts) - 1):
            total += self._visit(number, decide, put)
        return total

    def _visit(self, number: int, decide: Decide, put: list[Array]) -> Array:
        here = np.array([i for i, starts in enumerate(self._starts) if number + 1 < len(starts)])
        first = np.array([self._starts[i][number] for i in here])
        count = np.array([self._starts[i][number + 1] for i in here]) - first
        parts = [self._begin(i, j, put[i]) for i, j in zip(here, first, strict=True)]
        state = State(here, *(np.stack(part) for part in zip(*parts, strict=True)))
        served = np.zeros(state.free.shape[1])
        for step in range(int(count.max())):
            if (count <= step).any():
                keep = count > step
                state, first, count = state.only(keep), first[keep], count[keep]
            served += self._step(state, first + step, step > 0, decide, put)
        return served

    def _step(self, state: State, at: Array, later: bool, decide: Decide, put: list[Array]) -> Array:
        """One arrival in each of these periods, decided by all candidates; first, who has left makes room."""
        size, stratum, now = (np.empty(len(at), dtype=kind) for kind in (int, int, float))
        for k, (i, j) in enumerate(zip(state.of.tolist(), at.tolist(), strict=True)):
            made = self.past[i]
            size[k], stratum[k], now[k] = made.size[j], made.stratum[j], made.comes_h[j]
            if later and self._gone[i][j] > self._gone[i][j - 1]:
                self._depart(state.free[k], self._leaving[i][self._gone[i][j - 1] : self._gone[i][j]], put[i])
        stay = state.stay[np.arange(len(at)), stratum]
        open_ = (state.free > 0) & (self.classes >= size[:, None, None])
        chosen = open_.argmax(axis=2)
        left = np.clip((state.end_h - now) / VISIT_LASTS_H, 0, 1)
        admitted = open_.any(axis=2) & decide(state.ahead, stay, state.visits, left, chosen)
        period, who = np.nonzero(admitted)
        cls = chosen[period, who]
        state.free[period, who, cls] -= 1
        state.ahead[period, who] -= (self.classes <= cls[:, None])[:, :, None] * stay[period][:, None, :]
        for k, (i, j) in enumerate(zip(state.of.tolist(), at.tolist(), strict=True)):
            put[i][:, j] = np.where(admitted[k], chosen[k], -1)
        count: Array = admitted.sum(axis=0)
        return count

    @staticmethod
    def _depart(free: Array, leavers: Array, put: Array) -> None:
        for j in leavers:
            who = np.flatnonzero(put[:, j] >= 0)
            free[who, put[who, j]] += 1

    def _begin(self, i: int, first: int, put: Array) -> tuple[Array, Array, Array, Array, Array]:
        """free, ahead, stay, visits, end_h of one period when a visit begins with its request `first`."""
        requests = self.past[i]
        now = float(requests.comes_h[first])
        ends, visits = self.expected.ahead(now, self.horizon)
        inside = np.flatnonzero(requests.leaves_h[:first] > now)
        came, stratum = requests.comes_h[inside], requests.stratum[inside]
        later = stays_on(requests.survival, stratum[:, None], (now - came)[:, None], ends[None, :] - came[:, None])
        lies = put[:, inside][:, None, :] == self.classes[None, :, None]  # candidates x classes x inside
        ahead = self.compartments[None, :, None] - lies @ later
        ages = ends - ends[0]
        stay = np.array([requests.stays(np.full(len(ages), g), ages) for g in range(len(requests.survival))])
        return (self.compartments - lies.sum(axis=2), ahead[:, ::-1].cumsum(axis=1)[:, ::-1].astype(np.float32),
                stay.astype(np.float32), visits, ends[0])  # fmt: skip
