"""When couriers come: visits read off their deposits, and the calendar of a carrier at a station learnt from them.

    visit    deposits of one carrier at one station; a gap of more than GAP_H begins another
    calendar share of the same weekdays of the last SHARE_WEEKS with a visit, holidays left out
    hours    quantiles of the clock hour of a visit's first and last deposit, last HOUR_DAYS
    lead     quantiles of the hours from what was known of a parcel to its deposit, by weekday, last LEAD_DAYS

Weekdays are told apart only where that foretold the half after better than one answer for all weekdays (pinball loss):
a model that is worse than its baseline is not told. The outer quantiles are widened as far as was needed in the half
before to hold what they say in the half after (conformal). The end of a window is moved to the end of a visit
(`rules.tables.ready_window`), which alone would hold more than it says; so the last quantile of a lead is the lowest
one that, moved so, has surely kept its level in the half after (Vovk 2012, as `purchase.surely`). A calendar says which
window it was fitted on, and is not used once it is stale (`rules.tables`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

import numpy as np
from scipy.stats import binom

from parcelwall.planning.records import Floats, Ints, Records, day_of, weekday, whole
from parcelwall.planning.scores import pinball
from parcelwall.rules.tables import LEVELS, LIKELY, WITHIN_DAYS, Fit, Quantiles, VisitCalendar

GAP_H = 0.5
SHARE_WEEKS = 8
HOUR_DAYS = 84
LEAD_DAYS = 180
LEAST = 8  # fewer than this on a weekday: those of all weekdays
LEAST_AT_ALL = 20  # fewer than this: nothing is told
MODEL = "visit quantiles"
LAST_LEVELS = np.arange(0.5, 0.96, 0.02)  # of leads, for the end of a window
SURE = 0.9

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
    shares = _shares(first, day, closed)
    last_h = _by_weekday(_hour(last[late]), weekday(whole(last[late])))
    over = ends_of_visits(range(day - LEAD_DAYS - 1, day + WITHIN_DAYS), shares, last_h, closed)
    return VisitCalendar(
        station=station, carrier=carrier, zone=zone, visit_share=shares,
        first_h=_by_weekday(_hour(first[late]), weekday(whole(first[late]))), last_h=last_h,
        lead_h={name: _leads(at, hours, day, over) for name, (at, hours) in known.items()}, days_off=tuple(ahead),
        fit=Fit(model=MODEL, fitted_on=day_of(day), since=day_of(since), until=day_of(day) - timedelta(days=1),
                count=len(past)),
    )  # fmt: skip


def ends_of_visits(days: Iterable[int], shares: Sequence[float], last_h: Sequence[Quantiles],
                   closed: frozenset[int]) -> Floats:  # fmt: skip
    """When the likely visits of these days are over, in days since 1970, rising."""
    of_week = [(each, (each + 3) % 7) for each in days if each not in closed]
    return np.sort([each + last_h[week][-1] / 24 for each, week in of_week if last_h[week] and shares[week] >= LIKELY])


def moved_to_end(until: Floats, over: Floats) -> Floats:
    """Each moment moved to the end of the likely visit that is not over by then, as `rules.tables.ready_window` does;
    where none is likely within a week it stays."""
    if not len(over):
        return until
    end = over[np.minimum(np.searchsorted(over, until), len(over) - 1)]
    near = (end >= until) & (np.floor(end) < np.floor(until) + WITHIN_DAYS)
    return np.where(near, end, until)


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


def _leads(at: Floats, hours: Floats, day: int, over: Floats) -> tuple[Quantiles, ...]:
    use = (at >= day - LEAD_DAYS) & (at + hours / 24 < day) & np.isfinite(hours) & (hours >= 0)
    order = np.argsort(at[use], kind="stable")
    at, hours = at[use][order], hours[use][order]
    return _by_weekday(hours, weekday(whole(at)), lambda days: _last_level(at, hours, days, over))


def _by_weekday(values: Floats, days: Ints, last_level: Callable[[Ints], float | None] = lambda days: None
                ) -> tuple[Quantiles, ...]:  # fmt: skip
    """`last_level`: of the days that are told apart, which quantile is the last one told; None: as LEVELS has it."""
    if len(values) < LEAST_AT_ALL:
        return ((),) * 7
    if not _tells_apart(values, days):
        days = np.zeros_like(days)  # one answer for all weekdays
    widen, last = _needed(values, days), last_level(days)
    return tuple(_quantiles(values, days, each, widen, last) for each in range(7))


def _last_level(at: Floats, hours: Floats, days: Ints, over: Floats) -> float | None:
    """The lowest level of the first half that, moved to the end of a visit, surely kept the last of LEVELS in the
    second; None if none did."""
    half = len(hours) // 2
    told = np.array([_of_day(hours[:half], days[:half], each, LAST_LEVELS) for each in range(7)])
    late, came = at[half:], at[half:] + hours[half:] / 24
    need = binom.ppf(SURE, len(late), LEVELS[-1])
    for place, level in enumerate(LAST_LEVELS):
        until = moved_to_end(late + told[days[half:], place] / 24, over)
        if (came <= until).sum() >= need:
            return float(level)
    return None


def _of_day(values: Floats, days: Ints, of_week: int, levels: Sequence[float] | Floats) -> Floats:
    """Quantiles of a weekday, or of all where there are too few of it."""
    same = values[days == of_week]
    found: Floats = np.quantile(same if len(same) >= LEAST else values, levels)
    return found


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


def _quantiles(values: Floats, days: Ints, of_week: int, widen: tuple[float, float], last: float | None) -> Quantiles:
    low, middle, high = _of_day(values, days, of_week, LEVELS)
    high = high + widen[1] if last is None else _of_day(values, days, of_week, (last,))[0]
    told = max(0.0, low - widen[0]), middle, high
    return tuple(round(float(each), 3) for each in np.maximum.accumulate(told))


def _needed(values: Floats, days: Ints) -> tuple[float, float]:
    """By how much the outer quantiles of the first half were too narrow for the second; never negative."""
    half = len(values) // 2
    early, late = (values[:half], days[:half]), (values[half:], days[half:])
    low, high = np.empty(len(late[0])), np.empty(len(late[0]))
    for of_week in range(7):
        now = late[1] == of_week
        low[now], _, high[now] = _of_day(*early, of_week, LEVELS)
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
