"""Somebody before a door says what is wrong with what lies behind it."""

from typing import TYPE_CHECKING

from parcelwall.errors import Refusal
from parcelwall.station.showing import IDLE_S, REPORTS, RESULT_S, Showing, Tap, case_name
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk


class Reporting:
    """Reports at the screen of `kiosk`: about the door that is on it, or was last."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk, self._desk = kiosk, kiosk.desk
        self.taps: dict[str, Tap] = {"wrong": lambda _: self._ask_what_is_wrong(), "report": self.report,
                                     "not-there": self.was_empty}  # fmt: skip

    def _ask_what_is_wrong(self) -> Showing:
        """About the door on the screen, or the last one; without any door there is help."""
        kiosk = self._kiosk
        door = kiosk.showing.door or (kiosk.showing.last.door if kiosk.showing.last else None)
        if kiosk.showing.screen == "several" and kiosk._last_visit:  # nobody has seen the next one yet
            door = kiosk._last_visit.compartment
        if not door:
            return kiosk.staying.cover("help")
        kiosk.staying.remember(kiosk.showing)
        return kiosk.show("report", IDLE_S, door=door, visit=kiosk.showing.visit)

    def report(self, what: str) -> Showing:
        """Something is wrong with what lay behind the door: a case, and the compartment is offered to nobody.

        Raises Refusal `stale_screen` for anything but one of REPORTS about a door."""
        if what not in REPORTS or self._kiosk.showing.door is None:
            raise Refusal("stale_screen")
        return self._note(what, self._kiosk.showing.door)

    def was_empty(self, door: str) -> Showing:
        """Nothing lay behind the door that a courier has just taken something out of, by the book.

        Raises Refusal `stale_screen` for any other door."""
        showing = self._kiosk.showing
        last = showing.last if showing.screen == "courier-out" and showing.courier else None
        if last is None or last.result != "out" or door != str(last.door):
            raise Refusal("stale_screen")
        return self._note("not_there", last.door)

    def _note(self, what: str, door: int) -> Showing:
        kiosk = self._kiosk
        case = case_name(self._desk.report(REPORTS[what], door, self._visit_to(door)).case)
        return kiosk.show("case", RESULT_S * 2, door=door, visit=kiosk.showing.visit, case=case)

    def _visit_to(self, door: int) -> Visit | None:
        """The one whose door is open before them, else the last one if it was to that door."""
        kiosk = self._kiosk
        before_them = next((each for each in self._desk.unfinished() if each.id == kiosk.showing.visit), None)
        last = kiosk._last_visit if kiosk._last_visit and kiosk._last_visit.compartment == door else None
        return before_them or last
