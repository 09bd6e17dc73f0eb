"""How well the chance of room was told: at a real pick-up point, parcel by parcel, from past facts only.

Asked when the carrier takes a parcel over; judged by whether it fitted when it was brought. Everything is refitted each
Monday on what was known by then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from parcelwall.planning import learnt_room, room
from parcelwall.planning.demand import Array, Requests, empirical, survives
from parcelwall.planning.learnt_room import Ahead
from parcelwall.planning.past import LONGEST_H, Stay
from parcelwall.planning.trial import BestFit, replay

SETTLED_H = 168.0  # outcomes are known when so old
DWELL_H = 365 * 24.0
LEAD_H = 180 * 24.0
CALIBRATED_ON_H = 120 * 24.0
WEEKS = 6  # of the past, for what nobody has announced yet
DAYS = 8
TURNS = (0.1, 0.3, 0.5, 0.7, 0.9)  # a parcel's place in its visit, from first to last
RARE = 0.03  # a day that is less likely is left out
LIKE = 15  # leads of a weekday needed before they stand alone


class Point(msgspec.Struct, frozen=True):
    """A pick-up point's parcels in the order of deposit, hours from `start` (a Monday): handed over, deposited, taken
    out; size and carrier as numbers."""

    start: datetime
    handed_h: Array
    came_h: Array
    left_h: Array
    size: Array
    carrier: Array


class Told(msgspec.Struct, frozen=True):
    """Of the judged parcels: past share, chance by the formula, raw and calibrated, learnt chance, and whether it
    fitted (1) or not (0)."""

    share: Array
    raw: Array
    calibrated: Array
    learnt: Array
    fitted: Array


def point(stays: Sequence[Stay]) -> Point:
    """Parcels whose hand-over is known and was before the deposit; of the others nothing can be told beforehand."""
    first = stays[0].came
    start = (first - timedelta(days=first.weekday() + 28)).replace(hour=0, minute=0, second=0, microsecond=0)
    carriers = sorted({stay.group for stay in stays})

    def hours(when: datetime | None) -> float:
        return (when - start).total_seconds() / 3600 if when else float("nan")

    came = np.array([hours(stay.came) for stay in stays])
    left = np.minimum(np.array([hours(stay.left) for stay in stays]), came + LONGEST_H)
    handed = np.array([hours(stay.handed) for stay in stays])
    size, carrier = np.array([(s.size or 0, carriers.index(s.group)) for s in stays]).T
    return Point(start, np.where(handed < came, handed, np.nan), came, left, size, carrier)


class Week(msgspec.Struct):
    """What was known on one Monday: S by weekday and slot, leads in days by carrier and weekday, clock hours."""

    survival: Array  # 56 strata
    leads: Array  # (carrier, weekday, days): P(deposited so many days after the hand-over)
    hour: Array  # (carrier) usual clock hour of deposits


def known_by(p: Point, now_h: float) -> Week:
    """Everything that is learnt, from deposits and outcomes before `now_h` only."""
    settled = (p.came_h < now_h - SETTLED_H) & (p.came_h > now_h - DWELL_H)
    if settled.any():
        survival = empirical((p.left_h - p.came_h)[settled], _slot(p.came_h[settled]), 56, LONGEST_H)
    else:  # nothing is known of anybody yet: who lies there is taken to stay
        survival = np.ones((56, 8))
    recent = (p.came_h < now_h) & (p.came_h > now_h - LEAD_H) & np.isfinite(p.handed_h)
    carriers = int(p.carrier.max()) + 1
    days = np.clip(_day(p.came_h) - _day(p.handed_h), 0, DAYS - 1)
    leads, hour = np.zeros((carriers, 7, DAYS)), np.full(carriers, 12.0)
    for carrier in range(carriers):
        mine = recent & (p.carrier == carrier)
        everyone = np.bincount(days[mine].astype(int), minlength=DAYS) + 1e-6
        hour[carrier] = np.median(p.came_h[mine] % 24) if mine.any() else 12.0
        for weekday in range(7):
            these = mine & (_day(p.handed_h) % 7 == weekday)
            counts = np.bincount(days[these].astype(int), minlength=DAYS) if these.sum() >= LIKE else everyone
            leads[carrier, weekday] = counts / counts.sum()
    return Week(survival, leads, hour)


def _day(hours: Array | float) -> Array:
    found: Array = np.floor(np.asarray(hours, dtype=float) / 24)
    return found


def _slot(hours: Array) -> Array:
    found: Array = (_day(hours) % 7 * 8 + hours % 24 // 3).astype(int)
    return found


class Looks(msgspec.Struct):
    """Of n parcels: the formula's chance (NaN where it was not asked for), a row of what it is made of, and whether
    each fitted under best fit with everybody admitted."""

    raw: Array
    rows: Array
    fitted: Array


def looks(p: Point, compartments: Sequence[int], asked: Array, formula_from_h: float) -> Looks:
    """Each of these parcels as it was looked at when it was handed over."""
    n = len(p.came_h)
    nobody = np.zeros(n, dtype=int)
    all_of_them = Requests(p.came_h, p.left_h, p.size, nobody, nobody, ("all",), np.ones((1, 8)))
    put = replay(BestFit(), all_of_them, compartments).put
    weeks: dict[int, Week] = {}
    found = []
    for j in asked.tolist():
        monday = int(p.handed_h[j] // 168)
        week = weeks.get(monday) or weeks.setdefault(monday, known_by(p, monday * 168.0))
        found.append(_look(p, put, compartments, j, week, p.handed_h[j] > formula_from_h))
    raw, rows = zip(*found, strict=True) if found else ((), ())
    return Looks(np.array(raw), np.array(rows), (put[asked] >= 0).astype(float))


def _look(
    p: Point, put: Array, compartments: Sequence[int], j: int, week: Week, formula: bool
) -> tuple[float, list[float]]:
    """Averaged over the days on which it may come, and the formula also over its turn in that day's visit."""
    now = float(p.handed_h[j])
    there = np.flatnonzero((p.came_h <= now) & (p.left_h > now) & (p.came_h > now - LONGEST_H) & (put >= 0))
    coming = np.flatnonzero((p.handed_h <= now) & (p.came_h > now) & (p.handed_h > now - DAYS * 24))
    coming = coming[coming != j]
    days = [(float(share), _on_day(p, put, there, coming, now, at, week, len(compartments)))
            for share, at in _days_of(p, j, now, week)]  # fmt: skip
    if not days:
        return float("nan"), [float("nan")] * len(learnt_room.COLUMNS)
    mass, size = sum(share for share, _ in days), int(p.size[j])
    raw = sum(share * day.chance(compartments, size) for share, day in days) / mass if formula else float("nan")
    ahead = Ahead.nothing(len(compartments))
    for share, day in days:
        ahead = ahead.plus(day.ahead(int(p.carrier[j])), share / mass)
    wait_h = sum(share * (day.at - now) for share, day in days) / mass
    in_days = sum(share * (_day(day.at) - _day(now)) for share, day in days) / mass
    inside = np.array([(put[there] >= u).sum() for u in range(len(compartments))])
    comes = now + wait_h
    of_parcel = [float(p.carrier[j]), comes // 24 % 7, now % 24, float(in_days), wait_h]
    return raw, learnt_room.columns(ahead, compartments, size, inside, of_parcel)


def _days_of(p: Point, j: int, now: float, week: Week) -> list[tuple[float, float]]:
    """The chance of each day on which parcel j may come, and the hour then; rare days are left out."""
    lead = week.leads[p.carrier[j], int(_day(now)) % 7]
    hours = [(float(lead[day]), (float(_day(now)) + day) * 24 + week.hour[p.carrier[j]]) for day in range(DAYS)]
    return [(share, at) for share, at in hours if share > RARE and at > now]


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


def _on_day(
    p: Point, put: Array, there: Array, coming: Array, now: float, at: float, week: Week, classes: int
) -> OnDay:
    slots = _slot(p.came_h[there])
    then = np.maximum(survives(week.survival, slots, now - p.came_h[there]), 1e-6)
    stays = np.minimum(1.0, survives(week.survival, slots, at - p.came_h[there]) / then)
    before, same = _brought(p, coming, now, at, week)
    shares = np.bincount(p.size[: max(1, int(np.searchsorted(p.came_h, now)))], minlength=classes)
    return OnDay(at, stays, put[there], before, same, p.size[coming], p.carrier[coming], *_unannounced(p, now, at),
                 shares / shares.sum())  # fmt: skip


def _brought(p: Point, coming: Array, now: float, at: float, week: Week) -> tuple[Array, Array]:
    """P(it is brought on an earlier day than `at`, and still there then), and P(it is brought on the same day)."""
    if not len(coming):
        return np.zeros(0), np.zeros(0)
    handed_day = _day(p.handed_h[coming]).astype(int)
    carrier = p.carrier[coming]
    arrive = (handed_day[:, None] + np.arange(DAYS)) * 24 + week.hour[carrier][:, None]
    possible = week.leads[carrier, handed_day % 7] * (arrive > now)
    possible /= np.maximum(possible.sum(axis=1, keepdims=True), 1e-9)
    same = np.floor(arrive / 24) == np.floor(at / 24)
    stays = survives(week.survival, _slot(arrive), np.maximum(0.0, at - arrive))
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


def tell(p: Point, compartments: Sequence[int], judged: Array) -> Told:
    """Chances for parcels handed over in the judged period, calibrated each week on outcomes known by then."""
    order = np.argsort(p.handed_h, kind="stable")
    asked = order[np.isfinite(p.handed_h[order])]
    since = float(p.handed_h[judged].min())
    warm = asked[p.handed_h[asked] > since - learnt_room.WINDOW_H - learnt_room.CALIBRATED_ON_H]
    formula_from_h = since - CALIBRATED_ON_H - SETTLED_H
    looked = looks(p, compartments, warm, formula_from_h)
    handed, came, fitted = p.handed_h[warm], p.came_h[warm], looked.fitted
    mine = np.isin(warm, judged)
    share, calibrated = np.full(len(warm), 0.5), np.full(len(warm), np.nan)
    monday = (handed // 168).astype(int)
    for week in np.unique(monday[mine]):
        now, these = week * 168.0, monday == week
        known = (came < now) & (handed > now - CALIBRATED_ON_H)
        calibrated[these] = room.Calibration(looked.raw[known], fitted[known])(looked.raw[these])
        for size in range(len(compartments)):
            of_size, here = known & (p.size[warm] == size), these & (p.size[warm] == size)
            share[here] = fitted[of_size].mean() if of_size.any() else 0.5
    learnt = learnt_room.tell(looked.rows, handed, came, fitted, formula_from_h)
    learnt = np.where(np.isfinite(learnt), learnt, calibrated)  # too little is known yet: the formula
    return Told(share[mine], np.clip(looked.raw[mine], 0, 1), calibrated[mine], learnt[mine], fitted[mine])
