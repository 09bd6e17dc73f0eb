"""Looks after the space on the station's disk: keeps the reserve, and tells the operator once when it is low."""

import contextlib

from parcelwall.station.desk import StationDesk
from parcelwall.station.reserve import UNWRITTEN

LOOK_EVERY_S = 10.0


class Space:
    """Look often: it costs two questions to the file system."""

    def __init__(self, desk: StationDesk) -> None:
        self._desk, self._memory = desk, desk.memory

    def look(self) -> None:
        """Makes the reserve anew if there is room for it; else a case, which goes out as soon as it can be written.
        What people have said meanwhile is told."""
        self._memory.reserve.remake()
        with contextlib.suppress(*UNWRITTEN):
            self._desk.untold.tell()
        if self._memory.reserve.is_low and not self._is_told():
            with contextlib.suppress(*UNWRITTEN):
                self._memory.tell(self._desk.case("disk_full", None, None, holds=False))

    def _is_told(self) -> bool:
        return any(case.about == "disk_full" and case.closed_at is None for case in self._memory.book.cases.values())
