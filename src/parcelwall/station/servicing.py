"""The screens of a technician, who tests what the station is made of, and of a courier who looks into empty doors.

Every opening names why, in the journal. Only compartments in which the book has no parcel are opened.
"""

from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.station import lists, looking
from parcelwall.station.showing import COURIER_IDLE_S, Showing, Tap, case_name
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk

AT_A_TIME = 4  # doors of one check
WHYS = ("repair", "test", "cleaning", "inspection")
FOUND = {"empty": "", "parcel": "found_parcel", "rubbish": "found_rubbish"}


class Servicing:
    """What a technician does at the screen of `kiosk`, and a courier who checks doors."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk, self._desk = kiosk, kiosk.desk
        self._left: tuple[int, ...] = ()  # doors of the check, the one that is open first
        self.taps: dict[str, Tap] = {
            "why": self._say_why, "open-door": self._open, "test": self._test, "audit": lambda _: self._audit(),
            "check": lambda _: self._check(), "found": self._found, "sign-out": lambda _: kiosk.home(),
            "more-doors": lambda _: self._turn_page(),
        }  # fmt: skip

    def is_technician(self, who: UUID) -> bool:
        return lists.may(lists.in_use(self._desk.memory), who, "service", self._desk.now())

    def begin(self, who: UUID) -> Showing:
        return self._kiosk.show("service", COURIER_IDLE_S, technician=who)

    def _say_why(self, why: str) -> Showing:
        if self._kiosk.showing.technician is None or why not in WHYS:
            raise Refusal("stale_screen")
        return self._kiosk.show("service", COURIER_IDLE_S, why=why)

    async def _open(self, door: str) -> Showing:
        """A door of the technician's choice. Refused doors leave the screen as it is, with the reason."""
        showing = self._kiosk.showing
        if showing.technician is None or not showing.why or not door.isdecimal():
            raise Refusal("stale_screen")
        try:
            visit = self._desk.service(int(door[:5]), showing.technician, showing.why)
        except Refusal as no:
            return self._kiosk.show("service", COURIER_IDLE_S, refusal=no.reason, found="door")
        return await self._kiosk.serve_here(visit)

    def _turn_page(self) -> Showing:
        showing = self._kiosk.showing
        if showing.technician is None:
            raise Refusal("stale_screen")
        return self._kiosk.show("service", COURIER_IDLE_S, page=showing.page + 1)

    def _test(self, what: str) -> Showing:
        """One test: its result stands on the screen until the next."""
        if self._kiosk.showing.technician is None or what not in ("sensors", "reader", "sound", "network"):
            raise Refusal("stale_screen")
        return self._kiosk.show("service", COURIER_IDLE_S, found=what)

    def read(self, text: str) -> Showing:
        """Something was held to the reader on the service screen: how many characters, never which."""
        return self._kiosk.show("service", COURIER_IDLE_S, found="read", wait_s=len(text))

    def doors_seen(self) -> dict[str, int]:
        """How many doors read open, shut and unknown."""
        seen = self._kiosk.keeper.seen.values() if self._kiosk.keeper else ()
        return dict(Counter(str(each.state.value) for each in seen))

    # a courier's check of empty doors

    def _audit(self) -> Showing:
        if self._kiosk.showing.courier is None or self._kiosk.door_is_open():
            raise Refusal("stale_screen")
        doors = tuple(looking.to_check(self._desk, AT_A_TIME))
        return self._kiosk.show("audit", COURIER_IDLE_S, checks=doors, door=doors[0] if doors else None)

    async def _check(self) -> Showing:
        """Opens the next door of the check."""
        showing = self._kiosk.showing
        if showing.screen != "audit" or showing.courier is None or not showing.checks or showing.found:
            raise Refusal("stale_screen")
        self._left = showing.checks
        try:
            visit = looking.into(self._desk, showing.checks[0], showing.courier, "inspection")
        except Refusal as no:
            if no.reason == "door_busy" and self._kiosk.open_visit():
                return self._kiosk.still_busy()
            others_would_open = looking.may_look(self._desk, showing.courier) and not self._desk.doors_unchecked
            return self._next_check(showing.checks[1:] if others_would_open else (), no.reason)
        return await self._kiosk.serve_here(visit)

    def looked(self, visit: Visit) -> None:
        """The door is shut again: a technician goes on, a courier says what was behind it."""
        kiosk = self._kiosk
        if kiosk.showing.technician:
            kiosk.show("service", COURIER_IDLE_S)
        else:
            kiosk.show("audit", COURIER_IDLE_S, checks=self._left, door=visit.compartment, found="ask", visit=visit.id)

    def _found(self, what: str) -> Showing:
        """What lay behind the door. The book says that nothing did: anything else is a case."""
        showing = self._kiosk.showing
        if showing.screen != "audit" or showing.found != "ask" or what not in FOUND:
            raise Refusal("stale_screen")
        if FOUND[what]:
            case = self._desk.case(FOUND[what], None, showing.door, holds=True)
            self._desk.untold.write(case, None)
            return self._next_check(showing.checks[1:], case=case_name(case.case))
        return self._next_check(showing.checks[1:])

    def _next_check(self, doors: tuple[int, ...], refusal: str = "", case: str = "") -> Showing:
        if not doors:
            return self._kiosk.show("courier-home", COURIER_IDLE_S, refusal=refusal, case=case)
        return self._kiosk.show("audit", COURIER_IDLE_S, checks=doors, door=doors[0], refusal=refusal, case=case)
