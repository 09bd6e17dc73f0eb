"""The chance that a fitting compartment is free when a parcel comes, and its calibration on what came of past ones.

Counts by class are sums of independent yes-or-no chances and of a Poisson number of parcels that nobody announced yet;
classes are combined from the largest down. docs/planning/offers.md has the formula and what it was measured at.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import gammaln, xlogy
from scipy.stats import rankdata

from parcelwall.planning.demand import Array

LEAST, MOST = 0.01, 0.995


def count_law(chances: Sequence[float] | Array, more: float = 0.0) -> Array:
    """P(n are there) for n = 0.., of independent chances and a Poisson number of mean `more`. What is no number between
    0 and 1 counts as certain: better a room too few than one too many."""
    return count_laws(np.asarray(chances, dtype=float)[None, :], np.array([more]))[0]


def count_laws(chances: Array, more: Array) -> list[Array]:
    """The same of several at once: (k, n) chances and k means."""
    p = np.where((chances >= 0) & (chances <= 1), chances, 1.0)
    laws = _sum_laws(p) if p.shape[1] else np.ones((len(p), 1))
    if not (more > 0).any():
        return list(laws)
    return [np.convolve(law, others) for law, others in zip(laws, _poisson_laws(np.maximum(more, 0.0)), strict=True)]


def _sum_laws(p: Array) -> Array:
    """Of n independent chances in each row: n + 1 numbers. From its values at the roots of unity (Hong 2013), as n is
    some tens: one product of a table instead of a loop, and wrong by no more than rounding."""
    n = p.shape[1] + 1
    turns = np.exp(-2j * np.pi / n * np.arange(n // 2 + 1))
    law: Array = np.fft.irfft((1 - p[..., None] + p[..., None] * turns).prod(axis=1), n)
    return np.clip(law, 0.0, 1.0)


def _poisson_laws(mean: Array) -> Array:
    """Up to where next to nothing is left of the largest."""
    most = float(mean.max())
    count = np.arange(int(most + 8 * most**0.5 + 5) + 1)
    law: Array = np.exp(xlogy(count, mean[:, None]) - mean[:, None] - gammaln(count + 1))
    return law


def room_chance(laws: Sequence[Array], compartments: Sequence[int], size: int) -> float:
    """P(one more parcel of this size fits). `laws[c]` is that of what takes room of class c: parcels that lie there by
    their class, those that come by their size. One pass from the largest class down."""
    room = 0
    law = np.ones(1)
    for u in range(len(compartments) - 1, -1, -1):
        law = np.convolve(law, laws[u])
        room += compartments[u]
        if len(law) > room:
            if u <= size:  # ours must fit as well
                law = law[:room] if room else np.zeros(1)
            else:  # larger ones that find no room are not stored
                law = np.append(law[:room], law[room:].sum())
    return float(min(1.0, law.sum()))


class Calibration:
    """Raw chance -> calibrated chance: isotonic regression of outcomes on raw chances, straight between the steps."""

    def __init__(self, raw: Array, came_true: Array) -> None:
        good = np.isfinite(raw)
        order = np.argsort(raw[good], kind="stable")
        self.raw = raw[good][order]
        fitted = isotonic_regression(came_true[good][order].astype(float)).x if len(order) else np.zeros(0)
        self.raw, first = np.unique(self.raw, return_index=True)
        counts = np.diff(np.append(first, len(order)))
        self.told = np.add.reduceat(fitted, first) / counts if len(order) else fitted

    def __call__(self, raw: Array) -> Array:
        """Clipped to LEAST..MOST; without any past, the raw chance clipped."""
        told = np.interp(raw, self.raw, self.told) if len(self.raw) else raw
        clipped: Array = np.clip(np.nan_to_num(told, nan=LEAST), LEAST, MOST)
        return clipped


def brier(told: Array, came_true: Array) -> float:
    return float(np.mean((told - came_true) ** 2))


def calibration_error(told: Array, came_true: Array, bins: int = 10) -> float:
    """Mean |told - observed| over bins of equal numbers, weighted by them."""
    order = np.argsort(told, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(part) * abs(told[part].mean() - came_true[part].mean()) for part in parts) / len(told))


def auc(told: Array, came_true: Array) -> float:
    """P(a parcel that fitted was told more than one that did not), ties counted half."""
    yes = int(came_true.sum())
    no = len(told) - yes
    ranks = rankdata(told)
    return float((ranks[came_true > 0].sum() - yes * (yes + 1) / 2) / (yes * no)) if yes and no else float("nan")
