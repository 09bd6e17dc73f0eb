"""How long a parcel lies: P(dwell > h hours), calibrated, by station, weekday, hour, carrier and recipient.

For each h of HOURS a logistic regression with ridge penalty (discrete-time survival: any classifier may be used,
https://doi.org/10.1186/s12874-022-01679-6), fitted on the last WINDOW_DAYS, a parcel counting half as much for every
HALF_DAYS of age; the shares are then made to fall with h. What it reads is known at the deposit: weekday and hour,
their product, carrier, how long the way took, how quickly the deposits of the last two weeks went, and the recipient's
own collections before, where there are some. A parcel that lies there still is used for those h that it has passed.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from parcelwall.planning.records import Floats, Ints, Records, weekday, whole

HOURS = (3.0, 6.0, 12.0, 18.0, 24.0, 36.0, 48.0, 72.0, 96.0, 120.0, 144.0, 168.0)
WINDOW_DAYS = 365
HALF_DAYS = 120.0
RIDGE = 30.0
LAG_DAYS = 7  # deposits younger than this are not learnt from: their outcome is not known for all h
PACE_DAYS = 14
PACE_H = 24.0
SHRINK = 20.0
OWN_WEIGHT = 2.0  # parcels of a recipient that weigh as much as everybody's share
LEAST = 50  # parcels below which nothing is learnt


class Fitted(msgspec.Struct):
    """Coefficients [hour, 1 + feature] of the logit of P(dwell > hour), and the shares of all [hour]."""

    hours: tuple[float, ...]
    coefficients: Floats
    shares: Floats
    seen: int

    def there(self, rows: Floats, own: Floats) -> Floats:
        """P(dwell > h), [parcel, hour], falling with h. `own`: what the recipient's collections before add."""
        logit = self.coefficients[:, 0] + rows @ self.coefficients[:, 1:-1].T + own * self.coefficients[:, -1]
        told: Floats = np.minimum.accumulate(1 / (1 + np.exp(-logit)), axis=1)
        return told


def features(records: Records) -> Floats:
    """[parcel, feature] of what is known at the deposit."""
    day = whole(records.deposited)
    of_week, hour = weekday(day), (records.deposited - day) * 24
    hour = np.where(np.isfinite(hour), hour, 0)
    way = np.where(np.isfinite(records.deposited), records.deposited - records.handed, 0)
    days = np.eye(7)[of_week]
    columns = [
        days, np.eye(24)[np.clip(hour.astype(np.int64), 0, 23)], np.eye(max(1, len(records.carriers)))[records.carrier],
        np.log1p(np.clip(way, 0, 10))[:, None], days * ((np.clip(hour, 8, 17) - 10.5) / 3)[:, None],
        4 * pace(records)[:, None],
    ]  # fmt: skip
    return np.hstack(columns)


def pace(records: Records) -> Floats:
    """How much more of the deposits of the two weeks before yesterday lay there after a day than half of them."""
    day = whole(records.deposited)
    known = np.isfinite(records.deposited)
    if not known.any():
        return np.zeros(len(records))
    first = int(day[known].min())
    count = np.bincount(day[known] - first, minlength=1)
    slow = np.bincount(day[known] - first, records.dwell_h[known] > PACE_H, minlength=len(count))
    so_far, slow_so_far = (np.concatenate([[0.0], np.cumsum(each)]) for each in (count, slow))
    until = np.clip(day - first - 1, 0, len(count))
    since = np.clip(day - first - 1 - PACE_DAYS, 0, len(count))
    total, late = so_far[until] - so_far[since], slow_so_far[until] - slow_so_far[since]
    return np.asarray((late + SHRINK / 2) / (total + SHRINK) - 0.5)


def own_history(records: Records, person: Ints, hours: Sequence[float], shares: Floats) -> Floats:
    """[parcel, hour]: the logit of the recipient's own share of longer dwells before, less that of everybody.

    `person` is -1 where nobody is known. Zero without a collection before this deposit.
    """
    found = np.zeros((len(person), len(hours)))
    before: dict[int, list[int]] = {}
    base = np.clip(shares, 0.01, 0.99)
    for i, who in enumerate(person.tolist()):
        if who < 0:
            continue
        past = [j for j in before.get(who, []) if records.collected[j] < records.deposited[i]]
        if past:
            longer = (records.dwell_h[past, None] > np.array(hours)).sum(0)
            share = (longer + OWN_WEIGHT * base) / (len(past) + OWN_WEIGHT)
            found[i] = np.log(share / (1 - share)) - np.log(base / (1 - base))
        before.setdefault(who, []).append(i)
    return found


def fit(records: Records, rows: Floats, person: Ints, day: float, hours: Sequence[float] = HOURS) -> Fitted | None:
    """What was known at the beginning of `day`; None where there are too few parcels."""
    age = day - records.deposited
    use = np.flatnonzero((age >= LAG_DAYS) & (age <= WINDOW_DAYS))
    if len(use) < LEAST:
        return None
    longer = (records.dwell_h[use, None] > np.array(hours)).astype(float)
    weight = 0.5 ** (age[use] / HALF_DAYS)
    shares = weight @ longer / weight.sum()
    own = own_history(records.only(use), person[use], hours, shares)
    known = age[use, None] * 24 >= np.array(hours)
    coefficients = [
        _logit(np.column_stack([rows[use], own[:, k]])[known[:, k]], longer[known[:, k], k], weight[known[:, k]])
        for k in range(len(hours))
    ]
    return Fitted(tuple(hours), np.array(coefficients), shares, len(use))


def _logit(x: Floats, y: Floats, weight: Floats, steps: int = 7) -> Floats:
    """Coefficients, the constant first, by Newton's steps; the ridge holds all but the constant."""
    x = np.column_stack([np.ones(len(x)), x])
    ridge = RIDGE * np.eye(x.shape[1])
    ridge[0, 0] = 1e-6
    share = np.clip(np.average(y, weights=weight), 0.002, 0.998)
    found = np.zeros(x.shape[1])
    found[0] = np.log(share / (1 - share))
    for _ in range(steps):
        told = 1 / (1 + np.exp(-np.clip(x @ found, -30, 30)))
        slope = x.T @ (weight * (y - told)) - ridge @ found
        bend = (x * (weight * np.maximum(told * (1 - told), 1e-6))[:, None]).T @ x + ridge
        found = found + np.linalg.solve(bend, slope)
    return found


def constant(records: Records, day: float, hours: Sequence[float]) -> Floats:
    """Baseline: the share of all parcels before."""
    past = records.deposited < day - LAG_DAYS
    return np.asarray((records.dwell_h[past, None] > np.array(hours)).mean(0))


def by_slot(records: Records, day: float, hours: Sequence[float], window_days: float = np.inf) -> Floats:
    """Baseline: shares by weekday and three hours, [7 * 8, hour], shrunk to the share of all with weight 20. NaN
    without a stay in the window."""
    age = day - records.deposited
    past = np.flatnonzero((age > LAG_DAYS) & (age <= window_days))
    longer = (records.dwell_h[past, None] > np.array(hours)).astype(float)
    slot = slots(records)[past]
    count = np.bincount(slot, minlength=56)[:, None]
    total = np.stack([np.bincount(slot, longer[:, k], minlength=56) for k in range(len(hours))], axis=1)
    of_all = longer.mean(0) if len(past) else np.full(len(hours), np.nan)
    return np.asarray((total + SHRINK * of_all) / (count + SHRINK))


def slots(records: Records) -> Ints:
    """Weekday and three hours of the deposit as one number, 0 to 55."""
    day = whole(records.deposited)
    hour = np.where(np.isfinite(records.deposited), (records.deposited - day) * 24, 0)
    return weekday(day) * 8 + np.clip((hour // 3).astype(np.int64), 0, 7)
