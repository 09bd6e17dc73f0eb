"""How good forecasts were: absolute error, pinball, coverage, Brier, calibration. All mean over the first axis."""

import msgspec
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


class Tenth(msgspec.Struct, frozen=True):
    """Of what was told between `low` and a tenth more: how many, the mean told, the share that came, and the standard
    error that this share would have if all that was told were true."""

    low: float
    count: int
    told: float
    came: float
    error: float


def reliability(told: Floats, came: Floats) -> list[Tenth]:
    """The reliability diagram (Murphy, Winkler 1977): by tenths of what was told, those in which something was."""
    tenth = np.minimum((told * 10 + 1e-9).astype(int), 9)
    found = []
    for each in np.unique(tenth):
        mine, hits = told[tenth == each], came[tenth == each]
        error = np.sqrt((mine * (1 - mine)).sum()) / len(mine)
        numbers = (round(float(number), 4) for number in (mine.mean(), hits.mean(), error))
        found.append(Tenth(float(each) / 10, len(mine), *numbers))
    return found
