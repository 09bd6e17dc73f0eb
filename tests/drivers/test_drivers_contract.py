"""The contract of every driver (hardware.md 2.14), over a pseudo-terminal in real time and in memory."""

import asyncio
from itertools import pairwise

import pytest

from parcelwall.clock import VirtualClock
from parcelwall.drivers import DoorState, Pulse, Why, connect
from parcelwall.drivers.bus import How, Rank
from parcelwall.errors import Trouble

pytestmark = pytest.mark.asyncio

OPEN, CLOSED, UNKNOWN = DoorState.OPEN, DoorState.CLOSED, DoorState.UNKNOWN


def opens_of(rig):
    return [request for request in rig.core.requests if request.asked.what == "open"]


async def in_time(make_rig, story):
    """Tells the story on a rig; anew, on another, where it went wrong and a board's answer was heard too late, as may
    be in real time on a machine that is busy. Whatever else goes wrong stays wrong, also an answer that was never
    heard; and in memory nothing is late."""
    for _ in range(3):
        rig = await make_rig()
        try:
            await story(rig)
        except AssertionError:
            if isinstance(rig.clock, VirtualClock) or not rig.doors.counts.late_bytes:
                raise
        else:
            return
    await story(await make_rig())


async def test_opens_the_asked_door_and_only_that(make_rig):
    await in_time(make_rig, opens_the_asked_door)


async def opens_the_asked_door(rig):
    assert (await rig.doors.state(3)).state is CLOSED
    assert await rig.doors.open(3, rig.soon()) is Pulse.ACKED
    assert (await rig.until(3, OPEN)).state is OPEN
    assert {door: seen.state for door, seen in (await rig.doors.sweep()).items()} == rig.hands.states()
    assert rig.hands.states() == {1: CLOSED, 2: CLOSED, 3: OPEN, 4: CLOSED}
    assert rig.hands.push_closed(3)
    assert (await rig.until(3, CLOSED)).state is CLOSED
    assert [pulse.door for pulse in rig.core.pulses] == [3]


async def test_ack_without_movement_is_not_opened(make_rig):
    rig = await make_rig()
    rig.core.jam(1)
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert (await rig.until(1, OPEN, within_s=0.5)).state is CLOSED


async def test_silence_is_silent_and_no_second_pulse_follows(make_rig):
    rig = await make_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.core.mute_next(1)
    assert await rig.doors.open(1, rig.soon()) is Pulse.SILENT
    assert (await rig.until(1, OPEN)).state is OPEN
    assert len(rig.core.pulses) == len(opens_of(rig)) == 1


async def test_a_deadline_in_the_past_writes_nothing(make_rig):
    rig = await make_rig()
    assert await rig.doors.open(1, rig.clock.mono() - 0.001) is Pulse.LATE
    assert await rig.doors.open(1, float("nan")) is Pulse.LATE
    assert not rig.core.requests


async def test_a_deadline_that_passes_in_the_queue_writes_nothing(make_rig):
    rig = await make_rig()
    bus = await rig.bare_bus()
    rig.core.mute_next(1)
    waits = bus.pulse(2, 8, rig.soon(), lambda at: None), bus.pulse(1, 1, rig.clock.mono() + 0.1, lambda at: None)
    before, after = await asyncio.gather(*waits)
    await bus.close()
    assert (before.how, before.written) == (How.SILENT, True)
    assert (after.how, after.written) == (How.LATE, False)
    assert [request.asked.board for request in rig.core.requests] == [2]


async def test_only_mapped_doors_exist(make_rig):
    rig = await make_rig()
    with pytest.raises(Trouble, match="not mapped"):
        await rig.doors.open(9, rig.soon())
    seen = await rig.doors.state(9)
    assert (seen.state, seen.why) == (UNKNOWN, Why.UNMAPPED)
    assert set(await rig.doors.sweep()) == {1, 2, 3, 4}


async def test_two_opens_at_once_are_one_after_the_other_with_the_gap(make_rig):
    rig = await make_rig()
    assert await asyncio.gather(*(rig.doors.open(door, rig.soon()) for door in (1, 4, 2))) == [Pulse.ACKED] * 3
    pulses = list(rig.core.pulses)
    assert [pulse.door for pulse in pulses] == [1, 4, 2]
    assert not rig.core.overlaps()
    for before, after in pairwise(pulses):
        assert after.start_at - before.end_at >= 0.149


async def test_an_open_overtakes_queued_polls(make_rig):
    rig = await make_rig()
    bus = await rig.bare_bus()
    polls = [asyncio.ensure_future(bus.read_board(1, Rank.POLL)) for _ in range(5)]
    looks = [asyncio.ensure_future(bus.read_door(1, 2, Rank.VERIFY)) for _ in range(2)]
    opening = asyncio.ensure_future(bus.pulse(1, 2, rig.soon(), lambda at: None))
    await asyncio.gather(opening, *polls, *looks)
    await bus.close()
    looked = "one" if "one" in {request.asked.what for request in rig.core.requests} else "all"
    order = [(request.asked.what, request.asked.board) for request in rig.core.requests]
    assert order == [("open", 1)] + [(looked, 1)] * 2 + [("all", 1)] * 5


async def test_a_late_reply_never_answers_the_next_request(make_rig):
    rig = await make_rig()
    rig.core.answer_late(230)  # longer than the driver waits
    seen = await rig.doors.state(1)
    assert (seen.state, seen.why) == (UNKNOWN, Why.SILENT)
    asked = len(rig.core.requests)
    rig.core.answer_late(0)
    rig.hands.push_open(1)
    assert (await rig.doors.state(1)).state is OPEN, "what was closed a moment ago is not heard any more"
    assert len(rig.core.requests) == asked + 2
    assert rig.doors.counts.late_bytes > 0


async def test_a_late_answer_to_an_open_answers_no_read(make_rig):
    rig = await make_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.core.answer_late(330)
    assert await rig.doors.open(1, rig.soon()) is Pulse.SILENT
    rig.core.answer_late(0)
    assert (await rig.until(1, OPEN)).state is OPEN
    assert len(rig.core.pulses) == 1


async def test_the_port_comes_back_after_unplug(make_rig):
    rig = await make_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.boards.unplug()
    assert await rig.doors.open(1, rig.soon()) is Pulse.DEAD
    for seen in (await rig.doors.sweep()).values():
        assert (seen.state, seen.why) == (UNKNOWN, Why.SILENT)
    assert not rig.doors.up
    rig.boards.replug()
    back = await rig.sweep_until(lambda seen: all(one.state is CLOSED for one in seen.values()))
    assert {seen.state for seen in back.values()} == {CLOSED}
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert [pulse.door for pulse in rig.core.pulses] == [1]


async def test_starts_while_unplugged_and_opens_later(make_rig):
    rig = await make_rig()
    await rig.doors.close()
    rig.boards.unplug()
    await rig.doors.start()
    assert (await rig.doors.state(1)).why is Why.SILENT
    rig.boards.replug()
    assert (await rig.until(1, CLOSED)).state is CLOSED


async def test_unplugged_in_the_middle_of_an_opening_is_silent_not_dead(make_pty_rig):
    rig = await make_pty_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.core.mute_next(1)
    opening = asyncio.ensure_future(rig.doors.open(1, rig.soon()))
    while not rig.core.pulses:
        await asyncio.sleep(0.005)
    rig.boards.unplug()
    assert await opening is Pulse.SILENT


async def test_a_no_is_refused_and_tells_nothing_of_the_door(make_memory_rig):
    rig = await make_memory_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.core.refuse(1)
    has_a_word = bool(rig.core.dialect.refuse(rig.core.requests[-1].asked))
    assert await rig.doors.open(1, rig.soon()) is (Pulse.REFUSED if has_a_word else Pulse.SILENT)
    seen = await rig.doors.state(1)
    assert (seen.state, seen.why) == (UNKNOWN, Why.FAULT if has_a_word else Why.SILENT)
    assert (await rig.doors.sweep())[1].state is UNKNOWN
    assert not rig.core.pulses
    assert (await rig.doors.state(4)).state is CLOSED, "the other board goes on"


async def test_the_port_is_opened_exclusively(make_rig):
    rig = await make_rig()
    twin = connect(rig.doors.profile, rig.clock, rig.open_port)
    await twin.start()
    assert await twin.open(1, rig.soon()) is Pulse.DEAD
    await twin.close()
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED


async def test_whoever_waits_when_the_driver_closes_is_told(make_rig):
    rig = await make_rig()
    rig.core.mute_next(100)
    bus = await rig.bare_bus()
    asked = [asyncio.ensure_future(bus.read_door(1, 1)) for _ in range(3)]
    await asyncio.sleep(0)
    await bus.close()
    assert {outcome.how for outcome in await asyncio.gather(*asked)} <= {How.GONE, How.SILENT}
    assert await rig.doors.open(1, rig.soon()) is Pulse.DEAD


async def test_an_opening_nobody_waits_for_is_not_written(make_rig):
    rig = await make_rig()
    rig.core.mute_next(1)
    polling = asyncio.ensure_future(rig.doors.sweep())
    await asyncio.sleep(0)
    opening = asyncio.ensure_future(rig.doors.open(1, rig.soon()))
    await asyncio.sleep(0)
    opening.cancel()
    await polling
    assert not opens_of(rig)


async def test_a_door_that_is_followed_is_read_once_while_it_stays_and_twice_when_it_moved(make_rig):
    await in_time(make_rig, follows_a_door)


async def follows_a_door(rig):
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert (await rig.until(1, DoorState.OPEN)).state is DoorState.OPEN
    before = len(rig.core.requests)
    assert (await rig.doors.follow(1)).state is DoorState.OPEN
    assert len(rig.core.requests) == before + 1
    await rig.clock.sleep(1.0)  # the coil is let go
    rig.hands.push_closed(1)
    assert (await rig.doors.follow(1)).state is DoorState.CLOSED
    assert len(rig.core.requests) == before + 3
    assert (await rig.doors.follow(99)).why is Why.UNMAPPED
