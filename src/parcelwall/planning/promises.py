"""How well the chance of room was told: at a real pick-up point, parcel by parcel, from past facts only.

Asked when the carrier takes a parcel over; judged by whether it fitted when it was brought. Everything is refitted each
Monday on what was known by then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from parcelwall.planning import room
from parcelwall.planning.demand import Array, Requests, empirical, survives
from parcelwall.planning.past import LONGEST_H, Stay
from parcelwall.planning.trial import BestFit, replay

SETTLED_H = 168.0  # outcomes are known when so old
DWELL_H = 365 * 24.0
LEAD_H = 180 * 24.0
CALIBRATED_ON_H = 120 * 24.0
WEEKS = 6  # of the past, for what nobody has announced yet
DAYS = 8
TURNS = (0.1, 0.3, 0.5, 0.7, 0.9)  # a parcel's place in its visit, from first to last
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
    """Of the judged parcels: past share, raw and calibrated chance, and whether it fitted (1) or not (0)."""

    share: Array
    raw: Array
    calibrated: Array
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
    found: Array = np.floor(np.nan_to_num(np.asarray(hours, dtype=float), nan=0.0) / 24)
    return found


def _slot(hours: Array) -> Array:
    found: Array = (_day(hours) % 7 * 8 + hours % 24 // 3).astype(int)
    return found


def raw_chances(p: Point, compartments: Sequence[int], judged: Array) -> tuple[Array, Array]:
    """The formula's chance for each judged parcel, and whether each fitted under best fit with everybody admitted."""
    n = len(p.came_h)
    nobody = np.zeros(n, dtype=int)
    all_of_them = Requests(p.came_h, p.left_h, p.size, nobody, nobody, ("all",), np.ones((1, 8)))
    put = replay(BestFit(), all_of_them, compartments).put
    weeks: dict[int, Week] = {}
    raw = np.empty(len(judged))
    for place, j in enumerate(judged.tolist()):
        monday = int(p.handed_h[j] // 168)
        week = weeks.get(monday) or weeks.setdefault(monday, known_by(p, monday * 168.0))
        raw[place] = _chance(p, put, compartments, j, week)
    return raw, (put[judged] >= 0).astype(float)


def _chance(p: Point, put: Array, compartments: Sequence[int], j: int, week: Week) -> float:
    """Averaged over the days on which it may come, and over its turn in that day's visit."""
    now = float(p.handed_h[j])
    lead = week.leads[p.carrier[j], int(_day(now)) % 7]
    there = np.flatnonzero((p.came_h <= now) & (p.left_h > now) & (p.came_h > now - LONGEST_H) & (put >= 0))
    coming = np.flatnonzero((p.handed_h <= now) & (p.came_h > now) & (p.handed_h > now - DAYS * 24))
    coming = coming[coming != j]
    total = mass = 0.0
    for days in np.flatnonzero(lead > 0.03):
        at = (float(_day(now)) + days) * 24 + week.hour[p.carrier[j]]
        if at > now:
            total += lead[days] * _on_day(p, put, compartments, int(p.size[j]), there, coming, now, at, week)
            mass += lead[days]
    return total / mass if mass else float("nan")


def _on_day(
    p: Point, put: Array, compartments: Sequence[int], size: int, there: Array, coming: Array, now: float, at: float,
    week: Week,
) -> float:  # fmt: skip
    slots, age = _slot(p.came_h[there]), now - p.came_h[there]
    then = np.maximum(survives(week.survival, slots, age), 1e-6)
    stays = np.minimum(1.0, survives(week.survival, slots, at - p.came_h[there]) / then)
    before, same = _brought(p, coming, now, at, week)
    more_before, more_same = _unannounced(p, now, at)
    shares = np.bincount(p.size[: max(1, int(np.searchsorted(p.came_h, now)))], minlength=len(compartments))
    shares = shares / shares.sum()
    classes = range(len(compartments))
    sizes = p.size[coming]
    sure = [room.count_law([*stays[put[there] == c], *before[sizes == c]], more_before * shares[c]) for c in classes]
    found = 0.0
    for turn in TURNS:  # who of the same visit is put down before ours
        laws = [np.convolve(sure[c], room.count_law(turn * same[sizes == c], turn * more_same * shares[c]))
                for c in classes]  # fmt: skip
        found += room.room_chance(laws, compartments, size) / len(TURNS)
    return found


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
    warm = asked[p.handed_h[asked] > p.handed_h[judged].min() - CALIBRATED_ON_H - SETTLED_H]
    raw, fitted = raw_chances(p, compartments, warm)
    mine = np.isin(warm, judged)
    share, calibrated = np.empty(len(warm)), np.empty(len(warm))
    monday = (p.handed_h[warm] // 168).astype(int)
    for week in np.unique(monday):
        now, these = week * 168.0, monday == week
        known = (p.came_h[warm] < now) & (p.handed_h[warm] > now - CALIBRATED_ON_H)
        calibrated[these] = room.Calibration(raw[known], fitted[known])(raw[these])
        for size in range(len(compartments)):
            of_size, here = known & (p.size[warm] == size), these & (p.size[warm] == size)
            share[here] = fitted[of_size].mean() if of_size.any() else 0.5
    return Told(share[mine], np.clip(raw[mine], 0, 1), calibrated[mine], fitted[mine])
