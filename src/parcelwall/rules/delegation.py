"""What a courier's phone shows to the reader: the hub's word for this courier and phone, and the phone's own answer.

The screen shows a challenge, the phone signs it, the station verifies both signatures alone. A film of the QR is good
for nothing: the next challenge is another. Bytes as docs/codes.md has them; source: hardware.md 6.5. Who signs and who
verifies hold the keys: `link.identity` at hub and station, the browser on the phone.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from parcelwall.rules.token import HUB_KEY_ID, SIGNATURE_BYTES, SLACK, VERSION, base45, from_base45, station_number

CHALLENGE_PREFIX, ANSWER_PREFIX = "PWC:", "PW2:"
KIND = 2
NONCE_BYTES = 16
PAYLOAD_BYTES = 80
LASTS = timedelta(hours=24)  # a stolen phone that is not reported is good for no longer
RIGHTS = {"deposit": 2, "take_back": 4}  # bits of the fourth byte; all others must be 0


class Delegation(NamedTuple):
    """This courier, holding the key of this phone, may do this at this station: as the grant says, until it is
    taken back."""

    station: str
    courier: UUID
    grant: UUID
    phone_key: bytes  # Ed25519, 32 bytes
    may: tuple[str, ...]
    not_before: datetime
    expires: datetime


class Shown(NamedTuple):
    """A delegation as it was read, with what the phone answered."""

    station_number: int
    courier: UUID
    grant: UUID
    phone_key: bytes
    may: tuple[str, ...]
    not_before: datetime
    expires: datetime
    payload: bytes
    signature: bytes
    answer: bytes

    @property
    def delegation(self) -> bytes:
        return self.payload + self.signature


def payload(given: Delegation) -> bytes:
    """The bytes that the hub signs (with `token.to_sign` before them)."""
    assert len(given.phone_key) == 32, "an Ed25519 key has 32 bytes"
    may = sum(RIGHTS[right] for right in given.may)
    return b"".join((
        bytes([VERSION, KIND, HUB_KEY_ID, may]), given.courier.bytes, given.grant.bytes, given.phone_key,
        station_number(given.station).to_bytes(4, "big"), _seconds(given.not_before), _seconds(given.expires),
    ))  # fmt: skip


def challenge(station: str, nonce: bytes) -> str:
    """What the screen shows: `PWC:` and base45 of the station's number and 16 random bytes."""
    assert len(nonce) == NONCE_BYTES, "a nonce has 16 bytes"
    return CHALLENGE_PREFIX + base45(station_number(station).to_bytes(4, "big") + nonce)


def to_answer(station: str, nonce: bytes, delegation: bytes) -> bytes:
    """What the phone signs: this challenge, with this delegation."""
    number = station_number(station).to_bytes(4, "big")
    return b"parcelwall/answer/1\x00" + number + nonce + hashlib.sha256(delegation).digest()


def text(delegation: bytes, answer: bytes) -> str:
    return ANSWER_PREFIX + base45(delegation + answer)


def read(text: str) -> Shown | None:
    """What was shown; None for whatever is no answer that this version knows. No signature is judged yet."""
    data = from_base45(text.removeprefix(ANSWER_PREFIX)) if text.startswith(ANSWER_PREFIX) else None
    if data is None or len(data) != PAYLOAD_BYTES + 2 * SIGNATURE_BYTES:
        return None
    signed = data[:PAYLOAD_BYTES]
    may = tuple(right for right, bit in RIGHTS.items() if signed[3] & bit)
    if tuple(signed[:3]) != (VERSION, KIND, HUB_KEY_ID) or signed[3] != sum(RIGHTS[right] for right in may):
        return None
    number, not_before, expires = (int.from_bytes(signed[at : at + 4], "big") for at in (68, 72, 76))
    return Shown(
        number, UUID(bytes=signed[4:20]), UUID(bytes=signed[20:36]), signed[36:68], may,
        datetime.fromtimestamp(not_before, UTC), datetime.fromtimestamp(expires, UTC),
        signed, data[PAYLOAD_BYTES:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:],
    )  # fmt: skip


def in_time(shown: Shown, now: datetime) -> bool:
    """Whether `now`, by the station's clock, is within its times, with 5 minutes of slack; and those times are of a
    delegation at all: never longer than a day."""
    brief = shown.expires - shown.not_before <= LASTS
    return brief and shown.not_before - SLACK <= now <= shown.expires + SLACK


def _seconds(when: datetime) -> bytes:
    return int(when.timestamp()).to_bytes(4, "big")
