"""How good forecasts were: absolute error, pinball, coverage, Brier, calibration. All mean over the first axis."""

import numpy as np

from parcelwall.planning.records import Floats

BINS = 10


def pinball(told: Floats, came: Floats, level: float) -> float:
    """Mean pinball loss of a quantile (Koenker and Bassett, Econometrica 46, 1978): in the same measure as `came`."""
    over = came - told
    return float(np.mean(np.maximum(level * over, (level - 1) * over)))


def covers(low: Floats, high: Floats, came: Floats) -> float:
    """The share that fell into the band, its ends included."""
    return float(np.mean((came >= low) & (came <= high)))


def brier(told: Floats, came: Floats) -> float:
    """Mean squared difference of a probability and what came, 0 or 1 (Brier 1950)."""
    return float(np.mean((told - came) ** 2))


def calibration_error(told: Floats, came: Floats) -> float:
    """Weighted mean |told - came| over ten quantile bins of what was told; equal probabilities are never parted."""
    edges = np.unique(np.quantile(told, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, told)
    count = np.bincount(bins, minlength=BINS)
    gaps = np.abs(np.bincount(bins, told, BINS) - np.bincount(bins, came, BINS))
    return float(gaps.sum() / count.sum())
