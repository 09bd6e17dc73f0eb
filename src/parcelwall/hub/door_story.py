"""What a parcel's own door has seen since the parcel was put in, from the journal of its station."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from parcelwall.hub.house import Hub
from parcelwall.hub.stations import WRITTEN_FOR
from parcelwall.journal import streams
from parcelwall.rules import facts
from parcelwall.rules.life import Parcel

MOST_ENTRIES = 50_000  # of a station's stream that are looked through: weeks of it

_LIFE = """
SELECT kind, writer, number, happened_at FROM entry WHERE parcel = $1
  AND kind IN ('Deposited', 'Collected', 'TakenBack') ORDER BY revision"""
_RECEIVED = """
SELECT writer, number, happened_at FROM entry WHERE parcel = $1 AND kind = 'Deposited' ORDER BY revision DESC LIMIT 1"""
_DOORS = """
SELECT kind, happened_at, body FROM entry WHERE writer = $1 AND number BETWEEN $2 AND $3
  AND kind IN ('DoorOpened', 'DoorClosed') AND body LIKE $4 ORDER BY number"""
_WITHDRAWN = "SELECT body FROM entry WHERE parcel = $1 AND kind = 'Withdrawn' ORDER BY revision DESC LIMIT 1"


_DRAWN = f"""
SELECT happened_at FROM entry WHERE writer = ANY(ARRAY({WRITTEN_FOR}))
  AND kind = 'Granted' AND happened_at >= $2 AND body LIKE $3 AND body LIKE '%"by":"operator"%'
  AND body ~ '"tag":"[0-9a-f]' ORDER BY happened_at"""  # noqa: S608 - a text of our own


class Seen(NamedTuple):
    """One thing that the door has seen, by the station's clock; or ("code") that the operator's people drew one more
    code for it, by the hub's."""

    what: Literal["put-in", "opened", "shut", "code"]
    at: datetime


async def story(hub: Hub, parcel: Parcel) -> list[Seen]:
    """From the deposit to the end, or to now. Nothing of what the door saw for others before or after.

    A station's later life has another stream: of a computer that was replaced meanwhile only the deposit is told.
    """
    life = await hub.pool.fetch(_LIFE, parcel.id)
    begun = next((row for row in reversed(life) if row["kind"] == "Deposited"), None)
    if begun is None or parcel.reservation is None:
        return []
    ended = life[-1]["number"] if life[-1]["kind"] != "Deposited" else begun["number"] + MOST_ENTRIES
    door = await _door_of(hub, parcel.id)
    rows = await hub.pool.fetch(_DOORS, begun["writer"], begun["number"], ended, f'%"compartment":{door}%')
    seen = [Seen("put-in", begun["happened_at"])]
    for row in rows:
        fact = facts.read(row["kind"], row["body"])
        if isinstance(fact, facts.DoorOpened | facts.DoorClosed) and fact.compartment == door:
            seen.append(Seen("opened" if isinstance(fact, facts.DoorOpened) else "shut", row["happened_at"]))
    return sorted(seen + await _codes(hub, parcel, begun["happened_at"]), key=lambda each: each.at)


async def _codes(hub: Hub, parcel: Parcel, since: datetime) -> list[Seen]:
    """Codes that were drawn for this parcel since it was put in: whoever has one opens its door."""
    rows = await hub.pool.fetch(_DRAWN, [parcel.station or ""], since, f'%"parcel":"{parcel.id}"%')
    return [Seen("code", row["happened_at"]) for row in rows]


async def _door_of(hub: Hub, parcel: UUID) -> int:
    """The door of the last deposit; a parcel that has left it does not say any more."""
    body = await hub.pool.fetchval(
        "SELECT body FROM entry WHERE parcel = $1 AND kind = 'Deposited' ORDER BY revision DESC LIMIT 1", parcel
    )
    return msgspec.json.decode(body, type=facts.Deposited).compartment


async def moved_from(hub: Hub, parcel: Parcel) -> str | None:
    """The station where room was held before it was held where it is now."""
    body = await hub.pool.fetchval(_WITHDRAWN, parcel.id)
    before = msgspec.json.decode(body, type=facts.Withdrawn).station if body else None
    return before if before != parcel.station else None


async def received(hub: Hub, parcel: Parcel) -> tuple[str, datetime] | None:
    """The receipt of what was put in last, and when that was; None before."""
    row = await hub.pool.fetchrow(_RECEIVED, parcel.id)
    return (streams.receipt(row["writer"], row["number"]), row["happened_at"]) if row else None
