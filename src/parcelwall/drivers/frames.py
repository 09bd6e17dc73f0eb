"""What codecs and the bus owner say to each other. A codec is pure: meaning to bytes, bytes to meaning."""

from enum import StrEnum
from typing import Protocol

import msgspec


class Kind(StrEnum):
    OPEN = "open"
    DOOR = "door"  # the contact of one door
    BOARD = "board"  # the contacts of a whole board
    REST = "rest"  # every coil of a board is let go; opens nothing


class Expect(msgspec.Struct, frozen=True):
    """Which answer is waited for. `sent` is our own frame, by which a local echo is known."""

    kind: Kind
    board: int
    lock: int  # 0 for a whole board
    sent: bytes
    status_bytes: int
    low_first: bool
    echo: bool  # whether this line may echo, so that a twin of our own frame proves nothing
    twin: bool = False  # whether a good answer may be the same bytes as our own frame


class Request(msgspec.Struct, frozen=True):
    frame: bytes
    expect: Expect


class Reply(msgspec.Struct, frozen=True):
    """A good answer to the question asked. `used` bytes of the buffer are done with, `junk` of them were noise."""

    kind: Kind
    board: int
    contacts: int  # contact of input n at bit n - 1, raw: what 1 means is the profile's closed_value
    used: int
    junk: int
    refused: bool = False  # the board said no
    unsure: int = 0  # which contacts the board itself says it cannot tell, bit for bit

    def contact(self, number: int) -> int | None:
        """The raw contact of an input, counted from 1; None if the board says that it cannot tell."""
        if self.refused or (self.unsure >> (number - 1)) & 1:
            return None
        return (self.contacts >> (number - 1)) & 1


class Spoken(msgspec.Struct, frozen=True):
    """A frame nobody asked for. It is a hint to look, never an answer."""

    board: int
    lock: int
    contact: int
    used: int
    junk: int


class Echo(msgspec.Struct, frozen=True):
    """Our own frame, come back."""

    used: int
    junk: int


class NeedMore(msgspec.Struct, frozen=True):
    """No whole frame yet; the first `used` bytes can be none."""

    used: int
    junk: int


class Bad(msgspec.Struct, frozen=True):
    """A whole frame that does not fit, by address, lock, marker or checksum. Go on after `used` bytes."""

    used: int
    junk: int


Decoded = Reply | Spoken | Echo | NeedMore | Bad


class Codec(Protocol):
    """One maker's frames. Locks and inputs count from 1. What must not be asked raises ValueError.

    `alike`: whether the answer to an opening may pass for the answer to a read, and the other way round.
    """

    alike: bool

    def open_one(self, board: int, lock: int, echo: bool) -> Request: ...

    def ask_door(self, board: int, number: int) -> Request:
        """Reads one contact, by the number of its input."""
        ...

    def ask_board(self, board: int, echo: bool) -> Request: ...

    def rest(self, board: int, echo: bool) -> Request | None:
        """Lets go of all coils of a board; None where a board has no such frame."""
        ...

    def decode(self, buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
        """The first thing in the buffer. Never raises. `expect` None: nothing is asked, only Spoken may come."""
        ...
