"""One profile per bus, TOML, part of the station's settings. Source: hardware.md 2.9. It is read in reading.py."""

import hashlib
from typing import Annotated, Literal

import msgspec

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Address = Annotated[int, msgspec.Meta(ge=0, le=255)]
Bit = Literal[0, 1]


WIRING = (
    "driver", "port", "status_bytes", "status_order", "closed_value", "lock_base", "contact", "echo", "boards", "doors",
)  # fmt: skip


class BoardLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    address: Address
    channels: Annotated[int, msgspec.Meta(ge=1, le=64)]
    status_bytes: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None  # where one board differs from the bus


class DoorLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where one door is wired. Locks and inputs count from 1, as they are printed beside the sockets of a board."""

    door: Positive
    board: Address
    lock: Positive
    input: Positive | None = None  # the contact's number, where it is not the lock's
    closed_value: Bit | None = None  # where one lock differs from the bus

    @property
    def contact(self) -> int:
        """The number of the input that the door's contact is wired to."""
        return self.input or self.lock


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one bus is wired and timed. What a driver calls learned is found at the boards, never guessed."""

    driver: str
    port: Annotated[str, msgspec.Meta(min_length=1)]  # the adapter's by-path name: ttyUSB numbers move
    status_bytes: Annotated[int, msgspec.Meta(ge=1, le=8)]
    status_order: Literal["low_last", "low_first"]  # which status byte holds locks 1 to 8
    closed_value: Bit  # what the contact reads when the door is closed
    boards: Annotated[list[BoardLine], msgspec.Meta(min_length=1, max_length=32)]
    doors: Annotated[list[DoorLine], msgspec.Meta(min_length=1)]
    lock_base: Bit = 1  # the number of the first lock on the wire
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    contact: Literal["door", "hook", "both"] = "door"
    pulse_ms: Annotated[int, msgspec.Meta(ge=10, le=9000)] = 300
    pulse_owner: Literal["board"] = "board"
    open_reply: Literal["required", "optional", "none"] = "optional"
    timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=5000)] = 400
    open_timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=5000)] = 1200
    turnaround_ms: Milliseconds = 5
    gap_ms: Milliseconds = 20
    poll_ms: Annotated[int, msgspec.Meta(ge=10, le=2000)] = 500
    watch_ms: Annotated[int, msgspec.Meta(ge=10, le=2000)] = 100
    echo: Literal["no", "drop"] = "no"
    supply: Annotated[str, msgspec.Meta(min_length=1)] = "A"
    supply_gap_ms: Milliseconds = 500

    def status_bytes_of(self, board: BoardLine) -> int:
        return board.status_bytes or self.status_bytes

    def closed_value_of(self, line: DoorLine) -> int:
        """What the contact of that door reads when the door is closed."""
        return self.closed_value if line.closed_value is None else line.closed_value

    def fingerprint(self) -> str:
        """SHA-256 in hex of the whole profile; a changed map is a changed fingerprint."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    def wiring(self) -> str:
        """SHA-256 in hex of what a walk along the doors has confirmed: which port, board, lock and contact is which
        door, and how it reads. Times are not of it."""
        told = {name: getattr(self, name) for name in WIRING}
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()

    @property
    def stale_after_s(self) -> float:
        """A read older than 3 poll periods or 5 s, whichever is shorter, says nothing. Source: hardware.md 2.3."""
        return min(3 * self.poll_ms / 1000, 5.0)
