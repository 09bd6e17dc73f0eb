"""One life, written as one table, and `learn`, the only way a parcel changes.

The same fold runs at the hub, at a station and in `parcelwall verify`. It uses no clock and no settings: only the
fact and the time at which it happened.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from parcelwall.rules import facts
from parcelwall.rules.facts import Fact, ParcelFact


class Stage(StrEnum):
    ANNOUNCED = "ANNOUNCED"
    RESERVED = "RESERVED"
    READY = "READY"
    OVERDUE = "OVERDUE"
    COLLECTED = "COLLECTED"
    TAKEN_BACK = "TAKEN_BACK"
    CANCELLED = "CANCELLED"
    DIVERTED = "DIVERTED"
    WRITTEN_OFF = "WRITTEN_OFF"


S = Stage
LIFE: dict[tuple[Stage, type[Fact]], Stage] = {
    (S.ANNOUNCED, facts.Reserved): S.RESERVED,
    (S.ANNOUNCED, facts.Cancelled): S.CANCELLED,
    (S.ANNOUNCED, facts.Diverted): S.DIVERTED,
    (S.RESERVED, facts.Reserved): S.RESERVED,
    (S.RESERVED, facts.Withdrawn): S.ANNOUNCED,
    (S.RESERVED, facts.Blocked): S.RESERVED,
    (S.RESERVED, facts.Unblocked): S.RESERVED,
    (S.RESERVED, facts.Deposited): S.READY,
    (S.RESERVED, facts.Lapsed): S.ANNOUNCED,
    (S.RESERVED, facts.Cancelled): S.CANCELLED,
    (S.RESERVED, facts.Diverted): S.DIVERTED,
    (S.READY, facts.Extended): S.READY,
    (S.READY, facts.Expired): S.OVERDUE,  # unless more time was given since
    (S.READY, facts.CodeRenewed): S.READY,
    (S.READY, facts.Blocked): S.READY,
    (S.READY, facts.Unblocked): S.READY,
    (S.READY, facts.Collected): S.COLLECTED,
    (S.READY, facts.TakenBack): S.TAKEN_BACK,
    (S.READY, facts.WrittenOff): S.WRITTEN_OFF,
    (S.OVERDUE, facts.Extended): S.READY,  # unless it was over by then all the same
    (S.OVERDUE, facts.Expired): S.OVERDUE,
    (S.OVERDUE, facts.CodeRenewed): S.OVERDUE,
    (S.OVERDUE, facts.Blocked): S.OVERDUE,
    (S.OVERDUE, facts.Unblocked): S.OVERDUE,
    (S.OVERDUE, facts.Collected): S.COLLECTED,
    (S.OVERDUE, facts.TakenBack): S.TAKEN_BACK,
    (S.OVERDUE, facts.WrittenOff): S.WRITTEN_OFF,
}
BELIEVED: dict[type[Fact], Stage] = {  # what a door saw is true in any stage, and a case if it was not expected
    facts.Deposited: S.READY,
    facts.Collected: S.COLLECTED,
    facts.TakenBack: S.TAKEN_BACK,
}
INSIDE = (S.READY, S.OVERDUE)
ENDED = (S.COLLECTED, S.TAKEN_BACK, S.CANCELLED, S.DIVERTED, S.WRITTEN_OFF)

ANNOUNCED_FOR = timedelta(days=30)  # an announced parcel that nobody brings is looked at after this
OVERDUE_FOR = timedelta(days=7)  # one that nobody takes back: a case


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is carried, as far as this side of the line knows. Times aware, lengths in mm, weights in g.

    `due` is when somebody must look at it again; None once its life has ended.
    """

    id: UUID
    stage: Stage = Stage.ANNOUNCED
    carrier: str = ""
    reference: str = ""
    person: UUID | None = None
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    weight_g: int = 0
    climate: facts.Climate = "ambient"
    proof: facts.Proof = "code"
    direction: facts.Direction = "delivery"
    reach: bool = False
    wished: bool = False
    label: str | None = None
    expected_at: datetime | None = None
    announced_at: datetime | None = None
    station: str | None = None
    reservation: UUID | None = None
    size: str | None = None
    deposit_by: datetime | None = None
    hold_hours: int = 0
    label_tag: str = ""
    selector: str = ""
    generation: int = 0
    compartment: int | None = None
    deposited_at: datetime | None = None
    collect_by: datetime | None = None
    extensions: int = 0
    ended_at: datetime | None = None
    reason: str = ""
    mark: str = ""
    mark_reason: str = ""
    contested: bool = False
    blocked: bool | None = None  # nobody may collect it; None: that was never so
    service: str = ""  # what the carrier sold, such as `express`
    group: str = ""  # alike for parcels of one recipient at one station on one day
    due: datetime | None = None

    @property
    def sides_mm(self) -> tuple[int, int, int]:
        return self.length_mm, self.width_mm, self.height_mm


def learn(parcel: Parcel | None, fact: ParcelFact, at: datetime) -> tuple[Parcel, bool]:
    """The parcel after the fact, and whether the fact was expected.

    A door's fact is believed in any stage; unexpected, it asks for a case. A desk's fact that does not fit the stage,
    or that names an older reservation, is late news and changes nothing.
    """
    parcel = parcel or Parcel(id=fact.parcel)
    kind = type(fact)
    if kind is facts.Announced:
        return _announced(parcel, fact, at)
    if kind is facts.CarrierReported:
        return _reported(parcel, fact), True
    after = LIFE.get((parcel.stage, kind))
    seen_by_door = kind in BELIEVED
    expected = after is not None and _names_this_promise(parcel, fact)
    if not expected and not seen_by_door:
        return parcel, False
    stage = after if expected and after is not None else BELIEVED[kind]
    changed = _CHANGES[kind](parcel, fact, at)
    if kind is facts.Deposited and parcel.stage in INSIDE:
        changed["contested"] = True
    return msgspec.structs.replace(parcel, **{"stage": stage, **changed}), expected


def _names_this_promise(parcel: Parcel, fact: ParcelFact) -> bool:
    """Whether it is of the promise in force. A door's fact is that only at the station where the parcel is or is to be:
    what another station says it did with it is believed, and somebody must look."""
    if type(fact) is facts.Reserved:
        return True
    if type(fact) in BELIEVED and getattr(fact, "station", None) != parcel.station:
        return False
    named = getattr(fact, "reservation", None)
    return named is None or named == parcel.reservation


def _announced(parcel: Parcel, fact: Any, at: datetime) -> tuple[Parcel, bool]:
    if parcel.announced_at is not None:
        return parcel, False
    known = dict(zip(_ANNOUNCED_FIELDS, _announced_values(fact), strict=True)) | {"wished": bool(fact.wished)}
    due = at + ANNOUNCED_FOR if parcel.stage == S.ANNOUNCED else parcel.due
    return msgspec.structs.replace(parcel, announced_at=at, due=due, **known), True


def _reported(parcel: Parcel, fact: Any) -> Parcel:
    if fact.mark == "other":
        return parcel
    expected_at = fact.expected_at or parcel.expected_at
    return msgspec.structs.replace(parcel, mark=fact.mark, mark_reason=fact.reason, expected_at=expected_at)


_ANNOUNCED_FIELDS = (
    "carrier", "reference", "person", "length_mm", "width_mm", "height_mm", "weight_g", "climate", "proof",
    "direction", "reach", "label", "expected_at", "service",
)  # fmt: skip
_RESERVED_FIELDS = (
    "reservation", "station", "size", "deposit_by", "length_mm", "width_mm", "height_mm", "weight_g", "climate",
    "proof", "direction", "reach", "hold_hours", "label_tag", "selector", "generation", "blocked", "group",
)  # fmt: skip
_announced_values, _reserved_values = attrgetter(*_ANNOUNCED_FIELDS), attrgetter(*_RESERVED_FIELDS)
_NO_PROMISE: dict[str, Any] = {"station": None, "reservation": None, "size": None, "deposit_by": None}


def _reserved(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    changed: dict[str, Any] = dict(zip(_RESERVED_FIELDS, _reserved_values(fact), strict=True))
    changed["due"], changed["expected_at"] = fact.deposit_by, fact.expected_at or parcel.expected_at
    changed["carrier"] = fact.carrier or parcel.carrier
    return changed


def _promise_gone(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    return {**_NO_PROMISE, "due": at + ANNOUNCED_FOR}


def _ended_before(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    reason = getattr(fact, "reason", "") or getattr(fact, "why", "")
    return {**_NO_PROMISE, "due": None, "ended_at": at, "reason": reason}


def _deposited(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    """Put in elsewhere while it is inside, it is contested, and what was promised where it lay is not taken away."""
    promised = parcel.collect_by if parcel.stage in INSIDE and parcel.station != fact.station else None
    until = max(fact.collect_by, promised or fact.collect_by)
    return {
        "station": fact.station, "reservation": fact.reservation, "compartment": fact.compartment,
        "deposited_at": at, "collect_by": until, "due": until, "ended_at": None, "reason": "",
        "size": None, "deposit_by": None,  # of the promise, which is over: who has heard of a lapse knows them no more
    }  # fmt: skip


def _extended(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    """Time is never taken away. What gives none is the same extension told twice, by a hub that had lost the first;
    what the hub gives back, because a door would not open, nobody has asked for: neither counts."""
    more = parcel.collect_by is None or fact.collect_by > parcel.collect_by
    until = fact.collect_by if more else parcel.collect_by
    counted = parcel.extensions + (more and fact.by != "hub")
    return {"collect_by": until, "extensions": counted, **_is_over(parcel, until)}


def _expired(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    return _is_over(parcel, parcel.collect_by, at)


def _is_over(parcel: Parcel, until: datetime | None, found_at: datetime | None = None) -> dict[str, Any]:
    """Whether the holding time until then is over, found now or before. Hub and station may hear that it is, and that
    there is more of it, in either order, when a restored hub is given back what it had said: it comes to the same."""
    found = [found_at] if found_at else []
    if parcel.stage == S.OVERDUE and parcel.due:
        found.append(parcel.due - OVERDUE_FOR)
    if not found or (until is not None and max(found) < until):
        return {"stage": S.READY, "due": until}
    return {"stage": S.OVERDUE, "due": max(found) + OVERDUE_FOR}


def _renewed(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    return {"generation": max(parcel.generation, fact.generation)}


def _blocked(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    return {"blocked": type(fact) is facts.Blocked}


def _out(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    return {"compartment": None, "due": None, "ended_at": at, "contested": False, "reason": ""}


def _written_off(parcel: Parcel, fact: Any, at: datetime) -> dict[str, Any]:
    return {**_out(parcel, fact, at), "reason": fact.why}


_CHANGES = {
    facts.Reserved: _reserved, facts.Withdrawn: _promise_gone, facts.Lapsed: _promise_gone,
    facts.Cancelled: _ended_before, facts.Diverted: _ended_before, facts.Deposited: _deposited,
    facts.Extended: _extended, facts.Expired: _expired, facts.CodeRenewed: _renewed, facts.Collected: _out,
    facts.TakenBack: _out, facts.WrittenOff: _written_off, facts.Blocked: _blocked, facts.Unblocked: _blocked,
}  # fmt: skip
