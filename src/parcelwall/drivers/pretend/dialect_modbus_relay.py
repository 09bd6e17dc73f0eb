"""The board's side of a relay board on Modbus RTU."""

from parcelwall.drivers.pretend.dialect import Asked, Contacts
from parcelwall.drivers.profile import Profile

BAD_ADDRESS, BUSY = 0x02, 0x06

LEARNED: dict[str, object] = {"closed_value": 1}
CHANNELS = 8


def check(body: bytes | bytearray) -> bytes:
    """CRC-16/MODBUS, bit by bit, low byte first."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return bytes((value & 0xFF, value >> 8))


def sealed(body: bytes) -> bytes:
    return body + check(body)


def take(buffer: bytearray) -> Asked | None:
    """Takes the first whole frame out of the buffer, dropping what leads to none."""
    while len(buffer) >= 8:
        frame = bytes(buffer[:8])
        if frame[1] in (0x01, 0x02, 0x05) and check(frame[:6]) == frame[6:]:
            del buffer[:8]
            return _asked(frame)
        del buffer[0]
    return None


def _asked(frame: bytes) -> Asked:
    board, function = frame[:2]
    address, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
    if function == 0x02:
        return Asked("all", board, 0, frame)
    if function == 0x05 and 0x0200 <= address < 0x0300 and value <= 0x7FFF:
        return Asked("open", board, address - 0x0200 + 1, frame)
    if function == 0x05 and address == 0x00FF:
        return Asked({0xFF00: "open", 0x0000: "rest"}.get(value, "forbidden"), board, 0, frame)
    return Asked("forbidden", board, 0, frame)


def say_inputs(board: int, inputs: int, size_bytes: int, low_first: bool = True) -> bytes:
    """Input n at bit n - 1."""
    return sealed(bytes((board, 0x02, size_bytes)) + inputs.to_bytes(size_bytes, "little" if low_first else "big"))


def say_no(board: int, function: int, why: int) -> bytes:
    return sealed(bytes((board, function | 0x80, why)))


class Boards:
    """All relay boards of one bus. Asked for relays or inputs that they have not, they say so."""

    def __init__(self, profile: Profile) -> None:
        self._low_first = profile.status_order == "low_first"
        self._bytes = {board.address: profile.status_bytes_of(board) for board in profile.boards}

    def take(self, buffer: bytearray) -> Asked | None:
        return take(buffer)

    def answer(self, asked: Asked, contacts: Contacts) -> bytes:
        if asked.what == "all":
            size_bytes = self._bytes[asked.board]
            if int.from_bytes(asked.frame[4:6], "big") != 8 * size_bytes:
                return say_no(asked.board, 0x02, BAD_ADDRESS)
            return say_inputs(asked.board, contacts.all(), size_bytes, self._low_first)
        if asked.what == "open" and asked.lock > 8 * self._bytes[asked.board]:
            return say_no(asked.board, 0x05, BAD_ADDRESS)
        return asked.frame

    def refuse(self, asked: Asked) -> bytes:
        return say_no(asked.board, asked.frame[1], BUSY)

    def speak(self, board: int, lock: int, contact: int, variant: int = 0) -> bytes:
        return b""

    def flip(self, frame: bytes, bit: int, keep_checksum: bool) -> bytes:
        flipped = bytearray(frame[:-2])
        byte, within = divmod(bit % (8 * max(1, len(flipped) - 3)), 8)
        flipped[-1 - byte] ^= 1 << within
        return sealed(bytes(flipped)) if keep_checksum else bytes(flipped) + frame[-2:]
