"""The board's side of the 8A protocol."""

from parcelwall.drivers.pretend.dialect import Asked, Contacts
from parcelwall.drivers.profile import Profile

FRAME_BYTES = 5
SEVERAL_BYTES = 7
HEADS_SPOKEN = (0x82, 0x81)

LEARNED: dict[str, object] = {"status_bytes": 3, "status_order": "low_last", "closed_value": 1}
CHANNELS = 24


def take(buffer: bytearray) -> Asked | None:
    """Takes the first whole frame out of the buffer, dropping what leads to none."""
    while buffer:
        length = SEVERAL_BYTES if buffer[0] == 0x90 else FRAME_BYTES
        if buffer[0] in (0x8A, 0x80, 0x90, 0x9A, 0x9B):
            if len(buffer) < length:
                return None
            frame = bytes(buffer[:length])
            if _sum(frame) == 0:
                del buffer[:length]
                return _asked(frame)
        del buffer[0]
    return None


def _asked(frame: bytes) -> Asked:
    head, board, lock, code = frame[:4]
    if head == 0x8A and code == 0x11:
        return Asked("open", board, lock, frame)
    if head == 0x80 and code == 0x33:
        return Asked("one" if lock else "all", board, lock, frame)
    return Asked("forbidden", board, lock, frame)


def _sum(data: bytes | bytearray) -> int:
    total = 0
    for byte in data:
        total ^= byte
    return total


def _closed_by_sum(body: bytes) -> bytes:
    return body + bytes((_sum(body),))


def say_lock(head: int, board: int, lock: int, contact: int) -> bytes:
    """The answer to open and query-one, and the spoken frame, by its head."""
    return _closed_by_sum(bytes((head, board, lock, 0x11 if contact else 0x00)))


def say_board(board: int, contacts: int, status_bytes: int, low_first: bool) -> bytes:
    """The answer to query-all; contact of lock n at bit n - 1."""
    status = contacts.to_bytes(status_bytes, "little" if low_first else "big")
    return _closed_by_sum(bytes((0x80, board)) + status + b"\x33")


class Boards:
    """All 8A boards of one bus. They have no word for no."""

    def __init__(self, profile: Profile) -> None:
        self._low_first = profile.status_order == "low_first"
        self._status_bytes = {board.address: profile.status_bytes_of(board) for board in profile.boards}

    def take(self, buffer: bytearray) -> Asked | None:
        return take(buffer)

    def answer(self, asked: Asked, contacts: Contacts) -> bytes:
        if asked.what == "all":
            return say_board(asked.board, contacts.all(), self._status_bytes[asked.board], self._low_first)
        if asked.what in ("open", "one") and asked.lock:
            return say_lock(asked.frame[0], asked.board, asked.lock, contacts.read(asked.lock) or 0)
        return b""

    def refuse(self, asked: Asked) -> bytes:
        return b""

    def speak(self, board: int, lock: int, contact: int, variant: int = 0) -> bytes:
        return say_lock(HEADS_SPOKEN[variant], board, lock, contact)

    def flip(self, frame: bytes, bit: int, keep_checksum: bool) -> bytes:
        flipped = bytearray(frame)
        if len(frame) == FRAME_BYTES:
            flipped[3] ^= 0x11
        else:
            status_bits = 8 * (len(frame) - 4)
            byte, within = divmod(bit % status_bits, 8)
            flipped[2 + byte] ^= 1 << within
        if keep_checksum:
            flipped[-1] = _sum(flipped[:-1])
        return bytes(flipped)
