"""A door that stands open: left open, opened unasked, never shut, seen by boards without power. Others are served by
other doors, and what it did to its parcel is said once."""

import apsw
import msgspec
import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.station import visit as visits
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import NAME, Rig


async def test_a_right_code_is_no_wrong_try_while_its_door_stands_open(rig: Rig) -> None:
    """An operator has looked into the compartment and left it open."""
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    await rig.keeper.serve(rig.desk.inspect(rig.ids.new(), door, rig.now.mono() + 15))
    rig.now.advance(121)
    await rig.look()
    for _ in range(6):
        showing = await rig.station.kiosk.type_code(rig.code(parcel))
        assert (showing.screen, showing.refusal, showing.door) == ("closed", "door_busy", door)
    assert picture(rig.station, Renderer()).heading == f"Door {door} is still open"
    assert (rig.desk.codes.pause_left_s(), rig.memory.brake("bare").today) == (0, 0)
    await rig.shut(door)
    assert (await rig.station.kiosk.type_code(rig.code(parcel))).screen == "open"


async def test_a_door_left_open_does_not_keep_the_next_person_waiting(rig: Rig) -> None:
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(first)))
    rig.now.advance(121)
    await rig.look()
    assert rig.cases() == ["door_left_open"]
    assert [each.screen for each in rig.desk.unfinished()] == [f"aside/{visit.compartment}"]
    await rig.collect(rig.code(second))
    assert rig.parcel(second).stage == Stage.COLLECTED
    await rig.restart()
    assert rig.parcel(first).stage == Stage.READY, "the door is open still"
    await rig.shut(visit.compartment)
    assert rig.parcel(first).stage == Stage.COLLECTED
    assert rig.desk.unfinished() == []
    assert rig.memory.room().held == rig.desk.plan.bit(visit.compartment), "until somebody has looked"


async def test_a_code_that_has_opened_its_door_is_spent_also_before_the_door_is_shut(rig: Rig) -> None:
    """Left open and walked away: the parcel is not collected yet, and its code opens nothing any more."""
    parcel = await rig.inside("PW-1")
    code = rig.code(parcel)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(code))
    rig.now.advance(121)
    await rig.look()
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            rig.desk.collect_by_code(code)
        assert refused.value.reason == "wrong_code"
        assert rig.parcel(parcel).stage == Stage.READY
        await rig.restart()
    await rig.shut(visit.compartment)


async def test_the_index_is_the_law_of_codes_and_screens(rig: Rig) -> None:
    """INV-05 and INV-06 at the table itself: one opening per code, one open visit per screen."""
    parcel = await rig.inside("PW-1")
    first = rig.desk.collect_by_code(rig.code(parcel))
    connection = rig.memory.connection
    other = msgspec.structs.replace(first, id=rig.ids.new())
    with pytest.raises(apsw.ConstraintError):
        visits.write(connection, other)
    visits.write(connection, msgspec.structs.replace(other, screen="aside/1"))
    opened = await rig.keeper.serve(first)
    with pytest.raises(apsw.ConstraintError):
        visits.write(connection, msgspec.structs.replace(other, screen="aside/1", opened_at=opened.opened_at))
    rig.desk.void(msgspec.structs.replace(other, screen="aside/1"))
    await rig.shut(first.compartment)


@pytest.mark.parametrize("purpose", ["deposit", "take_back"])
async def test_a_door_left_open_is_not_opened_for_the_same_parcel_again(rig: Rig, purpose: str) -> None:
    """A second visit would end when the first does: one parcel put in, or taken back, twice. Found by simulation."""
    parcel = rig.promise("PW-1") if purpose == "deposit" else await rig.inside("PW-1")
    if purpose == "take_back":
        rig.hear(facts.Expired(parcel=parcel))

    def begin() -> visits.Visit:
        if purpose == "deposit":
            return rig.desk.deposit_by_label("PW-1", rig.courier)
        return rig.desk.take_back(parcel, rig.courier)

    left_open = await rig.keeper.serve(begin())
    rig.now.advance(121)
    await rig.look()
    with pytest.raises(Refusal) as refused:
        begin()
    assert refused.value.reason == "door_busy"
    assert refused.value.details == {"door": left_open.compartment}
    await rig.inside("PW-2")
    await rig.shut(left_open.compartment)
    assert rig.told().count("Deposited" if purpose == "deposit" else "TakenBack") == (2 if purpose == "deposit" else 1)
    assert rig.cases() == ["door_left_open"], "no surprise"


async def test_a_door_that_stands_open_is_offered_to_nobody_also_when_its_case_is_closed(rig: Rig) -> None:
    """Somebody had looked and closed the case, and not the door: each courier was sent to it and told that it is busy,
    beside seven that were free. Found by simulation."""
    doors = len(rig.desk.plan.place)
    for number in range(2, doors):
        await rig.inside(f"PW-{number}")
    rig.promise("PW-1")
    left_open = await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    rig.now.advance(121)
    await rig.look()
    for case in [each.id for each in rig.memory.book.cases.values()]:
        rig.hear(facts.CaseClosed(case=case, station=NAME, outcome="looked at, and left open"))
    await rig.collect(rig.code(await rig.inside("PW-0")))  # behind the last door: it was used later
    rig.promise("PW-9")
    other = await rig.deposit("PW-9")
    assert other.compartment != left_open.compartment
    await rig.shut(left_open.compartment)
    rig.clean()


async def test_open_visits_are_found_without_reading_all_there_ever_were(rig: Rig) -> None:
    """The keeper asks twice a second, and a year has thousands of visits."""
    [(*_, how)] = rig.memory.connection.execute("EXPLAIN QUERY PLAN " + visits._UNFINISHED.replace(" ORDER BY id", ""))
    assert how == "SCAN visit USING INDEX one_visit_per_screen"
    [*steps] = rig.memory.connection.execute("EXPLAIN QUERY PLAN " + visits._UNFINISHED)
    assert not any("autoindex" in step[3] for step in steps)


async def test_a_parcel_that_keeps_the_door_from_shutting(rig: Rig) -> None:
    parcel = rig.promise("PW-1")
    visit = await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    rig.boards.core.blocked(visit.compartment)
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.RESERVED
    rig.boards.core.blocked(visit.compartment, False)
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.READY


async def test_a_power_cut_before_a_door_that_stood_open(rig: Rig) -> None:
    """It was not this visit that opened it: shut hours later, it takes nothing out of the book, and a case tells."""
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    rig.boards.push_open(door)
    await rig.look(4)
    for case in [each.id for each in rig.memory.book.cases.values()]:
        rig.hear(facts.CaseClosed(case=case, station=NAME, outcome="looked at, and left open"))
    rig.desk.collect_by_code(rig.code(parcel))
    await rig.restart()
    assert rig.cases() == ["door_failed"]
    await rig.shut(door)
    assert (rig.parcel(parcel).stage, rig.desk.unfinished()) == (Stage.READY, [])
    rig.clean()


async def test_the_button_on_the_board(rig: Rig) -> None:
    await rig.inside("PW-1")
    before = rig.wrote()
    rig.boards.button(1)
    await rig.look(4)
    assert rig.told(before).count("DoorOpened") == 8
    assert len(rig.cases()) == 8
    rig.promise("PW-2")
    with pytest.raises(Refusal) as refused:
        rig.desk.deposit_by_label("PW-2", rig.courier)
    assert refused.value.reason == "no_fitting_compartment", "open doors are offered to nobody"


async def test_boards_without_power_end_no_visit(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.boards.lose_power(30)
    await rig.look(3)
    assert rig.parcel(parcel).stage == Stage.READY, "what is not known is not closed"
    rig.now.advance(40)
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_held_compartment_is_offered_again_when_the_case_is_closed(rig: Rig) -> None:
    rig.promise("PW-1")
    visit = rig.desk.deposit_by_label("PW-1", rig.courier)
    rig.boards.core.jam(visit.compartment)
    await rig.keeper.serve(visit)
    [case] = rig.memory.book.cases
    rig.boards.core.jam(visit.compartment, False)
    rig.hear(facts.CaseClosed(case=case, station=NAME, outcome="freed"))
    assert rig.memory.room().held == 0
    rig.now.advance(30)  # until then its coil is spared, and another door comes first
    assert (await rig.deposit("PW-1")).compartment == visit.compartment
