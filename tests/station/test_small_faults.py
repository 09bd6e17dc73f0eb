"""What a careful reader found: each of these went wrong once, at a real desk and pretend boards."""

import asyncio
from datetime import timedelta

import apsw
import msgspec
import pytest

from parcelwall.drivers.power import Ups
from parcelwall.errors import Refusal, Trouble
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.rules.policy import Policy
from parcelwall.station.kiosk import Kiosk
from station.rig import Rig, fail_at, never_fail
from station.test_orders import answers, by_recipient, ordered


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


# guessing


@pytest.mark.parametrize("inside", [0, 2])
async def test_where_many_codes_open_something_a_send_code_needs_its_number(
    rig: Rig, kiosk: Kiosk, inside: int
) -> None:
    """Codes of what is inside and of returns count alike; and what is guessed without a number is never listened to."""
    for number in range(inside):
        await rig.inside(f"PW-{number}")
    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1)))
    parcel, _ = (rig.promise(name, direction="return") for name in ("RET-2917", "RET-0386"))
    kiosk.home()
    code = rig.desk.codes.of_sender(rig.parcel(parcel))
    assert (await kiosk.type_code(code)).screen == "selector"
    assert (await kiosk.type_code("", "2917")).screen == "send-size"
    assert kiosk.showing.parcel == parcel
    kiosk.home()
    for _ in range(5):
        await kiosk.type_code("00000000", "2917")
    await kiosk.type_code(code, "2917")
    assert kiosk.showing.screen == "wrong", "guessing under one number is slowed down"
    assert rig.memory.brake("bare").today == 0


async def test_where_few_codes_open_something_each_wrong_one_counts(rig: Rig, kiosk: Kiosk) -> None:
    rig.promise("RET-2917", direction="return")
    for number in range(5):
        await kiosk.type_code(f"{number:08d}")
    assert (rig.memory.brake("bare").today, rig.desk.codes.pause_left_s() > 0) == (5, True)


# screens and layouts


async def test_a_layout_without_the_open_door_ends_no_main_loop(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("PW-1")
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    door = (await kiosk.label("PW-1")).door or 0
    await tap(kiosk, "unfit")
    left = tuple(each for each in rig.layout.compartments if each.number != door)
    about = rig.desk.about
    assert about is not None
    rig.hear(msgspec.structs.replace(about, layout=msgspec.structs.replace(rig.layout, compartments=left)))
    await rig.shut(door)
    assert (kiosk.showing.screen, rig.parcel(parcel).stage) == ("courier-size", Stage.RESERVED)
    assert rig.desk.unfinished() == []


@pytest.mark.parametrize("minutes", [-50, 50])
async def test_a_clock_that_is_put_right_keeps_no_courier_signed_in(rig: Rig, kiosk: Kiosk, minutes: int) -> None:
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    kiosk.tick()
    rig.now.advance(100)
    kiosk.tick()
    rig.memory.told_time(rig.now.now() + timedelta(minutes=minutes), "boot")
    kiosk.tick()
    assert kiosk.showing.screen == "courier-scan", "and ends no screen early"
    for after_s, screen in ((81, "more-time"), (21, "courier-bye"), (11, "home")):
        rig.now.advance(after_s)
        kiosk.tick()
        assert kiosk.showing.screen == screen


async def test_a_door_is_opened_again_for_three_minutes_from_its_first_opening(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(700)
    door = (await kiosk.type_code(rig.code(parcel))).door or 0
    for _ in range(2):
        await rig.now.sleep(80.0)
        rig.boards.push_closed(door)
        await rig.look(2)
        if kiosk.showing.screen == "thanks" and rig.told().count("DoorOpened") < 3:
            assert await tap(kiosk, "again") == "open"
    await rig.now.sleep(30.0)
    rig.boards.push_closed(door)
    await rig.look(2)
    with pytest.raises(Refusal, match="stale_screen"):
        await tap(kiosk, "again")


# what the book says


async def test_a_deposit_that_nobody_saw_the_end_of_is_a_case(rig: Rig) -> None:
    """Shut in the dark: whether the courier has put it in nobody can tell. It is believed, and somebody may look."""
    parcel = rig.promise("PW-1")
    visit = await rig.keeper.serve(rig.desk.deposit_by_label("PW-1", rig.courier))
    await rig.stop()
    await rig.now.sleep(6.0)
    rig.boards.push_closed(visit.compartment)
    await rig.now.sleep(1.0)
    await rig._open()
    await rig.keeper.recover()
    assert (rig.parcel(parcel).stage, rig.cases()) == (Stage.READY, ["deposit_unseen"])
    [case] = rig.memory.book.cases.values()
    assert (case.parcel, case.holds) == (parcel, False)
    rig.clean()


async def test_taking_stock_leaves_out_doors_that_somebody_was_let_in_by(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(700)
    visit = await rig.keeper.serve(rig.desk.collect_by_code(rig.code(parcel)))
    rig.memory.know({"unlooked": "yes"})
    await rig.keeper.take_stock()
    assert (rig.cases(), rig.memory.unlooked) == ([], False)
    await rig.shut(visit.compartment)
    assert rig.parcel(parcel).stage == Stage.COLLECTED


async def test_an_answer_that_could_not_be_written_is_told_later(rig: Rig) -> None:
    parcel = await rig.inside("PW-1")
    rig.now.advance(700)
    order = by_recipient(rig, parcel)
    fail_at(rig.memory.connection, 6, apsw.IOError)  # the disk breaks when the door stands open
    rig.station.orders.obey(order)
    for _ in range(2_000):
        await asyncio.sleep(0)
    assert (rig.is_open(order.door), answers(rig)) == (True, [])
    never_fail(rig.memory.connection)
    rig.station.orders.tell_later()
    assert [(each.order, each.outcome) for each in answers(rig)] == [(order.id, "opened")]
    rig.station.orders.tell_later()
    assert len(answers(rig)) == 1
    rig.station.orders.obey(ordered(rig, station="S-0009"))
    assert answers(rig)[-1].why == "order_unknown"


@pytest.mark.parametrize("port", ["99999", "0", "65536", "٣"])
def test_a_slip_in_the_name_of_the_supply_is_said_at_the_start(port: str) -> None:
    with pytest.raises(Trouble, match="names no power supply"):
        Ups(f"shed@127.0.0.1:{port}")
