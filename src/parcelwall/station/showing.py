"""What one screen of a station is: its name, its number, and what the page needs to draw it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Screen = Literal[
    "home", "selector", "wrong", "paused", "opening", "open", "still-open", "thanks", "stuck", "late",
    "courier-in", "courier-home", "courier-scan", "courier-label", "courier-out", "courier-bye", "no-fit", "unknown",
    "courier-sync",
    "help", "look", "more-time", "report", "case", "closed",
]  # fmt: skip


class LastDoor(msgspec.Struct, frozen=True):
    """The courier's last door."""

    door: int
    ending: str
    result: Literal["in", "out"] = "in"


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """The current screen. `until` is when it changes by itself; `number` rises with every change."""

    screen: Screen = "home"
    number: int = 0
    door: int | None = None
    visit: UUID | None = None
    ending: str = ""
    late: bool = False
    tries_left: int | None = None
    wait_s: int = 0
    refusal: str = ""
    until: datetime | None = None
    courier: UUID | None = None
    brought: int = 0
    taken: int = 0
    last: LastDoor | None = None
    case: str = ""
