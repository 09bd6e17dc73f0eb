"""A kiosk's page in a real browser, on a real station on pretend boards that lives on a virtual clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from parcelwall.station.kiosk import Kiosk
from parcelwall.web.kiosk import Gate, kiosk_app
from parcelwall.web.reader import renderer
from parcelwall.web.serving import listen, serving
from station.rig import Rig
from web.gallery import CHROMIUM

COUNT_TAPS = "window.taps = 0; addEventListener('pointerdown', () => { window.taps += 1; }, true);"


class LiveKiosk:
    """`page` shows what `rig.station.kiosk` shows. Taps are counted by the page itself."""

    def __init__(self, rig: Rig, page: Any) -> None:
        self.rig, self.page = rig, page

    @property
    def kiosk(self) -> Kiosk:
        return self.rig.station.kiosk

    async def shows(self, screen: str) -> None:
        """Waits until the page shows this screen as it is now."""
        now = self.kiosk.showing
        assert now.screen == screen, f"the station shows {now.screen}"
        # a locator, not a selector: that would hand out the node, and the page could never forget it
        await self.page.locator(f".kiosk[data-screen='{now.number}'] main[data-screen='{screen}']").wait_for()

    async def type(self, digits: str, screen: str) -> None:
        """Touches the keys, and waits for the station to show `screen`."""
        before = self.kiosk.showing.number
        for digit in digits:
            await self.page.click(f"[data-key='{digit}']")
        await self._until(before, screen)

    async def tap(self, words: str, screen: str) -> None:
        before = self.kiosk.showing.number
        await self.page.get_by_role("button", name=words).first.click()
        await self._until(before, screen)

    async def _until(self, before: int, screen: str) -> None:
        while (await self.kiosk.changed(before)).screen != screen:
            before = self.kiosk.showing.number
        await self.shows(screen)

    async def taps(self) -> int:
        """Touches since this was asked last."""
        counted = await self.page.evaluate("() => { const all = window.taps; window.taps = 0; return all; }")
        return int(counted)


@asynccontextmanager
async def live_kiosk(folder: Path, moves_time: bool = False, **of_rig: Any) -> AsyncIterator[LiveKiosk]:
    """`moves_time`: the page's own clock can be moved, and runs by itself meanwhile."""
    from playwright.async_api import async_playwright

    rig = await Rig(folder, **of_rig).start()
    bound = listen("127.0.0.1", 0)
    gate = Gate(rig.ids, f"127.0.0.1:{bound.getsockname()[1]}", open_to_all=True, on_pass=lambda _: None)
    async with serving(kiosk_app(rig.station, renderer(), gate), bound), async_playwright() as playwright:
        browser = await playwright.chromium.launch(**CHROMIUM)
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page = await context.new_page()
        await page.add_init_script(COUNT_TAPS)
        if moves_time:
            await page.clock.install()
        rig.desk.online = True
        rig.station.kiosk.home()
        await page.goto(f"http://{gate.host}/begin")
        live = LiveKiosk(rig, page)
        await page.wait_for_function("() => Boolean(document.getElementById('live')?._htmx?.sse)")
        await live.shows("home")
        yield live
        await browser.close()
    await rig.stop()
