"""A hub that was restored to an older point is healed by its stations.

Real hub, real stations on pretend boards; a backup is a copy of the database.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub.commands import Destination, Reserve
from parcelwall.hub.house import Hub
from parcelwall.ids import seeded
from parcelwall.link.frames import BOOKS_DIFFER, BadFrame
from parcelwall.rules.life import Stage
from parcelwall.simulation.check import check_books
from parcelwall.simulation.town import PretendStation, Town, a_town
from station.towns import NOW, a_hub, about, announced, cases, kinds_in, only, parcel_at, told

_NOBODY_ELSE = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"


class Backups:
    """Copies of the database of a town, each a hub that was restored from it."""

    def __init__(self, dsn: str, town: Town) -> None:
        self.dsn, self.town = dsn, town
        self.name = dsn.partition("?")[0].rpartition("/")[2]
        self.made: list[str] = []

    async def make(self) -> str:
        """DSN of a copy of the database as it is now."""
        copy = f"{self.name}_copy_{len(self.made)}"
        self.made.append(copy)
        server = await asyncpg.connect(self.dsn, database="postgres")
        try:
            await server.execute(_NOBODY_ELSE, self.name)
            await server.execute(f"CREATE DATABASE {copy} TEMPLATE {self.name} STRATEGY file_copy")
        finally:
            await server.close()
        return self.dsn.replace(f"/{self.name}?", f"/{copy}?", 1)

    @asynccontextmanager
    async def restored(self, dsn: str, told_so: bool = True) -> AsyncIterator[Hub]:
        """The hub on a backup; `told_so`: the operator has said that it was restored. Stations dial it from now on."""
        folder, now = self.town.data_dir / "hub", self.town.clock
        assert isinstance(now, VirtualClock)
        now.advance(60.0)
        async with a_hub(dsn, folder, now, slot=9) as hub:
            if told_so:
                await hub.restored()
            for each in self.town.stations.values():
                each.lead_to(hub)
            yield hub

    async def drop(self) -> None:
        server = await asyncpg.connect(self.dsn, database="postgres")
        for name in self.made:
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    now = VirtualClock(NOW)
    async with a_town(tmp_path, now, seeded(now, 1), durable=False, dsn=database) as town:
        await town.station(about())
        yield town


@pytest_asyncio.fixture
async def backups(database: str, town: Town) -> AsyncIterator[Backups]:
    backups = Backups(database, town)
    yield backups
    await backups.drop()


async def whole(hub: Hub, town: Town) -> None:
    """Every book by itself, and the copies that hub and stations hold of each other's."""
    assert await check_books(hub.pool, [each.station.memory for each in town.stations.values()]) == []


async def test_what_was_lost_comes_back_from_the_station(town: Town, backups: Backups) -> None:
    kluuvi = only(town)
    early = await told(town, "PW-1")
    backup = await backups.make()
    late = await told(town, "PW-2")
    await kluuvi.deposit("PW-1")
    await kluuvi.deposit("PW-2")
    await kluuvi.carry()
    await kluuvi.collect(kluuvi.code_of(early))
    await kluuvi.carry()
    before = await parcel_at(town.hub, late)
    async with backups.restored(backup) as hub:
        assert await hub.pool.fetchval("SELECT count(*) FROM parcel WHERE id = $1", late) == 0
        await kluuvi.carry()
        again = await parcel_at(hub, late)
        assert again.stage == before.stage == Stage.READY
        assert (again.reservation, again.compartment) == (before.reservation, before.compartment)
        assert (await parcel_at(hub, early)).stage == Stage.COLLECTED
        assert await kinds_in(hub, "hub:1/S-0001") == await kinds_in(town.hub, "hub:1/S-0001")
        assert (await kinds_in(hub, hub.streams.station("S-0001")))[0] == "EpochBegan"
        assert await cases(hub) == ["announcement_lost"]
        await whole(hub, town)


async def test_life_goes_on_in_the_new_epoch(town: Town, backups: Backups) -> None:
    kluuvi = only(town)
    backup = await backups.make()
    late = await told(town, "PW-2")
    kluuvi.cut()
    await kluuvi.deposit("PW-2")
    async with backups.restored(backup) as hub:
        fresh = await announced(hub, "PW-3", "S-0001")
        await kluuvi.carry()
        assert (await parcel_at(hub, late)).stage == Stage.READY
        await kluuvi.deposit("PW-3")
        await kluuvi.collect(kluuvi.code_of(late))
        await kluuvi.carry()
        assert (await parcel_at(hub, fresh)).stage == Stage.READY
        assert (await parcel_at(hub, late)).stage == Stage.COLLECTED
        await whole(hub, town)


async def test_a_hub_that_was_restored_twice_uses_no_number_twice(town: Town, backups: Backups) -> None:
    """Both times from the same backup: the second knows nothing of the first, but a clock went on."""
    kluuvi = only(town)
    backup, same = await backups.make(), await backups.make()
    async with backups.restored(backup) as first:
        one = await announced(first, "PW-4", "S-0001")
        await kluuvi.carry()
    async with backups.restored(same) as second:
        assert second.streams.epoch > first.streams.epoch
        await kluuvi.carry()
        assert (await parcel_at(second, one)).stage == Stage.RESERVED
        await whole(second, town)


async def test_a_hub_that_does_not_know_that_it_was_restored_is_refused(town: Town, backups: Backups) -> None:
    kluuvi = only(town)
    backup = await backups.make()
    await told(town, "PW-5")
    async with backups.restored(backup, told_so=False) as hub:
        with pytest.raises(BadFrame, match="hub-restored") as no:
            await kluuvi.carry()
        assert no.value.code == BOOKS_DIFFER
        await hub.restored()
        kluuvi.lead_to(hub)
        await kluuvi.carry()
        await whole(hub, town)


async def test_a_process_of_the_old_epoch_is_refused_by_the_database(town: Town, backups: Backups) -> None:
    await told(town, "PW-6")
    backup = await backups.make()
    async with backups.restored(backup, told_so=False) as old, a_hub(backup, town.data_dir / "hub", slot=8) as other:
        await other.restored()
        with pytest.raises(asyncpg.CheckViolationError, match="past_streams_have_ended"):
            await announced(old, "PW-7", "S-0001")


async def test_room_that_was_promised_twice_is_a_case(town: Town, backups: Backups) -> None:
    """The restored hub promised the only compartment for large ones again before it heard of the first promise."""
    kluuvi = only(town)
    backup = await backups.make()
    large = {"height_mm": 400}
    for number in (1, 2):
        await told(town, f"PW-1{number}", **large)
    async with backups.restored(backup) as hub:
        await announced(hub, "PW-13", "S-0001", **large)
        await kluuvi.carry()
        assert "short_of_room" in await cases(hub)
        await whole(hub, town)


async def test_a_promise_that_was_moved_meanwhile_is_withdrawn(town: Town, backups: Backups) -> None:
    """The parcel was announced before the backup, promised here in the lost time, and elsewhere since."""
    kluuvi = only(town)
    other = await town.station(about("S-0002", lat=60.18))
    parcel = await announced(town.hub, "PW-8")
    backup = await backups.make()
    await reserve(town.hub, parcel, "S-0001")
    await kluuvi.carry()
    async with backups.restored(backup) as hub:
        await reserve(hub, parcel, "S-0002")
        for each in (other, kluuvi, kluuvi):
            await each.carry()
        assert (await parcel_at(hub, parcel)).station == "S-0002"
        assert kluuvi.desk.expected() == []
        assert len(other.desk.expected()) == 1
        await whole(hub, town)


async def reserve(hub: Hub, parcel: UUID, station: str) -> None:
    await hub.desk.ask(Reserve(parcel=parcel, destination=Destination(station_id=station), carrier="acme"))


async def test_books_that_differ_are_a_case_and_stay(town: Town, backups: Backups) -> None:
    """It wrote on under the old epoch for a while: that part stands up here, the station's stands there."""
    kluuvi: PretendStation = only(town)
    backup = await backups.make()
    await told(town, "PW-21")
    async with backups.restored(backup, told_so=False) as hub:
        await announced(hub, "PW-22", "S-0001")
        await hub.restored()
        kluuvi.lead_to(hub)
        await kluuvi.carry()
        assert await cases(hub) == ["books_differ"]
        await announced(hub, "PW-23", "S-0001")
        await kluuvi.carry()
        assert len(kluuvi.desk.expected()) == 2
