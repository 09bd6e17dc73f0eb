"""Rules that axe cannot see, on the views of every face: lights, targets, focus, announcements, states without colour.

A telling few by default; all views of all faces with `-m slow`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from web import eye, samples
from web.gallery import CHROMIUM, Gallery, served, words_of

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell")

NAMES = list(samples.all_views(words_of("en")))
FEW = ["kiosk-home", "kiosk-open", "kiosk-send-size", "kiosk-look", "track-van", "me-ready"]
FORCED = {"forced_colors": "active"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(Gallery()) as where:
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


def least_px(name: str) -> int:
    return 84 if name.startswith("kiosk") else 24 if name.startswith(("console", "demo")) else 48


def go(page: Any, address: str, name: str, query: str = "") -> None:
    wide = name.startswith(("kiosk", "console", "demo"))
    page.set_viewport_size({"width": 1280 if wide else 390, "height": 800})
    page.goto(f"{address}/{name}{query}")
    page.evaluate("document.fonts.ready")


def faults(page: Any, address: str, name: str, query: str = "") -> list[str]:
    go(page, address, name, query)
    asked: list[Callable[[Any], list[str]]] = [eye.lights, eye.announcements, eye.stillness, eye.states, eye.focus]
    found = [fault for each in asked for fault in each(page)] + eye.targets(page, least_px(name))
    return [f"{name}{query}: {fault}" for fault in found]


@pytest.mark.parametrize("query", ["", "?language=ar"])
def test_a_few_views_keep_the_rules(page: Any, address: str, query: str) -> None:
    assert [fault for name in FEW for fault in faults(page, address, name, query)] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("query", ["", "?theme=night", "?language=ar", "?contrast=true"])
def test_all_views_keep_the_rules(page: Any, address: str, query: str) -> None:
    assert [fault for name in NAMES for fault in faults(page, address, name, query)] == []


def test_at_a_telephone_the_console_crowds_nothing(page: Any, address: str) -> None:
    """The journal had a word in each line where a table scrolls; a second person's button lay on the other."""
    found = []
    for name in ("console-journal", "console-parcel", "console-write-off-asked", "console-needs"):
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(f"{address}/{name}")
        found += [f"{name}: {fault}" for fault in eye.crowding(page)]
    assert found == []


@pytest.mark.parametrize("name", ["console-station", "console-parcel"])
def test_what_needs_somebody_stands_below_the_wall_or_the_story(page: Any, address: str, name: str) -> None:
    """It stood below all that stands beside them: off the screen, under an empty half of the page."""
    go(page, address, name)
    above = page.locator(".station-grid > .card").first.bounding_box()
    cases = page.locator("section[aria-labelledby=cases]").bounding_box()
    assert 0 < cases["y"] - above["y"] - above["height"] < 40
    assert abs(cases["x"] - above["x"]) < 2


def test_a_refusal_is_seen_without_colour_and_read_without_sight(page: Any, address: str) -> None:
    """A wrong code changes the words and the picture, not only the red (the fault of `kiosk-bad.png`)."""
    go(page, address, "kiosk-home")
    home, heading = eye.grey(page), page.inner_text("h1")
    go(page, address, "kiosk-wrong")
    assert page.inner_text("h1") != heading
    assert page.inner_text("#say") != heading
    assert eye.differs_in_grey(home, eye.grey(page)) > 0.02


def test_the_lit_door_is_found_without_colour(page: Any, address: str) -> None:
    """Its number stands in a bubble and a line leads to it: two doors are two pictures also in grey."""
    pictures = []
    for name in ("kiosk-open", "kiosk-open-far"):
        go(page, address, name)
        pictures.append(eye.grey(page))
    assert eye.differs_in_grey(*pictures) > 0.005


def test_with_forced_colours_the_lit_door_and_the_current_step_stand_out(browser: Any, address: str) -> None:
    context = browser.new_context(reduced_motion="reduce", **FORCED)
    page = context.new_page()
    go(page, address, "kiosk-open")
    now, done = (page.locator(f".kstep-{each}").first for each in ("now", "done"))
    look = "(each) => { const s = getComputedStyle(each); return [s.borderInlineStartColor, s.fontWeight].join(); }"
    assert now.evaluate(look) != done.evaluate(look)
    lit = page.evaluate("""() => { const of = (name) => [...document.querySelectorAll(`svg ${name}`)].map(
      (each) => getComputedStyle(each).fill); return new Set(of("rect, path, polygon")).size; }""")
    assert lit >= 2, "every shape of the drawing has the same colour"
    context.close()


def test_the_eye_finds_faults(page: Any) -> None:
    """The questions themselves: a page with every fault in it."""
    page.goto("about:blank")  # no policy of ours forbids its style
    page.set_content("""<style>.glow{background:#C6F135;inline-size:99px;block-size:99px}
      button:focus{outline:none} .a[aria-pressed=true]{color:red}</style>
      <div class="glow"></div><div class="glow"></div><p role="status">a</p><p aria-live="polite">b</p>
      <div class="scroll"><table><tr><td style="inline-size:1px">a word in each line of it<td>b</table></div>
      <div><button>one</button></div><div><button>below</button></div>
      <div><button class="a" aria-pressed="true">x</button><button class="a">y</button></div>""")
    assert eye.lights(page) and eye.announcements(page) and eye.states(page) and eye.focus(page)
    assert len(eye.crowding(page)) >= 2
    assert eye.targets(page, 48)
