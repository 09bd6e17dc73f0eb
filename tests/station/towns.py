"""Hubs, stations and whole towns for tests: real parts on a real database, pretend boards, a clock that is moved."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.hub import house
from parcelwall.hub.commands import Announce, Answer, Asked, Destination
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import seeded
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry
from parcelwall.rules import facts
from parcelwall.rules.decide import Order
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Parcel
from parcelwall.simulation.town import PretendStation, Town, a_town
from parcelwall.station.verify import verify_station

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
ADA = Person(name="Ada", email="ada@example.org", phone="+358401234567", language="en")
SMALL = Order(carrier="acme", reference="PW-0001", length_mm=300, width_mm=200, height_mm=60, weight_g=900)


def about(station: str = "S-0001", columns: str = "SSML SSML", lat: float = 60.1692) -> facts.StationConfigured:
    return facts.StationConfigured(
        station=station, name=f"Station {station}", address="Aleksanterinkatu 9", lat=lat, lon=24.9440,
        layout=plain_layout(columns), zone="Europe/Helsinki",
    )  # fmt: skip


def order(reference: str = "PW-0001", **changed: Any) -> Order:
    return msgspec.structs.replace(SMALL, reference=reference, **changed)


def announcing(
    reference: str, station: str | None = None, person: Person | None = None, key: str | None = None, **changed: Any
) -> Announce:
    """An announcement; with `key` it carries an Idempotency-Key, and the hash is of what it says."""
    said = order(reference, **changed)
    request = msgspec.json.encode([said, station])
    return Announce(
        order=said, person=person, destination=Destination(station_id=station) if station else None,
        asked=Asked("acme", key, request) if key else None,
    )  # fmt: skip


async def announced(hub: Hub, reference: str, station: str | None = None, **changed: Any) -> UUID:
    answer = await hub.desk.ask(announcing(reference, station, **changed))
    return UUID(answer.body["id"])


def id_of(answer: Answer) -> UUID:
    return UUID(answer.body["id"])


@asynccontextmanager
async def a_hub(
    dsn: str, folder: Path, now: VirtualClock | None = None, slot: int = 1, stations: tuple[Any, ...] = ()
) -> AsyncIterator[Hub]:
    """A hub process on the database; several with other slots are several processes of one hub."""
    now = now or VirtualClock(NOW)
    async with house.serving(dsn, folder, now, seeded(now, slot), slot) as hub:
        for each in stations:
            await hub.configure(each, joined=True)
        yield hub


@asynccontextmanager
async def a_small_town(dsn: str, folder: Path, *stations: facts.StationConfigured) -> AsyncIterator[Town]:
    """A town with these stations (by default one), whose books are verified at its end."""
    now = VirtualClock(NOW)
    async with a_town(folder, now, seeded(now, 1), durable=False, dsn=dsn) as town:
        for each in stations or (about(),):
            await town.station(each)
        yield town
        await all_clean(town)


async def all_clean(town: Town) -> None:
    assert await verify_hub(town.hub.pool) == []
    for each in town.stations.values():
        found = verify_station(each.station.memory)
        assert found == [], found


def only(town: Town) -> PretendStation:
    [station] = town.stations.values()
    return station


async def told(town: Town, reference: str, station: str = "S-0001", **changed: Any) -> UUID:
    """A parcel that is announced and promised, and of which its station has heard."""
    parcel = await announced(town.hub, reference, station, **changed)
    await town.stations[station].carry()
    return parcel


async def parcel_at(hub: Hub, parcel: UUID) -> Parcel:
    record = await hub.pool.fetchval("SELECT record FROM parcel WHERE id = $1", parcel)
    return msgspec.json.decode(record, type=Parcel)


async def kinds_in(hub: Hub, stream: str) -> list[str]:
    rows = await hub.pool.fetch("SELECT kind FROM entry WHERE writer = $1 ORDER BY number", stream)
    return [row["kind"] for row in rows]


async def cases(hub: Hub, open_only: bool = True) -> list[str]:
    rows = await hub.pool.fetch("SELECT about FROM case_file WHERE closed_at IS NULL OR NOT $1 ORDER BY id", open_only)
    return [row["about"] for row in rows]


class Pen:
    """Writes as a station writes: gapless and chained; also what no station would."""

    def __init__(self, station: str, now: VirtualClock) -> None:
        self.station, self.now = station, now
        self.head = chain.start(station)
        self.entries: list[Entry] = []
        self._ids: Iterator[UUID] = (UUID(int=(1 << 100) + number) for number in range(10_000))

    def write(self, *told: facts.Fact) -> list[Entry]:
        return self.raw(*((fact.kind, facts.body(fact)) for fact in told))

    def raw(self, *bodies: tuple[str, str]) -> list[Entry]:
        at = clock.text(self.now.now())
        new = chain.extend(self.station, self.head, [Draft(kind, at, body) for kind, body in bodies])
        self.head = chain.Head(new[-1].number, new[-1].hash)
        self.entries += new
        return new

    def deposited(self, parcel: Parcel, compartment: int, **changed: Any) -> facts.Deposited:
        known = {"parcel": parcel.id, "reservation": parcel.reservation or UUID(int=1), "station": self.station,
                 "compartment": compartment, "collect_by": self.now.now(), "visit": next(self._ids)}  # fmt: skip
        return facts.Deposited(**{**known, **changed})

    def collected(self, parcel: Parcel, compartment: int) -> facts.Collected:
        return facts.Collected(
            parcel=parcel.id, reservation=parcel.reservation or UUID(int=1), station=self.station,
            compartment=compartment, visit=next(self._ids),
        )  # fmt: skip
