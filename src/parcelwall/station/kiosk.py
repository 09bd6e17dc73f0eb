"""What the screen shows: one person at a time, from the first digit to the shut door. Holds no rule and no words.

The truth is the visit in the book and the door; this is the picture of it. What people do has files of its own:
`collecting`, `several`, `reporting`, `bringing`, `putting_right`, `sending`, `servicing`.
"""

import asyncio
import inspect
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from parcelwall.clock import Clock
from parcelwall.drivers import DoorState
from parcelwall.errors import Refusal
from parcelwall.rules import token
from parcelwall.rules.access import CODE_DIGITS
from parcelwall.rules.life import Stage
from parcelwall.rules.places import free_by_kind
from parcelwall.station import taking
from parcelwall.station.bringing import Bringing
from parcelwall.station.by_phone import PREFIXES, ByPhone
from parcelwall.station.challenge import Challenge
from parcelwall.station.collecting import Collecting, plain
from parcelwall.station.desk import KIOSK, StationDesk
from parcelwall.station.keeper import Keeper
from parcelwall.station.keeping import Keeping
from parcelwall.station.putting_right import PuttingRight
from parcelwall.station.reporting import Reporting
from parcelwall.station.reserve import UNWRITTEN
from parcelwall.station.road import Road
from parcelwall.station.sending import Sending
from parcelwall.station.servicing import Servicing
from parcelwall.station.several import Several
from parcelwall.station.showing import (
    AT_A_DOOR,
    COURIER_IDLE_S,
    COVERS,
    IDLE_S,
    KEPT,
    LONGEST,
    NAG_AFTER_S,
    REFUSED_AFTER_S,
    RESULT_S,
    RETRY_WITHIN_S,
    THANKS_S,
    Screen,
    Showing,
    Tap,
    case_name,
    idle,
    is_idle_otherwise,
)
from parcelwall.station.staying import Staying
from parcelwall.station.visit import Visit

log = structlog.get_logger()

JUMPS = timedelta(seconds=5)  # of the clock, between two looks at it
LOOKS = ("lang", "text", "theme", "contrast", "sound", "speech", "volume", "steady", "low")


class Kiosk:
    """The one screen of a station."""

    def __init__(self, desk: StationDesk, clock: Clock, challenge: Challenge, road: Road) -> None:
        self.desk, self._clock = desk, clock
        self.by_phone = ByPhone(self, challenge, road)
        self.keeper: Keeper | None = None
        self.showing = Showing()
        self._changed = asyncio.Event()
        self._ticked: tuple[datetime, float] | None = None  # the time, and our own count of seconds
        self.look: dict[str, str] = {}
        self.has_reader = True  # as far as anybody knows
        self._last_visit: Visit | None = None
        self.collecting, self.several, self.reporting = Collecting(self), Several(self), Reporting(self)
        self.staying, self.keeping = Staying(self), Keeping(self)
        self.bringing, self.sending, self.servicing = Bringing(self), Sending(self), Servicing(self)
        self.righting = PuttingRight(self)
        self._taps: dict[str, Tap] = {
            "wake": lambda _: self.home(), "leave": lambda _: self.home(), **self.staying.taps, **self.keeping.taps,
            **self.collecting.taps, **self.several.taps, **self.reporting.taps,
            **self.bringing.taps, **self.sending.taps, **self.servicing.taps, **self.righting.taps,
        }  # fmt: skip

    def attach(self, keeper: Keeper) -> None:
        self.keeper = keeper

    async def changed(self, after: int) -> Showing:
        """The screen as soon as its number is above `after`."""
        while self.showing.number <= after:
            await self._changed.wait()
        return self.showing

    def show(self, screen: Screen, seconds: float | None = None, **values: object) -> Showing:
        """The next screen, for so many seconds if they are given. What a courier has done is kept. A clock that was put
        right before it moves what stood there, and not its end."""
        self._follow_clock()
        kept = {name: getattr(self.showing, name) for name in KEPT}
        until = self.desk.now() + timedelta(seconds=seconds) if seconds else None
        fields = {**kept, "lasts_s": int(seconds or 0), **values}
        return self.put(Showing(screen=screen, number=self.showing.number + 1, until=until, **fields))

    def put(self, showing: Showing) -> Showing:
        """Shows exactly this."""
        self.showing = showing
        old, self._changed = self._changed, asyncio.Event()
        old.set()
        return showing

    def home(self, keep_look: bool = False) -> Showing:
        """The pad, for the next person; or the door that stands open, which no other screen may hide."""
        if visit := self.open_visit():
            return self.show_door(visit)
        self.look = self.look if keep_look else {}
        self._last_visit = None
        for each in (self.staying, self.collecting, self.sending, self.righting):
            each.forget()
        return self.show(**idle(self.desk.doors_unchecked))

    @property
    def last_visit_id(self) -> UUID | None:
        """The visit that has ended at this screen, while nobody else has come."""
        return self._last_visit.id if self._last_visit else None

    def open_visit(self) -> Visit | None:
        """The visit whose door the person at this screen has before them."""
        return next((visit for visit in self.desk.unfinished() if visit.screen == KIOSK), None)

    def show_door(self, visit: Visit) -> Showing:
        """The door of a visit that has begun, or is open."""
        parcel = self.desk.memory.parcel(visit.parcel)
        screen: Screen = "open" if visit.step == "opened" else "opening"
        return self.show(screen, door=visit.compartment, visit=visit.id, ending=parcel.selector if parcel else "",
                         sends=_is_sent(visit))  # fmt: skip

    # what a person does

    async def type_code(self, digits: str, selector: str | None = None) -> Showing:
        """Eight digits from the pad, or a QR that carries them. Refusals come REFUSED_AFTER_S after the call."""
        return await self.collecting.type_code(digits, selector)

    def began(self) -> float:
        """When a try began, for `hold_back`."""
        return self._clock.mono()

    async def hold_back(self, began: float) -> None:
        """Waits until a refusal may be seen: the same time after each try that began then."""
        await self._clock.sleep(max(0.0, REFUSED_AFTER_S - (self._clock.mono() - began)))

    def still_busy(self) -> Showing:
        """One moment: a door is still open, and it stays on the screen."""
        visit = self.open_visit()
        return self.showing if self.showing.screen in AT_A_DOOR or visit is None else self.show_door(visit)

    async def sign_in(self, digits: str) -> Showing:
        """A code of the day: a courier's, or a technician's."""
        return await self.sign_in_by(lambda: self.desk.courier_by_code(plain(digits)))

    async def sign_in_by(self, know: Callable[[], UUID]) -> Showing:
        """Whoever `know` knows is signed in; it refuses who is neither courier nor technician."""
        return await self.bringing.sign_in_by(know)

    async def scanned(self, text: str) -> Showing:
        """Something was held to the reader: our own QR, a code of eight digits, or a label."""
        self.staying.before_a_scan()
        if self.showing.screen == "service":
            return self.servicing.read(text)
        if text.startswith(token.PREFIX):
            return await self.collecting.show_token(text)
        if text.startswith(PREFIXES):
            return await self.by_phone.scanned(text)
        digits = "".join(text.split())
        is_code = len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit()
        return await (self.type_code(digits) if is_code and self.showing.courier is None else self.label(text))

    def reader_is_here(self, here: bool) -> None:
        """A reader that is not there is asked for by no screen."""
        if here != self.has_reader:
            self.has_reader = here
            self.redraw()

    async def label(self, text: str) -> Showing:
        """A label, scanned or typed: a sender's own, else a courier's."""
        if self.showing.courier is None and self.sending.knows_label(text):
            return self.sending.show_label(text)
        return await self.bringing.label(text)

    async def act(self, name: str, number: int, value: str = "") -> Showing:
        """One tap. Raises Refusal `stale_screen` for a tap on a screen that is gone, or that it does not have. What
        cannot be written down is said so: nobody goes away and thinks that it was."""
        if number != self.showing.number or name not in self._taps:
            raise Refusal("stale_screen")
        try:
            answer = self._taps[name](value)
            return await answer if inspect.isawaitable(answer) else answer
        except UNWRITTEN as no:
            log.error("cannot_write", station=self.desk.memory.station, reason=str(no))
            return self.show("case", RESULT_S * 2, door=self.showing.door, visit=self.showing.visit,
                             refusal="cannot_record")  # fmt: skip

    def unfinished(self, visit: UUID) -> Visit | None:
        return next((each for each in self.desk.unfinished() if each.id == visit), None)

    def set_look(self, field: str, value: str) -> Showing:
        """How the screen looks and sounds for this visit: one of LOOKS. Raises Refusal for anything else."""
        if field not in LOOKS:
            raise Refusal("stale_screen")
        self.look = {**self.look, field: value}
        return self.redraw()

    def redraw(self) -> Showing:
        """The same screen once more, for what is drawn round it has changed."""
        return self.put(msgspec.structs.replace(self.showing, number=self.showing.number + 1))

    def aside(self, screen: Screen) -> Showing:
        """A courier or a sender who comes never hides an open door."""
        return self.still_busy() if self.open_visit() else self.show(screen, IDLE_S)

    def door_is_open(self) -> bool:
        """Whether the door of somebody here stands on the screen, or below help."""
        screen = self.showing.screen
        return screen in AT_A_DOOR or (screen in COVERS and self.open_visit() is not None)

    # what the door does

    async def serve_here(self, visit: Visit) -> Showing:
        await self.serve(visit)
        return self.showing

    async def serve(self, visit: Visit) -> Visit:
        """Opens the visit's door and shows it, whoever has asked for it and from where. The visit as it stands then."""
        assert self.keeper is not None, "a kiosk is attached to its keeper before the first person comes"
        parcel = self.desk.memory.parcel(visit.parcel)
        late = parcel is not None and parcel.stage == Stage.OVERDUE and visit.purpose == "collect"
        self.show("late" if late else "opening", door=visit.compartment, visit=visit.id, late=late,
                  ending=parcel.selector if parcel else "", sends=_is_sent(visit))  # fmt: skip
        return await self.keeper.serve(visit)

    def visit_moved(self, visit: Visit) -> None:
        """The keeper tells of every step of every visit; only the one on this screen matters here."""
        on_screen = self.showing.visit == visit.id
        if visit.step == "opened" and visit.screen == "kiosk":
            ending = self.showing.ending if on_screen else ""
            self.show("open", door=visit.compartment, visit=visit.id, ending=ending, late=self.showing.late,
                      sends=_is_sent(visit))  # fmt: skip
        elif not on_screen:
            return
        elif visit.screen != "kiosk" and visit.step != "ended":
            self.show("courier-scan", COURIER_IDLE_S) if self.showing.courier else self.home()
        elif visit.outcome == "done":
            self._shut(visit)
        elif visit.outcome == "void" and not taking.has_rested(visit):
            self.bringing.put_nothing(visit)
        else:
            self._stuck(visit)

    def _stuck(self, visit: Visit) -> None:
        """It is tried once more for whoever stands here, if its coil will have rested before they have gone away."""
        self._last_visit = visit
        rests_s = math.ceil(self.keeper.doors.rests_s(visit.compartment)) if self.keeper else 0
        in_doubt = visit.compartment in self.desk.in_doubt()
        retries = taking.may_be_tried(visit) and rests_s <= RETRY_WITHIN_S and not in_doubt
        wait_s = rests_s if retries else 0
        self.show(
            "stuck", IDLE_S + wait_s, door=visit.compartment, retries=retries, wait_s=wait_s,
            paused_until=self.desk.now() + timedelta(seconds=wait_s) if wait_s else None,
            case=case_name(visit.case) if visit.case else "", stands=bool(visit.case) and visit.purpose == "collect",
        )  # fmt: skip

    def _shut(self, visit: Visit) -> None:
        self._last_visit = visit
        self.righting.note(visit)
        if visit.purpose == "put_right":
            self.righting.is_done(visit)
        elif visit.purpose == "inspect" and visit.courier and (self.showing.technician or self.showing.courier):
            self.servicing.looked(visit)
        elif visit.by == "operator" and self.showing.courier:  # opened from afar: whoever works here goes on
            self.show("courier-scan", COURIER_IDLE_S)
        elif visit.by == "operator" and self.showing.technician:
            self.show("service", COURIER_IDLE_S)
        elif _is_sent(visit):
            self.sending.is_in(visit)
        elif visit.courier is None or self.showing.courier is None:  # a start in between forgets who was signed in
            may_reopen = visit.purpose in ("collect", "take_back", "reopen")
            self.show("thanks", THANKS_S, door=visit.compartment, retries=may_reopen)
        else:
            self.bringing.is_done(visit)

    def tick(self) -> None:
        """Called a few times a second: screens that end by themselves, and the door that is still open."""
        self._follow_clock()
        now, showing = self.desk.now(), self.showing
        if showing.screen == "open" and (visit := self.open_visit()) and self.nags(visit):
            self.show("still-open", door=showing.door, visit=showing.visit, ending=showing.ending, sends=showing.sends)
        if showing.until and not now < showing.until < now + LONGEST:
            self.staying.time_is_up()
        if is_idle_otherwise(self.showing, self.desk.doors_unchecked):
            self.home()
        if showing.screen in ("home", "asleep") and self._some_door_is_open() and (visit := self.open_visit()):
            self.show_door(visit)  # found after a power cut
        self.righting.tick()

    def _follow_clock(self) -> None:
        """A clock that is put right moves the end of a screen with it: a courier who has gone is signed out when their
        time is over, by the seconds that pass."""
        now, mono_s = self.desk.now(), self._clock.mono()
        before, before_s = self._ticked or (now, mono_s)
        self._ticked = now, mono_s
        jump = now - before - timedelta(seconds=mono_s - before_s)
        if abs(jump) > JUMPS:
            ends = {name: at + jump for name in ("until", "paused_until") if (at := getattr(self.showing, name))}
            self.showing = msgspec.structs.replace(self.showing, **ends)

    def _some_door_is_open(self) -> bool:
        return self.keeper is not None and any(seen.state == DoorState.OPEN for seen in self.keeper.seen.values())

    def nags(self, visit: Visit) -> bool:
        """Whether its door has been open for so long that somebody must be told: since it opened, or since whoever
        stands there has asked for more time."""
        return self.keeper is not None and visit.step == "opened" and self.keeper.open_for_s(visit) > NAG_AFTER_S

    # what a courier's screen counts

    def free_by_size(self) -> list[tuple[str, int]]:
        plan = self.desk.plan
        counts: dict[str, int] = {}
        for (size, _), free in zip(plan.kinds, free_by_kind(plan, self.desk.room()), strict=True):
            counts[size] = counts.get(size, 0) + free
        return list(counts.items())

    def door_state(self) -> DoorState:
        seen = self.keeper.seen.get(self.showing.door or 0) if self.keeper else None
        return seen.state if seen else DoorState.UNKNOWN


def _is_sent(visit: Visit) -> bool:
    """Put in by somebody who is no courier: a return, or a parcel that is sent from here."""
    return visit.purpose == "deposit" and visit.courier is None
