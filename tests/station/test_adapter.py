"""A serial adapter that takes no more bytes, while somebody stands before a door and while nobody does."""

from parcelwall.drivers import DoorState
from parcelwall.rules.life import Stage
from station.rig import Rig


async def test_an_adapter_that_wedges_while_a_door_stands_open_ends_the_visit_when_it_is_back(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    assert visit.step == "opened"
    rig.boards.wedge()
    await rig.look(2)
    assert {seen.state for seen in rig.keeper.seen.values()} == {DoorState.UNKNOWN}, "not what was seen last"
    rig.boards.push_closed(visit.compartment)
    await rig.look()
    assert rig.parcel(parcel).stage == Stage.READY
    rig.boards.wedge(False)
    await rig.look(8)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.cases() == []


async def test_a_door_behind_a_wedged_adapter_is_dead_and_its_code_stays_good(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    rig.boards.wedge()
    pulses = rig.pulses()
    ended = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    assert (ended.outcome, rig.pulses()) == ("failed", pulses)
    rig.boards.wedge(False)
    rig.now.advance(60)
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED
