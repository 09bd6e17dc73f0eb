"""Bands around a forecast that hold what they say: empirical quantiles of past errors, steered by what they missed.

The error of a forecast is divided by its own standard deviation; the band is the forecast plus quantiles of the past
such errors (split conformal prediction, Vovk et al. 2005), at a level that rises after each miss and falls after each
hit (adaptive conformal inference, Gibbs and Candès, NeurIPS 2021, https://arxiv.org/abs/2106.00170). Only errors that
were known at the origin are used: of a forecast h days ahead those that are h days old or older.
"""

import numpy as np

from parcelwall.planning.records import Floats

TAIL = 0.1  # below the band, and above it
STEP = 0.02  # how fast the level follows
WINDOW = 150  # past errors
LEAST = 20  # fewer than this: the band of a normal distribution, made wider
NORMAL = 1.2816  # its quantile at .9
WIDER = 1.5


def bands(told: Floats, scale: Floats, came: Floats, ahead: int) -> tuple[Floats, Floats]:
    """The .1 and .9 quantiles of forecasts `ahead` steps before what came, in the order of their origins.

    `came` is NaN where it is not known. A missed step (a gap) leaves the level where it was.
    """
    error = (came - told) / scale
    low, high = np.empty(len(told)), np.empty(len(told))
    tails = [TAIL, TAIL]
    for i in range(len(told)):
        if i >= ahead and np.isfinite(came[i - ahead]):
            missed = (came[i - ahead] < low[i - ahead], came[i - ahead] > high[i - ahead])
            tails = [tail + STEP * (TAIL - miss) for tail, miss in zip(tails, missed, strict=True)]
        past = error[max(0, i - ahead + 1 - WINDOW) : max(0, i - ahead + 1)]
        below, above = _quantiles(past[np.isfinite(past)], tails)
        low[i], high[i] = told[i] + below * scale[i], told[i] + above * scale[i]
    return np.maximum(low, 0), np.maximum(high, 0)


def _quantiles(past: Floats, tails: list[float]) -> tuple[float, float]:
    if len(past) < LEAST:
        return -NORMAL * WIDER, NORMAL * WIDER
    below, above = (np.clip(level, 0, 1) for level in (tails[0], 1 - tails[1]))
    return float(np.quantile(past, below)), float(np.quantile(past, above))
