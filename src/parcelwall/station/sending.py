"""The screens of somebody who sends or returns a parcel: show the label or type the send code, choose a door, done.

Only parcels that were announced as returns, and promised room here, can be put in without a courier.
"""

from typing import TYPE_CHECKING

from parcelwall.errors import Refusal
from parcelwall.rules import access, twins
from parcelwall.rules.access import BARE, WITH_SELECTOR
from parcelwall.rules.life import Parcel, Stage
from parcelwall.station import chosen
from parcelwall.station.showing import IDLE_S, RESULT_S, Showing, Tap
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk

class Sending:
    """What a sender does at the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk, self._desk = kiosk, kiosk.desk
        self.receipt = ""  # of whoever has just put a parcel in
        self.taps: dict[str, Tap] = {"send": lambda _: kiosk.aside("send-scan")}

    def forget(self) -> None:
        """The next person comes."""
        self.receipt = ""

    def _expected(self) -> list[Parcel]:
        return [each for each in self._desk.expected() if each.direction == "return"]

    def by_code(self, digits: str, selector: str | None = None) -> Parcel | None:
        """The return whose send code this is. All are derived and compared, so that the time tells nothing; while
        codes are paused there is none, nor without its number where there are many codes."""
        codes, inside = self._desk.codes, len(self._desk.inside())
        name, limits = (f"selector/{selector}", WITH_SELECTOR) if selector else ("bare", BARE)
        asked_alone = selector is None and codes.are_many(inside + len(self._desk.drawn()))
        found = [
            parcel for parcel in self._expected()
            if access.same(codes.of_sender(parcel), digits) and selector in (None, parcel.selector)
        ]  # fmt: skip
        return found[0] if len(found) == 1 and not asked_alone and not codes.pause_left_s(name, limits) else None

    def knows_label(self, text: str) -> bool:
        """Whether this is the label of a return that is expected here."""
        return bool(self._with_label(text))

    def _with_label(self, text: str) -> list[Parcel]:
        """Returns that are expected with this label. What a courier brings under it is none of a sender's business."""
        known = self._desk.with_label(text)
        return [each for each in known if each.direction == "return" and each.stage == Stage.RESERVED]

    def show_label(self, text: str) -> Showing:
        """Where two carriers' returns have one label, the send code says which it is."""
        parcels = self._with_label(text)
        try:
            return self.ask_size(twins.meant(parcels)) if parcels else self._kiosk.aside("send-scan")
        except Refusal as no:
            return self.refused(no)

    def ask_size(self, parcel: Parcel, above: int | None = None) -> Showing:
        """Which door fits? The smallest that the rules would take is proposed; `above` a door that was too small.

        Where the rules refuse, the screen says so."""
        kiosk = self._kiosk
        if kiosk.open_visit():
            return kiosk.still_busy()
        if left := chosen.aside(self._desk, parcel.id):
            return kiosk.bringing.resume(left)
        try:
            room = self._desk.room()
            first = chosen.larger_with_room(self._desk.plan, room, parcel, above) if above else chosen.smallest(
                self._desk, parcel.id)  # fmt: skip
            if not first:
                raise Refusal("no_fitting_compartment")
        except Refusal as no:
            return self.refused(no)
        return kiosk.show("send-size", IDLE_S, parcel=parcel.id, ending=parcel.selector, found=first, door=above)

    def refused(self, no: Refusal) -> Showing:
        kiosk = self._kiosk
        if no.reason == "door_busy" and kiosk.open_visit():
            return kiosk.still_busy()
        return kiosk.show("send-none", IDLE_S, refusal=no.reason)

    def is_in(self, visit: Visit) -> None:
        """The sender's parcel is in, or still is. The receipt names the entry of the station's journal that says so."""
        parcel = self._desk.memory.parcel(visit.parcel)
        if visit.purpose == "deposit":
            self.receipt = f"{self._desk.memory.station}-{self._desk.memory.wrote().number}"
        ending = parcel.selector if parcel else ""
        self._kiosk.show("send-done", RESULT_S * 2, door=visit.compartment, receipt=self.receipt, ending=ending)

