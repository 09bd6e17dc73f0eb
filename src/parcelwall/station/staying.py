"""Whether whoever stands before the screen is still there: what help and looks cover, "Still there?", and what ends."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from parcelwall.station.showing import (
    AT_A_DOOR,
    COURIER_IDLE_S,
    COVERS,
    ENDED,
    IDLE_S,
    NEXT_PERSON_S,
    RESULT_S,
    WARNED_S,
    WARNS,
    Screen,
    Showing,
    Tap,
)

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk


class Staying:
    """At the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk = kiosk
        self._asked_over: Showing | None = None  # what "Still there?" covers
        self._under: Showing | None = None  # what help and looks cover
        self.taps: dict[str, Tap] = {
            "help": lambda _: self.cover("help"), "look": lambda _: self.cover("look"), "back": lambda _: self.back(),
            "more-time": lambda _: self._more_time(), "touch": lambda _: self._touched(),
            "half-typed": lambda _: self._half_typed(),
        }  # fmt: skip

    def forget(self) -> None:
        """The next person comes."""
        self._asked_over, self._under = None, None

    def cover(self, screen: Screen) -> Showing:
        """Help or looks, over whatever stands there: Back shows it again. A door that is open stays named on them."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        self.remember(self._asked_over if showing.screen == "more-time" else showing)
        visit = kiosk.open_visit()
        if visit is None:
            return kiosk.show(screen, IDLE_S)
        return kiosk.show(screen, IDLE_S, door=visit.compartment, visit=visit.id, ending=showing.ending,
                          late=showing.late)  # fmt: skip

    def remember(self, before: Showing | None) -> None:
        """What Back is to show again, if that is no cover itself."""
        if before is None or before.screen not in COVERS:
            self._under = before

    def back(self) -> Showing:
        """To where the person came from: the open door, what help has covered, the courier's next parcel, the
        technician's page, or home."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        under, self._under = self._under, None
        if showing.visit and (visit := kiosk.unfinished(showing.visit)):
            return kiosk.show_door(visit)
        if showing.screen in (*COVERS, "report") and under and under.screen not in AT_A_DOOR:
            return self._again(under)
        if showing.technician:
            return kiosk.show("service", COURIER_IDLE_S)
        if showing.courier and showing.screen != "courier-bye":
            return kiosk.show("courier-scan", COURIER_IDLE_S)
        return kiosk.home(keep_look=showing.screen not in ENDED)

    def _again(self, before: Showing) -> Showing:
        """The screen as it was, with all its time. One that was about to end all the same ends: the next person may
        stand there by now."""
        kiosk, now = self._kiosk, self._kiosk.desk.now()
        warns = before.screen in WARNS
        until = now + timedelta(seconds=before.lasts_s) if warns else before.until
        if before.screen in ("home", "asleep") or (until and until <= now):
            return kiosk.home(keep_look=True)
        return kiosk.put(msgspec.structs.replace(before, number=kiosk.showing.number + 1, until=until))

    def _touched(self) -> Showing:
        """Somebody is there: the screen stays as it is, and its time begins anew. "Still there?" is answered by it."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        if showing.screen == "more-time":
            return self._more_time()
        if showing.until and showing.screen in (*WARNS, "home"):
            until = kiosk.desk.now() + timedelta(seconds=showing.lasts_s)
            kiosk.showing = msgspec.structs.replace(showing, until=until)
        return kiosk.showing

    def _more_time(self) -> Showing:
        """Back to the screen that was about to end, with all its time; a door that is open may stay open as long as
        it might when it opened, as often as it is asked for."""
        before, self._asked_over = self._asked_over, None
        visit, keeper = self._kiosk.open_visit(), self._kiosk.keeper
        if visit and visit.step == "opened" and keeper:
            keeper.give_time(visit)
        return self._kiosk.home() if before is None or visit else self._again(before)

    def _half_typed(self) -> Showing:
        """Half a code stands on the page, and nobody has touched it for long. The page forgets it as the screen starts
        over; the station has never seen it."""
        kiosk = self._kiosk
        asks = kiosk.showing.screen in (*WARNS, "home") and not kiosk.open_visit()
        return self._ask() if asks else kiosk.showing

    def _ask(self) -> Showing:
        kiosk = self._kiosk
        self._asked_over = kiosk.showing
        return kiosk.show("more-time", WARNED_S, door=kiosk.showing.door)

    def before_a_scan(self) -> None:
        """Who holds something to a reader that nobody was at for a while is the next person: the looks are not
        theirs."""
        showing = self._kiosk.showing
        untouched = timedelta(seconds=showing.lasts_s - NEXT_PERSON_S)
        if showing.screen == "home" and showing.until and showing.until - self._kiosk.desk.now() < untouched:
            self._kiosk.look = {}

    def time_is_up(self) -> None:
        """The screen's seconds are over."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        if kiosk.open_visit():
            kiosk.home()
        elif showing.screen == "home":
            kiosk.look = {}
            kiosk.show("asleep", courier=None)
        elif showing.screen in ("stuck", "case") and showing.courier:
            kiosk.show("courier-scan", COURIER_IDLE_S)
        elif showing.screen in WARNS:
            self._ask()
        elif showing.screen == "more-time" and showing.courier:
            kiosk.show("courier-bye", RESULT_S)
        else:
            kiosk.home()
