"""Each failure of hardware.md 2.12 that a driver can see ends in the state named there.

On a virtual clock, unless the failure lives in the serial port itself. What the *station* does about it (prompts,
further pulses, alarms) is tested there.
"""

import asyncio
import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from drivers.wired import wired_profile
from parcelwall.clock import VirtualClock
from parcelwall.drivers import DRIVERS, DoorState, Pulse, Supply, Why, changes, connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards

pytestmark = pytest.mark.asyncio

OPEN, CLOSED, UNKNOWN = DoorState.OPEN, DoorState.CLOSED, DoorState.UNKNOWN
ONE_BOARD = {
    "boards": [{"address": 1, "channels": 8}],
    "doors": [{"door": door, "board": 1, "lock": door} for door in range(1, 9)],
}


def told(seen):
    return seen.state, seen.why


async def test_reply_missing_lock_opened(make_memory_rig):
    rig = await make_memory_rig()
    await rig.doors.state(1)
    rig.core.mute_next(1)
    assert await rig.doors.open(1, rig.soon()) is Pulse.SILENT
    assert (await rig.until(1, OPEN)).state is OPEN


async def test_missing_read_replies_are_asked_for_twice_more(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.mute_next(2)
    assert told(await rig.doors.state(1)) == (CLOSED, Why.NONE)
    rig.core.mute_next(3)
    assert told(await rig.doors.state(1)) == (UNKNOWN, Why.SILENT)


@pytest.mark.parametrize("switch", ["jam", "weaken"])
async def test_ack_good_but_the_door_did_not_move(make_memory_rig, switch):
    rig = await make_memory_rig()
    getattr(rig.core, switch)(1)
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert (await rig.until(1, OPEN, within_s=1.5)).state is CLOSED


async def test_board_lies(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.lie(1)
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert not rig.core.pulses
    assert (await rig.until(1, OPEN, within_s=1.5)).state is CLOSED


@pytest.mark.parametrize("switch", ["hold_open", "blocked"])
async def test_door_that_cannot_be_shut_stays_open(make_memory_rig, switch):
    rig = await make_memory_rig()
    await rig.doors.open(1, rig.soon())
    await rig.until(1, OPEN)
    getattr(rig.core, switch)(1)
    assert not rig.hands.push_closed(1)
    assert (await rig.doors.state(1)).state is OPEN
    getattr(rig.core, switch)(1, False)
    assert rig.hands.push_closed(1)
    assert (await rig.doors.state(1)).state is CLOSED


async def test_a_bouncing_contact_is_unknown_until_it_rests(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.bounce(1, 1000, 47)
    rig.hands.push_open(1)
    looks = [told(await rig.doors.state(1)) for _ in range(40)]
    assert (UNKNOWN, Why.DISAGREE) in looks
    assert looks[-8:] == [(OPEN, Why.NONE)] * 8


async def test_a_broken_sensor_reads_a_constant(make_memory_rig):
    """The station's first visit that sees no movement is a case, and the compartment is offered to nobody."""
    rig = await make_memory_rig()
    rig.core.stick(1, 1)
    await rig.doors.open(1, rig.soon())
    assert rig.hands.state(1) is CLOSED
    assert (await rig.until(1, OPEN, within_s=1)).state is CLOSED
    assert told(await rig.doors.state(1)) == (CLOSED, Why.NONE)


async def test_a_contact_that_the_board_cannot_tell_is_unknown(make_memory_rig):
    """Boards without a word for it read 0, as from a wire that is cut."""
    rig = await make_memory_rig(closed_value=0)
    rig.core.cannot_tell(1)
    seen = await rig.doors.state(1)
    assert told(seen) in [(UNKNOWN, Why.FAULT), (CLOSED, Why.NONE)]
    swept = await rig.doors.sweep()
    assert told(swept[1]) == told(seen)
    assert swept[2].state is CLOSED, "its neighbours are told"


async def test_a_fallen_hook_reads_closed_of_an_open_door(make_memory_rig):
    rig = await make_memory_rig(contact="hook")
    rig.core.hook_falls(1)
    await rig.doors.open(1, rig.soon())
    await rig.clock.sleep(1)
    assert (rig.hands.state(1), (await rig.doors.state(1)).state) == (OPEN, CLOSED)


async def test_swapped_wires_move_the_wrong_bit(make_memory_rig):
    rig = await make_memory_rig()
    before = await rig.doors.sweep()
    rig.core.swap(1, 2)
    await rig.doors.open(1, rig.soon())
    await rig.clock.sleep(1)
    moved = changes(before, await rig.doors.sweep())
    assert [(change.door, change.now) for change in moved] == [(2, OPEN)]


async def test_a_frame_cut_in_the_middle_is_garbled(make_rig):
    rig = await make_rig()
    for _ in range(3):
        rig.core.cut(3)
    assert told(await rig.doors.state(1)) == (UNKNOWN, Why.GARBLED)
    assert told(await rig.doors.state(1)) == (CLOSED, Why.NONE)


async def test_a_broken_checksum_is_garbled(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.flip(1.0, keep_checksum=False)
    assert told(await rig.doors.state(1)) == (UNKNOWN, Why.GARBLED)
    assert {told(seen) for seen in (await rig.doors.sweep()).values()} == {(UNKNOWN, Why.GARBLED)}
    assert rig.doors.counts.bad_frames > 0


class EverySecond:
    """A chance by which every second thing befalls."""

    def __init__(self) -> None:
        self._turn = False

    def random(self) -> float:
        self._turn = not self._turn
        return 0.0 if self._turn else 1.0

    def getrandbits(self, k: int) -> int:
        return 16  # of three status bytes the last one's lowest bit: lock 1


async def test_plausible_nonsense_in_one_read_of_two_is_unknown(make_memory_rig):
    rig = await make_memory_rig(chance=EverySecond())
    rig.core.flip(0.5)
    assert told(await rig.doors.state(1)) == (UNKNOWN, Why.DISAGREE)
    assert told((await rig.doors.sweep())[1]) == (UNKNOWN, Why.DISAGREE)


@pytest.mark.parametrize("size_bytes", [1, 3, 7, 20])
async def test_junk_before_the_frame_is_skipped_and_counted(make_memory_rig, size_bytes):
    rig = await make_memory_rig(timeout_ms=400)
    rig.core.junk(size_bytes)
    assert told(await rig.doors.state(1)) == (CLOSED, Why.NONE)
    assert (await rig.doors.sweep())[3].state is CLOSED
    assert rig.doors.counts.junk_bytes >= 2 * size_bytes


@pytest.mark.parametrize("echo", ["no", "drop"])
async def test_a_local_echo_is_dropped_and_never_an_answer(make_memory_rig, echo):
    rig = await make_memory_rig(echo=echo)
    rig.core.echo()
    assert told(await rig.doors.state(1)) == (CLOSED, Why.NONE)
    assert (await rig.doors.sweep())[3].state is CLOSED
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    rig.core.mute_next(2)
    assert await rig.doors.open(2, rig.soon()) is Pulse.SILENT, "the echo of an opening is no ack"
    assert rig.doors.counts.echoes >= 4


async def test_a_dead_line_that_echoes_is_silent(make_memory_rig):
    rig = await make_memory_rig()
    await rig.doors.close()
    rig.core.echo()
    rig.core.die(1)
    await rig.doors.start()
    assert await rig.doors.open(1, rig.soon()) is Pulse.SILENT
    assert told(await rig.doors.state(1)) == (UNKNOWN, Why.SILENT)
    assert told((await rig.doors.sweep())[1]) == (UNKNOWN, Why.SILENT)


@pytest.mark.parametrize("driver", ["xor8a"])
async def test_one_status_byte_on_an_echoing_line(make_memory_rig):
    rig = await make_memory_rig(**ONE_BOARD, status_bytes=1, closed_value=0)  # all shut: the reply equals the query
    assert {told(seen) for seen in (await rig.doors.sweep()).values()} == {(CLOSED, Why.NONE)}
    rig = await make_memory_rig(**ONE_BOARD, status_bytes=1, closed_value=0)
    rig.core.echo()
    rig.core.push_open(8, 0.0)
    swept = await rig.doors.sweep()
    assert [swept[door].state for door in (1, 8)] == [CLOSED, OPEN]


@pytest.mark.parametrize("driver", ["xor8a"])
async def test_one_garbled_echo_makes_no_later_echo_an_answer(make_memory_rig):
    """The file says that this line echoes: our own question must never be read as what the contacts say."""
    rig = await make_memory_rig(**ONE_BOARD, status_bytes=1, closed_value=1, echo="drop")
    rig.core.echo()
    rig.core.push_open(8, 0.0)
    assert [(await rig.doors.sweep())[door].state for door in (1, 8)] == [CLOSED, OPEN]
    rig.core.garble_echoes(1)
    await rig.doors.follow(2)
    assert rig.doors.echoes
    for _ in range(3):
        await rig.clock.sleep(1.0)
        swept = await rig.doors.sweep()
        assert [swept[door].state for door in (1, 8)] == [CLOSED, OPEN]


async def test_two_boards_with_one_address_are_garbled(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.twin(1)
    assert told(await rig.doors.state(1)) == (UNKNOWN, Why.GARBLED)
    assert (await rig.doors.sweep())[4].state is CLOSED, "the other board goes on"


@pytest.mark.parametrize("variant", [0, 1])
async def test_a_spoken_frame_only_makes_the_driver_look(make_rig, variant):
    rig = await make_rig(poll_ms=2000)
    if not rig.core.dialect.speak(1, 2, 0, variant):
        pytest.skip("boards of this kind never speak unasked")
    assert (await rig.doors.sweep())[2].state is CLOSED
    rig.hands.push_open(2)
    rig.hands.speak(2, variant)
    assert (await rig.sweep_until(lambda _: True))[2].state is CLOSED, "not due yet, and nothing was read"
    await rig.doors.state(1)  # whatever is asked next hears it
    assert rig.doors.counts.spoken == 1
    assert (await rig.doors.sweep())[2].state is OPEN


async def test_several_coils_never_run_at_once_on_one_supply(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.sag()
    assert await asyncio.gather(*(rig.doors.open(door, rig.soon()) for door in (1, 2, 3, 4))) == [Pulse.ACKED] * 4
    assert not rig.core.sags
    rig.hands.button(1)
    assert rig.core.sags, "the pretend supply does sag when coils overlap"


async def test_two_buses_on_one_supply_share_its_gate(make_memory_rig):
    one = await make_memory_rig()
    boards = MemoryBoards(PretendBoards(one.doors.profile), one.clock)
    supplies = {one.doors.profile.supply: Supply(one.clock)}
    doors = [connect(one.doors.profile, one.clock, board.open_port, supplies) for board in (one.boards, boards)]
    await one.doors.close()
    for each in doors:
        await each.start()
    assert await asyncio.gather(*(each.open(1, one.soon()) for each in doors)) == [Pulse.ACKED] * 2
    first, second = one.core.pulses[0], boards.core.pulses[0]
    assert second.start_at - first.end_at >= 0.149
    for each in doors:
        await each.close()


async def test_buses_of_all_makers_on_one_supply_share_its_gate():
    clock, supplies, buses = VirtualClock(datetime(2026, 11, 22, tzinfo=UTC)), {}, []
    for driver in DRIVERS:
        boards = MemoryBoards(PretendBoards(wired_profile(driver)), clock)
        buses.append((boards.core, connect(boards.core.profile, clock, boards.open_port, supplies)))
        await buses[-1][1].start()
    opened = await asyncio.gather(*(doors.open(1, clock.mono() + 30) for _, doors in buses))
    assert opened == [Pulse.ACKED] * len(DRIVERS)
    pulses = sorted((core.pulses[0] for core, _ in buses), key=lambda pulse: pulse.start_at)
    assert all(after.start_at - before.end_at >= 0.149 for before, after in pairwise(pulses))
    for _, doors in buses:
        await doors.close()


async def test_a_welded_relay_is_seen_as_a_door_that_does_not_shut(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.weld(1)
    await rig.doors.open(1, rig.soon())
    await rig.until(1, OPEN)
    assert not rig.hands.push_closed(1)
    assert (await rig.doors.state(1)).state is OPEN
    assert rig.core.pulses[0].end_at == float("inf")


async def test_a_board_that_resets_is_silent_and_comes_back(make_memory_rig):
    rig = await make_memory_rig()
    rig.hands.reset(1)
    swept = await rig.doors.sweep()
    assert (told(swept[1]), swept[4].state) == ((UNKNOWN, Why.SILENT), CLOSED)
    await rig.clock.sleep(2)
    assert (await rig.until(1, CLOSED)).state is CLOSED


async def test_power_lost_to_all_boards(make_memory_rig):
    rig = await make_memory_rig()
    rig.hands.lose_power(10)
    for _ in range(3):
        swept = await rig.doors.sweep()
        assert {told(seen) for seen in swept.values()} == {(UNKNOWN, Why.NO_POWER)}
        await rig.clock.sleep(0.5)
    await rig.clock.sleep(10)
    back = await rig.sweep_until(lambda seen: all(one.state is CLOSED for one in seen.values()))
    assert {seen.state for seen in back.values()} == {CLOSED}


async def test_a_dead_board_leaves_the_others_alone(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.die(2)
    for _ in range(10):
        swept = await rig.doors.sweep()
        assert [swept[door].state for door in (1, 2, 3)] == [CLOSED] * 3
        assert told(swept[4]) == (UNKNOWN, Why.SILENT)
        await rig.clock.sleep(0.5)
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED


async def test_many_dead_boards_do_not_slow_the_live_ones(make_memory_rig):
    rig = await make_memory_rig(
        boards=[{"address": address, "channels": 8} for address in range(1, 10)],
        doors=[{"door": address, "board": address, "lock": 1} for address in range(1, 10)],
    )
    for board in range(2, 10):
        rig.core.die(board)
    for _ in range(4):
        await rig.doors.sweep()
        await rig.clock.sleep(0.5)
    before = rig.clock.mono()
    assert (await rig.doors.sweep())[1].state is CLOSED
    assert rig.clock.mono() - before < 0.5


async def test_open_all_pressed_on_the_board_is_seen(make_memory_rig):
    rig = await make_memory_rig()
    before = await rig.doors.sweep()
    rig.hands.button(1)
    await rig.clock.sleep(1)
    assert [change.door for change in changes(before, await rig.doors.sweep())] == [1, 2, 3]
    assert not any(pulse.asked for pulse in rig.core.pulses)


async def test_a_door_opened_from_outside_is_seen(make_memory_rig):
    rig = await make_memory_rig()
    before = await rig.doors.sweep()
    rig.hands.push_open(4)
    await rig.clock.sleep(1)
    assert [change.door for change in changes(before, await rig.doors.sweep())] == [4]


async def test_what_is_too_old_is_stale_and_a_sweep_is_not_repeated_too_soon(make_memory_rig):
    rig = await make_memory_rig()
    assert {told(seen) for seen in rig.doors.last().values()} == {(UNKNOWN, Why.STALE)}
    await rig.doors.sweep()
    asked = len(rig.core.requests)
    await rig.doors.sweep()
    assert len(rig.core.requests) == asked
    await rig.clock.sleep(0.5)
    await rig.doors.sweep()
    assert len(rig.core.requests) == asked + 2, "one read of each board confirms what was said a moment ago"
    await rig.clock.sleep(1.6)
    assert {told(seen) for seen in rig.doors.last().values()} == {(UNKNOWN, Why.STALE)}
    await rig.doors.sweep()
    assert len(rig.core.requests) == asked + 6, "after so long nothing is confirmed by one read"


async def test_a_coil_is_not_pulsed_more_often_than_it_bears(make_memory_rig):
    rig = await make_memory_rig()
    assert [await rig.doors.open(1, rig.soon()) for _ in range(4)] == [Pulse.ACKED] * 3 + [Pulse.REFUSED]
    assert await rig.doors.open(2, rig.soon()) is Pulse.ACKED
    await rig.clock.sleep(31)
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert [pulse.door for pulse in rig.core.pulses] == [1, 1, 1, 2, 1]


async def test_nothing_is_ever_said_wrongly_on_a_very_bad_line(make_memory_rig):
    """Broken, cut and late frames with junk, by seed: what is said to be open or closed is so."""
    rig = await make_memory_rig()
    chance = random.Random(7)
    for _ in range(300):
        rig.core.flip(chance.choice((0, 0, 1)), keep_checksum=False)
        rig.core.junk(chance.choice((0, 0, 4, 9)))
        rig.core.answer_late(chance.choice((0, 0, 0, 190, 300)))
        rig.core.mute_next(chance.choice((0, 0, 1)))
        if chance.random() < 0.2:
            rig.core.cut(chance.randrange(6))
        door = chance.randrange(1, 5)
        chance.choice((rig.hands.push_open, rig.hands.push_closed, lambda door: None))(door)
        truth = rig.hands.state(door)
        assert (await rig.doors.state(door)).state in (truth, UNKNOWN)
        await rig.clock.sleep(1.0)
        assert (await rig.doors.sweep())[door].state in (truth, UNKNOWN)
