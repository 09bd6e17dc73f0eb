"""The one life: every pair of a stage and a fact, held against the table as house.md has it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.errors import Refusal
from parcelwall.rules import decide, facts
from parcelwall.rules.life import BELIEVED, ENDED, INSIDE, LIFE, Parcel, Stage, learn
from rules.samples import ACTOR, FULL, LATER, NOW, OTHER, PARCEL, RESERVATION, deposited, parcel, reserved

# The table of house.md section 4, and rows of ours: room given up elsewhere, codes renewed while inside, parcels that
# nobody may collect for now, an end of the holding time that is told once more, and parcels that are written off.
HOUSE = """
ANNOUNCED Reserved    RESERVED     READY   Extended    READY
ANNOUNCED Cancelled   CANCELLED    READY   Expired     OVERDUE
ANNOUNCED Diverted    DIVERTED     READY   Collected   COLLECTED
RESERVED  Reserved    RESERVED     READY   TakenBack   TAKEN_BACK
RESERVED  Deposited   READY        OVERDUE Extended    READY
RESERVED  Lapsed      ANNOUNCED    OVERDUE Collected   COLLECTED
RESERVED  Cancelled   CANCELLED    OVERDUE TakenBack   TAKEN_BACK
RESERVED  Diverted    DIVERTED     READY   CodeRenewed READY
RESERVED  Withdrawn   ANNOUNCED    OVERDUE CodeRenewed OVERDUE
RESERVED  Blocked     RESERVED     READY   Blocked     READY
RESERVED  Unblocked   RESERVED     READY   Unblocked   READY
OVERDUE   Blocked     OVERDUE      OVERDUE Unblocked   OVERDUE
OVERDUE   Expired     OVERDUE      READY   WrittenOff  WRITTEN_OFF
OVERDUE   WrittenOff  WRITTEN_OFF
"""
WORDS = HOUSE.split()
TABLE = {(WORDS[i], WORDS[i + 1]): WORDS[i + 2] for i in range(0, len(WORDS), 3)}
DOORS = {"Deposited": "READY", "Collected": "COLLECTED", "TakenBack": "TAKEN_BACK"}
OF_PARCELS = {fact.kind: fact for fact in FULL if isinstance(fact, facts.ParcelFact)}


@pytest.mark.parametrize("kind", OF_PARCELS)
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_and_fact(stage: Stage, kind: str) -> None:
    before, fact = parcel(stage), OF_PARCELS[kind]
    if stage == Stage.ANNOUNCED and kind in ("Cancelled", "Diverted"):
        fact = msgspec.structs.replace(fact, reservation=None)  # there is no promise yet that it could name
    after, expected = learn(before, fact, LATER if kind == "Expired" else NOW)
    if kind in ("CarrierReported", "Announced"):
        assert after.stage == stage
        assert expected is (kind == "CarrierReported")
    else:
        assert after.stage == TABLE.get((stage, kind), DOORS.get(kind, stage))
        assert expected is ((stage, kind) in TABLE)
    if not expected and kind not in DOORS:
        assert after == before, "late news changes nothing"


def test_the_code_has_the_same_table() -> None:
    assert {(str(stage), kind.__name__): str(after) for (stage, kind), after in LIFE.items()} == TABLE
    assert {kind.__name__: str(after) for kind, after in BELIEVED.items()} == DOORS
    assert len(OF_PARCELS) == 16


def test_every_stage_ends_or_goes_on() -> None:
    left = {stage for stage, _ in LIFE}
    assert left | set(ENDED) == set(Stage)
    assert not left & set(ENDED)
    assert not set(INSIDE) & set(ENDED)


@pytest.mark.parametrize("kind", ["Withdrawn", "Lapsed", "Cancelled", "Diverted", "CodeRenewed", "WrittenOff"])
def test_a_desk_that_speaks_of_an_older_promise_changes_nothing(kind: str) -> None:
    before = parcel(Stage.READY if kind in ("CodeRenewed", "WrittenOff") else Stage.RESERVED, reservation=OTHER)
    assert learn(before, OF_PARCELS[kind], NOW) == (before, False)


def test_a_deposit_under_an_older_promise_is_believed_and_a_surprise() -> None:
    after, expected = learn(parcel(Stage.RESERVED, reservation=OTHER), deposited(compartment=4), NOW)
    assert not expected
    assert (after.stage, after.reservation, after.compartment) == (Stage.READY, RESERVATION, 4)


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("stage", [Stage.RESERVED, *INSIDE])
def test_a_door_of_another_station_is_believed_and_a_surprise(stage: Stage, kind: str) -> None:
    after, expected = learn(parcel(stage, station="S-0002"), OF_PARCELS[kind], NOW)
    assert (after.stage, expected) == (DOORS[kind], False)


def test_cancelling_by_reference_alone_needs_no_promise() -> None:
    after, expected = learn(parcel(Stage.RESERVED), facts.Cancelled(parcel=PARCEL), NOW)
    assert expected
    assert after.stage == Stage.CANCELLED
    assert after.station is None


def test_a_door_may_speak_of_a_parcel_that_nobody_announced() -> None:
    after, expected = learn(None, deposited(), NOW)
    assert not expected
    assert (after.id, after.stage, after.compartment, after.due) == (PARCEL, Stage.READY, 1, LATER)


def test_announced_twice_is_late_news() -> None:
    once, expected = learn(None, OF_PARCELS["Announced"], NOW)
    assert expected
    assert learn(once, OF_PARCELS["Announced"], LATER) == (once, False)


def test_announced_after_its_deposit_fills_in_what_is_known() -> None:
    inside, _ = learn(None, deposited(), NOW)
    after, expected = learn(inside, OF_PARCELS["Announced"], NOW)
    assert expected
    assert (after.stage, after.reference, after.due) == (Stage.READY, "PW-7F3-2917", LATER)


def test_the_mark_other_keeps_the_sentence_before_it() -> None:
    marked, _ = learn(parcel(Stage.RESERVED), facts.CarrierReported(parcel=PARCEL, mark="departed"), NOW)
    after, expected = learn(marked, facts.CarrierReported(parcel=PARCEL, mark="other", expected_at=LATER), NOW)
    assert (after, expected) == (marked, True)


def test_codes_only_grow_newer() -> None:
    newer, _ = learn(parcel(Stage.READY, generation=3), OF_PARCELS["CodeRenewed"], NOW)
    assert newer.generation == 3


@pytest.mark.parametrize("late_news", [[], ["Lapsed"], ["Lapsed", "Blocked"]])
def test_a_deposit_is_the_same_whoever_has_heard_of_a_lapse(late_news: list[str]) -> None:
    """The hub gives a promise up, and the station, which was cut off, fulfils it: both know the same parcel then."""
    seen = {}
    for heard in ([], late_news):
        known = parcel(Stage.RESERVED)
        for kind in heard:
            known, _ = learn(known, OF_PARCELS[kind], NOW)
        seen[len(heard)], _ = learn(known, deposited(), LATER)
    assert seen[0] == seen[len(late_news)]


@pytest.mark.parametrize("kind", ["Collected", "TakenBack"])
@pytest.mark.parametrize("stage", INSIDE)
def test_what_a_door_did_is_true_whether_it_was_written_off_or_not(stage: Stage, kind: str) -> None:
    """The hub wrote it off while the station, which was cut off, handed it out: both know the same parcel then."""
    hub, expected = learn(parcel(stage), OF_PARCELS["WrittenOff"], NOW)
    assert expected and (hub.stage, hub.reason) == (Stage.WRITTEN_OFF, "destroyed: it burnt")
    hub, expected = learn(hub, OF_PARCELS[kind], LATER)
    assert not expected, "somebody has to look"
    station, expected = learn(parcel(stage), OF_PARCELS[kind], LATER)
    assert expected
    station, expected = learn(station, OF_PARCELS["WrittenOff"], LATER)
    assert not expected, "late news"
    assert hub == station


@pytest.mark.parametrize("stage", Stage)
def test_written_off_is_what_lies_in_a_compartment_alone(stage: Stage) -> None:
    if stage in INSIDE:
        fact = decide.write_off(parcel(stage), "stolen", ACTOR)
        assert (fact.station, fact.compartment, fact.reservation) == ("S-0001", 1, RESERVATION)
        assert learn(parcel(stage, contested=True), fact, NOW)[0].contested is False
        return
    with pytest.raises(Refusal, match="wrong_stage"):
        decide.write_off(parcel(stage), "stolen", ACTOR)


def test_an_extension_that_is_told_twice_counts_once() -> None:
    """A hub that was restored is asked again, and then given back what it had lost."""
    longer = facts.Extended(parcel=PARCEL, collect_by=LATER + timedelta(hours=24))
    once, _ = learn(parcel(Stage.READY), longer, NOW)
    twice, expected = learn(once, longer, NOW)
    assert (twice, expected) == (once, True)
    assert once.extensions == 1
    back, _ = learn(once, facts.Extended(parcel=PARCEL, collect_by=LATER, by="operator"), NOW)
    assert back.collect_by == once.collect_by, "time is never taken away"


def test_what_the_hub_gives_back_is_no_extension_of_the_recipients() -> None:
    given = facts.Extended(parcel=PARCEL, collect_by=LATER + timedelta(hours=5), by="hub")
    known, _ = learn(parcel(Stage.READY), given, NOW)
    assert (known.collect_by, known.extensions) == (LATER + timedelta(hours=5), 0)


def test_a_second_deposit_is_contested_until_it_is_out() -> None:
    twice, expected = learn(parcel(Stage.READY), deposited(compartment=5), NOW)
    assert not expected
    assert twice.contested
    with pytest.raises(Refusal, match="Take it out"):
        decide.close_case(twice)
    out, expected = learn(twice, OF_PARCELS["Collected"], NOW)
    assert expected
    assert not out.contested
    decide.close_case(out)


@given(st.lists(st.sampled_from(["Blocked", "Unblocked", "Expired", "Extended", "CodeRenewed", "Lapsed"]), max_size=12))
def test_blocked_is_what_was_said_last_whatever_else_was_said(kinds: list[str]) -> None:
    known = parcel(Stage.READY)
    for kind in kinds:
        known, _ = learn(known, OF_PARCELS[kind], NOW)
    said = [kind == "Blocked" for kind in kinds if kind in ("Blocked", "Unblocked")]
    assert known.blocked is (said[-1] if said else None)


def test_a_new_promise_carries_that_nobody_may_collect_it() -> None:
    blocked, _ = learn(parcel(Stage.RESERVED), OF_PARCELS["Blocked"], NOW)
    elsewhere, _ = learn(None, reserved(blocked=blocked.blocked), NOW)
    assert elsewhere.blocked


def test_extended_counts() -> None:
    once, _ = learn(parcel(Stage.OVERDUE), facts.Extended(parcel=PARCEL, collect_by=LATER + timedelta(days=1)), NOW)
    assert (once.extensions, once.due, once.collect_by) == (1, LATER + timedelta(days=1), LATER + timedelta(days=1))


HOURS = st.integers(0, 200).map(lambda hours: NOW + timedelta(hours=hours))
over = st.just(facts.Expired(parcel=PARCEL))
longer = st.builds(facts.Extended, parcel=st.just(PARCEL), collect_by=HOURS, by=st.just("hub"))
over_or_longer = st.tuples(over | longer, HOURS)


@given(st.lists(over_or_longer, max_size=6), st.randoms(use_true_random=False))
def test_over_and_longer_come_to_the_same_in_whichever_order_they_are_heard(told: Any, order: Any) -> None:
    """A restored hub is given back what it had said, after what it says since; the station heard that before."""
    heard = order.sample(told, len(told))
    here = there = parcel(Stage.READY)
    for fact, at in told:
        here, _ = learn(here, fact, at)
    for fact, at in heard:
        there, _ = learn(there, fact, at)
    assert here == there


def test_more_time_that_ends_before_it_was_found_to_be_over_changes_no_stage() -> None:
    over, _ = learn(parcel(Stage.READY), OF_PARCELS["Expired"], LATER + timedelta(hours=2))
    after, _ = learn(over, facts.Extended(parcel=PARCEL, collect_by=LATER + timedelta(hours=1), by="hub"), LATER)
    assert (after.stage, after.due) == (Stage.OVERDUE, over.due)
    longer, _ = learn(over, facts.Extended(parcel=PARCEL, collect_by=LATER + timedelta(hours=3), by="hub"), LATER)
    assert longer.stage == Stage.READY


# any story at all

moments = st.integers(0, 10_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
reservations = st.sampled_from([RESERVATION, OTHER])
stations = st.sampled_from(["S-0001", "S-0002"])
doors = {"reservation": reservations, "station": stations, "compartment": st.integers(1, 8), "visit": st.uuids()}
anything = st.one_of(
    st.builds(reserved, reservation=reservations, station=stations, deposit_by=moments, generation=st.integers(0, 2)),
    st.builds(deposited, **doors, collect_by=moments),
    st.builds(facts.Collected, parcel=st.just(PARCEL), **doors),
    st.builds(facts.TakenBack, parcel=st.just(PARCEL), **doors),
    st.builds(facts.Withdrawn, parcel=st.just(PARCEL), reservation=reservations, station=stations),
    st.builds(facts.Lapsed, parcel=st.just(PARCEL), reservation=reservations),
    st.builds(facts.WrittenOff, parcel=st.just(PARCEL), reservation=reservations, station=stations,
              compartment=st.integers(1, 8), why=st.just("stolen")),
    st.builds(facts.Cancelled, parcel=st.just(PARCEL), reservation=st.none() | reservations),
    st.builds(facts.Diverted, parcel=st.just(PARCEL), reason=st.just("station_full")),
    st.builds(facts.Extended, parcel=st.just(PARCEL), collect_by=moments),
    st.builds(facts.Expired, parcel=st.just(PARCEL)),
    st.builds(facts.CodeRenewed, parcel=st.just(PARCEL), reservation=reservations, generation=st.integers(0, 3)),
    st.builds(facts.CarrierReported, parcel=st.just(PARCEL), mark=st.sampled_from(["departed", "delayed", "other"])),
)
stories = st.lists(st.tuples(anything, moments), max_size=12)


@settings(max_examples=150, deadline=None)
@given(stories)
def test_any_story_leaves_a_parcel_that_the_tables_can_hold(story: list[tuple[facts.ParcelFact, object]]) -> None:
    now, _ = learn(None, OF_PARCELS["Announced"], NOW)
    for fact, at in story:
        before = now
        now, expected = learn(before, fact, at)
        again, _ = learn(before, fact, at)
        assert now == again, "the same fact makes the same parcel"
        assert (now.compartment is not None) == (now.stage in INSIDE)
        assert (now.due is None) == (now.stage in ENDED)
        assert (now.station is not None) or now.stage not in (Stage.RESERVED, *INSIDE)
        if fact.kind in DOORS:
            assert now.stage == DOORS[fact.kind], "a door that has opened has opened"
        elif not expected:
            assert now is before


def test_a_story_is_learnt_from_its_own_times_only() -> None:
    """The fold of the same journal is the same on any day: nothing in it asks what time it is now."""
    story = [reserved(), deposited(), facts.Extended(parcel=PARCEL, collect_by=LATER)]

    def fold() -> Parcel:
        now, _ = learn(None, OF_PARCELS["Announced"], NOW)
        for minutes, fact in enumerate(story):
            now, _ = learn(now, fact, NOW + timedelta(minutes=minutes))
        return now

    assert fold() == fold()
    assert fold().deposited_at == NOW + timedelta(minutes=1)
