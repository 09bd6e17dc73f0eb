"""Half a code, a language, "Still there?": played in a browser on a real station, by touching what is on it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from web.gallery import CHROMIUM
from web.live_kiosk import LiveKiosk, live_kiosk

pytest.importorskip("playwright.async_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell"),
    pytest.mark.timeout(120),
]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveKiosk]:
    async with live_kiosk(tmp_path, moves_time=True) as opened:
        async with opened.page.expect_response("**/kiosk-more.js") as more:  # the scripts that come a moment later
            await opened.page.clock.run_for(2_000)
        await (await more.value).finished()
        yield opened


async def typed(live: LiveKiosk) -> int:
    """How many digits stand on the pad."""
    slots = await live.page.locator("[data-slot]").all_text_contents()
    return sum(bool(each) for each in slots)


async def until(live: LiveKiosk, screen: str) -> None:
    while live.kiosk.showing.screen != screen:
        await live.kiosk.changed(live.kiosk.showing.number)
    await live.shows(screen)


async def types_half(live: LiveKiosk, digits: str = "4719") -> None:
    for digit in digits:
        await live.page.click(f"[data-key='{digit}']")
    assert await typed(live) == 4


async def test_half_a_code_survives_the_choice_of_a_language(live: LiveKiosk) -> None:
    code = live.rig.code(await live.rig.inside("PW-1"))
    live.kiosk.home()
    await live.shows("home")
    await types_half(live, code[:4])
    await live.tap("Language and look", "look")
    await live.page.get_by_role("button", name="Deutsch").click()
    await live.page.get_by_role("button", name="Zurück").click()
    await until(live, "home")
    assert await typed(live) == 4
    await live.type(code[4:], "open")


async def test_half_a_code_is_asked_for_and_any_touch_keeps_it(live: LiveKiosk) -> None:
    await types_half(live)
    await live.page.clock.run_for(30_500)
    await until(live, "more-time")
    await live.page.mouse.click(640, 700)  # beside the button
    await until(live, "home")
    assert await typed(live) == 4
    await live.page.clock.run_for(30_500)
    await until(live, "more-time")
    await live.page.keyboard.press("5")  # on a keypad that is felt
    await until(live, "home")
    assert await typed(live) == 4
    await live.page.clock.run_for(30_500)
    await until(live, "more-time")
    await live.page.clock.run_for(20_500)
    live.rig.now.advance(21)
    live.kiosk.tick()
    await until(live, "home")
    assert await typed(live) == 0, "nobody was there"


async def test_a_touch_beside_the_button_presses_nothing_on_the_screen_that_comes_back(live: LiveKiosk) -> None:
    await live.kiosk.sign_in(live.rig.courier_code())
    await until(live, "courier-scan")
    live.rig.now.advance(181)
    live.kiosk.tick()
    await until(live, "more-time")
    await live.page.mouse.click(900, 500)
    await until(live, "courier-scan")
    await live.page.wait_for_timeout(300)
    assert live.kiosk.showing.screen == "courier-scan"


async def test_help_is_no_dead_button_while_a_door_is_open(live: LiveKiosk) -> None:
    parcel = await live.rig.inside("PW-1")
    live.kiosk.home()
    await live.type(live.rig.code(parcel), "open")
    await live.tap("Help", "help")
    await live.page.locator("main", has_text=re.compile(r"Door \d+ is open\.")).wait_for()
    await live.tap("Back", "open")
    await live.rig.shut(live.kiosk.showing.door or 0)
    await live.shows("thanks")
