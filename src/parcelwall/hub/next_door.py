"""Whoever has just collected, and has more behind other doors of the same station, is offered the next one.

Only the hub knows which parcels belong to one person: those that an account holds because it has shown that their
address or number is its own (docs/decisions/0021: nobody is joined by a guess). It says so as an order that opens
nothing by itself (`Asked.after`), while the person still stands there; nothing of it is kept at the station.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.lanes import Lane
from parcelwall.hub.orders import OpenDoor, Send, left_ms
from parcelwall.hub.sitting import read_parcel
from parcelwall.rules import decide, facts
from parcelwall.rules.life import Parcel

STANDS_THERE = timedelta(seconds=10)  # after a door was shut; the station looks whether its screen has gone on
MOST_AT_ONCE = 256  # people of whom one query asks

_SAME_PERSON = """
SELECT asked.parcel AS collected, record FROM unnest($1::uuid[], $2::text[]) AS asked (parcel, station)
  JOIN account_parcel AS mine ON mine.parcel = asked.parcel JOIN account_parcel AS other USING (account)
  JOIN parcel ON parcel.id = other.parcel
WHERE mine.how = 'contact' AND other.how = 'contact' AND parcel.station = asked.station AND compartment IS NOT NULL"""


class NextDoors:
    """Hears what is collected over the lines that end in this process, and offers the next door.

    It is told by the desk's own answer, not by the journal's follower: only who holds the line can offer anything, and
    to ask the journal for each station after each page of entries took a fifth of what taking them in cost.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._stands_there: dict[str, asyncio.Queue[facts.Collected]] = {}
        self._asking: Lane[facts.Collected, list[Parcel]] = Lane(self._same_person, lambda _: 1, MOST_AT_ONCE)
        hub.collected = self.hear

    def hear(self, out: facts.Collected, at: datetime) -> None:
        """Somebody has just collected; nothing if nobody can stand there any more, or if the line ends elsewhere."""
        waiting = self._stands_there.get(out.station)
        if waiting is not None and self._hub.clock.now() - at <= STANDS_THERE:
            waiting.put_nowait(out)

    async def offer_for_ever(self, station: str, send: Send) -> None:
        """Offers one more door to whoever has collected last at a station whose line ends here."""
        waiting = self._stands_there[station] = asyncio.Queue[facts.Collected]()
        try:
            while True:
                out = await waiting.get()
                while not waiting.empty():
                    out = waiting.get_nowait()
                await self.offer_next(out, send)
        finally:
            if self._stands_there.get(station) is waiting:
                del self._stands_there[station]

    async def offer_next(self, out: facts.Collected, send: Send) -> None:
        """Offers one more door after this collection; nothing where there is none."""
        parcel = await self._next_of(out)
        if parcel is None:
            return
        command = OpenDoor(station=out.station, parcel=parcel.id, by="recipient",
                           reason="the next one of the same person", reached=True, after=out.visit)  # fmt: skip
        try:
            await self._hub.desk.ask(command)
        except Refusal:  # it was collected, blocked or moved in this very moment
            return
        if command.granted is not None and command.until is not None:
            await send(command.granted, left_ms(command.until, self._hub.clock.now()))

    async def _next_of(self, out: facts.Collected) -> Parcel | None:
        """The one that must be collected first, of those of the same person that what was shown is enough for."""
        may_follow = [each for each in await self._asking.submit(out) if decide.may_follow(each, out.by)]
        return min(may_follow, key=lambda each: (each.collect_by or self._hub.clock.now(), each.id), default=None)

    async def _same_person(self, outs: Sequence[facts.Collected]) -> list[list[Parcel]]:
        """What else of the same people lies at the same stations."""
        found: dict[UUID, list[Parcel]] = {}
        asked = [out.parcel for out in outs], [out.station for out in outs]
        for row in await self._hub.pool.fetch(_SAME_PERSON, *asked):
            found.setdefault(row["collected"], []).append(read_parcel(row["record"]))
        return [found.get(out.parcel, []) for out in outs]
