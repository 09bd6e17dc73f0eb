"""A return from the shop's announcement to the courier: one life for who puts it in and who takes it out."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import httpx
import pypdfium2
import pytest

from acceptance.running import Town
from acceptance.shop import Shop, until
from parcelwall.hub.keys import link_hash
from parcelwall.simulation.demo import COURIER

pytestmark = pytest.mark.timeout(120)
SENDER = {"name": "Aino", "email": "aino.returns@example.org", "language": "en"}


def shut(here: Any, door: int, *then: str) -> None:
    """Pushes until the door catches, which it does not while its coil is driven; then the screen goes on."""

    def pushed() -> bool:
        here.boards.push_closed(door)
        return here.station.kiosk.showing.screen in then

    until(pushed, f"the screen shows {then}")


def own_link(town: Town, parcel: str) -> str:
    """As it stands in the list of whoever has the parcel's contact."""
    hub = town.demo.hub
    secret = hub.keys.link_token("recipient", UUID(parcel))
    row = "INSERT INTO link VALUES ($1, $2, 'recipient') ON CONFLICT DO NOTHING"
    town.run(hub.pool.execute(row, link_hash(secret), UUID(parcel)))
    return f"{town.demo.url}/p/{secret}"


def own_page(town: Town, parcel: str) -> str:
    """What the sender's phone shows."""
    return httpx.get(f"{own_link(town, parcel)}?lang=en", trust_env=False).text


def paper_of(town: Town, parcel: str) -> httpx.Response:
    return httpx.get(f"{own_link(town, parcel)}/receipt.pdf?lang=en", trust_env=False)


def refuse_other_than_the_page(paper: bytes, page: str, *wanted: str) -> None:
    """Whatever the paper says, but its labels, stands on the page."""
    said = set(pypdfium2.PdfDocument(paper)[0].get_textpage().get_text_range().splitlines())
    shown = unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page)))
    assert {each for each in said if each not in shown} <= {"Put in", "Station", "Address"}
    assert set(wanted) <= said


def test_a_return_goes_from_its_sender_to_a_courier(town: Town, shop: Shop) -> None:
    told = shop.announce(direction="return", recipient=SENDER, destination={"station_id": "S-0003"})
    send = shop.get(f"/parcels/{told['id']}/send-code").json()
    here = town.demo.stations["S-0003"]
    town.leave("S-0003")
    until(lambda: any(str(each.id) == told["id"] for each in here.station.desk.expected()), "the station expects it")

    page = own_page(town, told["id"])
    assert "Send it from Kruununhaka" in page and send["code"][:4] in page, "the sender's own page has the code"
    assert paper_of(town, told["id"]).status_code == 404, "nothing was put in"
    showing = town.run(here.station.kiosk.type_code(send["code"]))
    assert (send["station"], showing.screen) == ("S-0003", "send-size")
    showing = town.run(here.station.kiosk.act("size", showing.number, showing.found))
    assert showing.screen == "open"
    shut(here, showing.door, "send-done")
    receipt = here.station.kiosk.showing.receipt
    until(lambda: shop.stage(told["id"]) == "READY", "the hub hears of it")
    page = own_page(town, told["id"])
    assert "We have it at Kruununhaka" in page
    paper = paper_of(town, told["id"])
    assert (paper.headers["content-type"], receipt in paper.headers["content-disposition"]) == ("application/pdf", True)
    refuse_other_than_the_page(paper.content, page, receipt, told["reference"], "Kruununhaka")
    for never in ('class="qr"', send["code"][:4], "/open", "/grants", "/extend"):
        assert never not in page, "a sender has nothing to collect"
    refused = shop.get(f"/parcels/{told['id']}/send-code")
    assert (refused.status_code, refused.json()["reason"]) == (409, "wrong_stage")

    office = Shop(town.demo.url, town.demo.operator_key)
    town.leave("S-0003")
    assert town.run(here.station.kiosk.sign_in(office.courier_code("S-0003", COURIER))).courier == COURIER
    showing = town.run(here.station.kiosk.label(told["reference"]))
    assert (showing.screen, showing.refusal) == ("unknown", "already_deposited"), "bringing is not taking"
    town.run(here.station.kiosk.act("take", showing.number))
    while (showing := here.station.kiosk.showing).screen == "courier-out":
        door = town.run(here.station.kiosk.act("next", showing.number)).door
        shut(here, door, "courier-out", "courier-scan")
    until(lambda: shop.stage(told["id"]) == "COLLECTED", "the hub hears of it")
    mails = [mail for mail in town.demo.sink.mails() if mail.to == SENDER["email"]]
    assert len(mails) == 1 and "This is your receipt." in mails[0].text, "nobody is told to collect it"
    assert receipt in mails[0].text and receipt in own_page(town, told["id"])
    town.leave("S-0003")
    office.close()
    assert town.differences() == []


def test_a_delivery_has_no_send_code(shop: Shop) -> None:
    told = shop.announce()
    assert shop.get(f"/parcels/{told['id']}/send-code").status_code == 409
