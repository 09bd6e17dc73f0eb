"""The nightly plan of admission: from a hub's journal, for each station, thresholds for the next days as rows.

The linear program of docs/planning/allocation.md on a rolling horizon of a week, a step a day, from what lies there and
is promised now. What comes out is a proposal. It is judged on the last fortnight, which it has not seen, against always
accepting with best fit; a plan that serves less is told and not proposed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from traceback import extract_tb
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import structlog

from parcelwall.planning.admission import Program
from parcelwall.planning.demand import Array, Requests, empirical, survives
from parcelwall.planning.dice import dice
from parcelwall.planning.drift import drift_p as drifted
from parcelwall.planning.each_night import HORIZON, EachNight, whole_levels
from parcelwall.planning.expected import Expected
from parcelwall.planning.history import History, Story, zone_of
from parcelwall.planning.trial import BestFit, replay
from parcelwall.planning.wanted import WEEKS, Asked, Wanted
from parcelwall.rules import admission
from parcelwall.rules.layout import Layout
from parcelwall.rules.places import Plan
from parcelwall.rules.tables import NIGHT, AdmissionRow

log = structlog.get_logger()

LONGEST_H = 336.0
NEEDS_DAYS, NEEDS_STAYS = 28, 50
JUDGED_DAYS = 14
SILENT_DAYS = 14
DRIFT_P = 0.001
OTHER_SIZES = 0.1  # of what was asked: with more the past tells too little of the station as it is now
GOOD_FOR = timedelta(hours=36)  # a night that is missed is bridged; two are not


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """One station's plan. `reason`: why there are no rows. `over`: names of rows of earlier nights that are in force
    and that this plan does not hold to. `hidden`: parcels by which offers that were not made raise
    the demand. `settled`: promises of which it is known whether the parcel came; `never_came` of those did not. Shares
    served of the judged fortnight; `drift_p`: P(as many or as few as in the last days, if nothing had changed)."""

    station: str
    reason: str
    rows: list[AdmissionRow] = []
    over: list[str] = []
    asked: int = 0
    refused: int = 0
    hidden: float = 0.0
    settled: int = 0
    never_came: int = 0
    odd_stays: int = 0
    drift_p: float = 1.0
    served_best_fit: float | None = None
    served_levels: float | None = None
    told: list[str] = []


class Point(msgspec.Struct):
    """What is planned from at one station: classes from the smallest, services, who asked, and what is there now."""

    station: str
    utc: datetime
    zone: ZoneInfo
    plan: Plan
    sizes: list[str]
    services: list[str]
    asked: list[Asked]
    hidden: dict[tuple[date, str], float]
    lying: list[Story]
    promised: list[Story]
    settled: list[Story]
    since: date
    unusable: frozenset[int] = frozenset()
    brought: list[Story] = []  # today, those that are fetched already among them

    @property
    def now(self) -> datetime:
        """On the station's clock."""
        return self.local(self.utc)

    def local(self, at: datetime) -> datetime:
        """That moment on the station's clock, as such clocks show it."""
        return at.astimezone(self.zone).replace(tzinfo=None)

    @property
    def counts(self) -> list[int]:
        """Usable compartments by size."""
        usable = [each.size for each in self.plan.layout.compartments if each.number not in self.unusable]
        return [usable.count(name) for name in self.sizes]


def plan_station(
    history: History, wanted: Wanted, station: str, now: datetime, worth: dict[str, float], seed: int,
    here: Sequence[Story] | None = None,
) -> Night:  # fmt: skip
    """The plan of one station, or why there is none: then everybody is admitted who has room. `here`: its stories, for
    whoever has them sorted already."""
    point = point_of(history, wanted, station, now, here)
    known = Night(
        station=station, reason=why_not(point), asked=len(point.asked), drift_p=drift_p(point),
        refused=sum(not each.served for each in point.asked), hidden=round(sum(point.hidden.values()), 1),
        settled=len(point.settled), never_came=sum(story.deposited is None for story in point.settled),
        odd_stays=wanted.odd_stays.get(station, 0),
    )  # fmt: skip
    if known.reason:
        return known
    words = []
    if known.drift_p < DRIFT_P:
        point.since = point.now.date() - timedelta(days=7)
        words.append("demand_drift: learnt from the last seven days only")
    fit, levels = judged(point, worth, seed)
    rows = rows_of(point, worth, now, seed) if levels >= fit else []
    reason = "worse_than_best_fit" if levels < fit else "" if rows else "nothing_binds"
    return msgspec.structs.replace(known, reason=reason, rows=rows, served_best_fit=fit, served_levels=levels,
                                   told=words)  # fmt: skip


def point_of(
    history: History, wanted: Wanted, station: str, now: datetime, here: Sequence[Story] | None = None
) -> Point:
    """What is known of one station now."""
    if here is None:
        here = [story for story in history.stories.values() if story.station == station]
    zone = zone_of(station, history.zones)
    today = now.astimezone(zone).date()
    plan = Plan(history.layouts.get(station, Layout((), ())))
    asked = [each for each in wanted.asked.get(station, []) if each.at.date() < today]
    services = sorted({each.service for each in asked} | {story.service for story in here} | {""})
    lying = [story for story in here if story.deposited is not None and story.ended is None]
    return Point(station, now, zone, plan, ladder(plan), services, asked, wanted.hidden.get(station, {}), lying,
                 [story for story in here if story.open], _settled(here, now),
                 today - timedelta(weeks=WEEKS), history.unusable.get(station, frozenset()),
                 [story for story in here if story.deposited and story.deposited.astimezone(zone).date() == today],
                 )  # fmt: skip


def _settled(here: Sequence[Story], now: datetime) -> list[Story]:
    """Promises of the last weeks of which it is known whether the parcel came. A diverted one tells nothing of that."""
    since = now - timedelta(weeks=WEEKS)
    return [story for story in here
            if story.reserved is not None and story.reserved >= since and not story.open and not story.why]  # fmt: skip


def ladder(plan: Plan) -> list[str]:
    """The sizes from the smallest, if each parcel that fits one fits all that are larger; none if they are not so."""
    sizes = list(dict.fromkeys(name for name, _ in plan.kinds))
    needs = [plan.need_of_size(name) for name in sizes]
    nested = all(b & ~a == 0 for a, b in pairwise(needs))
    return sizes if nested else []


def why_not(point: Point) -> str:
    """A reason not to plan this station."""
    if not point.plan.layout.compartments:
        return "no_compartment"
    if not point.sizes:
        return "sizes_are_no_ladder"
    if not point.asked:
        return "no_history"
    known = [each for each in point.asked if each.size in point.sizes]
    if len(known) < (1 - OTHER_SIZES) * len(point.asked):
        return "sizes_changed"
    if (point.now.date() - known[-1].at.date()).days > SILENT_DAYS:
        return "silent"
    if (point.now.date() - known[0].at.date()).days < NEEDS_DAYS or len(_stays(point)) < NEEDS_STAYS:
        return "no_history"
    return ""


def _stays(point: Point) -> list[float]:
    return [each.dwell_h for each in point.asked if each.dwell_h is not None]


def drift_p(point: Point) -> float:
    """P(a count as far out as that of the last days), if nothing had changed since the weeks before."""
    return drifted([each.at.date() for each in point.asked], point.since, point.now.date())


def model(point: Point, until: date) -> Expected:
    """Mean requests by weekday, service and size of the days since `point.since` and before `until`, what was hidden
    counted in; survival by service."""
    days = [point.since + timedelta(days=n) for n in range((until - point.since).days)]
    first = min((each.at.date() for each in point.asked), default=until)
    days = [day for day in days if day >= first]
    known = set(days)
    total = np.zeros((7, len(point.services), len(point.sizes)))
    for each in point.asked:
        if each.at.date() in known and each.size in point.sizes:
            total[each.at.weekday(), point.services.index(each.service), point.sizes.index(each.size)] += 1
    for (day, size), parcels in point.hidden.items():
        if day in known and size in point.sizes:
            total[day.weekday(), 0, point.sizes.index(size)] += parcels
    seen = np.maximum(np.bincount([day.weekday() for day in days], minlength=7), 1)
    past = [each for each in point.asked if each.dwell_h is not None and each.at.date() < until]
    hours = np.array([each.dwell_h for each in past], float)
    strata = np.array([point.services.index(each.service) for each in past])
    survival = empirical(np.minimum(hours, LONGEST_H), strata, len(point.services), LONGEST_H)
    return Expected(168.0, np.arange(7) * 24.0 + _visit_ends_h(point, until), total / seen[:, None, None], survival)


def _visit_ends_h(point: Point, until: date) -> float:
    """The clock hour by which most of a day's parcels had come, before that day."""
    past = [each.at for each in point.asked if each.at.date() < until] or [each.at for each in point.asked]
    return float(np.quantile([at.hour + at.minute / 60 for at in past], 0.9))


def judged(point: Point, worth: dict[str, float], seed: int) -> tuple[float, float]:
    """The share of the last fortnight's requests, by what they are worth, that best fit and rows of each night would
    have served, learnt before it."""
    cut = point.now.date() - timedelta(days=JUDGED_DAYS)
    later = [each for each in point.asked if each.at.date() >= cut and each.size in point.sizes]
    known = msgspec.structs.replace(point, since=point.now.date() - timedelta(weeks=WEEKS))
    expected = model(known, cut)
    requests = as_requests(known, later, expected, seed)
    gain = _gain(point, worth)
    midnights = 24.0 * np.arange(requests.comes_h[0] // 24, requests.comes_h[-1] // 24 + 1)
    fit = replay(BestFit(), requests, point.counts).served
    levels = replay(EachNight(expected, seed, gain), requests, point.counts, looks_h=midnights.tolist()).served
    each = gain[requests.stratum, requests.size]
    return round(float(np.average(fit, weights=each)), 4), round(float(np.average(levels, weights=each)), 4)


def _gain(point: Point, worth: dict[str, float]) -> Array:
    """What one parcel is worth, by service and size."""
    return np.array([[worth.get(name, 1.0)] * len(point.sizes) for name in point.services])


def as_requests(point: Point, asked: Sequence[Asked], expected: Expected, seed: int) -> Requests:
    """Requests of these, hours since the Monday before; stays that nobody saw are drawn from those that were."""
    rng, stays = dice(seed), np.array(_stays(point))
    monday = datetime.combine(asked[0].at.date() - timedelta(days=asked[0].at.weekday()), datetime.min.time())
    comes = np.array([(each.at - monday).total_seconds() / 3600 for each in asked])
    drawn = rng.choice(stays, size=len(asked))
    hours = np.array([each.dwell_h if each.dwell_h is not None else drawn[i] for i, each in enumerate(asked)])
    size = np.array([point.sizes.index(each.size) for each in asked])
    stratum = np.array([point.services.index(each.service) for each in asked])
    names = sorted({each.carrier for each in asked})
    group = np.array([names.index(each.carrier) for each in asked])
    return Requests(comes, comes + np.minimum(hours, LONGEST_H), size, stratum, group, tuple(names), expected.survival)


def rows_of(point: Point, worth: dict[str, float], now: datetime, seed: int) -> list[AdmissionRow]:
    """A threshold for each service and size that binds on a day of the horizon. Levels count the heads that the hub
    counts already; whole numbers, plus one with the chance of the remainder."""
    expected = model(point, point.now.date())
    program = Program(expected, point.counts, HORIZON)
    monday = datetime.combine(point.now.date() - timedelta(days=point.now.weekday()), datetime.min.time())
    now_h = (point.now - monday).total_seconds() / 3600
    ends, which = expected.ahead(now_h, HORIZON)
    first_day = monday.date() + timedelta(days=int(ends[0] // 24))
    already, gone = heads(point, first_day)
    there = _promised(point, first_day, expected, ends)
    demand = np.maximum(expected.mean[which] - already - gone, 0.0)
    solved = program.solve(now_h, _stored(point, monday), _gain(point, worth), there, demand)
    whole, binds = whole_levels(solved, demand, dice(seed))
    level = already + np.where(binds, whole, demand)
    return [_row(point, g, s, first_day, level[:, g, s],
                 already[:, g, s] + demand[:, g, s], now)
            for g in range(len(point.services)) for s in range(len(point.sizes)) if binds[:, g, s].any()]  # fmt: skip


def _row(
    point: Point, g: int, s: int, first_day: date, level: Array, expected: Array, now: datetime
) -> AdmissionRow:  # fmt: skip
    service, size = point.services[g], point.sizes[s]
    return AdmissionRow(
        name=f"{NIGHT}{point.station}/{size}/{service or '-'}", rule="threshold", station=point.station,
        sizes=(size,), services=(service,), first_day=first_day,
        levels=tuple(np.round(level, 3).tolist()), expected=tuple(np.round(expected, 3).tolist()),
        good_until=now + GOOD_FOR,
    )  # fmt: skip


def _stored(point: Point, monday: datetime) -> list[tuple[float, int, int]]:
    """Came (hours since Monday), class and service of what lies there, but for what lies behind a door that counts as
    no room; what nobody knows counts as the smallest."""
    numbers = {each.number: each.size for each in point.plan.layout.compartments}
    found = []
    for story in point.lying:
        if story.compartment in point.unusable:
            continue
        size = numbers.get(story.compartment, point.sizes[0])
        assert story.deposited is not None
        age_h = max(0.0, (point.utc - story.deposited).total_seconds() / 3600)
        came_h = (point.now - monday).total_seconds() / 3600 - age_h
        found.append((came_h, point.sizes.index(size), point.services.index(story.service)))
    return found


def _day(point: Point, story: Story, first: date) -> int:
    """The day on which the hub counts it, from the first one planned. What is overdue counts on a day that is past."""
    asked_at = story.announced or story.reserved
    assert asked_at is not None
    return (point.local(admission.arrives(asked_at, story.expected, story.deposited)).date() - first).days


def heads(point: Point, first: date) -> tuple[Array, Array]:
    """By day, service and size, what a threshold counts there now, promised or brought today and there still; and what
    was brought today and is gone: it came of the day's demand, and counts no more."""
    already, gone = np.zeros((2, HORIZON, len(point.services), len(point.sizes)))
    for story in [*point.promised, *point.brought]:
        if story.size in point.sizes and 0 <= (day := _day(point, story, first)) < HORIZON:
            counted = already if story.ended is None else gone
            counted[day, point.services.index(story.service), point.sizes.index(story.size)] += 1
    return already, gone


def _promised(point: Point, first: date, expected: Expected, ends: Array) -> Array:
    """By size and day, how much of what is promised is expected to be there at its end. What is overdue may come any
    day, so its room is taken from the first one on."""
    there = np.zeros((len(point.sizes), HORIZON))
    for story in point.promised:
        day = max(0, _day(point, story, first))
        if story.size not in point.sizes or day >= HORIZON:
            continue
        g, s = point.services.index(story.service), point.sizes.index(story.size)
        there[s, day:] += survives(expected.survival, np.full(HORIZON - day, g), ends[day:] - ends[day])
    return there


def plan_all(
    history: History, wanted: Wanted, now: datetime, worth: dict[str, float], seed: int, only_drift: bool,
    tick: Callable[[str], None],
) -> list[Night]:  # fmt: skip
    """The plans of all stations; with `only_drift` of those alone whose demand has drifted."""
    found = []
    stories: dict[str, list[Story]] = {}
    for story in history.stories.values():
        stories.setdefault(story.station, []).append(story)
    nightly = of_nights(history.rows, now)
    for station in sorted(history.layouts):
        tick(f"planning {station}")
        here = stories.get(station, [])
        try:
            if only_drift and drift_p(point_of(history, wanted, station, now, here)) >= DRIFT_P:
                continue
            night = plan_station(history, wanted, station, now, worth, seed, here)
        except Exception as failed:  # a fault of ours at one station holds up no other
            found.append(_failed(station, failed))
            continue
        found.append(msgspec.structs.replace(night, over=_over(night, nightly.get(station, ()))))
    return found


def of_nights(rows: Mapping[str, AdmissionRow], now: datetime) -> dict[str, list[str]]:
    """By station, the names of rows of earlier nights that are in force: one look at all rows for all stations."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, row in rows.items():
        if name.startswith(f"{NIGHT}{row.station}/") and in_force(row, now):
            found[row.station].append(name)
    return found


def _failed(station: str, failed: Exception) -> Night:
    fault = where_it_failed(failed)
    log.error("station_not_planned", station=station, fault=fault)
    return Night(station=station, reason="failed", told=[fault])


def where_it_failed(failed: Exception) -> str:
    """For a log: not what it says, which may hold whatever the journal holds."""
    where = extract_tb(failed.__traceback__)[-1]
    return f"{type(failed).__name__} in {Path(where.filename).name}, line {where.lineno}"


def _over(night: Night, in_force: Iterable[str]) -> list[str]:
    """Those of the names that are not in its plan: nothing binds there any more."""
    return sorted(set(in_force) - {row.name for row in night.rows})


def in_force(row: AdmissionRow, now: datetime) -> bool:
    return row.rule != "ended" and (row.good_until is None or now <= row.good_until)


def adopts_itself(rows: dict[str, AdmissionRow], station: str, now: datetime) -> str:
    """The name of the row by which this station's nightly rows are adopted by themselves; empty if there is none that
    is good still. The station's own word stands before the network's."""
    mine = [row for row in rows.values()
            if row.rule == "nightly" and row.station in ("", station) and in_force(row, now)]  # fmt: skip
    own = [row for row in mine if row.station] or mine
    return own[0].name if own else ""
