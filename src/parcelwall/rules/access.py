"""Who may open what: derived codes, tags of labels, and the brake on guessing. Byte for byte as docs/codes.md.

A code is 8 digits computed from the station's secret and the reservation, so hub and station agree without a line
and nothing is stored. The arithmetic of guessing is in docs/codes.md: at most 0.03 wrong openings per station-year.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.rules import labels

CODE_DIGITS = 8
_FAIR = 4_200_000_000  # largest multiple of 10^8 below 2^32, so that no code is likelier than another


def subkey(secret: bytes, use: str) -> bytes:
    """One block of HKDF-Expand (RFC 5869) of a station's 32-byte secret. `use` such as "pickup-code" or "code-tag"."""
    return hmac.digest(secret, f"parcelwall/key/{use}/1".encode() + b"\x01", "sha256")


def _digits(key: bytes, label: str, station: str, subject: bytes) -> str:
    name = station.encode()
    prefix = f"parcelwall/{label}/1".encode() + b"\x00" + bytes([len(name)]) + name + subject
    for round_ in range(256):
        block = hmac.digest(key, prefix + round_.to_bytes(4, "big"), "sha256")
        for start in range(0, 32, 4):
            word = int.from_bytes(block[start : start + 4], "big")
            if word < _FAIR:
                return f"{word % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
    raise AssertionError("256 rounds without a fair word: the key is not random")


def pickup_code(key: bytes, station: str, reservation: UUID, generation: int) -> str:
    """The 8 digits that open the compartment of a reservation. `key` is subkey(secret, "pickup-code")."""
    return _digits(key, "pickup-code", station, reservation.bytes + generation.to_bytes(4, "big"))


def send_code(key: bytes, station: str, reservation: UUID, generation: int) -> str:
    """The 8 digits with which its sender puts a return in. `key` is subkey(secret, "pickup-code")."""
    return _digits(key, "send-code", station, reservation.bytes + generation.to_bytes(4, "big"))


def courier_code(key: bytes, station: str, courier: UUID, day: date) -> str:
    """The 8 digits by which a station knows a courier on one day. `key` is subkey(secret, "courier-code")."""
    return _digits(key, "courier-code", station, courier.bytes + day.toordinal().to_bytes(4, "big"))


def code_tag(key: bytes, code: str) -> str:
    """How a station knows a code that the hub drew, without holding it. `key` is subkey(secret, "code-tag")."""
    return hmac.digest(key, b"parcelwall/code-tag/1\x00" + code.encode(), "sha256")[:16].hex()


def label_tag(key: bytes, label: str) -> str:
    """How a station recognises a label without holding it. `key` is subkey(secret, "label-tag"); 32 hex digits."""
    return _label_tag(key, labels.normal(label))


def label_tags(key: bytes, label: str) -> tuple[str, ...]:
    """All tags by which a promise may name this label: of this version, and of those before."""
    return tuple(_label_tag(key, form) for form in labels.forms(label))


def _label_tag(key: bytes, normal: str) -> str:
    return hmac.digest(key, b"parcelwall/label-tag/1\x00" + normal.encode(), "sha256")[:16].hex()


def group_tag(key: bytes, day: str, contact: bytes) -> str:
    """By what a station sees that parcels of one day are for one recipient, without knowing for whom. `key` is
    subkey(secret, "label-tag"), `contact` the hub's index of an address; 16 hex digits, others on another day or at
    another station."""
    return hmac.digest(key, b"parcelwall/group-tag/1\x00" + day.encode() + b"\x00" + contact, "sha256")[:8].hex()


def selector(reference: str) -> str:
    """The last 4 digits of the parcel number, letters skipped; printed beside the code, not secret.

    A number with fewer digits is given four of its own, lest its parcel could not be named at the screen at all.
    """
    last = reference[-4:]
    if len(last) == 4 and last.isascii() and last.isdigit():
        return last
    digits = "".join(c for c in reference if c.isascii() and c.isdigit())[-4:]
    if len(digits) == 4:
        return digits
    made = int.from_bytes(hashlib.sha256(b"parcelwall/selector/1\x00" + reference.encode()).digest()[:8], "big")
    return f"{made % 10_000:04d}"


def same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())


class Brake(msgspec.Struct, frozen=True):
    """How wrong tries slow a station down. Never locks a parcel; survives a restart; holds no digit that was typed.

    `recent` are the times of wrong tries in the last 10 minutes, `step` doubles the pause, `day` and `today` count
    towards the cap at which bare codes are closed until midnight. While a pause runs nothing is forgotten: what was
    recent when it began counts from its end on.
    """

    recent: tuple[datetime, ...] = ()
    step: int = 0
    paused_until: datetime | None = None
    day: date | None = None
    today: int = 0
    last_wrong: datetime | None = None  # or the end of the pause that it brought


class Limits(msgspec.Struct, frozen=True):
    """How many wrong tries within `window` bring a pause, how long it is, and when the count is closed for good."""

    tries: int
    window: timedelta
    first_pause_s: int
    longest_pause_s: int
    daily_cap: int


BARE = Limits(5, timedelta(minutes=10), 30, 15 * 60, 60)  # per station: codes without the parcel number
WITH_SELECTOR = Limits(5, timedelta(days=1), 15 * 60, 4 * 3600, 100)  # per parcel number


def pause_left_s(brake: Brake, now: datetime, today: date, limits: Limits = BARE) -> float:
    """Seconds until a code is taken again; 0 when it is, infinity once the day's cap is reached (until midnight)."""
    if brake.day == today and brake.today >= limits.daily_cap:
        return float("inf")
    return max(0.0, (brake.paused_until - now).total_seconds()) if brake.paused_until else 0.0


def pause_in_s(left_s: float, now: datetime, zone: str) -> int:
    """A pause in whole seconds; one without end lasts until midnight in the zone, an IANA name."""
    if left_s != float("inf"):
        return int(left_s) + 1
    tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), ZoneInfo(zone))
    return int(midnight.timestamp() - now.timestamp()) + 1  # of one clock: a day of 25 hours would have 24


def tries_left(brake: Brake, now: datetime, limits: Limits = BARE) -> int:
    return max(0, limits.tries - len(_still_recent(brake, now, limits)))


def wrong_try(brake: Brake, now: datetime, today: date, limits: Limits = BARE) -> Brake:
    """The brake after one more wrong try at `now`; `today` is the date in the station's zone."""
    step = _sunk(brake, now, limits)
    recent = (*_still_recent(brake, now, limits), now)
    paused_until = brake.paused_until
    if len(recent) >= limits.tries:
        pause_s = min(limits.longest_pause_s, limits.first_pause_s * 2**step)
        paused_until, step = now + timedelta(seconds=pause_s), min(step + 1, 8)
        recent, now = (paused_until,) * (limits.tries - 1), paused_until
    count = brake.today + 1 if brake.day == today else 1
    return Brake(recent, step, paused_until, today, count, now)


def _still_recent(brake: Brake, now: datetime, limits: Limits) -> tuple[datetime, ...]:
    return tuple(when for when in brake.recent if when > now - limits.window)


def _sunk(brake: Brake, now: datetime, limits: Limits) -> int:
    quiet = int((now - brake.last_wrong) / limits.window) if brake.last_wrong else 0
    return max(0, brake.step - max(0, quiet))


def matches(code: str, candidates: Iterable[tuple[str, UUID]]) -> list[UUID]:
    """The ids whose code this is. Compares all of them in constant time; there is no early exit."""
    return [who for each, who in candidates if same(code, each)]
