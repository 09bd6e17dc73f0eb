"""Orders: open this door now or never. An order is no entry: it is not kept, not sent again and not queued.

Its deadline needs no trusted clock. It stands in the milliseconds of the station's own boot, which the hub knows from
the last beat: the beat was taken before it arrived, so an order dies early, never late. Source: hardware.md 5.7.
"""

from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import Signer, order_bytes, signed_by

LASTS_MS = 15_000

By = Literal["recipient", "operator"]
Do = Literal["open", "take_out"]  # look behind a door, or collect; take out for good what nobody has collected in time


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be opened, by whom, and why. `right` and `generation` name whose it is; the link does not look.

    `presence` is the number that the person has read off the station's screen, "" where none is asked for. `verified`:
    a passkey was shown for this order, and the person's device has verified them. `after`: the door is not opened, it
    is offered to whoever has just ended that visit and still stands there. A station that does not know what it is to
    `do` cannot read the order, and opens nothing.
    """

    id: UUID
    station: str
    door: Annotated[int, Meta(ge=1, le=32_767)]
    by: By = "operator"
    reason: str = ""
    right: UUID | None = None
    generation: int = 0
    presence: str = ""
    verified: bool = False
    after: UUID | None = None
    do: Do = "open"


class Ordered(Asked, frozen=True, kw_only=True):
    """The body of an order. `not_after` is in milliseconds of the boot that is named."""

    boot: str
    not_after: int


class Beaten(NamedTuple):
    """A station's last sign of life: its boot, its milliseconds then, and our own monotonic seconds at its arrival."""

    boot: str = ""
    mono_ms: int = 0
    came_s: float = 0.0


def order(asked: Asked, last: Beaten, now_s: float, signer: Signer, lasts_ms: int = LASTS_MS) -> frames.Order:
    """The frame for a station that is there now. `now_s` is the clock that `last.came_s` was read from; `lasts_ms` is
    what is left of its time since it was decided."""
    not_after = last.mono_ms + int((now_s - last.came_s) * 1000) + min(lasts_ms, LASTS_MS)
    ordered = Ordered(**msgspec.structs.asdict(asked), boot=last.boot, not_after=not_after)
    body = msgspec.json.encode(ordered).decode()
    return frames.Order(body, signer.sign(order_bytes(asked.station, body)))


def read(frame: frames.Order, hub_key: bytes) -> Ordered:
    """What is ordered. Raises BadFrame for what cannot be read or what the hub has not signed."""
    try:
        ordered = msgspec.json.decode(frame.body, type=Ordered)
    except msgspec.DecodeError as no:
        raise BadFrame(f"unreadable order: {no}") from no
    if not signed_by(hub_key, frame.sig, order_bytes(ordered.station, frame.body)):
        raise BadFrame("the signature of the order does not hold", frames.WRONG_IDENTITY)
    return ordered
