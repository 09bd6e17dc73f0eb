"""What is peculiar to WKLY boards: lengths from the wire, channels from 0 or 1, doors that cannot be told."""

import pytest

from drivers.wired import codec_for
from parcelwall.drivers.frames import Bad, Echo, NeedMore, Reply, Spoken
from parcelwall.drivers.pretend.dialect_wkly import say

CODEC = codec_for("wkly")


@pytest.mark.parametrize(
    "frame",
    [
        say(2, 0x83, 0, 1, 1),  # another board
        say(1, 0x83, 0, 2, 1),  # another channel
        say(1, 0x83, 0, 1, 2),  # a door that is neither
        say(1, 0x83, 1, 1, 1),  # a status that is none
        say(1, 0x82, 0, 1, 1),  # another question's
        say(1, 0x83, 0, 1, 1)[:-1] + b"\0",  # the checksum
        say(1, 0x83, 0, 1, 1, 1),  # too long for its command
    ],
)
def test_all_of_an_answer_is_checked(frame):
    assert CODEC.decode(frame, CODEC.ask_door(1, 1).expect) == Bad(1, 1)


@pytest.mark.parametrize("doors", [(3, 1, 1), (1, 1, 1), (0,), (2, 1, 2)])
def test_a_whole_board_tells_as_many_doors_as_it_says(doors):
    assert CODEC.decode(say(1, 0x84, 0, *doors), CODEC.ask_board(1, echo=False).expect) == Bad(1, 1)


def test_what_is_not_told_is_not_known():
    found = CODEC.decode(say(1, 0x84, 0, 3, 1, 0xFF, 0), CODEC.ask_board(1, echo=False).expect)
    assert isinstance(found, Reply)
    assert [found.contact(number) for number in (1, 2, 3, 4)] == [1, None, 0, None]


def test_an_echo_is_known_by_its_length():
    for request in (CODEC.ask_door(1, 1), CODEC.ask_board(1, echo=False), CODEC.open_one(1, 1, echo=True)):
        assert CODEC.decode(request.frame, request.expect) == Echo(len(request.frame), 0)


def test_a_header_may_come_in_two_pieces_behind_junk():
    expect = CODEC.ask_door(1, 1).expect
    assert CODEC.decode(b"\0WW", expect) == NeedMore(2, 2)
    assert CODEC.decode(b"\0WKL", expect) == NeedMore(1, 1)
    assert CODEC.decode(b"WKWKLY\x0b", expect) == NeedMore(2, 2)


def test_a_length_out_of_range_is_not_waited_for():
    assert CODEC.decode(b"WKLY\xff\x01\x83", CODEC.ask_door(1, 1).expect) == Bad(1, 1)


@pytest.mark.parametrize("frame", [say(1, 0x85, 2, 3, 1), say(1, 0x85, 0, 3, 2), say(32, 0x85, 0, 3, 1)])
def test_all_of_a_spoken_frame_is_checked(frame):
    """The first was found by fuzzing: two flips that the checksum passes."""
    assert CODEC.decode(frame, None) == Bad(1, 1)


def test_a_spoken_channel_below_the_first_is_nobody():
    assert CODEC.decode(say(1, 0x85, 0, 0, 1), None) == Bad(1, 1)
    assert codec_for("wkly", lock_base=0).decode(say(1, 0x85, 0, 0, 1), None) == Spoken(1, 1, 1, 11, 0)
