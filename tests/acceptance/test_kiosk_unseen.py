"""The kiosk without sight: what can be chosen is said with a number, and a keypad that is felt reaches all of it.

A pretend voice keeps what it was told to say; the picture is never looked at.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acceptance.test_kiosk_flows import VOICE
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from web.gallery import CHROMIUM
from web.live_kiosk import LiveKiosk, live_kiosk

pytest.importorskip("playwright.async_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell"),
    pytest.mark.timeout(120),
]
SETTLES_MS = 800  # what is pressed as the screen changes was meant for the one before


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveKiosk]:
    async with live_kiosk(tmp_path) as opened:
        await opened.page.add_init_script(VOICE)
        async with opened.page.expect_response("**/kiosk-more.js") as more:
            await opened.page.reload()
        await (await more.value).finished()
        opened.kiosk.set_look("speech", "1")
        yield opened


async def hears(live: LiveKiosk, words: str) -> str:
    """Waits until the last that was said has these words in it."""
    await live.page.wait_for_function("(words) => window.spoken.at(-1)?.[1].includes(words)", arg=words)
    return str(await live.page.evaluate("window.spoken.at(-1)[1]"))


async def presses(live: LiveKiosk, keys: str, screen: str) -> None:
    await live.page.wait_for_timeout(SETTLES_MS)
    for key in keys:
        await live.page.keyboard.press(key)
    while live.kiosk.showing.screen != screen:
        await live.kiosk.changed(live.kiosk.showing.number)
    await live.shows(screen)


def number_of(choice: str, heard: str) -> str:
    """The digit that was said before a choice."""
    return heard.partition(f": {choice}.")[0][-1]


async def test_a_parcel_is_collected_and_a_wrong_one_reported_by_ear_and_touch(live: LiveKiosk) -> None:
    parcel = await live.rig.inside("PW-1")
    live.kiosk.home()
    live.kiosk.set_look("speech", "1")
    await hears(live, "Star, then 1: Help.")
    code = live.rig.code(parcel)
    for key in code[:5]:
        await live.page.keyboard.press(key)
    await hears(live, "5 of 8 digits")
    await live.page.keyboard.press("Backspace")
    await hears(live, "4 of 8 digits")
    await presses(live, code[4:], "open")
    heard = await hears(live, "Take your parcel")
    await presses(live, number_of("Something is wrong", heard), "report")
    heard = await hears(live, "What is wrong?")
    assert "1: The compartment is empty. 2: It is not my parcel. 3: It is damaged." in heard
    await presses(live, "2", "case")
    assert live.rig.cases() == ["reported_wrong_parcel"]
    everything = await live.page.evaluate("window.spoken.map(([, text]) => text).join(' ')")
    assert code not in everything and code[:4] not in everything


async def test_where_digits_are_a_code_the_marked_key_goes_before_a_choice(live: LiveKiosk) -> None:
    live.kiosk.home()
    live.kiosk.set_look("speech", "1")
    heard = await hears(live, "Star, then 1: Help.")
    await presses(live, "*" + number_of("Language and look", heard), "look")
    heard = await hears(live, "1: English.")
    assert "0: More choices." in heard, "there are more than nine"
    await live.page.wait_for_timeout(SETTLES_MS)
    await live.page.keyboard.press("0")
    heard = await hears(live, "Back.")
    await presses(live, number_of("Back", heard), "home")
    slots = await live.page.locator("[data-slot]").all_text_contents()
    assert set(slots) == {""}, "and none of it was typed"


async def test_sizes_are_chosen_by_ear(live: LiveKiosk) -> None:
    live.rig.promise("RETURN-1", direction="return")
    await live.kiosk.scanned("RETURN-1")
    heard = await hears(live, "Which door fits?")
    assert "1: S" in heard and "cm" in heard
    await presses(live, "1", "open")


async def test_without_the_voice_a_digit_chooses_nothing(live: LiveKiosk) -> None:
    parcel, _ = await live.rig.inside("PW-7F3-2917"), await live.rig.inside("PW-2")
    live.rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=1)))
    live.kiosk.home()
    await live.shows("home")
    await live.type(live.rig.code(parcel), "selector")
    await live.type("2917", "open")
    await live.page.wait_for_timeout(SETTLES_MS)
    await live.page.keyboard.press("1")
    await live.page.wait_for_timeout(300)
    assert live.kiosk.showing.screen == "open"
