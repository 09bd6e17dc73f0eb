"""Nothing was put in after all: that can be said while the door is open, and the label of its parcel brings it back."""

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules.life import Stage
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


def offered(rig: Rig) -> list[str]:
    page = Renderer().page(picture(rig.station, Renderer()))
    return [name for name in ("It does not fit", "I put nothing in", "The compartment is empty") if name in page]


async def a_deposit(rig: Rig, kiosk: Kiosk) -> int:
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    return (await kiosk.label("PW-1")).door or 0


async def test_after_half_a_minute_it_may_still_be_too_large(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("PW-1")
    door = await a_deposit(rig, kiosk)
    rig.now.advance(31)
    kiosk.tick()
    assert (kiosk.showing.screen, offered(rig)) == ("still-open", ["It does not fit"])
    await tap(kiosk, "unfit")
    await rig.shut(door)
    assert (kiosk.showing.screen, rig.parcel(parcel).stage) == ("courier-size", Stage.RESERVED)


async def test_a_door_that_was_left_open_comes_back_with_the_label(rig: Rig, kiosk: Kiosk) -> None:
    """The parcel is in the courier's hands, or it could not be scanned."""
    parcel = rig.promise("PW-1")
    door = await a_deposit(rig, kiosk)
    rig.now.advance(121)
    await rig.look()
    assert (kiosk.showing.screen, rig.cases()) == ("courier-scan", ["door_left_open"])
    showing = await kiosk.label("PW-1")
    assert (showing.screen, showing.door) == ("open", door)
    await rig.look(60)
    assert kiosk.open_visit(), "they have all the time there is"
    await rig.look(70)
    assert (kiosk.open_visit(), rig.cases()) == (None, ["door_left_open"]), "and one case is enough"
    await kiosk.label("PW-1")
    assert await tap(kiosk, "unfit") == "open"
    await rig.shut(door)
    assert (rig.parcel(parcel).stage, rig.told().count("Deposited")) == (Stage.RESERVED, 0)
    rig.clean()


async def test_a_door_that_was_left_open_waits_while_another_is_before_the_screen(rig: Rig, kiosk: Kiosk) -> None:
    rig.promise("PW-1")
    rig.promise("PW-2")
    door = await a_deposit(rig, kiosk)
    rig.now.advance(121)
    await rig.look()
    other = await kiosk.label("PW-2")
    assert ((await kiosk.label("PW-1")).door, kiosk.showing.screen) == (other.door, "open")
    await rig.shut(other.door or 0)
    assert (await kiosk.label("PW-1")).door == door


async def test_a_sender_puts_nothing_in(rig: Rig, kiosk: Kiosk) -> None:
    parcel = rig.promise("PW-1", direction="return")
    kiosk.home()
    await kiosk.scanned("PW-1")
    await tap(kiosk, "size", kiosk.showing.found)
    door = kiosk.showing.door or 0
    await tap(kiosk, "wrong")
    assert offered(rig) == ["I put nothing in"]
    assert await tap(kiosk, "nothing") == "open"
    with pytest.raises(Refusal):
        await kiosk.act("nothing", kiosk.showing.number - 1)
    await rig.shut(door)
    assert (kiosk.showing.screen, rig.parcel(parcel).stage, rig.cases()) == ("home", Stage.RESERVED, [])
    await kiosk.scanned("PW-1")
    await tap(kiosk, "size", kiosk.showing.found)
    door = kiosk.showing.door or 0
    rig.now.advance(121)
    await rig.look()
    assert ((await kiosk.scanned("PW-1")).screen, kiosk.showing.door) == ("open", door), "it may be left open, too"


@pytest.mark.parametrize("what", ["occupied", "empty"])
async def test_what_a_sender_reports_of_an_open_door_is_no_deposit(rig: Rig, kiosk: Kiosk, what: str) -> None:
    parcel = rig.promise("PW-1", direction="return")
    kiosk.home()
    await kiosk.scanned("PW-1")
    await tap(kiosk, "size", kiosk.showing.found)
    await tap(kiosk, "wrong")
    assert await tap(kiosk, "report", what) == "case"
    await rig.shut(kiosk.showing.door or 0)
    assert (rig.parcel(parcel).stage, kiosk.showing.receipt) == (Stage.RESERVED, "")
