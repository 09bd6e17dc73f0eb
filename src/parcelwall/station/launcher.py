"""Keeps the browser of a station's screen alive: starts it with the address in `kiosk.url`, and anew when it must be.

It is a process of its own beside the station, which needs no right over it. It asks the station how its page is:
a page that is silent, or whose picture stands still, and a station that was started anew (no browser from before is let
in) end the browser. The next one is given the address that stands in the file then.
"""

import asyncio
import contextlib
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog

from parcelwall.clock import Clock
from parcelwall.errors import Trouble

BROWSER = ("chromium", "--kiosk", "--no-first-run", "--noerrdialogs", "--hide-crash-restore-bubble")
LOOK_EVERY_S, ANSWER_WITHIN_S = 2.0, 5.0
SILENT_S, LONGER_AT_A_DOOR = 15.0, 2  # a page tells every 5 s that it is alive
ENDS_WITHIN_S = 5.0
REST_S, LONGEST_REST_S, LIVES_S = 2.0, 60.0, 60.0  # a browser that ends at once is started less and less often

log = structlog.get_logger()


class Pulse(msgspec.Struct, frozen=True):
    """What the station says of its page: `boot` names its process, `silent_s` is how long the page was not heard of."""

    boot: str
    silent_s: float
    at_a_door: bool


class Launcher:
    """Runs for ever. `file` is where the station writes the address of its screen."""

    def __init__(
        self, file: Path, clock: Clock, browser: Sequence[str] = BROWSER, every_s: float = LOOK_EVERY_S,
        silent_s: float = SILENT_S, rest_s: float = REST_S,
    ) -> None:  # fmt: skip
        self._file, self._clock, self._browser, self._every_s = file, clock, tuple(browser), every_s
        self._silent_s, self._rest_s = silent_s, rest_s
        self.starts = 0

    async def run(self) -> None:
        """Raises Trouble where there is no such browser."""
        rest_s = self._rest_s
        while True:
            url = await self._address()
            began = self._clock.mono()
            log.info("screen_ends", reason=await self._one(url))
            rest_s = self._rest_s if self._clock.mono() - began > LIVES_S else min(2 * rest_s, LONGEST_REST_S)
            await self._clock.sleep(rest_s)

    async def _address(self) -> str:
        """The address as soon as a station that answers has written it."""
        while True:
            with contextlib.suppress(OSError):
                url = self._file.read_text(encoding="utf-8").strip()
                answers = await asyncio.to_thread(pulse, url)
                if answers:
                    return url
            await self._clock.sleep(self._every_s)

    async def _one(self, url: str) -> str:
        """Starts one browser, and ends it when it is of no use any more. Answers why."""
        try:
            started = await asyncio.create_subprocess_exec(*self._browser, url)
        except OSError as no:
            raise Trouble(f"cannot start {self._browser[0]}: {no.strerror}. Name the browser with --browser.") from no
        self.starts += 1
        try:
            return await self._watch(started)
        finally:
            await self._end(started)

    async def _watch(self, started: asyncio.subprocess.Process) -> str:
        began, boot = self._clock.mono(), ""
        while started.returncode is None:
            await self._clock.sleep(self._every_s)
            with contextlib.suppress(OSError):
                found = await asyncio.to_thread(pulse, self._file.read_text(encoding="utf-8").strip())
                if found is None:
                    continue  # the station is away: its page says so, and waits
                boot = boot or found.boot
                if found.boot != boot:
                    return "the station was started anew"
                most_s = self._silent_s * (LONGER_AT_A_DOOR if found.at_a_door else 1)
                if min(found.silent_s, self._clock.mono() - began) > most_s:
                    return "its page is silent"
        return "it ended by itself"

    async def _end(self, started: asyncio.subprocess.Process) -> None:
        if started.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            started.terminate()
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                await started.wait()
        except TimeoutError:
            started.kill()
            await started.wait()


def pulse(url: str) -> Pulse | None:
    """How the page of the screen at that address is; None while its station does not answer. Uses up no pass."""
    parts = urlsplit(url)
    once = parse_qs(parts.query).get("once", [""])[0]
    if parts.scheme != "http" or not parts.netloc:
        return None
    asked = urllib.request.Request(f"http://{parts.netloc}/pulse", headers={"X-Pass": once})
    try:
        with urllib.request.urlopen(asked, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310 - http
            return msgspec.json.decode(answer.read(1000), type=Pulse)
    except (OSError, HTTPException, msgspec.MsgspecError):
        return None
