"""A courier's phone in Debian's Chromium: its disk outlives the browser, its signal comes and goes, its camera sees
what a test holds before it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from acceptance.browsing import PHONE, KioskPage, Watched, sync_api
from acceptance.running import Town
from acceptance.shop import Shop
from parcelwall.simulation.demo import COURIER
from web.gallery import CHROMIUM

SEEN_FOR = 8  # frames of the film per picture: a camera sees each for a moment


class PhonePage(Watched):
    """One page of the courier's."""

    @property
    def waiting(self) -> int:
        """What the badge says is waiting to be sent."""
        return int(self.page.locator("[data-waiting]").first.inner_text())

    @property
    def is_online(self) -> bool:
        return bool(self.page.locator("[data-online]").is_visible())

    def waits_for(self, count: int) -> "PhonePage":
        sync_api.expect(self.page.locator("[data-waiting]").first).to_have_text(str(count), timeout=15_000)
        return self

    def says(self, words: str) -> "PhonePage":
        sync_api.expect(self.page.locator("[data-said]")).to_contain_text(words, timeout=15_000)
        return self

    def worker_is_ready(self) -> "PhonePage":
        """Whether the pages are kept: from then on the phone needs no signal for them."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        for _ in range(100):
            kept = self.page.evaluate("caches.match('/courier/day', {ignoreVary: true}).then(Boolean)")
            if kept and self.page.evaluate("Boolean(navigator.serviceWorker.controller)"):
                return self
            self.page.wait_for_timeout(50)
        raise AssertionError("the worker does not come up")

    def keeps(self, path: str) -> "PhonePage":
        """Waits until the courier's worker has this page."""
        kept = """async (path) => {
          const names = (await caches.keys()).filter((name) => /^courier-[0-9a-f]+$/.test(name));
          return names.length > 0 && Boolean(await (await caches.open(names[0])).match(path, { ignoreVary: true }));
        }"""
        for _ in range(100):
            if self.page.evaluate(kept, path):
                return self
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{path} is not kept")

    def read_typed(self, text: str) -> "PhonePage":
        self.page.locator("#label").fill(text)
        self.page.get_by_role("button", name="Look it up").click()
        return self


@contextmanager
def a_phone(playwright: Any, profile: Path, sees: list[Image.Image] | None = None) -> Iterator[Any]:
    """The browser on this disk; call it for a page. `sees`: pictures before its camera, one after the other."""
    arguments = list(CHROMIUM["args"])
    if sees:
        film = profile.parent / "film.mjpeg"
        film.write_bytes(b"".join(_jpeg(picture) * SEEN_FOR for picture in sees))
        arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                      f"--use-file-for-fake-video-capture={film}"]  # fmt: skip
    context = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=CHROMIUM["executable_path"], args=arguments, viewport=PHONE, locale="en-GB",
        reduced_motion="reduce", permissions=["camera"] if sees else [],
    )  # fmt: skip
    try:
        opened = lambda: PhonePage(context.new_page())  # noqa: E731
        opened.context = context  # type: ignore[attr-defined]
        yield opened
    finally:
        context.close()


def sign_in(town: Town, operator: Shop, page: PhonePage) -> PhonePage:
    """With the link that the operator has sent: the code is filled in."""
    invited = operator.post(f"/couriers/{COURIER}/invite", {}).json()
    page.go(town.demo.url + invited["path"])
    assert invited["code"] not in page.page.url, "no history, log or screen keeps the code"
    page.page.get_by_role("button", name="Sign in").click()
    page.page.wait_for_url("**/courier")
    return page


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.convert("RGB").resize((640, 640)).save(out, "JPEG", quality=90)
    return out.getvalue()


def seen(locator: Any) -> tuple[Image.Image, str]:
    """What a camera before this part of a page sees: the picture, and the text of the code in it."""
    picture = Image.open(io.BytesIO(locator.screenshot()))
    found = zxingcpp.read_barcodes(picture)
    return picture, found[0].text if found else ""


def loop_of(kiosk: KioskPage) -> list[Image.Image]:
    """One picture of each code that the screen shows in its loop."""
    image = kiosk.page.locator("img[data-loop]")
    count = int(image.get_attribute("data-count"))
    pictures: dict[str, Image.Image] = {}
    for _ in range(60 * count):
        picture, text = seen(image)
        if text:
            pictures[text] = picture
        if len(pictures) == count:
            return list(pictures.values())
        kiosk.page.wait_for_timeout(60)
    raise AssertionError(f"{len(pictures)} of {count} codes can be read off the screen")
