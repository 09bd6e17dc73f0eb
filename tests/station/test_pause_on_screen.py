"""A pause after wrong codes is said, counts down, and is over when it is over: for who collects and for couriers."""

import pytest

from parcelwall.rules.access import BARE, Brake
from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk_picture import cue_of, picture
from parcelwall.web.reader import renderer
from parcelwall.web.views import KioskScreen
from station.rig import Rig

PAGE = renderer()


@pytest.fixture
def kiosk(rig: Rig) -> Kiosk:
    return rig.station.kiosk


def drawn(rig: Rig) -> tuple[KioskScreen, str]:
    view = picture(rig.station, PAGE)
    return view, PAGE.fragment(view)


async def test_the_pause_counts_down_and_ends(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-7F3-2917")
    for _ in range(BARE.tries):
        await kiosk.type_code("00000000")
    assert (await kiosk.type_code(rig.code(parcel))).screen == "paused"
    first = drawn(rig)[0].seconds
    rig.now.advance(10)
    view, page = drawn(rig)
    assert (view.seconds, view.seconds_of) == (first - 10, kiosk.showing.wait_s)
    assert f"Codes alone are paused for {first - 10} seconds" in page
    assert 'role="status">Codes alone are paused</p>' in page, "heard once, not each second"
    await kiosk.act("touch", kiosk.showing.number)
    rig.now.advance(first - 10)
    view, page = drawn(rig)
    assert (view.seconds, "The pause is over" in page, "data-pad=" in page) == (0, True, True)
    assert (await kiosk.type_code(rig.code(parcel))).screen == "open"


async def test_more_time_gives_no_longer_pause(rig: Rig, kiosk: Kiosk) -> None:
    parcel = await rig.inside("PW-7F3-2917")
    for _ in range(BARE.tries):
        await kiosk.type_code("00000000")
    rig.now.advance(BARE.first_pause_s)
    await kiosk.type_code("00000000")  # the second pause is longer than the screen waits for somebody
    await kiosk.type_code(rig.code(parcel))
    before = drawn(rig)[0].seconds
    rig.now.advance(31)
    kiosk.tick()
    assert kiosk.showing.screen == "more-time"
    await kiosk.act("more-time", kiosk.showing.number)
    assert (kiosk.showing.screen, drawn(rig)[0].seconds) == ("paused", before - 31)


async def test_a_courier_is_told_of_the_pause_and_can_type_when_it_is_over(rig: Rig, kiosk: Kiosk) -> None:
    for _ in range(BARE.tries):
        await kiosk.sign_in("00000000")
    await kiosk.sign_in(rig.courier_code())
    view, page = drawn(rig)
    assert (kiosk.showing.screen, cue_of(kiosk.showing)) == ("courier-in", "refused")
    assert f"Codes are paused for {view.seconds} seconds" in page
    assert "Sign in with your phone, or wait." in page
    assert view.pad is None and "data-key=" not in page, "no keys that do nothing"
    rig.now.advance(view.seconds)
    page = drawn(rig)[1]
    assert "Courier: type your code of today" in page and "data-key=" in page
    assert (await kiosk.sign_in(rig.courier_code())).screen == "courier-scan"


async def test_the_cap_of_a_day_is_a_pause_until_midnight(rig: Rig, kiosk: Kiosk) -> None:
    rig.memory.set_brake("bare", Brake(day=rig.desk.today, today=BARE.daily_cap))
    await kiosk.sign_in(rig.courier_code())
    view, page = drawn(rig)
    assert view.seconds > 3600 and "Codes are paused for" in page and "hours" in page
