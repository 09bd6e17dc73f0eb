"""Notices that the station stood still: its computer was off, its process hung, or its disk would not be written.

While it works it notes each minute that it does. A hole between two notes is told to the hub, which keeps every parcel
inside so much longer: nobody could have collected it.
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

    def look(self) -> None:
        """Notes that the station works now. A hole before that is told first, and again later if it cannot be."""
        hole = self._hole()
        if hole is not None and hole < NOTE_EVERY:
            return
        if hole is not None and hole >= LEAST:
            now = self._now()
            try:
                self._memory.tell(facts.StoodStill(since=now - hole, until=now))
            except UNWRITTEN:
                return
        with contextlib.suppress(*UNWRITTEN):
            self._memory.note_alive()
            self._noted_mono_s = self._clock.mono()

    def _hole(self) -> timedelta | None:
        """How long ago the last note was; None for a computer that never wrote one."""
        if self._noted_mono_s is not None:
            return timedelta(seconds=self._clock.mono() - self._noted_mono_s)
        noted = self._memory.identity("alive")
        return max(self._now() - clocks.parse(noted), timedelta(0)) if noted else None

    def _now(self) -> datetime:
        return clocks.parse(self._memory.now_text())
