"""The other rules of the literature, to be held against: each is tried on the past where it has a number to choose."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog
from scipy.stats import poisson

from parcelwall.planning.demand import Array, Requests
from parcelwall.planning.dice import dice
from parcelwall.planning.expected import Expected
from parcelwall.planning.trial import BestFit, Inside, Rule, replay
from parcelwall.rules import admission, places


class LargestFirst(BestFit):
    """A bad example: the largest free compartment."""

    name = "largest first"

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        fitting = [c for c in range(size, len(inside.free)) if inside.free[c] > 0]
        return fitting[-1] if fitting else None


class RandomFit(BestFit):
    """Any class that fits and has one free."""

    name = "random fit"

    def __init__(self, seed: int = 1) -> None:
        self._rng = dice(seed)

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        fitting = [c for c in range(size, len(inside.free)) if inside.free[c] > 0]
        return int(self._rng.choice(fitting)) if fitting else None


class FirstFit(BestFit):
    """The lowest door number that fits, in a station whose sizes stand mixed: numbered by size it is best fit."""

    name = "first fit"

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        spread = sorted(((place + 0.5) / count, c) for c, count in enumerate(compartments) for place in range(count))
        self.cls = [c for _, c in spread]
        self.door_of: dict[int, int] = {}
        self.given: int | None = None

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        newest = next(reversed(inside.stored), -1)
        if self.given is not None and newest not in self.door_of:
            self.door_of[newest] = self.given
        self.door_of = {index: door for index, door in self.door_of.items() if index in inside.stored}
        taken = set(self.door_of.values())
        self.given = next((d for d, c in enumerate(self.cls) if c >= size and d not in taken), None)
        return None if self.given is None else self.cls[self.given]


class Protecting(BestFit):
    """Best fit, but a smaller parcel goes up a class only while more than `keep` compartments of it are free."""

    name = "size protection"

    def __init__(self, keep: Sequence[int]) -> None:
        self.keep = keep

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        chosen = places.best_fit(inside.free, size)
        if chosen is None or admission.protects(inside.free, self.keep, size, chosen):
            return chosen
        return None


class SlowThreshold(BestFit):
    """Parcels of slow strata are refused while at most `theta` compartments are free."""

    name = "slow threshold"

    def __init__(self, slow: Array, theta: int) -> None:
        self.slow, self.theta = slow, theta

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        if self.slow[stratum] and sum(inside.free) <= self.theta:
            return None
        return places.best_fit(inside.free, size)


class ClassSelection(BestFit):
    """Levi and Radovanovic: kinds are taken with the share that the steady-state linear program gives them."""

    name = "class selection"

    def __init__(self, share: Array, seed: int = 1) -> None:
        self.share, self._rng = share, dice(seed)

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        if self._rng.random() >= self.share[stratum, size]:
            return None
        return places.best_fit(inside.free, size)


class HeadCount(BestFit):
    """Xie, Gurvich, Kucukyavuz, one pool: marginal kinds only while fewer than `theta` compartments are occupied,
    kinds that the program takes whole always, kinds that it leaves out never."""

    name = "head count"

    def __init__(self, share: Array, theta: int, total: int) -> None:
        self.share, self.theta, self.total = share, theta, total

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        share = self.share[stratum, size]
        if share <= WHOLLY_OUT or (share < 1 - WHOLLY_OUT and self.total - sum(inside.free) >= self.theta):
            return None
        return places.best_fit(inside.free, size)


WHOLLY_OUT = 1e-6


def mean_stay_h(survival: Array, step_h: float) -> Array:
    """E[D] of each stratum [hours]: the area under S."""
    found: Array = survival.sum(axis=1) * step_h
    return found


def steady_shares(expected: Expected, compartments: Sequence[int], step_h: float) -> Array:
    """max sum of lambda x, s.t. for every u: sum over sizes >= u of lambda E[D] x <= compartments >= u; 0 <= x <= 1."""
    rate = expected.mean.sum(axis=0) / expected.period_h  # strata x sizes, per hour
    load = rate * mean_stay_h(expected.survival, step_h)[:, None]
    strata, sizes = rate.shape
    rows = [np.where(np.arange(sizes) >= u, load, 0).ravel() for u in range(sizes)]
    room = [float(sum(compartments[u:])) for u in range(sizes)]
    found = linprog(-rate.ravel(), A_ub=np.array(rows), b_ub=room, bounds=(0, 1), method="highs")
    share: Array = np.asarray(found.x).reshape(strata, sizes)
    return share


def littlewood(values: Sequence[float], arrivals: Sequence[float]) -> list[int]:
    """EMSR-b: how many to keep for classes 0..j against class j + 1, with values falling and Poisson arrivals of these
    means during one stay. Equal values keep nothing: why protecting sizes is worth nothing here."""
    kept = []
    for j in range(len(values) - 1):
        mean = sum(arrivals[: j + 1])
        value = sum(v * a for v, a in zip(values, arrivals[: j + 1], strict=False)) / mean if mean else values[j]
        kept.append(max(0, int(poisson.isf(min(1.0, values[j + 1] / value), mean))))
    return kept


def chosen_on_past(candidates: Sequence[Rule], past: Sequence[Requests], compartments: Sequence[int]) -> Rule:
    """The one that serves the most of the past; of equals the first."""
    served = [sum(int(replay(rule, each, compartments).served.sum()) for each in past) for rule in candidates]
    return candidates[int(np.argmax(served))]


def fitted(
    past: Sequence[Requests], expected: Expected, compartments: Sequence[int], step_h: float
) -> list[Rule]:
    """All of these rules, with their numbers chosen on the past."""
    total = sum(compartments)
    stay = mean_stay_h(expected.survival, step_h)
    slow = stay > np.average(stay, weights=expected.mean.sum(axis=(0, 2)) + 1e-9)
    share = steady_shares(expected, compartments, step_h)
    thetas = sorted({round(total * k / 24) for k in range(19)})
    few = past[:5]
    return [
        LargestFirst(), RandomFit(), FirstFit(),
        chosen_on_past([Protecting(keep) for keep in _keeps(compartments)], few, compartments),
        chosen_on_past([SlowThreshold(slow, theta) for theta in (-1, *thetas)], few, compartments),
        ClassSelection(share),
        chosen_on_past([HeadCount(share, total - theta, total) for theta in thetas], few, compartments),
    ]  # fmt: skip


def _keeps(compartments: Sequence[int]) -> list[tuple[int, ...]]:
    """What may be kept of each class above the smallest: nothing, some, half."""
    options = [sorted({0, 1, 2, count // 4, count // 2}) for count in compartments[1:]]
    found: list[tuple[int, ...]] = [(0,)]
    for each in options:
        found = [(*row, keep) for row in found for keep in each]
    return found
