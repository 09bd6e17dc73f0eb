"""Bytes as QR codes on a screen: cut into frames, shown in a loop, gathered in any order. `PWB:` and base45 of

    set id 2   index 1   count 1   CRC-32 of the whole 4   payload        big-endian

A frame that is missed comes round again, one that is read twice counts once, and a set of which one frame was misread
is dropped whole. No frame is trusted: what they carry is signed (`link.road`). Source: hardware.md 6.7.
"""

import struct
import zlib

from parcelwall.rules.token import base45, from_base45

PREFIX = "PWB:"
TO_READER_BYTES, TO_PHONE_BYTES = 200, 400  # payload of a frame that a scanner, or a phone's camera, is shown
MOST_FRAMES = 255
_HEAD = struct.Struct(">HBBI")
_SETS = 4  # that are gathered beside each other; a fifth drops the oldest


def sheets(data: bytes, payload_bytes: int) -> list[str]:
    """The frames' texts. Asserts that 255 of them hold the data."""
    pieces = [data[at : at + payload_bytes] for at in range(0, len(data), payload_bytes)] or [b""]
    assert len(pieces) <= MOST_FRAMES, f"{len(data)} bytes are too many for {MOST_FRAMES} frames"
    crc = zlib.crc32(data)
    heads = (_HEAD.pack(crc & 0xFFFF, index, len(pieces), crc) for index in range(len(pieces)))
    return [PREFIX + base45(head + piece) for head, piece in zip(heads, pieces, strict=True)]


class Gathering:
    """Takes frames as they are read, and gives the whole once all of a set are here."""

    def __init__(self) -> None:
        self._sets: dict[tuple[int, int, int], dict[int, bytes]] = {}
        self.have, self.of = 0, 0  # of the set that the last good frame belongs to

    def take(self, text: str) -> bytes | None:
        """The whole with its last missing frame, else None. Whatever is no frame is not heard."""
        data = from_base45(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None
        if data is None or len(data) < _HEAD.size:
            return None
        number, index, count, crc = _HEAD.unpack_from(data)
        if index >= count:
            return None
        pieces = self._sets.setdefault((number, count, crc), {})
        pieces[index] = data[_HEAD.size :]
        self.have, self.of = len(pieces), count
        if len(self._sets) > _SETS:
            self._sets.pop(next(iter(self._sets)))
        return self._whole((number, count, crc)) if len(pieces) == count else None

    def _whole(self, which: tuple[int, int, int]) -> bytes | None:
        pieces = self._sets.pop(which)
        data = b"".join(pieces[index] for index in range(len(pieces)))
        return data if zlib.crc32(data) == which[2] else None
