"""Every page of a running demo in a real browser: nothing that axe, the browser or a small phone complains about."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.browsing import DESK, PHONE, KioskPage, chromium, visitor
from acceptance.running import Town
from acceptance.shop import Shop, until

pytestmark = pytest.mark.timeout(120)
FOR_PHONES = [("/", 200), ("/?number=NOBODY-0001", 404), ("/t/nothing", 404), ("/p/nothing", 404)]
FOR_DESKS = ["/start", "/console", "/mails", "/pretend/S-0002", "/docs"]
GUESS = """async (count) => Promise.all([...Array(count).keys()].map(async (guess) => {
  const body = new URLSearchParams({digits: String(10000000 + guess * 7919)});
  return (await fetch("/code", {method: "POST", body})).status;
}))"""
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
    code = code_in(letter)
    own = next(word for word in letter.split() if "/p/" in word)
    with visitor(browser, PHONE, script=False) as open_page:
        read(open_page, town.demo.url, told.reference, "Ready to collect")
        read(open_page, town.demo.url + told.track, "", "Waiting at Simonkatu")
        page = open_page()
        page.go(own)
        page.see("Simonkatu")
        assert code in "".join(page.page.inner_text("main").split())
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


@pytest.mark.parametrize("fault", ["jams", "lies", "reports nothing"])
def test_a_door_that_fails(browser: Any, town: Town, fault: str) -> None:
    """Whatever the board says: the screen tells the person, a case is open, and the next person is served."""
    here = town.demo.stations["S-0003"]
    told, letter = town.waiting_at("S-0003")
    door = town.behind("S-0003", told.reference)
    faults = {"jams": here.boards.core.jam, "lies": lambda _, on=True: here.boards.core.lie(1, on),
              "reports nothing": lambda _, on=True: here.boards.core.mute_next(10**9 * on)}  # fmt: skip
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        town.leave("S-0003")
        kiosk.go(here.kiosk_url)
        kiosk.live().screen("home")
        faults[fault](door)
        kiosk.type(code_in(letter)).screen("stuck", within_s=30).see("C-")
        faults[fault](door, False)
        kiosk.gates()
        kiosk.see(str(door))
    assert "door_failed" in town.cases("S-0003")


def code_in(letter: str) -> str:
    found = re.search(r"\b(\d{4}) (\d{4})\b", letter)
    assert found, letter
    return found[1] + found[2]


def test_a_delivery_over_a_noisy_line(town: Town) -> None:
    """Garbage before answers, answers cut short, and bits that flip: the doors are opened and seen all the same."""
    here = town.demo.stations["S-0002"]
    here.boards.core.junk(3)
    here.boards.core.flip(0.05, keep_checksum=False)
    for bytes_kept in (0, 2, 4):
        here.boards.core.cut(bytes_kept)
    told, letter = town.waiting_at("S-0002")
    door = town.behind("S-0002", told.reference)
    assert town.collect(told) == door
    here.boards.core.junk(0)
    here.boards.core.flip(0.0)
    until(lambda: town.stage(told.reference) == "COLLECTED", "the hub knows")


def test_help_and_look(browser: Any, town: Town) -> None:
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        town.leave("S-0002")
        kiosk.go(town.demo.stations["S-0002"].kiosk_url)
        kiosk.live().screen("home").tap("Help").screen("help").see("S-0002")
        kiosk.gates()
        kiosk.tap("Back").screen("home").tap("Language and look").screen("look").gates()
        kiosk.tap("Deutsch").page.locator(".kiosk[lang=de]").wait_for()
        kiosk.gates()


def test_a_kiosk_page_that_is_loaded_anew_shows_the_same(browser: Any, town: Town) -> None:
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        town.leave("S-0002")
        kiosk.go(town.demo.stations["S-0002"].kiosk_url)
        kiosk.live().screen("home").type("12345678").screen("wrong")
        kiosk.go(kiosk.page.url)
        kiosk.screen("wrong")


def test_seven_digits_are_no_code(browser: Any, town: Town) -> None:
    """The pad waits for the eighth; sent all the same, they are one more wrong code."""
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        town.leave("S-0001")
        kiosk.go(town.demo.stations["S-0001"].kiosk_url)
        kiosk.live().screen("home").type("1234567")
        assert kiosk.page.locator("[data-count]").text_content() == "7 of 8 digits"
        kiosk.screen("home")
        assert kiosk.faults == []




def test_a_thousand_guesses_at_the_screen(browser: Any, town: Town) -> None:
    """The last test here, for it pauses this station: all guesses at once open nothing, and the owner gets in."""
    told, letter = town.waiting_at("S-0003")
    here = town.demo.stations["S-0003"]
    pulses = len(here.boards.core.pulses)
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        town.leave("S-0003")
        kiosk.go(here.kiosk_url)
        kiosk.live().screen("home")
        guessed = kiosk.page.evaluate(GUESS, 1000)
        assert guessed == [204] * 1000
        kiosk.screen("paused").gates()
        assert len(here.boards.core.pulses) == pulses
        kiosk.type(code_in(letter) + told.reference[-4:]).screen("open")
        assert kiosk.door == str(town.behind("S-0003", told.reference))
        until(lambda: here.boards.push_closed(int(kiosk.door)), "the door catches")
        kiosk.screen("thanks")
