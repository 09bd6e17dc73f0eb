"""What a QR at the kiosk carries: the right to collect one parcel, signed by the hub. As docs/codes.md has it.

This page knows the bytes and their text (base45, RFC 9285, after a prefix). Who signs and who verifies hold the keys:
`link.identity`. Times are whole seconds; all numbers big-endian. Source: hardware.md 6.5.
"""

import hashlib
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

PREFIX = "PW1:"
VERSION, HUB_KEY_ID, MAY_COLLECT = 1, 1, 1
OF_RECIPIENT, OF_DELEGATE, OF_VERIFIED = 1, 3, 4  # kinds; 2 is kept for a courier's delegation
SIGNATURE_BYTES = 64
SLACK = timedelta(minutes=5)  # between the hub's clock and a station's
LASTS = timedelta(days=60)  # an outer bound: how long a parcel is held is judged by the rules
VERIFIED_LASTS = timedelta(minutes=5)  # of one for a person who was verified just now
HIGHEST_GENERATION = 255
_LENGTHS = {OF_RECIPIENT: 33, OF_DELEGATE: 49, OF_VERIFIED: 33}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_NUMBERED = re.compile(r"S-([0-9]{1,9})")


class Token(NamedTuple):
    """Who holds it may collect this reservation's parcel at this station. `grant` names a delegate's right; `verified`
    says that the hub has seen a passkey, with its holder verified, at `not_before`."""

    station: str
    reservation: UUID
    generation: int
    not_before: datetime
    expires: datetime
    grant: UUID | None = None
    verified: bool = False


class Signed(NamedTuple):
    """A token as it was read: the number of its station, the bytes that are signed, and the signature."""

    station_number: int
    reservation: UUID
    generation: int
    not_before: datetime
    expires: datetime
    grant: UUID | None
    payload: bytes
    signature: bytes

    @property
    def verified(self) -> bool:
        """Whether it stands for a person who was verified when it was made."""
        return self.payload[1] == OF_VERIFIED


def station_number(station: str) -> int:
    """12 of `S-0012`; a station with another name has 31 bits of its SHA-256, and the highest bit set."""
    if found := _NUMBERED.fullmatch(station):
        return int(found[1])
    return int.from_bytes(hashlib.sha256(b"parcelwall/station-number/1\x00" + station.encode()).digest()[:4]) | 1 << 31


def payload(token: Token) -> bytes:
    """The bytes of a token without its signature. Asserts a generation that one byte holds, and no delegate who is
    said to be verified."""
    assert 0 <= token.generation <= HIGHEST_GENERATION, "a token's generation is one byte"
    assert not (token.grant and token.verified), "who is verified comes in person"
    kind = OF_DELEGATE if token.grant else OF_VERIFIED if token.verified else OF_RECIPIENT
    grant = token.grant.bytes if token.grant else b""
    return b"".join((
        bytes([VERSION, kind, HUB_KEY_ID, MAY_COLLECT]), station_number(token.station).to_bytes(4, "big"),
        token.reservation.bytes, bytes([token.generation]), _seconds(token.not_before), _seconds(token.expires), grant,
    ))  # fmt: skip


def to_sign(payload: bytes) -> bytes:
    """What is signed: the tag of this one use, then the payload."""
    return b"parcelwall/token/1\x00" + payload


def text(payload: bytes, signature: bytes) -> str:
    return PREFIX + base45(payload + signature)


def read(text: str) -> Signed | None:
    """The token of a text; None for whatever is no token that this version knows. Its signature is not judged yet."""
    data = from_base45(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None
    if data is None or len(data) < 2 or data[0] != VERSION or data[1] not in _LENGTHS:
        return None
    if len(data) != _LENGTHS[data[1]] + SIGNATURE_BYTES:
        return None
    signed, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
    if signed[2] != HUB_KEY_ID or signed[3] != MAY_COLLECT:
        return None
    number, not_before, expires = (int.from_bytes(signed[at : at + 4], "big") for at in (4, 25, 29))
    return Signed(
        number, UUID(bytes=signed[8:24]), signed[24], datetime.fromtimestamp(not_before, UTC),
        datetime.fromtimestamp(expires, UTC), UUID(bytes=signed[33:49]) if signed[1] == OF_DELEGATE else None,
        signed, signature,
    )  # fmt: skip


def in_time(token: Signed, now: datetime) -> bool:
    """Whether `now`, by the station's clock, is within the token's times, with 5 minutes of slack."""
    return token.not_before - SLACK <= now <= token.expires + SLACK


def _seconds(when: datetime) -> bytes:
    return int(when.timestamp()).to_bytes(4, "big")


def base45(data: bytes) -> str:
    """RFC 9285: two bytes make three letters, a last single byte makes two."""
    pairs = struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])
    groups = [_ALPHABET[pair % 45] + _ALPHABET[pair // 45 % 45] + _ALPHABET[pair // 45**2] for pair in pairs]
    if len(data) % 2:
        groups.append(_ALPHABET[data[-1] % 45] + _ALPHABET[data[-1] // 45])
    return "".join(groups)


def from_base45(text: str) -> bytes | None:
    """The reverse of `base45`; None for another letter, a length that cannot be, or a group that is too large."""
    if len(text) % 3 == 1 or not _VALUES.keys() >= set(text):
        return None
    values = [_VALUES[letter] for letter in text]
    last = values[len(text) // 3 * 3 :]  # of a single byte
    threes = zip(values[::3], values[1::3], values[2::3], strict=False)  # ends with the last whole group
    pairs = [low + 45 * middle + 45**2 * high for low, middle, high in threes]
    byte = [last[0] + 45 * last[1]] if last else []
    if max(pairs, default=0) > 0xFFFF or max(byte, default=0) > 0xFF:
        return None
    return struct.pack(f">{len(pairs)}H", *pairs) + bytes(byte)
