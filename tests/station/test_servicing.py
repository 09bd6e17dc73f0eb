"""Technicians, checks of empty doors, time that is asked for, and a screen that nobody stands before."""

import asyncio
from uuid import UUID

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import access, facts
from parcelwall.station import taking
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import NAME, Rig
from station.test_help import said


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


def wait(rig: Rig, kiosk: Kiosk, seconds: float) -> str:
    rig.now.advance(seconds)
    kiosk.tick()
    return kiosk.showing.screen


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


def technician_code(rig: Rig) -> str:
    who = rig.ids.new()
    rig.hear(facts.Granted(grant=rig.ids.new(), station=NAME, may=("service",), courier=who))
    return access.courier_code(rig._keys["courier-code"], NAME, who, rig.desk.today)


async def test_a_technician_says_why_and_every_opening_stands_in_the_journal(rig: Rig, kiosk: Kiosk) -> None:
    await rig.inside("PW-1")
    kiosk.home()
    assert (await kiosk.sign_in(technician_code(rig))).screen == "service"
    with pytest.raises(Refusal):
        await tap(kiosk, "open-door", "1")
    assert await tap(kiosk, "why", "repair") == "service"
    empty = next(number for number in rig.desk.plan.place if number != rig.desk.inside()[0].compartment)
    assert await tap(kiosk, "open-door", str(empty)) == "open"
    opened = [entry for entry in rig.memory.journal.since(NAME, 0) if entry.kind == "DoorOpened"][-1]
    assert '"why":"repair"' in opened.body
    await rig.shut(empty)
    assert (kiosk.showing.screen, kiosk.showing.why) == ("service", "repair")
    rig.clean()


async def test_no_technician_opens_a_door_with_a_parcel(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    kiosk.home()
    await kiosk.sign_in(technician_code(rig))
    await tap(kiosk, "why", "test")
    pulses = rig.pulses()
    assert await tap(kiosk, "open-door", str(rig.parcel(parcel).compartment)) == "service"
    assert (kiosk.showing.refusal, rig.pulses()) == ("no_right", pulses)
    assert await tap(kiosk, "open-door", "999") == "service"
    for nowhere in ("x", "-1", ""):
        with pytest.raises(Refusal):
            await tap(kiosk, "open-door", nowhere)
    assert rig.pulses() == pulses


async def test_a_courier_is_no_technician(rig: Rig, kiosk: Kiosk) -> None:
    await kiosk.sign_in(rig.courier_code())
    for name, value in (("why", "repair"), ("open-door", "1"), ("test", "sensors")):
        with pytest.raises(Refusal):
            await tap(kiosk, name, value)


async def test_the_reader_is_tested_without_reading_anything(rig: Rig, kiosk: Kiosk) -> None:
    await kiosk.sign_in(technician_code(rig))
    await tap(kiosk, "why", "test")
    await tap(kiosk, "test", "reader")
    pulses = rig.pulses()
    showing = await kiosk.scanned("47190622")
    assert (showing.screen, showing.found, showing.wait_s, rig.pulses()) == ("service", "read", 8, pulses)
    await tap(kiosk, "test", "sensors")
    await rig.look()
    assert sum(kiosk.servicing.doors_seen().values()) == len(rig.desk.plan.place)


async def test_a_courier_checks_empty_doors_and_what_is_not_empty_is_a_case(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    assert await tap(kiosk, "audit") == "audit"
    doors = kiosk.showing.checks
    assert len(doors) == 4 and rig.parcel(parcel).compartment not in doors
    for what in ("empty", "parcel", "rubbish", "empty"):
        assert await tap(kiosk, "check") == "open"
        await rig.shut(kiosk.showing.door or 0)
        assert (kiosk.showing.screen, kiosk.showing.found) == ("audit", "ask")
        await tap(kiosk, "found", what)
    assert kiosk.showing.screen == "courier-home"
    assert sorted(rig.cases()) == ["found_parcel", "found_rubbish"]
    opened = [entry.body for entry in rig.memory.journal.since(NAME, 0) if entry.kind == "DoorOpened"][-4:]
    assert all('"why":"inspection"' in body for body in opened)
    rig.clean()


async def test_time_is_asked_for_and_given_more_than_ten_times(rig: Rig, kiosk: Kiosk) -> None:
    await tap(kiosk, "help")
    for _ in range(12):
        assert wait(rig, kiosk, 31) == "more-time"
        assert kiosk.showing.lasts_s == 20
        assert await tap(kiosk, "more-time") == "help"
    assert wait(rig, kiosk, 31) == "more-time"
    assert wait(rig, kiosk, 21) == "home"


async def test_a_touch_begins_the_time_anew_and_draws_nothing(rig: Rig, kiosk: Kiosk) -> None:
    await tap(kiosk, "help")
    number = kiosk.showing.number
    for _ in range(5):
        rig.now.advance(25)
        await tap(kiosk, "touch")
        kiosk.tick()
        assert (kiosk.showing.screen, kiosk.showing.number) == ("help", number)


async def test_a_screen_that_nobody_stands_before_sleeps_and_wakes(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    kiosk.home()
    assert wait(rig, kiosk, 121) == "asleep"
    assert (await kiosk.scanned(rig.token(parcel))).screen == "open", "a QR needs no waking"
    await rig.shut(kiosk.showing.door or 0)
    kiosk.home()
    assert wait(rig, kiosk, 121) == "asleep"
    assert await tap(kiosk, "wake") == "home"


async def test_a_stuck_door_is_tried_once_more_for_who_stands_there(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    rig.now.advance(60)
    rig.boards.core.jam(door)
    assert (await kiosk.type_code(rig.code(parcel))).screen == "stuck"
    rig.boards.core.jam(door, on=False)
    assert kiosk.showing.retries
    assert 20 < kiosk.showing.wait_s < 30, "the coil has had its share of pulses, and rests"
    pulses = rig.pulses()
    assert (await tap(kiosk, "retry"), rig.pulses()) == ("stuck", pulses), "nothing is tried before"
    wait(rig, kiosk, kiosk.showing.wait_s)
    assert await tap(kiosk, "retry") == "open"
    await rig.shut(door)
    assert rig.parcel(parcel).stage == "COLLECTED"
    rig.clean()


async def test_a_lock_that_was_used_often_rests_and_nothing_is_wrong_with_its_door(rig: Rig, kiosk: Kiosk) -> None:
    """Somebody pushes the door shut too soon, again and again: the next opening waits for the coil, and says so."""
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    assert (await kiosk.type_code(rig.code(parcel))).screen == "open"
    await rig.shut(door)
    assert await tap(kiosk, "again") == "open"
    await rig.shut(door)
    pulses = rig.pulses()
    assert await tap(kiosk, "again") == "stuck"
    assert (rig.pulses(), rig.cases(), rig.desk.unfinished()) == (pulses, [], [])
    page = renderer()
    assert "rests for a moment" in said(page.fragment(picture(rig.station, page)))
    assert (wait(rig, kiosk, 60), wait(rig, kiosk, 21)) == ("more-time", "home")
    rig.clean()


async def test_a_door_whose_coil_rests_for_minutes_is_left_to_who_mends_it(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")  # one of the six pulses in ten minutes
    rig.now.advance(60)
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    await kiosk.type_code(rig.code(parcel))
    wait(rig, kiosk, kiosk.showing.wait_s)
    assert await tap(kiosk, "retry") == "stuck"
    assert not kiosk.showing.retries
    assert (wait(rig, kiosk, 31), wait(rig, kiosk, 21)) == ("more-time", "home")


async def stuck(rig: Rig, kiosk: Kiosk) -> UUID:
    """The right code, and a door that does not open while it is asked to, but would a moment later."""
    parcel = await rig.inside("PW-1")
    door = rig.parcel(parcel).compartment or 0
    rig.now.advance(60)
    rig.boards.core.jam(door)
    assert (await kiosk.type_code(rig.code(parcel))).screen == "stuck"
    rig.boards.core.jam(door, on=False)
    rig.now.advance(25)
    return parcel


@pytest.mark.parametrize("news", ["blocked", "code renewed"])
async def test_a_door_is_not_tried_once_more_for_a_right_that_is_gone(rig: Rig, kiosk: Kiosk, news: str) -> None:
    parcel = await stuck(rig, kiosk)
    blocked = facts.Blocked(parcel=parcel, why="police", by="operator")
    reservation = rig.parcel(parcel).reservation or parcel
    renewed = facts.CodeRenewed(parcel=parcel, reservation=reservation, generation=1)
    rig.hear(blocked if news == "blocked" else renewed)
    pulses = rig.pulses()
    assert await tap(kiosk, "retry") == "home"
    assert (rig.pulses(), rig.parcel(parcel).stage) == (pulses, "READY")


async def test_nor_for_a_code_that_has_opened_it_meanwhile(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await stuck(rig, kiosk)
    failed = kiosk._last_visit
    assert failed is not None
    opened = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.desk.failed(opened, "unclear")
    with pytest.raises(Refusal) as refused:
        taking.once_more(rig.desk, failed)
    assert refused.value.reason == "stale_screen"
    rig.boards.push_closed(opened.compartment)


async def test_a_courier_may_try_once_more_to_take_out_what_is_blocked(rig: Rig) -> None:
    parcel = await rig.inside("PW-1", direction="return")
    rig.now.advance(60)
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    failed = await rig.keeper.serve(taking.take_out(rig.desk, parcel, rig.courier))
    rig.hear(facts.Blocked(parcel=parcel, why="police", by="operator"))
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0, on=False)
    rig.now.advance(25)
    await rig.through(taking.once_more(rig.desk, failed))
    assert rig.parcel(parcel).stage == "COLLECTED"


async def test_a_late_parcel_says_so_while_its_door_opens(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    rig.hear(facts.Expired(parcel=parcel))
    first = asyncio.create_task(kiosk.changed(kiosk.showing.number))
    await asyncio.sleep(0)
    opening = asyncio.create_task(kiosk.type_code(rig.code(parcel)))
    assert ((await first).screen, (await opening).screen) == ("late", "open")


async def test_a_parcel_for_a_verified_person_is_said_to_be_one(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("PW-1", proof="verified")
    await rig.deposit("PW-1")
    kiosk.home()
    assert (await kiosk.type_code(rig.code(parcel))).screen == "held"
    assert rig.memory.brake("bare").today == 0, "a right code is no wrong try"


async def test_a_door_that_the_operator_opens_from_afar_asks_the_courier_at_the_screen_nothing(
    rig: Rig, kiosk: Kiosk
) -> None:
    """It may be one with a parcel: a courier who is asked what lay behind it makes a case of what belongs there."""
    occupied = rig.parcel(await rig.inside("PW-1")).compartment or 0
    await kiosk.sign_in(rig.courier_code())
    await kiosk.serve(rig.desk.inspect(rig.ids.new(), occupied, rig.now.mono() + 5))
    assert kiosk.showing.screen == "open"
    await rig.shut(occupied)
    assert (kiosk.showing.screen, kiosk.showing.courier) == ("courier-scan", rig.courier)
    with pytest.raises(Refusal):
        await tap(kiosk, "found", "parcel")
    assert rig.cases() == []


async def test_a_door_that_the_operator_opens_from_afar_leaves_a_technician_signed_in(rig: Rig, kiosk: Kiosk) -> None:
    await kiosk.sign_in(technician_code(rig))
    await tap(kiosk, "why", "repair")
    await kiosk.serve(rig.desk.inspect(rig.ids.new(), 2, rig.now.mono() + 5))
    await rig.shut(2)
    assert (kiosk.showing.screen, kiosk.showing.why) == ("service", "repair")


async def test_who_only_brings_is_offered_no_doors_to_check_and_a_refusal_is_said(rig: Rig, kiosk: Kiosk) -> None:
    page = renderer()
    await kiosk.sign_in(rig.courier_code())
    await tap(kiosk, "courier-home")
    assert "Check empty doors" in said(page.fragment(picture(rig.station, page)))
    await tap(kiosk, "audit")
    brings = facts.Granted(grant=rig.ids.new(), station=NAME, may=("deposit",), courier=rig.courier)
    rig.hear(*[facts.Revoked(grant=grant.grant, station=NAME) for grant in rig.memory.grants.values()], brings)
    pulses = rig.pulses()
    assert (await tap(kiosk, "check"), rig.pulses()) == ("courier-home", pulses)
    assert "Your badge does not allow this" in said(page.fragment(picture(rig.station, page)))
    assert "Check empty doors" not in said(page.fragment(picture(rig.station, page)))


async def test_a_closed_station_checks_no_doors_and_says_why(rig: Rig, kiosk: Kiosk) -> None:
    page = renderer()
    await kiosk.sign_in(rig.courier_code())
    await tap(kiosk, "courier-home")
    await tap(kiosk, "audit")
    rig.desk.doors_unchecked = True
    assert await tap(kiosk, "check") == "courier-home"
    assert "This station is closed" in said(page.fragment(picture(rig.station, page)))


async def test_where_no_door_is_empty_the_check_says_so(rig: Rig, kiosk: Kiosk) -> None:
    for number, each in enumerate(rig.layout.compartments):
        heights = {"S": 60, "M": 150, "L": 300}
        await rig.inside(f"PW-{number}", size=each.size, height_mm=heights[each.size])
    await kiosk.sign_in(rig.courier_code())
    await tap(kiosk, "courier-home")
    await tap(kiosk, "audit")
    page = renderer()
    assert "No empty door to check now" in said(page.fragment(picture(rig.station, page)))


async def test_the_number_that_a_phone_asks_for_is_there_while_the_screen_sleeps(rig: Rig, kiosk: Kiosk) -> None:
    rig.desk.online = True
    kiosk.home()
    assert wait(rig, kiosk, 121) == "asleep"
    page, number = renderer(), rig.station.presence.number()
    assert f"Opening by phone? Number {number}." in said(page.fragment(picture(rig.station, page)))
