"""Guesses at a number on a screen: one count for all processes of the hub, over restarts, also for many at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import httpx
import pytest_asyncio

from hub import tries_of_one_process
from parcelwall.clock import VirtualClock
from parcelwall.hub import tries
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import link_hash
from parcelwall.hub.orders import Outlets
from parcelwall.link.orders import Asked
from parcelwall.rules import facts
from parcelwall.web.app import hub_app
from station.towns import NOW, Pen, a_hub, about, announced, parcel_at

SCRIPT = tries_of_one_process.__file__


async def started(dsn: str, folder: Path, slot: int, name: str, times: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, dsn, str(folder), str(slot), name, str(times),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def let(*running: asyncio.subprocess.Process) -> list[int]:
    """How often each was let, when all begin at once."""
    for each in running:
        assert each.stdout is not None
        assert await each.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*(each.communicate(b"go\n") for each in running))
    return [int(out) for out, _ in said]


async def test_two_processes_and_the_one_that_is_started_after_them_let_five(database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path):
        pass  # its keys are on the disk, for all processes
    both = [await started(database, tmp_path, slot, "open/a", 20) for slot in (1, 2)]
    assert sum(await let(*both)) == tries.FREE
    later = [await started(database, tmp_path, 1, "open/a", 3), await started(database, tmp_path, 2, "open/b", 3)]
    assert await let(*later) == [0, 3], "a restart forgives nothing, and another name has its own count"


async def test_after_ten_minutes_it_begins_anew(database: str, tmp_path: Path) -> None:
    now = VirtualClock(NOW)
    async with a_hub(database, tmp_path, now) as hub:
        assert [await tries.take(hub, "a") for _ in range(7)] == [True] * 5 + [False] * 2
        now.advance(tries.WITHIN.total_seconds() - 1)
        assert not await tries.take(hub, "a")
        now.advance(1)
        assert await tries.take(hub, "a")
        await tries.forgive(hub, "a")
        assert [await tries.take(hub, "a") for _ in range(6)] == [True] * 5 + [False]
        now.advance(tries.LONGEST.total_seconds())
        async with hub.pool.acquire() as connection:
            await tries.forget(hub, connection)
        assert await hub.pool.fetchval("SELECT count(*) FROM tried") == 0


class Phones:
    """Two processes of a hub, a parcel inside, a station that always says: that is not the number on my screen."""

    def __init__(self, hubs: list[Hub], parcel: UUID, pen: Pen) -> None:
        self.hubs, self.pen, self.now = hubs, pen, pen.now
        self.asked = 0
        self.secret = hubs[0].keys.link_token("recipient", parcel)
        self.apps = [hub_app(hub, more_shared={"outlets": self._outlets(hub)}) for hub in hubs]

    def _outlets(self, hub: Hub) -> Outlets:
        outlets = Outlets(hub)
        outlets.attach("S-0001", self._wrong_number)
        return outlets

    async def _wrong_number(self, order: Asked, lasts_ms: int) -> None:
        self.asked += 1
        fact = facts.OrderAnswered(order=order.id, outcome="refused", compartment=1, by="recipient", why="not_present")
        await self.hubs[0].receive("S-0001", self.pen.write(fact))

    async def open(self, process: int) -> str:
        transport = httpx.ASGITransport(self.apps[process])
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            answer = await client.post(f"/p/{self.secret}/open", data={"number": "000"})
        return answer.headers["location"].partition("said=")[2]


@pytest_asyncio.fixture
async def phones(database: str, tmp_path: Path) -> AsyncIterator[Phones]:
    now = VirtualClock(NOW)
    pen = Pen("S-0001", now)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(a_hub(database, tmp_path, now, 1, (about(),)))
        second = await stack.enter_async_context(a_hub(database, tmp_path, now, 2))
        parcel = await announced(first, "PW-1", "S-0001")
        await first.receive("S-0001", pen.write(pen.deposited(await parcel_at(first, parcel), 1)))
        phones = Phones([first, second], parcel, pen)
        await first.pool.execute("INSERT INTO link VALUES ($1, $2, 'recipient')", link_hash(phones.secret), parcel)
        yield phones


async def test_five_wrong_numbers_over_both_processes_and_the_page_waits(phones: Phones) -> None:
    said = [await phones.open(turn % 2) for turn in range(7)]
    assert said == ["not_present"] * 5 + ["too_many_tries"] * 2
    assert phones.asked == 5, "the sixth is not even sent"
    phones.now.advance(tries.WITHIN.total_seconds())
    assert await phones.open(1) == "not_present"


async def test_all_at_once_are_five_too(phones: Phones) -> None:
    said = await asyncio.gather(*(phones.open(turn % 2) for turn in range(12)))
    assert sorted(said) == ["not_present"] * 5 + ["too_many_tries"] * 7
    assert phones.asked == 5
