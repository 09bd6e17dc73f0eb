"""What people before a door say is wrong behind it: a case with evidence, and nobody is sent to that door again."""

import msgspec
import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import NAME, Rig


def last_case(rig: Rig) -> facts.CaseOpened:
    bodies = [entry.body for entry in rig.memory.journal.since(NAME, 0) if entry.kind == "CaseOpened"]
    return msgspec.json.decode(bodies[-1], type=facts.CaseOpened)


async def tap(rig: Rig, *taps: tuple[str, str]) -> str:
    kiosk = rig.station.kiosk
    for name, value in taps:
        await kiosk.act(name, kiosk.showing.number, value)
    return kiosk.showing.screen


async def test_a_courier_finds_something_and_puts_nothing_in(rig: Rig) -> None:
    kiosk = rig.station.kiosk
    parcel = rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    door = (await kiosk.label("PW-1")).door or 0
    assert await tap(rig, ("wrong", ""), ("report", "occupied")) == "case"
    case = last_case(rig)
    assert (case.about, case.compartment, case.parcel, case.holds) == ("reported_occupied", door, parcel, True)
    assert (case.details["purpose"], case.details["pulses"]) == ("deposit", 1)
    before = rig.wrote()
    await rig.shut(door)
    assert rig.told(before) == ["DoorClosed"], "nothing was put in"
    assert (rig.parcel(parcel).stage, kiosk.showing.screen) == (Stage.RESERVED, "courier-size")
    assert await tap(rig, ("size", kiosk.showing.found)) == "open", "the label need not be read again"
    again = kiosk.showing.door
    assert again not in (0, None, door)
    await rig.shut(again or 0)
    assert (rig.parcel(parcel).stage, rig.parcel(parcel).compartment) == (Stage.READY, again)


async def test_behind_the_last_door_something_lay_and_the_screen_says_that_nothing_fits(rig: Rig) -> None:
    kiosk = rig.station.kiosk
    parcel = rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    for _ in rig.layout.compartments:
        door = (await kiosk.label("PW-1")).door or 0
        await tap(rig, ("wrong", ""), ("report", "occupied"))
        await rig.shut(door)
    assert (kiosk.showing.screen, kiosk.showing.parcel) == ("no-fit", parcel)


async def test_a_courier_before_a_door_that_does_not_open_has_another_by_one_touch(rig: Rig) -> None:
    kiosk = rig.station.kiosk
    parcel = rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    for door in rig.layout.compartments:
        rig.boards.core.jam(door.number)
    stuck = (await kiosk.label("PW-1")).door
    assert kiosk.showing.screen == "stuck" and picture(rig.station, renderer()).another
    for each in rig.layout.compartments:
        rig.boards.core.mend(each.number)
    assert await tap(rig, ("another", "")) == "open"
    assert kiosk.showing.door not in (None, stuck) and kiosk.showing.courier == rig.courier
    with pytest.raises(Refusal):
        await kiosk.act("another", kiosk.showing.number)
    await rig.shut(kiosk.showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.READY
    assert kiosk.showing.brought == 1


async def drive(rig: Rig, *doors: int) -> None:
    """Each of these coils has had its share of pulses, and rests."""
    for _ in range(3):
        for door in doors:
            await rig.doors.open(door, not_after=float("inf"))
            rig.boards.push_closed(door)


async def test_a_courier_waits_for_no_coil_while_a_larger_door_is_free(rig: Rig) -> None:
    kiosk, small = rig.station.kiosk, [each.number for each in rig.layout.compartments if each.size == "S"]
    await drive(rig, *small)
    rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    assert (await kiosk.label("PW-1")).screen == "open" and kiosk.showing.door not in small
    await rig.shut(kiosk.showing.door or 0)


async def test_where_all_that_fit_rest_the_courier_is_told_for_how_long(rig: Rig) -> None:
    """And not sent to "another" door, which is the same once more."""
    kiosk, doors = rig.station.kiosk, [each.number for each in rig.layout.compartments]
    parcel = rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    await drive(rig, *doors)
    assert (await kiosk.label("PW-1")).screen == "stuck" and rig.cases() == []
    door, shown = kiosk.showing.door, picture(rig.station, renderer())
    assert (shown.another, shown.retries) == (False, True) and 0 < (shown.seconds or 0) <= 30
    with pytest.raises(Refusal):
        await kiosk.act("another", kiosk.showing.number)
    rig.now.advance(kiosk.showing.wait_s)
    assert await tap(rig, ("retry", "")) == "open"
    await rig.shut(kiosk.showing.door or door or 0)
    assert rig.parcel(parcel).stage == Stage.READY and kiosk.showing.brought == 1


async def test_nobody_who_collects_is_offered_another_door(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(60)
    rig.station.kiosk.home()
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    assert (await rig.station.kiosk.type_code(rig.code(parcel))).screen == "stuck"
    assert not picture(rig.station, renderer()).another
    with pytest.raises(Refusal):
        await rig.station.kiosk.act("another", rig.station.kiosk.showing.number)


async def test_that_nothing_was_put_in_survives_a_power_cut(rig: Rig) -> None:
    kiosk = rig.station.kiosk
    parcel = rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    door = (await kiosk.label("PW-1")).door or 0
    await tap(rig, ("wrong", ""), ("report", "occupied"))
    rig.boards.push_closed(door)
    await rig.restart()
    assert rig.parcel(parcel).stage == Stage.RESERVED
    assert rig.told().count("Deposited") == 0


async def test_a_report_is_of_the_door_on_the_screen(rig: Rig) -> None:
    """Not of the courier's door before it."""
    kiosk = rig.station.kiosk
    rig.promise("PW-1")
    second = rig.promise("PW-2")
    await kiosk.sign_in(rig.courier_code())
    await rig.shut((await kiosk.label("PW-1")).door or 0)
    door = (await kiosk.label("PW-2")).door
    await tap(rig, ("wrong", ""), ("report", "damaged"))
    case = last_case(rig)
    assert (case.parcel, case.compartment) == (second, door)
    await rig.shut(door or 0)
    assert rig.parcel(second).stage == Stage.READY, "damaged is put in all the same"


@pytest.mark.parametrize(("what", "about"), [("empty", "reported_empty"), ("wrong", "reported_wrong_parcel")])
async def test_a_recipient_reports_and_the_compartment_waits_for_a_person(rig: Rig, what: str, about: str) -> None:
    parcel, kiosk = await rig.inside("PW-1"), rig.station.kiosk
    door = (await kiosk.type_code(rig.code(parcel))).door or 0
    await tap(rig, ("wrong", ""), ("report", what))
    await rig.shut(door)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    case = last_case(rig)
    assert (case.about, case.parcel, case.compartment) == (about, parcel, door)
    assert case.details["visit"]
    for number in range(len(rig.layout.compartments)):
        rig.promise(f"PW-{number + 2}")
        assert door not in [each.compartment for each in rig.memory.parcels()]
        if not await put_in(rig, f"PW-{number + 2}"):
            break
    rig.hear(facts.CaseClosed(case=case.case, station=NAME, outcome="empty and clean"))
    rig.promise("PW-99")
    assert (await rig.deposit("PW-99")).compartment == door


async def put_in(rig: Rig, reference: str) -> bool:
    shown = await rig.station.kiosk.label(reference) if rig.station.kiosk.showing.courier else None
    if shown is None:
        await rig.station.kiosk.sign_in(rig.courier_code())
        shown = await rig.station.kiosk.label(reference)
    if shown.screen == "no-fit":
        return False
    await rig.shut(shown.door or 0)
    return True
