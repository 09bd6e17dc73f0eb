"""Whoever has just collected, and has more behind other doors of the same station, is offered the next one.

Only the hub knows which parcels belong to one person: those that an account holds because it has shown that their
address or number is its own (docs/decisions/0021: nobody is joined by a guess). It says so as an order that opens
nothing by itself (`Asked.after`), while the person still stands there; nothing of it is kept at the station.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import OpenDoor
from parcelwall.hub.sitting import read_parcel
from parcelwall.link.orders import Asked
from parcelwall.rules import decide, facts
from parcelwall.rules.life import Parcel

STANDS_THERE = timedelta(seconds=10)  # after a door was shut; the station looks whether its screen has gone on

# All streams of the station's own: a new computer may have begun another since.
_HEADS = "SELECT name, number FROM writer WHERE name = $1 OR name LIKE $1 || ':%'"
_COLLECTED = """
SELECT body, parcel, happened_at FROM entry JOIN unnest($1::text[], $2::bigint[]) AS since (name, head)
  ON writer = name AND number > head WHERE kind = 'Collected' ORDER BY recorded_at DESC, number DESC LIMIT 1"""
_SAME_PERSON = """
SELECT record FROM account_parcel AS mine JOIN account_parcel AS other USING (account)
  JOIN parcel ON parcel.id = other.parcel
WHERE mine.parcel = $1 AND mine.how = 'contact' AND other.how = 'contact' AND station = $2
  AND compartment IS NOT NULL"""


async def offer_for_ever(hub: Hub, station: str, send: Callable[[Asked], Awaitable[None]]) -> None:
    """Offers the next door after each collection at a station whose line ends here."""
    bell = hub.bells.hang(f"out/{station}")
    try:
        heads: dict[str, int] = dict(await hub.pool.fetch(_HEADS, station))
        while True:
            await bell.wait()
            bell.clear()
            since, heads = heads, dict(await hub.pool.fetch(_HEADS, station))
            since = {name: since.get(name, 0) for name in heads}  # a stream that began since is new from its start
            await offer_next(hub, station, since, send)
    finally:
        hub.bells.take_down(f"out/{station}", bell)


async def offer_next(hub: Hub, station: str, since: dict[str, int], send: Callable[[Asked], Awaitable[None]]) -> None:
    """Offers one more door to whoever has collected there last, after these numbers of the station's streams; nothing
    where there is none, or nobody can stand there any more."""
    row = await hub.pool.fetchrow(_COLLECTED, list(since), list(since.values()))
    if row is None or hub.clock.now() - row["happened_at"] > STANDS_THERE:
        return
    out = msgspec.json.decode(row["body"], type=facts.Collected)
    parcel = await _next_of(hub, station, row["parcel"], out)
    if parcel is None:
        return
    command = OpenDoor(station=station, parcel=parcel.id, by="recipient", reason="the next one of the same person",
                       reached=True, after=out.visit)  # fmt: skip
    try:
        await hub.desk.ask(command)
    except Refusal:  # it was collected, blocked or moved in this very moment
        return
    if command.granted is not None:
        await send(command.granted)


async def _next_of(hub: Hub, station: str, collected: UUID, out: facts.Collected) -> Parcel | None:
    """The one that must be collected first, of those of the same person that what was shown is enough for."""
    same = [read_parcel(row["record"]) for row in await hub.pool.fetch(_SAME_PERSON, collected, station)]
    may_follow = [each for each in same if decide.may_follow(each, out.by)]
    return min(may_follow, key=lambda each: (each.collect_by or hub.clock.now(), each.id), default=None)
