"""The 8A frames of hardware.md 2.4 as recorded, both ways; what cannot be made; what garbage does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.drivers.frames import Bad, Echo, Expect, Kind, NeedMore, Reply, Spoken
from parcelwall.drivers.pretend import dialect8a
from parcelwall.drivers.xor8a import checksum, decode, open_frame, query_all_frame, query_one_frame


def expect(kind=Kind.DOOR, board=1, lock=1, status_bytes=3, low_first=False, echo=False):
    frames = {Kind.OPEN: open_frame, Kind.DOOR: query_one_frame}
    sent = query_all_frame(board) if kind is Kind.BOARD else frames[kind](board, lock)
    return Expect(kind, board, lock, sent, status_bytes, low_first, echo)


def whole(board=1, status_bytes=3, low_first=False, echo=False):
    return expect(Kind.BOARD, board, 0, status_bytes, low_first, echo)


MADE = [
    (open_frame(1, 1), "8A 01 01 11 9B"),
    (open_frame(1, 2), "8A 01 02 11 98"),
    (open_frame(3, 12), "8A 03 0C 11 94"),
    (open_frame(31, 24), "8A 1F 18 11 9C"),
    (query_one_frame(1, 1), "80 01 01 33 B3"),
    (query_all_frame(1), "80 01 00 33 B2"),
    (query_all_frame(2), "80 02 00 33 B1"),
    (query_all_frame(31), "80 1F 00 33 AC"),
]


@pytest.mark.parametrize(("frame", "recorded"), MADE, ids=[recorded for _, recorded in MADE])
def test_requests_are_made_byte_for_byte_and_boards_understand_them(frame, recorded):
    assert frame == bytes.fromhex(recorded)
    asked = dialect8a.take(bytearray(frame))
    assert asked is not None
    assert asked[1:3] == (frame[1], frame[2])
    assert asked.what == {0x8A: "open", 0x80: "one" if frame[2] else "all"}[frame[0]]


ALL_24, ALL_50 = (1 << 24) - 1, (1 << 50) - 1
HEARD = [
    ("8A 01 01 00 8A", expect(Kind.OPEN), 0b0),
    ("8A 01 01 11 9B", expect(Kind.OPEN), 0b1),
    ("80 01 01 00 80", expect(), 0b0),
    ("80 01 01 11 91", expect(), 0b1),
    ("80 01 00 00 00 33 B2", whole(), 0),
    ("80 01 FF FF FF 33 4D", whole(), ALL_24),
    ("80 01 FF FF FF FF FF FF 03 33 B1", whole(status_bytes=7, low_first=True), ALL_50),
    ("80 01 00 00 02 33 B0", whole(), 1 << 1),  # lock 2, by the publisher's own order
    ("80 01 00 00 20 33 92", whole(), 1 << 5),  # labelled "lock 5"; by the same order it is lock 6
    ("80 01 FF FF FD 33 4F", whole(), ALL_24 & ~(1 << 1)),
    ("80 01 FD FF FF 33 4F", whole(), ALL_24 & ~(1 << 17)),  # same checksum, another lock
    ("80 01 FD FF FF 33 4F", whole(low_first=True), ALL_24 & ~(1 << 1)),
]


@pytest.mark.parametrize(("recorded", "asked", "contacts"), HEARD)
def test_recorded_replies_mean_what_was_recorded(recorded, asked, contacts):
    frame = bytes.fromhex(recorded)
    assert decode(frame, asked) == Reply(asked.kind, asked.board, contacts, used=len(frame), junk=0)


def test_pretend_boards_say_the_recorded_replies():
    assert dialect8a.say_lock(0x8A, 1, 1, 0) == bytes.fromhex("8A 01 01 00 8A")
    assert dialect8a.say_lock(0x80, 1, 1, 0) == bytes.fromhex("80 01 01 00 80")
    assert dialect8a.say_lock(0x80, 1, 1, 1) == bytes.fromhex("80 01 01 11 91")
    assert dialect8a.say_board(1, 0, 3, False) == bytes.fromhex("80 01 00 00 00 33 B2")
    assert dialect8a.say_board(1, ALL_24, 3, False) == bytes.fromhex("80 01 FF FF FF 33 4D")
    assert dialect8a.say_board(1, ALL_50, 7, True) == bytes.fromhex("80 01 FF FF FF FF FF FF 03 33 B1")
    assert dialect8a.say_lock(0x82, 1, 1, 1) == bytes.fromhex("82 01 01 11 93")


@pytest.mark.parametrize(("recorded", "contact"), [("82 01 01 11 93", 1), ("82 01 01 00 82", 0), ("81 01 01 11 90", 1)])
@pytest.mark.parametrize("asked", [None, expect(), expect(Kind.OPEN), whole()])
def test_spoken_frames_answer_nothing(recorded, contact, asked):
    assert decode(bytes.fromhex(recorded), asked) == Spoken(1, 1, contact, used=5, junk=0)


MUST_BE_REFUSED = [
    bytes.fromhex(frame) for frame in ("8A 01 00 11 9A", "8A 02 00 11 99", "90 01 02 02 02 93", "9A 01 01 11 8B")
]


def test_forbidden_frames_cannot_be_made_for_any_board_and_lock():
    made = set()
    for board in range(-1, 301):
        for lock in range(-1, 301):
            for make in (open_frame, query_one_frame):
                try:
                    frame = make(board, lock)
                except ValueError:
                    assert not (1 <= board <= 99 and 1 <= lock <= 50)
                else:
                    assert frame[0] in (0x8A, 0x80)
                    assert frame[1:3] == bytes((board, lock))
                    assert len(frame) == 5
                    assert lock > 0
                    made.add(frame)
    assert len(made) == 2 * 99 * 50
    assert not made.intersection(MUST_BE_REFUSED)


@pytest.mark.parametrize("wrong", [True, 1.0, "1", None, -1, 0, 100])
def test_a_board_is_a_whole_number_from_1_to_99(wrong):
    with pytest.raises(ValueError, match="8A boards are 1 to 99"):
        query_all_frame(wrong)


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
    short = dialect8a.say_board(1, 0b101, 1, False)
    assert decode(short, whole()) == NeedMore(0, 0)
    assert decode(short + b"\0\0", whole()) == Bad(1, 1)
    assert decode(short, whole(status_bytes=1)) == Reply(Kind.BOARD, 1, 0b101, 5, 0)


def test_a_reply_that_begins_like_our_query_is_a_reply():
    frame = dialect8a.say_board(1, 0x0033B2, 3, False)
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


EXPECTS = [expect(), expect(Kind.OPEN), expect(Kind.OPEN, echo=True), whole(), whole(status_bytes=1), None]
PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([bytes.fromhex(recorded) for recorded, _, _ in HEARD]),
    st.sampled_from([bytes.fromhex(recorded) for recorded, _, _ in HEARD]).flatmap(
        lambda frame: st.integers(0, len(frame)).map(lambda kept: frame[:kept])
    ),
    st.sampled_from([0x80, 0x8A, 0x81, 0x82, 0x33, 0x11]).map(lambda byte: bytes((byte,))),
)


def is_good(frame: bytes, asked: Expect) -> bool:
    """Told apart from the codec: header, board, lock or marker, length, checksum."""
    if checksum(frame) or frame[1] != asked.board:
        return False
    if asked.kind is Kind.BOARD:
        return len(frame) == asked.status_bytes + 4 and frame[0] == 0x80 and frame[-2] == 0x33
    head = 0x8A if asked.kind is Kind.OPEN else 0x80
    return len(frame) == 5 and frame[0] == head and frame[2] == asked.lock and frame[3] in (0x00, 0x11)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=6), st.sampled_from(EXPECTS))
def test_garbage_never_raises_and_never_answers(pieces, asked):
    buffer = b"".join(pieces)
    while True:
        found = decode(buffer, asked)
        assert 0 <= found.junk <= found.used <= len(buffer)
        if isinstance(found, Reply):
            assert asked is not None
            assert is_good(buffer[found.junk : found.used], asked)
        if isinstance(found, NeedMore):
            return
        assert found.used > 0, "each step goes on"
        buffer = buffer[found.used :]
