"""What a screen wants of the hub, of other stations or of a parcel that is to stay longer: asked over the line, shown
once it is told.

The screen never waits for it: it says what is known here, and a moment later also what the hub has said. Without a line
nothing is asked, and the screen says that.
"""

from typing import TYPE_CHECKING

import msgspec

from parcelwall.clock import Clock
from parcelwall.rules.elsewhere import MOST_LETTERS, Answer, Asked, Kept, Place, Question
from parcelwall.station.showing import Showing

if TYPE_CHECKING:
    from parcelwall.station.kiosk import Kiosk

AWAITED_S = 5.0  # after that nobody answers any more: a hub of before does not know the question
AGAIN_S = 120.0  # a screen may stand for days: others open and close meanwhile


class Elsewhere:
    """The one question of the one screen, and its answer. `boot` names this run of the computer."""

    def __init__(self, kiosk: "Kiosk", boot: str, clock: Clock) -> None:
        self._kiosk, self._boot, self._clock = kiosk, boot, clock
        self._question: Question | None = None
        self._asked_s = float("-inf")
        self._count = 0
        self._to_send = ""
        self._place: Place | None = None
        self._kept: Kept | None = None
        self._is_answered = False

    def look(self) -> None:
        """Called a few times a second: asks what the screen wants to know, once, and now and then again."""
        question = self.wanted() if self._kiosk.desk.online else None
        now_s = self._clock.mono()
        if question == self._question and (question is None or now_s - self._asked_s < AGAIN_S):
            return
        if question != self._question:
            self._place = self._kept = None
        self._question, self._asked_s, self._is_answered = question, now_s, False
        self._count += question is not None
        asked = Asked(self._id, question) if question else None
        self._to_send = msgspec.json.encode(asked).decode() if asked else ""

    @property
    def _id(self) -> str:
        return f"{self._boot}-{self._count}"

    def wanted(self) -> Question | None:
        """What the screen that stands now would have the hub say."""
        showing = self._kiosk.showing
        if showing.screen == "closed" and showing.refusal == "station_out_of_service":
            return Question(about="open")
        if showing.screen == "kept" and showing.parcel:
            return Question(about="keep", parcel=showing.parcel, once=showing.once)
        if showing.courier is None:
            return None
        if showing.screen == "unknown" and showing.label:
            return Question(about="label", courier=showing.courier, label=showing.label[:MOST_LETTERS])
        if showing.screen == "no-fit" and showing.parcel:
            above = self._too_small(showing)
            return Question(about="room", courier=showing.courier, parcel=showing.parcel, above=above)
        return None

    def _too_small(self, showing: Showing) -> str:
        """The size of the door that the parcel did not go into; "" where none was tried."""
        tried = self._kiosk.desk.plan.layout.compartment(showing.door or 0)
        return tried.size if tried else ""

    def to_send(self) -> str:
        """What the line is to ask now; "" if nothing. It is handed out once."""
        body, self._to_send = self._to_send, ""
        return body

    def told(self, body: str) -> None:
        """The hub has answered. What cannot be read, or was not asked, is nothing."""
        try:
            answer = msgspec.json.decode(body, type=Answer)
        except (msgspec.DecodeError, UnicodeError):
            return
        if self._question is not None and answer.id == self._id:
            self._place, self._kept, self._is_answered = answer.place, answer.kept, True

    @property
    def is_awaited(self) -> bool:
        """Whether an answer may come any moment, also to what is only about to be asked."""
        if self._kiosk.desk.online and self._question != (wanted := self.wanted()):
            return wanted is not None
        left_s = self._asked_s + AWAITED_S - self._clock.mono()
        return self._question is not None and not self._is_answered and left_s > 0

    @property
    def is_seeking(self) -> bool:
        """Whether the screen would name another station, and there is no line to ask over."""
        return not self._kiosk.desk.online and self.wanted() is not None

    @property
    def place(self) -> Place | None:
        """What was told for the screen that stands now."""
        return self._place if self._place and self._question == self.wanted() else None

    @property
    def kept(self) -> Kept | None:
        """What was told of the parcel that was to stay longer, while that screen stands."""
        return self._kept if self._kept and self._question == self.wanted() else None
