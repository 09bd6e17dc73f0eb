"""A courier at a station that is dark: the phone answers its screen, and carries what it has written to the hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acceptance.browsing import DESK, KioskPage, visitor
from acceptance.courier_phone import a_phone, loop_of, seen, sign_in
from acceptance.running import SMALL, Town
from acceptance.shop import Shop, until
from web.gallery import CHROMIUM

pytestmark = pytest.mark.timeout(180)
STATION = "S-0003"


@pytest.mark.slow
def test_the_phone_answers_the_screen_and_a_planned_parcel_needs_no_tap(
    town: Town, operator: Shop, playwright: Any, disk: Path
) -> None:
    here = town.demo.stations[STATION]
    told = town.run(town.people.order(STATION, SMALL))
    until(lambda: town.expects(STATION, told.reference), "the station has heard of it")
    with a_phone(playwright, disk) as phone, chromium_page(playwright) as opened:
        page = sign_in(town, operator, phone())
        page.worker_is_ready()
        until(lambda: page.page.evaluate("outbox.get('kept', 'delegations').then((d) => d?.list.length ?? 0)") == 3,
              "the phone has the hub's word")  # fmt: skip
        phone.context.set_offline(True)
        town.run(here.line.cut())
        kiosk = opened(KioskPage)
        town.leave(STATION)
        kiosk.go(here.kiosk_url)
        kiosk.tap("Courier").screen("courier-in")
        _, challenge = seen(kiosk.page.locator(".kchallenge-code"))
        assert challenge.startswith("PWC:")
        page.page.goto(town.demo.url + "/courier/scan")
        page.read_typed(challenge).says("Now hold this to the reader")
        _, answer = seen(page.page.locator("[data-canvas]"))
        assert answer.startswith("PW2:")
        town.run(here.station.kiosk.scanned(answer))
        kiosk.screen("courier-scan")
        taps = 0
        town.run(here.station.kiosk.scanned(told.reference))
        kiosk.screen("open")
        assert taps == 0, "scan, and no tap"
        shut(town, int(kiosk.door))
        kiosk.screen("courier-scan")
        carried_by_phone(town, operator, playwright, disk, kiosk, told, phone)


def carried_by_phone(
    town: Town, operator: Shop, playwright: Any, disk: Path, kiosk: KioskPage, told: Any, phone: Any
) -> None:
    """The round ends at the dark station; the phone films the codes, and hands over what it has when it can."""
    here, before = town.demo.stations[STATION], len(town.demo.sink.mails())
    kiosk.tap("Finish").screen("courier-sync")
    film = loop_of(kiosk)
    phone.context.close()
    with a_phone(playwright, disk, sees=film) as phone_again:
        phone_again.context.set_offline(True)
        page = phone_again()
        page.page.goto(town.demo.url + "/courier/carry")
        page.page.get_by_role("button", name="Use the camera").click()
        page.says("All read.").waits_for(1)
        assert town.stage(told.reference) == "RESERVED", "the hub has not heard"
        phone_again.context.set_offline(False)
        page.page.evaluate("dispatchEvent(new Event('online'))")
        page.waits_for(0)
        assert town.stage(told.reference) == "READY"
        until(lambda: len(town.demo.sink.mails()) > before, "the recipient has heard, and the station is dark")
        page.page.get_by_role("button", name="Show the answer").click()
        unsent = here.station.kiosk.by_phone.road
        for _ in range(200):
            _, text = seen(page.page.locator("[data-canvas]"))
            if text:
                town.run(here.station.kiosk.scanned(text))
            if not town.run(_unsent(unsent)):
                break
            page.page.wait_for_timeout(50)
        kiosk.see("The hub has it all")
        kiosk.gates()
    here.line.mend()
    town.leave(STATION)
    until(lambda: here.station.desk.online, "the line stands")


async def _unsent(road: Any) -> int:
    return int(road.unsent)


def shut(town: Town, door: int) -> None:
    here = town.demo.stations[STATION]

    def seen_shut() -> bool:
        here.boards.push_closed(door)
        return here.station.kiosk.showing.screen not in ("open", "still-open", "opening")

    until(seen_shut, "the station sees it shut")


@contextmanager
def chromium_page(playwright: Any) -> Iterator[Any]:
    """A screen of a station beside the phone, in a browser of its own."""
    browser = playwright.chromium.launch(**CHROMIUM)
    with visitor(browser, DESK) as page:
        yield page
    browser.close()
