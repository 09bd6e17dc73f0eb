"""Who has walked along the doors has confirmed how they are wired; wired otherwise, the station opens none of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.person import Person
from drivers.wired import wired_profile
from parcelwall.clock import VirtualClock
from parcelwall.drivers import Profile
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.rules.policy import Policy
from parcelwall.station import doormap
from parcelwall.station.commission import commission
from parcelwall.station.house import make_next_key, use_next_key
from parcelwall.station.running import read_settings
from station.rig import Rig
from station.test_commission import station_file

TRUTH = wired_profile("xor8a")


def changed(**how: Any) -> list[Profile]:
    return [msgspec.structs.replace(TRUTH, **how)]


def folder(rig: Rig) -> Path:
    return rig.path.parent


async def walked(rig: Rig) -> None:
    await rig.stop()
    doormap.confirm(folder(rig), [TRUTH], rig.now)
    await rig.resume()


async def test_what_was_walked_along_is_served(rig: Rig) -> None:
    assert not doormap.is_changed(rig.memory, [TRUTH]), "never walked: it serves, and the log says so"
    await walked(rig)
    assert not doormap.is_changed(rig.memory, [TRUTH])
    assert not doormap.is_changed(rig.memory, changed(timeout_ms=500, poll_ms=400, gap_ms=30)), "times are no wiring"


def told_of(rig: Rig) -> int:
    return rig.cases().count("doors_not_walked")


async def test_a_station_that_nobody_walked_along_is_a_case_and_serves_if_the_policy_lets_it(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    walk = doormap.Walk(rig.desk, [TRUTH])
    walk.look()
    assert (walk.never, told_of(rig)) == (True, 1)
    unwired = rig.memory.room().broken
    rig.hear(facts.PolicyAdopted(policy=Policy(version=2, serve_unwalked=False)))
    walk.look()
    assert (await rig.station.kiosk.type_code(rig.code(parcel))).screen == "closed"
    doors = len(rig.desk.plan.place)
    assert rig.memory.room().broken.bit_count() == doors, "no room is promised at doors that it does not open"
    rig.hear(facts.PolicyAdopted(policy=Policy(version=3)))
    walk.look()
    assert rig.memory.room().broken == unwired, "and again once it does"
    assert (await rig.station.kiosk.type_code(rig.code(parcel))).screen != "closed"


async def test_once_somebody_has_it_is_none(rig: Rig) -> None:
    await walked(rig)
    rig.hear(facts.PolicyAdopted(policy=Policy(version=2, serve_unwalked=False)))
    walk = doormap.Walk(rig.desk, [TRUTH])
    assert (walk.never, rig.desk.doors_unchecked, told_of(rig)) == (False, False, 0)
    assert doormap.Walk(rig.desk, changed(closed_value=0)).never is False
    assert rig.desk.doors_unchecked


@pytest.mark.parametrize(
    "how",
    [{"port": "another"}, {"closed_value": 0}, {"status_order": "low_first"}, {"doors": TRUTH.doors[:-1]},
     {"doors": [msgspec.structs.replace(TRUTH.doors[0], lock=3), *TRUTH.doors[1:]]}],
)  # fmt: skip
async def test_wired_otherwise_it_is_changed(rig: Rig, how: dict[str, Any]) -> None:
    await walked(rig)
    assert doormap.is_changed(rig.memory, changed(**how))


async def test_a_hash_that_another_wrote_into_the_file_is_not_believed(rig: Rig) -> None:
    await walked(rig)
    swapped = changed(closed_value=0)
    rig.memory.know({"map": doormap.hash_of(swapped)})
    assert doormap.is_changed(rig.memory, swapped)


async def test_a_new_key_signs_it_again(rig: Rig) -> None:
    await walked(rig)
    make_next_key(rig.memory, rig.ids)
    use_next_key(rig.memory)
    assert not doormap.is_changed(rig.memory, [TRUTH])


async def test_no_door_is_opened_then_and_the_screen_says_closed(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.desk.doors_unchecked = True
    pulses = rig.pulses()
    assert (await rig.station.kiosk.type_code(rig.code(parcel))).screen == "closed"
    assert (await rig.station.kiosk.scanned(rig.token(parcel))).screen == "closed"
    with pytest.raises(Refusal) as no:
        rig.desk.inspect(rig.ids.new(), 1, rig.now.mono() + 5)
    assert no.value.reason == "station_out_of_service"
    assert rig.pulses() == pulses
    assert rig.memory.brake("bare").recent == (), "a right code is no wrong try"


@pytest.mark.parametrize("truth", [TRUTH, msgspec.structs.replace(TRUTH, closed_value=0)])
async def test_a_whole_walk_confirms_what_the_file_says_then(tmp_path: Path, truth: Profile) -> None:
    clock = VirtualClock(datetime(2026, 11, 22, 8, tzinfo=UTC))
    boards = MemoryBoards(PretendBoards(truth), clock)
    file = station_file(tmp_path)
    outcome = await commission(file, Person(boards), clock, lambda _: None, boards.open_port)
    assert outcome.whole
    rig = Rig(tmp_path / "data")
    memory = doormap.Memory(rig.path, clock)
    assert memory.identity("map") == doormap.hash_of(read_settings(file)[1])
    assert not doormap.is_changed(memory, read_settings(file)[1])
    memory.close()


async def test_a_walk_that_leaves_something_to_mend_confirms_nothing(tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2026, 11, 22, 8, tzinfo=UTC))
    boards = MemoryBoards(PretendBoards(TRUTH), clock)
    boards.core.jam(3)
    file = station_file(tmp_path)
    outcome = await commission(file, Person(boards), clock, lambda _: None, boards.open_port)
    assert not outcome.whole
    assert not (tmp_path / "data" / "station.sqlite").exists()


async def test_a_compartment_that_the_file_does_not_wire_is_out_of_use_until_it_is(rig: Rig) -> None:
    every = rig.profile
    three = msgspec.structs.replace(every, doors=every.doors[:3])
    left_out = [line.door for line in every.doors[3:]]
    walk = doormap.Walk(rig.desk, [three])
    walk.look()
    walk.look()
    assert walk.missing() == left_out
    out = [door for door in range(1, 9) if rig.memory.room().unusable & rig.desk.plan.bit(door)]
    assert out == left_out == [4, 5, 6, 7, 8]
    assert rig.cases().count("out_of_order") == 5, "each is told once"
    doormap.Walk(rig.desk, [every]).look()
    assert rig.memory.room().unusable == 0


async def test_a_walk_along_some_of_the_doors_is_not_whole(rig: Rig, tmp_path: Path) -> None:
    await rig.stop()
    boards = MemoryBoards(PretendBoards(TRUTH), rig.now)
    file = station_file(tmp_path)
    file.write_text(file.read_text().replace(str(tmp_path / "data"), str(folder(rig))))
    outcome = await commission(file, Person(boards), rig.now, lambda _: None, boards.open_port)
    assert [finding.what for finding in outcome.findings] == ["unwired"]
    assert "5, 6, 7, 8" in outcome.findings[0].words
    assert not outcome.whole
    await rig.resume()
    assert not rig.memory.identity("map"), "nothing is confirmed"


async def test_wired_otherwise_after_a_walk_the_station_is_closed_and_its_hub_hears_of_it(rig: Rig) -> None:
    every = rig.profile
    await rig.stop()
    doormap.confirm(folder(rig), [every], rig.now)
    await rig.resume()
    otherwise = msgspec.structs.replace(every, closed_value=1 - every.closed_value)
    for _ in range(2):
        doormap.Walk(rig.desk, [otherwise]).look()
    rig.station.kiosk.tick()
    assert rig.station.kiosk.showing.screen == "closed", "it does not ask for a code that opens nothing"
    await rig.now.sleep(600)
    rig.station.kiosk.tick()
    assert rig.station.kiosk.showing.screen == "closed"
    assert rig.cases() == ["doors_not_walked"], "one case, not one for each door"
    assert rig.memory.room().unusable == rig.desk.plan.everything, "nothing can be promised here"
    doormap.Walk(rig.desk, [every])
    rig.station.kiosk.tick()
    assert (rig.station.kiosk.showing.screen, rig.memory.room().unusable) == ("home", 0)


@pytest.mark.parametrize("purpose", ["collect", "deposit"])
async def test_what_another_doors_contact_says_ends_no_visit(rig: Rig, purpose: str) -> None:
    """A door stood open as the station was stopped to be wired otherwise. Nothing is booked by a contact that nobody
    has confirmed."""
    if purpose == "collect":
        parcel = await rig.inside("PW-1")
        rig.now.advance(700)
        begun = rig.desk.collect_by_code(rig.code(parcel))
    else:
        parcel = rig.promise("PW-1")
        begun = rig.desk.deposit_by_label("PW-1", rig.courier)
    stage, visit = rig.parcel(parcel).stage, await rig.keeper.serve(begun)
    await rig.stop()
    doormap.confirm(folder(rig), [rig.profile], rig.now)
    door = visit.compartment
    other = door + 1 if door % 2 else door - 1
    lines = [msgspec.structs.replace(line, lock={door: other, other: door}.get(line.lock, line.lock))
             for line in rig.profile.doors]  # fmt: skip
    rig.profile = msgspec.structs.replace(rig.profile, doors=lines)
    await rig._open()
    walk = doormap.Walk(rig.desk, [rig.profile])
    assert walk.changed
    await rig.keeper.recover()
    await rig.look(3)
    assert (rig.parcel(parcel).stage, rig.is_open(door)) == (stage, True)
    assert [each.step for each in rig.desk.unfinished()] == ["opened"]
    assert "DoorClosed" not in rig.told(rig.wrote() - 4)
    rig.now.advance(121)
    await rig.look()
    assert "door_left_open" in rig.cases()
    await rig.stop()
    doormap.confirm(folder(rig), [rig.profile], rig.now)
    rig.boards.push_closed(door)
    await rig._open()
    doormap.Walk(rig.desk, [rig.profile])
    await rig.keeper.recover()
    await rig.look(3)
    assert rig.parcel(parcel).stage == (Stage.COLLECTED if purpose == "collect" else Stage.READY)
    assert rig.desk.unfinished() == []
