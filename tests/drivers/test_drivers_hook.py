"""Contacts that measure the hook: while its coil holds it, that it is not caught says nothing of the leaf.

Source: hardware.md 2.3: a hook that reads open for less than 700 ms and closed again is unclear.
"""

import pytest

from parcelwall.drivers import DoorState, Pulse, Why, connect

pytestmark = pytest.mark.asyncio

OPEN, CLOSED, UNKNOWN = DoorState.OPEN, DoorState.CLOSED, DoorState.UNKNOWN
HOOKS = pytest.mark.parametrize("contact", ["hook", "both"])


@pytest.fixture
def driver():
    return "kerong16"


async def looks(rig, ask, seconds):
    """What a door is said to be at each look, without repetitions."""
    told, end = [], rig.clock.mono() + seconds
    while rig.clock.mono() < end:
        seen = await ask()
        if (seen.state, seen.why) not in told[-1:]:
            told.append((seen.state, seen.why))
        await rig.clock.sleep(0.02)
    return told


@HOOKS
@pytest.mark.parametrize("way", ["state", "follow", "sweep"])
async def test_a_hook_that_lets_go_and_catches_again_is_never_an_open_door(make_memory_rig, contact, way):
    rig = await make_memory_rig(contact=contact, pulse_ms=500, poll_ms=100)
    rig.core.weaken(1)
    assert (await rig.doors.state(1)).state is CLOSED

    async def ask():
        return (await rig.doors.sweep())[1] if way == "sweep" else await getattr(rig.doors, way)(1)

    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED
    told = await looks(rig, ask, 1.2)
    assert OPEN not in [state for state, _ in told]
    assert (UNKNOWN, Why.HELD) in told
    assert told[-1] == (CLOSED, Why.NONE)


@HOOKS
async def test_an_open_door_is_said_to_be_open_once_its_hook_would_have_caught(make_memory_rig, contact):
    rig = await make_memory_rig(contact=contact, pulse_ms=500)
    assert (await rig.doors.state(1)).state is CLOSED
    begun = rig.clock.mono()
    await rig.doors.open(1, rig.soon())
    assert (await rig.until(1, OPEN)).state is OPEN
    assert 0.7 <= rig.clock.mono() - begun < 0.9


async def test_a_leaf_that_has_a_contact_of_its_own_is_believed_at_once(make_memory_rig):
    rig = await make_memory_rig(contact="door", pulse_ms=500)
    begun = rig.clock.mono()
    await rig.doors.open(1, rig.soon())
    assert (await rig.until(1, OPEN)).state is OPEN
    assert rig.clock.mono() - begun < 0.4


async def test_a_neighbour_of_the_pulsed_door_is_believed(make_memory_rig):
    rig = await make_memory_rig(contact="hook", pulse_ms=500)
    rig.hands.push_open(2)
    await rig.doors.open(1, rig.soon())
    await rig.clock.sleep(0.2)
    assert [(seen.state, seen.why) for seen in map((await rig.doors.sweep()).get, (1, 2))] == [
        (UNKNOWN, Why.HELD), (OPEN, Why.NONE),
    ]  # fmt: skip


async def test_who_starts_in_the_middle_of_a_pulse_does_not_take_it_for_an_open_door(make_memory_rig):
    """The process that gave the pulse has died, and this one knows nothing of it."""
    rig = await make_memory_rig(contact="hook", pulse_ms=500)
    rig.core.weaken(1)
    await rig.doors.open(1, rig.soon())
    await rig.doors.close()
    await rig.clock.sleep(0.1)
    anew = connect(rig.doors.profile, rig.clock, rig.open_port)
    await anew.start()
    assert (await anew.state(1)).state is CLOSED
    await anew.close()
