"""Real pages in Debian's Chromium, each with somebody who listens to what the browser complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from web import axes
from web.gallery import CHROMIUM

sync_api = pytest.importorskip("playwright.sync_api")

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
  (event) => console.error("CSP: " + event.violatedDirective + " " + event.blockedURI));"""


class Watched:
    """One page, and every complaint of the browser about it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.faults: list[str] = []
        self.navigations = 0
        self._expected: set[int] = set()
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)
        page.on("framenavigated", self._on_navigated)

    def go(self, url: str, status: int = 200) -> Any:
        """Opens an address that answers with `status`, and waits for fonts."""
        self._expected = {status}
        answer = self.page.goto(url)
        assert answer.status == status, f"{url}: {answer.status}"
        self.page.evaluate("document.fonts.ready")
        return self.page

    def see(self, text: str, within_s: float = 10.0) -> None:
        """Waits until the page shows these words, without anybody touching it."""
        sync_api.expect(self.page.locator("main")).to_contain_text(text, timeout=within_s * 1000)

    def live(self) -> "Watched":
        """Waits until the page's stream is open."""
        for _ in range(200):  # not wait_for_function: it evaluates text in the page, which the policy forbids
            if self.page.evaluate("Boolean(document.getElementById('live')?._htmx?.sse)"):
                return self
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the stream of {self.page.url} does not open")

    def follow(self, words: str) -> "Watched":
        """Clicks the first link with these words and waits for the page behind it."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=words).first.click()
        return self

    def gates(self, sideways: bool = False) -> None:
        """No violation that axe knows, no complaint of the browser; on a phone of 320 px no sideways scroll."""
        self.page.bring_to_front()
        self.page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished.catch(() => 0)))")
        violations = axes.violations(self.page)
        assert not violations, (self.page.url, violations)
        if sideways:
            self._fits_small_phones()
        assert not self.faults, self.faults

    def _fits_small_phones(self) -> None:
        before = self.page.viewport_size
        self.page.set_viewport_size({"width": 320, "height": 640})
        beyond = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        self.page.set_viewport_size(before)
        assert beyond <= 0, f"scrolls {beyond} px sideways"

    def _on_console(self, message: Any) -> None:
        told = message.text.startswith("Failed to load resource") and any(
            str(s) in message.text for s in self._expected
        )
        if message.type in ("error", "warning") and not told:
            self.faults.append(f"console: {message.text}")

    def _on_request(self, request: Any) -> None:
        host = urlsplit(request.url).hostname
        if host not in ("127.0.0.1", "localhost", None):  # passkeys belong to a name
            self.faults.append(f"foreign host: {request.url}")

    def _on_failed(self, request: Any) -> None:
        by_browser = request.url.endswith(("/favicon.svg", ".webmanifest"))  # given up with the page that named it
        passing = request.resource_type in ("eventsource", "fetch") or by_browser
        left = request.failure == "net::ERR_ABORTED" and passing
        if not left:  # a stream ends when its page is left
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _on_response(self, answer: Any) -> None:
        if answer.status >= 400 and answer.status not in self._expected:
            self.faults.append(f"{answer.status}: {answer.url}")

    def _on_navigated(self, frame: Any) -> None:
        self.navigations += frame == self.page.main_frame


@contextmanager
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def visitor(browser: Any, size: dict[str, int] = PHONE, script: bool = True) -> Iterator[Any]:
    """A person with a browser of their own: opens pages by calling it."""
    context = browser.new_context(viewport=size, java_script_enabled=script, reduced_motion="reduce", locale="en-GB")
    yield lambda kind=Watched: kind(context.new_page())
    context.close()


class KioskPage(Watched):
    """The screen of a station, used by touching it."""

    def screen(self, name: str, within_s: float = 10.0) -> "KioskPage":
        """Waits until the station shows this screen."""
        self.page.wait_for_selector(f"main[data-screen='{name}']", timeout=within_s * 1000)
        return self

    def tap(self, words: str) -> "KioskPage":
        self.page.bring_to_front()  # behind other pages a browser draws seldom, and each touch would take seconds
        self.page.get_by_role("button", name=words).click()
        return self

    def type(self, digits: str) -> "KioskPage":
        """Each digit on its own key of the pad; the last one sends the code."""
        self.page.bring_to_front()
        for digit in digits:
            self.page.locator(f"[data-key='{digit}']").click()
        return self

    def type_label(self, label: str) -> "KioskPage":
        """The letters below the bars, on the keys of the screen."""
        self.page.bring_to_front()
        for letter in label:
            self.page.locator(f"[data-letter='{letter}']").click()
        return self.tap("Take this one")

    @property
    def door(self) -> str:
        return str(self.page.locator(".knumber").inner_text())


class PretendPage(Watched):
    """The demo's page of pretend doors: the hand at the door, the label at the reader, the cable."""

    def scan(self, text: str) -> None:
        self.page.bring_to_front()
        self.page.get_by_label("Hold to the reader").fill(text)
        self.page.get_by_role("button", name="Scan").click()

    def push_shut(self) -> None:
        self.page.bring_to_front()
        self.page.get_by_role("button", name="Push it shut").first.click()
        self.see("All doors are shut.")

    def cut(self) -> None:
        self.page.get_by_role("button", name="Cut it").click()
        self.see("The line to the hub is cut")

    def mend(self) -> None:
        self.page.get_by_role("button", name="Mend it").click()
        self.see("The line to the hub is whole")


def slow(page: Any) -> None:
    """From here on this page has 400 kbit/s, 300 ms to everywhere, and a quarter of the machine."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    line = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    wire.send("Network.emulateNetworkConditions", line)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": 4})
