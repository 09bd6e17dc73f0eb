"""The journey of a parcel through every face, in several browsers at once: real pages, real pads, real serial doors.

The shop uses the API; courier and recipient touch the kiosk; hands pull and push on the demo's page of doors. Nobody
reloads a page: what has happened is on it.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from acceptance.browsing import DESK, PHONE, KioskPage, PretendPage, Watched, chromium, visitor
from acceptance.running import Town
from acceptance.shop import Shop, a_reference, until
from parcelwall.simulation.demo import COURIER

pytestmark = pytest.mark.timeout(120)
_marks = (f"marked{number}" for number in count(1))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def kiosk(browser: Any, town: Town) -> Iterator[KioskPage]:
    town.leave("S-0001")
    with visitor(browser, DESK) as open_page:
        page = open_page(KioskPage)
        page.go(town.demo.stations["S-0001"].kiosk_url)
        page.live().screen("home")
        yield page
        assert page.faults == []


@pytest.fixture
def doors(browser: Any, town: Town) -> Iterator[PretendPage]:
    with visitor(browser, DESK) as open_page:
        page = open_page(PretendPage)
        page.go(f"{town.demo.url}/pretend/S-0001")
        page.live()
        yield page
        assert page.faults == []


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    with visitor(browser, PHONE) as open_page:
        yield open_page


class Follower:
    """Somebody at home with two tracking pages open: one by the bare number, one by the link."""

    def __init__(self, town: Town, open_page: Any, told: dict[str, Any]) -> None:
        self.bare, self.linked = open_page(), open_page()
        self.bare.go(f"{town.demo.url}/")
        self.bare.page.get_by_label("Its number").fill(f" {told['reference'].lower()} ")
        self.bare.page.get_by_role("button", name="Find it").click()
        self.linked.go(town.demo.url + told["track"])
        self.since = {each: each.live().navigations for each in self.pages}

    @property
    def pages(self) -> tuple[Watched, Watched]:
        return self.bare, self.linked

    def see(self, words: str, linked: str) -> None:
        """Both pages say so, by themselves."""
        self.bare.see(words)
        self.linked.see(linked)
        assert all(each.navigations == self.since[each] for each in self.pages), "a page was loaded again"

    def gates(self) -> None:
        for each in self.pages:
            each.gates(sideways=True)


def sign_in(kiosk: KioskPage, operator: Shop) -> None:
    kiosk.tap("Courier").screen("courier-in")
    kiosk.type(operator.courier_code("S-0001", COURIER)).screen("courier-scan")


def somebody() -> dict[str, str]:
    """A person whose name, mail and phone stand nowhere else, so that each can be searched for."""
    mark = next(_marks)
    return {"name": f"Zoltanina {mark}quix", "email": f"{mark}@example.org", "phone": "+358401112233", "language": "en"}


def mail_to(page: Watched, town: Town, person: dict[str, str]) -> str:
    """Opens the person's mail once the list shows it by itself. Answers its text."""
    page.go(f"{town.demo.url}/mails")
    page.live().see(person["email"])
    page.page.get_by_role("row").filter(has_text=person["email"]).get_by_role("link").click()
    page.page.wait_for_selector(".letter-body")
    return str(page.page.locator(".letter-body").inner_text())


def code_in(letter: str) -> str:
    found = re.search(r"\b(\d{4}) (\d{4})\b", letter)
    assert found, letter
    return found[1] + found[2]


def expected_there(town: Town, *parcels: dict[str, Any]) -> None:
    for each in parcels:
        until(lambda each=each: town.expects("S-0001", each["reference"]), "the station expects the parcel")


def test_a_delivery_from_the_api_to_the_recipients_hands(
    town: Town, shop: Shop, operator: Shop, kiosk: KioskPage, doors: PretendPage, phone: Any, tmp_path: Any
) -> None:
    person = somebody()
    told = shop.announce(reference=a_reference(), recipient=person)
    home = Follower(town, phone, told)
    home.see("Announced", "The shop has told us")
    home.gates()
    shop.report(told["reference"], "out_for_delivery")
    home.see("Out for delivery today", "Kluuvi")

    kiosk.gates()
    kiosk.tap("Courier").screen("courier-in").gates()
    kiosk.type(operator.courier_code("S-0001", COURIER)).screen("courier-scan").gates()
    expected_there(town, told)
    doors.scan(told["reference"])
    kiosk.screen("open").gates()
    door = kiosk.door
    doors.push_shut()
    kiosk.screen("courier-scan").see(f"Door {door}: the one ending {told['reference'][-4:]} is in.")
    kiosk.tap("Finish").screen("courier-bye").tap("Finish").screen("home")
    home.see("Ready to collect", "Waiting at Kluuvi")
    home.gates()

    mails = phone()
    code = code_in(mail_to(mails, town, person))
    mails.see(f"Ready at Kluuvi, door {door}")
    mails.gates()
    own = mails.follow("/p/").live()
    own.see(code)
    own.gates(sideways=True)
    since = own.navigations
    token = read_qr(own, tmp_path)
    assert token.startswith("PW1:") and code not in token

    kiosk.type("00000000").screen("wrong").see("4 tries left")
    kiosk.gates()
    kiosk.type(code).screen("open")
    assert kiosk.door == door
    doors.push_shut()
    kiosk.screen("thanks").gates()
    home.see("Collected", "Collected")
    own.see("Collected")
    own.gates(sideways=True)
    assert own.navigations == since
    assert code not in own.page.content()


def test_the_qr_opens_the_door_without_a_tap(
    town: Town, shop: Shop, operator: Shop, kiosk: KioskPage, doors: PretendPage, phone: Any, tmp_path: Any
) -> None:
    """Of a parcel that asks for it: neither mail nor page has a code to type."""
    person = somebody()
    told = shop.announce(reference=a_reference("AB-1CD"), recipient=person, proof="token")
    expected_there(town, told)
    sign_in(kiosk, operator)
    doors.scan(told["reference"])
    kiosk.screen("open")
    door = kiosk.door
    doors.push_shut()
    kiosk.screen("courier-scan").tap("Finish").screen("courier-bye").tap("Finish").screen("home")
    mails = phone()
    mail_to(mails, town, person)
    own = mails.follow("/p/").live()
    own.gates()
    assert own.page.locator(".code").count() == 0
    doors.scan(read_qr(own, tmp_path))
    kiosk.screen("open")
    assert kiosk.door == door
    doors.push_shut()
    kiosk.screen("thanks")
    own.see("Collected")


def read_qr(own: Watched, folder: Any) -> str:
    """What the reader at the station would read from the phone's screen."""
    path = folder / "qr.png"
    own.page.locator(".qr").screenshot(path=path)
    found = zxingcpp.read_barcode(Image.open(path))
    assert found is not None
    return str(found.text)


def test_a_station_that_is_cut_off_works_and_catches_up(
    town: Town, shop: Shop, operator: Shop, kiosk: KioskPage, doors: PretendPage, phone: Any
) -> None:
    people = somebody(), somebody()
    first, second = (shop.announce(reference=a_reference("AB-1CD"), recipient=person) for person in people)
    expected_there(town, first, second)
    sign_in(kiosk, operator)
    kiosk.tap("Type a label").screen("courier-label").gates()
    kiosk.type_label(first["reference"]).screen("open")
    doors.push_shut()
    kiosk.screen("courier-scan")
    mails = phone()
    code = code_in(mail_to(mails, town, people[0]))
    of_first, of_second = (Follower(town, phone, each) for each in (first, second))

    doors.cut()
    kiosk.page.get_by_text("This station works on its own now").wait_for()
    doors.scan(second["reference"])
    kiosk.screen("open").gates()
    doors.push_shut()
    kiosk.screen("courier-scan").tap("Finish").screen("courier-sync")  # the courier's phone may carry it to the hub
    kiosk.tap("Finish").screen("courier-bye").tap("Finish").screen("home")
    kiosk.type(code).screen("open")
    doors.push_shut()
    kiosk.screen("thanks")
    assert (shop.stage(first["id"]), shop.stage(second["id"])) == ("READY", "RESERVED")

    doors.mend()
    of_first.see("Collected", "Collected")
    of_second.see("Ready to collect", "Waiting at Kluuvi")
    kiosk.page.get_by_text("This station works on its own now").wait_for(state="hidden")
    assert code_in(mail_to(mails, town, people[1])) != code
    assert mails.faults == []
