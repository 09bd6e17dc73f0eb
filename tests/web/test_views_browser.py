"""The sample views in a real browser, one session for all: axe, policy, one light, room, targets, pad, stream.

A tenth of the views by default; all of them, in more looks, with `-m slow`.
"""

import base64
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from web import axes, eye, samples
from web.gallery import CHROMIUM, Gallery, served, words_of

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell")

NAMES = list(samples.all_views(words_of("en")))
TENTH = ["track-van", "courier-round", "me-ready", "me-open", "me-person-contact", "my-list", "kiosk-home",
         "kiosk-open", "console-map", "console-station", "demo-pretend"]  # fmt: skip
AS_PHOTO = """(data) => camera.photo(new Blob([Uint8Array.from(atob(data), (each) => each.charCodeAt())]))
  .catch(() => null)"""
SHOWN = "h1, p, button, span, svg, dl, ol, progress, input"
OUTSIDE = """(shown) => [...document.querySelectorAll(`.kiosk :is(${shown})`)].filter((each) => {
  const box = each.getBoundingClientRect(), foot = document.querySelector(".kfoot").getBoundingClientRect();
  if (!box.width || each.closest(".quiet, .khead") || each.matches("svg *")) return false;
  const lowest = each.closest(".kfoot") || !foot.height ? innerHeight : foot.top + 12;
  return box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > lowest;
}).map((each) => (each.getAttribute("class") || each.tagName) + ": " + each.textContent.trim().slice(0, 40))"""


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery()


@pytest.fixture(scope="module")
def address(gallery: Gallery) -> Iterator[str]:
    with served(gallery) as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(**CHROMIUM)
        yield started
        started.close()


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def go(page: Any, address: str, name: str, query: str = "", width: int = 390) -> list[str]:
    """Opens a view; answers what the browser complained about."""
    said: list[str] = []
    kiosk = name.startswith("kiosk")
    wide = name.startswith(("console", "demo"))
    page.remove_listener("console", page.heard) if getattr(page, "heard", None) else None
    page.heard = lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    page.on("console", page.heard)
    page.set_viewport_size({"width": 1280 if kiosk or wide else width, "height": 800})
    page.goto(f"{address}/{name}{query}")
    page.evaluate("document.fonts.ready")
    return said


def _least_px(name: str, query: str) -> int:
    if name.startswith("kiosk-service") and "large" in query:
        return 64  # a technician's doors stand on one screen in large words, too
    return 84 if name.startswith("kiosk") else 24 if name.startswith(("console", "demo")) else 48


def faults(page: Any, address: str, name: str, query: str = "") -> list[str]:
    """Everything that a machine can see wrong with one view, in sentences."""
    found = [f"console: {text}" for text in go(page, address, name, query)]
    found += axes.violations(page) + eye.lights(page) + eye.stillness(page)
    found += eye.targets(page, _least_px(name, query))
    found += [f"outside: {each}" for each in page.evaluate(OUTSIDE, SHOWN)] if name.startswith("kiosk") else []
    if not name.startswith(("kiosk", "console")):
        page.set_viewport_size({"width": 320, "height": 640})
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"scrolls {sideways} px sideways at 320 px"] if sideways > 0 else []
    return [f"{name}{query}: {each}" for each in found]


def test_a_tenth_of_the_views_are_faultless(page: Any, address: str) -> None:
    assert [fault for name in TENTH for fault in faults(page, address, name)] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("query", ["", "?theme=night", "?language=en-x-long", "?language=ar", "?contrast=true"])
def test_all_views_are_faultless(page: Any, address: str, query: str) -> None:
    assert [fault for name in NAMES for fault in faults(page, address, name, query)] == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_large_screens_of_a_recipient_fit(page: Any, address: str) -> None:
    names = [name for name in NAMES if name.startswith("kiosk") and "courier" not in name]
    assert [fault for name in names for fault in faults(page, address, name, "?text=large")] == []


def test_the_pad_echoes_masks_and_sends_itself(page: Any, address: str, gallery: Gallery) -> None:
    go(page, address, "kiosk-home")
    page.wait_for_function("() => document.getElementById('live')._htmx?.sse")
    gallery.posted.clear()
    for digit in "4719062":
        page.locator(f"[data-key='{digit}']").dispatch_event("pointerdown")
    assert page.locator("[data-slot]").nth(6).text_content() == "2"
    page.wait_for_timeout(1100)
    assert "".join(page.locator("[data-slot]").all_text_contents()) == "•" * 7
    assert page.locator("[data-count]").text_content() == "7 of 8 digits"
    page.locator("[data-key='2']").click()
    page.wait_for_timeout(200)
    codes = [body for path, body in gallery.posted if path.endswith("/code")]
    assert codes == ["visit=v1&screen=7&digits=47190622"]
    assert "47190622" not in page.content()


def test_the_tactile_keypad_types_and_erases(page: Any, address: str) -> None:
    go(page, address, "kiosk-selector")
    page.wait_for_function("() => document.getElementById('live')._htmx?.sse")
    for key in ("1", "2", "Backspace", "7"):
        page.keyboard.press(key)
    assert "".join(page.locator("[data-slot]").all_text_contents()).endswith("7")
    assert page.locator("[data-count]").text_content() == "2 of 4 digits"


def test_a_keyboard_of_another_script_types_the_same_digits(page: Any, address: str) -> None:
    go(page, address, "kiosk-selector", "?language=ar")
    page.wait_for_function("() => document.getElementById('live')._htmx?.sse")
    for key in "\u0664\u06f7":
        page.evaluate("(key) => document.dispatchEvent(new KeyboardEvent('keydown', { key }))", key)
    assert "".join(page.locator("[data-slot]").all_text_contents()).endswith("7")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: '\u00b2' }))")
    assert page.locator("[data-count]").text_content().startswith("2 "), "and what is no digit types nothing"


def test_the_pad_keeps_its_order_in_arabic(page: Any, address: str) -> None:
    go(page, address, "kiosk-home", "?language=ar")
    first, second = (page.locator("[data-slot]").nth(at).bounding_box()["x"] for at in (0, 1))
    one, three = (page.locator(f"[data-key='{key}']").bounding_box()["x"] for key in "13")
    assert first < second and one < three


def test_a_tap_is_posted_with_its_visit_and_screen_and_swaps_nothing(page: Any, address: str, gallery: Gallery) -> None:
    go(page, address, "kiosk-open")
    page.wait_for_function("() => document.getElementById('live')._htmx?.sse")
    gallery.posted.clear()
    page.get_by_role("button", name="Something is wrong").click()
    page.wait_for_timeout(200)
    acts = [body for path, body in gallery.posted if path.endswith("/act") and "name=touch" not in body]
    assert acts == ["visit=v1&screen=7&name=wrong&value="]
    assert page.locator("main").get_attribute("data-screen") == "open"


def test_a_recipients_page_needs_no_script(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto(f"{address}/me-ready")
    text = bare.inner_text("main")
    assert "4719" in text and "Ready at Kluuvi" in text and bare.locator(".qr").is_visible()
    bare.locator("summary", has_text="Keep it longer").click()
    assert bare.get_by_role("button", name="Keep it until then").is_visible()
    context.close()


BUDGETS = {"kiosk-home": 50_000, "track-van": 56_000, "me-ready": 57_000}


@pytest.mark.parametrize("name", BUDGETS)
def test_bytes_and_requests(browser: Any, address: str, name: str) -> None:
    """Compressed bytes of a cold visit (the gallery compresses nothing, so text is counted as gzip would send it)."""
    context = browser.new_context()
    fresh = context.new_page()
    got: list[Any] = []
    fresh.on("response", lambda answer: got.append(answer))
    fresh.goto(f"{address}/{name}")
    fresh.wait_for_timeout(400)
    sizes = {}
    for answer in got:
        if answer.request.method == "GET" and "text/event-stream" not in answer.headers["content-type"]:
            packed = answer.body() if answer.url.endswith(".woff2") else gzip.compress(answer.body(), 6)
            sizes[answer.url.rsplit("/", 1)[-1]] = len(packed)
    context.close()
    assert sum(sizes.values()) <= BUDGETS[name], sizes
    assert len(sizes) <= 6, sizes


def test_at_twice_the_size_no_steps_time_lies_on_its_words(page: Any, address: str) -> None:
    go(page, address, "track-van", width=195)
    covered = page.evaluate("""() => [...document.querySelectorAll(".step")].map((step) => {
      const [words, when] = [step.children[1], step.querySelector(".step-when")].map((each) => {
        const text = document.createRange();
        text.selectNodeContents(each);
        return [...text.getClientRects()];
      });
      return when.filter((a) => words.some((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1
        && b.top < a.bottom - 1)).length;
    })""")
    assert len(covered) == 5 and not any(covered)


def test_a_courier_s_photo_of_any_kind_becomes_a_small_jpeg(page: Any, address: str) -> None:
    """PNG and WebP, with holes: white, not black. What is no picture is none, and the report goes without it."""
    go(page, address, "courier-problem")
    for kind in ("PNG", "WEBP", "GIF", "BMP"):
        out = io.BytesIO()
        Image.new("RGBA", (1700, 100), (255, 0, 0, 0)).save(out, kind)
        made = page.evaluate(AS_PHOTO, base64.b64encode(out.getvalue()).decode())
        picture = Image.open(io.BytesIO(base64.b64decode(made)))
        assert (picture.format, max(picture.size)) == ("JPEG", 1600)
        if kind in ("PNG", "WEBP"):
            assert min(picture.convert("L").getdata()) > 250
    assert page.evaluate(AS_PHOTO, base64.b64encode(b"no photo").decode()) is None


WHOLE = """() => [...document.querySelectorAll('.rail-nav span')].flatMap(link => [...link.childNodes].filter(node =>
  node.nodeType === 3).flatMap(node => [...node.data.matchAll(/[^ \\n]+/g)].filter(word => {
    const of = document.createRange();
    of.setStart(node, word.index);
    of.setEnd(node, word.index + word[0].length);
    return new Set([...of.getClientRects()].map(line => Math.round(line.top))).size > 1;
  }).map(word => word[0])))"""


@pytest.mark.slow
def test_no_language_parts_a_word_of_the_rail_or_moves_the_cases_off_the_desk(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 860})
    for language in ("de", "pl", "pt"):
        page.goto(f"{address}/console-map?language={language}")
        page.locator(".rail-nav").wait_for()
        assert page.evaluate(WHOLE) == [], language
        beyond = page.locator(".scroll").evaluate("table => table.scrollWidth - table.clientWidth")
        assert beyond <= 0, f"{language}: the table is {beyond} px wider than the desk"


@pytest.mark.slow
def test_the_slider_says_its_hour_by_keyboard_and_asks_for_it(page: Any, address: str) -> None:
    page.goto(f"{address}/console-map")
    page.locator("#another-hour summary").click()
    slider = page.locator("#hours")
    slider.focus()
    with page.expect_request(lambda asked: "hours=-" in asked.url) as asked:
        for _ in range(2):
            page.keyboard.press("ArrowLeft")
        assert slider.get_attribute("aria-valuetext") == page.locator("#hour-said").inner_text() != "Now"
    assert asked.value.url.endswith("&hours=-2"), "only the hour at which it came to rest"
