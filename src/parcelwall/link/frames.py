"""Frames of the link, protocol version 1: JSON text, one object per message, at most 256 KiB. `k` is the kind.

What is signed travels as a string of JSON (`body`) beside its signature, so that nobody has to agree on a canonical
form. Times are UTC text; `mono` is milliseconds of the station's boot clock.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from parcelwall.errors import ParcelwallError
from parcelwall.journal.chain import Entry

LIMIT_BYTES = 256 * 1024
MOST_ITEMS, MOST_BYTES = 100, 64 * 1024  # of one `entries` frame
WINDOW = 500  # entries sent and not yet acknowledged
LAST_YEAR = 8_999  # of a time: deadlines lie behind it, and calendars end with 9999
SUBPROTOCOL = "parcelwall.1"
PROTOCOL = 1

Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # as far as a database counts

BAD_FRAME, WRONG_IDENTITY, REVOKED, REPLACED, TOO_OLD, SLOW_DOWN = 4400, 4401, 4403, 4409, 4426, 4429
BOOKS_DIFFER = 4410  # two books under one name: somebody was restored and goes on as if nothing had happened


class BadFrame(ParcelwallError):
    """The other end does not keep the protocol. `code` is the WebSocket close code."""

    def __init__(self, why: str, code: int = BAD_FRAME) -> None:
        self.code = code
        super().__init__(why)


class Frame(msgspec.Struct, frozen=True, tag_field="k", tag=lambda name: name.lower(), omit_defaults=True):
    """The root of all frames."""


class Challenge(Frame, frozen=True):
    hub: str
    nonce: str
    at: str
    versions: tuple[int, ...] = (PROTOCOL,)


class Hello(Frame, frozen=True):
    body: str
    sig: str


class Welcome(Frame, frozen=True):
    body: str
    sig: str


class Refuse(Frame, frozen=True):
    reason: str
    retry_s: float = 300.0


class Item(msgspec.Struct, frozen=True):
    number: Number
    kind: str
    happened_at: str
    body: str


class Entries(Frame, frozen=True):
    """Items after + 1 .. through of one writer, without a hole; `head` is h(through) in hex, `sig` the writer's."""

    writer: str
    after: Number
    through: Number
    items: tuple[Item, ...]
    head: str
    sig: str


class Ack(Frame, frozen=True):
    """Stored for good through this number. Stored, not understood."""

    writer: str
    through: Number


class Gap(Frame, frozen=True):
    """Entries are missing here: send again after `have`."""

    writer: str
    have: Number


class Rekey(Frame, frozen=True):
    """The station's next key, in hex; signed by the key of this line and by itself."""

    key: str
    sig: str
    proof: str


class Rekeyed(Frame, frozen=True):
    """The hub takes that key from now on; the one before dies when it is used. Signed if the welcome has said so."""

    key: str
    sig: str = ""


class Beat(Frame, frozen=True):
    boot: str
    mono: int
    at: str
    wrote: Number  # the station's own head at `at`
    clock: str = "trusted"


class Beat_Back(Frame, frozen=True, tag="beat_back"):
    """The hub's time, in answer to the beat of `mono`. Signed if the welcome has said so."""

    at: str
    mono: int
    sig: str = ""


class Order(Frame, frozen=True):
    """Open a door now or never: `link.orders.Ordered` as JSON, and the hub's signature."""

    body: str
    sig: str


class Ask(Frame, frozen=True):
    """A station asks what the hub alone knows. `body` is for those who ask and answer; the link does not look."""

    body: str


class Told(Frame, frozen=True):
    """The answer to a question, and the hub's signature. Not kept and not sent again, as the question was not."""

    body: str
    sig: str


class Goodbye(Frame, frozen=True):
    why: str
    retry_s: float = 5.0
    spread_s: float = 300.0


Known = (
    Challenge | Hello | Welcome | Refuse | Entries | Ack | Gap | Rekey | Rekeyed | Beat | Beat_Back | Order | Ask
    | Told | Goodbye
)  # fmt: skip
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")  # as clock.text writes them
_decoder = msgspec.json.Decoder(Known)
_encoder = msgspec.json.Encoder()
_kinds = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KNOWN = frozenset(kind.__struct_config__.tag for kind in Known.__args__)


def encode(frame: Frame) -> str:
    return _encoder.encode(frame).decode()


def decode(text: str) -> Frame | None:
    """The frame; None for a kind that this version does not know. Raises BadFrame for anything else."""
    if len(text) > LIMIT_BYTES or len(text.encode("utf-8", "surrogatepass")) > LIMIT_BYTES:
        raise BadFrame(f"a frame is at most {LIMIT_BYTES} bytes")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as no:
        if _of_unknown_kind(text):
            return None
        raise BadFrame(f"unreadable frame: {no}") from no


def _of_unknown_kind(text: str) -> bool:
    try:
        kind = msgspec.json.decode(_kinds.decode(text).get("k", msgspec.Raw(b"null")))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return isinstance(kind, str) and kind not in _KNOWN


def bundle(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries cut into frames of at most MOST_ITEMS items and about MOST_BYTES bytes."""
    frames: list[list[Entry]] = []
    size = 0
    for entry in entries:
        weight = len(entry.body) + 120
        if not frames or len(frames[-1]) >= MOST_ITEMS or size + weight > MOST_BYTES:
            frames.append([])
            size = 0
        frames[-1].append(entry)
        size += weight
    return frames


def items(entries: Sequence[Entry]) -> tuple[Item, ...]:
    return tuple(Item(each.number, each.kind, each.happened_at, each.body) for each in entries)


def entries_of(frame: Entries) -> list[Entry]:
    """The entries of a frame, the last one with the hash it claims. Raises BadFrame for a contradiction."""
    if len(frame.items) > MOST_ITEMS:
        raise BadFrame(f"at most {MOST_ITEMS} items in a frame")
    whole = len(frame.items) == frame.through - frame.after > 0
    if not whole or any(item.number != frame.after + place for place, item in enumerate(frame.items, 1)):
        raise BadFrame("items must be numbered after + 1 .. through without a hole")
    for item in frame.items:
        _check(item)
    entries = [Entry(frame.writer, item.number, item.kind, item.happened_at, item.body) for item in frame.items]
    return [*entries[:-1], msgspec.structs.replace(entries[-1], hash=_bytes(frame.head))]


def _check(item: Item) -> None:
    """Times in the one form that is hashed, and no NUL: a database could not give either back unchanged."""
    usual = _TIME.fullmatch(item.happened_at)
    if not usual or "\x00" in item.body or "\x00" in item.kind or len(item.kind) > 64:
        raise BadFrame(f"number {item.number}: times are UTC with six decimals and Z, texts without NUL")
    try:
        at = datetime.fromisoformat(item.happened_at)  # the thirtieth of February has the form of a time
    except ValueError as no:
        raise BadFrame(f"number {item.number}: {no}") from no
    if at.year > LAST_YEAR:
        raise BadFrame(f"number {item.number}: {at.year} is a year that nothing can be counted from")


def _bytes(hexadecimal: str) -> bytes:
    try:
        return bytes.fromhex(hexadecimal)
    except ValueError as no:
        raise BadFrame("head must be hexadecimal") from no
