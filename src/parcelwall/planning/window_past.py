"""Which ready windows people would have been told in the past: calendars learnt each Monday from what was known."""

from datetime import UTC, timedelta

import numpy as np

from parcelwall.planning import visits
from parcelwall.planning.records import EPOCH, Floats, Records
from parcelwall.rules.tables import VisitCalendar, ready_window

KNOWN = "on_the_way"  # the hand-over is all that a file tells
H = timedelta(hours=1)


def roll(records: Records, first: int, last: int, closed: frozenset[int]) -> tuple[Floats, Floats]:
    """Hours from the hand-over to the beginning and the end of the window that is told at each hand-over of the days
    first..last; NaN where none is. Days are those of the station's clock, whatever its zone."""
    since, until = np.full(len(records), np.nan), np.full(len(records), np.nan)
    for monday in range(first - (first + 3) % 7, last + 1, 7):
        week = (records.handed >= max(monday, first)) & (records.handed < min(monday + 7, last + 1))
        for carrier, name in enumerate(records.carriers):
            mine = records.carrier == carrier
            past = records.only(mine & (records.deposited < monday))
            if not len(past) or not (week & mine).any():
                continue
            calendar = visits.learn(past, monday, station="here", carrier=name, zone="UTC", closed=closed)
            for parcel in np.flatnonzero(week & mine):
                since[parcel], until[parcel] = _told(calendar, float(records.handed[parcel]))
    return since, until


def _told(calendar: VisitCalendar, handed: float) -> tuple[float, float]:
    at = EPOCH.replace(tzinfo=UTC) + timedelta(days=handed)
    window = ready_window(calendar, KNOWN, at, at.date())
    return ((window.since - at) / H, (window.until - at) / H) if window else (np.nan, np.nan)
