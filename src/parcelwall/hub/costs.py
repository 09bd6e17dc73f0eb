"""What a parcel cost, from prices that the operator states in the policy and from what the journal counts.

Nothing is assumed: what has no price is not in the sum, and without any price there is no cost. docs/numbers.md has
the formula.
"""

import msgspec
from msgspec import UNSET

from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import Span, compartment_days, served_days

_MOVED = """
WITH moved AS (
  SELECT kind, by, happened_at - lag(happened_at) OVER (PARTITION BY station, courier, by ORDER BY happened_at) AS after
  FROM (
    SELECT kind, happened_at, body::jsonb->>'station' AS station, body::jsonb->>'courier' AS courier,
    coalesce(body::jsonb->>'by', CASE kind WHEN 'Collected' THEN 'recipient' ELSE 'courier' END) AS by
    FROM entry WHERE kind IN ('Deposited', 'Collected', 'TakenBack') AND recorded_at >= $1 AND happened_at >= $1
      AND happened_at < $2 AND ($3::text[] = '{}' OR body::jsonb->>'station' = ANY($3))) AS each)
SELECT count(*) FILTER (WHERE by = 'courier' AND (after IS NULL OR after > interval '30 minutes')) AS stops,
  count(*) FILTER (WHERE kind = 'Deposited') AS deposits FROM moved"""
_DIVERTED = """
SELECT count(*) FROM entry d LEFT JOIN LATERAL (
  SELECT body FROM entry WHERE parcel = d.parcel AND kind = 'Reserved' AND revision < d.revision
  ORDER BY revision DESC LIMIT 1) r ON $3::text[] <> '{}'
WHERE d.kind = 'Diverted' AND d.recorded_at >= $1 AND d.happened_at >= $1 AND d.happened_at < $2
  AND coalesce(d.body::jsonb->>'by', 'hub') = 'hub' AND ($3::text[] = '{}' OR r.body::jsonb->>'station' = ANY($3))"""


class Item(msgspec.Struct, frozen=True):
    """One thing that costs: the knob that states its price, how many there were, the price of one (None: unstated)."""

    knob: str
    count: float
    price: float | None

    @property
    def amount(self) -> float | None:
        return None if self.price is None else self.count * self.price


class Costs(msgspec.Struct, frozen=True):
    """What a span cost, in `currency` ("" where no price is stated), and how many parcels were put in."""

    items: tuple[Item, ...]
    parcels: int
    currency: str

    @property
    def stated(self) -> bool:
        return any(item.price is not None for item in self.items)

    @property
    def of_a_parcel(self) -> float | None:
        """None where no price is stated or no parcel was put in."""
        total = sum(item.amount or 0.0 for item in self.items)
        return total / self.parcels if self.stated and self.parcels else None


async def costs(hub: Hub, span: Span) -> Costs:
    """By the prices of the policy in force now, whenever the span was."""
    served = await served_days(hub, span)
    given = (span.since, span.until, list(span.stations))
    moved, diverted = await hub.pool.fetchrow(_MOVED, *given), await hub.pool.fetchval(_DIVERTED, *given)
    counts = {
        "cost_station_day": sum(served.values()),
        "cost_compartment_day": compartment_days(hub, served),
        "cost_stop": moved["stops"], "cost_deposit": moved["deposits"], "cost_diverted": diverted,
    }  # fmt: skip
    prices = {name: getattr(hub.policy, name) for name in counts}
    items = tuple(Item(name, count, None if prices[name] is UNSET else prices[name]) for name, count in counts.items())
    return Costs(items, moved["deposits"], "" if hub.policy.cost_currency is UNSET else hub.policy.cost_currency)
