"""The tracking sentence: the table of features.md 3.1, every stage with every mark."""

from datetime import timedelta

import pytest

from parcelwall.rules.life import Stage
from parcelwall.rules.sentence import MARKS, STEPS, sentence
from rules.samples import LATER, NOW, parcel

ALL_MARKS = """
data_received handed_in accepted departed arrived in_transit out_for_delivery delayed held redirected attempt_failed
refused undeliverable uncollected ready_elsewhere delivered_elsewhere returning returned lost damaged disputed
cancelled other
""".split()
TROUBLED = ("lost", "damaged", "disputed")
ON_THE_ROAD = {
    "": "announced", "data_received": "announced", "other": "announced",
    "handed_in": "in_transit", "accepted": "in_transit", "departed": "in_transit", "arrived": "in_transit",
    "in_transit": "in_transit", "held": "in_transit", "redirected": "in_transit", "attempt_failed": "in_transit",
    "delayed": "in_transit", "out_for_delivery": "out_for_delivery",
    "refused": "not_delivered", "undeliverable": "not_delivered", "uncollected": "not_delivered",
    "returning": "returning", "returned": "returned",
    "ready_elsewhere": "elsewhere", "delivered_elsewhere": "elsewhere", "cancelled": "cancelled_by_carrier",
    "lost": "problem", "damaged": "problem", "disputed": "problem",
}  # fmt: skip
ENDINGS = {
    Stage.READY: "in_compartment", Stage.OVERDUE: "overdue", Stage.COLLECTED: "collected",
    Stage.TAKEN_BACK: "taken_back", Stage.CANCELLED: "unknown", Stage.DIVERTED: "diverted",
    Stage.WRITTEN_OFF: "lost",
}  # fmt: skip


def expected(stage: Stage, mark: str) -> str:
    if mark in TROUBLED and stage != Stage.WRITTEN_OFF:
        return "problem"
    if stage in ENDINGS:
        return mark if stage == Stage.TAKEN_BACK and mark in ("returning", "returned") else ENDINGS[stage]
    if stage == Stage.RESERVED and mark == "out_for_delivery":
        return "awaiting_drop_off"
    return ON_THE_ROAD[mark]


def test_the_marks_are_the_closed_list() -> None:
    assert set(ALL_MARKS) == MARKS
    assert len(ALL_MARKS) == 23
    assert set(ON_THE_ROAD) == {"", *MARKS}


@pytest.mark.parametrize("mark", ["", *ALL_MARKS])
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_and_mark(stage: Stage, mark: str) -> None:
    said = sentence(parcel(stage, mark=mark), NOW)
    assert said.key == expected(stage, mark)
    assert -1 <= said.step < len(STEPS)


@pytest.mark.parametrize("stage", [Stage.ANNOUNCED, Stage.RESERVED])
def test_delayed_is_said_beside_the_sentence(stage: Stage) -> None:
    by_mark = sentence(parcel(stage, mark="delayed", expected_at=LATER), NOW)
    assert (by_mark.key, by_mark.delayed, by_mark.day) == ("in_transit", True, LATER)
    by_time = sentence(parcel(stage, mark="departed", expected_at=NOW), NOW + timedelta(seconds=1))
    assert (by_time.key, by_time.delayed) == ("in_transit", True)
    assert by_time.day is None, "a time that has passed is no new time"
    assert not sentence(parcel(stage, mark="departed", expected_at=NOW), NOW).delayed
    assert not sentence(parcel(stage, mark="returned", expected_at=NOW), LATER).delayed, "it does not come any more"


@pytest.mark.parametrize("stage", ENDINGS)
def test_nothing_is_late_that_has_arrived_or_ended(stage: Stage) -> None:
    assert not sentence(parcel(stage, mark="delayed", expected_at=NOW), LATER).delayed


def test_the_day_that_is_spoken_of() -> None:
    assert sentence(parcel(Stage.READY, collect_by=LATER, expected_at=NOW), NOW).day == LATER
    assert sentence(parcel(Stage.COLLECTED), NOW).day == NOW
    assert sentence(parcel(Stage.ANNOUNCED, expected_at=LATER), NOW).day == LATER


def test_steps_go_up_along_the_road() -> None:
    road = [
        parcel(Stage.RESERVED), parcel(Stage.RESERVED, mark="departed"),
        parcel(Stage.RESERVED, mark="out_for_delivery"), parcel(Stage.READY), parcel(Stage.COLLECTED),
    ]  # fmt: skip
    assert [sentence(each, NOW).step for each in road] == [0, 1, 2, 3, 4]


def test_a_return_that_was_handed_in_is_on_its_way_back_not_ready_for_anybody() -> None:
    for stage in (Stage.READY, Stage.OVERDUE, Stage.COLLECTED):
        said = sentence(parcel(stage, direction="return"), NOW)
        assert (said.key, said.step) == ("returning", -1)
    assert sentence(parcel(Stage.COLLECTED, direction="return", mark="returned"), NOW).key == "returned"
