"""One station's chance of room as it would have been told on past days, and what came of it: what to learn from.

A look is taken for each parcel that was brought, at the moment when it was promised room (for every fifth at an hour of
the eight days before, so that all days ahead are learnt of): for its carrier and each size the formula's chance, what
that is made of, and whether one more parcel of the size would have found room just before it was put in. A size weighs
as many as had it: so what is learnt is of what is asked.
"""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from parcelwall.planning import learnt_room
from parcelwall.planning.demand import Array
from parcelwall.planning.dice import dice
from parcelwall.planning.looking import DAYS, Point, Week, known_by, on_day

MOST_LOOKS = 10_000  # of more parcels every second, every third ...
EVERY_DAY = 0.2  # of the looks go to all days ahead alike
NOBODY = -1  # in a carrier's place: nobody knows yet whose parcel it will be, and all on their way are of others


class Pasts(msgspec.Struct):
    """Of n looks times sizes: when it was asked, when the outcome was there, hours; the formula's chance; (n, COLUMNS)
    of what it is made of; room (1) or none (0); how much it weighs, 1 on average."""

    asked_h: Array
    known_h: Array
    raw: Array
    rows: Array
    fitted: Array
    weight: Array

    def only(self, these: Array) -> "Pasts":
        return Pasts(*(getattr(self, name)[these] for name in self.__struct_fields__))


class Look(msgspec.Struct):
    """What is expected when one carrier comes on one day: by size the formula's chance and the row of COLUMNS."""

    chances: list[float]
    rows: list[list[float]]


def look(
    p: Point, put: Array, compartments: Sequence[int], now: float, week: Week, when: Iterable[tuple[int, int]],
    asking: int = NOBODY,
) -> list[Look]:  # fmt: skip
    """One for each carrier (or NOBODY) and number of days ahead, at the hour at which that carrier usually comes (at
    which most is brought). `put`: the class each parcel lay or lies in, -1 for none of these compartments. `asking`:
    the parcel for which it is asked, if it was promised room in this very moment: it takes none from itself."""
    there = np.flatnonzero((p.came_h <= now) & (p.left_h > now) & (put >= 0))
    coming = np.flatnonzero((p.handed_h <= now) & (p.came_h > now) & (p.gone_h > now))
    coming = coming[coming != asking]
    inside = np.array([(put[there] >= u).sum() for u in range(len(compartments))])
    found = []
    for carrier, ahead in when:
        hour = week.visit_h if carrier == NOBODY else week.hour[carrier]
        at = now + ahead * 24 + ((hour - now) % 24 or 24.0)
        expected = on_day(p, put, there, coming, now, at, week, len(compartments))
        of_parcel = [float(carrier), expected.at // 24 % 7, now % 24, float(ahead), expected.at - now]
        parts, sizes = expected.ahead(carrier), range(len(compartments))
        rows = [learnt_room.columns(parts, compartments, size, inside, of_parcel) for size in sizes]
        found.append(Look(expected.chances(compartments), rows))
    return found


def pasts(p: Point, put: Array, compartments: Sequence[int], since_h: float, until_h: float) -> Pasts:
    """All looks from `since_h` on whose outcomes were there by `until_h`. Each knows what was known at its hour; laws
    are those of the Monday before."""
    rng, weeks = dice(1), dict[float, Week]()
    asked, known, raw, fitted, weight = (list[float]() for _ in range(5))
    columns = list[list[float]]()
    came = np.flatnonzero((p.came_h >= since_h) & (p.came_h < until_h))
    for j in came[:: 1 + len(came) // MOST_LOOKS].tolist():
        deposit = float(p.came_h[j])
        now = float(p.handed_h[j])
        if rng.random() < EVERY_DAY or not now < deposit:
            now = deposit - rng.random() * DAYS * 24
        if not since_h <= now or deposit - now >= DAYS * 24:
            continue
        monday = now // 168 * 168.0
        week = weeks.get(monday) or weeks.setdefault(monday, known_by(p, monday))
        [each] = look(p, put, compartments, now, week, [(int(p.carrier[j]), int((deposit - now) // 24))], j)
        shares = np.bincount(p.size[: np.searchsorted(p.came_h, now)], minlength=len(compartments)) + 1.0
        asked += [now] * len(compartments)
        known += [deposit] * len(compartments)
        raw += each.chances
        columns += each.rows
        fitted += _fits(p, put, compartments, deposit)
        weight += (shares / shares.mean()).tolist()
    table = np.array(columns, dtype=float).reshape(-1, len(learnt_room.COLUMNS))
    asked_h, known_h, chances = map(np.array, (asked, known, raw))
    return Pasts(asked_h, known_h, chances, table, np.array(fitted), np.array(weight))


def _fits(p: Point, put: Array, compartments: Sequence[int], at: float) -> list[float]:
    """Whether a parcel of each size would have found room just before this deposit."""
    taken = np.bincount(put[(p.came_h < at) & (p.left_h > at) & (put >= 0)], minlength=len(compartments))
    free = taken < np.array(compartments)
    return [float(free[size:].any()) for size in range(len(compartments))]
