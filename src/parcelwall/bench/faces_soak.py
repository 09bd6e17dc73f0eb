"""A kiosk's page that is used for hours: what it holds after a thousand screens, against after the first tenth.

The page's own clock is moved with every screen, so that its timers and its beats run on, too; at times its line to the
station is lost. It is loaded once. Two days, with doors and the station's clock moved as well, are
`tests/acceptance/test_soak_kiosk.py`.
"""

from typing import Any

from parcelwall.bench.figure import Figure, Once, Tick, alone, rounded

SCREENS, FEW = 480, 60  # two hours at a quarter of a minute each
STEP_MS = 15_000
ASIDE = ("help", "look", "courier", "send")
HELD = ("JSHeapUsedSize", "Nodes", "JSEventListeners")


async def memory(browser: Any, kiosk: str, is_long: bool, tick: Tick) -> Figure:
    """How much more the page's scripts hold at the end, as a ratio; nodes and listeners beside it."""
    screens = SCREENS if is_long else FEW
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = await context.new_page()
    await page.clock.install()
    talk = await context.new_cdp_session(page)
    await talk.send("Performance.enable")
    await page.goto(kiosk)
    first: dict[str, float] = {}
    for number in range(screens):
        tick(f"face_kiosk_memory: screen {number + 1} of {screens}")
        await _aside(context, page, ASIDE[number % len(ASIDE)], loses_line=number % 40 == 39)
        await page.clock.run_for(STEP_MS)
        if number == screens // 10:
            first = await _held(page, talk)
    last = await _held(page, talk)
    await context.close()
    more = {name: [rounded(first[name]), rounded(last[name])] for name in HELD}
    ratio = last["JSHeapUsedSize"] / first["JSHeapUsedSize"]
    hours = screens * STEP_MS / 3_600_000
    return alone("face_kiosk_memory", "ratio", [Once(ratio)], screens=2 * screens, hours=hours, limit=1.2, **more)


async def _aside(context: Any, page: Any, act: str, loses_line: bool) -> None:
    """One screen, and home again."""
    await _tap(page, act)
    await page.locator("main:not([data-screen='home'])").wait_for()
    if loses_line:
        await context.set_offline(True)
        await page.wait_for_timeout(50)
        await context.set_offline(False)
        await page.wait_for_timeout(1_000)
    await _tap(page, "back")
    await page.locator("main[data-screen='home']").wait_for()


async def _tap(page: Any, act: str) -> None:
    await page.locator(f"form.act:has([name='name'][value='{act}']) button").first.click()


async def _held(page: Any, talk: Any) -> dict[str, float]:
    """What the page holds after full collections."""
    for _ in range(3):
        await talk.send("HeapProfiler.collectGarbage")
        await page.wait_for_timeout(100)
    return {each["name"]: each["value"] for each in (await talk.send("Performance.getMetrics"))["metrics"]}
