"""What stands on a station's screen, as data. Which words and drawings belong to it is the page's business.

`Showing` is given to the page as it is; a tap that belongs to an older `number` is refused as stale.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.station.outcomes import EMPTY, OCCUPIED

Screen = Literal[
    "home", "selector", "wrong", "paused", "held", "opening", "open", "still-open", "thanks", "stuck", "late",
    "several", "keep", "kept", "send-scan", "send-size", "send-none", "send-done",
    "courier-in", "courier-home", "courier-scan", "courier-size", "courier-which", "courier-label", "courier-out",
    "courier-bye", "courier-sync", "no-fit", "unknown", "audit", "service",
    "help", "look", "more-time", "report", "case", "closed", "asleep",
]  # fmt: skip

REFUSED_AFTER_S = 0.7  # after the last digit, whatever was computed: the time tells a guesser nothing
NAG_AFTER_S = 30.0
RETRY_WITHIN_S = 60  # a coil that rests for longer is waited for by nobody
THANKS_S, RESULT_S, IDLE_S, COURIER_IDLE_S, ASLEEP_AFTER_S = 10, 10, 30, 180, 120
WARNED_S = 20  # "Still there?" before a screen starts over (WCAG 2.2.1: at least 20 s, at least ten times)
LONGEST = timedelta(hours=1)  # a screen that ends later than that is of a time that was not

NEXT_PERSON_S = 60  # a home screen that nobody was at for so long stands before somebody else

AT_A_DOOR: tuple[Screen, ...] = ("opening", "late", "open", "still-open")
COVERS: tuple[Screen, ...] = ("help", "look")  # over any other screen, which comes back
ENDED: tuple[Screen, ...] = ("thanks", "case", "send-done", "courier-bye", "service")  # the next person comes
WARNS: tuple[Screen, ...] = (
    "selector", "wrong", "paused", "held", "stuck", "case", "report", "help", "look", "send-scan", "send-size",
    "send-none", "send-done", "courier-in", "courier-home", "courier-scan", "courier-size", "courier-which",
    "courier-label", "courier-out", "courier-sync", "no-fit", "unknown", "audit", "service", "keep", "kept",
)  # fmt: skip
"""Screens on which somebody may be reading or looking for something: they are asked before all is gone."""

REPORTS = {"occupied": OCCUPIED, "empty": EMPTY, "wrong": "reported_wrong_parcel",
           "damaged": "reported_damaged", "not_there": "reported_not_there"}  # fmt: skip


class LastDoor(msgspec.Struct, frozen=True):
    """The courier's last door."""

    door: int
    ending: str
    result: Literal["in", "out"] = "in"


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """The current screen. `until` is when it changes by itself, `lasts_s` after being shown; `number` rises with every
    change. What a courier or a technician has done stays from screen to screen."""

    screen: Screen = "home"
    number: int = 0
    door: int | None = None
    visit: UUID | None = None
    ending: str = ""
    late: bool = False
    tries_left: int | None = None
    wait_s: int = 0  # how long a pause was when it was shown
    paused_until: datetime | None = None  # codes are not listened to, nor a coil driven, before
    refusal: str = ""
    until: datetime | None = None
    lasts_s: int = 0
    courier: UUID | None = None
    brought: int = 0
    taken: int = 0
    last: LastDoor | None = None
    case: str = ""
    retries: bool = False  # whoever stands here may have the door opened or tried once more, after `paused_until`
    stands: bool = False  # the holding time of whoever stands here stands still while that case is open
    parcel: UUID | None = None  # whose size is being chosen
    label: str = ""  # that a courier has scanned or typed, and that is not for here
    alike: tuple[UUID, ...] = ()  # parcels with one label, between which the courier chooses
    sends: bool = False  # somebody who is no courier puts a parcel in
    receipt: str = ""
    checks: tuple[int, ...] = ()  # doors that are still to be looked into
    technician: UUID | None = None
    why: str = ""  # what a technician opens doors for
    page: int = 0  # of the doors that a technician chooses from
    found: str = ""  # what a test or a look has found
    once: UUID | None = None  # the wish that the parcel stays longer


KEPT = ("courier", "brought", "taken", "last", "technician", "why")
Tap = Callable[[str], Showing | Awaitable[Showing]]


def pause(no: Refusal, now: datetime) -> dict[str, Any]:
    """What a screen shows of the pause that a refusal tells of; nothing if it tells of none."""
    wait_s = no.details.get("wait_s", 0)
    return {"wait_s": wait_s, "paused_until": now + timedelta(seconds=wait_s)} if wait_s else {}


def idle(is_closed: bool) -> dict[str, Any]:
    """What stands while nobody is here: the pad, or for as long as no door is opened that the station is closed."""
    nobody = {"courier": None, "brought": 0, "taken": 0, "last": None, "technician": None, "why": ""}
    if is_closed:
        return {"screen": "closed", "refusal": "station_out_of_service", **nobody}
    return {"screen": "home", "seconds": ASLEEP_AFTER_S, **nobody}


def is_idle_otherwise(showing: Showing, is_closed: bool) -> bool:
    """Whether an idle screen says the contrary of how the station is now."""
    stands_closed = showing.screen == "closed" and showing.until is None
    return (stands_closed and not is_closed) or (is_closed and showing.screen in ("home", "asleep"))


def case_name(case: UUID) -> str:
    """What people call a case: the last 6 letters of its id."""
    return f"C-{case.hex[-6:].upper()}"
