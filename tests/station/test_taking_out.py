"""What a courier takes out door by door: one that does not open is in nobody's way, and the door named is the one."""

from uuid import UUID

import pytest

from parcelwall.errors import Refusal
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.render import Renderer
from station.rig import NAME, Rig


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


async def tap(kiosk: Kiosk, name: str, value: str = "") -> str:
    return (await kiosk.act(name, kiosk.showing.number, value)).screen


def named(rig: Rig) -> int | None:
    return picture(rig.station, Renderer()).door


async def two_inside(rig: Rig) -> list[tuple[int, UUID]]:
    """By door, the lower first."""
    both = [await rig.inside("PW-1"), await rig.inside("PW-2")]
    rig.now.advance(700)
    return sorted((rig.parcel(each).compartment or 0, each) for each in both)


async def at_the_cart(rig: Rig, kiosk: Kiosk) -> None:
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    await tap(kiosk, "take")


async def test_a_door_that_does_not_open_is_in_nobodys_way(rig: Rig, kiosk: Kiosk) -> None:
    (jammed, first), (door, second) = await two_inside(rig)
    rig.hear(facts.Expired(parcel=first), facts.Expired(parcel=second))
    rig.boards.core.jam(jammed)
    await at_the_cart(rig, kiosk)
    assert named(rig) == jammed
    assert (await tap(kiosk, "next", str(jammed)), kiosk.showing.door) == ("stuck", jammed)
    await at_the_cart(rig, kiosk)
    assert named(rig) == door
    assert (await tap(kiosk, "next", str(door)), kiosk.showing.door) == ("open", door)
    await rig.shut(door)
    assert (rig.parcel(second).stage, kiosk.showing.screen, named(rig)) == (Stage.TAKEN_BACK, "courier-out", None)
    assert "wait for somebody who looks after them" in Renderer().page(picture(rig.station, Renderer()))
    pulses = rig.pulses()
    assert (await tap(kiosk, "next"), rig.pulses(), len(rig.cases())) == ("courier-out", pulses, 1)
    for case in list(rig.memory.book.cases):
        rig.hear(facts.CaseClosed(case=case, station=NAME))
    assert named(rig) == jammed, "somebody has looked"


async def test_the_door_that_the_screen_names_is_the_one_that_opens(rig: Rig, kiosk: Kiosk) -> None:
    """Meanwhile the holding time of a parcel behind a lower door is over."""
    (low, first), (high, second) = await two_inside(rig)
    rig.hear(facts.Expired(parcel=second))
    await at_the_cart(rig, kiosk)
    page = Renderer().page(picture(rig.station, Renderer()))
    assert f'name="value" value="{high}"' in page
    rig.hear(facts.Expired(parcel=first))
    number, pulses = kiosk.showing.number, rig.pulses()
    assert (await tap(kiosk, "next", str(high)), rig.pulses()) == ("courier-out", pulses), "it would have been another"
    assert (kiosk.showing.number > number, named(rig)) == (True, low)
    assert (await tap(kiosk, "next", str(low)), kiosk.showing.door) == ("open", low)


async def test_an_empty_door_is_said_by_one_touch(rig: Rig, kiosk: Kiosk) -> None:
    (low, first), (high, second) = await two_inside(rig)
    rig.hear(facts.Expired(parcel=first), facts.Expired(parcel=second))
    await at_the_cart(rig, kiosk)
    assert "was empty" not in Renderer().page(picture(rig.station, Renderer()))
    await tap(kiosk, "next", str(low))
    await rig.shut(low)
    assert f"Door {low} was empty" in Renderer().page(picture(rig.station, Renderer()))
    with pytest.raises(Refusal):
        await tap(kiosk, "not-there", str(high))
    assert await tap(kiosk, "not-there", str(low)) == "case"
    [case] = rig.memory.book.cases.values()
    assert (case.about, case.parcel, case.compartment) == ("reported_not_there", first, low)
    assert await tap(kiosk, "back") == "courier-scan"
