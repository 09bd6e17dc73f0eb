"""One station's chance of room as it would have been told on past days, and what came of it: what to learn from.

A look is taken every seven hours, so at each hour of the day in turn: for two of the eight days ahead and each size the
formula's chance, what it is made of, and whether one more parcel of the size would have found room at one deposit of
that day, drawn among them. Days are drawn as often as parcels were promised so far ahead until then, and a size weighs
as many of them as had it: so what is learnt is of what is asked. Days without a deposit teach nothing.
"""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from parcelwall.planning import learnt_room
from parcelwall.planning.demand import Array
from parcelwall.planning.dice import dice
from parcelwall.planning.looking import DAYS, OnDay, Point, Week, known_by, on_day

EVERY_H = 7.0
DAYS_EACH = 2
EVERY_DAY = 0.2  # of the draws go to all days alike


class Pasts(msgspec.Struct):
    """Of n looks times two days times sizes: when it was asked, when the outcome was there, hours; the formula's
    chance; (n, COLUMNS) of what it is made of; room (1) or none (0); how much it weighs, 1 on average."""

    asked_h: Array
    known_h: Array
    raw: Array
    rows: Array
    fitted: Array
    weight: Array

    def only(self, these: Array) -> "Pasts":
        return Pasts(*(getattr(self, name)[these] for name in self.__struct_fields__))


class Look(msgspec.Struct):
    """What is expected on one day, so many ahead: by size the formula's chance and the row of COLUMNS."""

    ahead: int
    chances: list[float]
    rows: list[list[float]]


def look(
    p: Point, put: Array, compartments: Sequence[int], now: float, week: Week, days: Iterable[int] = range(DAYS)
) -> list[Look]:
    """Days ahead, each at the hour at which most is brought. `put`: the class each parcel lay or lies in, -1 for none
    of these compartments."""
    there = np.flatnonzero((p.came_h <= now) & (p.left_h > now) & (put >= 0))
    coming = np.flatnonzero((p.handed_h <= now) & (p.came_h > now) & (p.gone_h > now))
    inside = np.array([(put[there] >= u).sum() for u in range(len(compartments))])
    found = []
    for ahead in days:
        at = now + ahead * 24 + ((week.visit_h - now) % 24 or 24.0)
        expected = on_day(p, put, there, coming, now, at, week, len(compartments))
        found.append(Look(ahead, expected.chances(compartments), rows(expected, compartments, inside, now, ahead)))
    return found


def rows(expected: OnDay, compartments: Sequence[int], inside: Array, now: float, ahead: int) -> list[list[float]]:
    """A row of COLUMNS for each size. Nobody knows yet whose parcel ours will be: all on their way are of others."""
    of_parcel = [0.0, expected.at // 24 % 7, now % 24, float(ahead), expected.at - now]
    parts = expected.ahead(-1)
    return [learnt_room.columns(parts, compartments, size, inside, of_parcel) for size in range(len(compartments))]


def pasts(p: Point, put: Array, compartments: Sequence[int], since_h: float, until_h: float) -> Pasts:
    """All looks from `since_h` on whose outcomes were there by `until_h`. Each knows what was known at its hour; laws
    are those of the Monday before."""
    rng, weeks = dice(1), dict[float, Week]()
    asked, known, raw, fitted, weight = (list[float]() for _ in range(5))
    columns = list[list[float]]()
    for now in np.arange(since_h, until_h, EVERY_H).tolist():
        monday = now // 168 * 168.0
        week = weeks.get(monday) or weeks.setdefault(monday, known_by(p, monday))
        days = rng.choice(DAYS, DAYS_EACH, replace=False, p=_asked(p, now)).tolist()
        shares = np.bincount(p.size[: np.searchsorted(p.came_h, now)], minlength=len(compartments)) + 1.0
        for each in look(p, put, compartments, now, week, days):
            deposit = _drawn(p, now + 24 * each.ahead, rng.random())
            if deposit is None or deposit >= until_h:
                continue
            asked += [now] * len(compartments)
            known += [deposit] * len(compartments)
            raw += each.chances
            columns += each.rows
            fitted += _fits(p, put, compartments, deposit)
            weight += (shares / shares.mean()).tolist()
    table = np.array(columns, dtype=float).reshape(-1, len(learnt_room.COLUMNS))
    asked_h, known_h, chances = map(np.array, (asked, known, raw))
    return Pasts(asked_h, known_h, chances, table, np.array(fitted), np.array(weight))


def _asked(p: Point, now: float) -> Array:
    """How often each number of days ahead was promised, of what was brought by now."""
    came = slice(0, int(np.searchsorted(p.came_h, now)))
    lead = p.came_h[came] - p.handed_h[came]
    days = np.clip(lead[lead >= 0] // 24, 0, DAYS - 1).astype(int)
    counts = np.bincount(days, minlength=DAYS) + 1e-3
    found: Array = (1 - EVERY_DAY) * counts / counts.sum() + EVERY_DAY / DAYS
    return found


def _drawn(p: Point, since_h: float, chance: float) -> float | None:
    """The time of one of the deposits of a day; None where there was none."""
    first, last = np.searchsorted(p.came_h, [since_h, since_h + 24], side="right")
    return float(p.came_h[first + int(chance * (last - first))]) if last > first else None


def _fits(p: Point, put: Array, compartments: Sequence[int], at: float) -> list[float]:
    """Whether a parcel of each size would have found room just before this deposit."""
    taken = np.bincount(put[(p.came_h < at) & (p.left_h > at) & (put >= 0)], minlength=len(compartments))
    free = taken < np.array(compartments)
    return [float(free[size:].any()) for size in range(len(compartments))]
