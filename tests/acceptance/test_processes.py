"""kill -9, a database that goes away, a line that is cut, slow, deaf, doubled or stalled: real processes, under load.

What was acknowledged is there afterwards: parcels that the API answered 201, parcels whose door the screen saw shut.
Every recipient has the mail, once; and both books are whole and tell one story.
"""

import asyncio
import signal
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from acceptance.life import MARK, Life, a_life, differences
from acceptance.street import until

pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def life() -> AsyncIterator[Life]:
    """At the end nothing is lost, and nothing left behind."""
    async with a_life() as life:
        yield life


async def test_a_delivery_by_two_processes(life: Life) -> None:
    await life.go_on()
    await until(lambda: bool(life.code_of(life.brought[0])), "the mail comes")
    await life.collect_one()
    await life.whole()


async def test_the_hub_is_killed(life: Life) -> None:
    async def kill() -> None:
        life.hub.kill()
        await asyncio.sleep(0.5)
        await asyncio.to_thread(life.hub.start)

    await life.while_living(kill)
    await life.whole()


async def test_the_station_is_killed(life: Life) -> None:
    async def kill() -> None:
        await asyncio.to_thread(life.street.station.kill)
        life.street.station.start()

    for _ in range(2):
        await life.while_living(kill)
    await life.whole()


async def test_the_station_is_killed_while_a_door_stands_open(life: Life) -> None:
    async def kill() -> None:
        await asyncio.to_thread(life.street.station.kill)
        life.street.station.start()

    await life.bring_one(meanwhile=kill)
    await life.collect_one(meanwhile=kill)
    await life.whole()


async def test_the_database_is_killed_and_comes_back(life: Life) -> None:
    async def kill() -> None:
        [postmaster] = life.hub.children()
        postmaster.send_signal(signal.SIGQUIT)
        psutil.wait_procs([postmaster], timeout=10)
        await until(life.hub.ready, "the hub has its database again", 60)

    await life.while_living(kill)
    await life.whole()


async def test_the_line_is_cut(life: Life) -> None:
    async def cut() -> None:
        life.street.cable.cut()
        await asyncio.sleep(1.0)
        life.street.cable.mend()

    await life.while_living(cut)
    await life.whole()


async def test_the_line_is_slow_and_stalls_in_the_middle_of_a_frame(life: Life) -> None:
    async def stall() -> None:
        life.street.cable.delay_s = 0.3
        await asyncio.sleep(1.0)
        life.street.cable.stalls_after = 37
        await asyncio.sleep(2.0)
        life.street.cable.mend()
        await asyncio.sleep(0.5)
        life.street.cable.stalls_after = 11
        await asyncio.sleep(0.5)
        life.street.cable.cut()
        life.street.cable.mend()

    await life.while_living(stall)
    await life.whole()


async def test_the_line_is_dead_in_one_direction(life: Life) -> None:
    """What the station says goes nowhere, and then what the hub says; nobody closes anything."""

    async def go_deaf() -> None:
        for way in ("up", "down"):
            life.street.cable.deaf = way
            await asyncio.sleep(1.5)
            life.street.cable.cut()  # as a router does, sooner or later, that has forgotten a connection
            life.street.cable.mend()

    await life.while_living(go_deaf)
    await life.whole()


async def test_bytes_come_twice_and_ends_are_half_closed(life: Life) -> None:
    """A stream with bytes doubled is no frame any more: the line ends, comes again, and nothing counts twice."""

    async def garble() -> None:
        for _ in range(3):
            life.street.cable.doubles = 40
            await asyncio.sleep(0.7)
            await life.street.cable.half_close()
            await asyncio.sleep(0.7)
        life.street.cable.mend()

    await life.while_living(garble)
    await life.whole()


async def test_everything_at_once(life: Life) -> None:
    async def all_of_it() -> None:
        life.street.cable.cut()
        life.street.station.kill()
        life.hub.kill()
        life.street.station.start()
        await asyncio.to_thread(life.hub.start)
        life.street.cable.mend()

    await life.while_living(all_of_it)
    await life.whole()


async def test_both_books_tell_one_story(life: Life) -> None:
    """After all of the above: chains, tables and copies hold, and both end at once when they are told to."""
    await life.whole()
    family = life.street.station.family() + life.hub.family()
    assert await asyncio.to_thread(life.street.station.end, signal.SIGTERM) == 0
    assert await differences(life.hub, life.street.station.data / "station.sqlite") == []
    assert await asyncio.to_thread(life.hub.end, signal.SIGINT) == 0
    _, left = psutil.wait_procs(family, timeout=5)
    assert left == []
    for each in (life.hub, life.street.station):
        assert "Traceback" not in each.log(), each.log()[-3000:]


async def test_people_stand_in_the_vault_and_in_mails_only(life: Life) -> None:
    """Not in what the processes said, not on the station's disk, and sealed on the hub's."""
    assert MARK in life.sink.mails()[0].to
    for each in (life.hub, life.street.station):
        assert MARK not in each.log()
    kept = [path for path in life.hub.folder.rglob("*") if path.is_file()]
    assert any(path.name == "station.sqlite" for path in kept) and any("cluster" in path.parts for path in kept)
    assert [path for path in kept if MARK.encode() in path.read_bytes()] == []
