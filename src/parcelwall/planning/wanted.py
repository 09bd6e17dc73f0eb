"""Who wanted room where and when, served or not: demand as a hub's journal tells it, refusals counted in.

Demand that is seen through refusals is censored: what was promised is less than what was asked for. So parcels that
were refused (the hub's table `refused`) count once, where they were asked for first, and offers that were not made
count as often as such offers are taken where they are made. A parcel that then found room at another station takes it
there, so it counts there as well; over the whole network it counts once, as refused.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from parcelwall.clock import shifts
from parcelwall.planning.history import History, Story, zone_of

OF_COUNTS = ("station_full", "no_fitting_compartment", "no_reachable_compartment", "held_for_others")
WEEKS = 8
AHEAD = timedelta(days=400)  # nobody is expected later
STAYS_OF_PERSON = 2  # of past stays that a collector needs to be called quick or slow

_REFUSED = "SELECT * FROM refused WHERE refused_at >= $1 AND reason = ANY($2::text[])"
_OFFERS = """
SELECT each.station, size, ((arrival + coalesce(ahead, interval '0')) AT TIME ZONE 'UTC')::date AS day, reason,
  count(*) AS offers, count(*) FILTER (WHERE chosen = each.station) AS chosen
FROM offer CROSS JOIN unnest(stations, sizes, reasons) AS each (station, size, reason)
LEFT JOIN unnest($3::text[], $4::timestamptz[], $5::timestamptz[], $6::interval[])
  AS clock (station, since, until, ahead) ON clock.station = each.station AND arrival >= since AND arrival < until
WHERE offered_at >= $1 AND (reason = '' OR reason = ANY($2::text[])) GROUP BY 1, 2, 3, 4"""


class Asked(msgspec.Struct, frozen=True):
    """One parcel that wanted room at a station: when it came or was to come, on the station's clock. `dwell_h` None:
    nobody knows. `speed` of its collector, by past stays: quick, slow or unknown. `again`: another station had refused
    it before, where it counts as well."""

    at: datetime
    size: str
    service: str
    carrier: str
    speed: str
    served: bool
    dwell_h: float | None = None
    again: bool = False


class Wanted(msgspec.Struct):
    """By station: who asked, in the order of coming; offers that were not made, as parcels by day and size; and how
    many stays were dropped because they end before they begin."""

    asked: dict[str, list[Asked]]
    hidden: dict[str, dict[tuple[date, str], float]]
    odd_stays: dict[str, int]


async def read(connection: asyncpg.Connection, history: History, now: datetime) -> Wanted:
    """What the journal and the hub's two tables beside it tell of the last weeks."""
    since = now - timedelta(weeks=WEEKS)
    refused = await connection.fetch(_REFUSED, since, list(OF_COUNTS))
    offers = await connection.fetch(_OFFERS, since, list(OF_COUNTS), *_clocks(history, since, now + AHEAD))
    return gather(history, refused, offers, now)


def _clocks(history: History, since: datetime, until: datetime) -> Sequence[list[Any]]:
    """How far ahead of UTC each station's clock is, and from when until when: the database has zones of its own."""
    of_zone = {zone: shifts(zone_of(name, history.zones), since, until) for name, zone in history.zones.items()}
    rows = [(name, *each) for name, zone in history.zones.items() for each in of_zone[zone]]
    return [[row[column] for row in rows] for column in range(4)]


async def refused_at(connection: asyncpg.Connection, history: History, now: datetime) -> dict[str, list[datetime]]:
    """By station, when those parcels of the last weeks were to come that asked there first, found no room and never got
    any there: on the station's clock."""
    rows = await connection.fetch(_REFUSED, now - timedelta(weeks=WEEKS), list(OF_COUNTS))
    found: dict[str, list[datetime]] = defaultdict(list)
    for parcel, row in _first_refused(rows, history).items():
        if history.stories.get(parcel, Story()).station != row["station"]:
            found[row["station"]].append(_clock(row["arrival"], zone_of(row["station"], history.zones)))
    return dict(found)


def gather(
    history: History, refused: Sequence[asyncpg.Record], offers: Sequence[asyncpg.Record], now: datetime
) -> Wanted:
    """The same of rows that were read."""
    speed = speeds(history)
    found: dict[str, list[Asked]] = defaultdict(list)
    odd: Counter[str] = Counter()
    no = _first_refused(refused, history)
    for parcel, story in history.stories.items():
        arrival = story.deposited or story.expected or story.reserved
        if not story.first or arrival is None or arrival < now - timedelta(weeks=WEEKS):
            continue
        at = _clock(arrival, zone_of(story.station, history.zones))
        dwell_h = _dwell_h(story)
        if dwell_h is not None and dwell_h <= 0:
            odd[story.station] += 1  # a clock's fault: nothing is learnt from it
            dwell_h = None
        refused_at = no[parcel]["station"] if parcel in no else ""
        if refused_at == story.station:
            del no[parcel]  # it came there after all: one request, refused at first, with its own stay
        found[story.station].append(Asked(
            at, story.size, story.service, story.carrier, speed.get(story.person, "unknown"),
            served=refused_at != story.station, dwell_h=dwell_h, again=refused_at not in ("", story.station),
        ))  # fmt: skip
    for row in no.values():
        at = _clock(row["arrival"], zone_of(row["station"], history.zones))
        of = history.stories.get(row["parcel"], Story()).person
        found[row["station"]].append(
            Asked(at, row["size"], row["service"], row["carrier"], speed.get(of, "unknown"), False)
        )
    return Wanted({name: sorted(asked, key=lambda each: each.at) for name, asked in found.items()}, _hidden(offers),
                  dict(odd))  # fmt: skip


def _first_refused(refused: Sequence[asyncpg.Record], history: History) -> dict[UUID, asyncpg.Record]:
    """Of each parcel that was refused before it was promised any room, the row of where it asked first."""
    found: dict[UUID, asyncpg.Record] = {}
    for row in sorted(refused, key=lambda row: row["refused_at"]):
        promised = history.stories.get(row["parcel"], Story()).reserved
        if promised is None or row["refused_at"] <= promised:
            found.setdefault(row["parcel"], row)
    return found


def _dwell_h(story: Story) -> float | None:
    if story.deposited is None or story.ended is None:
        return None
    return (story.ended - story.deposited).total_seconds() / 3600


def _clock(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _hidden(offers: Sequence[asyncpg.Record]) -> dict[str, dict[tuple[date, str], float]]:
    """Offers that were not made, times the share of those made at that station that were taken."""
    made, taken = Counter[str](), Counter[str]()
    for row in offers:
        if not row["reason"]:
            made[row["station"]] += row["offers"]
            taken[row["station"]] += row["chosen"]
    found: dict[str, dict[tuple[date, str], float]] = defaultdict(lambda: defaultdict(float))
    for row in offers:
        if row["reason"] and made[row["station"]]:
            share = taken[row["station"]] / made[row["station"]]
            found[row["station"]][row["day"], row["size"]] += share * row["offers"]
    return {name: dict(of) for name, of in found.items()}


def speeds(history: History) -> dict[UUID | None, str]:
    """Collectors by their own past stays: slow if the mean is above the median stay of all. In memory alone, for
    reports on whom a rule refuses; no rule sees it."""
    stays: dict[UUID, list[float]] = defaultdict(list)
    for story in history.stories.values():
        hours = _dwell_h(story)
        if story.person is not None and hours is not None and hours > 0:
            stays[story.person].append(hours)
    usual = median([hour for of in stays.values() for hour in of]) if stays else 0.0
    known = {person: of for person, of in stays.items() if len(of) >= STAYS_OF_PERSON}
    return {person: "slow" if sum(of) / len(of) > usual else "quick" for person, of in known.items()}


def by_group(asked: Sequence[Asked]) -> dict[str, tuple[int, int]]:
    """Asked and refused, by carrier, service, size and by how quick the collector is."""
    found: dict[str, tuple[int, int]] = {}
    for each in asked:
        for group in (f"carrier {each.carrier}", f"service {each.service or '(none)'}", f"size {each.size or '?'}",
                      f"collector {each.speed}"):  # fmt: skip
            all_, no = found.get(group, (0, 0))
            found[group] = all_ + 1, no + (not each.served)
    return dict(sorted(found.items()))
