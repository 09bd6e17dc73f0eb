"""A teller with two letterboxes, beside a hub with one station: what notices are tested with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

from parcelwall.clock import VirtualClock
from parcelwall.hub.followers import turn
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.hub.tell import NAME, Teller
from parcelwall.hub.verify import verify_hub
from parcelwall.notices.messages import Message
from parcelwall.rules.life import Parcel
from station.towns import ADA, Pen, a_hub, about, announced, parcel_at

PUBLIC = "https://parcels.example"


class Crash(BaseException):
    """The process dies in the middle of a hand-over."""


class Letterbox:
    """A channel that keeps what it was given; `moods` says how the next hand-overs end."""

    def __init__(self) -> None:
        self.got: list[tuple[Person, Message, str]] = []
        self.moods: list[BaseException] = []

    async def hand_over(self, person: Person, message: Message, message_id: str) -> None:
        mood = self.moods.pop(0) if self.moods else None
        if mood is None or isinstance(mood, Crash):
            self.got.append((person, message, message_id))
        if mood is not None:
            raise mood


class Office:
    """A hub with one station, a teller with two letterboxes, and the pen of the station."""

    def __init__(self, hub: Hub) -> None:
        assert isinstance(hub.clock, VirtualClock)
        self.hub, self.now = hub, hub.clock
        self.mail, self.sms = Letterbox(), Letterbox()
        self.teller = Teller(hub, {"email": self.mail, "sms": self.sms}, PUBLIC, "parcels.example")
        self.pen = Pen("S-0001", self.now)
        self._doors = count(1)

    async def promised(self, reference: str = "PW-1", person: Person | None = ADA, **changed: str) -> UUID:
        return await announced(self.hub, reference, "S-0001", person=person, **changed)

    async def inside(self, reference: str = "PW-1", person: Person | None = ADA, **changed: str) -> Parcel:
        parcel = await parcel_at(self.hub, await self.promised(reference, person, **changed))
        return await self.put_in(parcel)

    async def put_in(self, parcel: Parcel) -> Parcel:
        until = self.now.now() + timedelta(hours=48)
        await self.hub.receive(
            "S-0001", self.pen.write(self.pen.deposited(parcel, next(self._doors), collect_by=until))
        )
        return await parcel_at(self.hub, parcel.id)

    async def follow(self) -> None:
        while await turn(self.hub.pool, NAME, self.teller.note):
            pass

    async def hand_over(self) -> None:
        while await self.teller.hand_over_one():
            pass

    async def tell(self) -> None:
        await self.follow()
        await self.hand_over()

    async def remind(self) -> int:
        async with self.hub.pool.acquire() as connection, connection.transaction():
            return await self.teller.remind(connection)

    async def notices(self) -> list[tuple[str, str, str]]:
        rows = await self.hub.pool.fetch("SELECT purpose, channel, state FROM notice ORDER BY purpose, channel, number")
        return [(row["purpose"], row["channel"], row["state"]) for row in rows]


@asynccontextmanager
async def an_office(dsn: str, folder: Path) -> AsyncIterator[Office]:
    """At the end its books are whole."""
    async with a_hub(dsn, folder, stations=(about(),)) as hub:
        office = Office(hub)
        yield office
        await office.follow()
        assert await verify_hub(hub.pool) == []
