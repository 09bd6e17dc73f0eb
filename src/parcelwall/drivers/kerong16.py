"""Kerong KR-CU16 and CU12, the 5-byte form: 19200 8N1, the sum of all bytes at the end. Source: hardware.md 2.5.

    function    request           reply
    status      02 B0 30 03 S     02 B0 35 H1 H2 I1 I2 03 S
    open one    02 BL 31 03 S     none, or a frame like the one above

B board 0 to 9 in the high half of a byte, L lock 0 to 15 in the low half, H1 the hooks of locks 1 to 8, H2 of 9 to 16,
I1 and I2 the item sensors, S the low byte of the sum of all bytes before it. A lock is 1 to 16 here, as on the board.
Opening all (33), opening later (39), the broadcast address F and other settings of the board cannot be made here.

03 is no end mark, for it may stand among the hooks: length goes by the command.
"""

from parcelwall.drivers.driver import Driver
from parcelwall.drivers.frames import Bad, Decoded, Echo, Expect, Kind, NeedMore, Reply, Request
from parcelwall.drivers.profile import Profile

START, END = 0x02, 0x03
STATUS, OPEN, TOLD = 0x30, 0x31, 0x35
BOARDS, LOCKS = range(10), range(1, 17)
SHORT, LONG = 5, 9  # bytes of a request, of a reply


def checksum(body: bytes | bytearray) -> int:
    return sum(body) & 0xFF


def open_frame(board: int, lock: int) -> bytes:
    """Drive one coil once. Raises ValueError for any board or lock that is not exactly one."""
    return _frame(_board(board) << 4 | _lock(lock) - 1, OPEN)


def status_frame(board: int) -> bytes:
    """Read all contacts of one board. Raises ValueError for a board out of 0 to 9."""
    return _frame(_board(board) << 4, STATUS)


def _frame(address: int, command: int) -> bytes:
    body = bytes((START, address, command, END))
    return body + bytes((checksum(body),))


def _board(board: int) -> int:
    if type(board) is not int or board not in BOARDS:
        raise ValueError(f"board {board!r} cannot be addressed: CU16 boards are 0 to 9, and 15 would mean all of them")
    return board


def _lock(lock: int) -> int:
    if type(lock) is not int or lock not in LOCKS:
        raise ValueError(f"lock {lock!r} cannot be addressed: CU16 locks are 1 to 16")
    return lock


def decode(buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
    """The first frame in the buffer, checked by start, address, command, length, end mark and sum together."""
    if expect is None:
        return NeedMore(len(buffer), len(buffer))  # these boards never speak by themselves
    junk = buffer.find(START)
    if junk < 0:
        return NeedMore(len(buffer), len(buffer))
    rest = bytes(buffer[junk : junk + LONG])
    if rest[:SHORT] == expect.sent[: len(rest)]:  # a reply differs from its request in the third byte
        return Echo(junk + SHORT, junk) if len(rest) >= SHORT else NeedMore(junk, junk)
    if not _may_begin(rest, expect):
        return Bad(junk + 1, junk + 1)
    if len(rest) < LONG:
        return NeedMore(junk, junk)
    if rest[-2] != END or checksum(rest[:-1]) != rest[-1]:
        return Bad(junk + 1, junk + 1)
    contacts = int.from_bytes(rest[3:5], "little" if expect.low_first else "big")
    return Reply(expect.kind, expect.board, contacts, junk + LONG, junk)


def _may_begin(rest: bytes, expect: Expect) -> bool:
    """Address and command, as far as they are there. An ack may name the lock in its address, or not."""
    addresses = {expect.board << 4}
    if expect.kind is Kind.OPEN:
        addresses.add(expect.board << 4 | expect.lock - 1)
    return (len(rest) < 2 or rest[1] in addresses) and (len(rest) < 3 or rest[2] == TOLD)


class Kerong16:
    """The codec of one bus, by its profile. Raises ValueError where the module's functions do."""

    alike = True  # an opening is answered like a read, if at all

    def __init__(self, profile: Profile) -> None:
        self._low_first = profile.status_order == "low_first"

    def open_one(self, board: int, lock: int, echo: bool) -> Request:
        return self._request(Kind.OPEN, board, lock, open_frame(board, lock), echo)

    def ask_door(self, board: int, number: int) -> Request:
        """These boards tell all contacts or none."""
        return self._request(Kind.DOOR, board, _lock(number), status_frame(board), echo=True)

    def ask_board(self, board: int, echo: bool) -> Request:
        return self._request(Kind.BOARD, board, 0, status_frame(board), echo)

    def rest(self, board: int, echo: bool) -> Request | None:
        return None  # the board times its pulses, and there is no frame to end one

    def decode(self, buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
        return decode(buffer, expect)

    def _request(self, kind: Kind, board: int, lock: int, frame: bytes, echo: bool) -> Request:
        return Request(frame, Expect(kind, board, lock, frame, 2, self._low_first, echo))


def problems(profile: Profile) -> list[str]:
    """What the frame has no room for."""
    wrong = [] if profile.lock_base == 0 else ["`lock_base` is 1, but CU16 boards count from 0. Leave it out"]
    if any(profile.status_bytes_of(board) != 2 for board in profile.boards):
        wrong.append("`status_bytes` is always 2 on CU16 boards. Leave it out")
    return wrong


DRIVER = Driver(
    codec=Kerong16, boards=BOARDS, locks=LOCKS, problems=problems,
    usual={
        "baud": 19200, "lock_base": 0, "status_bytes": 2, "status_order": "low_first", "closed_value": 1,
        "contact": "hook", "pulse_ms": 500, "timeout_ms": 200, "open_timeout_ms": 400, "gap_ms": 10,
    },
)  # fmt: skip
