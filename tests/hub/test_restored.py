"""A hub that was restored to an older point is healed by its stations.

Real hub, real stations on pretend boards; a backup is a copy of the database.
"""

import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from hub.backups import Backups
from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub.commands import Command, Destination, Extend, Reserve
from parcelwall.hub.house import Hub
from parcelwall.hub.sweeps import sweep
from parcelwall.ids import seeded
from parcelwall.link.frames import BOOKS_DIFFER, BadFrame
from parcelwall.rules import decide
from parcelwall.rules.life import Parcel, Stage
from parcelwall.simulation.check import check_books
from parcelwall.simulation.town import PretendStation, Town, a_town
from parcelwall.station.house import accept, key_of
from parcelwall.station.visit import Visit
from station.towns import NOW, a_hub, about, announced, cases, kinds_in, only, parcel_at, told


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    now = VirtualClock(NOW)
    async with a_town(tmp_path, now, seeded(now, 1), durable=False, dsn=database) as town:
        await town.station(about())
        yield town


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


async def test_a_whole_epoch_is_lost(town: Town, backups: Backups) -> None:
    """The same backup once more: no later epoch says where the one between ended, and all of it comes back."""
    kluuvi, now = only(town), town.clock
    assert isinstance(now, VirtualClock)
    parcel = await told(town, "PW-1")
    await kluuvi.deposit("PW-1")
    await kluuvi.carry()
    once, again = await backups.make(), await backups.make()
    async with backups.restored(once) as hub:
        await kluuvi.carry()
        kluuvi.cut()
        await kluuvi.collect(kluuvi.code_of(parcel))
        now.advance(60 * 3600.0)
        await sweep(hub)
        await kluuvi.carry()
        lost = hub.streams.station("S-0001")
        assert await kinds_in(hub, lost) == ["EpochBegan", "Expired"]
    async with backups.restored(again) as hub:
        await kluuvi.carry()
        assert await kinds_in(hub, lost) == ["EpochBegan", "Expired"]
        assert (await parcel_at(hub, parcel)).stage == Stage.COLLECTED
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


async def test_what_the_hub_forgot_the_label_of_is_promised_nowhere_else(town: Town, backups: Backups) -> None:
    """The promise comes back from the station; a tag of no label at another would have its parcel refused there."""
    kluuvi = only(town)
    await town.station(about("S-0002"))
    backup = await backups.make()
    late = await told(town, "PW-2")
    async with backups.restored(backup) as hub:
        await kluuvi.carry()
        kept = await parcel_at(hub, late)
        assert (kept.stage, kept.reference) == (Stage.RESERVED, "")
        elsewhere = Destination(station_id="S-0002")
        with pytest.raises(Refusal, match="Announce it again"):
            await hub.desk.ask(Reserve(carrier="acme", parcel=late, destination=elsewhere))
        assert (await parcel_at(hub, late)).station == "S-0001"
        await whole(hub, town)


async def test_a_new_secret_makes_no_tag_of_a_label_that_the_hub_forgot(town: Town, backups: Backups) -> None:
    """A tag of no label is nobody's. It does not keep the new computer out, nor what else is promised there."""
    await told(town, "PW-1")
    backup = await backups.make()
    late = await told(town, "PW-2")
    async with backups.restored(backup) as hub:
        await only(town).carry()
        before = await parcel_at(hub, late)
        await hub.revoke_station("S-0001", "stolen")
        new = await town.replace("S-0001", hub)
        assert await parcel_at(hub, late) == before
        await new.deposit("PW-1")
        with pytest.raises(Refusal, match="not_for_this_station"):
            await new.deposit("PW-2")
        await new.carry()
        await whole(hub, town)


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


async def enrolled_again(hub: Hub, station: PretendStation, town: Town) -> None:
    """What an operator does about a computer that took over in the time that is lost."""
    memory, known = station.station.memory, await hub.known(station.name)
    signer = key_of(memory, town.ids)
    if known is None or known.key != signer.public:
        given = await hub.enrol(await hub.claim(station.name), signer.public, memory.writer)
        assert (given.writer, given.fetches) == (memory.writer, False)
        accept(memory, msgspec.structs.asdict(given), town.ids)


async def test_a_computer_whose_enrolment_was_lost_proves_itself_once_more(town: Town, backups: Backups) -> None:
    backup = await backups.make()
    before = only(town)
    parcel = await told(town, "PW-31")
    await before.deposit("PW-31")
    await before.carry()
    kluuvi = await town.replace("S-0001")
    await kluuvi.carry()
    async with backups.restored(backup) as hub:
        with pytest.raises(BadFrame):
            await kluuvi.carry()
        with pytest.raises(Refusal) as no:
            await hub.enrol(await hub.claim("S-0001"), b"3" * 32, "S-0001")
        assert no.value.reason == "station_taken"
        await enrolled_again(hub, kluuvi, town)
        await kluuvi.carry()
        assert (await parcel_at(hub, parcel)).stage == Stage.READY
        assert await kinds_in(hub, "S-0001") == await kinds_in(town.hub, "S-0001")
        await whole(hub, town)


class Days:
    """What carriers, couriers and recipients do at two stations whose lines come and go, by chance of a seed."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.chance = town, random.Random(seed)
        self.hub, self.count, self.brought = town.hub, 0, set[UUID]()

    async def live(self, steps: int) -> None:
        for _ in range(steps):
            station = self.chance.choice(list(self.town.stations.values()))
            act = self.chance.choice([self.announce, self.announce, self.bring, self.bring, self.fetch, self.extend,
                                      self.move, self.carry, self.carry, self.cut, self.lose])  # fmt: skip
            with contextlib.suppress(Refusal):
                await act(station)

    async def announce(self, station: PretendStation) -> None:
        self.count += 1
        await announced(self.hub, f"PX-{self.count}", station.name)

    async def bring(self, station: PretendStation) -> None:
        known = sorted(station.desk.expected(), key=lambda parcel: parcel.id)
        if expected := [parcel for parcel in known if parcel.id not in self.brought]:
            chosen = self.chance.choice(expected)
            visit = await station.station.keeper.serve(self.put(station, chosen))
            self.brought.add(chosen.id)
            await station.station.clock.sleep(6.0)
            await station.shut(visit.compartment)

    @staticmethod
    def put(station: PretendStation, parcel: Parcel) -> Visit:
        desk = station.desk
        compartment = decide.deposit(parcel, desk.plan, station.station.memory.room(), desk.now())
        return desk._begin("deposit", parcel, compartment, courier=station.courier)

    async def fetch(self, station: PretendStation) -> None:
        inside = sorted(station.desk.inside(), key=lambda parcel: parcel.id)
        if inside:
            await station.collect(station.code_of(self.chance.choice(inside).id))

    async def extend(self, station: PretendStation) -> None:
        await self.ask(station, "READY", lambda parcel: Extend(parcel=parcel, carrier="acme", by="carrier"))

    async def move(self, station: PretendStation) -> None:
        there = Destination(station_id=self.chance.choice(list(self.town.stations)))
        await self.ask(station, "RESERVED", lambda parcel: Reserve(parcel=parcel, carrier="acme", destination=there))

    async def ask(self, station: PretendStation, stage: str, command: Callable[[UUID], Command]) -> None:
        query = "SELECT id FROM parcel WHERE station = $1 AND stage = $2 AND carrier = 'acme' ORDER BY id"
        rows = await self.hub.pool.fetch(query, station.name, stage)
        if rows:
            await self.hub.desk.ask(command(self.chance.choice(rows)["id"]))

    async def carry(self, station: PretendStation) -> None:
        await station.carry()

    async def cut(self, station: PretendStation) -> None:
        station.cut()

    async def lose(self, station: PretendStation) -> None:
        """Now and then a disk. What was not shipped is gone, and its parcels with it: they are looked after by hand."""
        if self.chance.random() < 0.2:
            await self.town.replace(station.name, self.hub)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_was_going_on(town: Town, backups: Backups, seed: int) -> None:
    """F28: stations' facts survive a hub that goes back to any moment."""
    await town.station(about("S-0002", lat=60.18))
    days = Days(town, seed)
    await days.live(25)
    backup = await backups.make()
    await days.live(30)
    believed = {each.id: each.stage for station in town.stations.values() for each in station.desk.inside()}
    async with backups.restored(backup) as hub:
        for station in town.stations.values():
            await enrolled_again(hub, station, town)
            await station.carry()
        assert {parcel: (await parcel_at(hub, parcel)).stage for parcel in believed} == believed
        days.hub = hub
        await days.live(25)
        for station in [*town.stations.values()] * 2:
            await station.carry()
        await whole(hub, town)
