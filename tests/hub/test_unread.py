"""A hub is updated: what stations of a later version told it, and it could not read, is learnt at its next start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub import unread
from parcelwall.hub.house import Hub
from parcelwall.hub.ingest import Ingest
from parcelwall.hub.stations import rooms
from parcelwall.hub.unread import Late
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from station.towns import NOW, Pen, a_hub, about, announced, cases, kinds_in, parcel_at

NEWER = ("StoodStill", "CompartmentHealth", "Collected")
KNOWN = {name: kind for name, kind in facts.KINDS.items() if name not in NEWER}


class OlderIngest(Ingest, kw_only=True):
    """What a version takes in that did not know some kinds yet."""

    kinds = KNOWN


class OlderLate(Late, kw_only=True):
    """A start of that version."""

    kinds = KNOWN


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.18))) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


@pytest.fixture
def pen(hub: Hub) -> Pen:
    assert isinstance(hub.clock, VirtualClock)
    return Pen("S-0001", hub.clock)


async def hears(hub: Hub, pen: Pen, *told: facts.Fact) -> None:
    """The older version hears it."""
    await hub.desk.receive(OlderIngest(station=pen.station, writer=pen.station, entries=pen.write(*told)))


async def inside(hub: Hub, pen: Pen, reference: str, door: int) -> UUID:
    parcel = await announced(hub, reference, pen.station)
    known = await parcel_at(hub, parcel)
    await hears(hub, pen, pen.deposited(known, door, collect_by=NOW + timedelta(hours=48)))
    return parcel


async def broken(hub: Hub) -> int:
    async with hub.pool.acquire() as connection:
        return (await rooms(connection, ["S-0001"]))["S-0001"].broken


async def left(hub: Hub) -> int:
    return int(await hub.pool.fetchval("SELECT count(*) FROM unread WHERE learnt_at IS NULL"))


async def tables(hub: Hub) -> list[list[Any]]:
    names = ("parcel", "station", "case_file", "entry", "unread")
    return [await hub.pool.fetch(f"SELECT * FROM {name} ORDER BY 1, 2") for name in names]


async def test_what_an_older_version_kept_unread_is_learnt_at_the_next_start(hub: Hub, pen: Pen) -> None:
    """Doors that are broken, and a time in which the station's computer was off: its parcels are kept longer by it."""
    parcel = await inside(hub, pen, "PW-1", 1)
    pen.now.advance(5 * 3600)
    until = (await parcel_at(hub, parcel)).collect_by
    await hears(hub, pen, facts.CompartmentHealth(compartment=3, usable=False, why="leaf"),
                facts.StoodStill(since=NOW, until=NOW + timedelta(hours=5)))  # fmt: skip
    assert (await broken(hub), await left(hub)) == (0, 2), "stored and chained, and no more"
    assert await verify_hub(hub.pool) == []
    assert await unread.learn(hub.pool, hub.desk, OlderLate) == 0, "a start of the older version learns nothing"
    assert await unread.learn(hub.pool, hub.desk) == 2
    assert (await broken(hub), await left(hub)) == (4, 0)
    assert (await parcel_at(hub, parcel)).collect_by == (until or NOW) + timedelta(hours=5)
    before = await tables(hub)
    assert await unread.learn(hub.pool, hub.desk) == 0 and await tables(hub) == before, "once"


async def test_it_is_learnt_by_the_start_itself_and_of_several_processes_by_one(
    hub: Hub, pen: Pen, database: str, tmp_path: Path
) -> None:
    await inside(hub, pen, "PW-1", 1)
    await hears(hub, pen, facts.StoodStill(since=NOW, until=NOW + timedelta(hours=5)))
    now = VirtualClock(NOW + timedelta(hours=5))
    async with AsyncExitStack() as processes:
        begun = (processes.enter_async_context(a_hub(database, tmp_path, now, slot)) for slot in (2, 3))
        await asyncio.gather(*begun)
    assert await left(hub) == 0
    assert (await kinds_in(hub, hub.streams.station("S-0001"))).count("Extended") == 1


async def test_the_order_of_what_was_unread_counts(hub: Hub, pen: Pen) -> None:
    for usable in (False, True, False, True):
        await hears(hub, pen, facts.CompartmentHealth(compartment=3, usable=usable))
    await hears(hub, pen, facts.CompartmentHealth(compartment=2, usable=False))
    await unread.learn(hub.pool, hub.desk)
    assert await broken(hub) == 2


async def test_a_parcel_that_a_newer_kind_tells_of_is_looked_at(hub: Hub, pen: Pen) -> None:
    """Nobody was told in time: so a case. And its place in the parcel's life is after all that was learnt before."""
    parcel = await inside(hub, pen, "PW-1", 1)
    await hears(hub, pen, pen.collected(await parcel_at(hub, parcel), 1))
    assert (await parcel_at(hub, parcel)).stage == Stage.READY
    await unread.learn(hub.pool, hub.desk)
    assert (await parcel_at(hub, parcel)).stage == Stage.COLLECTED
    assert await cases(hub) == ["learnt_late"]


async def test_what_its_station_has_told_of_a_parcel_since_is_not_undone(hub: Hub, pen: Pen) -> None:
    parcel = await inside(hub, pen, "PW-1", 1)
    known = await parcel_at(hub, parcel)
    await hears(hub, pen, pen.collected(known, 1))
    await hears(hub, pen, pen.deposited(known, 2, collect_by=NOW + timedelta(hours=48)))
    before = await parcel_at(hub, parcel)
    for _ in range(2):
        assert await unread.learn(hub.pool, hub.desk) == 0
    assert await parcel_at(hub, parcel) == before
    assert sorted(await cases(hub)) == ["deposited_twice", "learnt_late"]


async def test_what_no_version_can_read_is_tried_once_by_each(hub: Hub, pen: Pen) -> None:
    entries = pen.raw(("Hummed", '{"pitch_hz":440}'), ("WrongCode", '{"count":"many"}'))
    await hub.receive("S-0001", entries)
    assert (await left(hub), await unread.learn(hub.pool, hub.desk)) == (2, 0)
    assert await cases(hub) == ["unreadable_entry"]
    assert await unread.learn(hub.pool, hub.desk, OlderLate) == 0
    assert await cases(hub) == ["unreadable_entry"] and await left(hub) == 2


async def test_one_that_turns_out_not_to_be_a_stations_is_set_aside(hub: Hub, pen: Pen) -> None:
    class Elder(OlderIngest, kw_only=True):
        kinds = {name: kind for name, kind in KNOWN.items() if name != "PolicyAdopted"}  # noqa: RUF012 - read only

    adopted = facts.PolicyAdopted(policy=facts.Policy(version=9, hold_hours=1))
    await hub.desk.receive(Elder(station="S-0001", writer="S-0001", entries=pen.write(adopted)))
    assert await unread.learn(hub.pool, hub.desk) == 0
    assert hub.policy.version != 9 and await cases(hub) == ["unreadable_entry"]
    assert await hub.pool.fetchval("SELECT count(*) FROM unread") == 0
