"""Notices that the station stood still: its computer was off, its process hung, or its disk would not be written.

While it works it notes each minute that it does. A hole between two notes is told to the hub, which keeps every parcel
inside so much longer: nobody could have collected it. A computer whose clock stands still with it sees no hole when it
starts; it looks back once more when the hub has told the time.
"""

import contextlib
from datetime import datetime, timedelta

from parcelwall import clock as clocks
from parcelwall.clock import Clock
from parcelwall.rules import facts
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import UNWRITTEN

NOTE_EVERY = timedelta(seconds=60)
LEAST = timedelta(minutes=10)  # a shorter hole keeps nobody from their parcel


class Outage:
    """Look often: between two notes it costs nothing."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory, self._clock = memory, clock
        self._noted_mono_s: float | None = None  # of this run; before its first note only the wall clock tells
        self._noted_before, self._begun_mono_s = memory.identity("alive"), clock.mono()  # by the run before; this run
        self._looked_back = False  # by a time that is right

    def look(self) -> None:
        """Notes that the station works now. A hole before that is told first, and again later if it cannot be."""
        self._look()
        if not self._looked_back and self._memory.time.is_told:
            self._look_back()

    def _look(self) -> None:
        hole = self._hole()
        if hole is not None and hole < NOTE_EVERY:
            return
        if hole is not None and hole >= LEAST:
            now = self._now()
            if not self._told(now - hole, now):
                return
            self._looked_back |= self._noted_mono_s is None
            self._noted_mono_s = self._clock.mono()
            return
        with contextlib.suppress(*UNWRITTEN):
            self._memory.note_alive()
            self._noted_mono_s = self._clock.mono()

    def _look_back(self) -> None:
        """From when this run began to the last note of the run before."""
        begun = self._now() - timedelta(seconds=self._clock.mono() - self._begun_mono_s)
        noted = clocks.parse(self._noted_before) if self._noted_before else begun
        self._looked_back = begun - noted < LEAST or self._told(noted, begun)

    def _told(self, since: datetime, until: datetime) -> bool:
        """Whether it could be written: together with the note that ends the hole, so that none is told twice."""
        try:
            self._memory.tell(facts.StoodStill(since=since, until=until), note_alive=True)
        except UNWRITTEN:
            return False
        return True

    def _hole(self) -> timedelta | None:
        """How long ago the last note was; None for a computer that never wrote one."""
        if self._noted_mono_s is not None:
            return timedelta(seconds=self._clock.mono() - self._noted_mono_s)
        noted = self._memory.identity("alive")
        return max(self._now() - clocks.parse(noted), timedelta(0)) if noted else None

    def _now(self) -> datetime:
        return clocks.parse(self._memory.now_text())
