"""Every page of a running demo in a real browser: nothing that axe, the browser or a small phone complains about."""

from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.browsing import DESK, PHONE, KioskPage, Watched, chromium, visitor
from acceptance.running import Town
from acceptance.shop import Shop

pytestmark = pytest.mark.timeout(120)
FOR_PHONES = [("/", 200), ("/?number=NOBODY-0001", 404), ("/t/nothing", 404), ("/p/nothing", 404)]
FOR_DESKS = ["/start", "/console", "/mails", "/pretend/S-0002", "/docs"]
WITH_A_STREAM = ("/console", "/mails", "/pretend/S-0002")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def test_public_pages(browser: Any, town: Town) -> None:
    with visitor(browser, PHONE) as open_page:
        for path, status in FOR_PHONES:
            page = open_page()
            page.go(town.demo.url + path, status)
            page.gates(sideways=True)


def test_pages_for_a_desk(browser: Any, town: Town) -> None:
    with visitor(browser, DESK) as open_page:
        for path in FOR_DESKS:
            page = open_page()
            page.go(town.demo.url + path)
            if path in WITH_A_STREAM:
                page.live()
            page.gates()


def test_the_console_is_live(browser: Any, town: Town, shop: Shop) -> None:
    with visitor(browser, DESK) as open_page:
        page = open_page()
        page.go(f"{town.demo.url}/console")
        page.live()
        row = page.page.get_by_role("row").filter(has_text="Kruununhaka")
        before = row.inner_text()
        shop.announce(destination={"station_id": "S-0003"})
        page.page.wait_for_timeout(50)
        for _ in range(200):
            if row.inner_text() != before:
                break
            page.page.wait_for_timeout(50)
        assert row.inner_text() != before and page.navigations == 1


def test_pages_are_readable_without_script(browser: Any, town: Town) -> None:
    told, letter = town.waiting_at("S-0002")
    code = next(line.partition(": ")[2] for line in letter.splitlines() if line.startswith(("Your code", "Ihr Code", "Twój")))
    own = next(word for word in letter.split() if "/p/" in word)
    with visitor(browser, PHONE, script=False) as open_page:
        read(open_page, town.demo.url, told.reference, "Ready to collect")
        read(open_page, town.demo.url + told.track, "", "Waiting at Simonkatu")
        page = open_page()
        page.go(own)
        page.see("Simonkatu")
        assert "".join(code.split()) in "".join(page.page.inner_text("main").split())
        assert page.page.locator(".qr").is_visible()
        page.page.locator("summary").first.click()
        with page.page.expect_navigation():
            page.page.locator("form[action$='/extend'] button").click()
        assert page.page.locator(".said").first.is_visible()


def read(open_page: Any, url: str, number: str, words: str) -> None:
    page = open_page()
    page.go(url)
    if number:
        page.page.locator("#number").fill(number)
        with page.page.expect_navigation():
            page.page.locator("form.find button").click()
    page.see(words)


def test_a_door_that_jams(browser: Any, town: Town) -> None:
    """The screen says so, opens a case, and the next code at the pad is served."""
    here = town.demo.stations["S-0003"]
    told, letter = town.waiting_at("S-0003")
    door = next(iter(town.run(inside(here)))).compartment
    here.boards.core.jam(door, True)
    digits = "".join(next(line for line in letter.splitlines() if ": " in line and line[-4:].isdigit()).split(": ")[1].split())
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        kiosk.go(here.kiosk_url)
        kiosk.live().screen("home").type(digits)
        kiosk.screen("stuck", within_s=20).see("C-")
        kiosk.gates()
        kiosk.see(str(door))
    here.boards.core.jam(door, False)
    assert [case.about for case in here.station.memory.book.cases.values()] == ["door_failed"]


async def inside(here: Any) -> Any:
    return here.station.desk.inside()


def test_help_and_look(browser: Any, town: Town) -> None:
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        kiosk.go(town.demo.stations["S-0002"].kiosk_url)
        kiosk.live().screen("home").tap("Help").screen("help").see("S-0002")
        kiosk.gates()
        kiosk.tap("Back").screen("home").tap("Language and look").screen("look").gates()
        kiosk.tap("Deutsch").page.locator("html [lang=de]").first.wait_for()
        assert kiosk.page.locator(".kiosk").get_attribute("lang") == "de"
        kiosk.gates()


def test_a_kiosk_page_that_is_loaded_anew_shows_the_same(browser: Any, town: Town) -> None:
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        kiosk.go(town.demo.stations["S-0002"].kiosk_url)
        kiosk.live().screen("home").type("12345678").screen("wrong")
        kiosk.go(kiosk.page.url)
        kiosk.screen("wrong")


def test_seven_digits_are_no_code(browser: Any, town: Town) -> None:
    """The pad waits for the eighth; sent all the same, they are one more wrong code."""
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        kiosk.go(town.demo.stations["S-0001"].kiosk_url)
        kiosk.live().screen("home").type("1234567")
        assert kiosk.page.locator("[data-count]").text_content() == "7 of 8 digits"
        kiosk.screen("home")
        assert kiosk.faults == []


