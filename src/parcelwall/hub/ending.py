"""What the operator's people decide when nobody else can: a parcel will not come, or will never be handed out.

Both close what had been asked about a forgotten parcel. Where one was written off a case holds the compartment, here
and at the station, if that comes back: the books do not count it any more, and it may lie there still.
"""

from typing import Any
from uuid import UUID

from parcelwall.hub.commands import Answer, Command, own, view
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import Stations
from parcelwall.rules import decide, facts
from parcelwall.rules.personal import refuse_personal

WRITTEN_OFF = "written_off"  # what the case is about that holds the compartment until somebody has looked


class _Ending(Command, kw_only=True):
    needs_cases = True
    parcel: UUID
    why: str
    actor: UUID | None = None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        refuse_personal(self.why, "why")
        return [self.parcel], []


class CallOff(_Ending, kw_only=True):
    """An operator cancels what is announced or promised, whoever's it is: its carrier went away, or is not known."""

    def decide(self, at: Sitting) -> Answer:
        at.record(decide.cancel(own(at, self.parcel, None), self.why, "operator", self.actor))
        _close_what_was_asked(at, self.parcel, "cancelled", self.actor)
        return Answer(200, view(at, self.parcel))


class WriteOff(_Ending, kw_only=True):
    """An operator writes off what lies in a compartment: destroyed, stolen, given up. Answers with the parcel, and the
    `case` that is to be closed by whoever has looked behind the door, if it still stands."""

    def decide(self, at: Sitting) -> Answer:
        fact = decide.write_off(own(at, self.parcel, None), self.why, self.actor)
        case = facts.CaseOpened(
            case=at.ids.new(), about=WRITTEN_OFF, parcel=fact.parcel, station=fact.station,
            compartment=fact.compartment, holds=True, details={"why": self.why}, actor=self.actor,
        )  # fmt: skip
        at.record(case)  # before the compartment is free in the station's book: it may read the two one by one
        at.record(fact)
        _close_what_was_asked(at, fact.parcel, WRITTEN_OFF, self.actor)
        shown: dict[str, Any] = view(at, self.parcel) | {"case": str(case.case)}
        return Answer(200, shown)


def _close_what_was_asked(at: Sitting, parcel: UUID, outcome: str, actor: UUID | None) -> None:
    """Nobody has to look for it any more."""
    for case in list(at.book.cases.values()):
        if case.parcel == parcel and case.closed_at is None and case.about in decide.FORGOTTEN.values():
            at.record(facts.CaseClosed(case=case.id, station=case.station, outcome=outcome, actor=actor))
