"""What is expected to take room at a station when a parcel comes: from what was known at one moment, and no later.

Of each parcel that lies there the chance to be there still; of each on its way the chance to be brought before ours, or
in the same visit; and how many nobody has announced. docs/planning/offers.md has the formula.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np

from parcelwall.planning import room
from parcelwall.planning.demand import Array, empirical, stays_on, survives
from parcelwall.planning.learnt_room import Ahead
from parcelwall.planning.past import LONGEST_H

NEVER_H = 1e9
DWELL_H = 365 * 24.0
LEAD_H = 180 * 24.0
WEEKS = 6  # of the past, for what nobody has announced yet
DAYS = 8
TURNS = (0.1, 0.3, 0.5, 0.7, 0.9)  # a parcel's place in its visit, from first to last
AT_ONCE = np.eye(DAYS)[0]  # of a carrier that nothing is known of: the careful way
SHRUNK_BY = 20  # stays of all, that those of one weekday and hour are shrunk by
LIKE = 15  # leads of a weekday needed before they stand alone


class Point(msgspec.Struct, frozen=True):
    """A station's parcels in the order of deposit, hours of its clock from `start` (a Monday): handed over to the
    carrier (or promised room), deposited, taken out, and when a promise ended without a deposit; NEVER_H for what did
    not happen. Size and carrier as numbers. `longest_h`: nobody's stay is followed for longer."""

    start: datetime
    handed_h: Array
    came_h: Array
    left_h: Array
    size: Array
    carrier: Array
    gone_h: Array
    carriers: int
    longest_h: float = LONGEST_H


class Week(msgspec.Struct):
    """What was known on one Monday: S by weekday and slot, leads in days by carrier and weekday, clock hours."""

    survival: Array  # 56 strata
    leads: Array  # (carrier, weekday, days): P(deposited so many days after the hand-over)
    hour: Array  # (carrier) usual clock hour of deposits
    visit_h: float  # the same of all
    share: Array  # (carrier) of what was brought of late; all 0 where nothing was


def known_by(p: Point, now_h: float) -> Week:
    """Everything that is learnt, from deposits and outcomes before `now_h` only."""
    settled = (p.came_h < now_h - p.longest_h) & (p.came_h > now_h - DWELL_H)
    if settled.any():
        survival = _survival((p.left_h - p.came_h)[settled], slot_of(p.came_h[settled]), p.longest_h)
    else:  # nothing is known of anybody yet: who lies there is taken to stay
        survival = np.ones((56, 8))
    recent = (p.came_h < now_h) & (p.came_h > now_h - LEAD_H) & np.isfinite(p.handed_h)
    days = np.clip(day_of(p.came_h) - day_of(p.handed_h), 0, DAYS - 1)
    leads, hour = np.zeros((p.carriers, 7, DAYS)), np.full(p.carriers, 12.0)
    for carrier in range(p.carriers):
        mine = recent & (p.carrier == carrier)
        everyone = np.bincount(days[mine].astype(int), minlength=DAYS) + 1e-6 if mine.any() else AT_ONCE
        hour[carrier] = np.median(p.came_h[mine] % 24) if mine.any() else 12.0
        for weekday in range(7):
            these = mine & (day_of(p.handed_h) % 7 == weekday)
            counts = np.bincount(days[these].astype(int), minlength=DAYS) if these.sum() >= LIKE else everyone
            leads[carrier, weekday] = counts / counts.sum()
    visit_h = float(np.median(p.came_h[recent] % 24)) if recent.any() else 12.0
    share = np.bincount(p.carrier[recent], minlength=p.carriers) / max(1, recent.sum())
    return Week(survival, leads, hour, visit_h, share)


def _survival(stays_h: Array, slots: Array, longest_h: float) -> Array:
    """S by weekday and three hours of the deposit, shrunk to that of all."""
    own = empirical(stays_h, slots, 56, longest_h)
    everyone = empirical(stays_h, np.zeros(len(stays_h), dtype=int), 1, longest_h)
    count = np.bincount(slots, minlength=56)[:, None]
    found: Array = (count * own + SHRUNK_BY * everyone) / (count + SHRUNK_BY)
    return found


def day_of(hours: Array | float) -> Array:
    found: Array = np.floor(np.asarray(hours, dtype=float) / 24)
    return found


def slot_of(hours: Array) -> Array:
    found: Array = (day_of(hours) % 7 * 8 + hours % 24 // 3).astype(int)
    return found


class OnDay(msgspec.Struct):
    """What takes room at one hour `at`: chances of each parcel by the class it takes, and how many nobody announced."""

    at: float
    stays: Array
    cls: Array
    before: Array
    same: Array
    sizes: Array
    carriers: Array
    more_before: float
    more_same: float
    shares: Array

    def chance(self, compartments: Sequence[int], size: int) -> float:
        """The formula of `room.py`, averaged over our turn in the visit: who of it is put down before us."""
        by_turn = zip(*(self._laws(c) for c in range(len(compartments))), strict=True)
        return sum(room.room_chance(laws, compartments, size) for laws in by_turn) / len(TURNS)

    def chances(self, compartments: Sequence[int]) -> list[float]:
        """The same for a parcel of each size."""
        by_turn = list(zip(*(self._laws(c) for c in range(len(compartments))), strict=True))
        return [sum(room.room_chance(laws, compartments, size) for laws in by_turn) / len(TURNS)
                for size in range(len(compartments))]  # fmt: skip

    def _laws(self, c: int) -> list[Array]:
        """What takes room of class c before us, for each of our turns."""
        sure = room.count_law(np.append(self.stays[self.cls == c], self.before[self.sizes == c]),
                              self.more_before * self.shares[c])  # fmt: skip
        turns = np.array(TURNS)
        same = room.count_laws(turns[:, None] * self.same[self.sizes == c], turns * self.more_same * self.shares[c])
        return [np.convolve(sure, law) for law in same]

    def ahead(self, carrier: int) -> Ahead:
        n, mine = len(self.shares), self.carriers == carrier
        return Ahead(
            _by_union(self.cls, self.stays, n), _by_union(self.sizes, self.before, n),
            _by_union(self.sizes, self.same * mine, n), _by_union(self.sizes, self.same * ~mine, n),
            self.more_before * self.shares[::-1].cumsum()[::-1], self.more_same * self.shares[::-1].cumsum()[::-1],
        )  # fmt: skip


def _by_union(cls: Array, chances: Array, n: int) -> Array:
    found: Array = np.bincount(cls, chances, n)[::-1].cumsum()[::-1]
    return found


def on_day(
    p: Point, put: Array, there: Array, coming: Array, now: float, at: float, week: Week, classes: int
) -> OnDay:
    slots = slot_of(p.came_h[there])
    stays = stays_on(week.survival, slots, now - p.came_h[there], at - p.came_h[there])
    before, same = _brought(p, coming, now, at, week)
    shares = np.bincount(p.size[: int(np.searchsorted(p.came_h, now))], minlength=classes) + 1e-9
    return OnDay(at, stays, put[there], before, same, p.size[coming], p.carrier[coming], *_unannounced(p, now, at),
                 shares / shares.sum())  # fmt: skip


def _brought(p: Point, coming: Array, now: float, at: float, week: Week) -> tuple[Array, Array]:
    """P(it is brought on an earlier day than `at`, and still there then), and P(it is brought on the same day)."""
    if not len(coming):
        return np.zeros(0), np.zeros(0)
    handed_day = day_of(p.handed_h[coming]).astype(int)
    carrier = p.carrier[coming]
    arrive = (handed_day[:, None] + np.arange(DAYS)) * 24 + week.hour[carrier][:, None]
    possible = week.leads[carrier, handed_day % 7] * (arrive > now)
    late = possible.sum(axis=1) <= 0  # later than any before it: it is taken to come with the next visit
    soon = np.floor(now / 24) * 24 + week.hour[carrier]
    arrive[late, 0], possible[late, 0] = np.where(soon > now, soon, soon + 24)[late], 1.0
    possible /= possible.sum(axis=1, keepdims=True)
    same = np.floor(arrive / 24) == np.floor(at / 24)
    stays = survives(week.survival, slot_of(arrive), np.maximum(0.0, at - arrive))
    return (possible * ((arrive < at) & ~same) * stays).sum(axis=1), (possible * same).sum(axis=1)


def _unannounced(p: Point, now: float, at: float) -> tuple[float, float]:
    """How many lay there at the same hour of past weeks that had not been handed over at the same moment before: of
    earlier days, and of the same day."""
    earlier, that_day = [], []
    for back in range(1, WEEKS + 1):
        then, when = now - 168.0 * back, at - 168.0 * back
        if np.floor(when / 24) * 24 + 24 > now:
            continue  # that day is not over yet
        first, last = np.searchsorted(p.came_h, [then, np.floor(when / 24) * 24 + 24])
        late = p.handed_h[first:last] > then
        came, left = p.came_h[first:last][late], p.left_h[first:last][late]
        same = np.floor(came / 24) == np.floor(when / 24)
        earlier.append(int(((came < when) & (left > when) & ~same).sum()))
        that_day.append(int(same.sum()))
    return (float(np.mean(earlier)), float(np.mean(that_day))) if earlier else (0.0, 0.0)
