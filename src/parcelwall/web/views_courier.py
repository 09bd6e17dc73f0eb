"""What the courier's pages are told, and the screen of a station that speaks with a courier's phone.

As with all views (`web.views`): whoever fills one has decided everything, a template only shows it. No field holds a
name, a code, another courier's round or what is in a parcel. `courier` is the random id by which a phone keeps apart
what different couriers have left in its outbox.
"""

from datetime import datetime
from typing import Literal

import msgspec


class RoadShown(msgspec.Struct, frozen=True):
    """Screen `courier-sync`: the codes of one part, shown in a loop, and how far the hub's answer is read.

    `name` is the same as long as the codes are; `later` entries come in the next part; `outcome` is "", "kept" or
    "refused".
    """

    name: str
    sheets: int
    unsent: int
    later: int = 0
    read: int = 0
    read_of: int = 0
    outcome: str = ""


class SizeLine(msgspec.Struct, frozen=True):
    """One size: free now, still to come, and how many of those find no room even in larger ones."""

    name: str
    free: int
    coming: int = 0
    short: int = 0


class StopLine(msgspec.Struct, frozen=True):
    """A station of the round. `seen_at` is set when its line is down: the counts are of then. `else_where` names a
    stop with room for what finds none here. `place` is that in the order of today, 0 where there is none; `behind` says
    why the courier need not go there first any more."""

    station: str
    name: str
    address: str = ""
    to_bring: int = 0
    to_take: int = 0
    sizes: tuple[SizeLine, ...] = ()
    in_service: bool = True
    seen_at: datetime | None = None
    else_where: str = ""
    place: int = 0
    behind: Literal["", "been", "unreachable"] = ""

    @property
    def short(self) -> tuple[SizeLine, ...]:
        return tuple(size for size in self.sizes if size.short)

    @property
    def idle(self) -> bool:
        return not self.to_bring and not self.to_take


class SignInView(msgspec.Struct, frozen=True):
    """`notice` says no, "" before the first try."""

    notice: str = ""


class RoundView(msgspec.Struct, frozen=True):
    """The stops: in the order of today, if one was given, and with work first."""

    courier: str
    stops: tuple[StopLine, ...] = ()
    now: datetime | None = None

    @property
    def ordered(self) -> bool:
        return any(stop.place for stop in self.stops)

    @property
    def next(self) -> StopLine | None:
        """The first with work that is not behind the courier; if all are, the first with work."""
        work = [stop for stop in self.stops if not stop.idle]
        return next((stop for stop in work if not stop.behind), next(iter(work or self.stops), None))


class DoorDone(msgspec.Struct, frozen=True):
    """The door that this courier last used here, as it was reported: never another person's."""

    number: int
    result: Literal["in", "out"]
    place: str
    cabinet_svg: str
    at: datetime
    ending: str = ""


class FirstStop(msgspec.Struct, frozen=True):
    """A stop that comes before the one that was opened. `must`: a carrier wants to know why not; else it is a question
    that is passed with a tap."""

    station: str
    name: str
    must: bool


class StopView(msgspec.Struct, frozen=True):
    """One stop, live. `endings`: of the parcels to take out. `geo` opens the phone's own map;
    `now` is shown when the phone has kept the page. While `first` are not passed, they are shown instead; `day` is that
    of their order."""

    courier: str
    stop: StopLine
    geo: str = ""
    map_svg: str | None = None
    last: DoorDone | None = None
    endings: tuple[str, ...] = ()
    brought: int = 0
    taken: int = 0
    events: str | None = None
    now: datetime | None = None
    first: tuple[FirstStop, ...] = ()
    day: str = ""


class ScanView(msgspec.Struct, frozen=True):
    """The camera, for whatever it sees. `labels` is JSON: what the phone knows of this stop without a signal. `first`
    and `day` as those of the stop's page."""

    courier: str
    station: str = ""
    name: str = ""
    labels: str = "{}"
    first: tuple[FirstStop, ...] = ()
    day: str = ""


class CarryView(msgspec.Struct, frozen=True):
    courier: str


class ProblemView(msgspec.Struct, frozen=True):
    """`stations` are (id, name) of the round; `station` is the one that is chosen. `photo`: what is said of it, as some
    carrier wants one, or all of them want none."""

    courier: str
    stations: tuple[tuple[str, str], ...] = ()
    station: str = ""
    photo: Literal["off", "optional", "required"] = "optional"


class OutboxView(msgspec.Struct, frozen=True):
    courier: str


class DayLine(msgspec.Struct, frozen=True):
    name: str
    brought: int
    taken: int
    left: int


class DayView(msgspec.Struct, frozen=True):
    """Today, as far as the hub has heard."""

    courier: str
    day: datetime
    lines: tuple[DayLine, ...] = ()
    problems: int = 0

    @property
    def brought(self) -> int:
        return sum(line.brought for line in self.lines)

    @property
    def taken(self) -> int:
        return sum(line.taken for line in self.lines)

    @property
    def left(self) -> int:
        return sum(line.left for line in self.lines)


TEMPLATES: dict[type, str] = {
    SignInView: "courier/sign-in.html", RoundView: "courier/round.html", StopView: "courier/stop.html",
    ScanView: "courier/scan.html", CarryView: "courier/carry.html", ProblemView: "courier/problem.html",
    OutboxView: "courier/outbox.html", DayView: "courier/day.html",
}  # fmt: skip
