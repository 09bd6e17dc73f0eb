"""A door that was left open and never reads shut: others are served by other doors, and it ends some day."""

from datetime import timedelta
from uuid import UUID

import pytest

from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.station.visit import Visit, told_until
from station.rig import NAME, Rig

OPEN = 0


async def stuck_open(rig: Rig, begun: Visit) -> Visit:
    """Its contact says open for ever, whatever hands do."""
    visit = await rig.keeper.serve(begun)
    rig.boards.core.stick(visit.compartment, OPEN)
    rig.now.advance(121)
    await rig.look()
    rig.boards.push_closed(visit.compartment)
    await rig.look(3)
    assert (rig.cases(), [each.outcome for each in rig.desk.unfinished()]) == (["door_left_open"], ["left_open"])
    return visit


def close_cases(rig: Rig) -> None:
    for case in list(rig.memory.book.cases):
        rig.hear(facts.CaseClosed(case=case, station=NAME))


def write_off(rig: Rig, parcel: UUID) -> None:
    known = rig.parcel(parcel)
    rig.hear(facts.WrittenOff(parcel=parcel, reservation=known.reservation or parcel, station=NAME,
                              compartment=known.compartment or 1, why="gone"))  # fmt: skip


async def test_deposits_go_behind_other_doors_meanwhile(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(700)
    visit = await stuck_open(rig, rig.desk.collect_by_code(rig.code(parcel)))
    close_cases(rig)
    write_off(rig, parcel)
    assert not rig.memory.room().unusable & rig.desk.plan.bit(visit.compartment), "free, says the book"
    doors = []
    for number in range(5):
        rig.promise(f"PW-{number + 2}")
        doors.append((await rig.deposit(f"PW-{number + 2}")).compartment)
        rig.now.advance(10)
    assert visit.compartment not in doors
    assert len(set(doors)) == 5


async def test_what_was_left_open_is_booked_when_it_is_shut_also_after_its_case_was_closed(rig: Rig) -> None:
    """An operator closes cases at a desk: the door may stand open still."""
    parcel = await rig.inside("PW-1")
    rig.now.advance(700)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.now.advance(121)
    await rig.look()
    close_cases(rig)
    await rig.look(200)
    await rig.shut(visit.compartment)
    assert (rig.parcel(parcel).stage, rig.desk.unfinished()) == (Stage.COLLECTED, [])


@pytest.mark.parametrize("restarts", [False, True])
async def test_its_visit_ends_after_a_day_so_that_the_hub_hears_of_time_again(rig: Rig, restarts: bool) -> None:
    rig.promise("PW-1")
    visit = await stuck_open(rig, rig.desk.deposit_by_label("PW-1", rig.courier))
    for hours in (23, 2):
        assert told_until(rig.desk.unfinished(), rig.desk.now()) == visit.begun_at
        rig.now.advance(timedelta(hours=hours).total_seconds())
        if restarts:
            await rig.restart()
        await rig.look()
    assert (rig.desk.unfinished(), rig.cases()) == ([], ["door_left_open"])
    assert told_until(rig.desk.unfinished(), rig.desk.now()) == rig.desk.now()
    assert rig.told().count("Deposited") == 0
