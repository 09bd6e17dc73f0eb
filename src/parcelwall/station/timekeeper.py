"""What time it is at a station: its computer's clock, unless the hub has said otherwise; and never back unnoticed.

The hub's time comes with its signed welcome and with each answer to a beat. From then on our own count of seconds is
believed over a clock that jumps. Without a word of the hub a jump ahead must be believed, for that is how a computer
without a battery finds the right time; but not one of more than 400 days beyond what we know: such a clock is broken.
Nor is one that lies behind what we know: time would stand still until it has caught up, and no pause, no screen would
end. In both cases we count on from the newest time that we gave, until the hub is heard.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import structlog

from parcelwall import clock as clocks
from parcelwall.clock import Clock
from parcelwall.rules.access import Brake
from parcelwall.rules.facts import StationConfigured

DOUBTFUL = timedelta(minutes=5)  # a clock that differs more from what the hub has told is wrong
STRANGE = timedelta(days=400)  # no station is switched off for longer than that and then started without a line
TOLD_FOR = timedelta(days=7)  # after so long without the hub our own count is no better than the clock


log = structlog.get_logger()


class Timekeeper:
    """`mark` is the newest time that anything was written with, as `clock.text` writes it; "" before the first.

    `noted` is the newest other time that the computer has kept: of the hub, or of its own note that it works.
    """

    def __init__(self, clock: Clock, mark: str, noted: str = "") -> None:
        self._clock, self.mark = clock, mark
        self._told: tuple[datetime, float] | None = None  # the hub's time, and the seconds we had counted then
        known = max(mark, noted)
        self._begun = (clocks.parse(known), clock.mono()) if known else None  # what we knew at the start
        self._newest = self._begun  # that we gave, and the seconds we had counted then

    @property
    def is_told(self) -> bool:
        """Whether the hub has told the time in this run."""
        return self._told is not None

    def text(self) -> str:
        """Now, and never behind the mark: time in a journal does not run backwards."""
        now = self._believed()
        if (text := clocks.text(now)) > self.mark:
            self.mark, self._newest = text, (now, self._clock.mono())
        return self.mark

    def _believed(self) -> datetime:
        wall = self._clock.now()
        if self._told and self._counted_from(self._told) - self._told[0] <= TOLD_FOR:
            counted = self._counted_from(self._told)
            return wall if abs(wall - counted) <= DOUBTFUL else counted
        counted, known = self._counted_from(self._newest or (wall, self._clock.mono())), self._told or self._begun
        is_strange = known is not None and wall - self._counted_from(known) > STRANGE
        return counted if is_strange else max(wall, counted)

    def _counted_from(self, known: tuple[datetime, float]) -> datetime:
        at, counted_s = known
        return at + timedelta(seconds=self._clock.mono() - counted_s)

    def told(self, at: datetime) -> timedelta:
        """The hub's time, fresh. Answers by how much the mark must go back; zero if it is not doubtful."""
        self._told = at, self._clock.mono()
        ahead = clocks.parse(self.mark) - at if self.mark else timedelta(0)
        return ahead if ahead > DOUBTFUL else timedelta(0)


def earlier(brake: Brake, by: timedelta, today: date) -> Brake:
    """The brake on guessing after the clock went back to `today`: what was recent is recent, a pause is as long as it
    was, and what was counted on a day that was not yet counts for today."""
    return msgspec.structs.replace(
        brake, recent=tuple(when - by for when in brake.recent),
        paused_until=brake.paused_until - by if brake.paused_until else None,
        last_wrong=brake.last_wrong - by if brake.last_wrong else None,
        day=min(brake.day, today) if brake.day else None,
    )  # fmt: skip


def in_a_known_zone(about: StationConfigured) -> StationConfigured:
    """The station as it is configured; in UTC where this computer knows no such zone, for its list may be older than
    the hub's: days are counted otherwise then, and doors open all the same."""
    try:
        ZoneInfo(about.zone)
    except (KeyError, ValueError, OSError):  # no such zone, no name of one, no file of one
        log.error("zone_unknown", station=about.station, zone=about.zone, remedy="Update the package tzdata.")
        return msgspec.structs.replace(about, zone="UTC")
    return about
