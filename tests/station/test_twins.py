"""Two parcels with one label: whoever stands there with one says which it is; the station never guesses."""

from datetime import timedelta

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


async def test_a_courier_says_whose_parcel_it_is(rig: Rig, kiosk: Kiosk) -> None:
    soon = rig.promise("10001", carrier="posti", deposit_by=rig.now.now() + timedelta(hours=1))
    other = rig.promise("10001", carrier="matkahuolto", selector="0386")
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    showing = await kiosk.label("10001")
    assert (showing.screen, showing.alike, rig.pulses()) == ("courier-which", (soon, other), 0)
    shown = picture(rig.station, Renderer())
    assert [(each.carrier, each.ending) for each in shown.alike] == [("posti", "0001"), ("matkahuolto", "0386")]
    assert "matkahuolto, the one ending 0386" in Renderer().page(shown)
    showing = await kiosk.act("which", showing.number, str(other))
    assert showing.screen == "open"
    await rig.shut(showing.door or 0)
    assert (rig.parcel(soon).stage, rig.parcel(other).stage) == (Stage.RESERVED, Stage.READY)
    assert (kiosk.showing.screen, kiosk.showing.brought) == ("courier-scan", 1)

    showing = await kiosk.label("10001")
    assert showing.screen == "courier-which", "which of them is in the courier's hands is not known even now"
    with pytest.raises(Refusal, match="stale_screen"):
        await kiosk.act("which", showing.number, str(rig.ids.new()))
    assert (await kiosk.act("which", kiosk.showing.number, str(other))).refusal == "already_deposited"
    showing = await kiosk.act("which", (await kiosk.label("10001")).number, str(soon))
    await rig.shut(showing.door or 0)
    assert rig.parcel(soon).stage == Stage.READY
    rig.clean()


async def test_what_is_promised_under_a_label_keeps_nobody_from_taking_its_twin_out(rig: Rig, kiosk: Kiosk) -> None:
    late = await rig.inside("10001")
    rig.hear(facts.Expired(parcel=late))
    rig.promise("10001", carrier="posti")
    rig.now.advance(60)
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    await kiosk.act("take", kiosk.showing.number)
    showing = await kiosk.label("10001")
    await rig.shut(showing.door or 0)
    assert rig.parcel(late).stage == Stage.TAKEN_BACK


async def test_of_two_that_wait_to_be_taken_the_label_opens_none(rig: Rig, kiosk: Kiosk) -> None:
    first = await rig.inside("10001")
    second = rig.promise("10001")
    rig.now.advance(60)
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    await kiosk.act("which", (await kiosk.label("10001")).number, str(second))
    await rig.shut(kiosk.showing.door or 0)
    rig.hear(facts.Expired(parcel=first), facts.Expired(parcel=second))
    rig.now.advance(60)
    await kiosk.act("take", kiosk.showing.number)
    assert (await kiosk.label("10001")).refusal == "label_twice"


async def test_a_sender_is_not_asked_about_what_couriers_bring(rig: Rig, kiosk: Kiosk) -> None:
    rig.promise("10001", carrier="posti", deposit_by=rig.now.now() + timedelta(hours=1))
    own = rig.promise("10001", carrier="matkahuolto", direction="return")
    kiosk.home()
    assert ((await kiosk.scanned("10001")).screen, kiosk.showing.parcel) == ("send-size", own)
    kiosk.home()
    rig.promise("10001", direction="return")
    assert ((await kiosk.scanned("10001")).screen, kiosk.showing.refusal) == ("send-none", "label_twice")


async def test_what_a_restored_hub_has_promised_anew_is_the_same_parcel(rig: Rig, kiosk: Kiosk) -> None:
    """The hub has forgotten the first promise and the carrier has announced once more: nobody is asked which it is."""
    rig.promise("10001", carrier="posti")
    rig.now.advance(1)
    anew = rig.promise("10001", carrier="posti")
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    showing = await kiosk.label("10001")
    assert showing.screen == "open"
    await rig.shut(showing.door or 0)
    assert rig.parcel(anew).stage == Stage.READY
    opened = rig.pulses()
    assert (await kiosk.label("10001")).refusal == "already_deposited", "and no door for the promise that is left"
    assert rig.pulses() == opened


async def test_a_return_that_was_promised_twice_is_put_in_once(rig: Rig, kiosk: Kiosk) -> None:
    rig.promise("10001", carrier="posti", direction="return")
    rig.now.advance(1)
    anew = rig.promise("10001", carrier="posti", direction="return")
    kiosk.home()
    assert ((await kiosk.scanned("10001")).screen, kiosk.showing.parcel) == ("send-size", anew)
    await kiosk.act("size", kiosk.showing.number, "S")
    await rig.shut(kiosk.showing.door or 0)
    assert rig.parcel(anew).stage == Stage.READY
    kiosk.home()
    assert (await kiosk.scanned("10001")).screen != "send-size"
