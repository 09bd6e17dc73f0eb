"""Taps of the kiosk's flows, counted by the page itself: docs/faces.md says the same numbers."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parcelwall.notices.language import words
from parcelwall.rules import access, facts
from parcelwall.rules.policy import Policy
from station.rig import NAME
from web.gallery import CHROMIUM
from web.live_kiosk import LiveKiosk, live_kiosk

pytest.importorskip("playwright.async_api")
pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell"),
    pytest.mark.timeout(120),
]
PAGE = Path(__file__).parents[2] / "docs" / "faces.md"


def told(flow: str) -> int:
    """The taps that docs/faces.md names for a flow."""
    found = re.search(rf"^\| {re.escape(flow)} \| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"docs/faces.md says nothing of {flow!r}"
    return int(found[1])


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveKiosk]:
    async with live_kiosk(tmp_path) as opened:
        yield opened


async def shut(live: LiveKiosk, then: str) -> None:
    await live.rig.shut(live.kiosk.showing.door or 0)
    await live.shows(then)


async def test_recipients_touch_what_they_must_and_nothing_more(live: LiveKiosk) -> None:
    """By QR not at all; by code its eight digits; no confirming, before or after the door."""
    rig = live.rig
    by_qr, by_code, by_number = [await rig.inside(f"PW-7F3-291{at}") for at in range(3)]
    live.kiosk.home()
    await live.kiosk.scanned(rig.token(by_qr))
    await live.shows("open")
    await shut(live, "thanks")
    assert await live.taps() == told("recipient, QR") == 0

    live.kiosk.home()
    await live.shows("home")
    await live.type(rig.code(by_code), "open")
    await shut(live, "thanks")
    assert await live.taps() == told("recipient, code") == 8

    rig.hear(facts.PolicyAdopted(policy=Policy(bare_code_parcels=0)))
    live.kiosk.home()
    await live.shows("home")
    await live.type(rig.code(by_number), "selector")
    await live.type("2912", "open")
    assert await live.taps() == told("recipient, code and last 4") == 12
    await shut(live, "thanks")


async def test_couriers_and_senders_touch_what_they_must(live: LiveKiosk) -> None:
    rig, kiosk = live.rig, live.kiosk
    for reference in ("PW-1", "PW-2"):
        rig.promise(reference)
    sent = rig.promise("RETURN-1", direction="return")
    await kiosk.sign_in(rig.courier_code())
    await kiosk.scanned("PW-1")
    await live.shows("open")
    await shut(live, "courier-scan")
    assert await live.taps() == told("courier, planned parcel") == 0

    await kiosk.scanned("PW-2")
    await live.shows("open")
    await live.page.get_by_role("button", name="It does not fit").click()
    await live.page.wait_for_selector("text=Take it out again")
    await shut(live, "courier-size")
    await live.page.locator(".ksize-lit").click()
    await live._until(kiosk.showing.number - 1, "open")
    assert await live.taps() == told("courier, a door that is too small") == 2
    await shut(live, "courier-scan")

    kiosk.home()
    await live.shows("home")
    assert rig.parcel(sent).reservation is not None
    code = access.send_code(rig._keys["pickup-code"], NAME, rig.parcel(sent).reservation, 0)  # type: ignore[arg-type]
    await kiosk.scanned("RETURN-1")
    await live.shows("send-size")
    assert await live.taps() == 0
    kiosk.home()
    await live.shows("home")
    await live.type(code, "send-size")
    await live.page.locator(".ksize-lit").click()
    await live._until(kiosk.showing.number - 1, "open")
    assert await live.taps() == told("sender, send code") == 9
    await shut(live, "send-done")


async def test_a_language_is_changed_in_the_middle_and_the_door_stays(live: LiveKiosk) -> None:
    parcel = await live.rig.inside("PW-1")
    live.kiosk.home()
    await live.kiosk.scanned(live.rig.token(parcel))
    await live.shows("open")
    live.kiosk.set_look("lang", "ar")
    await live.page.wait_for_selector(".kiosk[dir='rtl'] main[data-screen='open']")
    assert str(live.kiosk.showing.door) in await live.page.inner_text("main")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de", "pl", "pt", "ar"])
async def test_a_whole_collection_in_every_language(live: LiveKiosk, language: str) -> None:
    """Chosen by its own name on the screen; then a wrong code, the right one, the door, and thanks, all in it."""
    known, page = words(language), live.page
    parcel = await live.rig.inside("PW-1")
    live.kiosk.home()
    await live.shows("home")
    await page.locator("form.act:has([name='name'][value='look']) button").click()
    await page.locator(f"main[data-screen='look'] button[lang='{language}']").click()
    await page.locator(f".kiosk[lang='{language}'] main[data-screen='look']").wait_for()
    await page.locator("form.act:has([name='name'][value='back']) button").click()
    await page.locator("main[data-screen='home']").wait_for()
    assert await page.inner_text("h1") == known.gettext("Type your code")
    await live.type("00000000", "wrong")
    assert await page.inner_text("h1") == known.gettext("That code opens no door here")
    await live.type(live.rig.code(parcel), "open")
    assert known.gettext("Push the door shut") in await page.inner_text("main")
    await shut(live, "thanks")
    assert known.gettext("Forgot something?") in await page.inner_text("main")
    assert (await page.locator(".kiosk").get_attribute("dir")) == ("rtl" if language == "ar" else "ltr")


VOICE = """(() => {
  window.spoken = [];
  const voices = ["en", "ar"].map((lang) => ({ lang, name: lang }));
  Object.defineProperty(window, "speechSynthesis", { value: Object.assign(new EventTarget(), {
    speaking: false, getVoices: () => voices, cancel() { this.speaking = false; },
    speak(said) { this.speaking = true; window.spoken.push([said.lang, said.text]); },
  }) });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
})();"""


async def test_the_screen_is_read_aloud_from_the_first_touch_of_the_marked_key(live: LiveKiosk) -> None:
    """A pretend voice that keeps what it was told to say. The marked key starts it: no button on the glass does."""
    page, rig = live.page, live.rig
    parcel = await rig.inside("PW-1")
    live.kiosk.home()
    await page.add_init_script(VOICE)
    await page.reload()
    await page.wait_for_function("() => Boolean(document.getElementById('live')?._htmx?.sse)")
    await page.keyboard.press("*")
    await page.wait_for_function("() => document.querySelector('.kiosk').dataset.speech === '1' || window.spoken")
    await page.wait_for_timeout(300)
    await page.keyboard.press("*")
    await page.wait_for_function("() => window.spoken.length > 0")
    await live.kiosk.type_code("00000000")
    await live.shows("wrong")
    await page.wait_for_function("() => window.spoken.some(([, text]) => text.includes('opens no door here'))")
    await live.kiosk.scanned(rig.token(parcel))
    await live.shows("open")
    await page.wait_for_function("() => window.spoken.some(([, text]) => text.includes('Take your parcel'))")
    live.kiosk.set_look("lang", "ar")
    await page.wait_for_function("() => window.spoken.at(-1)[0] === 'ar'")
    said = await page.evaluate("window.spoken.map(([, text]) => text).join(' ')")
    assert rig.code(parcel) not in said
