"""When compartments were out of use: from the journal and the cases that it opened and closed. Times aware."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import Span

Place = tuple[str, int]  # station, compartment
Times = list[tuple[datetime, datetime | None]]  # from, until; None: still so

_HELD = """
SELECT station, compartment AS door, opened_at AS since, closed_at AS until FROM case_file
WHERE holds AND station IS NOT NULL AND compartment IS NOT NULL"""
_BROKEN = """
SELECT station, door, since, until FROM (
  SELECT station, door, usable, happened_at AS since,
    lead(happened_at) OVER (PARTITION BY station, door ORDER BY happened_at, number) AS until
  FROM (
    SELECT split_part(writer, ':', 1) AS station, (body::jsonb->>'compartment')::int AS door,
      (body::jsonb->>'usable')::boolean AS usable, happened_at, number
    FROM entry WHERE kind = 'CompartmentHealth' AND happened_at < $2) AS told) AS followed
WHERE NOT usable"""
_OUT = f"""
SELECT station, door, since, until FROM ({_HELD} UNION ALL {_BROKEN}) AS out
WHERE since < $2 AND (until IS NULL OR until > $1) AND ($3::text[] = '{{}}' OR station = ANY($3))"""  # noqa: S608 - texts of our own


async def out_of_use(hub: Hub, span: Span) -> dict[Place, Times]:
    """Each compartment that was out of use in the span: a case held it, or its station said that it is broken."""
    found: dict[Place, Times] = defaultdict(list)
    for row in await hub.pool.fetch(_OUT, span.since, span.until, list(span.stations)):
        found[row["station"], row["door"]].append((row["since"], row["until"]))
    return found


def when_out(times: Sequence[tuple[datetime, datetime | None]], at: Sequence[datetime]) -> set[int]:
    """The places of those of the rising moments at which it was out of use; the others are not looked at one by one."""
    found: set[int] = set()
    for since, until in times:
        found.update(range(bisect_right(at, since), len(at) if until is None else bisect_right(at, until)))
    return found
