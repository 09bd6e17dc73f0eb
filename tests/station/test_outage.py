"""A station that stood still tells once for how long; short stops, first starts and clocks that jump tell nothing."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from parcelwall.rules import facts
from station.rig import Crash, Rig, fail_at

HOUR = 3600.0


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = await Rig(tmp_path).start()
    rig.station.outage.look()
    yield rig
    rig.clean()
    await rig.stop()


def told(rig: Rig) -> list[timedelta]:
    entries = [entry for entry in rig.memory.journal.since("S-0001", 0) if entry.kind == "StoodStill"]
    read = [facts.read(entry.kind, entry.body) for entry in entries]
    return [fact.until - fact.since for fact in read if isinstance(fact, facts.StoodStill)]


async def test_a_computer_that_was_off(rig: Rig) -> None:
    await rig.now.sleep(5 * HOUR)
    await rig.restart()
    rig.station.outage.look()
    rig.station.outage.look()
    assert told(rig) == [timedelta(hours=5)]


async def test_a_short_stop_and_a_station_that_works_tell_nothing(rig: Rig) -> None:
    for _ in range(30):
        await rig.now.sleep(50.0)
        rig.station.outage.look()
    await rig.restart()
    await rig.now.sleep(500.0)
    rig.station.outage.look()
    assert told(rig) == []


async def test_a_process_that_hung(rig: Rig) -> None:
    await rig.now.sleep(HOUR)
    rig.station.outage.look()
    assert told(rig) == [timedelta(hours=1)]


async def test_a_clock_that_jumps_while_the_station_works_is_no_outage(rig: Rig) -> None:
    rig.now._now += timedelta(hours=7)
    await rig.now.sleep(61.0)
    rig.station.outage.look()
    assert told(rig) == []


async def test_a_disk_that_would_not_be_written_is_told_afterwards(rig: Rig) -> None:
    rig.memory.connection.execute("PRAGMA query_only = 1")
    for _ in range(20):
        await rig.now.sleep(60.0)
        rig.station.outage.look()
    assert told(rig) == []
    rig.memory.connection.execute("PRAGMA query_only = 0")
    await rig.now.sleep(60.0)
    rig.station.outage.look()
    assert told(rig) == [timedelta(minutes=21)]


async def off_without_a_battery(rig: Rig, hours: float) -> None:
    """The computer's clock goes on where the power went, and is right only once somebody says so."""
    await rig.now.sleep(hours * HOUR)
    right = rig.now._now
    rig.now._now -= timedelta(hours=hours) - timedelta(seconds=5)
    await rig.restart()
    for _ in range(30):
        await rig.now.sleep(10.0)
        rig.station.outage.look()
    assert told(rig) == []
    rig.now._now = right + timedelta(seconds=300)


async def goes_on(rig: Rig) -> None:
    for _ in range(30):
        await rig.now.sleep(10.0)
        rig.station.outage.look()


async def test_a_computer_without_a_battery_tells_once_the_hub_has_told_the_time(rig: Rig) -> None:
    await off_without_a_battery(rig, hours=5)
    rig.memory.told_time(rig.now.now(), "boot")
    await goes_on(rig)
    [off] = told(rig)
    assert abs(off - timedelta(hours=5)) < timedelta(minutes=1)
    rig.memory.told_time(rig.now.now(), "boot")
    await goes_on(rig)
    assert len(told(rig)) == 1


async def test_it_waits_for_the_hub_for_any_other_jump_says_nothing(rig: Rig) -> None:
    await off_without_a_battery(rig, hours=5)
    await goes_on(rig)
    assert told(rig) == []
    rig.memory.told_time(rig.now.now(), "boot")
    await goes_on(rig)
    assert len(told(rig)) == 1


async def test_it_is_told_later_if_it_could_not_be_written(rig: Rig) -> None:
    await off_without_a_battery(rig, hours=5)
    rig.memory.told_time(rig.now.now(), "boot")
    rig.memory.connection.execute("PRAGMA query_only = 1")
    await rig.now.sleep(70.0)
    rig.station.outage.look()
    rig.memory.connection.execute("PRAGMA query_only = 0")
    assert told(rig) == []
    rig.station.outage.look()
    assert len(told(rig)) == 1


@pytest.mark.parametrize("hours", [0.1, 5])
async def test_the_hubs_time_brings_nothing_more_where_the_clock_was_right(rig: Rig, hours: float) -> None:
    await rig.now.sleep(hours * HOUR)
    await rig.restart()
    rig.station.outage.look()
    before = told(rig)
    rig.memory.told_time(rig.now.now() + timedelta(minutes=2), "boot")
    await goes_on(rig)
    assert told(rig) == before == ([timedelta(hours=5)] if hours == 5 else [])


@pytest.mark.parametrize("write", range(1, 8))
async def test_a_hole_is_told_once_whenever_the_power_goes_while_it_is_told(rig: Rig, write: int) -> None:
    """Each telling gives every parcel inside that much more time: the fact and the note that ends the hole are one."""
    await rig.now.sleep(5 * HOUR)
    await rig.restart()
    fail_at(rig.memory.connection, write, Crash)
    with contextlib.suppress(Crash):
        rig.station.outage.look()
    await rig.restart()
    rig.station.outage.look()
    assert told(rig) == [timedelta(hours=5)]
