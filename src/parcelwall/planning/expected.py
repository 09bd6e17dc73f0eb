"""What is expected to come: mean requests by visit of the period, stratum and size, learnt from past periods only."""

from collections.abc import Sequence

import msgspec
import numpy as np

from parcelwall.planning.demand import VISIT_LASTS_H, VISITS_AT_H, Array, Requests, stays_on


class Expected(msgspec.Struct, frozen=True):
    """`ends_h`: the hours in a period of `period_h` at which visits end, n; `mean[visit, stratum, size]`: requests.

    `survival` is that of the past requests.
    """

    period_h: float
    ends_h: Array
    mean: Array
    survival: Array

    def ahead(self, now_h: float, most: int) -> tuple[Array, Array]:
        """Ends of the visit under way or next and of those after it, and which visits of the period they are."""
        n = len(self.ends_h)
        turn, within = divmod(now_h, self.period_h)
        first = int(np.searchsorted(self.ends_h, within - 1e-6))
        places = first + np.arange(most)
        return turn * self.period_h + places // n * self.period_h + self.ends_h[places % n], places % n

    def still_there(self, now_h: float, stored: Sequence[tuple[float, int, int]], at_h: Array, classes: int) -> Array:
        """Expected occupied compartments by class at each of these times: shape (classes, times)."""
        found = np.zeros((classes, len(at_h)))
        if stored:
            came, cls, stratum = (np.array(column) for column in zip(*stored, strict=True))
            ages = (now_h - came)[:, None], at_h[None, :] - came[:, None]
            np.add.at(found, cls, stays_on(self.survival, stratum[:, None], *ages))
        return found


def learn(past: Sequence[Requests], period_h: float, ends_h: Sequence[float], sizes: int) -> Expected:
    """Means over all periods of the past requests. Each visit takes what came since the end of the one before it."""
    survival = past[0].survival
    total, periods = np.zeros((len(ends_h), len(survival), sizes)), 0
    ends = np.asarray(ends_h, dtype=float)
    for each in past:
        place = np.searchsorted(ends, each.comes_h % period_h) % len(ends)
        np.add.at(total, (place, each.stratum, each.size), 1)
        periods += max(1, int(np.ceil(each.comes_h[-1] / period_h))) if len(each) else 0
    return Expected(period_h, ends, total / max(1, periods), survival)


def of_generator(past: Sequence[Requests], sizes: int = 3) -> Expected:
    """The same for the generator's two visits a day."""
    return learn(past, 24.0, [start + VISIT_LASTS_H for start in VISITS_AT_H], sizes)
