"""The screens of somebody who would rather collect later: their code, typed here, keeps the parcel instead of opening
its door. The hub decides; without a line the screen says that, and until when the parcel stays as it is.

A way of its own, under Help: whoever collects passes no choice, and their door opens after the last digit as ever.
"""

from typing import TYPE_CHECKING

from parcelwall.errors import Refusal
from parcelwall.station.collecting import plain
from parcelwall.station.showing import IDLE_S, RESULT_S, Showing, Tap

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk


class Keeping:
    """At the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk = kiosk
        self.taps: dict[str, Tap] = {"keep": lambda _: self._kiosk.aside("keep")}

    async def type_code(self, digits: str, selector: str) -> Showing:
        """A code with the end of its parcel's number. A try like any: refused alike, REFUSED_AFTER_S after the call,
        and counted by the same brake. A right code is not spent by it."""
        kiosk = self._kiosk
        began = kiosk.began()
        if kiosk.showing.screen != "keep":
            return kiosk.showing
        try:
            parcel, _, by = kiosk.desk.codes.shown(plain(digits), plain(selector)[-4:] or None)
        except Refusal as no:
            await kiosk.hold_back(began)
            return self._refused(no)
        if by == "delegate":  # somebody else's right is to collect it, and no other
            await kiosk.hold_back(began)
            return self._refused(Refusal("no_right"))
        return kiosk.show("kept", IDLE_S, parcel=parcel.id, ending=parcel.selector, once=kiosk.desk.ids.new())

    def _refused(self, no: Refusal) -> Showing:
        kiosk = self._kiosk
        if kiosk.open_visit():  # another's, since this was typed: no other screen hides it
            return kiosk.still_busy()
        if no.reason == "proof_missing":
            return kiosk.show("held", IDLE_S, refusal=no.reason)
        if no.reason == "cannot_record":
            return kiosk.show("closed", RESULT_S, refusal=no.reason)
        return kiosk.show("keep", IDLE_S, refusal="wrong_code", tries_left=no.details.get("tries_left"))
