"""How well the chance of room was told: at a real pick-up point, parcel by parcel, from past facts only.

Asked when the carrier takes a parcel over; judged by whether it fitted when it was brought. Everything is refitted each
Monday on what was known by then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from parcelwall.planning import learnt_room, room
from parcelwall.planning.demand import Array, Requests
from parcelwall.planning.learnt_room import Ahead
from parcelwall.planning.looking import DAYS, NEVER_H, Point, Week, day_of, known_by, on_day
from parcelwall.planning.past import LONGEST_H, Stay
from parcelwall.planning.trial import BestFit, replay

SETTLED_H = 168.0  # outcomes are known when so old
CALIBRATED_ON_H = 120 * 24.0
RARE = 0.03  # a day that is less likely is left out


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
    never = np.full(len(came), NEVER_H)
    return Point(start, np.where(handed < came, handed, np.nan), came, left, size, carrier, never, len(carriers))


class Looks(msgspec.Struct):
    """Of n parcels: the formula's chance (NaN where it was not asked for), a row of what it is made of, and whether
    each fitted under best fit with everybody admitted."""

    raw: Array
    rows: Array
    fitted: Array


def placed(p: Point, compartments: Sequence[int]) -> Array:
    """The class that each parcel is put into by best fit, with everybody admitted who fits; -1 for none."""
    nobody = np.zeros(len(p.came_h), dtype=int)
    return replay(BestFit(), Requests(p.came_h, p.left_h, p.size, nobody, nobody, ("all",), np.ones((1, 8))),
                  compartments).put  # fmt: skip


def looks(p: Point, compartments: Sequence[int], asked: Array, formula_from_h: float) -> Looks:
    """Each of these parcels as it was looked at when it was handed over."""
    put = placed(p, compartments)
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
    there = np.flatnonzero((p.came_h <= now) & (p.left_h > now) & (put >= 0))
    coming = np.flatnonzero((p.handed_h <= now) & (p.came_h > now) & (p.handed_h > now - DAYS * 24))
    coming = coming[coming != j]
    days = [(float(share), on_day(p, put, there, coming, now, at, week, len(compartments)))
            for share, at in days_of(p, j, now, week)]  # fmt: skip
    if not days:
        return float("nan"), [float("nan")] * len(learnt_room.COLUMNS)
    mass, size = sum(share for share, _ in days), int(p.size[j])
    raw = sum(share * day.chance(compartments, size) for share, day in days) / mass if formula else float("nan")
    ahead = Ahead.nothing(len(compartments))
    for share, day in days:
        ahead = ahead.plus(day.ahead(int(p.carrier[j])), share / mass)
    wait_h = sum(share * (day.at - now) for share, day in days) / mass
    in_days = sum(share * (day_of(day.at) - day_of(now)) for share, day in days) / mass
    inside = np.array([(put[there] >= u).sum() for u in range(len(compartments))])
    comes = now + wait_h
    of_parcel = [float(p.carrier[j]), comes // 24 % 7, now % 24, float(in_days), wait_h]
    return raw, learnt_room.columns(ahead, compartments, size, inside, of_parcel)


def days_of(p: Point, j: int, now: float, week: Week) -> list[tuple[float, float]]:
    """The chance of each day on which parcel j may come, and the hour then; rare days are left out."""
    lead = week.leads[p.carrier[j], int(day_of(now)) % 7]
    hours = [(float(lead[day]), (float(day_of(now)) + day) * 24 + week.hour[p.carrier[j]]) for day in range(DAYS)]
    return [(share, at) for share, at in hours if share > RARE and at > now]


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
