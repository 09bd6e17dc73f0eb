"""A station on boards whose contacts measure the hook, as Kerong's come from the factory.

The hook is let go for as long as the coil is driven, whether the leaf moves or not: a weak spring, ice, or a parcel
that leans on it. Nothing may be said of a parcel then.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parcelwall.drivers.profile import Profile
from parcelwall.drivers.reading import parse_profile
from parcelwall.rules.life import Stage
from station.rig import NAME, Rig

DOORS = range(1, 9)


def kerong(**changed: Any) -> Profile:
    written = {
        "driver": "kerong16", "port": "pretend", "boards": [{"address": 0, "channels": 16}],
        "doors": [{"door": door, "board": 0, "lock": door} for door in DOORS],
    }  # fmt: skip
    return parse_profile({**written, **changed})


async def at_hooks(folder: Path, **changed: Any) -> Rig:
    return await Rig(folder, profile=kerong(**changed)).start()


async def until(done: Callable[[], bool]) -> None:
    """Hands that try at every step of the loop."""
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0)


def why(rig: Rig, after: int) -> str:
    return next(entry.body for entry in rig.memory.journal.since(NAME, after) if entry.kind == "DoorFailed")


@pytest.mark.parametrize("contact", ["hook", "both"])
async def test_a_parcel_whose_door_never_moved_is_not_collected(tmp_path: Path, contact: str) -> None:
    rig = await at_hooks(tmp_path, contact=contact)
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    before, pulses, door = rig.wrote(), rig.pulses(), rig.parcel(parcel).compartment
    assert door
    rig.boards.core.weaken(door)
    done = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    await rig.look(2)
    assert rig.told(before) == ["DoorFailed", "CaseOpened"]
    assert '"why":"unclear"' in why(rig, before), "its hook let go: nobody can say whether the leaf has moved"
    assert (done.outcome, rig.cases()) == ("unclear", ["door_failed"])
    assert rig.pulses() - pulses == 3, "whoever stands there may pull at each"
    assert rig.parcel(parcel).stage == Stage.READY
    assert rig.memory.room().held == rig.desk.plan.bit(door)
    rig.clean()
    await rig.stop()


async def test_a_parcel_whose_door_never_moved_is_not_deposited(tmp_path: Path) -> None:
    rig = await at_hooks(tmp_path)
    parcel = rig.promise("PW-1")
    before = rig.wrote()
    for door in DOORS:
        rig.boards.core.weaken(door)
    await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    await rig.look(2)
    assert rig.told(before) == ["DoorFailed", "CaseOpened"]
    assert rig.parcel(parcel).stage == Stage.RESERVED
    await rig.stop()


async def test_a_jammed_hook_is_stuck_and_not_unclear(tmp_path: Path) -> None:
    rig = await at_hooks(tmp_path)
    rig.promise("PW-1")
    before = rig.wrote()
    for door in DOORS:
        rig.boards.core.jam(door)
    await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    assert '"why":"stuck"' in why(rig, before)
    await rig.stop()


@pytest.mark.parametrize("pulse_ms", [500, 2500])
async def test_a_delivery_on_hooks_with_short_and_with_long_pulses(tmp_path: Path, pulse_ms: int) -> None:
    rig = await at_hooks(tmp_path, pulse_ms=pulse_ms)
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    before, pulses = rig.wrote(), rig.pulses()
    await rig.collect(rig.code(parcel))
    assert rig.told(before) == ["DoorOpened", "DoorClosed", "Collected"]
    assert rig.pulses() - pulses == 1
    rig.clean()
    await rig.stop()


@pytest.mark.parametrize("at_pulse", [1, 3])
async def test_whoever_pulls_the_leaf_while_its_hook_is_free_has_an_open_door(tmp_path: Path, at_pulse: int) -> None:
    """The screen says that the door is opening until its hook would have caught again, then that it is open."""
    rig = await at_hooks(tmp_path)
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    door, pulses = rig.parcel(parcel).compartment, rig.pulses()
    assert door
    rig.boards.core.weaken(door)
    typing = asyncio.create_task(rig.station.kiosk.type_code(rig.code(parcel)))
    await until(lambda: rig.pulses() - pulses == at_pulse and rig.boards.pull(door))
    pulled_at, shown = rig.now.mono(), rig.station.kiosk.showing.screen
    assert shown == "opening"
    assert (await typing).screen == "open"
    assert rig.now.mono() - pulled_at < 0.9
    await rig.shut(door)
    assert rig.station.kiosk.showing.screen == "thanks"
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    rig.clean()
    await rig.stop()


async def test_whoever_shuts_the_door_before_it_was_seen_open_has_it_once_more(tmp_path: Path) -> None:
    """Out of the door and shut within 700 ms: nobody has seen it, so it opens again and is seen."""
    rig = await at_hooks(tmp_path)
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    door, pulses = rig.parcel(parcel).compartment, rig.pulses()
    assert door
    serving = asyncio.create_task(rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel))))
    await until(lambda: rig.pulses() > pulses and rig.is_open(door) and rig.boards.push_closed(door))
    assert (await serving).step == "opened"
    assert rig.pulses() - pulses == 2
    await rig.shut(door)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    await rig.stop()
