"""What people do, on a slow line and a slow machine: 400 kbit/s, 300 ms, a quarter of the processor. And what goes
wrong on the way: wrong codes, doors that jam, stations without room, two people at once.

One of them by default; all with `-m slow`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acceptance.browsing import PHONE, Watched, slow, sync_api, visitor
from acceptance.courier_phone import PhonePage, a_phone
from acceptance.running import Town
from acceptance.shop import Shop, until
from acceptance.standing import Standing, code_of, expected, link_in, qr_of, ready, standing
from acceptance.test_courier import sign_in
from web.gallery import CHROMIUM

STATION = "S-0001"  # the largest: a door that jams needs a coil that was not driven five times in these ten minutes
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    with sync_api.sync_playwright() as started:
        yield started


@pytest.fixture
def at(town: Town, browser: Any) -> Iterator[Standing]:
    with standing(browser, town, STATION) as someone:
        slow(someone.kiosk.page)
        yield someone


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    started = playwright.chromium.launch(**CHROMIUM)
    yield started
    started.close()


def test_a_recipient_collects_after_a_wrong_code(town: Town, at: Standing) -> None:
    told, _ = ready(town, STATION)
    at.home()
    at.kiosk.type("00000000").screen("wrong").see("opens no door here")
    at.kiosk.type(code_of(town, told))
    at.shut("thanks")
    until(lambda: town.stage(told.reference) == "COLLECTED", "the hub hears of it")


@pytest.mark.slow
def test_a_door_jams_and_opens_at_the_second_try(town: Town, at: Standing) -> None:
    told, _ = ready(town, STATION)
    door = town.behind(STATION, told.reference)
    at.home()
    with jammed(at, door):
        at.kiosk.type(code_of(town, told)).screen("stuck", within_s=30).see("We have noted it")
        at.kiosk.gates()
    rested(at, door)
    at.kiosk.tap("Try once more")
    at.shut("thanks")
    until(lambda: town.stage(told.reference) == "COLLECTED", "the hub hears of it")


@pytest.mark.slow
def test_a_courier_brings_where_a_door_jams_and_a_label_is_foreign(
    town: Town, shop: Shop, operator: Shop, at: Standing
) -> None:
    told = expected(town, STATION, shop)
    at.sign_in(operator)
    at.kiosk.screen("courier-scan")
    at.scan("NOT-OF-HERE-1")
    at.kiosk.screen("unknown").tap("Next parcel").screen("courier-scan")
    with jammed(at, *at.here.boards.states()):
        at.scan(told["reference"])
        at.kiosk.screen("stuck", within_s=30)
    at.kiosk.tap("Start over").screen("courier-scan")
    at.scan(told["reference"])
    at.shut("courier-scan")
    until(lambda: shop.stage(told["id"]) == "READY", "the hub hears of it")


@pytest.mark.slow
def test_two_people_at_one_screen(town: Town, browser: Any, at: Standing) -> None:
    """The second one's QR opens nothing while a door is open, and the screen stays with the first; then it does."""
    (first, _), (second, letter) = ready(town, STATION), ready(town, STATION)
    with visitor(browser, PHONE) as phones:
        own = phones(Watched)
        own.go(link_in(letter))
        shown = qr_of(own.page)
    at.home()
    at.kiosk.type(code_of(town, first)).screen("open")
    door, pulses = at.kiosk.door, len(at.here.boards.core.pulses)
    at.scan(shown)
    assert at.kiosk.screen("open").door == door
    assert len(at.here.boards.core.pulses) == pulses
    at.shut("thanks")
    at.scan(shown)
    at.shut("thanks")
    for told in (first, second):
        until(lambda told=told: town.stage(told.reference) == "COLLECTED", "the hub hears of it")


@pytest.mark.slow
def test_a_recipient_on_a_slow_phone(town: Town, browser: Any, at: Standing) -> None:
    """Keeps it longer, lets a friend collect and takes that back, opens by phone, and sees what the door saw."""
    told, letter = ready(town, STATION)
    at.home()
    with visitor(browser, PHONE) as phones:
        own, friend = phones(Watched), phones(Watched)
        slow(own.page), slow(friend.page)
        own.go(link_in(letter))
        own.live()
        fold(own, "extend").locator("button").click()
        own.page.wait_for_url("**said=kept**")
        own.page.locator("form[action$='/grants'] button").click()
        theirs = own.page.locator(".other-link").input_value()
        friend.go(theirs).wait_for_selector(".qr")
        friend.live()
        own.page.bring_to_front()
        own.page.locator("form[action$='/revoke'] button").click()
        own.page.wait_for_selector(".acts:not(:has(#others))")
        friend.page.wait_for_selector("main:not(:has(.qr))", timeout=15_000)
        number = re.search(r"\d{3}", at.kiosk.page.locator("#presence").inner_text())
        assert number
        fold(own, "open").locator("input").fill(number[0])
        at.kiosk.screen("open", within_s=20)
        own.page.wait_for_url("**said=opened**")
        at.shut("thanks")
        own.page.wait_for_selector("#parcel[data-stage=collected]", timeout=15_000)
        assert own.page.locator(".door-log li").count() >= 3
        assert own.faults == []
    until(lambda: town.stage(told.reference) == "COLLECTED", "the hub hears of it")


@pytest.mark.slow
def test_a_door_that_jams_is_told_on_the_phone(town: Town, browser: Any, at: Standing) -> None:
    told, letter = ready(town, STATION)
    door = town.behind(STATION, told.reference)
    at.home()
    with jammed(at, door), visitor(browser, PHONE) as phones:
        own = phones(Watched)
        slow(own.page)
        own.go(link_in(letter))
        own.live()
        number = re.search(r"\d{3}", at.kiosk.page.locator("#presence").inner_text())
        assert number
        fold(own, "open").locator("input").fill(number[0])
        own.page.wait_for_url("**said=door_failed**", timeout=30_000)
        assert own.page.locator(".said-no").is_visible() and own.page.locator(".qr").is_visible()
        own.gates(sideways=True)
    at.kiosk.screen("stuck")
    at.home()
    rested(at, door)
    at.kiosk.type(code_of(town, told))
    at.shut("thanks")


@pytest.mark.slow
def test_tracking_on_a_slow_phone_while_the_kiosk_acts(town: Town, browser: Any, at: Standing) -> None:
    told, _ = ready(town, STATION)
    at.home()
    with visitor(browser, PHONE) as phones:
        bare, linked = phones(Watched), phones(Watched)
        slow(bare.page), slow(linked.page)
        bare.go(f"{town.demo.url}/")
        bare.page.get_by_label("Its number").fill("NOBODY-0001")
        bare._expected = {404}
        bare.page.get_by_role("button", name="Find it").click()
        bare.see("We find nothing under this number")
        bare.go(f"{town.demo.url}/?number={told.reference}")
        linked.go(town.demo.url + told.track)
        bare.live(), linked.live()
        since = bare.navigations, linked.navigations
        at.kiosk.type(code_of(town, told))
        at.shut("thanks")
        bare.see("Collected", within_s=5)
        linked.see("Collected", within_s=5)
        assert (bare.navigations, linked.navigations) == since, "a page was loaded again"
        assert bare.faults == linked.faults == []


@pytest.mark.slow
def test_a_couriers_round_on_a_slow_phone(town: Town, operator: Shop, playwright: Any, tmp_path: Path) -> None:
    """Signs in, reads the round, looks a label up, reports a fault; without a signal in between nothing is lost."""
    told = town.run(town.people.order(STATION, (250, 180, 40, 600)))
    until(lambda: town.expects(STATION, told.reference), "the station has heard of it")
    with a_phone(playwright, tmp_path / "phone") as phone:
        page: PhonePage = phone()
        slow(page.page)
        sign_in(town, operator, page)
        page.worker_is_ready()
        page.see("Kluuvi")
        page.go(town.demo.url + f"/courier/scan?station={STATION}")
        page.read_typed(told.reference).says("This one is for here")
        phone.context.set_offline(True)
        page.page.goto(town.demo.url + f"/courier/problem?station={STATION}")
        page.page.get_by_label("Damaged").check()
        page.page.get_by_role("button", name="Report it").click()
        page.says("Noted").waits_for(1)
        phone.context.set_offline(False)
        page.page.evaluate("dispatchEvent(new Event('online'))")
        page.waits_for(0)
    cases = [each for each in operator.get("/cases").json()["cases"] if each["about"] == "reported_damaged"]
    assert STATION in {each["station"] for each in cases}


@contextmanager
def jammed(at: Standing, *doors: int) -> Iterator[None]:
    """They are mended, whatever was seen meanwhile: others go to the same doors."""
    for door in doors:
        at.here.boards.core.jam(door)
    try:
        yield
    finally:
        for door in doors:
            at.here.boards.core.jam(door, on=False)


def rested(at: Standing, door: int) -> None:
    until(lambda: not at.here.station.doors.rests_s(door), "its coil has rested after three pulses", within_s=40)


def fold(own: Watched, act: str) -> Any:
    """Unfolds the form of an act, and answers it."""
    found = own.page.locator(f"details:has(form[action$='/{act}'])")
    found.locator("summary").click()
    return found
