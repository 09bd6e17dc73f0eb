"""Couriers as the office sees them: who is admitted where, by whom, and what they have brought. By id: who a courier is
stands with their carrier."""

from datetime import timedelta
from typing import Any

import msgspec

from parcelwall.hub.house import Hub

WORK_LOOKED_BACK = timedelta(days=30)

_ADMITTED = """
SELECT body::jsonb AS body, happened_at FROM entry g WHERE kind = 'Granted' AND body::jsonb ? 'courier'
  AND (body::jsonb->>'until' IS NULL OR (body::jsonb->>'until')::timestamptz > $1)
  AND NOT EXISTS (SELECT FROM entry r WHERE r.kind = 'Revoked' AND r.body::jsonb->>'grant' = g.body::jsonb->>'grant'
    AND r.body::jsonb->>'station' = g.body::jsonb->>'station')
  AND writer LIKE 'hub:%' ORDER BY happened_at DESC LIMIT 500"""
_WORK = """
SELECT body::jsonb->>'courier' AS courier, body::jsonb->>'station' AS station,
  sum((kind = 'Deposited')::int) AS brought, sum((kind = 'TakenBack')::int) AS taken, max(happened_at) AS last_at
FROM entry WHERE recorded_at > $1 AND kind IN ('Deposited', 'TakenBack') AND body::jsonb ? 'courier' GROUP BY 1, 2"""


async def admitted(hub: Hub) -> list[dict[str, Any]]:
    """The grants that hold now, newest first: body of the fact as `body`, when as `since`, and the work of the last 30
    days at that station as `brought`, `taken`, `last_at`."""
    now = hub.clock.now()
    work = {(row["courier"], row["station"]): row for row in await hub.pool.fetch(_WORK, now - WORK_LOOKED_BACK)}
    found = []
    for row in await hub.pool.fetch(_ADMITTED, now):
        body = msgspec.json.decode(row["body"])
        done = work.get((body["courier"], body["station"]))
        found.append({
            "body": body, "since": row["happened_at"], "brought": done["brought"] if done else 0,
            "taken": done["taken"] if done else 0, "last_at": done["last_at"] if done else None,
        })  # fmt: skip
    return found
