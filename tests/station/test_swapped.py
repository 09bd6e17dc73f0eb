"""Two plugs are swapped: each coil opens the other's door. Both doors are out of service until somebody has looked."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.decide import stops_the_clock
from parcelwall.rules.layout import plain_layout
from parcelwall.station import looking, taking
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import NAME, Rig
from station.test_help import said

ANOTHER = "another_door_opened"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = await Rig(tmp_path, layout=plain_layout("SSSSSS")).start()
    yield rig
    rig.clean()
    await rig.stop()


async def swapped(rig: Rig) -> tuple[UUID, int, int]:
    """A parcel, its door, and the door that opens instead of it; behind that there is nothing."""
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    other = next(each for each in rig.desk.plan.place if each != door)
    rig.boards.core.swap(door, other)
    await rig.look()
    return parcel, door, other


async def refused(rig: Rig, parcel: UUID) -> str:
    before = rig.pulses()
    with pytest.raises(Refusal) as no:
        rig.desk.collect_by_code(rig.code(parcel))
    assert rig.pulses() == before
    return no.value.reason


def held(rig: Rig) -> set[int]:
    room, plan = rig.memory.room(), rig.desk.plan
    return {number for number in plan.place if room.held & plan.bit(number)}


def looked(rig: Rig, *doors: int) -> None:
    for case in list(rig.memory.book.cases.values()):
        if case.compartment in doors:
            rig.hear(facts.CaseClosed(case=case.id, station=NAME, outcome="looked"))


async def test_one_pulse_and_both_doors_are_closed_to_all_but_technicians(rig: Rig) -> None:
    parcel, door, other = await swapped(rig)
    before, pulses = rig.wrote(), rig.pulses()
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    assert visit.outcome == "failed" and rig.is_open(other) and not rig.is_open(door)
    assert rig.pulses() == pulses + 1, "the second pulse would open the other door once more"
    assert rig.told(before) == ["DoorFailed", "CaseOpened", "DoorOpened", "CaseOpened"]
    assert held(rig) == {door, other}
    await rig.look(5)
    assert rig.told(before)[4:] == [], "the case says it; that door is told no second time"
    rig.boards.push_closed(other)
    await rig.look(2)
    assert await refused(rig, parcel) == "door_failed"
    assert rig.memory.brake("bare").today == 0, "the code was right"
    await rig.restart()
    assert await refused(rig, parcel) == "door_failed"


async def test_the_parcel_behind_the_other_door_waits_too(rig: Rig) -> None:
    """Its own code would open the first one's door. Each has its case, so the holding time of both stands still."""
    first, second = await rig.inside("PW-1"), await rig.inside("PW-2")
    door, other = rig.parcel(first).compartment or 0, rig.parcel(second).compartment or 0
    rig.boards.core.swap(door, other)
    await rig.look()
    await rig.keeper.serve(rig.desk.collect_by_code(rig.code(first)))
    found = {case.compartment: case for case in rig.memory.book.cases.values() if case.about == ANOTHER}
    assert {number: case.parcel for number, case in found.items()} == {door: first, other: second}
    assert all(stops_the_clock(found[number], rig.parcel(each)) for number, each in ((door, first), (other, second)))
    rig.boards.push_closed(other)
    await rig.look(2)
    assert [await refused(rig, each) for each in (first, second)] == ["door_failed"] * 2


async def test_nobody_else_pulses_them(rig: Rig) -> None:
    parcel, door, other = await swapped(rig)
    await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.boards.push_closed(other)
    await rig.look(2)
    pulses = rig.pulses()
    rig.hear(facts.Expired(parcel=parcel))
    assert taking.waiting(rig.desk) == [], "a courier goes on with the rest"
    with pytest.raises(Refusal):
        rig.desk.take_back(parcel, rig.courier)
    with pytest.raises(Refusal):
        looking.into(rig.desk, other, rig.courier, "inspection")
    assert not {door, other} & set(looking.to_check(rig.desk, 9))
    for each in (door, other):
        with pytest.raises(Refusal) as no:
            rig.desk.inspect(rig.ids.new(), each, rig.now.mono() + 10)
        assert no.value.reason == "door_failed"
    rig.promise("PW-3")
    visit = await rig.deposit("PW-3")
    assert visit.compartment not in (door, other)
    assert rig.pulses() == pulses + 1
    technician = rig.ids.new()
    rig.hear(facts.Granted(grant=rig.ids.new(), station=NAME, may=("service",), courier=technician))
    rig.boards.core.swap(door, other)
    await rig.through(rig.desk.service(other, technician, "repair"))
    assert rig.pulses() == pulses + 2


async def test_once_somebody_has_looked_they_open_again(rig: Rig) -> None:
    parcel, door, other = await swapped(rig)
    await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.boards.push_closed(other)
    await rig.look(2)
    rig.boards.core.swap(door, other)
    looked(rig, door, other)
    await rig.collect(rig.code(parcel))
    assert rig.cases() == [] and held(rig) == set()


async def test_a_courier_is_given_another_door(rig: Rig) -> None:
    """Nothing is put in behind the wrong door: both are left alone, and the parcel goes into a third."""
    rig.promise("PW-1")
    visit = rig.desk.deposit_by_label("PW-1", rig.courier)
    door = visit.compartment
    other = next(each for each in rig.desk.plan.place if each != door)
    rig.boards.core.swap(door, other)
    await rig.look()
    assert (await rig.keeper.serve(visit)).outcome == "failed"
    rig.boards.push_closed(other)
    await rig.look(2)
    again = await rig.deposit("PW-1")
    assert again.outcome == "" and again.compartment not in (door, other)
    assert held(rig) == {door, other}


async def test_a_jammed_door_beside_others_that_are_shut_is_no_such_case(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    await rig.look()
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    assert (visit.outcome, rig.cases(), visit.pulses) == ("failed", ["door_failed"], 3)


async def test_a_door_that_stood_open_before_is_not_to_blame(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    other = next(each for each in rig.desk.plan.place if each != door)
    rig.boards.push_open(other)
    await rig.look(3)
    rig.boards.core.jam(door)
    await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    assert sorted(rig.cases()) == ["door_failed", "opened_unasked"]


async def test_the_screen_says_that_the_door_does_not_open(rig: Rig) -> None:
    parcel, door, other = await swapped(rig)
    kiosk, page = rig.station.kiosk, renderer()
    await kiosk.type_code(rig.code(parcel))
    assert kiosk.showing.screen == "stuck" and kiosk.showing.case
    assert "Try once more" not in said(page.fragment(picture(rig.station, page)))
    rig.boards.push_closed(other)
    await rig.look(2)
    kiosk.home()
    await kiosk.type_code(rig.code(parcel))
    shown = said(page.fragment(picture(rig.station, page)))
    assert f"Door {door} does not open" in shown and "Your time is paused" in shown
    assert "opens no door here" not in shown
