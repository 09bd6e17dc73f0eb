"""The console's street map: fetched when somebody reaches for it, drawn under pins that stay where they are."""

from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.browsing import sync_api
from acceptance.office import Desk, office
from acceptance.running import Town
from web.gallery import CHROMIUM

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SOFTWARE_GRAPHICS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PINS = "[...document.querySelectorAll('.pin')].map((each) => [each.id, each.getBoundingClientRect().x])"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(**CHROMIUM | {"args": [*CHROMIUM["args"], *SOFTWARE_GRAPHICS]})
        yield started
        started.close()


def test_nobody_who_only_looks_pays_for_the_street_map(town: Town, browser: Any) -> None:
    with office(browser, town) as people:
        desk: Desk = people()
        fetched: list[str] = []
        desk.page.on("request", lambda request: fetched.append(request.url))
        desk.enter("operator")
        desk.page.wait_for_timeout(1500)
        assert not [url for url in fetched if "street/" in url or "/map/" in url], fetched
        desk.gates()


def test_the_street_map_comes_when_somebody_reaches_for_it(town: Town, browser: Any) -> None:
    with office(browser, town) as people:
        desk: Desk = people()
        desk.enter("operator")
        before = desk.page.evaluate(PINS)
        desk.page.hover(".town-map", position={"x": 20, "y": 20})
        desk.page.wait_for_selector(".street-map.is-drawn", state="attached", timeout=90_000)
        assert desk.page.evaluate(PINS) == before, "the pins stay where they were"
        assert desk.page.locator("#town-streets").evaluate("(each) => getComputedStyle(each).visibility") == "hidden"
        desk.page.get_by_role("button", name="Closer").click()
        assert desk.page.evaluate(PINS) != before
        desk.page.get_by_role("button", name="All").click()
        assert desk.page.evaluate(PINS) == before
        desk.see("© OpenStreetMap contributors")
        desk.gates()  # nothing that the content security policy, axe or the browser complains about


def test_without_webgl_the_drawing_stays(town: Town, browser: Any) -> None:
    with office(browser, town) as people:
        desk: Desk = people()
        desk.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        desk.enter("operator")
        desk.page.hover(".town-map", position={"x": 20, "y": 20})
        desk.page.wait_for_timeout(1500)
        assert desk.page.locator(".street-map.is-drawn").count() == 0
        assert desk.page.locator("#town-streets").evaluate("(each) => getComputedStyle(each).visibility") == "visible"
        assert desk.faults == []
