"""What offers remember of stations: read once, forgotten at news, never kept while no news comes, nor for long."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub import followers, rooms
from parcelwall.hub.house import Hub
from parcelwall.rules.offers import RoomTable
from station.towns import NOW, a_hub, about, announced

BOTH = ("S-0001", "S-0002")


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001", "SML"), about("S-0002", "SML"))) as hub:
        hub.bells.hears(True)
        yield hub


async def promised(hub: Hub, station: str = "S-0001") -> int:
    """How many promises offers believe in there."""
    return sum((await hub.offers.rooms.look([station]))[station].room.promised.values())


async def test_a_room_is_remembered_until_there_is_news_of_its_station(hub: Hub) -> None:
    assert await promised(hub) == 0
    await announced(hub, "PW-1", "S-0001")
    assert await promised(hub) == 0, "nobody has told yet: it is remembered, not read"
    hub.bells.ring(["S-0002", "S-00011"])
    assert await promised(hub) == 0
    hub.bells.ring(["S-0001"])
    assert await promised(hub) == 1


async def test_the_follower_rings_for_what_the_hub_promised(hub: Hub) -> None:
    told: list[str] = []
    hub.bells.told = told.extend
    hub.bells.hears(False)
    listening = asyncio.create_task(hub.bells.listen(hub.dsn))
    try:
        while not hub.offers.rooms.hears:
            await asyncio.sleep(0.01)
        await announced(hub, "PW-1", "S-0001")
        while "S-0001" not in told:
            await followers.turn(hub.pool, "feed", followers.number_and_ring)
            await asyncio.sleep(0.01)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert not hub.offers.rooms.hears, "nobody listens any more"


async def test_news_of_what_a_door_saw_counts_too(hub: Hub) -> None:
    await promised(hub)
    await announced(hub, "PW-1", "S-0001")
    hub.bells.ring(["by/S-0001"])
    assert await promised(hub) == 1


async def test_while_no_news_comes_nothing_is_remembered(hub: Hub) -> None:
    await promised(hub)
    hub.bells.hears(False)
    await announced(hub, "PW-1", "S-0001")
    assert await promised(hub) == 1
    await announced(hub, "PW-2", "S-0001")
    assert await promised(hub) == 2
    hub.bells.hears(True)
    assert await promised(hub) == 2


async def test_news_that_comes_while_a_room_is_read_is_not_lost(hub: Hub) -> None:
    reading = asyncio.create_task(promised(hub))
    await asyncio.sleep(0)  # the query is on its way, its answer is not here
    hub.bells.ring(["S-0001"])
    await reading
    await announced(hub, "PW-1", "S-0001")
    assert await promised(hub) == 1, "what was read when the news came was not kept"


async def test_nothing_is_remembered_for_long(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    await promised(hub)
    await announced(hub, "PW-1", "S-0001")
    hub.clock.advance(rooms.KEPT_S - 1)
    assert await promised(hub) == 0
    hub.clock.advance(2)
    assert await promised(hub) == 1


async def test_adopted_tables_are_read_by_every_process(hub: Hub) -> None:
    assert all(each.table is None for each in (await hub.offers.rooms.look(BOTH)).values())
    line = msgspec.json.encode(RoomTable(station="S-0002", made_at=NOW, chance={"S": (0.5,)}))
    heard = asyncio.Event()
    hub.bells.told = lambda keys: (hub.offers.rooms.forget(keys), heard.set() if rooms.LEARNT in keys else None)
    hub.bells.hears(False)
    listening = asyncio.create_task(hub.bells.listen(hub.dsn))
    try:
        while not hub.offers.rooms.hears:
            await asyncio.sleep(0.01)
        await hub.take_tables([line])
        await asyncio.wait_for(heard.wait(), 10)
        table = (await hub.offers.rooms.look(BOTH))["S-0002"].table
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert table is not None and table.at("S", NOW) == 0.5


async def test_all_are_read_when_the_line_stands(hub: Hub) -> None:
    filling = asyncio.create_task(hub.offers.rooms.run(lambda: hub.stations.known))
    try:
        while len(hub.offers.rooms.remembered(BOTH)) < 2:
            await asyncio.sleep(0.01)
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
