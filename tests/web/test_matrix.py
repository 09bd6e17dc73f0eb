"""Every view in every look: by day and night, both directions, small, at twice the size, in forced colours.

No violation that axe knows, nothing that scrolls sideways, no word that is cut. A view of each kind in one look by
default; all views in all looks with `-m slow`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web import samples
from web.gallery import CHROMIUM, Gallery, served, words_of

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs Debian's chromium")

NAMES = list(samples.all_views(words_of("en")))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
THEMES, LANGUAGES, SHAPES = ("day", "night"), ("en", "ar"), ("narrow", "twice", "forced")
LOOKS = [(theme, language, shape) for theme in THEMES for language in LANGUAGES for shape in SHAPES]

KEY = ["kiosk-home", "kiosk-wrong", "kiosk-open", "kiosk-still-open", "kiosk-thanks", "kiosk-several", "kiosk-stuck",
       "kiosk-send-size", "kiosk-courier-scan", "kiosk-courier-size", "me-ready", "me-open", "me-person-contact",
       "my-list", "courier-round", "track-van", "track-sentence", "console-map"]  # fmt: skip
"""What most people see; in every language, since words differ in length."""

CUT = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const clips = (style) => [style.overflowX, style.overflowY].map((each) => each === "hidden" || each === "clip");
  for (let text; (text = walk.nextNode());) {
    const own = text.parentElement;
    const unseen = own.closest(".quiet, script, style, [hidden], svg, option") || !own.checkVisibility();
    if (!text.data.trim() || unseen) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    if (box.left < -1 || box.right > innerWidth + 1) {
      const scrolls = [...ancestors(own)].some((each) => /auto|scroll/.test(getComputedStyle(each).overflowX));
      if (!scrolls) found.push(`beside the page: ${text.data.trim().slice(0, 40)}`);
    }
    for (const each of ancestors(own)) {
      const [x, y] = clips(getComputedStyle(each)), frame = each.getBoundingClientRect();
      if (each === document.body || each === document.documentElement) break;
      const wide = x && (box.left < frame.left - 2 || box.right > frame.right + 2);
      const high = y && (box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
      if (!wide && !high) continue;
      found.push(`cut by ${each.className || each.tagName}: ${text.data.trim().slice(0, 40)}`);
      break;
    }
  }
  return [...new Set(found)];
  function* ancestors(from) { for (let each = from; each; each = each.parentElement) yield each; }
}"""
"""Words that stand beside the page, or that a box with hidden overflow cuts off."""

BELOW = """() => [...document.querySelectorAll(".kiosk :is(h1, p, button, dl, ol, progress, input, .kpicture)")].filter(
  (each) => {
    const box = each.getBoundingClientRect(), foot = document.querySelector(".kfoot").getBoundingClientRect();
    if (!box.width || each.closest(".quiet, .khead, svg")) return false;
    const lowest = each.closest(".kfoot") || !foot.height ? innerHeight + 1 : foot.top + 12;
    return box.right > innerWidth + 1 || box.left < -1 || box.top < -1 || box.bottom > lowest;
  }).map((each) => `off the screen: ${each.className || each.tagName}: ${each.textContent.trim().slice(0, 40)}`)"""
"""A kiosk never scrolls: what is below its screen is nowhere."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(Gallery()) as where:
        yield where


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        context = browser.new_context(reduced_motion="reduce")
        yield context.new_page()
        browser.close()


def is_kiosk(name: str) -> bool:
    return name.startswith("kiosk")


def go(page: Any, address: str, name: str, theme: str, language: str, shape: str) -> None:
    """Opens a view in a look. A kiosk has its own panel, which is never narrow; its twice is its large text."""
    large = "&text=large" if is_kiosk(name) and shape == "twice" else ""
    wide = name.startswith(("console", "demo"))
    sizes = {"narrow": (320, 640), "twice": (640, 400) if wide else (390, 844), "forced": (390, 844)}
    width, height = (1280, 800) if is_kiosk(name) or (wide and shape == "forced") else sizes[shape]
    forced = "active" if shape == "forced" else "none"
    page.emulate_media(color_scheme="dark" if theme == "night" else "light", forced_colors=forced)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{address}/{name}?theme={theme}&language={language}{large}")
    page.evaluate("document.fonts.ready")
    if shape == "twice" and not wide and not is_kiosk(name):
        page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")


def faults(page: Any, address: str, name: str, theme: str, language: str, shape: str) -> list[str]:
    go(page, address, name, theme, language, shape)
    # The colours are then the reader's own; axe holds the reader's ground against our text, which is not drawn.
    rules = {"color-contrast": {"enabled": shape != "forced"}}
    answer = axe.Axe().run(page, options={"runOnly": TAGS, "rules": rules}).response
    found = [f"axe {each['id']}: {each['nodes'][0]['html'][:120]}" for each in answer["violations"]]
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found += [f"scrolls {sideways} px sideways"] if sideways > 0 else []
    found += page.evaluate(CUT) + (page.evaluate(BELOW) if is_kiosk(name) else [])
    return [f"{name} {theme} {language} {shape}: {each}" for each in found]


def faultless(found: list[str]) -> None:
    """Each fault on a line of its own: there may be many."""
    assert not found, "\n".join([f"{len(found)} faults:", *found])


def test_one_view_in_ten_in_a_look_of_its_own(page: Any, address: str) -> None:
    few = [(name, *LOOKS[at % len(LOOKS)]) for at, name in enumerate(NAMES[3::10])]
    faultless([fault for each in few for fault in faults(page, address, *each)])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("theme", "language", "shape"), LOOKS)
def test_every_view_in_every_look(page: Any, address: str, theme: str, language: str, shape: str) -> None:
    faultless([fault for name in NAMES for fault in faults(page, address, name, theme, language, shape)])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["de", "pl", "pt"])
@pytest.mark.parametrize("shape", ["narrow", "twice"])
def test_key_views_in_the_other_languages(page: Any, address: str, language: str, shape: str) -> None:
    faultless([fault for name in KEY for fault in faults(page, address, name, "day", language, shape)])
