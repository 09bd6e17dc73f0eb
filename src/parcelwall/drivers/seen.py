"""What a driver may say about a door, and what may be asked of it. The same for every maker."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec


class DoorState(StrEnum):
    """A door's state is never None: what is not known is UNKNOWN, and UNKNOWN is never promoted."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """Reasons of UNKNOWN."""

    NONE = ""
    SILENT = "silent"  # no answer, or the port is gone
    GARBLED = "garbled"  # bytes came, and no good frame among them
    STALE = "stale"  # the newest read is too old
    DISAGREE = "disagree"  # two reads in a row differ
    FAULT = "fault"  # the board itself says that it cannot tell
    HELD = "held"  # the hook is not caught, and its coil may hold it: nothing is said of the leaf
    UNMAPPED = "unmapped"  # no such door in the profile
    NO_POWER = "no power"  # the port works and every one of several boards is silent


class Seen(msgspec.Struct, frozen=True):
    """What was seen of one door. `at` is in monotonic seconds of the driver's clock."""

    state: DoorState
    at: float
    why: Why = Why.NONE


class Pulse(StrEnum):
    """How an opening went, as far as the *coil* goes. Only the contact says that a door is open."""

    ACKED = "acked"  # the board says it drove the coil
    SILENT = "silent"  # bytes left, no usable answer: the door may or may not have moved
    REFUSED = "refused"  # the board said no, or the coil had its share of pulses: nothing moved
    LATE = "late"  # the deadline passed: nothing was written
    DEAD = "dead"  # the port is down: nothing was written


class DoorChange(msgspec.Struct, frozen=True):
    """One door whose state differs between two looks. `at` is that of the later look, monotonic seconds."""

    door: int
    was: DoorState
    now: DoorState
    at: float
    why: Why = Why.NONE


NEVER_LOOKED = Seen(DoorState.UNKNOWN, float("-inf"), Why.STALE)


def changes(before: Mapping[int, Seen], now: Mapping[int, Seen]) -> list[DoorChange]:
    """Every door whose state differs between two looks, by door number. A door that was not there was UNKNOWN.

    Only states count: `unknown: silent` after `unknown: garbled` is no change.
    """
    return [
        DoorChange(door, was.state, seen.state, seen.at, seen.why)
        for door, seen in sorted(now.items())
        if (was := before.get(door, NEVER_LOOKED)).state is not seen.state
    ]


class Doors(Protocol):
    """The doors of one bus. Nothing here raises because a board or a port failed: that is told as a state."""

    async def start(self) -> None:
        """Begin. Accepts that the hardware is unplugged."""
        ...

    async def close(self) -> None: ...

    async def open(self, door: int, not_after: float) -> Pulse:
        """One pulse, or none. Never repeated here.

        `not_after`: monotonic seconds of the driver's clock, checked last, just before the bytes are written.
        Raises Trouble when the door is not mapped.
        """
        ...

    def rests_s(self, door: int, more: int = 0) -> float:
        """Seconds until this door's coil may be driven again: 0.0 if that is now, or if no such door is mapped. With
        `more`, as if it were driven so many times just now."""
        ...

    async def state(self, door: int) -> Seen:
        """A fresh look: open or closed only after two equal reads made now."""
        ...

    async def follow(self, door: int) -> Seen:
        """A look at a door that is looked at all the time: one read that says what was seen a moment ago is enough,
        else like `state`."""
        ...

    async def sweep(self) -> dict[int, Seen]:
        """A look at every mapped door, at most one per poll period; asked sooner, it repeats what it saw."""
        ...
