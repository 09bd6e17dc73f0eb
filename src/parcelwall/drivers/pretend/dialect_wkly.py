"""The board's side of the WKLY protocol."""

from parcelwall.drivers.pretend.dialect import Asked, Contacts
from parcelwall.drivers.profile import Profile

HEAD = bytes.fromhex("57 4B 4C 59")
WORDS = {0x82: "open", 0x83: "one", 0x84: "all", 0x86: "open"}

LEARNED: dict[str, object] = {"baud": 9600, "lock_base": 1}
CHANNELS = 16


def _sum(data: bytes | bytearray) -> int:
    total = 0
    for byte in data:
        total ^= byte
    return total


def say(board: int, command: int, *data: int) -> bytes:
    body = HEAD + bytes((8 + len(data), board, command, *data))
    return body + bytes((_sum(body),))


def door_byte(contact: int | None) -> int:
    return 0xFF if contact is None else contact


class Boards:
    """All WKLY boards of one bus. They can say that something failed, and that a contact cannot be told."""

    def __init__(self, profile: Profile) -> None:
        self._base = profile.lock_base

    def take(self, buffer: bytearray) -> Asked | None:
        while len(buffer) >= 8:
            length = buffer[4]
            if buffer[:4] == HEAD and 8 <= length <= 74:
                if len(buffer) < length:
                    return None
                frame = bytes(buffer[:length])
                if _sum(frame) == 0:
                    del buffer[:length]
                    return self._asked(frame)
            del buffer[0]
        return None

    def _asked(self, frame: bytes) -> Asked:
        board, command = frame[5], frame[6]
        what = WORDS.get(command, "forbidden")
        if command in (0x84, 0x86) or what == "forbidden" or len(frame) != 9:
            return Asked(what, board, 0, frame)
        lock = frame[7] - self._base + 1
        return Asked(what if lock > 0 else "forbidden", board, max(0, lock), frame)

    def answer(self, asked: Asked, contacts: Contacts) -> bytes:
        board, command = asked.frame[5:7]
        if asked.what == "all":
            doors = [door_byte(contacts.read(number)) for number in range(1, contacts.channels + 1)]
            return say(board, command, 0x00, len(doors), *doors)
        if asked.what == "open" and asked.lock == 0:
            return b""
        if asked.what == "forbidden" or asked.lock > contacts.channels:
            return self.refuse(asked)
        return say(board, command, 0x00, asked.frame[7], door_byte(contacts.read(asked.lock)))

    def refuse(self, asked: Asked) -> bytes:
        board, command = asked.frame[5:7]
        if command in (0x82, 0x83):
            return say(board, command, 0xFF, asked.frame[7], 0x00)
        return say(board, command, 0xFF, 0x00)

    def speak(self, board: int, lock: int, contact: int, variant: int = 0) -> bytes:
        return say(board, 0x85, 0x00, lock - 1 + self._base, contact)

    def flip(self, frame: bytes, bit: int, keep_checksum: bool) -> bytes:
        flipped = bytearray(frame)
        doors = range(9, len(frame) - 1)
        flipped[doors[bit % len(doors)]] ^= 0x01
        if keep_checksum:
            flipped[-1] = _sum(flipped[:-1])
        return bytes(flipped)
