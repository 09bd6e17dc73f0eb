"""Depositing into a size that the person in front of the screen has chosen, and putting in nothing after all."""

from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.rules import decide, places
from parcelwall.rules.life import Parcel
from parcelwall.station import wear
from parcelwall.station.desk import KIOSK, StationDesk
from parcelwall.station.visit import Visit


def deposit(desk: StationDesk, parcel: UUID, size: str | None, courier: UUID | None) -> Visit:
    """Begins the visit that puts a promised parcel into a compartment of that size, or the rules'.

    Without a courier it is a sender's, whose right is the code or the label that was shown before. Refuses a size that
    has no room beside what is promised to others, and what a sender may not put in.
    """
    if courier:
        desk._refuse_without("deposit", courier)
    known = desk.memory.parcel(parcel)
    if known is None or (courier is None and known.direction != "return"):
        raise Refusal("not_for_this_station")
    return desk.begin_deposit(known, courier, size)


def aside(desk: StationDesk, parcel: UUID) -> Visit | None:
    """The visit that was to put this parcel in, and whose door was left open."""
    others = (each for each in desk.unfinished() if each.parcel == parcel and each.screen != KIOSK)
    return next((each for each in others if each.purpose == "deposit" and each.step == "opened"), None)


def resume(desk: StationDesk, visit: Visit) -> Visit:
    """Such a visit is at the screen again: whoever has the parcel in their hands puts it in, or says that they do
    not. Refused while another door is before the screen."""
    desk._refuse_busy()
    again = msgspec.structs.replace(visit, screen=KIOSK, outcome="")
    desk._write(again)
    return again


def nothing(desk: StationDesk, visit: Visit) -> Visit:
    """Nothing is put in, for whatever reason: when the door is shut, nothing was."""
    told = msgspec.structs.replace(visit, spoiled=True)
    desk.memory.keep(told)
    return told


def unfit(desk: StationDesk, visit: Visit) -> Visit:
    """The open door is too small: when it is shut, nothing was put in. Raises as `StationDesk.report` does."""
    told = msgspec.structs.replace(visit, unfit=True)
    desk.untold.write(None, told)
    return told


def smallest(desk: StationDesk, parcel: UUID) -> str:
    """The size that the rules would take. Refuses when there is none, or it may not be put in now."""
    known = desk.memory.parcel(parcel)
    if known is None:
        raise Refusal("not_for_this_station")
    return desk.plan.layout.compartments[desk.plan.place[_door(desk, known)]].size


def is_next(desk: StationDesk, failed: Visit) -> bool:
    """Whether the rules would give this visit's parcel the same door once more."""
    known = desk.memory.parcel(failed.parcel)
    try:
        return known is not None and _door(desk, known) == failed.compartment
    except Refusal:
        return False


def _door(desk: StationDesk, parcel: Parcel) -> int:
    return decide.deposit(parcel, desk.plan, desk.room(), desk.now(), None, wear.doors(desk, parcel))


def larger_with_room(plan: places.Plan, room: places.Room, parcel: Parcel, than: int | None = None) -> str:
    """The smallest size with room for the parcel that is larger than that of compartment `than`; "" if there is
    none."""
    sizes = places.sizes_with_room(plan, room, parcel)
    names = [name for name, _ in sizes]
    known = plan.layout.compartment(than) if than else None  # the layout may be another by now
    own = known.size if known else ""
    after = names.index(own) + 1 if own in names else 0
    return next((name for name, has_room in sizes[after:] if has_room), "")
