"""The one screen: from the first digit to the shut door; stale taps are refused, and the time tells nothing."""

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.rules.policy import Policy
from parcelwall.station.collecting import plain
from parcelwall.station.kiosk import Kiosk
from parcelwall.station.showing import REFUSED_AFTER_S
from station.rig import Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


def wait(rig: Rig, kiosk: Kiosk, seconds: float) -> str:
    rig.now.advance(seconds)
    kiosk.tick()
    return kiosk.showing.screen


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


async def test_collecting(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    kiosk.home()
    rig.now.advance(60)
    code = rig.code(parcel)
    began = rig.now.mono()
    showing = await kiosk.type_code(f"{code[:4]} {code[4:]}")
    assert (showing.screen, showing.door) == ("open", rig.parcel(parcel).compartment)
    assert rig.now.mono() - began < 2.0, "a right code does not wait"
    assert wait(rig, kiosk, 31) == "still-open"
    await rig.shut(showing.door or 0)
    assert kiosk.showing.screen == "thanks"
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert wait(rig, kiosk, 11) == "home"


async def test_every_no_comes_at_the_same_moment(rig: Rig, kiosk: Kiosk) -> None:
    for number in range(3):
        await rig.inside(f"PW-{number}")
    times = []
    for digits in ("00000000", "1", "", "99999999"):
        began = rig.now.mono()
        assert (await kiosk.type_code(digits)).screen == "wrong"
        times.append(round(rig.now.mono() - began, 6))
    assert set(times) == {REFUSED_AFTER_S}


async def test_paused_and_with_the_number(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-7F3-2917")
    for _ in range(5):
        await kiosk.type_code("00000000")
    showing = await kiosk.type_code(rig.code(parcel))
    assert showing.screen == "paused"
    assert 0 < showing.wait_s <= 31
    assert (await kiosk.type_code("", "2917")).screen == "open", "what was typed is kept for the number"


async def test_the_number_is_read_as_people_type_it(rig: Rig, kiosk: Kiosk) -> None:
    parcel, _ = await rig.inside("PW-7F3-2917"), await rig.inside("PW-2")
    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1)))
    assert (await kiosk.type_code(rig.code(parcel))).screen == "selector"
    assert (await kiosk.type_code("", "F3-2917")).screen == "open"


async def test_digits_of_another_script_are_digits(rig: Rig, kiosk: Kiosk) -> None:
    code = rig.code(await rig.inside("PW-1"))
    for zero in (0x660, 0x6F0):
        assert plain("".join(chr(zero + int(digit)) for digit in code)) == code
    assert plain("12\u00b234") == "1234", "a digit that is raised is none"


async def test_a_courier_brings_and_takes(rig: Rig, kiosk: Kiosk) -> None:
    late = await rig.inside("PW-0")
    rig.hear(facts.Expired(parcel=late))
    rig.promise("PW-1")
    kiosk.home()
    assert (await kiosk.label("PW-1")).screen == "courier-in", "sign in first"
    assert (await kiosk.sign_in("00000000")).refusal == "wrong_code"
    assert (await kiosk.sign_in(rig.courier_code())).screen == "courier-home", "there is something to take out"
    assert (await kiosk.label("NOT-OURS")).refusal == "not_for_this_station"
    showing = await kiosk.label("PW-1")
    assert showing.screen == "open"
    await rig.shut(showing.door or 0)
    assert (kiosk.showing.screen, kiosk.showing.brought) == ("courier-scan", 1)
    assert kiosk.showing.last is not None
    assert kiosk.showing.last.result == "in"
    rig.now.advance(60)
    showing = await kiosk.act("next", kiosk.showing.number)
    await rig.shut(showing.door or 0)
    assert (kiosk.showing.screen, kiosk.showing.taken) == ("courier-scan", 1), "nothing is left to be taken"
    assert rig.parcel(late).stage == Stage.TAKEN_BACK
    assert wait(rig, kiosk, 181) == "more-time"
    assert wait(rig, kiosk, 21) == "courier-bye"
    assert wait(rig, kiosk, 11) == "home"
    assert kiosk.showing.courier is None


async def test_a_stuck_door_says_so_and_the_next_person_is_served(rig: Rig, kiosk: Kiosk) -> None:
    parcel, other = await rig.inside("PW-1"), await rig.inside("PW-2")
    rig.now.advance(60)
    rig.boards.core.jam(rig.parcel(parcel).compartment or 0)
    showing = await kiosk.type_code(rig.code(parcel))
    assert (showing.screen, bool(showing.case)) == ("stuck", True)
    assert wait(rig, kiosk, showing.lasts_s + 1) == "more-time"
    assert wait(rig, kiosk, 21) == "home"
    assert (await kiosk.type_code(rig.code(other))).screen == "open"


async def test_a_tap_on_a_screen_that_is_gone(rig: Rig, kiosk: Kiosk) -> None:
    number = kiosk.showing.number
    await kiosk.type_code("00000000")
    for name, at in (("help", number), ("no such tap", kiosk.showing.number)):
        with pytest.raises(Refusal) as refused:
            await kiosk.act(name, at)
        assert refused.value.reason == "stale_screen"


async def test_no_sender_and_no_courier_hides_an_open_door(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    assert await tap(kiosk, "send") == "send-scan"
    await kiosk.type_code(rig.code(parcel))
    for name in ("send", "courier"):
        assert await tap(kiosk, name) == "open"


async def test_whoever_watches_sees_each_change(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    before = kiosk.showing.number
    await kiosk.type_code(rig.code(parcel))
    seen = await kiosk.changed(before)
    assert seen.number > before
    assert seen.screen == "open"


async def test_a_restart_in_front_of_an_open_door(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-1")
    showing = await kiosk.type_code(rig.code(parcel))
    await rig.restart()
    await rig.shut(showing.door or 0)
    assert rig.parcel(parcel).stage == Stage.COLLECTED
    assert (await rig.station.kiosk.type_code("00000000")).screen == "wrong", "the next person is served"


async def test_free_compartments_are_counted(rig: Rig, kiosk: Kiosk) -> None:
    await rig.inside("PW-1")
    assert dict(kiosk.free_by_size()) == {"S": 3, "M": 2, "L": 2}


@pytest.mark.parametrize("why", ["selector_needed", "codes_paused", "cannot_record", "station_out_of_service"])
async def test_a_refused_code_hides_no_door_that_opened_meanwhile(rig: Rig, kiosk: Kiosk, why: str) -> None:
    """Every refusal is seen a moment after the last digit; an order may have opened a door in that moment."""
    kiosk.home()
    await kiosk.serve(rig.desk.inspect(rig.ids.new(), 3, rig.now.mono() + 15))
    showing = kiosk.collecting._refused_code(Refusal(why), "12345678")
    assert (showing.screen, showing.door) == ("open", 3)
