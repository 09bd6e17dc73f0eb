"""How well dwell would have been told in the past: models refitted each Monday, beside what the page of methods has.

`rolling` is the share by weekday and three hours of the last year; `aft` and `cox` are the log-normal accelerated
failure time model and Cox's, fitted once on what was before (Cox 1972; ties as Breslow, baseline as Breslow).
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from parcelwall.planning import dwell
from parcelwall.planning.records import Floats, Ints, Records, weekday, whole

MODELS = ("logit", "rolling", "constant")
ADOPT_DAYS = 182  # by whose scores a model is adopted
LOOK_EVERY_DAYS = 28  # a refit a week chooses the same, and takes four times as long
CENSORED_H = 336.0


def roll(records: Records, person: Ints, first: int, last: int, hours: Sequence[float],
         every_days: int = 7) -> dict[str, Floats]:  # fmt: skip
    """P(dwell > h) told at each deposit of the days first..last by each model, NaN elsewhere; `adopted` is what would
    have been told: the model that scored best, summed over h, on outcomes known by then."""
    rows, day = dwell.features(records), whole(records.deposited)
    told = {name: np.full((len(records), len(hours)), np.nan) for name in (*MODELS, "adopted")}
    start = first - ADOPT_DAYS
    for monday in range(start - (start + 3) % 7, last + 1, every_days):
        now = np.flatnonzero((day >= monday) & (day < monday + every_days) & (day <= last))
        if len(now) == 0:
            continue
        _tell(records, rows, person, now, monday, hours, told)
        told["adopted"][now] = told[best(records, told, monday, hours)][now]
    return told


def _tell(records: Records, rows: Floats, person: Ints, now: Ints, monday: int, hours: Sequence[float],
          told: dict[str, Floats]) -> None:  # fmt: skip
    if (records.deposited < monday - dwell.LAG_DAYS).sum() < dwell.LEAST:
        return
    told["constant"][now] = dwell.constant(records, monday, hours)
    told["rolling"][now] = dwell.by_slot(records, monday, hours, dwell.WINDOW_DAYS)[dwell.slots(records)[now]]
    if (fitted := dwell.fit(records, rows, person, monday, hours)) is not None:
        before = np.flatnonzero(records.deposited < monday + 7)
        own = np.zeros((len(records), len(hours)))
        own[before] = dwell.own_history(records.only(before), person[before], hours, fitted.shares)
        told["logit"][now] = fitted.there(rows[now], own[now])


def chosen(records: Records, day: int) -> str:
    """The model that is told of strata from `day` on: the best of the last half year, refitted every LOOK_EVERY_DAYS.

    Curves of strata know no recipient, so nobody's own past has part in this.
    """
    told = roll(records, np.full(len(records), -1), day, day - 1, dwell.HOURS, LOOK_EVERY_DAYS)
    return best(records, told, day, dwell.HOURS)


def best(records: Records, told: dict[str, Floats], day: int, hours: Sequence[float]) -> str:
    """The model with the least Brier score, summed over h, on deposits of the last half year that are a week old."""
    age = day - records.deposited
    known = (age >= dwell.LAG_DAYS) & (age <= ADOPT_DAYS) & np.isfinite(told["constant"][:, 0])
    if known.sum() < dwell.LEAST:
        return "logit" if np.isfinite(told["logit"]).any() else "constant"
    came = records.dwell_h[known, None] > np.array(hours)
    scores = {name: float(np.mean((told[name][known] - came) ** 2)) for name in MODELS}
    return min((name for name in MODELS if np.isfinite(scores[name])), key=lambda name: scores[name])


def aft(records: Records, past: Ints, now: Ints, hours: Sequence[float]) -> Floats:
    """Log-normal accelerated failure time: log dwell is a straight line of the features, with normal errors."""
    x = np.column_stack([np.ones(len(records)), _plain(records)])
    y = np.log(np.minimum(records.dwell_h, CENSORED_H))
    found = np.linalg.solve(x[past].T @ x[past] + 0.01 * np.eye(x.shape[1]), x[past].T @ y[past])
    spread = float(np.std(y[past] - x[past] @ found))
    return np.asarray(norm.sf((np.log(np.array(hours)) - (x[now] @ found)[:, None]) / spread))


def cox(records: Records, past: Ints, now: Ints, hours: Sequence[float]) -> Floats:
    """Cox's proportional hazards by Newton's steps on the partial likelihood; survival by Breslow's baseline."""
    time = np.minimum(records.dwell_h[past], CENSORED_H)
    order = np.argsort(-time, kind="stable")
    time, x = time[order], _plain(records)[past][order]
    ended = time < CENSORED_H
    last = np.searchsorted(-time, -time, "right") - 1  # who is at risk: all with a dwell as long or longer
    found = np.zeros(x.shape[1])
    for _ in range(8):
        risk = np.exp(x @ found)
        total = np.cumsum(risk)[last]
        mean = np.cumsum(risk[:, None] * x, axis=0)[last] / total[:, None]
        square = np.cumsum(risk[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)[last] / total[:, None, None]
        bend = (square - mean[:, :, None] * mean[:, None, :])[ended].sum(0) + 0.01 * len(x) * np.eye(x.shape[1])
        found = found + np.linalg.solve(bend, (x - mean)[ended].sum(0) - 0.01 * len(x) * found)
    hazard = np.where(ended, 1 / np.cumsum(np.exp(x @ found))[last], 0)
    so_far = np.array([hazard[time <= h].sum() for h in hours])
    return np.asarray(np.exp(-so_far * np.exp(_plain(records)[now] @ found)[:, None]))


def _plain(records: Records) -> Floats:
    """Weekday and carrier as dummies, hour, log of the way: what the page of methods gave Cox and AFT."""
    day = whole(records.deposited)
    hour = (records.deposited - day) * 24
    carriers = np.eye(max(1, len(records.carriers)))[records.carrier][:, 1:]
    way = np.log1p(np.clip(records.deposited - records.handed, 0, 10))
    x = np.column_stack([np.eye(7)[weekday(day)][:, 1:], carriers, (hour - 10) / 4, way])
    return np.asarray(x - x.mean(0))
