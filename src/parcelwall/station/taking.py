"""What a courier takes out, and a door that is tried once more."""

from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.rules import decide
from parcelwall.rules.life import Parcel, Stage
from parcelwall.station.desk import StationDesk
from parcelwall.station.visit import Visit, spent


def waiting(desk: StationDesk) -> list[Parcel]:
    """What a courier is to take along: returns, and what nobody collected in time. By compartment."""
    out = [each for each in desk.inside() if each.direction == "return" or each.stage == Stage.OVERDUE]
    return sorted(out, key=lambda parcel: parcel.compartment or 0)


def take_out(desk: StationDesk, parcel: UUID, courier: UUID) -> Visit:
    """Begins the visit to one of those: a return is collected, what came too late is taken back."""
    known = desk.memory.parcel(parcel)
    if known is None or known.direction != "return":
        return desk.take_back(parcel, courier)
    desk._refuse_without("take_back", courier)
    desk._refuse_busy()
    sent = decide.collect_return(known)
    return desk._begin("collect", sent, sent.compartment or 0, courier=courier, generation=sent.generation)


def once_more(desk: StationDesk, failed: Visit) -> Visit:
    """Begins the same visit again after a door that did not move, if its right stands still: it may have been blocked
    since, or its code renewed or used. Refused as stale where nobody can say whether the door moved, and for one that
    was opened for nobody's parcel."""
    desk._refuse_busy()
    parcel = desk.memory.parcel(failed.parcel)
    if failed.outcome != "failed" or failed.purpose not in ("collect", "take_back") or parcel is None:
        raise Refusal("stale_screen")
    if parcel.compartment != failed.compartment:
        raise Refusal("stale_screen")
    if failed.courier:
        return take_out(desk, parcel.id, failed.courier)
    found = decide.collect(parcel, "verified")  # whatever proof it asks for was shown
    if failed.generation < found.generation or _is_spent(desk, failed):
        raise Refusal("stale_screen")
    return desk._begin("collect", found, failed.compartment, generation=failed.generation, by=failed.by)


def _is_spent(desk: StationDesk, visit: Visit) -> bool:
    return visit.reservation is None or spent(desk.memory.connection, visit.reservation, visit.generation)
