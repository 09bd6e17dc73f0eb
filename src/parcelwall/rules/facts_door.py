"""What a station's doors and its screen's code pad saw, whoever stood there. `facts.py` has all other kinds."""

from typing import Literal
from uuid import UUID

from parcelwall.rules.fact import By, Door, Fact


class DoorOpened(Fact, frozen=True, kw_only=True):
    """The contact was seen open. Without a visit: nobody was let in, which is an alarm. `why` stands where somebody
    looked into an empty compartment, or put right what they had just put in (`put_right`)."""

    compartment: Door
    visit: UUID | None = None
    recovered: bool = False
    why: str = ""


class DoorClosed(Fact, frozen=True, kw_only=True):
    compartment: Door
    visit: UUID | None = None
    recovered: bool = False


class DoorFailed(Fact, frozen=True, kw_only=True):
    compartment: Door
    why: Literal["stuck", "unclear", "late", "dead"]
    visit: UUID | None = None


class OrderAnswered(Fact, frozen=True, kw_only=True):
    """What became of an order to open a door at once. Its visit, if there was one, has the order's id."""

    order: UUID
    outcome: Literal["opened", "failed", "refused"]
    compartment: Door
    by: By = "unknown"
    why: str = ""  # of a refusal: one of errors.REASONS
    takes_out: bool = False  # for good what lies behind it; its `TakenBack` tells of that


class CompartmentHealth(Fact, frozen=True, kw_only=True):
    compartment: Door
    usable: bool
    why: str = ""


class WrongCode(Fact, frozen=True, kw_only=True):
    """Wrong tries since the last such fact. No digit that was typed is kept anywhere."""

    count: int
    paused: bool = False
