"""Requests for room as arrays: made by the generator that our tables are stated for, or read from a file.

Times are hours from the beginning; classes are numbered from 0, the smallest; a parcel of size s fits every class
c >= s. A *stratum* is all that a rule may know of a parcel's dwell when it comes; a *group* is whom a report counts.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from parcelwall.errors import Trouble
from parcelwall.planning.dice import Dice, dice

Array = NDArray[Any]

COMPARTMENTS = (24, 20, 8)
SHARES = (0.45, 0.40, 0.15)
QUICK_SHARE = 0.55
MEDIAN_H, SIGMA = (9.0, 34.0), (0.7, 0.6)  # of quick and slow collectors
LONGEST_H = 72.0
VISITS_AT_H = (10.0, 15.0)
VISIT_LASTS_H = 0.5
MORNING_SHARE = 0.6
LOADS = (0.7, 0.9, 1.1, 1.4)
DAYS = 30
PAST_SEEDS, HELD_SEEDS = tuple(range(100, 110)), tuple(range(110, 115))  # never judged
GAP_H = 0.5  # a longer pause between arrivals begins another visit


class Requests(msgspec.Struct, frozen=True):
    """n requests in the order of their coming. `comes_h`, `leaves_h`: hours, n each; `size`, `stratum`, `group`: n.

    `survival[stratum]` is S on a grid of `STEP_H`: the share still there after so many steps; `names` of the groups.
    """

    comes_h: Array
    leaves_h: Array
    size: Array
    stratum: Array
    group: Array
    names: tuple[str, ...]
    survival: Array

    def __len__(self) -> int:
        return len(self.comes_h)

    @property
    def visit(self) -> Array:
        """The number of the visit each request comes with, from 0."""
        if not len(self):
            return np.zeros(0, dtype=int)
        return np.concatenate([[0], np.cumsum(np.diff(self.comes_h) > GAP_H)])

    def stays(self, stratum: Array | int, age_h: Array | float) -> Array:
        """S of the stratum at this age: between 0 and 1."""
        return survives(self.survival, stratum, age_h)


STEP_H = 0.25
UNSEEN = 1e-6  # a smaller share of the past than this is none


def survives(survival: Array, stratum: Array | int, age_h: Array | float) -> Array:
    """The share still there at an age [hours], by straight lines on a grid of `STEP_H`; beyond the grid its last."""
    place = np.clip(np.asarray(age_h, dtype=float) / STEP_H, 0, survival.shape[1] - 1.0)
    low = np.minimum(place.astype(int), survival.shape[1] - 2)
    part = place - low
    found: Array = survival[stratum, low] * (1 - part) + survival[stratum, low + 1] * part
    return found


def stays_on(survival: Array, stratum: Array, age_h: Array, later_h: Array) -> Array:
    """The chance that what lies there at one age is there at a later one too [hours]. What is older than any of the
    past will not be fetched as far as anybody knows: it stays."""
    now, then = survives(survival, stratum, age_h), survives(survival, stratum, later_h)
    return np.where(now > UNSEEN, np.minimum(1.0, then / np.maximum(now, UNSEEN)), 1.0)


def empirical(hours: Array, stratum: Array, strata: int, longest_h: float) -> Array:
    """S of each stratum from the stays that were seen [hours], on the grid; a stratum with none gets that of all."""
    grid = np.arange(0.0, longest_h + 2 * STEP_H, STEP_H)
    table = np.empty((strata, len(grid)))
    everyone = _share_above(hours, grid)
    for each in range(strata):
        mine = hours[stratum == each]
        table[each] = _share_above(mine, grid) if len(mine) else everyone
    return table


def _share_above(hours: Array, grid: Array) -> Array:
    if not len(hours):
        raise Trouble("there is no past stay to learn from: give a file that has some")
    share: Array = 1 - np.searchsorted(np.sort(hours), grid, side="right") / len(hours)
    return share


def stays_of(seed: int, count: int = 200_000) -> Array:
    """Stays of the generator's collectors, quick and slow mixed as they come [hours]."""
    rng = dice(seed)
    slow = (rng.random(count) >= QUICK_SHARE).astype(int)
    median, sigma = np.array(MEDIAN_H)[slow], np.array(SIGMA)[slow]
    hours: Array = np.minimum(median * np.exp(sigma * rng.standard_normal(count)), LONGEST_H)
    return hours


def generated(seed: int, load: float, compartments: Sequence[int] = COMPARTMENTS, days: int = DAYS) -> Requests:
    """The generator of the reference tables, draw by draw (docs/planning/allocation.md says how), `load` = rho.

    Raises Trouble if so small a load brings no parcel at all.
    """
    rng = dice(seed)
    noise = rng.standard_normal((2, 200_000))
    stays = [np.minimum(MEDIAN_H[k] * np.exp(SIGMA[k] * noise[k]), LONGEST_H) for k in (0, 1)]
    mean_h = QUICK_SHARE * stays[0].mean() + (1 - QUICK_SHARE) * stays[1].mean()
    rate = load * sum(compartments) / mean_h * 24
    rows = [_drawn(rng, day) for day in range(days) for _ in range(rng.poisson(rate))]
    if not rows:
        raise Trouble(f"a load of {load:g} of {sum(compartments)} compartments brings no parcel in {days} days")
    rows.sort()
    comes, size, kind, hours = (np.array(column) for column in zip(*rows, strict=True))
    survival = empirical(np.concatenate(stays), np.repeat([0, 1], 200_000), 2, LONGEST_H)
    return Requests(comes, comes + hours, size, kind, kind, ("quick", "slow"), survival)


def _drawn(rng: Dice, day: int) -> tuple[float, int, int, float]:
    """One parcel: when it comes, its size, quick (0) or slow (1), how long it stays. The order of draws is fixed."""
    start = VISITS_AT_H[0] if rng.random() < MORNING_SHARE else VISITS_AT_H[1]
    comes_h = day * 24 + start + rng.random() * VISIT_LASTS_H
    kind = 0 if rng.random() < QUICK_SHARE else 1
    size = int(rng.choice(3, p=SHARES))
    hours = min(MEDIAN_H[kind] * float(np.exp(SIGMA[kind] * rng.standard_normal())), LONGEST_H)
    return comes_h, size, kind, hours
