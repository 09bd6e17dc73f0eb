"""Faces: what a cold visit of each page costs and how soon it is seen, and how soon the screen knows that a door moved.

A whole demo runs as its own process; everything is done over its HTTP, as people do it. Bytes are those on the wire,
compressed; the first paint is the browser's own `first-contentful-paint` in a fresh profile. Nothing is drawn for the
bench: a page that is not there is skipped by name. A new page is one line in PAGES.
"""

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from parcelwall.bench import faces_soak
from parcelwall.bench.figure import Figure, Once, Tick, alone, rounded, skipped
from parcelwall.bench.ground import Ground
from parcelwall.bench.plan import Plan
from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble

STATION, STARTS_WITHIN_S, WAITS_S = "S-0001", 90.0, 30.0
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
KIOSK, PHONE, DESK = (1280, 800), (390, 844), (1440, 900)
VISITS, DOORS = 7, 12  # cold visits of a page; parcels, each of which is put in and taken out
DOOR_LIMIT_MS = 200
COIL_S = 1.0


NOTE_SCREENS = """new MutationObserver(() => {
  const now = document.querySelector("main")?.dataset.screen;
  if (now !== window.screenNow) { window.screenNow = now; window.shown = Date.now(); }
}).observe(document, { subtree: true, childList: true, attributes: true });"""
"""When the page last showed another screen, by the machine's own clock: nothing waits for whoever asks."""


class Page(NamedTuple):
    """One page and its budget (faces.md 3.5). `path` may name what the demo told: {kiosk}, {track}, {recipient}."""

    name: str
    path: str
    size: tuple[int, int]
    bytes_at_most: int
    requests_at_most: int
    paint_ms: int


PAGES = (
    Page("face_kiosk_home", "{kiosk}", KIOSK, 50_000, 6, 300),
    Page("face_tracking_number", "/?number={reference}", PHONE, 56_000, 6, 230),
    Page("face_tracking_link", "{track}", PHONE, 56_000, 6, 230),
    Page("face_recipient", "{recipient}", PHONE, 57_000, 6, 250),
    Page("face_courier", "/courier", PHONE, 60_000, 6, 250),
    Page("face_console", "/console", DESK, 465_000, 20, 800),
)


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    """A figure for each page, and one for the doors. Raises Trouble if the demo does not start."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        return [skipped(page.name, "bytes", "needs the test extra: playwright and Chromium") for page in PAGES]
    chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if not chromium:
        return [skipped(page.name, "bytes", "needs Chromium") for page in PAGES]
    visits, doors = (VISITS, DOORS) if plan.long_s > 5 else (2, 1)
    tick("faces: starting a demo")
    async with _a_demo(ground.folder / "faces") as demo, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            tick(f"faces: {doors} parcels through the door")
            told, delays = await Street(demo, browser).deliver(doors)
            figures = [await _page(browser, demo, told, page, visits, tick) for page in PAGES]
            figures.append(await faces_soak.memory(browser, demo.kiosks[STATION], plan.long_s > 5, tick))
        finally:
            await browser.close()
    return [*figures, _door_figure(delays)]


def _door_figure(delays_ms: Sequence[float]) -> Figure:
    in_order = sorted(delays_ms)
    p95_ms = in_order[min(len(in_order) - 1, int(0.95 * len(in_order)))]
    about = {"p95_ms": rounded(p95_ms), "worst_ms": rounded(in_order[-1]), "doors": len(in_order)}
    return alone("face_door_to_screen", "ms", [Once(each) for each in delays_ms], limit_ms=DOOR_LIMIT_MS, **about)


# pages ------------------------------------------------------------------------------------------------------------


async def _page(browser: Any, demo: "Demo", told: dict[str, str], page: Page, visits: int, tick: Tick) -> Figure:
    path = page.path.format(**told)
    address = path if path.startswith("http") else demo.url + path
    seen = []
    for number in range(visits):
        tick(f"{page.name}: cold visit {number + 1} of {visits}")
        once = await _cold(browser, address, page.size)
        if once is None:
            return skipped(page.name, "bytes", f"there is no page at {page.path}")
        seen.append(once)
    paint = rounded(median(each.more["first_paint_ms"] for each in seen))
    held = all(each.value <= page.bytes_at_most and each.more["requests"] <= page.requests_at_most for each in seen)
    return alone(
        page.name, "bytes", seen, bytes_at_most=page.bytes_at_most, requests_at_most=page.requests_at_most, held=held,
        first_paint_ms=paint, paint_budget_ms=page.paint_ms, paint_held=paint <= 1.5 * page.paint_ms,
    )  # fmt: skip


async def _cold(browser: Any, address: str, size: tuple[int, int]) -> Once | None:
    """Bytes, requests and first paint of one visit with an empty cache; None when the page is not there."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page = await context.new_page()
    talk = await context.new_cdp_session(page)
    got: dict[str, int] = {}
    talk.on("Network.loadingFinished", lambda done: got.update({done["requestId"]: done["encodedDataLength"]}))
    await talk.send("Network.enable")
    answer = await page.goto(address, wait_until="load")
    if answer is None or answer.status != 200:
        await context.close()
        return None
    await page.wait_for_timeout(700)
    paint = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"
    )
    await context.close()
    return Once(sum(got.values()), {}, {"requests": len(got), "first_paint_ms": paint})


# the demo, and parcels through its doors --------------------------------------------------------------------------


class Demo(NamedTuple):
    """A running demo: its hub's address, its kiosks', a carrier's key."""

    url: str
    kiosks: dict[str, str]
    key: str


@asynccontextmanager
async def _a_demo(folder: Path) -> AsyncIterator[Demo]:
    command = [sys.executable, "-m", "parcelwall", "demo", "--no-people", "--port", "0", "--data", str(folder)]
    wide = {**os.environ, "COLUMNS": "200"}
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=wide
    )
    try:
        yield await asyncio.wait_for(_welcomed(running), STARTS_WITHIN_S)
    except TimeoutError:
        raise Trouble(f"the demo does not start within {STARTS_WITHIN_S:.0f} s") from None
    finally:
        with suppress(ProcessLookupError):
            running.send_signal(signal.SIGINT)
        await running.wait()


async def _welcomed(running: asyncio.subprocess.Process) -> Demo:
    """What the demo prints when it runs. Raises Trouble if it ends before that."""
    assert running.stdout is not None
    url, kiosks = "", {}
    async for line in running.stdout:
        text = line.decode().strip()
        if found := re.search(r"(http://\S+)/start", text):
            url = found[1]
        if found := re.match(r"Kiosk (\S+)\s+(http://\S+)", text):
            kiosks[found[1]] = found[2]
        if found := re.match(r"API key\s+(\S+)", text):
            return Demo(url, kiosks, found[1])
    raise Trouble("the demo ended before it ran: try `parcelwall demo --no-people` by itself")


class Street:
    """A shop, a courier and a recipient at one station of the demo."""

    def __init__(self, demo: Demo, browser: Any) -> None:
        self._demo, self._browser, self._clock = demo, browser, SystemClock()
        self._number = 0

    async def deliver(self, parcels: int) -> tuple[dict[str, str], list[float]]:
        """Parcels that are put in and taken out; the last one stays inside. What the pages need, and milliseconds from
        the push at each door to the screen that says so."""
        context = await self._browser.new_context(viewport={"width": KIOSK[0], "height": KIOSK[1]})
        self._kiosk, self._web = await context.new_page(), context.request
        await self._kiosk.add_init_script(NOTE_SCREENS)
        await self._kiosk.goto(self._demo.kiosks[STATION])
        told = [await self._announce() for _ in range(parcels)]
        delays = await self._round([each["reference"] for each in told])
        links = [await self._mail(each) for each in told]
        delays += [await self._collect(link) for link in links[:-1]]
        if parcels > 1:
            await self._shows("home")  # what is measured next is the page that waits for somebody
        await context.close()
        return {**told[-1], "kiosk": self._demo.kiosks[STATION], "recipient": links[-1]}, delays

    async def _announce(self) -> dict[str, str]:
        self._number += 1
        to = f"bench{self._number}@example.org"
        body = {
            "reference": f"PW-BENCH-{1000 + self._number}", "length_mm": 250, "width_mm": 180, "height_mm": 40,
            "weight_g": 600, "destination": {"station_id": STATION},
            "recipient": {"name": "Bench", "email": to, "language": "en"},
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self._demo.key}", "Idempotency-Key": f"bench-{self._number}"}
        answer = await self._web.post(f"{self._demo.url}/api/v1/parcels", data=body, headers=headers)
        shown = await answer.json()
        return {"reference": shown["reference"], "track": shown["track"], "to": to}

    async def _round(self, labels: Sequence[str]) -> list[float]:
        """A courier signs in, brings one parcel after the other, and goes."""
        await self._kiosk.click("text=Courier")
        await self._shows("courier-in")
        await self._type(await self._told_on_start(r"code[^<]*(?:Kluuvi|S-0001)[^<]*</dt><dd[^>]*>(\d{8})"))
        await self._shows("courier-scan", "courier-home")
        delays = [await self._bring(label) for label in labels]
        await self._kiosk.click("text=Finish")
        await self._shows("courier-bye")
        await self._kiosk.click("text=Finish")
        await self._shows("home")
        return delays

    async def _bring(self, label: str) -> float:
        """Holds the label to the reader, and pushes the door shut."""
        for _ in range(int(WAITS_S)):  # until the station has heard of it
            await self._post(f"/pretend/{STATION}/scan", {"label": label})
            if await self._screen() == "open":
                break
            await asyncio.sleep(1.0)
        return await self._push("courier-scan", "courier-out")

    async def _collect(self, recipient: str) -> float:
        """By the code at the reader, which ends the thanks to whoever was there before."""
        page = await (await self._web.get(recipient)).text()
        await self._post(f"/pretend/{STATION}/scan", {"label": "".join(re.findall(r">\s*(\d{4})\s*<", page)[:2])})
        return await self._push("thanks")

    async def _push(self, *then: str) -> float:
        """The door that is open is pushed shut; milliseconds until the screen shows one of `then`."""
        await self._shows("open")
        door = (await self._kiosk.locator(".knumber").text_content()).strip()
        await asyncio.sleep(COIL_S)  # a latch does not catch while its coil is driven
        began = self._clock.now().timestamp() * 1000
        await self._post(f"/pretend/{STATION}/door", {"door": door, "do": "push"})
        await self._shows(*then)
        shown = await self._kiosk.evaluate("window.shown")
        return float(shown) - began

    async def _mail(self, told: dict[str, str]) -> str:
        """The link of the recipient's page, from the mail that tells of the parcel."""
        for _ in range(int(WAITS_S * 2)):
            listed = await (await self._web.get(f"{self._demo.url}/mails")).text()
            for number in re.findall(r"/mails/(\d+)", listed):
                mail = await (await self._web.get(f"{self._demo.url}/mails/{number}")).text()
                link = re.search(r"http://\S+?/p/[\w-]+", mail)
                if told["to"] in mail and link:
                    return link[0]
            await asyncio.sleep(0.5)
        raise Trouble(f"no mail about {told['reference']} came within {WAITS_S:.0f} s")

    async def _told_on_start(self, pattern: str) -> str:
        """Something to try that the demo's first page names. Raises Trouble if it does not."""
        found = re.search(pattern, await (await self._web.get(f"{self._demo.url}/start")).text())
        if found is None:
            raise Trouble("the demo's first page names no courier's code of today")
        return found[1]

    async def _type(self, digits: str) -> None:
        for digit in digits:
            await self._kiosk.locator(f"[data-key='{digit}']").dispatch_event("pointerdown")

    async def _post(self, path: str, form: dict[str, str]) -> None:
        # A server closes a line that was idle just as it is used again: that is no fault of what is measured. Nor is
        # the page that the demo would draw as an answer, in the same process as hub and station.
        await self._web.post(self._demo.url + path, form=form, max_retries=2, max_redirects=0)

    async def _screen(self) -> str:
        return str(await self._kiosk.locator("main").get_attribute("data-screen"))

    async def _shows(self, *screens: str) -> None:
        wanted = ", ".join(f"main[data-screen='{screen}']" for screen in screens)
        await self._kiosk.wait_for_selector(wanted, timeout=WAITS_S * 1000)
