"""The screens of somebody who collects: a code and its selector, a QR, what is refused, and the same door once more."""

from typing import TYPE_CHECKING

from parcelwall.errors import Refusal
from parcelwall.station import taking
from parcelwall.station.showing import IDLE_S, RESULT_S, Showing, Tap, case_name, pause

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk


class Collecting:
    """What a recipient does at the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk, self._desk = kiosk, kiosk.desk
        self._typed = ""  # a code that waits for its selector; gone with the screen
        self.taps: dict[str, Tap] = {"again": lambda _: self._again(), "retry": lambda _: self._retry()}

    def forget(self) -> None:
        """The next person comes: what was typed is gone."""
        self._typed = ""

    async def type_code(self, digits: str, selector: str | None = None) -> Showing:
        """Eight digits from the pad, or a QR that carries them. Refusals come REFUSED_AFTER_S after the call."""
        kiosk = self._kiosk
        began = kiosk.began()
        if selector and not digits:
            digits = self._typed
        last_four = plain(selector or "")[-4:] or None
        if parcel := kiosk.sending.by_code(plain(digits), last_four):
            self._typed = ""
            return kiosk.sending.ask_size(parcel)
        try:
            visit = self._desk.collect_by_code(plain(digits), last_four)
        except Refusal as no:
            await kiosk.hold_back(began)
            return self._refused_code(no, digits)
        self._typed = ""
        return await kiosk.serve_here(visit)

    async def show_token(self, text: str) -> Showing:
        """A QR from the recipient's page or mail: the door opens by itself. Refusals come REFUSED_AFTER_S after."""
        kiosk = self._kiosk
        began = kiosk.began()
        try:
            visit = self._desk.collect_by_token(text)
        except Refusal as no:
            await kiosk.hold_back(began)
            return self._refused_code(no, "")
        self._typed = ""
        return await kiosk.serve_here(visit)

    def _refused_code(self, no: Refusal, digits: str) -> Showing:
        kiosk = self._kiosk
        if kiosk.door_is_open():  # another's, since this was typed: no other screen hides it
            return kiosk.still_busy()
        self._typed = digits if no.reason in ("selector_needed", "codes_paused") else ""
        if no.reason == "selector_needed":
            return kiosk.show("selector", IDLE_S)
        if no.reason == "codes_paused":
            return kiosk.show("paused", IDLE_S, **pause(no, self._desk.now()))
        if no.reason == "door_busy" and kiosk.open_visit():
            return kiosk.still_busy()
        if no.reason == "door_failed":  # nobody opens it before a technician has looked
            door = no.details["door"]
            return kiosk.show("stuck", IDLE_S, door=door, case=case_name(self._desk.in_doubt()[door]), stands=True)
        if no.reason in ("cannot_record", "station_out_of_service", "door_busy"):
            return kiosk.show("closed", RESULT_S, refusal=no.reason, door=no.details.get("door"))
        if no.reason == "proof_missing":
            return kiosk.show("held", IDLE_S, refusal=no.reason)
        return kiosk.show("wrong", IDLE_S, tries_left=no.details.get("tries_left"))

    async def _again(self) -> Showing:
        kiosk = self._kiosk
        if kiosk._last_visit is None:
            raise Refusal("stale_screen")
        return await kiosk.serve_here(self._desk.reopen(kiosk._last_visit))

    async def _retry(self) -> Showing:
        """The door that did not open, once more, for whoever stands before it; then it is left to the operator."""
        kiosk = self._kiosk
        if kiosk.showing.paused_until and self._desk.now() < kiosk.showing.paused_until:
            return kiosk.showing
        failed, kiosk._last_visit = kiosk._last_visit, None
        if kiosk.showing.screen != "stuck" or failed is None:
            return kiosk.staying.back()
        if failed.purpose == "deposit":
            return await kiosk.bringing.once_more(failed)
        try:
            return await kiosk.serve_here(taking.once_more(self._desk, failed))
        except Refusal:
            return kiosk.staying.back()


def plain(digits: str) -> str:
    """The digits in what was typed, in whatever script they were."""
    return "".join(str(int(c)) for c in digits if c.isdecimal())
