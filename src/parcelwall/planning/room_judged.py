"""How well `plan room` tells the chance of room: the same learning, held against a real point's past.

Asked when the carrier takes a parcel over, as `promises` has it; the table is made then, and read as an offer reads it,
for each day on which the parcel may come. Learnt anew every four weeks (in operation: every week).
"""

from collections.abc import Sequence
from datetime import UTC

import msgspec
import numpy as np

from parcelwall.planning import room_mending, room_past
from parcelwall.planning.demand import Array
from parcelwall.planning.learnt_room import WINDOW_H
from parcelwall.planning.looking import DAYS, NEVER_H, Point, Week, known_by
from parcelwall.planning.promises import days_of, placed

LEARNT_FOR_H = 4 * 168.0


class Tables(msgspec.Struct):
    """For each judged parcel what the tables tell and the formula alone would have, NaN for one without a likely day;
    whether it fitted; and the way that each four weeks were told."""

    told: Array
    raw: Array
    fitted: Array
    ways: list[str]


def tables(p: Point, compartments: Sequence[int], judged: Array) -> Tables:
    """In the order of `judged`."""
    put = placed(p, compartments)
    first, last = float(p.handed_h[judged].min()), float(p.came_h[p.came_h < NEVER_H].max())
    past = room_past.pasts(p, put, compartments, max(0.0, first - WINDOW_H), last)
    period = (p.handed_h[judged] // LEARNT_FOR_H).astype(int)
    mended, raw, ways = np.full(len(judged), np.nan), np.full(len(judged), np.nan), list[str]()
    for each in np.unique(period):
        now_h = float(each * LEARNT_FOR_H)
        at = p.start.replace(tzinfo=UTC)
        mend = room_mending.learnt("judged", at, tuple(compartments), past, now_h)
        ways.append(mend.way)
        these = np.flatnonzero(period == each)
        share, of, chances, rows = _asked(p, put, compartments, judged[these])
        if len(of):
            total = np.bincount(of, share, len(these))
            total[total == 0] = np.nan
            mended[these] = np.bincount(of, share * room_mending.tell(mend, chances, rows), len(these)) / total
            raw[these] = np.bincount(of, share * chances, len(these)) / total
    return Tables(mended, raw, (put[judged] >= 0).astype(float), ways)


def _asked(p: Point, put: Array, compartments: Sequence[int], parcels: Array) -> tuple[Array, Array, Array, Array]:
    """Of each parcel and day on which it may come: the chance of that day, which parcel it is, the formula's chance of
    room, and the row of COLUMNS."""
    weeks: dict[float, Week] = {}
    found = []
    for place, j in enumerate(parcels.tolist()):
        now, size = float(p.handed_h[j]), int(p.size[j])
        week = weeks.get(now // 168) or weeks.setdefault(now // 168, known_by(p, now // 168 * 168.0))
        days = days_of(p, j, now, week)
        when = [(int(p.carrier[j]), min(DAYS - 1, int((at - now) // 24))) for _, at in days]
        for (share, _), look in zip(days, room_past.look(p, put, compartments, now, week, when, j), strict=True):
            found.append((share, place, look.chances[size], look.rows[size]))
    if not found:
        return np.zeros(0), np.zeros(0, dtype=int), np.zeros(0), np.zeros((0, 0))
    columns = [np.array(column) for column in zip(*found, strict=True)]
    return columns[0], columns[1], columns[2], columns[3]
