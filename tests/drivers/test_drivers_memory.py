"""The memory shell is cheap enough for station-years, and the same story comes out each time."""

import time

import pytest

from parcelwall.drivers import DoorState, Pulse

pytestmark = pytest.mark.asyncio


async def one_opening(rig, door):
    assert (await rig.doors.state(door)).state is DoorState.CLOSED
    assert await rig.doors.open(door, rig.clock.mono() + 5) is Pulse.ACKED
    await rig.clock.sleep(0.2)
    assert (await rig.doors.state(door)).state is DoorState.OPEN
    await rig.clock.sleep(20)
    assert rig.hands.push_closed(door)
    assert (await rig.doors.state(door)).state is DoorState.CLOSED
    await rig.clock.sleep(600)


async def test_an_opening_costs_little(make_memory_rig):
    rig = await make_memory_rig()
    await one_opening(rig, 1)
    start = time.process_time()
    for turn in range(200):
        await one_opening(rig, 1 + turn % 4)
    each_ms = (time.process_time() - start) / 200 * 1000
    # Seven transactions. About 0.6 ms on a slow machine; ten times that would spoil a station-year.
    assert each_ms < 6, f"{each_ms:.2f} ms"


async def test_the_same_story_takes_the_same_time(make_memory_rig):
    ends = []
    for _ in range(2):
        rig = await make_memory_rig()
        for door in (1, 2, 3, 4):
            await one_opening(rig, door)
        ends.append((rig.clock.mono(), list(rig.core.requests), list(rig.core.pulses)))
    assert ends[0] == ends[1]
