"""Ready by: until when a parcel is deposited with a told probability, learnt from the couriers' own stops.

After the hand-over: gradient-boosted quantiles (LightGBM) of the hours from hand-over to deposit, by carrier, weekday
and hour of the hand-over, holidays ahead and the time since the parcel was ready, refitted every REFIT_DAYS; then moved
by the quantile of what was wrong of late, per carrier (conformal widening: Romano, Patterson, Candès, NeurIPS 2019,
https://arxiv.org/abs/1905.03222). The baseline is the quantile of the last 180 days by carrier and weekday.
"""

import lightgbm
import numpy as np

from parcelwall.planning.records import Floats, Ints, Records, weekday, whole

LEVELS = (0.1, 0.5, 0.9)
REFIT_DAYS = 28
WINDOW_DAYS = 400
HALF_DAYS = 150.0
SHIFT_DAYS = 180
BASE_DAYS = 180
LEAST = 50  # fewer than this: the quantile of all
LEAST_OF_GROUP = 15
ROUNDS = 80
LOOK_AHEAD_DAYS = 6  # holidays that are looked for
OPTIONS = {
    "objective": "quantile", "learning_rate": 0.08, "num_leaves": 15, "min_data_in_leaf": 30, "num_threads": 1,
    "seed": 1, "deterministic": True, "verbose": -1,
}  # fmt: skip


def features(records: Records, closed: frozenset[int]) -> Floats:
    """[parcel, feature] of what is known at the hand-over. `closed`: day numbers of holidays."""
    day = whole(records.handed)
    off = np.stack([np.isin(day + ahead, list(closed)) for ahead in range(LOOK_AHEAD_DAYS)], axis=1).astype(float)
    hour = np.where(np.isfinite(records.handed), (records.handed - day) * 24, 0)
    waited = np.where(np.isfinite(records.handed), records.handed - records.ready, 0)
    return np.column_stack([records.carrier, weekday(day), hour, off.sum(1), off[:, 1], off[:, 2], waited])


def lead_h(records: Records) -> Floats:
    """Hours from hand-over to deposit; infinite for what was not deposited, NaN for what was not handed over."""
    with np.errstate(invalid="ignore"):
        return (records.deposited - records.handed) * 24


def roll(records: Records, level: float, first: int, last: int, closed: frozenset[int] = frozenset(),
         every_days: int = REFIT_DAYS) -> Floats:  # fmt: skip
    """Hours after the hand-over until which the parcel is ready with this probability, told at each hand-over of the
    days first..last from what was known that day; NaN elsewhere."""
    x, lead = features(records, closed), lead_h(records)
    raw = np.full(len(records), np.nan)
    start = first - SHIFT_DAYS
    for day in range(start - (start + 3) % 7, last + 1, every_days):
        now = np.flatnonzero((records.handed >= day) & (records.handed < min(day + every_days, last + 1)))
        if len(now):
            raw[now] = _quantile(records, x, lead, day, now, level)
    told = np.full(len(records), np.nan)
    for day in range(first, last + 1):
        for carrier in range(len(records.carriers)):
            now = np.flatnonzero((whole(records.handed) == day) & (records.carrier == carrier))
            if len(now):
                told[now] = raw[now] + _shift(records, lead - raw, day, carrier, level)
    return np.maximum(told, 0)


def _quantile(records: Records, x: Floats, lead: Floats, day: int, now: Ints, level: float) -> Floats:
    past = np.flatnonzero((records.deposited < day) & (records.handed >= day - WINDOW_DAYS))
    if len(past) < LEAST:
        return np.full(len(now), float(np.quantile(lead[past], level)) if len(past) else np.nan)
    weight = 0.5 ** ((day - records.handed[past]) / HALF_DAYS)
    data = lightgbm.Dataset(x[past], lead[past], weight=weight, categorical_feature=[0])
    trees = lightgbm.train(OPTIONS | {"alpha": level}, data, ROUNDS)
    return np.asarray(trees.predict(x[now], num_threads=1))


def _shift(records: Records, error: Floats, day: int, carrier: int, level: float) -> float:
    """By how much what was told of late was too early, at this level."""
    past = (records.carrier == carrier) & (records.deposited < day) & (records.handed >= day - SHIFT_DAYS)
    wrong = error[past & np.isfinite(error)]
    return float(np.quantile(wrong, level)) if len(wrong) >= LEAST else 0.0


def baseline(records: Records, level: float, first: int, last: int) -> Floats:
    """The quantile by carrier and weekday of the hand-over over the last 180 days, refitted each Monday; by carrier
    alone where there are fewer than 15."""
    lead, told = lead_h(records), np.full(len(records), np.nan)
    group = records.carrier * 7 + weekday(whole(records.handed))
    for monday in range(first - (first + 3) % 7, last + 1, 7):
        now = np.flatnonzero((records.handed >= max(monday, first)) & (records.handed < min(monday + 7, last + 1)))
        past = (records.deposited < monday) & (records.handed >= monday - BASE_DAYS)
        for each in np.unique(group[now]):
            like = past & (group == each)
            if like.sum() < LEAST_OF_GROUP:
                like = past & (records.carrier == each // 7)
            if like.any():
                told[now[group[now] == each]] = np.quantile(lead[like], level)
    return told
