"""What a courier takes out, and a door that is tried once more."""

from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.rules import decide, taking_out
from parcelwall.rules.life import Parcel, Stage
from parcelwall.station.desk import StationDesk
from parcelwall.station.visit import Visit, spent


def waiting(desk: StationDesk) -> list[Parcel]:
    """What a courier is to take along: returns, and what nobody collected in time. By compartment; not from behind
    doors that are a technician's for now."""
    shut = desk.in_doubt()
    inside = [each for each in desk.inside() if each.compartment not in shut]
    out = [each for each in inside if each.direction == "return" or each.stage == Stage.OVERDUE]
    return sorted(out, key=lambda parcel: parcel.compartment or 0)


def next_out(desk: StationDesk) -> Parcel | None:
    """Which of those is offered next: not behind a door that would not open, or stands open, until somebody has looked;
    None where no other is left."""
    cases = desk.memory.book.cases.values()
    failed = {each.compartment for each in cases if each.about == "door_failed" and each.closed_at is None}
    shut = failed | {visit.compartment for visit in desk.unfinished()}
    return next((each for each in waiting(desk) if each.compartment not in shut), None)


def by_label(desk: StationDesk, label: str) -> Parcel:
    """The one with this label that a courier is to take along, whatever else has that label. Refuses where several of
    those have it, and as the desk does where none has."""
    alike = {each.id for each in desk.with_label(label)}
    here = [each for each in waiting(desk) if each.id in alike]
    if len(here) > 1:
        raise Refusal("label_twice")
    return here[0] if here else desk.by_label(label)


def take_out(desk: StationDesk, parcel: UUID, courier: UUID) -> Visit:
    """Begins the visit to one of those: a return is collected, what came too late is taken back."""
    known = desk.memory.parcel(parcel)
    if known is None or known.direction != "return":
        return desk.take_back(parcel, courier)
    desk._refuse_without("take_back", courier)
    desk._refuse_busy()
    sent = decide.collect_return(known)
    return desk._begin("collect", sent, sent.compartment or 0, courier=courier, generation=sent.generation)


def by_order(desk: StationDesk, order: UUID, reservation: UUID | None, until_mono_s: float) -> Visit:
    """Begins the visit of whoever stands here for the operator and takes out what nobody collected in time. Refused as
    for a courier; what a sender has put in waits for one."""
    desk._refuse_busy()
    inside = (each for each in desk.inside() if each.reservation == reservation)
    late = taking_out.take_out(next(inside, None), desk.memory.station)
    return desk._begin("take_back", late, late.compartment or 0, by="operator", order=order, until_mono_s=until_mono_s)


def has_rested(visit: Visit) -> bool:
    """Whether its coil was not driven at all, for it had had its share of pulses."""
    return visit.outcome == "void" and visit.pulses == 0


def may_be_tried(failed: Visit) -> bool:
    """Whether its door did not move, for certain, and whoever stands there has come for what lies behind it; or nothing
    is wrong with it, and they may wait before it with what is to go in."""
    if failed.purpose == "deposit":
        return has_rested(failed)
    has_come = failed.purpose == "collect" or (failed.purpose == "take_back" and failed.courier is not None)
    return (failed.outcome == "failed" or has_rested(failed)) and has_come


def once_more(desk: StationDesk, failed: Visit) -> Visit:
    """Begins the same visit again after a door that did not move, if its right stands still: it may have been blocked
    since, or its code renewed or used. Refused as stale where nobody can say whether the door moved, and for one that
    was opened for nobody's parcel."""
    desk._refuse_busy()
    parcel = desk.memory.parcel(failed.parcel)
    if not may_be_tried(failed) or parcel is None:
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
