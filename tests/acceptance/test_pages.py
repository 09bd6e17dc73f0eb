"""Every page of a running demo in a real browser: nothing that axe, the browser or a small phone complains about."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from acceptance.browsing import DESK, PHONE, KioskPage, chromium, visitor
from acceptance.running import Town
from acceptance.shop import Shop, until

pytestmark = pytest.mark.timeout(120)
FOR_PHONES = [("/", 200), ("/?number=NOBODY-0001", 404), ("/t/nothing", 404), ("/p/nothing", 404)]
FOR_DESKS = ["/start", "/enter?who=operator", "/mails", "/pretend/S-0002", "/docs"]
WITH_A_STREAM = ("/enter?who=operator", "/mails", "/pretend/S-0002")


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


@pytest.mark.slow
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
        page.go(f"{town.demo.url}/enter?who=operator")
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
        page.page.locator("details:has(form[action$='/extend']) > summary").click()
        with page.page.expect_navigation():
            page.page.locator("form[action$='/extend'] button").click()
        assert page.page.locator(".said:not([hidden])").first.is_visible()


def read(open_page: Any, url: str, number: str, words: str) -> None:
    page = open_page()
    page.go(url)
    if number:
        page.page.locator("#number").fill(number)
        with page.page.expect_navigation():
            page.page.locator("form.find button").click()
    page.see(words)


def break_door(here: Any, fault: str, door: int | None, on: bool = True) -> None:
    core = here.boards.core
    acts: dict[str, Any] = {
        "jams": lambda: core.jam(door, on), "lies": lambda: core.lie(1, on) or core.lie(2, on),
        "reports nothing": lambda: core.mute_next(10**9 * on),
    }  # fmt: skip
    acts[fault]()


def test_doors_that_fail(browser: Any, town: Town) -> None:
    """Whatever the boards say: the screen tells the person, a case is open, and the next person is served."""
    faults = dict(zip(town.demo.stations, ("jams", "lies", "reports nothing"), strict=True))
    waiting = town.waiting_at_all()
    doors = {station: town.behind(station, told.reference) for station, (told, _) in waiting.items()}
    with visitor(browser, DESK) as open_page:
        screens = {station: open_page(KioskPage) for station in faults}
        for station, kiosk in screens.items():
            _, letter = waiting[station]
            town.leave(station)
            kiosk.go(town.demo.stations[station].kiosk_url)
            kiosk.live().screen("home")
            break_door(town.demo.stations[station], faults[station], doors[station])
            kiosk.type(code_in(letter))
        for station, kiosk in screens.items():
            kiosk.screen("stuck", within_s=30).see("C-")
            kiosk.see(str(doors[station]))
            break_door(town.demo.stations[station], faults[station], doors[station], on=False)
            assert "door_failed" in town.cases(station)
        kiosk.gates()


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
    try:
        told, _ = town.waiting_at("S-0002")
        door = town.behind("S-0002", told.reference)
        assert town.collect(told) == door
    finally:  # the town is shared: others' line is quiet
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


async def guess(kiosk: str, count: int) -> None:
    """Many wrong codes at once, past the pad."""
    limits = httpx.Limits(max_connections=250, max_keepalive_connections=0)
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=limits, follow_redirects=True) as client:
        await client.get(f"{kiosk}/begin")
        codes = [str(10_000_000 + number * 7_919) for number in range(count)]
        posts = (client.post(f"{kiosk}/code", data={"digits": code}, headers={"Origin": kiosk}) for code in codes)
        assert {answer.status_code for answer in await asyncio.gather(*posts)} == {204}


@pytest.mark.slow  # needs a machine to itself
def test_hundreds_of_guesses_at_the_screen(browser: Any, town: Town) -> None:
    """The last test here, for it pauses this station: all guesses at once open nothing, and the owner gets in."""
    told, letter = town.waiting_at("S-0003")
    here = town.demo.stations["S-0003"]
    pulses = len(here.boards.core.pulses)
    with visitor(browser, DESK) as open_page:
        kiosk = open_page(KioskPage)
        town.leave("S-0003")
        kiosk.go(here.kiosk_url)
        kiosk.live().screen("home")
        town.run(guess(here.kiosk_url.removesuffix("/begin"), 300))
        kiosk.screen("paused").gates()
        assert len(here.boards.core.pulses) == pulses
        kiosk.type(code_in(letter) + told.reference[-4:]).screen("open")
        assert kiosk.door == str(town.behind("S-0003", told.reference))
        until(lambda: here.boards.push_closed(int(kiosk.door)), "the door catches")
        kiosk.screen("thanks")
