"""Doors that jam, boards that are silent or lie, doors left open or opened unasked: outcome, facts and case."""

import asyncio
from uuid import UUID

import pytest

from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.station import visit as visits
from station.rig import NAME, Rig

OPEN = 0  # what the pretend contact reads then

# how the boards go wrong -> (why the door is said to have failed, pulses sent)
FAULTS = {
    "jams": ("stuck", 3),
    "lies": ("stuck", 0),
    "silent": ("unclear", 1),
    "unplugged": ("dead", 0),
}


def break_door(rig: Rig, fault: str, door: int) -> None:
    core = rig.boards.core
    if fault == "jams":
        core.jam(door)
    elif fault == "lies":
        core.lie(1)
    elif fault == "silent":
        core.stick(door, None)
        core.mute_next(1_000)
    else:
        rig.boards.unplug()


@pytest.mark.parametrize("purpose", ["deposit", "collect", "take_back"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_door_that_does_not_open(rig: Rig, fault: str, purpose: str) -> None:
    parcel = rig.promise("PW-1") if purpose == "deposit" else await rig.inside("PW-1")
    if purpose == "take_back":
        rig.hear(facts.Expired(parcel=parcel))
    rig.now.advance(60)  # a coil that was just pulsed is spared
    before, pulses = rig.wrote(), rig.pulses()
    stage = rig.parcel(parcel).stage
    visit = {
        "deposit": lambda: rig.desk.deposit_by_label("PW-1", rig.courier),
        "collect": lambda: rig.desk.collect_by_code(rig.code(parcel)),
        "take_back": lambda: rig.desk.take_back(parcel, rig.courier),
    }[purpose]()
    break_door(rig, fault, visit.compartment)
    done = await rig.keeper.serve(visit)
    if (fault, purpose) == ("unplugged", "deposit"):
        assert (rig.told(before), done.outcome, rig.cases()) == (["CaseOpened"], "void", ["doors_unreachable"])
        assert (rig.memory.room().held, rig.parcel(parcel).stage, rig.desk.unfinished()) == (0, stage, [])
        return
    why, sent = FAULTS[fault]
    assert rig.told(before) == ["DoorFailed", "CaseOpened"]
    assert f'"why":"{why}"' in rig.memory.journal.since(NAME, before)[0].body
    assert rig.pulses() - pulses == sent
    assert done.outcome == ("unclear" if why == "unclear" else "failed")
    assert rig.cases() == ["door_failed"]
    assert rig.memory.room().held == rig.desk.plan.bit(visit.compartment)
    assert rig.parcel(parcel).stage == stage, "nothing is said of the parcel that no door saw"
    assert rig.desk.unfinished() == [], "the next person is served"


@pytest.mark.parametrize("sends", [False, True])
async def test_while_the_adapter_is_gone_no_scan_takes_a_compartment_out_of_use(rig: Rig, sends: bool) -> None:
    kiosk = rig.station.kiosk
    for number in range(4):
        rig.promise(f"PW-{number}", direction="return" if sends else "delivery")
    kiosk.home()
    if not sends:
        await kiosk.sign_in(rig.courier_code())
    rig.boards.unplug()
    await rig.look(4)
    for number in range(4):
        await kiosk.scanned(f"PW-{number}")
        if sends:
            await kiosk.act("size", kiosk.showing.number, kiosk.showing.found)
        assert (kiosk.showing.screen, kiosk.showing.refusal) == (
            "send-none" if sends else "unknown", "station_out_of_service")  # fmt: skip
    assert (rig.cases(), rig.memory.room().held, rig.pulses()) == (["doors_unreachable"], 0, 0)
    rig.boards.replug()
    await rig.look(40)
    await kiosk.scanned("PW-3")
    if sends:
        await kiosk.act("size", kiosk.showing.number, kiosk.showing.found)
    assert kiosk.showing.screen == "open"


async def test_the_courier_has_another_compartment_at_once(rig: Rig) -> None:
    parcel = rig.promise("PW-1")
    visit = rig.desk.deposit_by_label("PW-1", rig.courier)
    rig.boards.core.jam(visit.compartment)
    await rig.keeper.serve(visit)
    other = await rig.deposit("PW-1")
    assert other.compartment != visit.compartment
    assert rig.parcel(parcel).compartment == other.compartment
    assert rig.told()[-1] == "Deposited"


async def test_a_jam_that_lets_go_at_the_second_pulse(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    visit = rig.desk.collect_by_code(rig.code(parcel))
    rig.boards.core.jam(visit.compartment)
    serving = asyncio.create_task(rig.keeper.serve(visit))
    before = rig.pulses()
    while rig.pulses() == before:
        await asyncio.sleep(0)
    rig.boards.core.jam(visit.compartment, False)
    assert (await serving).step == "opened"
    assert rig.pulses() - before == 2
    stamps = [pulse.start_at for pulse in rig.boards.core.pulses][-2:]
    assert stamps[1] - stamps[0] >= 2.0
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_after_a_failed_try_the_code_is_good_still(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    visit = rig.desk.collect_by_code(rig.code(parcel))
    rig.boards.core.jam(visit.compartment)
    await rig.keeper.serve(visit)
    rig.boards.core.jam(visit.compartment, False)
    rig.now.advance(60)
    await rig.collect(rig.code(parcel))
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_an_answer_that_is_lost_is_not_pulsed_again(rig: Rig) -> None:
    """The board did what it was asked and its answer was lost: the door is seen open, and that is enough."""
    parcel = await rig.inside("PW-1")
    visit = rig.desk.collect_by_code(rig.code(parcel))
    before = rig.pulses()
    rig.boards.core.mute_next(1)
    assert (await rig.keeper.serve(visit)).step == "opened"
    assert rig.pulses() - before == 1
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_door_is_looked_at_three_times_before_it_is_unclear(rig: Rig) -> None:
    """On a line that loses answers one look takes most of a second: the second is not the last. The door was opened,
    and was called failed."""
    parcel = await rig.inside("PW-1")
    visit = rig.desk.collect_by_code(rig.code(parcel))
    before = rig.pulses()
    rig.boards.core.mute_next(14)  # the look before, the pulse's own answer, two looks and a part of the third
    assert (await rig.keeper.serve(visit)).step == "opened"
    assert rig.pulses() - before == 1
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_a_door_that_is_not_on_the_boards(rig: Rig) -> None:
    """The layout has a compartment that nobody wired: said to be dead, and the screen is free for the next."""
    wider = facts.StationConfigured(
        station=NAME, name="Kluuvi", address="", lat=60, lon=25, zone="Europe/Helsinki",
        layout=Rig(rig.path.parent, "SSML SSML S").layout,
    )  # fmt: skip
    rig.hear(wider)
    for number in range(1, 5):
        rig.memory.tell(rig.desk.case("door_failed", None, (1, 2, 5, 6)[number - 1], holds=True))
    rig.promise("PW-1")
    visit = rig.desk.deposit_by_label("PW-1", rig.courier)
    assert visit.compartment == 9
    done = await rig.keeper.serve(visit)
    assert done.outcome == "failed"
    assert rig.desk.unfinished() == []
    assert (await rig.deposit("PW-1")).compartment in (3, 7)


async def test_who_asked_goes_away_while_the_door_opens(rig: Rig) -> None:
    """The page is closed in the middle: the door is seen to all the same, and the parcel is collected."""
    parcel = await rig.inside("PW-1")
    visit = rig.desk.collect_by_code(rig.code(parcel))
    asking = asyncio.create_task(rig.keeper.serve(visit))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    while not rig.is_open(visit.compartment):
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert rig.pulses() == 2


async def test_a_visit_that_nobody_serves_does_not_block_the_screen(rig: Rig) -> None:
    """Begun, and then whoever was to open the door died: looked at like after a power cut, and no pulse."""
    parcel, before = await rig.inside("PW-1"), rig.pulses()
    visit = rig.desk.collect_by_code(rig.code(parcel))
    await rig.look()
    assert rig.desk.unfinished() == []
    assert rig.told()[-2:] == ["DoorFailed", "CaseOpened"]
    assert rig.pulses() == before
    await rig.collect(rig.code(parcel))
    assert visit.purpose == "collect"


@pytest.mark.parametrize("purpose", ["collect", "take_back"])
async def test_a_contact_that_reads_open_for_ever_opens_nothing(rig: Rig, purpose: str) -> None:
    """Found by simulation: said to be open without a pulse, and when it was mended the parcel counted as gone."""
    parcel = await rig.inside("PW-1")
    if purpose == "take_back":
        rig.hear(facts.Expired(parcel=parcel))
    door, stage = rig.parcel(parcel).compartment or 0, rig.parcel(parcel).stage
    rig.now.advance(60)
    rig.boards.core.stick(door, OPEN)
    before, pulses = rig.wrote(), rig.pulses()
    done = await rig.keeper.serve(_begun(rig, purpose, parcel))
    assert done.outcome == "unclear"
    assert rig.told(before) == ["DoorFailed", "CaseOpened"]
    assert rig.pulses() == pulses
    rig.boards.core.stick(door, None)
    await rig.look(3)
    assert rig.parcel(parcel).stage == stage, "it lies there still"
    await rig.through(_begun(rig, purpose, parcel))
    assert rig.parcel(parcel).stage == (Stage.COLLECTED if purpose == "collect" else Stage.TAKEN_BACK)


def _begun(rig: Rig, purpose: str, parcel: UUID) -> visits.Visit:
    if purpose == "collect":
        return rig.desk.collect_by_code(rig.code(parcel))
    return rig.desk.take_back(parcel, rig.courier)


async def test_a_door_that_reads_open_already_takes_no_deposit(rig: Rig) -> None:
    """The courier is given another compartment, and the suspect one is offered to nobody."""
    parcel = rig.promise("PW-1")
    visit = rig.desk.deposit_by_label("PW-1", rig.courier)
    rig.boards.core.stick(visit.compartment, OPEN)
    assert (await rig.keeper.serve(visit)).outcome == "unclear"
    assert rig.cases() == ["door_failed"]
    other = await rig.deposit("PW-1")
    assert other.compartment != visit.compartment
    assert rig.parcel(parcel).compartment == other.compartment
