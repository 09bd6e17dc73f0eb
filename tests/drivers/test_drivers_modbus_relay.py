"""What is peculiar to relay boards: the answer is the request, inputs are wired as one likes, all relays let go."""

import pytest

from drivers.wired import codec_for
from parcelwall.drivers import DoorState, Pulse
from parcelwall.drivers.frames import Bad, Echo, NeedMore, Reply
from parcelwall.drivers.modbus_relay import TENTHS, crc, pulse_frame
from parcelwall.drivers.pretend.dialect_modbus_relay import check, say_inputs

OPEN, CLOSED = DoorState.OPEN, DoorState.CLOSED


@pytest.fixture
def driver():
    return "modbus_relay"


@pytest.mark.parametrize("body", [b"", b"\0", b"123456789", bytes(range(256))])
def test_two_ways_of_the_checksum_agree(body):
    assert crc(body) == check(body)


def test_the_checksum_is_the_one_of_the_standard():
    assert crc(b"123456789") == bytes.fromhex("37 4B"), "CRC-16/MODBUS has the check value 4B37"


def test_a_pulse_lasts_a_tenth_of_a_second_to_two():
    assert {pulse_frame(1, 1, tenths)[5] for tenths in TENTHS} == set(range(1, 21))
    for wrong in (0, 21, 0x7FFF, 0xFF00, 5.0, True):
        with pytest.raises(ValueError, match="1 to 20"):
            pulse_frame(1, 1, wrong)


def test_the_answer_is_the_request_and_proves_nothing_while_the_line_may_echo():
    codec = codec_for("modbus_relay")
    for echo, kind in ((True, Echo), (False, Reply)):
        request = codec.open_one(1, 1, echo)
        assert isinstance(codec.decode(request.frame, request.expect), kind)
    other = codec.open_one(1, 2, echo=False).frame
    assert codec.decode(other, codec.open_one(1, 1, echo=False).expect) == Bad(1, 1)


def test_the_echo_of_a_read_is_known_by_its_third_byte():
    request = codec_for("modbus_relay").ask_board(1, echo=True)
    assert codec_for("modbus_relay").decode(request.frame, request.expect) == Echo(8, 0)
    assert codec_for("modbus_relay").decode(request.frame[:7], request.expect) == NeedMore(0, 0)


def test_as_many_bytes_as_the_board_was_learned_to_say():
    codec = codec_for("modbus_relay", status_bytes=2, boards=[{"address": 1, "channels": 16}],
                      doors=[{"door": 1, "board": 1, "lock": 16}])  # fmt: skip
    request = codec.ask_board(1, echo=False)
    assert request.frame[:6] == bytes.fromhex("01 02 00 00 00 10")
    assert codec.decode(say_inputs(1, 0x8001, 2), request.expect) == Reply(request.expect.kind, 1, 0x8001, 7, 0)
    assert codec.decode(say_inputs(1, 0x01, 1), request.expect) == Bad(1, 1)


async def test_all_relays_are_let_go_at_the_start(make_rig):
    rig = await make_rig()
    await rig.doors.close()
    rig.core.requests.clear()
    rig.core.die(2)
    await rig.doors.start()
    rested = [each.asked.board for each in rig.core.requests if each.asked.what == "rest"]
    assert rested == [1], "and a dead board keeps nobody from starting"
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED


async def test_an_input_need_not_have_the_number_of_its_relay(make_memory_rig):
    doors = [{"door": 1, "board": 1, "lock": 1, "input": 5}, {"door": 2, "board": 1, "lock": 5, "input": 2}]
    rig = await make_memory_rig(doors=doors)
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    assert (await rig.until(1, OPEN)).state is OPEN
    assert {door: seen.state for door, seen in (await rig.doors.sweep()).items()} == {1: OPEN, 2: CLOSED}
    assert rig.hands.states() == {1: OPEN, 2: CLOSED}


async def test_one_lock_may_have_the_other_polarity(make_memory_rig):
    doors = [{"door": 1, "board": 1, "lock": 1}, {"door": 2, "board": 1, "lock": 2, "closed_value": 0}]
    rig = await make_memory_rig(doors=doors)
    assert [seen.state for seen in (await rig.doors.sweep()).values()] == [CLOSED, CLOSED]
    rig.hands.push_open(2)
    assert (await rig.doors.state(2)).state is OPEN
