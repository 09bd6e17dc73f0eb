"""Decisions: each reason to refuse is given at least once, and times are exact over a change of the clocks."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from parcelwall import rules
from parcelwall.errors import Refusal
from parcelwall.rules import decide, facts, twins
from parcelwall.rules.book import CaseFile
from parcelwall.rules.decide import Order
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import ENDED, INSIDE, Stage, learn
from parcelwall.rules.places import Plan, Room
from parcelwall.rules.policy import DEFAULT, Policy
from parcelwall.rules.tables import AdmissionRow
from parcelwall.rules.worth import refuse_weak_proof
from rules.samples import LATER, NOW, OTHER, PARCEL, PLAN, RESERVATION, SMALL, layout, parcel, reserved

ANNOUNCED = sorted(Path(__file__).parent.glob("golden/Announced-*.json"))

ORDER = Order(carrier="acme", reference="PW-7F3-2917", **SMALL)
HIGH = Plan(layout([("S", "ambient", False, (380, 80, 640), 25_000)], [2]))


def changed(**values: object) -> Order:
    return msgspec.structs.replace(ORDER, **values)


def reserve(stage: Stage = Stage.ANNOUNCED, plan: Plan = PLAN, room: Room | None = None, **values: object) -> object:
    return decide.reserve(
        parcel(stage, **values), "S-0001", plan, room or Room(), OTHER, "tag", "2917", NOW, DEFAULT
    )  # fmt: skip


DEAR = msgspec.structs.replace(DEFAULT, verified_from=500.0, verified_currency="EUR")
NO: list[tuple[str, Callable[[], object]]] = [
    ("bad_field", lambda: decide.announce(changed(length_mm=30, width_mm=20, height_mm=6), PARCEL, None)),
    ("bad_field", lambda: decide.announce(changed(weight_g=1), PARCEL, None)),
    ("bad_field", lambda: decide.announce(changed(value="a lot"), PARCEL, None)),
    ("bad_field", lambda: decide.announce(changed(value="-1"), PARCEL, None)),
    ("bad_field", lambda: decide.announce(changed(value="NaN"), PARCEL, None)),
    ("bad_field", lambda: decide.announce(changed(value="Infinity"), PARCEL, None)),
    ("bad_field", lambda: decide.announce(changed(expected_at=datetime(2026, 11, 22)), PARCEL, None)),
    ("sides_unknown", lambda: decide.announce(changed(length_mm=0), PARCEL, None)),
    ("sides_unknown", lambda: decide.announce(changed(weight_g=-5), PARCEL, None)),
    ("proof_too_weak", lambda: refuse_weak_proof(changed(value="500.0", currency="EUR"), DEAR)),
    ("already_deposited", lambda: reserve(Stage.READY)),
    ("already_deposited", lambda: reserve(Stage.OVERDUE)),
    ("wrong_stage", lambda: reserve(Stage.COLLECTED)),
    ("too_far_ahead", lambda: reserve(expected_at=NOW + timedelta(days=60, seconds=1))),
    ("proof_not_possible_here", lambda: reserve(proof="token", plan=HIGH)),
    ("proof_not_possible_here", lambda: reserve(proof="verified", plan=HIGH)),
    ("climate_not_here", lambda: reserve(climate="frozen")),
    ("parcel_too_large", lambda: reserve(length_mm=2_000)),
    ("parcel_too_heavy", lambda: reserve(weight_g=25_001)),
    ("no_reachable_compartment", lambda: reserve(plan=HIGH, reach=True)),
    ("no_fitting_compartment", lambda: reserve(room=Room(taken=0b10001000), height_mm=300)),
    ("station_full", lambda: reserve(room=Room(taken=PLAN.everything))),
    ("held_for_others", lambda: decide.reserve(
        parcel(Stage.ANNOUNCED), "S-0001", PLAN, Room(), OTHER, "tag", "2917", NOW, DEFAULT,
        decide.Admission((AdmissionRow(name="all", rule="protect", keep={"S": 8}),)))),
    ("already_deposited", lambda: decide.cancel(parcel(Stage.READY), "", "carrier")),
    ("wrong_stage", lambda: decide.cancel(parcel(Stage.CANCELLED), "", "carrier")),
    ("wrong_stage", lambda: decide.write_off(parcel(Stage.RESERVED), "stolen")),
    ("already_deposited", lambda: decide.divert(parcel(Stage.OVERDUE), "station_full", "carrier")),
    ("wrong_stage", lambda: decide.divert(parcel(Stage.TAKEN_BACK), "station_full", "carrier")),
    ("too_many_extensions", lambda: decide.extend(parcel(Stage.READY, extensions=2), None, "recipient", NOW, DEFAULT)),
    ("already_deposited", lambda: decide.deposit(parcel(Stage.READY), PLAN, Room(), NOW)),
    ("not_for_this_station", lambda: decide.deposit(parcel(Stage.ANNOUNCED), PLAN, Room(), NOW)),
    ("deposit_too_late", lambda: decide.deposit(parcel(Stage.RESERVED), PLAN, Room(), LATER + timedelta(seconds=1))),
    ("no_fitting_compartment",
     lambda: decide.deposit(parcel(Stage.RESERVED), PLAN, Room(taken=PLAN.everything), NOW)),
    ("wrong_code", lambda: decide.collect(None)),
    ("wrong_code", lambda: decide.collect(parcel(Stage.COLLECTED))),
    ("proof_missing", lambda: decide.collect(parcel(Stage.READY, proof="verified"))),
    ("proof_missing", lambda: decide.collect(parcel(Stage.READY, proof="verified"), "token")),
    ("wrong_code", lambda: decide.collect(parcel(Stage.READY, direction="return"), "token")),
    ("not_for_this_station", lambda: decide.collect_return(parcel(Stage.READY))),
    ("wrong_code", lambda: decide.collect(parcel(Stage.READY, proof="token"))),
    ("wrong_code", lambda: decide.collect(parcel(Stage.READY, blocked=True), "token")),
    ("held_back", lambda: decide.refuse_blocked(parcel(Stage.READY, blocked=True))),
    ("wrong_stage", lambda: decide.block(parcel(Stage.ANNOUNCED), "", "operator")),
    ("wrong_stage", lambda: decide.unblock(parcel(Stage.COLLECTED, blocked=True), "operator")),
    ("not_for_this_station", lambda: decide.take_back(None)),
    ("wrong_stage", lambda: decide.take_back(parcel(Stage.READY))),
    ("label_twice", lambda: twins.meant([parcel(Stage.RESERVED), parcel(Stage.READY, carrier="other")])),
    ("label_twice", lambda: twins.meant([parcel(Stage.RESERVED, carrier="")] * 2)),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "ask"), NO)
def test_every_no(reason: str, ask: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as refused:
        ask()
    assert refused.value.reason == reason
    assert refused.value.sentence


def test_every_reason_that_the_rules_know_is_given_above() -> None:
    folder = Path(rules.__file__).parent
    known = {name for path in folder.glob("*.py") for name in re.findall(r'Refusal\(\s*"(\w+)"', path.read_text())}
    assert len(known) > 12
    assert known == {reason for reason, _ in NO}


@pytest.mark.parametrize("stage", Stage)
def test_extending_in_every_stage(stage: Stage) -> None:
    if stage in INSIDE:
        assert decide.extend(parcel(stage), None, "recipient", NOW, DEFAULT).collect_by == LATER + timedelta(hours=24)
        return
    with pytest.raises(Refusal) as refused:
        decide.extend(parcel(stage), None, "recipient", NOW, DEFAULT)
    assert refused.value.reason == "wrong_stage"


@pytest.mark.parametrize("stage", Stage)
def test_reserving_in_every_stage(stage: Stage) -> None:
    if stage in (Stage.ANNOUNCED, Stage.RESERVED):
        assert reserve(stage).reservation == OTHER
        return
    with pytest.raises(Refusal):
        reserve(stage)


def test_centimetres_and_kilograms_are_noticed_and_honest_parcels_are_not() -> None:
    decide.refuse_confused_units(ORDER)
    decide.refuse_confused_units(changed(length_mm=600, width_mm=400, height_mm=400, weight_g=150))  # a lampshade
    decide.refuse_confused_units(changed(length_mm=100, width_mm=100, height_mm=50, weight_g=9_700))  # a brick of gold
    for confused in ({"length_mm": 30, "width_mm": 20, "height_mm": 6}, {"weight_g": 1}):
        with pytest.raises(Refusal, match="millimetres"):
            decide.refuse_confused_units(changed(**confused))


def test_what_is_announced_is_what_was_ordered() -> None:
    fact = decide.announce(changed(value="49.90", currency="EUR", label="X1"), PARCEL, None)
    assert (fact.parcel, fact.reference, fact.value, fact.label) == (PARCEL, "PW-7F3-2917", "49.90", "X1")
    after, _ = learn(None, fact, NOW)
    assert after.sides_mm == (300, 200, 60)


@pytest.mark.parametrize("path", ANNOUNCED, ids=lambda path: path.stem)
def test_the_body_of_an_older_version_says_the_same_today(path: Path) -> None:
    """What a version did not know it did not send, and reads as its default: that is no other body."""
    told = facts.read("Announced", path.read_text(encoding="utf-8"))
    assert isinstance(told, facts.Announced)
    sent = {name: getattr(told, name) for name in msgspec.json.decode(path.read_bytes())}
    said = {name: value for name, value in sent.items() if name in Order.__struct_fields__}
    as_asked = {**said, "reach": False} if told.wished else said
    assert decide.says_the_same(Order(**as_asked), told)
    assert not decide.says_the_same(Order(**{**as_asked, "weight_g": 901}), told)


def test_what_is_not_said_reads_as_what_is_not_sent() -> None:
    told = {field.name: field.default for field in msgspec.structs.fields(facts.Announced)}
    for field in msgspec.structs.fields(Order):
        assert field.default == told[field.name], f"a body without {field.name} is another one in older announcements"


def test_a_promise_carries_all_the_station_needs() -> None:
    fact = reserve(expected_at=NOW + timedelta(days=2), reach=True)
    assert (fact.station, fact.size, fact.label_tag, fact.selector) == ("S-0001", "S", "tag", "2917")
    assert (fact.hold_hours, fact.reach, fact.policy) == (48, True, 1)
    assert fact.deposit_by == NOW + timedelta(days=2, hours=72)
    after, expected = learn(None, fact, NOW)
    assert expected
    assert (after.stage, after.sides_mm, after.weight_g) == (Stage.RESERVED, (300, 200, 60), 900)


def test_a_day_that_has_passed_does_not_shorten_the_window() -> None:
    assert decide.deposit_deadline(NOW - timedelta(days=3), NOW, DEFAULT) == NOW + timedelta(hours=72)
    assert decide.deposit_deadline(None, NOW, DEFAULT) == NOW + timedelta(hours=72)


def test_the_deadline_itself_is_in_time() -> None:
    assert decide.deposit(parcel(Stage.RESERVED), PLAN, Room(), LATER) in PLAN.place


def test_a_code_opens_for_late_parcels_too() -> None:
    assert decide.collect(parcel(Stage.OVERDUE)).stage == Stage.OVERDUE
    assert decide.collect(parcel(Stage.OVERDUE), "token").stage == Stage.OVERDUE
    assert decide.collect(parcel(Stage.READY, proof="token"), "token").stage == Stage.READY


def test_a_token_parcel_is_promised_where_a_reader_stands() -> None:
    assert PLAN.layout.panel
    assert reserve(proof="token").proof == "token"
    assert decide.take_back(parcel(Stage.OVERDUE)).stage == Stage.OVERDUE


# lapsing: upstairs only after the station was heard

HEARD = [
    (None, timedelta(hours=1), False),
    (LATER, timedelta(hours=1), False),
    (LATER + timedelta(seconds=1), timedelta(hours=1), True),
    (LATER + timedelta(seconds=1), timedelta(0), False),
    (None, timedelta(hours=71, minutes=59), False),
    (None, timedelta(hours=72), True),
]


@pytest.mark.parametrize(("heard_until", "after", "lapses"), HEARD)
def test_a_promise_lapses_when_its_station_was_heard_past_it(
    heard_until: datetime | None, after: timedelta, lapses: bool
) -> None:
    fact = decide.lapse(parcel(Stage.RESERVED), heard_until, LATER + after, DEFAULT)
    assert (fact == facts.Lapsed(parcel=PARCEL, reservation=RESERVATION)) is lapses
    assert (fact is None) is not lapses


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage != Stage.RESERVED])
def test_only_promises_lapse(stage: Stage) -> None:
    assert decide.lapse(parcel(stage, deposit_by=NOW), LATER, LATER, DEFAULT) is None


def test_holding_time_ends_at_its_moment() -> None:
    assert decide.expire(parcel(Stage.READY), LATER - timedelta(microseconds=1)) is None
    assert decide.expire(parcel(Stage.READY), LATER) == facts.Expired(parcel=PARCEL)
    for stage in (Stage.RESERVED, Stage.OVERDUE, *ENDED):
        assert decide.expire(parcel(stage), LATER) is None


# the clocks change: on 25 October 2026 the night has an hour more, on 28 March 2027 an hour less

HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("closed", "local_end"),
    [
        (datetime(2026, 10, 24, 18, tzinfo=HELSINKI), "2026-10-26T17:00"),
        (datetime(2027, 3, 27, 18, tzinfo=HELSINKI), "2027-03-29T19:00"),
        (datetime(2026, 11, 22, 18, tzinfo=HELSINKI), "2026-11-24T18:00"),
    ],
)
def test_two_days_are_48_hours_whatever_the_clocks_do(closed: datetime, local_end: str) -> None:
    closed = closed.astimezone(UTC)
    end = decide.collect_deadline(closed, DEFAULT.hold_hours)
    assert end - closed == timedelta(hours=48)
    assert end.astimezone(HELSINKI).isoformat().startswith(local_end)
    inside = parcel(Stage.READY, collect_by=end)
    assert decide.expire(inside, end - timedelta(seconds=1)) is None
    assert decide.expire(inside, end) is not None
    kept = decide.extend(inside, None, "recipient", closed, DEFAULT)
    assert kept.collect_by - end == timedelta(hours=24)


def test_keeping_an_overdue_parcel_counts_from_now() -> None:
    late = LATER + timedelta(hours=5)
    assert decide.extend(parcel(Stage.OVERDUE), 3, "operator", late, DEFAULT).collect_by == late + timedelta(hours=3)


def test_an_operator_may_extend_more_often_than_a_recipient() -> None:
    often = parcel(Stage.READY, extensions=9)
    assert decide.extend(often, None, "operator", NOW, DEFAULT)
    with pytest.raises(Refusal):
        decide.extend(often, None, "recipient", NOW, DEFAULT)


@pytest.mark.parametrize("stage", Stage)
def test_hours_in_which_the_station_stood_still_are_given_to_who_could_have_come(stage: Stage) -> None:
    lay = parcel(stage, deposited_at=NOW)
    stood = facts.StoodStill(since=NOW - timedelta(hours=2), until=NOW + timedelta(hours=5))
    longer = decide.keep_longer(lay, stood, "S-0001", NOW + timedelta(hours=6))
    assert (longer is not None) == (stage in INSIDE)
    assert longer is None or longer.collect_by == LATER + timedelta(hours=5), "no more than it lay there"
    early = decide.keep_longer(lay, stood, "S-0001", NOW + timedelta(hours=1))
    assert early is None or early.collect_by == LATER + timedelta(hours=1), "a clock that is ahead gives no more"
    after = facts.StoodStill(since=LATER + timedelta(hours=1), until=LATER + timedelta(hours=9))
    assert decide.keep_longer(lay, after, "S-0001", LATER + timedelta(hours=9)) is None, "its time was over before"
    never = facts.StoodStill(since=NOW - timedelta(hours=9), until=NOW - timedelta(hours=1))
    assert decide.keep_longer(lay, never, "S-0001", NOW) is None


def test_what_stands_still_for_a_case_is_not_given_twice() -> None:
    lay = parcel(Stage.READY, deposited_at=NOW)
    stood = facts.StoodStill(since=NOW, until=NOW + timedelta(hours=5))
    case = CaseFile(id=OTHER, about=decide.STOPPING[0], parcel=lay.id, station="S-0001", compartment=1, holds=True,
                    opened_at=NOW)  # fmt: skip
    assert decide.keep_longer(lay, stood, "S-0001", stood.until, [case]) is None
    closed = msgspec.structs.replace(case, closed_at=NOW)
    assert decide.keep_longer(lay, stood, "S-0001", stood.until, [closed]) is not None


def test_an_expected_time_of_any_zone_is_written_in_utc() -> None:
    there = datetime(2026, 11, 22, 11, 2, tzinfo=timezone(timedelta(hours=2)))
    body = msgspec.json.decode(facts.body(decide.announce(changed(expected_at=there), PARCEL, None)))
    assert body["expected_at"] == "2026-11-22T09:02:00Z"


def test_overbooking_is_a_policy() -> None:
    small = PLAN.need(parcel(Stage.ANNOUNCED))
    full = Room(promised={small: 8})
    values = ("S-0001", PLAN, full, OTHER, "", "", NOW)
    with pytest.raises(Refusal):
        decide.reserve(parcel(Stage.ANNOUNCED), *values, DEFAULT)
    assert decide.reserve(parcel(Stage.ANNOUNCED), *values, Policy(overbook=1)).size == "S"


def test_the_size_promised_is_the_smallest_that_fits() -> None:
    assert [reserve(height_mm=height).size for height in (60, 70, 71, 180, 181, 400)] == ["S", "S", "M", "M", "L", "L"]
    assert decide.deposit(parcel(Stage.RESERVED), Plan(plain_layout("LMS")), Room(), NOW) == 3


def test_learning_a_promise_of_ours() -> None:
    assert learn(parcel(Stage.ANNOUNCED), reserved(), NOW)[1]
