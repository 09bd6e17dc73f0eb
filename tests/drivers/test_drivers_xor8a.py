"""What is peculiar to the 8A board: echoes that look like answers, replies of several lengths, a weak checksum."""

import pytest

from parcelwall.drivers.frames import Bad, Echo, Expect, Kind, NeedMore, Reply
from parcelwall.drivers.pretend import dialect_xor8a
from parcelwall.drivers.xor8a import decode, open_frame, query_all_frame, query_one_frame


def expect(kind=Kind.DOOR, board=1, lock=1, status_bytes=3, low_first=False, echo=False):
    frames = {Kind.OPEN: open_frame, Kind.DOOR: query_one_frame}
    sent = query_all_frame(board) if kind is Kind.BOARD else frames[kind](board, lock)
    return Expect(kind, board, lock, sent, status_bytes, low_first, echo)


def whole(board=1, status_bytes=3, low_first=False, echo=False):
    return expect(Kind.BOARD, board, 0, status_bytes, low_first, echo)


def test_an_echo_is_never_a_reply():
    assert decode(query_one_frame(1, 1), expect()) == Echo(5, 0)
    assert decode(open_frame(1, 1), expect(Kind.OPEN, echo=True)) == Echo(5, 0)
    # The echo of query-all is a valid reply of one status byte. With three learned it can be none ...
    assert decode(query_all_frame(1), whole()) == NeedMore(0, 0)
    assert decode(query_all_frame(1) + bytes.fromhex("80 01 FF FF FF 33 4D"), whole()) == Echo(5, 0)
    # ... and with one learned it is taken for an echo as long as the line may echo.
    assert decode(query_all_frame(1), whole(status_bytes=1, echo=True)) == Echo(5, 0)
    assert decode(query_all_frame(1), whole(status_bytes=1)) == Reply(Kind.BOARD, 1, 0, 5, 0)


def test_one_status_byte_is_refused_unless_learned():
    short = dialect_xor8a.say_board(1, 0b101, 1, False)
    assert decode(short, whole()) == NeedMore(0, 0)
    assert decode(short + b"\0\0", whole()) == Bad(1, 1)
    assert decode(short, whole(status_bytes=1)) == Reply(Kind.BOARD, 1, 0b101, 5, 0)


def test_a_reply_that_begins_like_our_query_is_a_reply():
    frame = dialect_xor8a.say_board(1, 0x0033B2, 3, False)
    assert frame[:5] == query_all_frame(1)
    assert decode(frame, whole()) == Reply(Kind.BOARD, 1, 0x0033B2, 7, 0)


def test_junk_before_the_header_is_skipped_and_counted():
    assert decode(bytes.fromhex("00 FF 13 80 01 01 11 91"), expect()) == Reply(Kind.DOOR, 1, 1, 8, 3)
    assert decode(bytes.fromhex("00 FF 13"), expect()) == NeedMore(3, 3)
    assert decode(bytes.fromhex("00 80 01"), expect()) == NeedMore(1, 1)


@pytest.mark.parametrize(
    "frame",
    [
        "80 02 01 11 92",  # another board
        "80 01 02 11 92",  # another lock
        "80 01 01 01 81",  # a status that is none
        "80 01 01 11 90",  # checksum
        "80 01 00 01 80",  # two flips in one column, which the checksum passes
    ],
)
def test_address_lock_status_and_checksum_are_checked_together(frame):
    assert decode(bytes.fromhex(frame), expect()) == Bad(1, 1)
