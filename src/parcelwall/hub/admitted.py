"""Couriers as the office sees them: who is admitted where, by whom, and what they have brought. By id: who a courier is
stands with their carrier."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec

from parcelwall.hub.couriers import COURIER_OF
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import OF_HUB

WORK_LOOKED_BACK = timedelta(days=30)
MOST = 200  # grants that are told of at once, the newest; whoever looks for others narrows it down

_ADMITTED = f"""
WITH revoked AS MATERIALIZED (
  SELECT body::jsonb->>'grant' AS grant, body::jsonb->>'station' AS station FROM entry
  WHERE kind = 'Revoked' AND {OF_HUB})
SELECT body, happened_at FROM (
  SELECT body::jsonb AS body, happened_at FROM entry
  WHERE kind = 'Granted' AND {COURIER_OF} IS NOT NULL AND {OF_HUB}) AS given
WHERE (body->>'until' IS NULL OR (body->>'until')::timestamptz > $1)
  AND (body->>'grant', body->>'station') NOT IN (SELECT revoked.grant, revoked.station FROM revoked)
  AND ($2::text[] = '{{}}' OR body->>'station' = ANY($2))
  AND right(replace(body->>'courier', '-', ''), length($3)) = $3
ORDER BY happened_at DESC LIMIT $4"""  # noqa: S608 - a text of our own
_WORK = f"""
SELECT {COURIER_OF} AS courier, body::jsonb->>'station' AS station,
  sum((kind = 'Deposited')::int) AS brought, sum((kind = 'TakenBack')::int) AS taken, max(happened_at) AS last_at
FROM entry WHERE happened_at > $1 AND kind IN ('Deposited', 'TakenBack') AND {COURIER_OF} = ANY($2::text[])
GROUP BY 1, 2"""  # noqa: S608 - the same


async def admitted(
    hub: Hub, stations: Collection[str] = (), ending: str = "", most: int = MOST
) -> list[dict[str, Any]]:  # fmt: skip
    """The grants that hold now at these stations (none: at all), of couriers whose ids end so (hex digits without
    hyphens), the newest `most`: body of the fact as `body`, when as `since`, and the work of the last 30 days at that
    station as `brought`, `taken`, `last_at`."""
    now = hub.clock.now()
    rows = await hub.pool.fetch(_ADMITTED, now, sorted(stations), ending, most)
    given = [(msgspec.json.decode(row["body"]), row) for row in rows]
    couriers = sorted({body["courier"] for body, _ in given})
    rows = await hub.pool.fetch(_WORK, now - WORK_LOOKED_BACK, couriers)
    work = {(row["courier"], row["station"]): row for row in rows}
    found = []
    for body, row in given:
        done = work.get((body["courier"], body["station"]))
        found.append({
            "body": body, "since": row["happened_at"], "brought": done["brought"] if done else 0,
            "taken": done["taken"] if done else 0, "last_at": done["last_at"] if done else None,
        })  # fmt: skip
    return found
