"""When couriers come: visits read off their deposits, and the calendar of a carrier at a station learnt from them.

    visit    deposits of one carrier at one station; a gap of more than GAP_H begins another
    calendar share of the same weekdays of the last SHARE_WEEKS with a visit, holidays left out
    hours    quantiles of the clock hour of a visit's first and last deposit, last HOUR_DAYS
    lead     quantiles of the hours from what was known of a parcel to its deposit, by weekday, last LEAD_DAYS

Weekdays are told apart only where that foretold the half after better than one answer for all weekdays (pinball loss):
a model that is worse than its baseline is not told. The outer quantiles are widened as far as was needed in the half
before to hold what they say in the half after (conformal). A calendar says which window it was fitted on, and is not
used once it is stale (`rules.tables`).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from parcelwall.planning.records import Floats, Ints, Records, day_of, weekday, whole
from parcelwall.planning.scores import pinball
from parcelwall.rules.tables import LEVELS, Fit, Quantiles, VisitCalendar

GAP_H = 0.5
SHARE_WEEKS = 8
HOUR_DAYS = 84
LEAD_DAYS = 180
LEAST = 8  # fewer than this on a weekday: those of all weekdays
LEAST_AT_ALL = 20  # fewer than this: nothing is told
MODEL = "visit quantiles"

# By station and carrier, by what was known: when, in days of the station's clock, and the hours until the deposit.
Leads = Mapping[tuple[str, str], Mapping[str, tuple[Floats, Floats]]]


def visits(deposited: Floats) -> tuple[Floats, Floats]:
    """First and last deposit of each visit, of one carrier at one station, in days since 1970."""
    moments = np.sort(deposited[np.isfinite(deposited)])
    if not len(moments):
        return moments, moments
    begins = np.concatenate([[True], np.diff(moments) * 24 > GAP_H])
    return moments[begins], moments[np.concatenate([begins[1:], [True]])]


def learn(parcels: Records, day: int, *, station: str, carrier: str, zone: str, closed: frozenset[int] = frozenset(),
          leads: Mapping[str, tuple[Floats, Floats]] | None = None) -> VisitCalendar:  # fmt: skip
    """The calendar of these parcels, all of one carrier at one station, as it was known at the beginning of `day`.

    `leads[known]` are when something was known of parcels that came, and the hours until their deposit; without it
    the hand-over alone is known, as `on_the_way`. Fewer than LEAST_AT_ALL: the table's rows are empty.
    """
    past = parcels.only((parcels.deposited < day) & (parcels.deposited >= day - 400))
    first, last = visits(past.deposited)
    known = leads if leads is not None else {"on_the_way": (past.handed, (past.deposited - past.handed) * 24)}
    late = first >= day - HOUR_DAYS
    ahead = [day_of(each) for each in sorted(closed) if day <= each <= day + 60]
    since = int(past.deposited.min()) if len(past) else day
    return VisitCalendar(
        station=station, carrier=carrier, zone=zone, visit_share=_shares(first, day, closed),
        first_h=_by_weekday(_hour(first[late]), weekday(whole(first[late]))),
        last_h=_by_weekday(_hour(last[late]), weekday(whole(last[late]))),
        lead_h={name: _leads(at, hours, day) for name, (at, hours) in known.items()}, days_off=tuple(ahead),
        fit=Fit(model=MODEL, fitted_on=day_of(day), since=day_of(since), until=day_of(day) - timedelta(days=1),
                count=len(past)),
    )  # fmt: skip


def _shares(first: Floats, day: int, closed: frozenset[int]) -> tuple[float, ...]:
    days = np.array([each for each in range(day - 7 * SHARE_WEEKS, day) if each not in closed], np.int64)
    visited = np.isin(days, np.unique(whole(first)))
    found = []
    for of_week in range(7):
        same = visited[weekday(days) == of_week]
        found.append(round(float(same.mean()), 4) if len(same) else 0.0)
    return tuple(found)


def _hour(moments: Floats) -> Floats:
    return (moments - np.floor(moments)) * 24


def _leads(at: Floats, hours: Floats, day: int) -> tuple[Quantiles, ...]:
    use = (at >= day - LEAD_DAYS) & (at + hours / 24 < day) & np.isfinite(hours) & (hours >= 0)
    order = np.argsort(at[use], kind="stable")
    return _by_weekday(hours[use][order], weekday(whole(at[use][order])))


def _by_weekday(values: Floats, days: Ints) -> tuple[Quantiles, ...]:
    if len(values) < LEAST_AT_ALL:
        return ((),) * 7
    if not _tells_apart(values, days):
        days = np.zeros_like(days)  # one answer for all weekdays
    widen = _needed(values, days)
    return tuple(_quantiles(values, days, each, widen) for each in range(7))


def _tells_apart(values: Floats, days: Ints) -> bool:
    """Whether the first half by weekday was at least as near to the second as the first half as a whole."""
    half = len(values) // 2
    early, of_day, late, now = values[:half], days[:half], values[half:], days[half:]
    by_day, constant = 0.0, 0.0
    for of_week in np.unique(now):
        same, came = early[of_day == of_week], late[now == of_week]
        for level, told, plain in zip(LEVELS, np.quantile(same if len(same) >= LEAST else early, LEVELS),
                                      np.quantile(early, LEVELS), strict=True):  # fmt: skip
            by_day += len(came) * pinball(np.full(len(came), told), came, level)
            constant += len(came) * pinball(np.full(len(came), plain), came, level)
    return by_day <= constant


def _quantiles(values: Floats, days: Ints, of_week: int, widen: tuple[float, float]) -> Quantiles:
    same = values[days == of_week]
    low, middle, high = np.quantile(same if len(same) >= LEAST else values, LEVELS)
    told = max(0.0, low - widen[0]), middle, high + widen[1]
    return tuple(round(float(each), 3) for each in np.maximum.accumulate(told))


def _needed(values: Floats, days: Ints) -> tuple[float, float]:
    """By how much the outer quantiles of the first half were too narrow for the second; never negative."""
    half = len(values) // 2
    early, late = (values[:half], days[:half]), (values[half:], days[half:])
    low, high = np.empty(len(late[0])), np.empty(len(late[0]))
    for of_week in range(7):
        same = early[0][early[1] == of_week]
        now = late[1] == of_week
        low[now], _, high[now] = np.quantile(same if len(same) >= LEAST else early[0], LEVELS)
    below, above = np.quantile(low - late[0], LEVELS[-1]), np.quantile(late[0] - high, LEVELS[-1])
    return max(0.0, float(below)), max(0.0, float(above))


def calendars(records: Records, day: int, zones: Mapping[str, str], closed: Mapping[str, frozenset[int]],
              leads: Leads | None = None) -> Sequence[VisitCalendar]:  # fmt: skip
    """The calendars of all carriers at all stations that have deposits. `zones` and `closed` are by station."""
    found = []
    for station, rows in records.by_station().items():
        came = rows[np.isfinite(records.deposited[rows])]
        for c, carrier in enumerate(records.carriers):
            here = records.only(came[records.carrier[came] == c])
            if len(here):
                found.append(learn(here, day, station=station, carrier=carrier, zone=zones[station],
                                   closed=closed[station], leads=(leads or {}).get((station, carrier))))  # fmt: skip
    return found
