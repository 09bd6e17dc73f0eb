"""Doors that open unasked: one open case for each, however its contact flaps and its line fails."""

import pytest

from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from station.rig import NAME, Rig

SHUT, OPEN = 1, 0  # what the pretend contact reads


async def flap(rig: Rig, times: int) -> None:
    for _ in range(times):
        rig.boards.core.stick(1, OPEN)
        await rig.look(3)
        rig.boards.core.stick(1, SHUT)
        await rig.look(3)


def closed_by_a_person(rig: Rig) -> None:
    for case in list(rig.memory.book.cases.values()):
        if case.closed_at is None:
            rig.hear(facts.CaseClosed(case=case.id, station=NAME, outcome="looked"))


async def test_a_door_that_opens_unasked(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    before, pulses = rig.wrote(), rig.pulses()
    rig.boards.push_open(door)
    await rig.look(4)
    assert rig.told(before) == ["DoorOpened", "CaseOpened"], "once, however long it stands open"
    assert rig.cases() == ["opened_unasked"]
    assert rig.memory.room().held == rig.desk.plan.bit(door)
    assert rig.pulses() == pulses
    assert rig.parcel(parcel).stage == Stage.READY
    rig.boards.push_closed(door)
    await rig.look(2)
    rig.boards.push_open(door)
    await rig.look(4)
    assert rig.told(before) == ["DoorOpened", "CaseOpened"], "nor again, while nobody has looked"


async def test_a_flapping_contact_is_one_case(rig: Rig) -> None:
    await flap(rig, 20)
    assert rig.cases() == ["opened_unasked"]
    assert rig.told().count("DoorOpened") == 1
    assert rig.memory.room().held == rig.desk.plan.bit(1)


async def test_it_is_told_now_and_then_that_it_opens_still(rig: Rig) -> None:
    await flap(rig, 1)
    await rig.now.sleep(601.0)
    await flap(rig, 20)
    assert rig.cases() == ["opened_unasked"]
    assert rig.told().count("DoorOpened") == 2


async def test_a_bad_line_at_a_door_that_stands_open_is_no_news(rig: Rig) -> None:
    rig.boards.push_open(1)
    await rig.look(3)
    before = rig.wrote()
    for _ in range(10):
        rig.boards.core.mute_next(2)
        await rig.look(6)
        assert rig.desk.standing_open == {1}
    for _ in range(3):
        await rig.restart()
        await rig.look(4)
    assert (rig.cases(), rig.told(before)) == (["opened_unasked"], [])
    rig.boards.push_closed(1)
    await rig.look(2)
    assert rig.desk.standing_open == set()


async def test_once_somebody_has_looked_the_next_time_is_a_case_again(rig: Rig) -> None:
    await flap(rig, 2)
    closed_by_a_person(rig)
    await flap(rig, 2)
    assert rig.cases() == ["opened_unasked"]
    assert rig.told().count("CaseOpened") == 2


@pytest.mark.parametrize("wait_s", [0.0, 700.0])
async def test_each_door_has_its_own_case(rig: Rig, wait_s: float) -> None:
    await flap(rig, 1)
    await rig.now.sleep(wait_s)
    rig.boards.push_open(2)
    await rig.look(3)
    assert rig.cases() == ["opened_unasked", "opened_unasked"]
