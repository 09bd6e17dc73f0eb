"""The line to the lock boards is gone: nothing was written to any, and no door is to blame."""

from typing import TYPE_CHECKING

import msgspec

from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.desk import StationDesk

ABOUT = "doors_unreachable"  # one case for the station, until somebody has looked


def ends_nothing(visit: Visit) -> bool:
    """Whether it was a deposit whose first pulse was not even written: whoever stands there has the parcel still. What
    lies behind a door that cannot be opened is a case of its own, for somebody waits for it."""
    return visit.purpose == "deposit" and visit.pulses == 1


def end(desk: "StationDesk", visit: Visit) -> Visit:
    """Nothing moved: no compartment is held for that, and the parcel is put in once the line is back."""
    ended = msgspec.structs.replace(visit, step="ended", outcome="void")
    cases = desk.memory.book.cases.values()
    is_told = any(each.about == ABOUT and each.closed_at is None for each in cases)
    told = [] if is_told else [desk.case(ABOUT, None, None, holds=False)]
    desk.memory.tell(*told, visit_after=ended)
    return ended
