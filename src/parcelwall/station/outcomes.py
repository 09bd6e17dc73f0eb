"""What a visit comes to once its door is shut, and what it is evidence of."""

from datetime import datetime
from typing import Any

from parcelwall import clock
from parcelwall.rules import decide, facts
from parcelwall.station.visit import Visit

OCCUPIED = "reported_occupied"  # something is in the compartment that was to be empty
EMPTY = "reported_empty"


def fact_of(visit: Visit, station: str, now: datetime) -> facts.ParcelFact | None:
    """The parcel is in, or out; None where the door was opened for something else, or nothing was put in."""
    known: dict[str, Any] = {
        "parcel": visit.parcel, "reservation": visit.reservation, "station": station,
        "compartment": visit.compartment, "visit": visit.id,
    }  # fmt: skip
    by: facts.By
    if visit.purpose == "deposit" and not (visit.spoiled or visit.unfit):
        collect_by = decide.collect_deadline(now, visit.hold_hours)
        by = "courier" if visit.courier else "sender"
        return facts.Deposited(**known, collect_by=collect_by, courier=visit.courier, by=by)
    if visit.purpose == "collect":
        by = "courier" if visit.courier else "delegate" if visit.by == "delegate" else "recipient"
        return facts.Collected(**known, generation=visit.generation, by=by)
    if visit.purpose == "take_back" or visit.taken_out:
        by = "courier" if visit.courier else "operator" if visit.by == "operator" else "sender"
        return facts.TakenBack(**known, courier=visit.courier, by=by)
    return None


def is_in_doubt(visit: Visit) -> bool:
    """Whether its parcel is to lie there by what was said, and whoever was away as the door was shut saw none of it."""
    return (visit.purpose == "deposit" and not (visit.spoiled or visit.unfit)) or (
        visit.purpose == "put_right" and not visit.taken_out
    )


def evidence(visit: Visit | None) -> dict[str, Any]:
    """What is known of the visit in which somebody says that something is wrong. No digits, nobody's name."""
    if visit is None:
        return {}
    opened_at = clock.text(visit.opened_at) if visit.opened_at else None
    return {"visit": str(visit.id), "purpose": visit.purpose, "pulses": visit.pulses, "opened_at": opened_at}


def spoils(about: str, visit: Visit | None) -> bool:
    """Whether nothing is put in after all, although the door was opened for it."""
    return about in (OCCUPIED, EMPTY) and visit is not None and visit.purpose == "deposit" and visit.step == "opened"
