"""How full compartments are by size, how long it takes until parcels are collected, and when in the week it happens.

Plain SQL on the journal and its fold, as in `numbers`; docs/numbers.md says what each figure is. Times aware.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from math import ceil
from typing import Any

import msgspec

from parcelwall.hub import numbers
from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import CLOCKS, SHOWN, ZONED, Span
from parcelwall.hub.out_of_use import Place, out_of_use, when_out

NEARLY_FULL = 0.9
HOUR = timedelta(hours=1)
STEP_S = 300  # waiting times are counted in steps of so many seconds
WITHIN_H = (6, 12, 24, 48, 72)

# What lies inside now is told backwards, by door: a fact that changes nothing counts for nothing.
_MOVED = """
WITH moved AS (
  SELECT happened_at, kind = 'Deposited' AS came, body::jsonb->>'station' AS station,
    (body::jsonb->>'compartment')::int AS door,
    lag(kind = 'Deposited') OVER (PARTITION BY parcel ORDER BY revision) AS before
  FROM entry WHERE kind IN ('Deposited', 'Collected', 'TakenBack', 'WrittenOff') AND parcel IS NOT NULL
    AND recorded_at >= $1 AND happened_at >= $1)
SELECT station, door, date_trunc('hour', happened_at, 'UTC') AS hour,
  sum(CASE WHEN came THEN 1 ELSE -1 END)::int AS change
FROM moved WHERE before IS DISTINCT FROM came AND ($2::text[] = '{}' OR station = ANY($2)) GROUP BY 1, 2, 3
UNION ALL SELECT station, compartment, NULL, count(*)::int FROM parcel
WHERE due IS NOT NULL AND compartment IS NOT NULL AND ($2::text[] = '{}' OR station = ANY($2)) GROUP BY 1, 2"""
# Of what was put in: how many steps later it was collected, or was last known to wait (it still does, or somebody
# else took it out).
_WAITED = """
SELECT ceil(extract(epoch FROM least(coalesce(o.happened_at, $2), $2) - d.happened_at) / $4)::int AS steps,
  count(*) FILTER (WHERE o.kind = 'Collected' AND o.happened_at <= $2) AS collected, count(*) AS n
FROM entry d LEFT JOIN LATERAL (
  SELECT kind, happened_at FROM entry WHERE entry.parcel = d.parcel AND entry.revision > d.revision
    AND kind IN ('Collected', 'TakenBack', 'WrittenOff') ORDER BY revision LIMIT 1) o ON true
WHERE d.kind = 'Deposited' AND d.recorded_at >= $1 AND d.happened_at >= $1 AND d.happened_at < $2
  AND ($3::text[] = '{}' OR d.body::jsonb->>'station' = ANY($3)) GROUP BY 1 ORDER BY 1"""
_QUARTERS = f"""
WITH {ZONED}
SELECT station, extract(isodow FROM at)::int AS day, extract(hour FROM at)::int * 4 + extract(minute FROM at)::int / 15
    AS quarter, sum(came)::int AS came, sum(went)::int AS went, sum(refused)::int AS refused
FROM (
  SELECT station, {SHOWN} AS at, came, went, refused FROM (
    SELECT zoned.id AS station, zone, happened_at,
      (kind = 'Deposited')::int AS came, (kind <> 'Deposited')::int AS went, 0 AS refused
    FROM entry JOIN zoned ON zoned.id = split_part(entry.writer, ':', 1)
    WHERE kind IN ('Deposited', 'Collected', 'TakenBack') AND recorded_at >= $1 AND happened_at >= $1
      AND happened_at < $2
    UNION ALL
    SELECT zoned.id, zone, refused_at, 0, 0, 1
    FROM refused JOIN zoned ON zoned.id = refused.station WHERE refused_at >= $1 AND refused_at < $2) AS moved
  {CLOCKS}) AS each
WHERE $3::text[] = '{{}}' OR station = ANY($3) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""  # noqa: S608 - texts of our own


class Fill(msgspec.Struct, frozen=True):
    """Of the compartments of a size that were in use: the mean share with a parcel inside over the hours of a span, the
    share that 95 of 100 hours stay below or at, and how many hours were at 90 % or more. `out_of_use_h`: the hours of
    all compartments together that were out of use, with no parcel inside."""

    size: str
    compartments: int
    mean: float
    p95: float
    nearly_full_h: int
    out_of_use_h: int


class Waiting(msgspec.Struct, frozen=True):
    """How long until parcels are collected. `left` are pairs of seconds and the share that is still there after them
    (Kaplan and Meier), falling; empty where nothing was put in."""

    left: tuple[tuple[int, float], ...]

    def share_within(self, seconds: float) -> float | None:
        """The share that is collected so soon; None where nobody has waited so long yet, so that nobody knows."""
        if not self.left or (self.left[-1][0] < seconds and self.left[-1][1] > 0):
            return None
        return 1 - next((share for until, share in reversed(self.left) if until <= seconds), 1.0)

    def quantile_s(self, share: float) -> int | None:
        """By when that share is collected; None if it is not known yet."""
        return next((seconds for seconds, left in self.left if left <= 1 - share + 1e-9), None)


async def fill_by_size(hub: Hub, span: Span) -> list[Fill]:
    """Each size of which one compartment at least was in use, the smallest first."""
    size_of, hours, out = _sizes(hub, span), _hours(span), await out_of_use(hub, span)
    since = await numbers.served_since(hub, span)
    of_size, of_door = _changes(), _changes()
    for row in await hub.pool.fetch(_MOVED, span.since, list(span.stations)):
        place = row["station"], row["door"]
        if size := size_of.get(place):
            of_size[size][row["hour"]] += row["change"]
        if place in out:
            of_door[place][row["hour"]] += row["change"]
    idle: dict[str, list[int]] = {size.name: [0] * len(hours) for size in numbers.sizes(hub)}
    ends, nothing = [min(hour + HOUR, span.until) for hour in hours], [0] * len(hours)
    for place in out.keys() & size_of.keys():
        inside = _inside(of_door[place], hours) if place in of_door else nothing
        for at in when_out(out[place], ends):
            idle[size_of[place]][at] += not inside[at]
    there = _there(size_of, since, ends)
    fills = (_fill(name, there[name], _inside(of_size[name], hours), idle[name]) for name in idle if name in there)
    return [fill for fill in fills if fill]


def _there(
    size_of: Mapping[Place, str], since: Mapping[str, datetime], ends: Sequence[datetime]
) -> dict[str, list[int]]:
    """How many compartments of each size there were at these moments: a station's since it was configured first."""
    first = {station: bisect_right(ends, at) for station, at in since.items()}
    came: dict[str, Counter[int]] = defaultdict(Counter)
    for (station, _), size in size_of.items():
        came[size][first.get(station, 0)] += 1
    return {size: list(accumulate(more[at] for at in range(len(ends)))) for size, more in came.items()}


def _changes() -> defaultdict[Any, defaultdict[datetime | None, int]]:
    """What came and went by hour; under None what lies there now."""
    return defaultdict(lambda: defaultdict(int))


def _sizes(hub: Hub, span: Span) -> dict[Place, str]:
    wanted = span.stations or tuple(hub.stations.known)
    here = (hub.stations.known[each] for each in wanted if each in hub.stations.known)
    return {(each.id, door.number): door.size for each in here for door in each.about.layout.compartments}


def _inside(changes: Mapping[datetime | None, int], hours: Sequence[datetime]) -> list[int]:
    """Parcels at the end of each hour."""
    before = changes.get(None, 0) - sum(change for hour, change in changes.items() if hour)
    return list(accumulate((changes.get(hour, 0) for hour in hours), initial=before))[1:]


def _fill(size: str, there: Sequence[int], inside: Sequence[int], idle: Sequence[int]) -> Fill | None:
    """None where none was there, or all of them were out of use, all the time."""
    shares = sorted(each / (count - out) for each, count, out in zip(inside, there, idle, strict=True) if out < count)
    if not shares:
        return None
    p95 = shares[ceil(0.95 * len(shares)) - 1]
    nearly_full_h = sum(each >= NEARLY_FULL for each in shares)
    return Fill(size, there[-1], sum(shares) / len(shares), p95, nearly_full_h, sum(idle))


def _hours(span: Span) -> Sequence[datetime]:
    first = span.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [first + each * HOUR for each in range(ceil((span.until - first) / HOUR))]


async def waiting(hub: Hub, span: Span) -> Waiting:
    """Of all that was put in during the span. What still lies there, or was taken back or written off, counts as not
    collected until then: it is left out of nothing."""
    rows = await hub.pool.fetch(_WAITED, span.since, span.until, list(span.stations), STEP_S)
    there, share, left = sum(row["n"] for row in rows), 1.0, []
    for row in rows:
        share *= 1 - row["collected"] / there
        left.append((row["steps"] * STEP_S, share))
        there -= row["n"]
    return Waiting(tuple(left))


async def by_quarter(hub: Hub, span: Span) -> list[tuple[str, int, str, int, int, int]]:
    """Station, weekday (Monday is 1), quarter of an hour on the station's clock, put in, taken out, refused room."""
    return [
        (row["station"], row["day"], f"{row['quarter'] // 4:02}:{row['quarter'] % 4 * 15:02}", row["came"],
         row["went"], row["refused"])
        for row in await hub.pool.fetch(
            _QUARTERS, span.since, span.until, list(span.stations), *numbers.of_clocks(hub, span)
        )
    ]  # fmt: skip
