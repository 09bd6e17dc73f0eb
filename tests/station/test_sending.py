"""Somebody who is no courier puts a return in, and a courier takes it along: one life for both."""

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import access, facts
from parcelwall.rules.life import Stage
from parcelwall.station import chosen
from parcelwall.station.kiosk import Kiosk
from station.rig import NAME, Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


def send_code(rig: Rig, parcel: object) -> str:
    known = rig.parcel(parcel)  # type: ignore[arg-type]
    assert known.reservation is not None
    return access.send_code(rig._keys["pickup-code"], NAME, known.reservation, known.generation)


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


@pytest.mark.parametrize("online", [True, False])
async def test_from_the_code_to_the_courier(rig: Rig, kiosk: Kiosk, online: bool) -> None:
    """The code, one tap for the size, and the door's sensor; later the courier's label takes it out."""
    parcel = rig.promise("PW-7F3-2917", direction="return")
    rig.desk.online = online
    showing = await kiosk.type_code(send_code(rig, parcel))
    assert (showing.screen, showing.found, showing.ending) == ("send-size", "S", "2917")
    assert await tap(kiosk, "size", "S") == "open"
    assert kiosk.showing.sends
    await rig.shut(kiosk.showing.door or 0)
    assert (kiosk.showing.screen, kiosk.showing.receipt) == ("send-done", f"{NAME}-{rig.wrote()}")
    assert rig.parcel(parcel).stage == Stage.READY
    deposited = [entry for entry in rig.memory.journal.since(NAME, 0) if entry.kind == "Deposited"][-1]
    assert '"by":"sender"' in deposited.body

    kiosk.home()
    assert (await kiosk.sign_in(rig.courier_code())).screen == "courier-home"
    assert await tap(kiosk, "take") == "courier-out"
    assert await tap(kiosk, "next") == "open"
    await rig.shut(kiosk.showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    collected = [entry for entry in rig.memory.journal.since(NAME, 0) if entry.kind == "Collected"][-1]
    assert '"by":"courier"' in collected.body
    rig.clean()


async def test_its_label_is_enough_and_a_couriers_label_is_not(rig: Rig, kiosk: Kiosk) -> None:
    rig.promise("RETURN-1", direction="return")
    rig.promise("PW-1")
    assert (await kiosk.scanned("PW-1")).screen == "courier-in", "a delivery is brought by a courier"
    kiosk.home()
    assert (await kiosk.scanned("RETURN-1")).screen == "send-size"


async def test_what_was_sent_is_not_collected_by_any_code(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("RETURN-1", direction="return")
    code = send_code(rig, parcel)
    await kiosk.type_code(code)
    await tap(kiosk, "size", "S")
    await rig.shut(kiosk.showing.door or 0)
    kiosk.home()
    pulses = rig.pulses()
    assert (await kiosk.type_code(code)).screen == "wrong", "the code of a parcel that is in is spent"
    assert (await kiosk.type_code(rig.code(parcel))).screen == "wrong"
    assert (await kiosk.scanned(rig.token(parcel))).screen == "wrong"
    assert rig.pulses() == pulses


async def test_a_pause_of_codes_holds_for_send_codes_too(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("RETURN-1", direction="return")
    for _ in range(5):
        await kiosk.type_code("00000000")
    assert (await kiosk.type_code(send_code(rig, parcel))).screen == "paused"
    assert (await kiosk.scanned("RETURN-1")).screen == "send-size", "the label is no guess"


async def test_a_door_that_is_too_small_is_shut_empty_and_a_larger_one_is_proposed(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("RETURN-1", direction="return")
    await kiosk.scanned("RETURN-1")
    await tap(kiosk, "size", "S")
    small = kiosk.showing.door
    assert await tap(kiosk, "unfit") == "open"
    await rig.shut(small or 0)
    assert (kiosk.showing.screen, kiosk.showing.found) == ("send-size", "M")
    assert rig.parcel(parcel).stage == Stage.RESERVED, "nothing was put in"
    assert "Deposited" not in rig.told()
    assert await tap(kiosk, "size", "M") == "open"
    await rig.shut(kiosk.showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.READY
    assert rig.layout.compartment(rig.parcel(parcel).compartment or 0).size == "M"
    rig.clean()


async def test_a_courier_is_proposed_a_larger_size_too(rig: Rig, kiosk: Kiosk) -> None:
    rig.promise("PW-1")
    await kiosk.sign_in(rig.courier_code())
    await kiosk.label("PW-1")
    await tap(kiosk, "unfit")
    await rig.shut(kiosk.showing.door or 0)
    assert (kiosk.showing.screen, kiosk.showing.found) == ("courier-size", "M")
    assert await tap(kiosk, "size", "L") == "open"
    await rig.shut(kiosk.showing.door or 0)
    assert (kiosk.showing.screen, kiosk.showing.brought) == ("courier-scan", 1)
    rig.clean()


async def test_nobody_chooses_room_that_is_promised_to_others(rig: Rig, kiosk: Kiosk) -> None:
    """Both L doors are promised to large parcels: a sender gets none of them."""
    for number in range(2):
        rig.promise(f"LARGE-{number}", size="L", length_mm=600, width_mm=350, height_mm=390)
    parcel = rig.promise("RETURN-1", direction="return")
    with pytest.raises(Refusal) as no:
        chosen.deposit(rig.desk, parcel, "L", None)
    assert no.value.reason == "no_fitting_compartment"
    await kiosk.scanned("RETURN-1")
    assert await tap(kiosk, "size", "L") == "send-none"


async def test_a_delivery_is_never_put_in_without_a_courier(rig: Rig) -> None:
    parcel = rig.promise("PW-1")
    with pytest.raises(Refusal) as no:
        chosen.deposit(rig.desk, parcel, "S", None)
    assert no.value.reason == "not_for_this_station"


async def test_a_power_cut_before_the_door_is_shut_again(rig: Rig, kiosk: Kiosk) -> None:
    """That it was too small stands on the disk."""
    parcel = rig.promise("RETURN-1", direction="return")
    await kiosk.scanned("RETURN-1")
    await tap(kiosk, "size", "S")
    door = kiosk.showing.door or 0
    await tap(kiosk, "unfit")
    await rig.restart()
    await rig.shut(door)
    assert rig.parcel(parcel).stage == Stage.RESERVED
    rig.clean()


async def test_a_return_that_is_late_is_still_the_couriers(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("RETURN-1", direction="return")
    await kiosk.scanned("RETURN-1")
    await tap(kiosk, "size", "S")
    await rig.shut(kiosk.showing.door or 0)
    rig.hear(facts.Expired(parcel=parcel))
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    await tap(kiosk, "take")
    await tap(kiosk, "next")
    await rig.shut(kiosk.showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    rig.clean()
