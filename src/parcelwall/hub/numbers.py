"""Figures for operators, from the journal and its fold, in plain SQL. Times aware; a day is one in the station's zone.

A *stay* is one parcel behind one door: from its `Deposited` to the next `Collected` or `TakenBack` of that parcel. Each
figure says what it is in docs/numbers.md.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.clock import shifts
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import OF_HUB, WRITTEN_BY
from parcelwall.rules.layout import Size
from parcelwall.rules.places import fits

EDGES_H = (2, 6, 12, 24, 48, 72)
"""Upper edges of the classes of collection intervals, in hours; the last class is open."""

# Texts of our own are put together here; what comes from outside is an argument always.
# ruff: noqa: S608
_OF_THESE = f"($3::text[] = '{{}}' OR writer = ANY(ARRAY({WRITTEN_BY.replace('$1', '$3')})))"
# Found from their ends: what was put in before a span is looked up for each, not read through.
_STAYS = f"""
WITH stays AS (
  SELECT d.happened_at AS since, o.happened_at AS until FROM entry o JOIN LATERAL (
    SELECT kind, happened_at FROM entry WHERE entry.parcel = o.parcel AND entry.revision < o.revision
      AND kind IN ('Deposited', 'Collected', 'TakenBack') ORDER BY revision DESC LIMIT 1) d ON d.kind = 'Deposited'
  WHERE o.kind = 'Collected' AND o.recorded_at >= $1 AND o.happened_at >= $1 AND o.happened_at < $2 AND {_OF_THESE})
"""
# Told backwards from what lies inside now, by what moved since: a fact that changes nothing counts for nothing.
_USE = f"""
WITH moved AS (
  SELECT happened_at, kind = 'Deposited' AS came,
    lag(kind = 'Deposited') OVER (PARTITION BY parcel ORDER BY revision) AS before
  FROM entry WHERE kind IN ('Deposited', 'Collected', 'TakenBack', 'WrittenOff')
    AND parcel IS NOT NULL AND recorded_at >= $1 AND happened_at >= $1 AND ({_OF_THESE.replace("$3", "$2")}
      OR CASE WHEN kind = 'WrittenOff' AND {OF_HUB} THEN body::jsonb->>'station' = ANY($2) END))
SELECT date_trunc('hour', happened_at, 'UTC') AS hour, sum(CASE WHEN came THEN 1 ELSE -1 END)::int AS change
FROM moved WHERE before IS DISTINCT FROM came GROUP BY 1
UNION ALL SELECT NULL, count(*)::int FROM parcel
WHERE due IS NOT NULL AND compartment IS NOT NULL AND ($2::text[] = '{{}}' OR station = ANY($2))"""
_INTERVALS = f"""{_STAYS}
SELECT count(*) AS n,
  percentile_cont(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM until - since)) AS at,
  avg((until - since <= interval '48 hours')::int)::float8 AS within_48
FROM stays"""
_CLASSES = f"""{_STAYS}
SELECT width_bucket(extract(epoch FROM until - since) / 3600, $4::float8[]) AS class, count(*) AS n
FROM stays GROUP BY 1"""
_OF_DOORS = """
FROM entry JOIN station ON station.id = split_part(entry.writer, ':', 1)
WHERE entry.recorded_at >= $1 AND entry.happened_at >= $1 AND entry.happened_at < $2
  AND ($3::text[] = '{}' OR station.id = ANY($3))"""
# What stations' own clocks show, by our list of zones (`of_clocks`): a database has one of its own.
CLOCKS = """
LEFT JOIN unnest($4::text[], $5::timestamptz[], $6::timestamptz[], $7::interval[]) AS clock (named, since, until, ahead)
  ON zone = named AND happened_at >= since AND happened_at < until"""
ZONED = "zoned AS MATERIALIZED (SELECT id, record::jsonb->>'zone' AS zone FROM station)"  # read once, not by entry
SHOWN = "(happened_at + coalesce(ahead, interval '0')) AT TIME ZONE 'UTC'"
_PEAKS = f"""
WITH {ZONED}
SELECT extract(isodow FROM at)::int AS day, extract(hour FROM at)::int AS hour, count(*) AS n FROM (
  SELECT {SHOWN} AS at FROM (
    SELECT happened_at, zone {_OF_DOORS.replace("JOIN station", "JOIN zoned AS station")}
      AND entry.kind IN ('Deposited', 'Collected', 'TakenBack')) AS moved {CLOCKS}) AS told
GROUP BY 1, 2"""
_FAULTS = f"""
SELECT station.id AS station, (body::jsonb->>'compartment')::int AS door, body::jsonb->>'why' AS why, count(*) AS n
{_OF_DOORS} AND entry.kind = 'DoorFailed' GROUP BY 1, 2, 3 ORDER BY n DESC, 1, 2"""
_KINDS = f"""
SELECT entry.kind, count(*) AS n {_OF_DOORS} AND entry.kind IN ('Deposited', 'DoorFailed', 'DoorOpened') GROUP BY 1"""
_OPEN_S = f"""
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
  ORDER BY extract(epoch FROM shut.happened_at - entry.happened_at))
FROM entry JOIN station ON station.id = split_part(entry.writer, ':', 1)
  JOIN LATERAL (SELECT happened_at FROM entry AS shut WHERE shut.writer = entry.writer
    AND shut.number BETWEEN entry.number + 1 AND entry.number + 20 AND shut.kind = 'DoorClosed'
    AND shut.body::jsonb->>'visit' = entry.body::jsonb->>'visit' LIMIT 1) shut ON true
WHERE {_OF_DOORS.split("WHERE", 1)[1]} AND entry.kind = 'DoorOpened'"""
_PROMISES = """
SELECT sum((kind = 'Deposited')::int) AS kept, sum((kind = 'Lapsed')::int) AS not_brought,
  sum((kind = 'Withdrawn')::int) AS moved,
  sum((kind = 'Diverted' AND body::jsonb ? 'reservation' AND coalesce(body::jsonb->>'by', 'hub') <> 'carrier')::int)
    AS broken
FROM entry WHERE recorded_at >= $1 AND happened_at >= $1 AND happened_at < $2
  AND kind IN ('Deposited', 'Lapsed', 'Withdrawn', 'Diverted')
  AND ($3::text[] = '{}' OR body::jsonb->>'station' = ANY($3)
       OR (SELECT r.body::jsonb->>'station' FROM entry r WHERE r.parcel = entry.parcel AND r.kind = 'Reserved'
             AND r.revision < entry.revision ORDER BY r.revision DESC LIMIT 1) = ANY($3))"""
_REFUSALS = """
SELECT d.body::jsonb->>'reason' AS reason, a.body AS announced, count(*) AS n FROM entry d
JOIN entry a ON a.parcel = d.parcel AND a.kind = 'Announced'
WHERE d.kind = 'Diverted' AND d.recorded_at >= $1 AND d.happened_at >= $1 AND d.happened_at < $2
  AND coalesce(d.body::jsonb->>'by', 'hub') = 'hub' GROUP BY 1, 2"""

SINCE = """
SELECT station.id, min(entry.happened_at) AS since FROM station
JOIN writer ON writer.name LIKE 'hub:%' AND split_part(writer.name, '/', 2) = station.id
JOIN entry ON entry.writer = writer.name AND entry.number = 1
WHERE $1::text[] = '{}' OR station.id = ANY($1) GROUP BY 1"""


class Span(msgspec.Struct, frozen=True):
    """A stretch of time and the stations that are meant; none named: all."""

    since: datetime
    until: datetime
    stations: tuple[str, ...] = ()

    @property
    def days(self) -> float:
        return (self.until - self.since).total_seconds() / 86_400

    def before(self) -> "Span":
        """The same length of time just before."""
        return Span(self.since - (self.until - self.since), self.since, self.stations)


class Intervals(msgspec.Struct, frozen=True):
    """From deposit to collection: how many, quantiles in seconds (10, 25, 50, 75, 90 %), share within 48 hours."""

    count: int
    quantiles_s: tuple[float, ...]
    within_48: float | None


class Promises(msgspec.Struct, frozen=True):
    """What became of promises of room. `rate` is kept of kept and broken; None when there was neither."""

    kept: int
    not_brought: int
    moved: int
    broken: int

    @property
    def rate(self) -> float | None:
        both = self.kept + self.broken
        return self.kept / both if both else None


class Doors(msgspec.Struct, frozen=True):
    """Of the doors: parcels put in, openings, failures; how long one stands open, median and 95 %, in seconds."""

    deposits: int
    openings: int
    failures: int
    open_s: tuple[float, ...]


def _given(span: Span) -> tuple[datetime, datetime, list[str]]:
    return span.since, span.until, list(span.stations)


def of_clocks(hub: Hub, span: Span) -> Sequence[list[Any]]:
    """What CLOCKS are given: how far ahead of UTC the clocks of each zone are, and from when until when."""
    zones = sorted({each.about.zone for each in hub.stations.known.values()})
    rows = [(zone, *each) for zone in zones for each in shifts(ZoneInfo(zone), span.since, span.until)]
    return [[row[column] for row in rows] for column in range(4)]


async def use_by_hour(hub: Hub, span: Span) -> list[tuple[datetime, int]]:
    """Parcels behind doors at the end of each hour of the span, from the first to the last."""
    changes = {row["hour"]: row["change"] for row in await hub.pool.fetch(_USE, span.since, list(span.stations))}
    inside, hour, found = changes.pop(None), _hour(span.since), []
    inside -= sum(changes.values())
    while hour < span.until:
        inside += changes.get(hour, 0)
        found.append((hour, inside))
        hour += timedelta(hours=1)
    return found


def _hour(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def intervals(hub: Hub, span: Span) -> Intervals:
    row = await hub.pool.fetchrow(_INTERVALS, *_given(span))
    return Intervals(row["n"], tuple(row["at"] or ()), row["within_48"])


async def interval_classes(hub: Hub, span: Span) -> list[int]:
    """Collections by how long the parcel lay: one count for each class of EDGES_H, the open one last."""
    rows = await hub.pool.fetch(_CLASSES, *_given(span), [float(edge) for edge in EDGES_H])
    counts = {row["class"]: row["n"] for row in rows}
    return [counts.get(each, 0) for each in range(len(EDGES_H) + 1)]


async def peaks(hub: Hub, span: Span) -> list[list[int]]:
    """Parcels put in and taken out by weekday (Monday first) and hour, on the stations' own clocks."""
    table = [[0] * 24 for _ in range(7)]
    for row in await hub.pool.fetch(_PEAKS, *_given(span), *of_clocks(hub, span)):
        table[row["day"] - 1][row["hour"]] = row["n"]
    return table


async def faults(hub: Hub, span: Span) -> list[dict[str, Any]]:
    """Failed openings by station, door and why, most first."""
    return [dict(row) for row in await hub.pool.fetch(_FAULTS, *_given(span))]


async def doors(hub: Hub, span: Span) -> Doors:
    counts = {row["kind"]: row["n"] for row in await hub.pool.fetch(_KINDS, *_given(span))}
    open_s = await hub.pool.fetchval(_OPEN_S, *_given(span))
    return Doors(
        counts.get("Deposited", 0), counts.get("DoorOpened", 0), counts.get("DoorFailed", 0), tuple(open_s or ())
    )


async def promises(hub: Hub, span: Span) -> Promises:
    row = await hub.pool.fetchrow(_PROMISES, *_given(span))
    return Promises(*(row[name] or 0 for name in ("kept", "not_brought", "moved", "broken")))


async def refusals(hub: Hub, span: Span) -> list[tuple[str, str, int]]:
    """Parcels that the hub had to send another way: reason, smallest size that would have fitted ("" for none), count.

    Of the whole network: a parcel that was promised no room belongs to no station.
    """
    known = sizes(hub)
    counts: dict[tuple[str, str], int] = {}
    for row in await hub.pool.fetch(_REFUSALS, span.since, span.until):
        key = (row["reason"], smallest(msgspec.json.decode(row["announced"]), known))
        counts[key] = counts.get(key, 0) + row["n"]
    return sorted(((*key, n) for key, n in counts.items()), key=lambda each: -each[2])


def sizes(hub: Hub) -> list[Size]:
    """Every size that some station has, the smallest first."""
    by_name = {size.name: size for known in hub.stations.known.values() for size in known.about.layout.sizes}
    return sorted(by_name.values(), key=lambda size: size.width_mm * size.height_mm * size.depth_mm)


def smallest(announced: dict[str, Any], sizes: Sequence[Size]) -> str:
    """The first of these sizes that takes a parcel as it was announced, "" for none."""
    sides = (announced["length_mm"], announced["width_mm"], announced["height_mm"])
    return next((size.name for size in sizes if fits(sides, announced["weight_g"], size)), "")


def compartments(hub: Hub, stations: Sequence[str] = ()) -> int:
    """How many these stations have now; none named: all."""
    wanted = stations or tuple(hub.stations.known)
    return sum(len(hub.stations.known[each].about.layout.compartments) for each in wanted if each in hub.stations.known)


async def served_since(hub: Hub, span: Span) -> dict[str, datetime]:
    """When each station of the span was configured first."""
    return {row["id"]: row["since"] for row in await hub.pool.fetch(SINCE, list(span.stations))}


async def served_days(hub: Hub, span: Span) -> dict[str, float]:
    """How many days of the span each of its stations was there."""
    return {
        station: max(0.0, (span.until - max(span.since, since)).total_seconds() / 86_400)
        for station, since in (await served_since(hub, span)).items()
    }


def compartment_days(hub: Hub, served: Mapping[str, float]) -> float:
    """The same of compartments, as many as each station has now."""
    return sum(days * compartments(hub, (station,)) for station, days in served.items())
