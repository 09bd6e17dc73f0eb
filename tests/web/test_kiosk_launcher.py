"""The screen comes back: a station's process that was started anew, a page that is silent, a browser that ends."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble
from parcelwall.station.launcher import Launcher, pulse
from parcelwall.web.kiosk import Gate, PassFile, kiosk_app
from parcelwall.web.reader import renderer
from parcelwall.web.serving import listen, serving
from station.rig import Rig
from web.gallery import CHROMIUM

PRETEND_BROWSER = """
import itertools, os, sys, time, urllib.request
still, url = sys.argv[1:]
origin = url.split("/begin")[0]
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
painted = 0
for turn in itertools.count():
    painted += not os.path.exists(still)
    try:
        opener.open(url) if turn == 0 else opener.open(
            urllib.request.Request(origin + "/beat", b"frames=%d" % painted, {"Origin": origin}))
    except OSError:
        pass
    time.sleep(0.05)
"""
"""Comes in with its pass and says that it is alive; while the file `still` is there, its picture stands still."""


async def until(true: Callable[[], bool], most_s: float = 20.0) -> None:
    async with asyncio.timeout(most_s):
        while not true():
            await asyncio.sleep(0.05)


def socket_at(port: int) -> socket.socket:
    return listen("127.0.0.1", port)


@asynccontextmanager
async def screen_of(rig: Rig, folder: Path, seed: int, port: int = 0) -> AsyncIterator[int]:
    """The station's page, as one start of its process serves it."""
    bound = socket_at(port)
    port = bound.getsockname()[1]
    file = PassFile(folder / "kiosk.url")
    rig.station.boot = f"boot-{seed}"
    gate = Gate(rig.ids, f"127.0.0.1:{port}", on_pass=file.write, before=file.read())
    async with serving(kiosk_app(rig.station, renderer(), gate), bound):
        yield port


@asynccontextmanager
async def launched(folder: Path, silent_s: float = 60.0) -> AsyncIterator[Launcher]:
    browser = (sys.executable, "-c", PRETEND_BROWSER, str(folder / "still"))
    launcher = Launcher(folder / "kiosk.url", SystemClock(), browser, every_s=0.05, silent_s=silent_s, rest_s=0.1)
    running = asyncio.create_task(launcher.run())
    yield launcher
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = await Rig(tmp_path).start()
    yield made
    await made.stop()


def silent_s(folder: Path) -> float:
    found = pulse((folder / "kiosk.url").read_text().strip())
    return found.silent_s if found else -1.0


async def let_in(rig: Rig, folder: Path) -> None:
    """Until the page is heard of, by a clock that we move."""
    rig.now.advance(1.0)
    async with asyncio.timeout(20):
        while await asyncio.to_thread(silent_s, folder) != 0.0:
            await asyncio.sleep(0.05)


async def test_a_station_that_was_started_anew_gets_a_new_browser_which_is_let_in(rig: Rig, tmp_path: Path) -> None:
    async with screen_of(rig, tmp_path, 1) as port, launched(tmp_path) as launcher:
        await let_in(rig, tmp_path)
        assert launcher.starts == 1
        rig.now.advance(3.0)
    async with launched(tmp_path) as launcher:
        async with screen_of(rig, tmp_path, 2, port):
            await let_in(rig, tmp_path)
        async with screen_of(rig, tmp_path, 3, port):
            await until(lambda: launcher.starts == 2)
            await let_in(rig, tmp_path)


async def test_a_page_whose_picture_stands_still_is_opened_anew(rig: Rig, tmp_path: Path) -> None:
    async with screen_of(rig, tmp_path, 1), launched(tmp_path, 3.0) as launcher:
        await let_in(rig, tmp_path)
        (tmp_path / "still").touch()
        began = launcher.starts
        async with asyncio.timeout(20):
            while launcher.starts == began:  # what was painted before may be told once more
                rig.now.advance(4.0)
                await asyncio.sleep(0.2)
        (tmp_path / "still").unlink()
        await let_in(rig, tmp_path)


async def test_a_browser_that_ends_is_started_again_and_one_that_is_not_there_is_named(
    rig: Rig, tmp_path: Path
) -> None:  # fmt: skip
    async with screen_of(rig, tmp_path, 1):
        launcher = Launcher(tmp_path / "kiosk.url", SystemClock(), ("true",), every_s=0.05, rest_s=0.1)
        running = asyncio.create_task(launcher.run())
        await until(lambda: launcher.starts >= 2)
        running.cancel()
        none = Launcher(tmp_path / "kiosk.url", SystemClock(), ("no-such-browser",), every_s=0.05)
        with pytest.raises(Trouble, match="Name the browser with --browser"):
            await none.run()


async def test_the_pulse_is_told_to_whoever_can_read_the_pass_and_uses_none_up(rig: Rig, tmp_path: Path) -> None:
    parcel = await rig.inside("PW-1")
    async with screen_of(rig, tmp_path, 1) as port:
        url = (tmp_path / "kiosk.url").read_text().strip()
        rig.now.advance(60.0)
        await rig.station.kiosk.type_code(rig.code(parcel))
        for _ in range(2):
            found = await asyncio.to_thread(pulse, url)
            assert found is not None
            assert (found.boot, found.at_a_door, found.silent_s >= 60.0) == ("boot-1", True, True)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as stranger:
            for pass_ in ("", "0" * 32):
                told = await stranger.get("/pulse", headers={"X-Pass": pass_})
                assert (told.status_code, told.json()["reason"]) == (404, "not_found")


@pytest.mark.slow
@pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell")
async def test_a_page_whose_station_knows_it_no_more_says_so_by_itself(rig: Rig, tmp_path: Path) -> None:
    api: Any = pytest.importorskip("playwright.async_api")
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(**CHROMIUM)
        page = await browser.new_page()
        async with screen_of(rig, tmp_path, 1) as port:
            await page.goto((tmp_path / "kiosk.url").read_text().strip())
            await page.wait_for_function("() => Boolean(document.getElementById('live')?._htmx?.sse)")
        async with screen_of(rig, tmp_path, 2, port):
            await page.get_by_role("heading", name="This screen has to be opened anew").wait_for(timeout=30_000)
            await page.evaluate("() => { window.stays = true; }")
            await asyncio.sleep(9.0)  # longer than a page waits before it loads itself anew
            assert await page.evaluate("() => window.stays"), "it is loaded once, not for ever"
        await browser.close()
