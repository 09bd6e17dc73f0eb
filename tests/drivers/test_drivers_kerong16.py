"""What is peculiar to the Kerong CU16: an ack that looks like a read, 03 among the data, a hook for a contact."""

import pytest

from drivers.wired import codec_for, wired_profile
from parcelwall.drivers import DoorState, Pulse
from parcelwall.drivers.bus import How
from parcelwall.drivers.frames import Bad, Echo, NeedMore, Reply
from parcelwall.drivers.pretend.dialect_kerong16 import say

OPEN, CLOSED = DoorState.OPEN, DoorState.CLOSED


@pytest.fixture
def driver():
    return "kerong16"


def test_boards_come_from_the_factory_with_hooks_at_19200():
    profile = wired_profile("kerong16")
    assert (profile.baud, profile.lock_base, profile.status_bytes, profile.closed_value) == (19200, 0, 2, 1)


def test_a_frame_ends_by_its_length_and_not_by_its_end_mark():
    expect = codec_for("kerong16").ask_board(1, echo=False).expect
    frame = say(1, 0x0303)
    assert frame[3:5] == b"\x03\x03"
    for kept in range(3, 9):
        assert codec_for("kerong16").decode(frame[:kept], expect) == NeedMore(0, 0)
    assert codec_for("kerong16").decode(frame, expect) == Reply(expect.kind, 1, 0x0303, 9, 0)


@pytest.mark.parametrize(
    "frame",
    [
        say(2, 0xFFFF),  # another board
        say(1, 0xFFFF, low_half=3),  # a lock in the address, which no read asked for
        say(1, 0xFFFF)[:-1] + b"\0",  # the sum
        bytes.fromhex("02 10 36 FF FF 00 00 03 49"),  # another command
        bytes.fromhex("02 10 35 FE FF 00 00 04 48"),  # another end mark
    ],
)
def test_address_command_and_sum_are_checked_together(frame):
    assert codec_for("kerong16").decode(frame, codec_for("kerong16").ask_board(1, echo=False).expect) == Bad(1, 1)


def test_an_echo_is_known_by_its_command():
    request = codec_for("kerong16").ask_board(1, echo=False)
    assert codec_for("kerong16").decode(request.frame, request.expect) == Echo(5, 0)
    assert codec_for("kerong16").decode(request.frame[:4], request.expect) == NeedMore(0, 0)


async def test_a_late_answer_to_a_read_acks_no_opening(make_rig):
    """Here an ack and a reading are the same bytes."""
    rig = await make_rig()
    bus = await rig.bare_bus()
    rig.core.answer_late(230)
    assert (await bus.read_board(1)).how is How.SILENT
    rig.core.answer_late(0)
    rig.core.mute_next(1)
    outcome = await bus.pulse(1, 1, rig.soon(), lambda at: None)
    await bus.close()
    assert (outcome.how, outcome.written) == (How.SILENT, True)
    assert bus.counts.late_bytes == 9


async def test_a_late_ack_tells_nothing_of_a_door(make_rig):
    rig = await make_rig()
    bus = await rig.bare_bus()
    rig.core.answer_late(330)
    assert (await bus.pulse(1, 1, rig.soon(), lambda at: None)).how is How.SILENT
    rig.core.answer_late(0)
    outcome = await bus.read_board(1)
    await bus.close()
    assert outcome.reply is not None
    assert outcome.reply.contact(1) == 0, "the door stands open by now; the ack was an early look"


async def test_boards_that_never_answer_to_an_opening_are_not_waited_for(make_memory_rig):
    rig = await make_memory_rig(open_reply="none")
    assert (await rig.doors.state(1)).state is CLOSED
    begun = rig.clock.mono()
    assert await rig.doors.open(1, rig.soon()) is Pulse.SILENT
    assert rig.clock.mono() - begun < 0.05
    assert (await rig.until(1, OPEN)).state is OPEN
    assert len(rig.core.pulses) == 1


async def test_the_low_half_may_stand_last(make_memory_rig):
    rig = await make_memory_rig(status_order="low_last")
    rig.hands.push_open(2)
    assert [seen.state for seen in (await rig.doors.sweep()).values()] == [CLOSED, OPEN, CLOSED, CLOSED]
