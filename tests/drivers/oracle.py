"""A codec held against its pretend boards, written apart from it.

What it takes for an answer must be, byte for byte, what a board would say whose contacts read so.
"""

from drivers.test_drivers_frames import asked_of
from drivers.wired import codec_for, wired_profile
from parcelwall.drivers import DRIVERS
from parcelwall.drivers.frames import Codec, Expect, Kind, NeedMore, Reply, Spoken
from parcelwall.drivers.pretend.dialect import Contacts, Dialect, dialect_of
from parcelwall.drivers.pretend.dialect_modbus_relay import check

CODECS = {driver: codec_for(driver) for driver in DRIVERS}
DIALECTS = {driver: dialect_of(wired_profile(driver)) for driver in DRIVERS}
KINDS = [Kind.OPEN, Kind.DOOR, Kind.BOARD, Kind.REST]


def questions(codec: Codec) -> list[Expect]:
    kinds = [kind for kind in KINDS if kind is not Kind.REST or codec.rest(1, echo=False) is not None]
    return [asked_of(codec, kind, 1, 1, echo).expect for kind in kinds for echo in (False, True)]


def read_through(driver: str, buffer: bytes, expect: Expect | None) -> None:
    """Decodes until the codec wants more, and believes nothing that it says."""
    for _ in range(len(buffer) + 1):
        found = CODECS[driver].decode(buffer, expect)
        assert 0 <= found.junk <= found.used <= len(buffer)
        said = buffer[found.junk : found.used]
        if isinstance(found, Reply):
            assert expect is not None, "unasked only spoken frames are heard"
            check_answer(driver, said, expect, found)
        if isinstance(found, Spoken):
            assert said in [DIALECTS[driver].speak(found.board, found.lock, found.contact, each) for each in (0, 1)]
        if isinstance(found, NeedMore):
            return
        assert found.used > 0, "each step goes on"
        buffer = buffer[found.used :]
    raise AssertionError("it never asked for more")


def check_answer(driver: str, said: bytes, expect: Expect, reply: Reply) -> None:
    assert (reply.kind, reply.board) == (expect.kind, expect.board)
    frame = plain(driver, said)
    assert frame in could_be_said(DIALECTS[driver], expect, reply) or is_a_no(driver, frame, reply)


def plain(driver: str, frame: bytes) -> bytes:
    """A CU16 frame without its item sensors and without a lock in its address, if its sum was right."""
    if driver != "kerong16" or sum(frame[:-1]) & 0xFF != frame[-1]:
        return frame
    body = bytes((frame[0], frame[1] & 0xF0)) + frame[2:5] + b"\0\0" + frame[7:-1]
    return body + bytes((sum(body) & 0xFF,))


def could_be_said(dialect: Dialect, expect: Expect, reply: Reply) -> list[bytes]:
    asked = dialect.take(bytearray(expect.sent))
    assert asked is not None
    if reply.refused:
        return [dialect.refuse(asked)]
    said = []
    for channels in range(1, 65):
        contacts = Contacts(
            channels, lambda number: None if reply.unsure >> (number - 1) & 1 else reply.contact(number)
        )
        try:
            said.append(dialect.answer(asked, contacts))
        except OverflowError:  # more contacts than the frame has bits for
            break
    return said


def is_a_no(driver: str, frame: bytes, reply: Reply) -> bool:
    """A Modbus board may give other reasons than the pretend one does."""
    return driver == "modbus_relay" and reply.refused and frame[1] in (0x82, 0x85) and check(frame[:3]) == frame[3:]
