"""The board's side of the Kerong CU16 protocol."""

from parcelwall.drivers.pretend.dialect import Asked, Contacts
from parcelwall.drivers.profile import Profile

LENGTHS = {0x30: 5, 0x31: 5, 0x32: 5, 0x33: 5, 0x37: 7, 0x39: 6, 0x40: 6}
WORDS = {0x30: "all", 0x31: "open", 0x33: "open"}

LEARNED: dict[str, object] = {}
CHANNELS = 16


def take(buffer: bytearray) -> Asked | None:
    """Takes the first whole frame out of the buffer, dropping what leads to none."""
    while buffer:
        if buffer[0] == 0x02:
            if len(buffer) < 3:
                return None
            length = LENGTHS.get(buffer[2], 0)
            if len(buffer) < length:
                return None
            frame = bytes(buffer[:length])
            if length and frame[-2] == 0x03 and sum(frame[:-1]) % 256 == frame[-1]:
                del buffer[:length]
                return _asked(frame)
        del buffer[0]
    return None


def _asked(frame: bytes) -> Asked:
    board, lock = divmod(frame[1], 16)
    what = WORDS.get(frame[2], "forbidden")
    return Asked(what, board, lock + 1 if frame[2] == 0x31 else 0, frame)


def say(board: int, hooks: int, low_first: bool = True, low_half: int = 0) -> bytes:
    """The state of a board; hook of lock n at bit n - 1. No pretend board has item sensors."""
    body = bytes((0x02, board * 16 + low_half, 0x35))
    body += hooks.to_bytes(2, "little" if low_first else "big") + bytes((0, 0, 0x03))
    return body + bytes((sum(body) % 256,))


class Boards:
    """All CU16 boards of one bus, of the kind that answers to an opening. They have no word for no."""

    def __init__(self, profile: Profile) -> None:
        self._low_first = profile.status_order == "low_first"

    def take(self, buffer: bytearray) -> Asked | None:
        return take(buffer)

    def answer(self, asked: Asked, contacts: Contacts) -> bytes:
        if asked.what == "forbidden" or (asked.what == "open" and asked.lock == 0):
            return b""
        return say(asked.board, contacts.all(), self._low_first)

    def refuse(self, asked: Asked) -> bytes:
        return b""

    def speak(self, board: int, lock: int, contact: int, variant: int = 0) -> bytes:
        return b""

    def flip(self, frame: bytes, bit: int, keep_checksum: bool) -> bytes:
        byte, within = divmod(bit % 16, 8)
        flipped = bytearray(frame)
        flipped[3 + byte] ^= 1 << within
        if keep_checksum:
            flipped[-1] = sum(flipped[:-1]) % 256
        return bytes(flipped)
