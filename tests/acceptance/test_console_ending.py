"""At the console: what nobody else can end. A promise that its carrier left behind, and a parcel that was stolen."""

from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.browsing import PHONE, Watched, chromium, sync_api, visitor
from acceptance.office import Desk, office
from acceptance.running import Town
from acceptance.shop import Shop, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
STATION = "S-0003"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def end(desk: Desk, fold: str, reason: str, words: str, button: str) -> None:
    """One of the two folds of a parcel's page, opened, filled in and sent."""
    form = desk.page.locator(f"#fold-{fold}")
    form.locator("summary").click()
    form.locator("select[name=reason]").select_option(reason)
    form.locator("input[name=words]").fill(words)
    if form.locator("input[name=sure]").count():
        form.locator("input[name=sure]").check()
    desk.gates()
    desk.press(button, f"#fold-{fold}")


def test_a_promise_that_its_carrier_left_behind_is_cancelled(town: Town, shop: Shop, browser: Any) -> None:
    reference = shop.announce()["reference"]
    with office(browser, town) as people:
        noor: Desk = people().enter("operator")
        noor.find(reference)
        end(noor, "cancel", "carrier_gone", "ask ada@example.org", "Cancel it")
        noor.said("Check what you typed")
        end(noor, "cancel", "carrier_gone", "since Monday", "Cancel it")
        noor.said("Cancelled")
        row = noor.page.locator("tr", has_text="its carrier does not answer any more: since Monday")
        sync_api.expect(row).to_contain_text("Cancelled")
        assert noor.page.locator("#fold-cancel, #fold-write-off").count() == 0
        assert town.stage(reference) == "CANCELLED"
        noor.gates()


def test_what_was_stolen_is_written_off_and_its_door_is_held(town: Town, browser: Any) -> None:
    """The page asks twice; the recipient's page, which is open, says that it is lost; the case gives the door back."""
    told, mail = town.waiting_at(STATION)
    town.leave(STATION)
    door = town.behind(STATION, told.reference)
    link = next(word for word in mail.split() if "/p/" in word)
    with office(browser, town) as people, visitor(browser, PHONE) as phones:
        ada: Watched = phones(Watched)
        ada.go(link + "?lang=en")
        noor: Desk = people().enter("operator")
        noor.find(told.reference)
        noor.page.locator("#fold-write-off summary").click()
        noor.page.locator("#fold-write-off select[name=reason]").select_option("stolen")
        noor.page.locator("#fold-write-off button").click()
        assert town.stage(told.reference) == "READY", "the browser asks for the second yes"
        noor.find(told.reference)
        end(noor, "write-off", "stolen", "the door was broken open", "Write it off")
        noor.said("Written off")
        noor.see("it was stolen: the door was broken open")
        ada.see("It is lost")
        ada.gates(sideways=True)
        assert town.stage(told.reference) == "WRITTEN_OFF"
        case = noor.page.locator(".need", has_text="A parcel was written off, and may lie there still")
        sync_api.expect(case).to_contain_text("Look behind the door")
        noor.open(f"/console/stations/{STATION}?door={door}").see("It is out of order.")
        noor.gates()
        noor.open("/console/needs")
        case = noor.page.locator(".need", has_text="A parcel was written off").first
        case.locator("[id^=close-] > summary").click()
        case.locator("input[name=outcome]").fill("it is empty")
        noor.press("Close it", ".need:has(details[open])").said("The case is closed.")
        noor.open(f"/console/stations/{STATION}?door={door}").see("It is free.")
    until(lambda: town.differences() == [], "the station has heard of it and all books agree")
