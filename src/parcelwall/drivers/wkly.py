"""Boards whose frames begin with WKLY: 8N1 at a baud that commissioning finds, XOR checksum. Source: hardware.md 2.7.

    function    request                     reply
    open one    WKLY 09 AA 82 CC X          WKLY 0B AA 82 ST CC DD X
    query one   WKLY 09 AA 83 CC X          WKLY 0B AA 83 ST CC DD X
    query all   WKLY 08 AA 84 X             WKLY LL AA 84 ST NN DD.. X
    spoken                                  WKLY 0B AA 85 ST CC DD X

The byte behind WKLY is the length of the whole frame. AA board 0 to 31, CC channel from 0 or 1 (the profile's
lock_base), ST 00 good or FF failed, NN how many doors follow, DD 00 open, 01 closed, FF cannot tell, X the XOR of all
bytes before it. Opening several (80, 87), all (86), holding (88, 89) and the lamp (81) cannot be made here.
"""

from functools import reduce
from operator import xor

from parcelwall.drivers.driver import Driver
from parcelwall.drivers.frames import Bad, Decoded, Echo, Expect, Kind, NeedMore, Reply, Request, Spoken
from parcelwall.drivers.profile import Profile

HEADER = b"WKLY"
OPEN, ONE, ALL, SPOKEN = 0x82, 0x83, 0x84, 0x85
GOOD, FAILED = 0x00, 0xFF
BOARDS, LOCKS = range(32), range(1, 65)
LENGTHS = {OPEN: (9, 11), ONE: (9, 11), ALL: range(8, 75), SPOKEN: (11,)}
HEAD_BYTES = 7  # up to the command


def frame(board: int, command: int, data: bytes = b"") -> bytes:
    """One frame, with its length and checksum."""
    body = HEADER + bytes((len(data) + HEAD_BYTES + 1, board, command)) + data
    return body + bytes((reduce(xor, body),))


def _board(board: int) -> int:
    if type(board) is not int or board not in BOARDS:
        raise ValueError(f"board {board!r} cannot be addressed: WKLY boards are 0 to 31")
    return board


def _lock(lock: int) -> int:
    if type(lock) is not int or lock not in LOCKS:
        raise ValueError(f"lock {lock!r} cannot be addressed: WKLY locks are 1 to 64")
    return lock


def _start(buffer: bytes | bytearray) -> int:
    """Where a header begins, or might, as far as it is there."""
    place = buffer.find(HEADER)
    if place >= 0:
        return place
    kept = next((size for size in (3, 2, 1) if buffer.endswith(HEADER[:size])), 0)
    return len(buffer) - kept


class Wkly:
    """The codec of one bus, by its profile. Raises ValueError for a board or lock that is not exactly one."""

    alike = False  # another command

    def __init__(self, profile: Profile) -> None:
        self._base = profile.lock_base

    def open_one(self, board: int, lock: int, echo: bool) -> Request:
        return self._request(Kind.OPEN, board, lock, frame(_board(board), OPEN, self._channel(lock)))

    def ask_door(self, board: int, number: int) -> Request:
        return self._request(Kind.DOOR, board, number, frame(_board(board), ONE, self._channel(number)))

    def ask_board(self, board: int, echo: bool) -> Request:
        return self._request(Kind.BOARD, board, 0, frame(_board(board), ALL))

    def rest(self, board: int, echo: bool) -> Request | None:
        return None  # the board times its pulses

    def _channel(self, lock: int) -> bytes:
        return bytes((_lock(lock) - 1 + self._base,))

    def _request(self, kind: Kind, board: int, lock: int, sent: bytes) -> Request:
        """An echo is always known by its length, whether the line may echo or not."""
        return Request(sent, Expect(kind, board, lock, sent, 0, True, False))

    def decode(self, buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
        """The first frame in the buffer, checked by header, length, address, command, channel and XOR together."""
        junk = _start(buffer)
        rest = bytes(buffer[junk:])
        if len(rest) < HEAD_BYTES:
            return NeedMore(junk, junk)
        length, command = rest[4], rest[6]
        if length not in LENGTHS.get(command, ()):
            return Bad(junk + 1, junk + 1)
        if len(rest) < length:
            return NeedMore(junk, junk)
        whole = rest[:length]
        good = reduce(xor, whole) == 0
        if good and command == SPOKEN:
            return self._spoken(whole, junk) or Bad(junk + 1, junk + 1)
        if expect is not None and whole == expect.sent:
            return Echo(junk + length, junk)
        found = expect and good and whole[5:7] == expect.sent[5:7] and self._answer(whole, junk, expect)
        return found or Bad(junk + 1, junk + 1)

    def _spoken(self, whole: bytes, junk: int) -> Spoken | None:
        board, (status, channel, door) = whole[5], whole[7:10]
        lock = channel - self._base + 1
        if board in BOARDS and status == GOOD and lock in LOCKS and door in (0, 1):
            return Spoken(board, lock, door, junk + len(whole), junk)
        return None

    def _answer(self, whole: bytes, junk: int, expect: Expect) -> Reply | None:
        status, used = whole[7], junk + len(whole)
        if status == FAILED:
            return Reply(expect.kind, expect.board, 0, used, junk, refused=True)
        first, doors = (1, whole[9:-1]) if expect.kind is Kind.BOARD else (expect.lock, whole[9:10])
        # The byte before the doors: how many there are, or whose it is.
        right = len(doors) if expect.kind is Kind.BOARD else expect.sent[HEAD_BYTES]
        if status != GOOD or whole[8] != right or not doors or not set(doors) <= {0, 1, FAILED}:
            return None
        told = dict(enumerate(doors, start=first))
        contacts = sum(1 << (number - 1) for number, door in told.items() if door == 1)
        sure = sum(1 << (number - 1) for number, door in told.items() if door != FAILED)
        return Reply(expect.kind, expect.board, contacts, used, junk, unsure=~sure)


def problems(profile: Profile) -> list[str]:
    """These boards tell door by door, so there is no order of bytes to get wrong."""
    return [] if profile.status_order == "low_first" else ["`status_order` means nothing to WKLY boards. Leave it out"]


DRIVER = Driver(
    codec=Wkly, boards=BOARDS, locks=LOCKS, learned=("baud", "lock_base"), problems=problems,
    usual={
        "status_bytes": 8, "status_order": "low_first", "closed_value": 1, "open_reply": "required", "timeout_ms": 300,
        "open_timeout_ms": 500,
    },
)  # fmt: skip
