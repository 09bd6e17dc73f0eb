"""What the screen shows: one person at a time, from the first digit to the shut door. Holds no rule and no words.

The truth is the visit in the book and the door; this is the picture of it. `Showing` is given to the page as it is;
a tap that belongs to an older `number` is refused as stale.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers import DoorState
from parcelwall.errors import Refusal
from parcelwall.rules import token
from parcelwall.rules.access import CODE_DIGITS
from parcelwall.rules.life import Stage
from parcelwall.rules.places import free_by_kind
from parcelwall.station.by_phone import PREFIXES, ByPhone
from parcelwall.station.challenge import Challenge
from parcelwall.station.desk import KIOSK, StationDesk
from parcelwall.station.keeper import Keeper
from parcelwall.station.outcomes import OCCUPIED
from parcelwall.station.road import Road
from parcelwall.station.showing import LastDoor, Screen, Showing
from parcelwall.station.visit import Visit

REFUSED_AFTER_S = 0.7  # after the last digit, whatever was computed: the time tells a guesser nothing
NAG_AFTER = timedelta(seconds=30)
THANKS_S, RESULT_S, IDLE_S, COURIER_IDLE_S = 10, 10, 30, 180


LONGEST = timedelta(hours=1)  # a screen that ends later than that is of a time that was not
OF_COURIERS = ("courier-scan", "courier-out", "courier-label", "no-fit", "unknown", "courier-sync")
REPORTS = {"occupied": OCCUPIED, "empty": "reported_empty", "wrong": "reported_wrong_parcel",
           "damaged": "reported_damaged", "not_there": "reported_not_there"}  # fmt: skip


class Kiosk:
    """The one screen of a station."""

    def __init__(self, desk: StationDesk, clock: Clock, challenge: Challenge, road: Road) -> None:
        self.desk, self._clock = desk, clock
        self.by_phone = ByPhone(self, challenge, road)
        self.keeper: Keeper | None = None
        self.showing = Showing()
        self._changed = asyncio.Event()
        self._typed = ""  # a code that waits for its selector; gone with the screen
        self.look: dict[str, str] = {}
        self._last_visit: Visit | None = None

    def attach(self, keeper: Keeper) -> None:
        self.keeper = keeper

    async def changed(self, after: int) -> Showing:
        """The screen as soon as its number is above `after`."""
        while self.showing.number <= after:
            await self._changed.wait()
        return self.showing

    def _show(self, screen: Screen, seconds: float | None = None, **values: object) -> Showing:
        kept = {"courier": self.showing.courier, "brought": self.showing.brought, "taken": self.showing.taken,
                "last": self.showing.last}  # fmt: skip
        until = self.desk.now() + timedelta(seconds=seconds) if seconds else None
        fields = {**kept, **values}
        self.showing = Showing(screen=screen, number=self.showing.number + 1, until=until, **fields)  # type: ignore[arg-type]
        old, self._changed = self._changed, asyncio.Event()
        old.set()
        return self.showing

    def home(self, keep_look: bool = False) -> Showing:
        """The pad, for the next person; or the door that stands open, which no other screen may hide."""
        if visit := self._open_visit():
            return self._show_door(visit)
        self.look = self.look if keep_look else {}
        self._typed = ""
        self._last_visit = None
        return self._show("home", courier=None, brought=0, taken=0, last=None)

    def _open_visit(self) -> Visit | None:
        """The visit whose door the person at this screen has before them."""
        return next((visit for visit in self.desk.unfinished() if visit.screen == KIOSK), None)

    def _show_door(self, visit: Visit) -> Showing:
        parcel = self.desk.memory.parcel(visit.parcel)
        screen: Screen = "open" if visit.step == "opened" else "opening"
        return self._show(screen, door=visit.compartment, visit=visit.id, ending=parcel.selector if parcel else "")

    # what a person does

    async def type_code(self, digits: str, selector: str | None = None) -> Showing:
        """Eight digits from the pad, or a QR that carries them. Refusals come REFUSED_AFTER_S after the call."""
        began = self._clock.mono()
        try:
            if selector and not digits:
                digits = self._typed
            visit = self.desk.collect_by_code(_plain(digits), _plain(selector or "")[-4:] or None)
        except Refusal as no:
            await self._clock.sleep(max(0.0, REFUSED_AFTER_S - (self._clock.mono() - began)))
            return self._refused_code(no, digits)
        self._typed = ""
        return await self._serve(visit)

    async def show_token(self, text: str) -> Showing:
        """A QR from the recipient's page or mail: the door opens by itself. Refusals come REFUSED_AFTER_S after."""
        began = self._clock.mono()
        try:
            visit = self.desk.collect_by_token(text)
        except Refusal as no:
            await self._clock.sleep(max(0.0, REFUSED_AFTER_S - (self._clock.mono() - began)))
            return self._refused_code(no, "")
        self._typed = ""
        return await self._serve(visit)

    def _refused_code(self, no: Refusal, digits: str) -> Showing:
        if no.reason == "selector_needed":
            self._typed = digits
            return self._show("selector", IDLE_S)
        if no.reason == "codes_paused":
            self._typed = digits
            return self._show("paused", IDLE_S, wait_s=no.details["wait_s"])
        if no.reason == "cannot_record":
            self._typed = ""
            return self._show("closed", RESULT_S, refusal=no.reason)
        if no.reason == "door_busy" or self._door_is_open():
            return self._still_busy()
        self._typed = ""
        return self._show("wrong", IDLE_S, tries_left=no.details.get("tries_left"))

    def _still_busy(self) -> Showing:
        """One moment: a door is still open, and it stays on the screen."""
        visit = self._open_visit()
        return self.showing if self._door_is_open() or visit is None else self._show_door(visit)

    async def sign_in(self, digits: str) -> Showing:
        """A courier's code of the day."""
        return await self.sign_in_by(lambda: self.desk.courier_by_code(_plain(digits)))

    async def sign_in_by(self, know: Callable[[], UUID]) -> Showing:
        """Whoever `know` knows is signed in as a courier; it refuses who is none."""
        began = self._clock.mono()
        try:
            courier = know()
        except Refusal as no:
            await self._clock.sleep(max(0.0, REFUSED_AFTER_S - (self._clock.mono() - began)))
            if self._door_is_open():
                return self.showing
            wait_s = no.details.get("wait_s", 0)
            return self._show("courier-in", IDLE_S, refusal=no.reason, tries_left=no.details.get("tries_left"),
                              wait_s=wait_s)  # fmt: skip
        if self._open_visit():
            return self._still_busy()
        return self._show("courier-scan", COURIER_IDLE_S, courier=courier)

    async def scanned(self, text: str) -> Showing:
        """Something was held to the reader: our own QR, a code of eight digits, or a label."""
        if text.startswith(token.PREFIX):
            return await self.show_token(text)
        if text.startswith(PREFIXES):
            return await self.by_phone.scanned(text)
        digits = "".join(text.split())
        is_code = len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit()
        return await (self.type_code(digits) if is_code and self.showing.courier is None else self.label(text))

    async def label(self, text: str) -> Showing:
        """A label, scanned or typed. Without a courier signed in, the way is to sign in first."""
        courier = self.showing.courier
        if courier is None:
            return self._aside("courier-in")
        try:
            visit = self.desk.deposit_by_label(text, courier)
        except Refusal as no:
            if no.reason == "door_busy" and self._open_visit():
                return self._still_busy()
            screen: Screen = "no-fit" if no.reason == "no_fitting_compartment" else "unknown"
            door = no.details.get("compartment") or no.details.get("door")
            return self._show(screen, COURIER_IDLE_S, refusal=no.reason, door=door)
        return await self._serve(visit)

    async def act(self, name: str, number: int, value: str = "") -> Showing:
        """One tap. Raises Refusal `stale_screen` for a tap on a screen that is gone, or that it does not have."""
        if number != self.showing.number:
            raise Refusal("stale_screen")
        if name == "label" and value:
            return await self.label(value)
        doors = {"again": self._again, "next": self._take_next}
        if name in doors:
            return await doors[name]()
        taps = {
            "help": lambda: self._aside("help"), "look": lambda: self._aside("look"), "back": self._back,
            "wrong": self._ask_what_is_wrong,
            "report": lambda: self._report(value), "courier": lambda: self._aside("courier-in"),
            "label": lambda: self._as_courier("courier-label"), "take": lambda: self._as_courier("courier-out"),
            "not-there": lambda: self._report("not_there"), "no-fit": lambda: self._as_courier("no-fit"),
            "van": self._back, "finish": self._finish, "more-time": self._more_time,
            "next-part": self.by_phone.next_part, "retry": self.home, "wake": self.home, "leave": self.home,
        }  # fmt: skip
        if name not in taps:
            raise Refusal("stale_screen")
        return taps[name]()

    def _back(self) -> Showing:
        """To where the person came from: the open door, the courier's next parcel, or home."""
        if self.showing.visit and any(each.id == self.showing.visit for each in self.desk.unfinished()):
            return self._show("open", door=self.showing.door, visit=self.showing.visit, ending=self.showing.ending)
        if self.showing.courier and self.showing.screen != "courier-bye":
            return self._show("courier-scan", COURIER_IDLE_S)
        return self.home(keep_look=self.showing.screen in ("look", "help"))

    def _ask_what_is_wrong(self) -> Showing:
        """About the door on the screen, or the last one; without any door there is help."""
        last = self.showing.last.door if self.showing.last else None
        if self.showing.door is None and last is None:
            return self._aside("help")
        return self._show("report", IDLE_S, door=self.showing.door or last, visit=self.showing.visit)

    def _report(self, what: str) -> Showing:
        """Something is wrong with what lay behind the door: a case, and the compartment is offered to nobody."""
        if what not in REPORTS or self.showing.door is None:
            raise Refusal("stale_screen")
        visit = self._visit_of_report()
        case = self.desk.report(REPORTS[what], self.showing.door, visit)
        return self._show("case", RESULT_S * 2, door=self.showing.door, visit=self.showing.visit, case=_name(case.case))

    def _visit_of_report(self) -> Visit | None:
        """Whose door is on the screen: the one that is open, else the last one if it is that one."""
        before_them = next((each for each in self.desk.unfinished() if each.id == self.showing.visit), None)
        last = self._last_visit if self._last_visit and self._last_visit.compartment == self.showing.door else None
        return before_them or last

    def set_look(self, field: str, value: str) -> Showing:
        """How the screen looks for this visit: language, text, theme, contrast. Raises Refusal for anything else."""
        if field not in ("lang", "text", "theme", "contrast"):
            raise Refusal("stale_screen")
        self.look = {**self.look, field: value}
        return self.redraw()

    def redraw(self) -> Showing:
        """The same screen once more, for what is drawn round it has changed."""
        self.showing = msgspec.structs.replace(self.showing, number=self.showing.number + 1)
        old, self._changed = self._changed, asyncio.Event()
        old.set()
        return self.showing

    def _aside(self, screen: Screen) -> Showing:
        """Help, look and a courier who comes never hide an open door."""
        return self._still_busy() if self._open_visit() else self._show(screen, IDLE_S)

    def _as_courier(self, screen: Screen) -> Showing:
        if self.showing.courier is None or self._door_is_open():
            return self.showing
        return self._show(screen, RESULT_S if screen == "courier-bye" else COURIER_IDLE_S)

    def _finish(self) -> Showing:
        """The round here is over; where there is no line, the courier's phone carries what the hub has not heard."""
        if self.by_phone.is_needed() and self.showing.screen != "courier-sync":
            self.by_phone.begin()
            return self._as_courier("courier-sync")
        return self._as_courier("courier-bye")

    def _door_is_open(self) -> bool:
        return self.showing.screen in ("opening", "open", "still-open")

    def _more_time(self) -> Showing:
        return self._show("courier-scan", COURIER_IDLE_S) if self.showing.courier else self.home()

    async def _again(self) -> Showing:
        if self._last_visit is None:
            raise Refusal("stale_screen")
        return await self._serve(self.desk.reopen(self._last_visit))

    async def _take_next(self) -> Showing:
        late = self.desk.overdue()
        if not late or self.showing.courier is None:
            return self._as_courier("courier-scan")
        try:
            visit = self.desk.take_back(late[0].id, self.showing.courier)
        except Refusal as no:
            return self._show("unknown", COURIER_IDLE_S, refusal=no.reason)
        return await self._serve(visit)

    # what the door does

    async def _serve(self, visit: Visit) -> Showing:
        await self.serve(visit)
        return self.showing

    async def serve(self, visit: Visit) -> Visit:
        """Opens the visit's door and shows it, whoever has asked for it and from where. The visit as it stands then."""
        assert self.keeper is not None, "a kiosk is attached to its keeper before the first person comes"
        parcel = self.desk.memory.parcel(visit.parcel)
        late = parcel is not None and parcel.stage == Stage.OVERDUE and visit.purpose == "collect"
        ending = parcel.selector if parcel else ""
        self._show("opening", door=visit.compartment, visit=visit.id, ending=ending, late=late)
        return await self.keeper.serve(visit)

    def visit_moved(self, visit: Visit) -> None:
        """The keeper tells of every step of every visit; only the one on this screen matters here."""
        on_screen = self.showing.visit == visit.id
        if visit.step == "opened" and visit.screen == "kiosk":
            ending = self.showing.ending if on_screen else ""
            self._show("open", door=visit.compartment, visit=visit.id, ending=ending, late=self.showing.late)
        elif not on_screen:
            return
        elif visit.screen != "kiosk" and visit.step != "ended":
            self._show("courier-scan", COURIER_IDLE_S) if self.showing.courier else self.home()
        elif visit.outcome == "done":
            self._shut(visit)
        elif visit.outcome == "void":
            self._show("courier-scan", COURIER_IDLE_S) if self.showing.courier else self.home()
        else:
            self._show("stuck", 30, door=visit.compartment, case=_name(visit.case) if visit.case else "")

    def _shut(self, visit: Visit) -> None:
        self._last_visit = visit
        if visit.courier is None or self.showing.courier is None:  # a start in between forgets who was signed in
            self._show("thanks", THANKS_S, door=visit.compartment)
            return
        result: Literal["in", "out"] = "in" if visit.purpose == "deposit" else "out"
        last = LastDoor(visit.compartment, self.showing.ending, result)
        brought, taken = self.showing.brought + (result == "in"), self.showing.taken + (result == "out")
        screen: Screen = "courier-out" if result == "out" and self.desk.overdue() else "courier-scan"
        self._show(screen, COURIER_IDLE_S, last=last, brought=brought, taken=taken)

    def tick(self) -> None:
        """Called a few times a second: screens that end by themselves, and the door that is still open."""
        now, showing = self.desk.now(), self.showing
        if showing.screen == "open" and showing.visit and self._open_since(showing.visit) > NAG_AFTER:
            self._show("still-open", door=showing.door, visit=showing.visit, ending=showing.ending)
        if showing.until and not now < showing.until < now + LONGEST:
            self._time_is_up()
        if showing.screen == "home" and self._some_door_is_open() and (visit := self._open_visit()):
            self._show_door(visit)  # found after a power cut

    def _some_door_is_open(self) -> bool:
        return self.keeper is not None and any(seen.state == DoorState.OPEN for seen in self.keeper.seen.values())

    def _time_is_up(self) -> None:
        if self._open_visit():
            self.home()
        elif self.showing.screen == "stuck" and self.showing.courier:
            self._show("courier-scan", COURIER_IDLE_S)
        elif self.showing.screen in OF_COURIERS:
            self._show("courier-bye", RESULT_S)
        else:
            self.home()

    def _open_since(self, visit: UUID) -> timedelta:
        opened = [each.opened_at for each in self.desk.unfinished() if each.id == visit and each.opened_at]
        return self.desk.now() - opened[0] if opened else timedelta(0)

    # what a courier's screen counts

    def free_by_size(self) -> list[tuple[str, int]]:
        plan = self.desk.plan
        counts: dict[str, int] = {}
        for (size, _), free in zip(plan.kinds, free_by_kind(plan, self.desk.memory.room()), strict=True):
            counts[size] = counts.get(size, 0) + free
        return list(counts.items())

    def door_state(self) -> DoorState:
        seen = self.keeper.seen.get(self.showing.door or 0) if self.keeper else None
        return seen.state if seen else DoorState.UNKNOWN


def _name(case: UUID) -> str:
    """What people call a case: the last 6 letters of its id."""
    return f"C-{case.hex[-6:].upper()}"


def _plain(digits: str) -> str:
    return "".join(c for c in digits if c.isascii() and c.isdigit())
