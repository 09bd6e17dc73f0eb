"""The door of what was just put in, once more: a parcel was behind the wrong one, or none at all.

What was booked as put in stays true: whoever opens it again puts it right and pushes it shut, or says that they take
the parcel out again, which is booked as such. A courier must still be signed in, a sender still stand there.
"""

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.rules import putting_right as rules
from parcelwall.rules.life import Parcel
from parcelwall.station.desk import StationDesk
from parcelwall.station.showing import COURIER_IDLE_S, THANKS_S, LastDoor, Screen, Showing, Tap
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk

OF_A_COURIER: tuple[Screen, ...] = ("courier-scan", "courier-home")
OF_A_SENDER: tuple[Screen, ...] = ("send-done",)


def to_put_right(desk: StationDesk, before: Visit, courier: UUID | None) -> Parcel:
    """What `before` has put in, if its door may be opened again: by the same courier, who may still put in, or by a
    sender (None). Refused as stale where another has put it in, nobody knows what lies there, a case holds the
    compartment, it is out or blocked, or it was shut too long ago."""
    if courier:
        desk._refuse_without("deposit", courier)
    put_in = before.purpose in ("deposit", "put_right") and before.outcome == "done" and not before.taken_out
    first = before.first_opened_at or before.opened_at
    if before.courier != courier or not put_in or first is None or before.shut_at is None:
        raise Refusal("stale_screen")
    if not rules.in_time(first, before.shut_at, desk.now(), courier is not None, desk.memory.policy):
        raise Refusal("stale_screen")
    room, parcel = desk.memory.room(), desk.memory.parcel(before.parcel)
    if (room.held | room.broken) & desk.plan.bit(before.compartment) or parcel is None:
        raise Refusal("stale_screen")
    if not rules.still_lies(parcel, before.reservation, before.compartment):
        raise Refusal("stale_screen")
    return parcel


def begin(desk: StationDesk, before: Visit, courier: UUID | None) -> Visit:
    """Begins the visit that puts right what `before` has put in. Refuses as `to_put_right`, and while another door is
    open."""
    desk._refuse_busy()
    parcel = to_put_right(desk, before, courier)
    first = before.first_opened_at or before.opened_at
    return desk._begin("put_right", parcel, before.compartment, courier=courier, why="put_right", first_opened_at=first)


def say(desk: StationDesk, visit: Visit, taken_out: bool) -> Visit:
    """What becomes of the parcel when the door is shut. Raises as `StationDesk.report` does."""
    told = msgspec.structs.replace(visit, taken_out=taken_out)
    desk.untold.write(None, told)
    return told


class PuttingRight:
    """What whoever has just put a parcel in does at the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk, self._desk = kiosk, kiosk.desk
        self._last: Visit | None = None  # what was put in last, by whoever is here
        self._was_offered = False
        self.taps: dict[str, Tap] = {
            "reopen": self._open_again, "take-out": lambda _: self._say(True), "leave-in": lambda _: self._say(False),
        }  # fmt: skip

    def forget(self) -> None:
        """The next person comes."""
        self._last = None

    def note(self, visit: Visit) -> None:
        """A visit at this screen has ended at a shut door: only what was put in last is put right."""
        self._last = visit

    def offered(self) -> int | None:
        """The door that may be opened again now, from the screen that is shown; None: none may."""
        kiosk, last = self._kiosk, self._last
        if last is None or kiosk.open_visit():
            return None
        if kiosk.showing.screen not in (OF_A_COURIER if last.courier else OF_A_SENDER):
            return None
        try:
            return to_put_right(self._desk, last, kiosk.showing.courier).compartment
        except Refusal:
            return None

    def tick(self) -> None:
        """What is not offered any more leaves the screen."""
        before, self._was_offered = self._was_offered, self.offered() is not None
        if before and not self._was_offered and self._kiosk.showing.screen in (*OF_A_COURIER, *OF_A_SENDER):
            self._kiosk.redraw()

    async def _open_again(self, door: str) -> Showing:
        """Raises Refusal `stale_screen` for another door than the one that is offered."""
        kiosk, last = self._kiosk, self._last
        if last is None or door != str(self.offered()):
            raise Refusal("stale_screen")
        return await kiosk.serve_here(begin(self._desk, last, kiosk.showing.courier))

    def _say(self, taken_out: bool) -> Showing:
        visit = self._kiosk.open_visit()
        if visit is None or visit.purpose != "put_right" or visit.step != "opened":
            raise Refusal("stale_screen")
        return self._kiosk.show_door(say(self._desk, visit, taken_out))

    def is_done(self, visit: Visit) -> None:
        """The door is shut again: a courier goes on, a sender has the receipt as before or their parcel."""
        kiosk, showing = self._kiosk, self._kiosk.showing
        if visit.courier and showing.courier:
            last, taken = showing.last, showing.taken + visit.taken_out
            if visit.taken_out:
                last = LastDoor(visit.compartment, showing.ending, "out")
            kiosk.show("courier-scan", COURIER_IDLE_S, last=last, taken=taken)
        elif visit.courier or visit.taken_out or not kiosk.sending.receipt:  # a start in between forgets who was here
            kiosk.show("thanks", THANKS_S, door=visit.compartment, sends=visit.courier is None)
        else:
            kiosk.sending.is_in(visit)
