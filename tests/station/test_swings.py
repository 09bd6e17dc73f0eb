"""A leaf that springs open, hits a hand or a wall, and swings onto its contact and out again: nothing is over yet."""

import pytest

from parcelwall.rules.life import Stage
from station.rig import Rig


async def watched(rig: Rig, seconds: float) -> float:
    """As a door before people is watched. When the visit was over, in seconds from now; the time asked for if it is
    not."""
    began = rig.now.mono()
    while rig.desk.unfinished() and rig.now.mono() - began < seconds:
        await rig.keeper.watch_closely()
        await rig.now.sleep(0.02)
    return rig.now.mono() - began


@pytest.mark.parametrize(("bounce_ms", "flips"), [(200, 3), (400, 5), (700, 5), (1000, 7), (1000, 47)])
async def test_a_leaf_that_swings_is_not_shut(rig: Rig, bounce_ms: int, flips: int) -> None:
    collected = await rig.inside("PW-1")
    door = rig.parcel(collected).compartment or 0
    rig.boards.core.bounce(door, bounce_ms, flips)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(collected)))
    await watched(rig, 5.0)
    assert [each.id for each in rig.desk.unfinished()] == [visit.id], "nobody has pushed it shut"
    assert rig.parcel(collected).stage == Stage.READY
    rig.boards.core.bounce(door, 0, 0)
    assert rig.boards.push_closed(door)
    assert await watched(rig, 5.0) < 0.2
    assert rig.parcel(collected).stage == Stage.COLLECTED
    assert rig.cases() == []


async def test_a_door_that_is_pushed_shut_at_once_is_shut_a_moment_later(rig: Rig) -> None:
    """By somebody who has thought better of it: it stays shut, and that is seen."""
    parcel = rig.promise("PW-1")
    visit = await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    began = rig.now.mono()
    while not rig.boards.push_closed(visit.compartment) and rig.now.mono() - began < 5.0:
        await rig.now.sleep(0.05)  # a latch does not catch while its coil is driven
    assert await watched(rig, 5.0) < 1.0
    assert rig.parcel(parcel).stage == Stage.READY
