"""Calls of the API that need a parcel behind a door: held against the same document as all others."""

import re
from collections.abc import Iterator

import httpx
import pytest

from acceptance.openapi import Document
from acceptance.running import Town
from acceptance.shop import until
from acceptance.test_api import Proven, said
from parcelwall.simulation.demo import COURIER

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def document(town: Town) -> Document:
    return Document(httpx.get(f"{town.demo.url}/docs/openapi.json", trust_env=False).json())


@pytest.fixture(scope="module")
def shop(town: Town, document: Document) -> Iterator[Proven]:
    client = Proven(town.demo.url, town.demo.carrier_key, document)
    yield client
    client.close()


@pytest.fixture(scope="module")
def operator(town: Town, document: Document) -> Iterator[Proven]:
    client = Proven(town.demo.url, town.demo.operator_key, document)
    yield client
    client.close()


@pytest.mark.slow  # needs a machine to itself
def test_a_parcel_behind_a_door(town: Town, shop: Proven, operator: Proven) -> None:
    told, letter = town.waiting_at("S-0002")
    parcel = shop.get("/parcels", reference=told.reference).json()["parcels"][0]["id"]
    assert said(shop.post(f"/parcels/{parcel}/extend", {"hours": 24})) == (200, "READY")
    for call, body in (("cancel", {}), ("divert", {}), ("reserve", {"destination": {"station_id": "S-0001"}})):
        assert said(shop.post(f"/parcels/{parcel}/{call}", body)) == (409, "already_deposited")
    own = re.search(r"http\S+/p/\S+", letter)
    assert own
    answer = httpx.post(f"{own[0]}/problem", data={"what": "door"}, trust_env=False)
    assert answer.status_code == 303
    case = until(lambda: about(operator, parcel), "the case is open")
    assert operator.post(f"/cases/{case}/close", {"outcome": "looked after"}).status_code == 200
    assert about(operator, parcel) is None
    again = operator.post(f"/cases/{case}/close", {"outcome": "looked after"})
    assert again.status_code in (200, 404, 409)  # closed is closed


def about(operator: Proven, parcel: str) -> str | None:
    """The open case about a parcel."""
    cases = operator.get("/cases").json()["cases"]
    return next((str(case["id"]) for case in cases if case.get("parcel") == parcel), None)


@pytest.mark.slow
def test_a_screen_is_told_over_the_line_where_a_label_belongs(town: Town, shop: Proven, operator: Proven) -> None:
    told = shop.announce(destination={"station_id": "S-0001"})
    kiosk, elsewhere = town.demo.stations["S-0002"].station.kiosk, town.demo.stations["S-0002"].station.elsewhere
    town.leave("S-0002")
    town.run(kiosk.sign_in(operator.courier_code("S-0002", COURIER)))
    town.run(kiosk.label(told["reference"]))
    assert kiosk.showing.screen == "unknown"
    place = until(lambda: elsewhere.place, "the hub has answered")
    assert place.name == town.demo.stations["S-0001"].station.desk.about.name
    town.leave("S-0002")
