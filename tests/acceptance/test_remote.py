"""Opening from afar on a running town: the operator's API over real HTTP and a real line, and the recipient's page."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from acceptance.browsing import DESK, PHONE, KioskPage, Watched, chromium, visitor
from acceptance.openapi import Document
from acceptance.running import Town
from acceptance.shop import Shop, until
from acceptance.test_api import Proven
from parcelwall.web.kiosk import picture
from parcelwall.web.reader import renderer

pytestmark = pytest.mark.timeout(120)
STATION = "S-0002"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def operator(town: Town) -> Iterator[Proven]:
    """Every answer is held against the API's own document. Somebody of their own: doors that one person opens alone in
    ten minutes are counted over all files of tests that share this town."""
    document = Document(httpx.get(f"{town.demo.url}/docs/openapi.json", trust_env=False).json())
    key = town.run(town.demo.hub.admit("remote", "Rem", "operator"))
    client = Proven(town.demo.url, key, document)
    yield client
    client.close()


def heading_at(town: Town) -> tuple[str, int]:
    """What the screen says now, and in how many lines."""

    async def look() -> tuple[str, int]:
        shown = picture(town.demo.stations[STATION].station, renderer())
        return shown.heading, len(shown.lines)

    found: tuple[str, int] = town.run(look())
    return found


def shut(town: Town, door: int) -> None:
    """Somebody stands there and pushes it shut, again if it did not catch."""
    here = town.demo.stations[STATION]

    def seen_shut() -> bool:
        here.boards.push_closed(door)
        return here.station.kiosk.showing.screen not in ("open", "still-open")

    until(seen_shut, "the station sees it shut")
    town.leave(STATION)


def test_an_operator_opens_a_door_now_and_never_when_the_line_is_cut(town: Town, operator: Proven) -> None:
    body = {"compartment": 2, "reason": "reported stuck"}
    town.leave(STATION)
    opened = operator.post(f"/stations/{STATION}/open", body, key="open-1")
    assert opened.status_code == 200, opened.text
    assert opened.json() == {"order": opened.json()["order"], "station": STATION, "compartment": 2, "outcome": "opened"}
    assert heading_at(town) == ("The operator has opened door 2", 1), "nobody there is told to take anything"
    busy = operator.post(f"/stations/{STATION}/open", body | {"compartment": 3})
    assert (busy.status_code, busy.json()["reason"]) == (409, "door_busy")
    shut(town, 2)
    again = operator.post(f"/stations/{STATION}/open", body, key="open-1")
    assert again.json() == opened.json()
    line = town.demo.stations[STATION].line
    town.run(line.cut())
    pulses = len(town.demo.stations[STATION].boards.core.pulses)
    # Whoever asks in the moment before the hub notices has "unanswered", once the order is dead.
    ask_again = lambda: operator.post(f"/stations/{STATION}/open", body).json().get("reason")  # noqa: E731
    until(lambda: ask_again() == "station_offline", "the hub has noticed", within_s=40)
    line.mend()
    until(lambda: town.demo.stations[STATION].station.desk.online, "the line stands")
    time.sleep(1.0)  # what must not come has had its time
    assert len(town.demo.stations[STATION].boards.core.pulses) == pulses, "nothing was kept for later"


def test_a_carrier_opens_nothing(shop: Shop) -> None:
    answer = shop.post(f"/stations/{STATION}/open", {"compartment": 2, "reason": "let me see"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "no_right")


def test_i_am_here_open(town: Town, browser: Any) -> None:
    told, text = town.waiting_at(STATION)
    town.leave(STATION)
    with visitor(browser, DESK) as kiosks, visitor(browser, PHONE) as phones:
        kiosk, own = kiosks(KioskPage), phones(Watched)
        kiosk.go(town.demo.stations[STATION].kiosk_url)
        kiosk.live().screen("home").gates()
        shown = re.search(r"Number (\d{3})", kiosk.page.locator("#presence").inner_text())
        own.go(re.search(r"https?://\S+/p/\S+", text)[0])  # type: ignore[index]
        own.live()
        assert shown
        ask(own, f"{(int(shown[1]) + 1) % 1000:03d}")
        own.page.wait_for_selector(".said-no")
        own.gates(sideways=True)
        ask(own, shown[1])
        kiosk.screen("open")
        own.page.wait_for_url("**said=opened**")  # what the door does is told live, in place of words
        shut(town, int(kiosk.door))
        own.page.wait_for_selector("#parcel[data-stage=collected]")
        assert (kiosk.faults, own.faults) == ([], [])
    assert town.stage(told.reference) == "COLLECTED"


def ask(own: Watched, number: str) -> None:
    """In the language of whoever has the page."""
    fold = own.page.locator("details:has(form[action$='/open'])")
    fold.locator("summary").click()
    fold.locator("input").fill(number)  # the third digit sends it


@pytest.mark.slow
def test_somebody_else_collects_it(town: Town, browser: Any) -> None:
    told, text = town.waiting_at(STATION)
    town.leave(STATION)
    with visitor(browser, PHONE) as phones:
        own = phones(Watched)
        own.go(re.search(r"https?://\S+/p/\S+", text)[0])  # type: ignore[index]
        own.page.locator("form[action$='/grants'] button").click()
        theirs = own.page.locator(".other-link").input_value()
        own.gates(sideways=True)
        friend = phones(Watched)
        friend.go(theirs).wait_for_selector(".qr")
        friend.live().gates(sideways=True)
        shown = friend.page.content()
        assert told.reference not in shown and told.to not in shown, "nothing of whom it is for"
        own.page.bring_to_front()
        own.page.locator("form[action$='/revoke'] button").click()
        own.page.wait_for_selector(".acts:not(:has(#others))")
        assert own.page.locator(".other").count() == 0
        friend.go(theirs, 404)
        assert own.faults == []
    town.collect(told)
