"""Load one to seven days ahead, at an hour of the station's clock, with a band and the model that was adopted.

Candidates are the pipeline of `pipeline.py`, the same with all or half of the correction of `residual.py`, and the
baselines: the load now, the load a week before, the mean of the last four same weekdays. Each Monday, for each number
of days ahead, the one with the least mean absolute error over the last SCORED_DAYS forecasts whose day had come is
adopted. So a model that scored worse than its baseline is not.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from parcelwall.planning import pipeline, residual
from parcelwall.planning.bands import bands
from parcelwall.planning.records import Floats, Ints, Records
from parcelwall.planning.residual import Past

BASELINES = ("persistence", "last_week", "weekday_mean")
MODELS = ("pipeline", "half_corrected", "corrected")
CANDIDATES = (*MODELS, *BASELINES)
SCORED_DAYS = 180
LEAST_SCORED = 28  # fewer forecasts than this tell nothing: the pipeline, if it has parcels to learn from
LEAST_PARCELS = 50
WARM_DAYS = 60  # before the first forecast that is scored


class Rolling(msgspec.Struct):
    """Forecasts from many origins: told, low and high are [origin, h - 1], each candidate's too."""

    days: Ints
    came: Floats
    candidates: dict[str, Floats]
    adopted: list[list[str]]
    told: Floats
    low: Floats
    high: Floats

    def since(self, first: int, last: int) -> "Rolling":
        """The origins of these days, both included."""
        keep = (self.days >= first) & (self.days <= last)
        return Rolling(
            self.days[keep], self.came[keep], {name: told[keep] for name, told in self.candidates.items()},
            [names for names, kept in zip(self.adopted, keep, strict=True) if kept],
            self.told[keep], self.low[keep], self.high[keep],
        )  # fmt: skip


def load_by_day(records: Records, hour: float, first: int, last: int) -> Floats:
    """Parcels that lie there at the hour of the days first..last."""
    spell = pipeline.see(records, hour).stored
    days = np.arange(first, last + 1)
    begin, gone = (np.sort(spell.start + each) for each in (spell.lies, spell.gone))
    return (np.searchsorted(begin, days, "right") - np.searchsorted(gone, days, "right")).astype(float)


def loads_by_station(records: Records, hour: float, first: int, last: int) -> Floats:
    """[station, day] parcels that lie in each at the hour of the days first..last."""
    spell, days = pipeline.see(records, hour).stored, last + 1 - first
    change = np.zeros((len(records.stations), days + 1))
    for each, one in ((spell.lies, 1), (spell.gone, -1)):
        np.add.at(change, (records.station, np.clip(spell.start + each - first, 0, days)), one)
    found: Floats = change.cumsum(axis=1)[:, :days]
    return found


def roll(
    records: Records, hour: float, last: int, horizons: int, *, closed: frozenset[int] = frozenset(),
    known_until: int | None = None, every_days: int = 7, network: pipeline.Everyone | None = None,
    back_days: int = 10_000,
) -> Rolling:  # fmt: skip
    """Forecasts from each day of the records up to `last`, each knowing only what was known at its hour.

    What came is counted up to `known_until` (default: `last`); later days are NaN. `closed` are day numbers of
    holidays. Refits every `every_days`, on Mondays, and looks no further back than `back_days`. With `network`, shares
    are shrunk to those of all stations.
    """
    first = int(pipeline.whole(records.ready).min()) if len(records) else last
    start = max(min(first + WARM_DAYS, last), last - back_days)
    past = _look_back(records, hour, first, start, last, horizons, closed, known_until or last, every_days, network)
    candidates = _candidates(past, first, records, hour, every_days)
    adopted, told = _adopt(past, candidates, len(records))
    low, high = np.empty_like(told), np.empty_like(told)
    for h in range(horizons):
        low[:, h], high[:, h] = bands(told[:, h], past.scale[:, h], past.came[:, h], h + 1)
    return Rolling(past.days, past.came, candidates, adopted, told, np.minimum(low, told), np.maximum(high, told))


def _look_back(
    records: Records, hour: float, first: int, start: int, last: int, horizons: int, closed: frozenset[int],
    known_until: int, every_days: int, network: pipeline.Everyone | None,
) -> Past:  # fmt: skip
    """What the pipeline would have said on each day."""
    seen = pipeline.see(records, hour)
    days = np.arange(start, last + 1)
    ready = np.bincount(seen.ready.first - first, minlength=last + 1 - first)
    expected, variance = np.empty((len(days), horizons, len(pipeline.PARTS))), np.empty((len(days), horizons))
    fitted = -1
    for i, day in enumerate(days.tolist()):
        if (refit := (day + 3) // every_days) != fitted:
            fitted = refit
            monday = refit * every_days - 3
            prior = network.learnt(hour, monday, horizons) if network else None
            shares = pipeline.learn(seen, monday, horizons, prior)
        coming = pipeline.arrivals_ahead(ready, day, horizons, closed, first)
        parts = pipeline.expect(seen, shares, day, coming)
        expected[i], variance[i] = parts.expected, parts.variance
    load = load_by_day(records, hour, int(days[0]), last + horizons)
    came = np.stack([load[h : h + len(days)] for h in range(1, horizons + 1)], axis=1)
    ahead = days[:, None] + np.arange(1, horizons + 1)
    return Past(days, expected, variance, load[: len(days)], np.where(ahead <= known_until, came, np.nan), closed)


def _candidates(past: Past, first: int, records: Records, hour: float, every_days: int) -> dict[str, Floats]:
    days, horizons = past.days, past.came.shape[1]
    load = load_by_day(records, hour, int(days[0]) - 28, int(days[-1]))
    here = np.arange(len(days)) + 28
    correction = _corrections(past, every_days)
    told = {"pipeline": past.total, "half_corrected": past.total + correction / 2}
    told |= {"corrected": past.total + correction, "persistence": np.repeat(past.load[:, None], horizons, axis=1)}
    weeks = [np.stack([load[here + h - 7 * (week + (h - 1) // 7)] for h in range(1, horizons + 1)], axis=1)
             for week in (1, 2, 3, 4)[: 4 - (horizons - 1) // 7]]  # fmt: skip
    told["last_week"], told["weekday_mean"] = weeks[0], np.mean(weeks, axis=0)
    return {name: np.maximum(told[name], 0) for name in CANDIDATES}


def _corrections(past: Past, every_days: int) -> Floats:
    """What to add to the pipeline's forecasts, learnt anew every so many days from the forecasts before."""
    rows, added = residual.features(past), np.zeros(past.came.shape)
    fits = (past.days + 3) // every_days
    for fit in np.unique(fits):
        if (correct := residual.learn(past, rows, int(fit) * every_days - 3)) is not None:
            for i in np.flatnonzero(fits == fit):
                added[i] = correct(rows[i], past.scale[i])
    return added


def _adopt(past: Past, candidates: dict[str, Floats], parcels: int) -> tuple[list[list[str]], Floats]:
    """Which candidate is told on each day, by the scores that were known on the Monday before."""
    adopted: list[list[str]] = []
    told = np.empty(past.came.shape)
    errors = {name: np.abs(candidates[name] - past.came) for name in CANDIDATES}
    week, chosen = -1, ["persistence"] * past.came.shape[1]
    for i, day in enumerate(past.days.tolist()):
        if (day + 3) // 7 != week or i == 0:
            week = (day + 3) // 7
            chosen = [best(past, errors, h, week * 7 - 3, parcels) for h in range(past.came.shape[1])]
        adopted.append(list(chosen))
        told[i] = [candidates[name][i, h] for h, name in enumerate(chosen)]
    return adopted, told


def best(past: Past, errors: dict[str, Floats], h: int, monday: int, parcels: int) -> str:
    """The candidate with the least mean error of those forecasts, h + 1 days ahead, that had come before `monday`."""
    known = (past.days + h + 1 < monday) & (past.days >= monday - SCORED_DAYS) & np.isfinite(past.came[:, h])
    if known.sum() < LEAST_SCORED:
        return "pipeline" if parcels >= LEAST_PARCELS else "weekday_mean"
    return min(CANDIDATES, key=lambda name: float(errors[name][known, h].mean()))


def names_of(adopted: Sequence[Sequence[str]], h: int) -> dict[str, int]:
    """How often each candidate was adopted, h + 1 days ahead."""
    names = [row[h] for row in adopted]
    return {name: names.count(name) for name in CANDIDATES if name in names}
