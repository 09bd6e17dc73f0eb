"""One more parcel of whoever has just pushed a door shut: the hub offers it, one touch opens it.

A station does not know which parcels belong to one person; the hub does, and says so while that person still stands
there. Each door is a visit of its own, by a right of its own.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.station.showing import Showing, Tap

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk

Open = Callable[[], Awaitable[None]]


class Several:
    """What follows a door that is shut, at the screen of `kiosk`."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk = kiosk
        self._open: Open | None = None
        self.taps: dict[str, Tap] = {"open-next": lambda _: self._take()}

    def offer(self, after: UUID, door: int, seconds: float, open_next: Open) -> None:
        """Shows the next door, in place of the thanks for the visit `after`; `open_next` opens it.

        Raises Refusal `not_present` when the screen has gone on since.
        """
        kiosk = self._kiosk
        if kiosk.showing.screen != "thanks" or kiosk.last_visit_id != after:
            raise Refusal("not_present")
        self._open = open_next
        kiosk.show("several", seconds, door=door)

    async def _take(self) -> Showing:
        """Whoever stands there wants it now. Raises Refusal `stale_screen` where nothing is offered any more."""
        open_next, self._open = self._open, None
        if self._kiosk.showing.screen != "several" or open_next is None:
            raise Refusal("stale_screen")
        await open_next()
        return self._kiosk.home() if self._kiosk.showing.screen == "several" else self._kiosk.showing
