"""Decisions: may this be done, and which fact does it make? Each raises a Refusal or returns a fact.

`now` is the deciding side's clock, `policy` the one in force, ids are made by the caller.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from parcelwall.errors import Refusal
from parcelwall.rules import admission, facts, places
from parcelwall.rules.book import CaseFile
from parcelwall.rules.layout import Climate
from parcelwall.rules.life import ENDED, INSIDE, Parcel, Stage
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow, Told

Side = Annotated[int, Meta(ge=1, le=5_000, description="millimetres")]
Weight = Annotated[int, Meta(ge=1, le=200_000, description="grams")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]

TAKE_IT_BACK = (
    "It lies in its compartment. A courier takes it back once its holding time is over; ask the operator to block it "
    "if nobody may collect it until then."
)
# Cases of somebody who could not get at their parcel
STOPPING = ("door_failed", "door_did_not_open", "another_door_opened")
FORGOTTEN = {Stage.ANNOUNCED: "never_brought", Stage.OVERDUE: "never_taken_back"}
# Who closes such a case while its parcel is as it was has looked, and is asked again after this. Not a knob: it weighs
# nothing against anything, it only has to be longer than a carrier's search and shorter than a parcel is remembered.
PUT_OFF = timedelta(days=30)
_PROOFS: tuple[facts.Proof, ...] = ("code", "token", "verified")  # each stronger than the one before
AIR_G_PER_CM3, OSMIUM_G_PER_CM3 = 0.0012, 22.6  # nothing that is carried is lighter or denser


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier says of a parcel, without the person. Sides in mm, weight in g."""

    carrier: str
    reference: str
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int
    climate: Climate = "ambient"
    proof: facts.Proof = "code"
    direction: facts.Direction = "delivery"
    reach: bool = False
    label: str | None = None
    expected_at: datetime | None = None
    value: str | None = None
    currency: str | None = None
    service: str = ""


def announce(order: Order, parcel: UUID, person: UUID | None) -> facts.Announced:
    """A new parcel, its times in UTC. Refuses sides and weights that cannot be, amounts that are no number, times
    without a zone."""
    refuse_confused_units(order)
    if order.expected_at is not None and order.expected_at.tzinfo is not UTC:
        order = msgspec.structs.replace(order, expected_at=_in_utc(order.expected_at))
    if order.value is not None:
        _refuse_bad_amount(order.value)
    wished = False if order.reach else None
    return facts.Announced(parcel=parcel, person=person, wished=wished, **msgspec.structs.asdict(order))


def says_the_same(order: Order, told: facts.Announced) -> bool:
    """Whether a carrier says of a parcel what was announced of it before: each field, times as moments. Doors within
    reach that its recipient asked for, not the carrier, count for nothing: the answer must not tell of them. Whose word
    they were an older announcement does not say: there the carrier may say either.

    A field that an older version did not know reads as its default, which is what a carrier says that does not send it.
    """
    said = msgspec.structs.asdict(order)
    nobody_knows = told.reach and told.wished is None
    told = msgspec.structs.replace(told, reach=order.reach if nobody_knows else told.reach and not told.wished)
    return all(getattr(told, name) == value for name, value in said.items())


def _in_utc(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise Refusal("bad_field", "Write times with their zone, such as 2026-11-22T08:00:00Z.", field="expected_at")
    return when.astimezone(UTC)


def refuse_confused_units(order: Order) -> None:
    """Centimetres for millimetres, or kilograms for grams, make a parcel denser than osmium or lighter than air."""
    if min(order.length_mm, order.width_mm, order.height_mm, order.weight_g) <= 0:
        raise Refusal("sides_unknown")
    density = order.weight_g / (order.length_mm * order.width_mm * order.height_mm / 1000)
    if density > OSMIUM_G_PER_CM3:
        raise Refusal(
            "bad_field",
            "A parcel of these sides cannot weigh so much. Are the sides in millimetres and the weight in grams?",
            field="length_mm", problem="denser than osmium",
        )  # fmt: skip
    if density < AIR_G_PER_CM3:
        raise Refusal(
            "bad_field",
            "A parcel of these sides cannot weigh so little. Is the weight in grams and are the sides in millimetres?",
            field="weight_g", problem="lighter than air",
        )  # fmt: skip


def _refuse_bad_amount(value: str) -> None:
    try:
        good = Decimal(value) >= 0 and Decimal(value).is_finite()
    except InvalidOperation:
        good = False
    if not good:
        raise Refusal("bad_field", "Write the value as a decimal number in text, such as \"49.90\".", field="value")


def refuse_unverifiable(proof: facts.Proof, verifies: bool) -> None:
    """A verified person shows a passkey, which browsers make and show over TLS alone."""
    if proof == "verified" and not verifies:
        raise Refusal("proof_not_possible_here", "This hub can verify nobody: its address does not begin with https. "
                                                 "Take another proof.", proof=proof)  # fmt: skip


def refuse_reserve(parcel: Parcel, now: datetime, policy: Policy) -> None:
    """Whether room may be sought for this parcel at all."""
    if parcel.stage in INSIDE:
        raise Refusal("already_deposited", stage=parcel.stage)
    if parcel.stage in ENDED:
        raise Refusal("wrong_stage", stage=parcel.stage)
    if parcel.expected_at and parcel.expected_at > now + timedelta(days=policy.ahead_days):
        raise Refusal("too_far_ahead", days=policy.ahead_days)


def deposit_deadline(expected_at: datetime | None, now: datetime, policy: Policy) -> datetime:
    return max(now, expected_at or now) + timedelta(hours=policy.deposit_window_hours)


class Admission(msgspec.Struct, frozen=True):
    """The rows of admission in force, and for those that count heads: what is promised at the station already."""

    rows: tuple[AdmissionRow, ...] = ()
    heads: tuple[admission.Kind, ...] = ()
    zone: ZoneInfo = ZoneInfo("UTC")


EVERYBODY = Admission()  # who has room


def reserve(
    parcel: Parcel, station: str, plan: places.Plan, room: places.Room, reservation: UUID, tag: str, selector: str,
    now: datetime, policy: Policy, admits: Admission = EVERYBODY, told: Told | None = None,
    group: str = "",
) -> facts.Reserved:  # fmt: skip
    """A promise of a size at a station; refuses with what stands in the way. `room` and `admits` are the station's
    without this parcel's own promise there."""
    refuse_reserve(parcel, now, policy)
    if parcel.proof not in checked_at(plan):
        raise Refusal("proof_not_possible_here", proof=parcel.proof)
    size = places.promise(plan, room, parcel, policy.overbook)
    if admits.rows:
        need = plan.need(parcel)
        admission.refuse_unadmitted(
            admits.rows, admission.Look(station, plan, room, admits.heads), need,
            admission.kind_of(parcel, plan, need, now, admits.zone), policy.overbook, now,
        )  # fmt: skip
    return facts.Reserved(
        parcel=parcel.id, reservation=reservation, station=station, size=size,
        deposit_by=deposit_deadline(parcel.expected_at, now, policy),
        length_mm=parcel.length_mm, width_mm=parcel.width_mm, height_mm=parcel.height_mm, weight_g=parcel.weight_g,
        hold_hours=policy.hold_hours, climate=parcel.climate, proof=parcel.proof, direction=parcel.direction,
        reach=parcel.reach, label_tag=tag, selector=selector, policy=policy.version, expected_at=parcel.expected_at,
        blocked=parcel.blocked, told=told, group=group, carrier=parcel.carrier,
    )  # fmt: skip


def checked_at(plan: places.Plan) -> tuple[facts.Proof, ...]:
    """What a station can check: a token needs its reader, which stands by its panel; so does the hub's word that a
    person was verified, which comes as a token, or as an order for who has read the number off the panel."""
    return _PROOFS if plan.layout.panel else ("code",)


def cancel(parcel: Parcel, why: str, by: facts.By, actor: UUID | None = None) -> facts.Cancelled:
    """It will not come. Refused once it lies in its compartment, or has ended."""
    if parcel.stage in INSIDE:
        raise Refusal("already_deposited", TAKE_IT_BACK, stage=parcel.stage)
    if parcel.stage in ENDED:
        raise Refusal("wrong_stage", stage=parcel.stage)
    return facts.Cancelled(parcel=parcel.id, reservation=parcel.reservation, why=why, by=by, actor=actor)


def write_off(parcel: Parcel, why: str, actor: UUID | None = None) -> facts.WrittenOff:
    """It lies where nobody will ever take it out, or is not there any more. Refused for what lies in no compartment."""
    if parcel.stage not in INSIDE or not (parcel.station and parcel.compartment and parcel.reservation):
        raise Refusal("wrong_stage", "Only what lies in a compartment is written off.", stage=parcel.stage)
    return facts.WrittenOff(
        parcel=parcel.id, reservation=parcel.reservation, station=parcel.station, compartment=parcel.compartment,
        why=why, actor=actor,
    )  # fmt: skip


def divert(parcel: Parcel, reason: str, by: facts.By) -> facts.Diverted:
    """It goes the conventional way. Refused once it lies in its compartment, or has ended."""
    if parcel.stage in INSIDE:
        raise Refusal("already_deposited", TAKE_IT_BACK, stage=parcel.stage)
    if parcel.stage in ENDED:
        raise Refusal("wrong_stage", stage=parcel.stage)
    return facts.Diverted(parcel=parcel.id, reservation=parcel.reservation, reason=reason, by=by)


def extend(parcel: Parcel, hours: int | None, by: facts.By, now: datetime, policy: Policy) -> facts.Extended:
    """Keeps it longer: from `collect_by`, or from now if that has passed. Refuses more than the policy allows."""
    if parcel.stage not in INSIDE or parcel.collect_by is None:
        raise Refusal("wrong_stage", "It can be kept longer only while it lies in its compartment.", stage=parcel.stage)
    if by == "recipient" and parcel.extensions >= policy.extensions:
        raise Refusal("too_many_extensions", collect_by=parcel.collect_by.isoformat())
    until = max(parcel.collect_by, now) + timedelta(hours=hours or policy.extend_hours)
    return facts.Extended(parcel=parcel.id, collect_by=until, by=by)


def lapse(parcel: Parcel, heard_until: datetime | None, now: datetime, policy: Policy) -> facts.Lapsed | None:
    """The room is given back only after the station was heard from past `deposit_by`: else it is promised twice."""
    if parcel.stage != Stage.RESERVED or parcel.deposit_by is None or parcel.reservation is None:
        return None
    heard = heard_until is not None and heard_until > parcel.deposit_by
    silent_for_long = now >= parcel.deposit_by + timedelta(hours=policy.lapse_silence_hours)
    if not (heard or silent_for_long) or parcel.deposit_by >= now:
        return None
    return facts.Lapsed(parcel=parcel.id, reservation=parcel.reservation)


def stops_the_clock(case: CaseFile, parcel: Parcel) -> bool:
    """Whether somebody could not get at this parcel: while that case is open, its holding time stands still. What a
    station says of a parcel that lies elsewhere is a case to look at, and moves nobody's time."""
    of_it_where_it_lies = (case.parcel, case.station) == (parcel.id, parcel.station)
    return of_it_where_it_lies and case.closed_at is None and case.about in STOPPING


def forgotten(parcel: Parcel, cases: Iterable[CaseFile], now: datetime) -> str | None:
    """What a case is to be about, so that somebody looks at a parcel that nobody brings or takes back; None while it is
    not due, and while one of its cases says that somebody does, or did lately."""
    if parcel.due is None or parcel.due > now or any(looks_after(case, parcel, now) for case in cases):
        return None
    return FORGOTTEN.get(parcel.stage)


def looks_after(case: CaseFile, parcel: Parcel, now: datetime) -> bool:
    """Whether the case keeps a parcel from being forgotten: it is open, or it was opened for that reason, and whoever
    closed it has put it off. What became due since is another matter."""
    if case.parcel != parcel.id or case.closed_at is None:
        return case.parcel == parcel.id
    put_off = case.about in FORGOTTEN.values() and case.closed_at > now - PUT_OFF
    return put_off and parcel.due is not None and case.closed_at >= parcel.due


def close_case(parcel: Parcel | None) -> None:
    """Refuses to close a case of a parcel that doors saw in two places, until it is out: who closed it would leave a
    doubt that nobody looks at (INV-02)."""
    if parcel is not None and parcel.contested:
        raise Refusal("wrong_stage", "Doors saw this parcel put in twice. Take it out of its compartment first; then "
                                     "the case can be closed.", stage=parcel.stage)  # fmt: skip


def give_back(parcel: Parcel, case: CaseFile, others: Iterable[CaseFile], now: datetime) -> facts.Extended | None:
    """The time that stood still while `case`, which is closed now, was open; None if none did.

    What one of the `others` still holds up is given back when that one is closed.
    """
    if not stops_the_clock(case, parcel) or parcel.stage not in INSIDE or parcel.collect_by is None:
        return None
    held = [each.opened_at for each in others if each.id != case.id and stops_the_clock(each, parcel)]
    begun = max(case.opened_at, parcel.deposited_at or case.opened_at)
    stood_still = min([now, *held]) - begun
    if begun >= parcel.collect_by or stood_still <= timedelta(0):
        return None
    return facts.Extended(parcel=parcel.id, collect_by=parcel.collect_by + stood_still, by="hub")


def keep_longer(
    parcel: Parcel, stood: facts.StoodStill, station: str, now: datetime, cases: Iterable[CaseFile] = ()
) -> facts.Extended | None:
    """The time in which `station` could let nobody in is given to a parcel that lay there; None if there is none.

    Of what the station tells, no more counts than the parcel was there and may have been; and none while the clock
    stands still for one of its cases, for that gives all of it back.
    """
    if parcel.stage not in INSIDE or parcel.collect_by is None or parcel.deposited_at is None:
        return None
    if parcel.station != station:
        return None
    if any(stops_the_clock(case, parcel) for case in cases):
        return None
    begun, ended = max(stood.since, parcel.deposited_at), min(stood.until, now)
    if begun >= parcel.collect_by or ended <= begun:
        return None
    return facts.Extended(parcel=parcel.id, collect_by=parcel.collect_by + (ended - begun), by="hub")


def expire(parcel: Parcel, now: datetime, cases: Iterable[CaseFile] = ()) -> facts.Expired | None:
    """The holding time is over; None if it is not, or stands still because of one of the parcel's cases."""
    if any(stops_the_clock(case, parcel) for case in cases):
        return None
    if parcel.stage != Stage.READY or parcel.collect_by is None or now < parcel.collect_by:
        return None
    return facts.Expired(parcel=parcel.id)


def deposit(
    parcel: Parcel, plan: places.Plan, room: places.Room, now: datetime, size: str | None = None,
    doors: places.Doors = places.ANY,
) -> int:  # fmt: skip
    """The compartment for a reserved parcel that somebody stands there with; with `size`, one of that size. Refuses
    what comes too late, is not expected, or fits nowhere."""
    if parcel.stage in INSIDE:
        raise Refusal("already_deposited", compartment=parcel.compartment)
    if parcel.stage != Stage.RESERVED or parcel.deposit_by is None:
        raise Refusal("not_for_this_station")
    if now > parcel.deposit_by:
        raise Refusal("deposit_too_late")
    compartment = places.choose_compartment(plan, room, parcel, size, doors)
    if compartment is None:
        raise Refusal("no_fitting_compartment")
    return compartment


def collect_deadline(closed_at: datetime, hold_hours: int) -> datetime:
    """In exact time, not by calendar days: a clock change does not shorten anybody's two days."""
    return closed_at + timedelta(hours=hold_hours)


def collect(parcel: Parcel | None, shown: facts.Proof = "code") -> Parcel:
    """A parcel whose proof was shown may be collected while it is inside, late or not; else refused as a wrong code.

    A stronger proof serves for a weaker one, and never the other way round. What waits for a verified person is refused
    as such, and a return waits for a courier.
    """
    if parcel is None or parcel.stage not in INSIDE or parcel.compartment is None:
        raise Refusal("wrong_code")
    if parcel.blocked or parcel.direction == "return" or (parcel.proof == "token" and shown == "code"):
        raise Refusal("wrong_code")
    if parcel.proof == "verified" and shown != "verified":
        raise Refusal("proof_missing")
    return parcel


def may_follow(parcel: Parcel, by: facts.By) -> bool:
    """Whether a parcel of the same person may be offered to whoever has just collected another. They may have shown no
    more than a code, so it is not for one that asks for the QR, or for a person; and somebody else's right is for its
    own parcel alone."""
    try:
        return by == "recipient" and collect(parcel, "code") is parcel
    except Refusal:
        return False


def collect_return(parcel: Parcel | None) -> Parcel:
    """What a sender has put in is collected by a courier. Refused for anything else, or if it is not inside."""
    if parcel is None or parcel.direction != "return" or parcel.stage not in INSIDE or parcel.compartment is None:
        raise Refusal("not_for_this_station")
    return parcel


def block(parcel: Parcel, why: str, by: facts.By, actor: UUID | None = None) -> facts.Blocked | None:
    """From when the station hears of it, nobody may collect the parcel; None if that is so already.

    Refused for a parcel that has no place at a station.
    """
    if parcel.stage not in (Stage.RESERVED, *INSIDE):
        raise Refusal("wrong_stage", stage=parcel.stage)
    return None if parcel.blocked else facts.Blocked(parcel=parcel.id, why=why, by=by, actor=actor)


def unblock(parcel: Parcel, by: facts.By, why: str = "", actor: UUID | None = None) -> facts.Unblocked | None:
    """It may be collected again; None if it may. Refused for a parcel that has no place at a station."""
    if parcel.stage not in (Stage.RESERVED, *INSIDE):
        raise Refusal("wrong_stage", stage=parcel.stage)
    return facts.Unblocked(parcel=parcel.id, by=by, why=why, actor=actor) if parcel.blocked else None


def refuse_blocked(parcel: Parcel) -> None:
    """What the recipient's own page and an operator may know; at a station's screen it is a wrong code like any."""
    if parcel.blocked:
        raise Refusal("held_back")


def take_back(parcel: Parcel | None) -> Parcel:
    """A courier takes out what nobody collected in time. Refused before that, or if it is not inside."""
    if parcel is None or parcel.stage not in INSIDE or parcel.compartment is None:
        raise Refusal("not_for_this_station")
    if parcel.stage != Stage.OVERDUE:
        raise Refusal("wrong_stage", "Its holding time is not over yet. Leave it inside.", stage=parcel.stage)
    return parcel
