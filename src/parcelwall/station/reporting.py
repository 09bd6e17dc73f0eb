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
        self.taps: dict[str, Tap] = {"wrong": lambda _: self._ask_what_is_wrong(), "report": self.report}

    def _ask_what_is_wrong(self) -> Showing:
        """About the door on the screen, or the last one; without any door there is help."""
        kiosk = self._kiosk
        door = kiosk.showing.door or (kiosk.showing.last.door if kiosk.showing.last else None)
        if kiosk.showing.screen == "several" and kiosk._last_visit:  # nobody has seen the next one yet
            door = kiosk._last_visit.compartment
        if not door:
            return kiosk.staying.cover("help")
        return kiosk.show("report", IDLE_S, door=door, visit=kiosk.showing.visit)

    def report(self, what: str) -> Showing:
        """Something is wrong with what lay behind the door: a case, and the compartment is offered to nobody.

        Raises Refusal `stale_screen` for anything but one of REPORTS about a door."""
        kiosk = self._kiosk
        if what not in REPORTS or kiosk.showing.door is None:
            raise Refusal("stale_screen")
        visit = self._visit_of_report()
        case = case_name(self._desk.report(REPORTS[what], kiosk.showing.door, visit).case)
        return kiosk.show("case", RESULT_S * 2, door=kiosk.showing.door, visit=kiosk.showing.visit, case=case)

    def _visit_of_report(self) -> Visit | None:
        """Whose door is on the screen: the one that is open, else the last one if it is that one."""
        kiosk = self._kiosk
        before_them = next((each for each in self._desk.unfinished() if each.id == kiosk.showing.visit), None)
        last = kiosk._last_visit if kiosk._last_visit and kiosk._last_visit.compartment == kiosk.showing.door else None
        return before_them or last
