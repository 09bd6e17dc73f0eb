"""Whoever reads a no gets it in a form for them: people a page in their language with a way on, programs a problem."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest_asyncio
from litestar import Request

from parcelwall.hub import accounts, signed_in, staff
from parcelwall.hub.house import Hub
from parcelwall.rules.facts import Granted
from parcelwall.web.app import BODY_LIMIT_BYTES, hub_app
from parcelwall.web.passkeys import cookie_name
from parcelwall.web.refused import is_for_people
from station.towns import a_hub, about, announcing

HERE = "https://parcels.example"
COURIER = UUID(int=7)
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
FOR_PROGRAMS = {
    "/link", "/enrol", "/metrics", "/health/live", "/health/ready", "/static/{build:str}/{name:path}", "/favicon.ico",
    "/map/{name:str}", "/docs/openapi.json", "/sw.js", "/me.webmanifest", "/courier/sw.js", "/courier/app.webmanifest",
    "/courier/label", "/courier/delegations",
}  # fmt: skip


class House(NamedTuple):
    hub: Hub
    browser: httpx.AsyncClient
    link: str
    parcel: UUID


@pytest_asyncio.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """A hub with a parcel on its way, and the browser of somebody who reads German and is signed in as everybody."""
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.public_url = HERE
        parcel = UUID((await hub.desk.ask(announcing("PW-1", "S-0001"))).body["id"])
        account = await accounts.open_account(hub)
        await accounts.join(hub, account, parcel)
        await accounts.parcels(hub, account)  # a list makes its parcels' links good
        await hub.grant(Granted(grant=hub.ids.new(), station="S-0001", may=("deposit",), courier=COURIER))
        transport = httpx.ASGITransport(hub_app(hub), raise_app_exceptions=False)
        headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "de"}
        async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=headers) as browser:
            key = await hub.admit("aada", "Aada", "admin")
            assert (await browser.post("/console/sign-in", data={"key": key})).status_code == 303
            for purpose, holder in (("recipient", account), ("courier", COURIER)):
                browser.cookies.set(cookie_name(hub, purpose), await signed_in.begin(hub, purpose, holder))  # type: ignore[arg-type]
            yield House(hub, browser, f"/p/{hub.keys.link_token('recipient', parcel)}", parcel)


def is_a_page(answer: httpx.Response, status: int, heading: str = "", way_on: str | None = None) -> None:
    """In German, with one heading, a sentence, and a button that leads on."""
    text = answer.text
    assert answer.status_code == status, (answer.request.url, answer.status_code, text[:300])
    assert answer.headers["content-type"].startswith("text/html"), (answer.request.url, text[:200])
    assert 'lang="de"' in text and text.count("<h1") == 1
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert heading in text, (heading, re.search(r"<h1.*?</h1>", text))
    leads = re.findall(r'<a class="button[^"]*" href="([^"]*)"', text)
    assert leads[:1] == [way_on] if way_on is not None else leads or "<button" in text, (answer.request.url, leads)


async def test_a_link_that_leads_nowhere_and_a_form_that_is_none(house: House) -> None:
    browser, link = house.browser, house.link
    is_a_page(await browser.get("/nowhere"), 404, "Hier ist nichts", "/")
    is_a_page(await browser.post("/p/unknown/extend", data={"from": "x"}), 404, "Dieser Link", "/")
    is_a_page(await browser.get("/courier/stop/S-0404"), 404, "Hier ist nichts", "/courier")
    is_a_page(await browser.get("/console/stations/S-0404"), 404, way_on="/console")
    is_a_page(await browser.get(f"{link}/extend"), 405, "Das hat nicht geklappt", link)
    is_a_page(await browser.delete("/courier"), 405, "Das hat nicht geklappt", "/courier")
    is_a_page(await browser.post("/console/policy/x"), 404, way_on="/console")
    is_a_page(await browser.post("/me/prefs", data={"language": "xx"}), 400, "Etwas fehlt oder ist vertippt", "/me")


async def test_what_is_too_large_and_too_often(house: House) -> None:
    large = {"number": "9" * (BODY_LIMIT_BYTES + 1)}
    for path, way_on in ((f"{house.link}/open", house.link), ("/courier/sign-in", "/courier"), ("/me/number", "/me")):
        is_a_page(await house.browser.post(path, data=large), 413, way_on=way_on)
    is_a_page(await house.browser.post("/console/sites", data=large), 413, way_on="/console")
    for _ in range(10):
        await house.browser.post("/console/sign-in", data={"key": "wrong"})
    often = await house.browser.post("/console/sign-in", data={"key": "wrong"})
    is_a_page(often, 429, "Zu viele Versuche", "/console")
    assert int(often.headers["retry-after"]) > 0 and re.search(r"Pause: \d+", often.text)


async def test_what_another_site_has_sent_and_what_a_signed_out_browser_sends(house: House) -> None:
    browser = house.browser
    for path, way_on in ((f"{house.link}/keep", house.link), ("/me/close", "/me"), ("/courier/sign-out", "/courier")):
        is_a_page(await browser.post(path, headers=FOREIGN), 403, "Das hat nicht geklappt", way_on)
    is_a_page(await browser.post("/console/policy", headers=FOREIGN), 403, way_on="/console")
    is_a_page(await browser.post("/console/policy", data={"slip": "old"}), 409, way_on="/console")
    browser.cookies.clear()
    is_a_page(await browser.post("/me/prefs", data={"language": "de"}), 401, "Melden Sie sich zuerst an", "/me")
    is_a_page(await browser.get("/me/number"), 401, "Melden Sie sich zuerst an", "/me")


async def test_a_lost_database_is_no_end_of_the_road(house: House) -> None:
    await house.hub.pool.execute("ALTER TABLE link RENAME TO link_gone")
    broken = await house.browser.get(house.link)
    await house.hub.pool.execute("ALTER TABLE link_gone RENAME TO link")
    is_a_page(broken, 500, "Hier ist etwas kaputt", "")
    await house.hub.pool.close()
    lost = await house.browser.get(house.link)
    is_a_page(lost, 503, "Wir können gerade nicht antworten", "")
    assert lost.headers["retry-after"] == "2"


ASKED = ("number", "station", "to", "back", "said", "q", "no", "token", "after")
FIELDS = ("number", "code", "name", "key", "what", "kind", "back", "from", "to", "id", "language", "station", "area",
          "text_en", "until", "host", "reason", "hours", "do", "version", "role")  # fmt: skip


async def test_a_nul_is_refused_wherever_it_is_typed(house: House) -> None:
    browser, slip = house.browser, staff.slip_of(house.browser.cookies[cookie_name(house.hub, "operator")])
    known = {"secret": house.link.rpartition("/")[2], "station": "S-0001", "parcel": str(house.parcel)}
    nothing = {"str": "%00", "path": "%00", "uuid": str(UUID(int=4)), "int": "0"}
    asks = [path for path in addresses(browser) if is_for_people(asked(path)) and path != "/courier/outbox"]
    for path in sorted(asks):
        for places in (known, {}):
            there = re.sub(r"{(\w+):(\w+)}", lambda one, at=places: at.get(one[1], nothing[one[2]]), path)  # type: ignore[misc]
            told = await browser.get(there, params=dict.fromkeys(ASKED, "\x00"))
            heard = await browser.post(there, data=dict.fromkeys(FIELDS, "\x00") | {"slip": slip})
            for answer in (told, heard):
                assert answer.status_code < 500, (answer.request.method, there, answer.text)
                if answer.status_code >= 400:
                    is_a_page(answer, answer.status_code)


def addresses(browser: Any) -> set[str]:
    """All of the hub's, as they are written in the code."""
    whole = browser._transport.app._app._app._app
    return {route.path for route in whole.routes if not route.path.startswith("/docs-not-served")}


def asked(path: str, method: str = "GET") -> Request[Any, Any, Any]:
    scope: Any = {"type": "http", "method": method, "path": path, "root_path": "", "query_string": b"", "headers": [],
                  "server": ("hub.test", 80), "scheme": "http"}  # fmt: skip
    return Request(scope)


async def test_every_address_is_for_people_or_is_named_as_one_for_programs(house: House) -> None:
    scripts = re.compile(r".*/(begin|finish|events)")
    for path in addresses(house.browser):
        is_programs = path in FOR_PROGRAMS or path.startswith("/api/v1") or scripts.fullmatch(path)
        assert is_for_people(asked(path)) != bool(is_programs), path
    assert not is_for_people(asked("/courier/outbox", "POST")) and is_for_people(asked("/courier/outbox"))
    assert not is_for_people(asked("/api/v1/stations/S-0001\n")), "a program that asks oddly is a program"


async def test_programs_and_scripts_have_a_problem(house: House) -> None:
    browser, link = house.browser, house.link
    asked = [
        browser.get("/api/v1/parcels"), browser.get("/api/v1/nothing"), browser.post(f"{link}/qr/begin"),
        browser.post("/me/passkey/begin", headers=FOREIGN), browser.post("/courier/outbox", content=b"{"),
        browser.post("/courier/label", json={"label": ""}), browser.post("/enrol", json={}), browser.get("/static/x/y"),
        browser.get("/nowhere", headers={"Accept": "application/json"}),
        browser.post("/console/me/passkey/begin", headers=FOREIGN),
    ]  # fmt: skip
    for answer in [await each for each in asked]:
        assert answer.status_code >= 400, answer.request.url
        assert answer.headers["content-type"] == "application/problem+json", answer.request.url
        assert answer.json()["reason"] and answer.headers["x-content-type-options"] == "nosniff"
