"""What one more compartment of a size would have served: counted from what was sent another way for want of room.

Exactly: parcels that the hub diverted because nothing that fits was free (`FULL`), by the smallest size that would have
taken them, in the order in which they were diverted. One more compartment takes the first, is busy for as long as half
of the collected parcels were (from the promise of room to the collection, median of the span), takes the next that
comes after that, and so on. It is an upper bound: it may stand at whichever station each of them wanted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from parcelwall.hub import numbers
from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import Span

FULL = ("station_full", "no_fitting_compartment", "no_reachable_compartment")

_TURNED_AWAY = """
SELECT d.happened_at, a.body AS announced FROM entry d JOIN entry a ON a.parcel = d.parcel AND a.kind = 'Announced'
WHERE d.kind = 'Diverted' AND d.recorded_at >= $1 AND d.happened_at >= $1 AND d.happened_at < $2
  AND coalesce(d.body::jsonb->>'by', 'hub') = 'hub' AND d.body::jsonb->>'reason' = ANY($3::text[])
ORDER BY d.happened_at"""
_BUSY = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.happened_at - r.happened_at)) FROM entry c
JOIN LATERAL (SELECT happened_at FROM entry WHERE parcel = c.parcel AND kind = 'Reserved' ORDER BY revision LIMIT 1) r
  ON true
WHERE c.kind = 'Collected' AND c.recorded_at >= $1 AND c.happened_at >= $1 AND c.happened_at < $2"""


class OneMore(msgspec.Struct, frozen=True):
    """Of one size: parcels that were turned away for want of it, and how many one more compartment would have served;
    None where nothing was collected in the span, so that nobody can say how long one is busy."""

    size: str
    turned_away: int
    served: int | None


async def one_more(hub: Hub, span: Span) -> list[OneMore]:
    """For each size of the network, smallest first. Of the whole network: who was turned away belongs to no station."""
    busy_s = await hub.pool.fetchval(_BUSY, span.since, span.until)
    turned: dict[str, list[datetime]] = {size.name: [] for size in numbers.sizes(hub)}
    for row in await hub.pool.fetch(_TURNED_AWAY, span.since, span.until, list(FULL)):
        size = numbers.smallest(msgspec.json.decode(row["announced"]), numbers.sizes(hub))
        if size:
            turned[size].append(row["happened_at"])
    if busy_s is None:
        return [OneMore(size, len(times), None) for size, times in turned.items()]
    busy = timedelta(seconds=float(busy_s))
    return [OneMore(size, len(times), served(times, busy)) for size, times in turned.items()]


def served(times: Sequence[datetime], busy: timedelta) -> int:
    """How many of those who come at these times find one compartment free that is busy so long with each it takes."""
    count, free_from = 0, None
    for at in sorted(times):
        if free_from is None or at >= free_from:
            count, free_from = count + 1, at + busy
    return count
