"""Couriers who look into empty compartments: which ones, and by which right."""

from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.station.desk import StationDesk
from parcelwall.station.visit import Visit, last_used


def into(desk: StationDesk, compartment: int, courier: UUID, why: str) -> Visit:
    """Begins the visit of a courier who looks into an empty compartment, as a technician may. Refuses without the right
    to take out, and where the book has a parcel."""
    desk._refuse_without("take_back", courier)
    desk._refuse_busy()
    if not desk.plan.bit(compartment) or any(each.compartment == compartment for each in desk.inside()):
        raise Refusal("no_right", "Only empty compartments are looked into.")
    return desk._begin("inspect", None, compartment, courier=courier, by="courier", why=why)


def may_look(desk: StationDesk, courier: UUID) -> bool:
    """Whether this courier may look into empty compartments at all: what they may not is not offered."""
    try:
        desk._refuse_without("take_back", courier)
    except Refusal:
        return False
    return True


def to_check(desk: StationDesk, most: int) -> list[int]:
    """Compartments without a parcel: those that a case holds first, then those that nobody has used for longest. Not
    those that are a technician's for now."""
    room, plan = desk.memory.room(), desk.plan
    used = last_used(desk.memory.connection)
    closed = desk.in_doubt()
    empty = [number for number in plan.place if not plan.bit(number) & room.taken and number not in closed]
    held = {number for number in empty if plan.bit(number) & room.held}
    return sorted(empty, key=lambda number: (number not in held, used.get(number, ""), number))[:most]
