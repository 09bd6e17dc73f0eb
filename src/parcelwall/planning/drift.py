"""Whether demand has drifted: the last days' count held against the same weekdays of the weeks before."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from scipy.stats import nbinom

from parcelwall.planning.demand import Array

LAST_DAYS = 3
LEAST_DAYS = 25  # of the past, to say anything
WEEK = 7


def drift_p(asked: Sequence[date], since: date, today: date) -> float:
    """P(a count as far out as that of the last days, both sides), if nothing had changed since `since`; 1 where too
    little is known. `asked`: the day of each request before today, in their order.

    Days differ by weekday and scatter more than Poisson's law does, so the count follows a negative binomial law: its
    mean is that of the same weekdays before, its variance what days scattered about their weekday's mean (Pearson's
    X2 over its degrees of freedom, at least Poisson's), and as much again of the mean's own error.
    """
    first = today - timedelta(days=LAST_DAYS)
    since = max(since, asked[0]) if asked else today
    past = _by_day(asked, since, (first - since).days)
    if len(past) < LEAST_DAYS:
        return 1.0
    weekday = (since.weekday() + np.arange(len(past))) % WEEK
    means = np.bincount(weekday, past, WEEK) / np.bincount(weekday, minlength=WEEK)
    weeks = len(past) / WEEK
    last = [(first + timedelta(days=n)).weekday() for n in range(LAST_DAYS)]
    mean = float(means[last].sum()) + 0.5 / weeks  # a weekday on which nothing came yet is no proof that nothing will
    wider = _scatter(past, means[weekday]) * (1 + 1 / weeks)
    count = int(_by_day(asked, first, LAST_DAYS).sum())
    law = mean / (wider - 1), 1 / wider
    return float(min(1.0, 2 * min(nbinom.cdf(count, *law), nbinom.sf(count - 1, *law))))


def _by_day(asked: Sequence[date], first: date, days: int) -> Array:
    counts = Counter(asked)
    return np.array([counts[first + timedelta(days=n)] for n in range(days)], float)


def _scatter(past: Array, mean: Array) -> float:
    """Variance over mean, at least 1."""
    known = mean > 0
    free = known.sum() - len(np.unique(mean[known]))
    return max(1.0, float(((past[known] - mean[known]) ** 2 / mean[known]).sum() / free)) if free > 0 else 1.0
