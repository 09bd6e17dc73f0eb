"""The chance of room, learnt from what came of past parcels: trees on what the formula of `room.py` is made of.

The formula takes parcels for independent of each other and laws for true; what it leaves out shows in its outcomes.
LightGBM (Ke et al. 2017) learns it, monotone: more room never lowers the chance, more parcels never raise it. Then what
was told over the last days is held against what came (logistic recalibration: Cox 1958, Platt 1999). Both use only
outcomes that were known on the day.
"""

from collections.abc import Sequence

import lightgbm
import msgspec
import numpy as np
from scipy.optimize import minimize

from parcelwall.planning.demand import Array
from parcelwall.planning.room import LEAST, MOST

WINDOW_H = 400 * 24.0
CALIBRATED_ON_H = 120 * 24.0
ENOUGH = 200  # outcomes to learn from; with fewer nothing is told
ROUNDS = 80
SEEDS = (1, 2, 3, 4)
SHRUNK = 20.0  # how strongly the recalibration is held to none at all, in outcomes
MORE_ROOM, MORE_PARCELS = 1, -1
COLUMNS = {  # and what more of each may do to the chance
    "size": MORE_PARCELS, "carrier": 0, "weekday": 0, "hour": 0, "days": 0, "lead_h": 0, "usual": MORE_ROOM,
    "whole_visit": MORE_ROOM, "sure": MORE_ROOM, "free": MORE_ROOM, "stored": MORE_PARCELS, "before": MORE_PARCELS,
    "mine": MORE_PARCELS, "others": MORE_PARCELS, "more_before": MORE_PARCELS, "more_same": MORE_PARCELS,
    "free_now": MORE_ROOM,
}  # fmt: skip
OPTIONS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 7, "min_data_in_leaf": 60, "feature_fraction": 0.8,
    "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0, "num_threads": 1, "deterministic": True,
    "monotone_constraints": list(COLUMNS.values()), "verbose": -1,
}  # fmt: skip


class Ahead(msgspec.Struct):
    """Parcels that are expected to take room when ours comes, by unions of classes "u or larger": (U) each.

    Stored now; on their way and brought on an earlier day; on their way and brought the same day, by our carrier and by
    others; not announced yet, of an earlier day and of the same.
    """

    stored: Array
    before: Array
    mine: Array
    others: Array
    more_before: Array
    more_same: Array

    def plus(self, other: "Ahead", share: float) -> "Ahead":
        return Ahead(*(getattr(self, name) + share * getattr(other, name) for name in self.__struct_fields__))

    @staticmethod
    def nothing(classes: int) -> "Ahead":
        return Ahead(*(np.zeros(classes) for _ in Ahead.__struct_fields__))


def columns(
    ahead: Ahead, compartments: Sequence[int], size: int, inside: Array, of_parcel: Sequence[float]
) -> list[float]:
    """A row of COLUMNS. `inside`: parcels there now, by unions; `of_parcel`: carrier, weekday and clock hour of its
    coming, days and hours until then."""
    room = np.asarray(compartments, dtype=float)[::-1].cumsum()[::-1]
    certain = ahead.stored + ahead.before + ahead.more_before
    same = ahead.mine + ahead.others + ahead.more_same

    def scarcest(taken: Array, scaled: bool = True) -> float:
        left = (room - taken) / (np.sqrt(np.maximum(taken, 0) + 1) if scaled else 1)
        return float(left[: size + 1].min())

    return [
        size, *of_parcel, scarcest(certain + same / 2), scarcest(certain + same), scarcest(certain),
        scarcest(certain + same / 2, scaled=False), ahead.stored[0], ahead.before[0], ahead.mine[0], ahead.others[0],
        ahead.more_before[0], ahead.more_same[0], scarcest(inside, scaled=False),
    ]  # fmt: skip


def tell(rows: Array, asked_h: Array, known_h: Array, fitted: Array, since_h: float) -> Array:
    """Chances for parcels asked for since `since_h`; NaN before, and where too little was known. (n, COLUMNS) rows, and
    (n) each: when asked, when the outcome was known, whether it fitted. Learnt anew each Monday (168 h)."""
    told = np.full(len(rows), np.nan)
    raw = np.full(len(rows), np.nan)
    week = (asked_h // 168).astype(int)
    for each in np.unique(week[asked_h > since_h - CALIBRATED_ON_H]):
        now, these = each * 168.0, week == each
        known = known_h < now
        past = known & (asked_h > now - WINDOW_H)
        if past.sum() >= ENOUGH:
            raw[these] = predict(learn(rows[past], fitted[past]), rows[these])
            late = known & (asked_h > now - CALIBRATED_ON_H) & np.isfinite(raw)
            told[these] = recalibrated(raw[these], raw[late], fitted[late])
    told[asked_h <= since_h] = np.nan
    return told


def learn(rows: Array, fitted: Array, weight: Array | None = None) -> list[lightgbm.Booster]:
    """Several, each from other draws of the past: their mean is steadier than any of them."""
    table = lightgbm.Dataset(rows, fitted, weight=weight, params=OPTIONS, free_raw_data=False)
    return [lightgbm.train(OPTIONS | {"seed": seed}, table, ROUNDS) for seed in SEEDS]


def predict(several: Sequence[lightgbm.Booster], rows: Array) -> Array:
    found: Array = np.mean([trees.predict(rows, num_threads=1) for trees in several], axis=0)
    return found


def recalibrated(told: Array, before: Array, came_true: Array) -> Array:
    """Chances moved and stretched on the logistic scale as those told before should have been; shrunk to no change."""
    shift, stretch = needed_move(before, came_true)
    return moved(told, shift, stretch)


def needed_move(
    before: Array, came_true: Array, weight: Array | float = 1.0, beside: Array | None = None, shrunk: float = SHRUNK
) -> tuple[float, ...]:
    """By how much chances that were told should have been shifted and stretched, and shifted by one of each of the
    (n, k) columns `beside` them (0: not at all)."""
    x = _logit(before)
    table = np.column_stack([np.ones(len(x)), x, np.zeros((len(x), 0)) if beside is None else beside])

    def loss(move: Array) -> tuple[float, Array]:
        u = x + table @ move
        wrong = weight * (1 / (1 + np.exp(-u)) - came_true)
        value = (weight * (np.logaddexp(0, u) - came_true * u)).sum() + shrunk * (move**2).sum() / 2
        return float(value), table.T @ wrong + shrunk * move

    none = np.zeros(table.shape[1])
    return tuple((minimize(loss, none, jac=True).x if len(before) else none).tolist())


def moved(told: Array, shift: Array | float, stretch: float) -> Array:
    """Chances, shifted and stretched on the logistic scale, LEAST..MOST."""
    found: Array = np.clip(1 / (1 + np.exp(-(shift + (1 + stretch) * _logit(told)))), LEAST, MOST)
    return found


def _logit(chance: Array) -> Array:
    held = np.clip(chance, 0.005, 0.995)
    found: Array = np.log(held / (1 - held))
    return found
