"""Doors that were left open: when nobody waits any more to see them shut."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.station.desk import StationDesk

ABOUT = "door_left_open"  # what the case is about
GIVEN_UP_AFTER = timedelta(days=1)


def is_known(desk: "StationDesk", compartment: int) -> bool:
    """Whether a case that its door was left open waits for somebody."""
    cases = desk.memory.book.cases.values()
    return any(each.about == ABOUT and each.compartment == compartment and not each.closed_at for each in cases)


def is_old(desk: "StationDesk", visit: Visit) -> bool:
    return desk.now() - (visit.opened_at or visit.begun_at) > GIVEN_UP_AFTER


def give_up(desk: "StationDesk", visit: Visit) -> Visit:
    """Nobody will ever see what became of it: its door has not been seen shut for a day. Its case goes on."""
    ended = msgspec.structs.replace(visit, step="ended", outcome="unclear")
    desk.memory.keep(ended)
    return ended
