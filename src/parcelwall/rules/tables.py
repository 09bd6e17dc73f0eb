"""Tables that planning learns: when couriers come, whom to admit, how long parcels lie. Plain data, no model.

Planning writes them to plan files. An operator adopts calendars and rows of admission, and rules read those; what is
missing, too old or not of this station is answered by None, never by a guess. Curves of dwell are read by people.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from math import isfinite
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

LEVELS = (0.1, 0.5, 0.9)
MIDDLE = 1  # of LEVELS
STALE_DAYS = 35  # tables older than this are not used
LONGEST_LEAD_H = 366 * 24.0  # of a calendar: a parcel that took longer tells of a wrong clock
LAST_HOUR = 48.0  # a visit that began today is over then
MOST_KEPT = 2**63  # more than any number in a journal holds
WITHIN_DAYS = 8  # in which a visit is looked for, the day itself the first
LIKELY = 0.25  # a weekday on which the courier comes less often is no day to promise
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Quantiles = tuple[float, ...]  # at LEVELS; empty where too little is known


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Where a table comes from: `since`..`until` is the window of days learnt from, `count` what was seen in it."""

    model: str
    fitted_on: date
    since: date
    until: date
    count: int


class DwellCurve(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """P(a parcel lies longer than hours[i]) = there[i], hours from its deposit, the holding limit built in.

    `stratum` is `all`, a station's id, or `station/weekday/hour` such as `S-0012/sat/09`: deposits on that weekday in
    the three hours from then on, in the station's zone.
    """

    stratum: str
    hours: tuple[float, ...]  # rising, the first is 0
    there: tuple[float, ...]  # falling, the first is 1
    fit: Fit

    def __post_init__(self) -> None:
        if not self.hours or len(self.hours) != len(self.there) or self.hours[0] != 0 or self.there[0] != 1:
            raise ValueError("a dwell curve begins at hour 0 with share 1, and has a share for each hour")
        if not _rises(self.hours) or not all(a >= b >= 0 for a, b in pairwise(self.there)):
            raise ValueError("a dwell curve's hours rise and its shares fall from 1")


class VisitCalendar(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """When one carrier's couriers come to one station, in the station's zone.

    `visit_share[d]` is the share of weekday d (0 is Monday) on which they came; `first_h` and `last_h` are quantiles
    at LEVELS of the clock hour of a visit's first and last deposit; `lead_h[known][d]` those of the hours from what
    was known last (`announced`, `on_the_way`, `out_for_delivery`, `delayed`) on weekday d until the deposit, but the
    last one: moved to the end of a visit, as `ready_window` does, it holds that level.
    """

    station: str
    carrier: str
    zone: str
    visit_share: tuple[float, ...]
    first_h: tuple[Quantiles, ...]
    last_h: tuple[Quantiles, ...]
    lead_h: dict[str, tuple[Quantiles, ...]]
    days_off: tuple[date, ...] = ()
    fit: Fit

    def __post_init__(self) -> None:
        rows = [self.visit_share, self.first_h, self.last_h, *self.lead_h.values()]
        if any(len(row) != 7 for row in rows):
            raise ValueError("a visit calendar has a row for each of the seven weekdays")
        if not all(0 <= share <= 1 for share in self.visit_share):
            raise ValueError("a share of days lies between 0 and 1")
        for row in (self.first_h, self.last_h, *self.lead_h.values()):
            if not all(not each or (len(each) == len(LEVELS) and _never_falls(each)) for each in row):
                raise ValueError("quantiles are one for each level, and do not fall")


NIGHT = "night/"  # how names of rows begin that the nightly plan proposes: night/<station>/<size>/<service>
ANY_LEAD_H = (0.0, 8760.0)
RowRule = Literal["always", "protect", "threshold", "price", "nightly", "ended"]


class AdmissionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True,
                   forbid_unknown_fields=True):  # fmt: skip
    """Whom one station, or the network, admits beyond counting room: a policy row, as an operator adopted it.

    The newest row of a `name` counts; `ended` takes it out of force. It binds parcels of these `sizes`, `carriers` and
    `services` (none named: all) whose arrival is `lead_h` hours ahead (from, below), never those of the `spared`
    services. A station's own rows stand in for the network's (`station` empty) wherever they bind; those of the
    nightly plan (`NIGHT`) stand beside them.

    * `always`: whoever has room is admitted;
    * `protect`: room is held for `keep[size]` more parcels of each size that come later;
    * `threshold`: at most `levels[d]` are admitted for day d, unless that reaches what is `expected[d]`;
    * `nightly` says nothing of a parcel: what the nightly plan proposes for these stations is adopted by itself;
    * `price`: who is worth at least `prices[d]`, what the room is worth to later ones. `worth` by service, else 1.

    Day d is counted from `first_day`, or is a weekday (0 is Monday) without one. `good_until`: not used after it.
    """

    name: str
    rule: RowRule
    station: str = ""
    sizes: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    lead_h: tuple[float, float] = ANY_LEAD_H
    keep: dict[str, int] = {}
    first_day: date | None = None
    levels: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()
    prices: tuple[float, ...] = ()
    worth: dict[str, float] = {}
    good_until: datetime | None = None

    def __post_init__(self) -> None:
        numbers = (*self.lead_h, *self.levels, *self.expected, *self.prices, *self.worth.values())
        whole = all(0 <= count < MOST_KEPT for count in self.keep.values())  # an int may be larger than any float
        if not self.name or not whole or not all(isfinite(each) and each >= 0 for each in numbers):
            raise ValueError("an admission row has a name, and numbers from 0 on that a journal can hold")
        if self.rule == "protect" and not self.keep:
            raise ValueError("a row that protects says in `keep` how many of which size")
        if self.rule == "threshold" and not (self.levels and len(self.levels) == len(self.expected)):
            raise ValueError("a threshold has `levels`, and for each what is `expected`")
        if self.rule == "price" and not self.prices:
            raise ValueError("a price row has `prices`")
        if self.first_day is None and any(len(row) not in (0, 7) for row in (self.levels, self.prices)):
            raise ValueError("without a `first_day` there is a number for each of the seven weekdays")
        if self.good_until is not None and self.good_until.tzinfo is None:
            raise ValueError("`good_until` is written with its zone")

    def place(self, day: date, of: Sequence[float]) -> int | None:
        """Which of the numbers is this day's; None for a day that they do not reach."""
        at = day.weekday() if self.first_day is None else (day - self.first_day).days
        return at if 0 <= at < len(of) else None


def _rises(numbers: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


def _never_falls(numbers: Sequence[float]) -> bool:
    return all(a <= b for a, b in pairwise(numbers))


class Window(msgspec.Struct, frozen=True):
    """A ready window: deposited after `since` with probability .9, before `until` with probability .9, and as likely
    before `median` as after it; None where a parcel that is expected at some time says nothing of that."""

    since: datetime
    until: datetime
    median: datetime | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an offer had said of the station where room is promised now: the chance of room, the ready window and the
    station to go to instead. Kept with the promise, so that what was told can be held against what came."""

    chance: float | None = None
    second: str = ""
    since: datetime | None = None
    by: datetime | None = None


def of_no_use(calendar: VisitCalendar) -> str:
    """Why no window can be told by this calendar, in words; empty if one can. Nobody adopts such a one any more, and
    one that an older journal holds is passed over: what was stated is told then."""
    try:
        ZoneInfo(calendar.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{calendar.zone!r} is no time zone that this machine knows"
    clock = (hour for row in (*calendar.first_h, *calendar.last_h) for hour in row)
    if not all(0 <= hour <= LAST_HOUR for hour in clock):
        return f"the clock hours of a visit lie between 0 and {LAST_HOUR:g}"
    ahead = (hours for of in calendar.lead_h.values() for row in of for hours in row)
    if not all(0 <= hours <= LONGEST_LEAD_H for hours in ahead):
        return f"the hours until a deposit lie between 0 and {LONGEST_LEAD_H:g}"
    return ""


def fresh(fit: Fit, today: date) -> bool:
    """Whether a table may still be used: not too old, nor of a day that is nowhere yet (its station may be a day
    ahead)."""
    return -1 <= (today - fit.fitted_on).days <= STALE_DAYS


def ready_window(
    calendar: VisitCalendar, known: str, at: datetime, today: date, late_h: float = 0.0,
    expected_at: datetime | None = None,
) -> Window | None:  # fmt: skip
    """When the parcel will be ready, from what is known of it since `at`; None where the calendar does not know.

    The end is moved to the end of the likely visit that it falls into, on a day on which the courier comes. `late_h`
    is how much later than usual the round runs today. A parcel that is `expected_at` a later time comes with a visit
    that is, as likely as not, still to come then; where no visit is likely nothing is known of one that is expected
    later than half of all take. Whoever carries it about now (`out_for_delivery`) is not asked what was expected.
    """
    if not fresh(calendar.fit, today) or known not in calendar.lead_h:
        return None
    zone = ZoneInfo(calendar.zone)
    local = at.astimezone(zone)
    lead = calendar.lead_h[known][local.weekday()]
    if not lead:
        return None
    late = timedelta(hours=max(0.0, late_h))
    since, middle, until = (_by_the_clock(local, hours).astimezone(at.tzinfo) for hours in lead)
    expected = expected_at if expected_at is not None and known != "out_for_delivery" else since
    since, moved = max(since, expected), expected > until
    end = _end_of_visit(calendar, max(until, expected), zone, MIDDLE if moved else -1)
    if end is None and expected > middle:  # that it is expected then says when it comes at the soonest, not by when
        return None
    until = max(since, end or until)
    return Window(since + late, until + late, None if expected > middle else min(middle, until) + late)


def _by_the_clock(local: datetime, hours: float) -> datetime:
    """So many hours later by the clock on the wall: couriers come by that one, also on the day on which it is moved.
    Never before."""
    return max(local, local + timedelta(hours=hours), key=datetime.timestamp)


def _end_of_visit(calendar: VisitCalendar, moment: datetime, zone: ZoneInfo, level: int) -> datetime | None:
    """The end of the likely visit that is, at this one of LEVELS, not over at this moment; None if none is likely
    within a week."""
    local = moment.astimezone(zone)
    for ahead in range(WITHIN_DAYS):
        day = local.date() + timedelta(days=ahead)
        last = calendar.last_h[day.weekday()]
        if not last or day in calendar.days_off or calendar.visit_share[day.weekday()] < LIKELY:
            continue
        over, end = (datetime.combine(day, time(), zone) + timedelta(hours=last[each]) for each in (level, -1))
        if over.timestamp() >= moment.timestamp():  # compared by the clock, an hour that comes twice would be one
            return end.astimezone(moment.tzinfo)
    return None


def runs_late_h(usual: Sequence[tuple[VisitCalendar, datetime]]) -> float:
    """By how many hours a round runs later than usual: the median over the stations visited today, each with its
    first deposit. 0 where nothing is known or the round is early."""
    late = []
    for calendar, first in usual:
        local = first.astimezone(ZoneInfo(calendar.zone))
        hours = calendar.first_h[local.weekday()]
        if hours:
            late.append(local.hour + local.minute / 60 + local.second / 3600 - hours[LEVELS.index(0.5)])
    return max(0.0, sorted(late)[len(late) // 2]) if late else 0.0
