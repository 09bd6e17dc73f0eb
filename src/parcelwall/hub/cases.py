"""Cases at the desk: what is wrong is told once, held doors are given free again when somebody has looked.

What was done about a case that stays open is in `case_notes.py`; which of them needs somebody first in `needs.py`.
"""

from typing import Any
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.hub.commands import Answer, Command, own, view
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import Stations
from parcelwall.rules import decide, facts
from parcelwall.rules.personal import refuse_personal

OUT_OF_ORDER = "out_of_order"  # what the case is about that an operator opens to keep a compartment from use


class OpenCase(Command, kw_only=True):
    """Something is wrong, says the recipient: a person should look. Once per kind and parcel while it is open.

    `compartment` is where the parcel is or was; with `holds` it is offered to nobody meanwhile.
    """

    needs_cases = True
    parcel: UUID
    about: str
    station: str | None = None
    compartment: int | None = None
    holds: bool = False
    details: dict[str, Any] = {}  # noqa: RUF012 - a Struct copies it

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> Answer:
        parcel = own(at, self.parcel, None)
        known = (case.about == self.about and case.parcel == parcel.id and case.closed_at is None
                 for case in at.book.cases.values())  # fmt: skip
        if not any(known):
            station, compartment = self.station or parcel.station, self.compartment or parcel.compartment
            at.open_case(self.about, parcel.id, station, compartment, self.holds, self.details)
        return Answer(200, view(at, self.parcel))


class HoldDoor(Command, kw_only=True):
    """Out of order: a case that holds the compartment, so that it is offered to nobody until somebody has looked."""

    needs_cases = True
    station: str
    compartment: int
    why: str = ""
    actor: UUID | None = None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        refuse_personal(self.why, "why")
        if self.station not in stations.known:
            raise Refusal("station_unknown", station=self.station)
        return [], [self.station]

    def decide(self, at: Sitting) -> Answer:
        if not at.here[self.station].plan.bit(self.compartment):
            raise Refusal("bad_field", "This station has no such compartment.", field="compartment")
        for case in at.book.cases.values():
            if case.about == OUT_OF_ORDER and (case.station, case.compartment) == (self.station, self.compartment):
                return Answer(200, {"case": str(case.id)})
        fact = facts.CaseOpened(
            case=at.ids.new(), about=OUT_OF_ORDER, station=self.station, compartment=self.compartment, holds=True,
            details={"why": self.why} if self.why else {}, actor=self.actor,
        )  # fmt: skip
        at.record(fact)
        return Answer(200, {"case": str(fact.case)})


class CloseCase(Command, kw_only=True):
    """Somebody has looked: the case ends, and what it held may be offered again."""

    needs_cases = True
    case: UUID
    station: str | None
    outcome: str = ""
    actor: UUID | None = None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        refuse_personal(self.outcome, "outcome")
        return [], [self.station] if self.station else []

    def decide(self, at: Sitting) -> Answer:
        case = at.book.cases.get(self.case)
        if case is None:
            raise Refusal("not_found")
        if case.closed_at is None:
            parcel = at.book.parcels.get(case.parcel) if case.parcel else None
            decide.close_case(parcel)
            still = decide.give_back(parcel, case, at.book.cases.values(), at.now) if parcel else None
            at.record(
                facts.CaseClosed(case=case.id, station=case.station, outcome=self.outcome, actor=self.actor)
            )
            if still:
                at.record(still)
        return Answer(200, {"case": str(case.id), "closed_at": at.book.cases[case.id].closed_at})


def case_of(at: Sitting, about: str, station: str, parcel: UUID | None = None, door: int | None = None) -> UUID:
    """The open case about that, or a new one."""
    same = (about, station, parcel)
    known = (case.id for case in at.book.cases.values()
             if (case.about, case.station, case.parcel) == same and case.closed_at is None)  # fmt: skip
    return next(known, None) or at.open_case(about, parcel, station, door, False)
