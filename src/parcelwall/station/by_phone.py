"""What a courier does at the screen with their phone: say who they are, and carry entries where there is no line."""

from typing import TYPE_CHECKING

from parcelwall.errors import Refusal
from parcelwall.link import paper
from parcelwall.rules import delegation
from parcelwall.station.challenge import Challenge
from parcelwall.station.road import Road
from parcelwall.station.showing import Showing

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk

PREFIXES = (delegation.ANSWER_PREFIX, paper.PREFIX)


class ByPhone:
    """Beside the kiosk, whose screen it changes. `read` is what became of the last answer: "", "kept" or "refused"."""

    def __init__(self, kiosk: "Kiosk", challenge: Challenge, road: Road) -> None:
        self._kiosk, self.challenge, self.road = kiosk, challenge, road
        self.outcome = ""

    async def scanned(self, text: str) -> Showing:
        """One of our own QR codes, from the courier's phone."""
        if text.startswith(delegation.ANSWER_PREFIX):
            return await self._kiosk.sign_in_by(lambda: self.challenge.admit(text))
        return self._hear(text)

    def _hear(self, text: str) -> Showing:
        """A frame of the hub's answer. Where it is shown, the count goes on; elsewhere it is taken in silence."""
        try:
            if self.road.hear(text):
                self.outcome = "kept"
                self.road.show()
        except Refusal:
            self.outcome = "refused"
        return self._kiosk.redraw() if self._kiosk.showing.screen == "courier-sync" else self._kiosk.showing

    def is_needed(self) -> bool:
        """Whether the hub must hear of something, and has no line to hear it by."""
        return not self._kiosk.desk.online and self.road.unsent > 0

    def begin(self) -> None:
        self.outcome = ""
        self.road.show()

    def next_part(self) -> Showing:
        """The entries that did not fit into the codes that are shown. Refuses where none are left."""
        if self._kiosk.showing.screen != "courier-sync" or not self.road.later:
            raise Refusal("stale_screen")
        self.road.show(next_part=True)
        return self._kiosk.redraw()
