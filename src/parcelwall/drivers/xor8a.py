"""The "8A" lock board (Guangzhou Shuoming and many clones): 9600 8N1, XOR checksum. Source: hardware.md 2.4.

    function    request            reply
    open one    8A AA CC 11 X      8A AA CC ST X
    query one   80 AA CC 33 X      80 AA CC ST X
    query all   80 AA 00 33 X      80 AA S.. 33 X
    spoken                         82 AA CC ST X, also 81

AA board 1 to 99, CC lock 1 to 50, ST 11 or 00, X the XOR of all bytes before it. Lock 0 means *all locks* in an
opening, so it cannot be made here; nor can the frames for opening several (90) and for holding (9A, 9B).
"""

from functools import reduce
from operator import xor

from parcelwall.drivers.driver import Driver
from parcelwall.drivers.frames import Bad, Decoded, Echo, Expect, Kind, NeedMore, Reply, Request, Spoken
from parcelwall.drivers.profile import Profile

OPEN, QUERY, SPOKEN = 0x8A, 0x80, (0x82, 0x81)
DRIVE, ASK = 0x11, 0x33
CONTACTS = {0x00: 0, 0x11: 1}
BOARDS, LOCKS = range(1, 100), range(1, 51)
SHORT = 5  # bytes of every frame but the reply to query-all


def checksum(body: bytes | bytearray) -> int:
    return reduce(xor, body, 0)


def open_frame(board: int, lock: int) -> bytes:
    """Drive one coil once. Raises ValueError for any board or lock that is not exactly one."""
    return _frame(OPEN, _board(board), _lock(lock), DRIVE)


def query_one_frame(board: int, lock: int) -> bytes:
    """Read one contact. Raises ValueError like `open_frame`."""
    return _frame(QUERY, _board(board), _lock(lock), ASK)


def query_all_frame(board: int) -> bytes:
    """Read all contacts of one board. Raises ValueError for a board out of 1 to 99."""
    return _frame(QUERY, _board(board), 0, ASK)


def _frame(head: int, board: int, lock: int, code: int) -> bytes:
    return bytes((head, board, lock, code, head ^ board ^ lock ^ code))


def _board(board: int) -> int:
    if type(board) is not int or board not in BOARDS:
        raise ValueError(f"board {board!r} cannot be addressed: 8A boards are 1 to 99")
    return board


def _lock(lock: int) -> int:
    if type(lock) is not int or lock not in LOCKS:
        raise ValueError(f"lock {lock!r} cannot be addressed: 8A locks are 1 to 50, and 0 would mean all of them")
    return lock


def decode(buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
    """The first frame in the buffer, checked by header, address, lock or marker, length and checksum together."""
    head = OPEN if expect and expect.kind is Kind.OPEN else QUERY
    heads = (head, *SPOKEN) if expect else SPOKEN
    junk = next((place for place, byte in enumerate(buffer) if byte in heads), len(buffer))
    rest = bytes(buffer[junk:])
    if not rest:
        return NeedMore(junk, junk)
    if rest[0] in SPOKEN:
        return _spoken(rest, junk)
    assert expect is not None, "without a question only spoken frames are looked for"
    if expect.kind is Kind.BOARD:
        return _whole_board(rest, junk, expect)
    return _one_lock(rest, junk, expect)


def _one_lock(rest: bytes, junk: int, expect: Expect) -> Decoded:
    if len(rest) < SHORT:
        return NeedMore(junk, junk)
    frame = rest[:SHORT]
    if frame == expect.sent and (expect.echo or expect.kind is Kind.DOOR):
        return Echo(junk + SHORT, junk)  # an echoed query carries 33 as its status, which is never legal
    named = frame[1] == expect.board and frame[2] == expect.lock
    if not (named and frame[3] in CONTACTS and checksum(frame) == 0):
        return Bad(junk + 1, junk + 1)
    contacts = CONTACTS[frame[3]] << (expect.lock - 1)
    return Reply(expect.kind, expect.board, contacts, junk + SHORT, junk)


def _whole_board(rest: bytes, junk: int, expect: Expect) -> Decoded:
    length = expect.status_bytes + 4
    if len(rest) < length:
        return NeedMore(junk, junk)
    frame = rest[:length]
    echoed = rest[:SHORT] == expect.sent
    if echoed and length == SHORT and expect.echo:  # with one status byte, echo and reply are the same bytes
        return Echo(junk + SHORT, junk)
    if frame[1] == expect.board and frame[-2] == ASK and checksum(frame) == 0:
        contacts = int.from_bytes(frame[2:-2], "little" if expect.low_first else "big")
        return Reply(Kind.BOARD, expect.board, contacts, junk + length, junk)
    # Asked only now: a reply whose status bytes are 00 33 .. begins like our own query.
    if echoed:
        return Echo(junk + SHORT, junk)
    return Bad(junk + 1, junk + 1)


def _spoken(rest: bytes, junk: int) -> Decoded:
    if len(rest) < SHORT:
        return NeedMore(junk, junk)
    _, board, lock, status, _ = frame = rest[:SHORT]
    if board in BOARDS and lock in LOCKS and status in CONTACTS and checksum(frame) == 0:
        return Spoken(board, lock, CONTACTS[status], junk + SHORT, junk)
    return Bad(junk + 1, junk + 1)


class Xor8a:
    """The codec of one bus, by its profile. Raises ValueError where the module's functions do."""

    alike = False  # the answer to an opening has a head of its own

    def __init__(self, profile: Profile) -> None:
        self._low_first = profile.status_order == "low_first"
        self._usual_bytes = profile.status_bytes
        self._status_bytes = {board.address: profile.status_bytes_of(board) for board in profile.boards}
        # Frames are made once; there are at most a few hundred of them on a bus.
        self._made: dict[tuple[Kind, int, int, bool], Request] = {}

    def open_one(self, board: int, lock: int, echo: bool) -> Request:
        return self._request(Kind.OPEN, board, lock, echo)

    def ask_door(self, board: int, number: int) -> Request:
        return self._request(Kind.DOOR, board, number, echo=True)

    def ask_board(self, board: int, echo: bool) -> Request:
        return self._request(Kind.BOARD, board, 0, echo)

    def rest(self, board: int, echo: bool) -> Request | None:
        return None  # the frames for holding coils are never sent, so there is nothing to let go

    def decode(self, buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
        return decode(buffer, expect)

    def _request(self, kind: Kind, board: int, lock: int, echo: bool) -> Request:
        key = (kind, board, lock, echo)
        if key not in self._made:
            self._made[key] = self._make(kind, board, lock, echo)
        return self._made[key]

    def _make(self, kind: Kind, board: int, lock: int, echo: bool) -> Request:
        if kind is Kind.BOARD:
            frame = query_all_frame(board)
        else:
            frame = (open_frame if kind is Kind.OPEN else query_one_frame)(board, lock)
        status_bytes = self._status_bytes.get(board, self._usual_bytes)
        twin = kind is Kind.OPEN or (kind is Kind.BOARD and status_bytes == 1)
        expect = Expect(kind, board, lock, frame, status_bytes, self._low_first, echo, twin)
        return Request(frame, expect)


def problems(profile: Profile) -> list[str]:
    """Lock 0 means all of them, so that the first lock can only be 1."""
    return [] if profile.lock_base == 1 else ["`lock_base` is 0, but 8A boards count from 1. Leave it out"]


DRIVER = Driver(
    codec=Xor8a, boards=BOARDS, locks=LOCKS, learned=("status_bytes", "status_order", "closed_value"), problems=problems
)
