"""The tracking sentence: one pure function of stage, last carrier mark and now, for page, API and notices alike."""

from datetime import datetime

import msgspec

from parcelwall.rules.life import Parcel, Stage

ON_THE_WAY = frozenset(
    {"handed_in", "accepted", "departed", "arrived", "in_transit", "held", "redirected", "attempt_failed", "delayed"}
)
NOT_DELIVERED = frozenset({"refused", "undeliverable", "uncollected"})
TROUBLED = frozenset({"lost", "damaged", "disputed"})
MARKS = (
    ON_THE_WAY | NOT_DELIVERED | TROUBLED
    | {"data_received", "out_for_delivery", "ready_elsewhere", "delivered_elsewhere", "returning", "returned",
       "cancelled", "other"}
)  # fmt: skip
STEPS = ("announced", "in_transit", "out_for_delivery", "in_compartment", "collected")


class Sentence(msgspec.Struct, frozen=True):
    """`key` names the words, `step` where it stands (0 announced .. 4 with the recipient; -1 off the line)."""

    key: str
    step: int
    delayed: bool = False
    day: datetime | None = None  # the day to speak of: expected and still to come, until, or ended


_BY_STAGE = {
    Stage.READY: ("in_compartment", 3), Stage.OVERDUE: ("overdue", 3), Stage.COLLECTED: ("collected", 4),
    Stage.TAKEN_BACK: ("taken_back", -1), Stage.CANCELLED: ("unknown", -1), Stage.DIVERTED: ("diverted", -1),
    Stage.WRITTEN_OFF: ("lost", -1),
}  # fmt: skip


def sentence(parcel: Parcel, now: datetime) -> Sentence:
    """What may be said of the parcel. The table is features U10-U12; a test holds every stage and mark to it."""
    if parcel.stage in _BY_STAGE:
        return _after_the_road(parcel)
    key, step = _on_the_road(parcel)
    is_past = parcel.expected_at is not None and parcel.expected_at < now
    late = parcel.mark == "delayed" or is_past
    return Sentence(key, step, delayed=late and step in (0, 1, 2), day=None if is_past else parcel.expected_at)


def _after_the_road(parcel: Parcel) -> Sentence:
    key, step = _BY_STAGE[parcel.stage]
    if parcel.direction == "return" and step >= 3:  # its sender has handed it in
        key, step = parcel.mark if parcel.mark == "returned" else "returning", -1
    if parcel.stage == Stage.TAKEN_BACK and parcel.mark in ("returning", "returned"):
        key = parcel.mark
    if parcel.mark in TROUBLED and parcel.stage != Stage.WRITTEN_OFF:
        key = "problem"
    return Sentence(key, step, day=parcel.collect_by if step == 3 else parcel.ended_at)


def _on_the_road(parcel: Parcel) -> tuple[str, int]:
    mark = parcel.mark
    if mark in NOT_DELIVERED:
        return "not_delivered", -1
    if mark in TROUBLED:
        return "problem", -1
    if mark in ("returning", "returned"):
        return mark, -1
    if mark in ("ready_elsewhere", "delivered_elsewhere"):
        return "elsewhere", -1
    if mark == "cancelled":
        return "cancelled_by_carrier", -1
    if mark == "out_for_delivery":
        return ("awaiting_drop_off" if parcel.stage == Stage.RESERVED else "out_for_delivery"), 2
    return ("in_transit", 1) if mark in ON_THE_WAY else ("announced", 0)
