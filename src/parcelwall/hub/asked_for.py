"""Who asked for room and who was refused it, by customer group: carrier, service and size.

A group is served worse than others only where somebody can see it. docs/numbers.md says what counts.
"""

import msgspec

from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import Span

OF_ROOM = ("station_full", "no_fitting_compartment", "no_reachable_compartment", "held_for_others")

_GROUPS = """
WITH no AS (
  SELECT DISTINCT ON (parcel) parcel, carrier, service, size FROM refused
  WHERE refused_at >= $1 AND refused_at < $2 AND reason = ANY($4) AND ($3::text[] = '{}' OR station = ANY($3))
  ORDER BY parcel, refused_at),
yes AS (
  SELECT DISTINCT ON (r.parcel) r.parcel, a.body::jsonb->>'carrier' AS carrier,
    coalesce(a.body::jsonb->>'service', '') AS service, r.body::jsonb->>'size' AS size
  FROM entry r JOIN entry a ON a.parcel = r.parcel AND a.kind = 'Announced'
  WHERE r.kind = 'Reserved' AND r.recorded_at >= $1 AND r.happened_at >= $1 AND r.happened_at < $2
    AND ($3::text[] = '{}' OR r.body::jsonb->>'station' = ANY($3))
  ORDER BY r.parcel, r.revision),
asked AS (
  SELECT *, true AS refused FROM no UNION ALL
  SELECT *, false FROM yes WHERE NOT EXISTS (SELECT FROM no WHERE no.parcel = yes.parcel))
SELECT of, name, count(*) AS asked, count(*) FILTER (WHERE refused) AS refused
FROM asked, LATERAL (VALUES ('carrier', carrier), ('service', service), ('size', size)) AS each (of, name)
GROUP BY 1, 2 ORDER BY 1, 2"""


class Group(msgspec.Struct, frozen=True):
    """One group: by what (`carrier`, `service` or `size`), which ("" for none), who asked and who was refused."""

    of: str
    name: str
    asked: int
    refused: int


async def by_group(hub: Hub, span: Span) -> list[Group]:
    """Parcels that asked for room in the span; one that was refused first and promised room elsewhere then counts as
    refused."""
    rows = await hub.pool.fetch(_GROUPS, span.since, span.until, list(span.stations), list(OF_ROOM))
    return [Group(row["of"], row["name"], row["asked"], row["refused"]) for row in rows]
