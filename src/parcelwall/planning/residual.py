"""What the pipeline gets wrong in a regular way: gradient-boosted trees on its past errors.

The error is divided by the pipeline's own standard deviation and learnt with absolute loss (LightGBM, Ke et al. 2017)
from where the parcels are, weekdays, closed days and holidays between now and then, and the errors of late.
"""

from collections.abc import Callable

import lightgbm
import msgspec
import numpy as np

from parcelwall.planning.records import Floats, Ints, weekday

LEAST = 60  # past origins below which nothing is learnt
ROUNDS = 60
OPTIONS = {
    "objective": "l1", "learning_rate": 0.04, "num_leaves": 7, "min_data_in_leaf": 40, "feature_fraction": 0.7,
    "bagging_fraction": 0.7, "bagging_freq": 1, "num_threads": 1, "seed": 1, "deterministic": True, "verbose": -1,
}  # fmt: skip
RECENT = 14  # errors of late, in days


class Past(msgspec.Struct):
    """Forecasts of one hour in the order of their origins, one a day: [origin, h - 1]."""

    days: Ints
    expected: Floats  # [origin, h - 1, part]
    variance: Floats
    load: Floats  # at the origin
    came: Floats  # NaN where not known
    closed: frozenset[int]

    @property
    def total(self) -> Floats:
        total: Floats = self.expected.sum(2)
        return total

    @property
    def scale(self) -> Floats:
        return np.sqrt(self.variance + 1)


def features(past: Past) -> Floats:
    """[origin, h - 1, feature]. Nothing in a row was known later than its origin."""
    horizons = past.expected.shape[1]
    rows = [_of_horizon(past, h) for h in range(1, horizons + 1)]
    return np.stack(rows, axis=1)


def _of_horizon(past: Past, h: int) -> Floats:
    days, error = past.days, past.came[:, h - 1] - past.total[:, h - 1]
    known = [np.concatenate([np.full(min(back, len(error)), np.nan), error[: max(0, len(error) - back)]])
             for back in range(h, h + RECENT)]  # fmt: skip
    late = np.nan_to_num(np.array(known))
    off = np.array([[day + ahead in past.closed for ahead in range(-1, h + 2)] for day in days], float)
    sundays = np.array([[weekday(day + ahead) == 6 for ahead in range(1, h + 1)] for day in days], float)
    columns = [
        np.full(len(days), h), weekday(days), weekday(days + h), past.total[:, h - 1], *past.expected[:, h - 1].T,
        past.load, past.scale[:, h - 1], late[:3].mean(0), late[:7].mean(0), late.mean(0), late[max(0, 7 - h)],
        off[:, 0], off[:, 1], off[:, h + 1], off[:, h + 2], off[:, 2:].sum(1),
        sundays.sum(1) + off[:, 2 : h + 2].sum(1),
    ]  # fmt: skip
    return np.column_stack(columns)


Correct = Callable[[Floats, Floats], Floats]


def learn(past: Past, rows: Floats, until: int) -> Correct | None:
    """A correction from the forecasts whose day had come before `until`; None where there are too few.

    It is called with the features and scales of new forecasts and answers what to add to them.
    """
    usable = []
    for h in range(past.expected.shape[1]):
        known = np.flatnonzero((past.days + h + 1 < until) & np.isfinite(past.came[:, h]))
        if len(known) < LEAST:
            return None
        usable.append((known, h))
    x = np.vstack([rows[known, h] for known, h in usable])
    y = np.concatenate([(past.came[known, h] - past.total[known, h]) / past.scale[known, h] for known, h in usable])
    weight = np.concatenate([past.scale[known, h] for known, h in usable])
    trees = lightgbm.train(OPTIONS, lightgbm.Dataset(x, y, weight=weight), ROUNDS)
    return lambda new, scale: np.asarray(trees.predict(new, num_threads=1)) * scale
