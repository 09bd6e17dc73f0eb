"""Who may do what at the console: every route by every role, asked for at the station that it is about."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest_asyncio

from parcelwall.clock import SystemClock
from parcelwall.hub import house, staff
from parcelwall.hub.cases import HoldDoor
from parcelwall.ids import Ids
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.rights import RIGHTS, ROLES
from parcelwall.rules.tables import AdmissionRow
from parcelwall.web.app import hub_app
from parcelwall.web.console.pages import PAGES

NOBODY = "0198f000-0000-7000-8000-000000000001"
AREA = "S-0001"  # everybody but the admin of everywhere is for this station
ELSEWHERE = "S-0002"
# route -> the right it asks for, and the form that is sent; {station}, {parcel} and {case} are filled in
GETS = {
    "/console": "see", "/console/events": "see", "/console/needs": "see", "/console/needs/events": "see",
    "/console/stations/{station}": "see", "/console/stations/{station}/events": "see", "/console/parcels": "find",
    "/console/parcels/{parcel}": "find", "/console/longer": "extend", "/console/couriers": "couriers",
    "/console/numbers": "see", "/console/numbers/use.csv?station={station}": "export", "/console/sites": "see",
    "/console/policy": "see", "/console/people": "people", "/console/me": "see", "/console/wall": "see",
    "/console/wall/events": "see", "/console/stations/{station}/write-off": "end",
    "/console/stations/{station}/expired": "end", "/console/stations/{station}/expired/events": "end",
    "/console/journal?station={station}": "see",
}  # fmt: skip
POSTS: dict[str, tuple[str, dict[str, str]]] = {
    "/console/cases/{case}/send": ("hold", {"words": "a technician, by 16:00"}),
    "/console/cases/{case}/tell": ("extend", {}),
    "/console/cases/{case}/close": ("hold", {"outcome": "looked"}),
    "/console/stations/{station}/open": ("open", {"door": "1", "reason": "look"}),
    "/console/stations/{station}/hold": ("hold", {"door": "2", "words": "hinge"}),
    "/console/stations/{station}/screen": ("hold", {"do": "off"}),
    "/console/stations/{station}/write-off": ("end", {"parcels": "1", "reason": "stolen", "sure": "yes"}),
    "/console/stations/{station}/expired": ("end", {"all": "1", "reason": "room"}),
    "/console/parcels": ("find", {"asked": "PW-1"}), "/console/parcels/{parcel}/reveal": ("reveal", {"reason": "look"}),
    "/console/parcels/{parcel}/extend": ("extend", {}),
    "/console/parcels/{parcel}/write-off": ("end", {"reason": "stolen", "sure": "yes"}),
    "/console/parcels/{parcel}/cancel": ("end", {"reason": "carrier_gone"}),  # then it is in nobody's area
    "/console/longer": ("extend", {"station": "{station}", "hours": "2", "reason": "storm", "do": "count"}),
    "/console/couriers/admit": ("couriers", {"station": "{station}"}),
    "/console/couriers/revoke": ("couriers", {"station": "{station}", "grant": NOBODY}),
    "/console/sites": ("sites", {"station": "{station}", "host": "Ltd"}),
    "/console/sites/papers": ("sites", {"station": "{station}"}),
    "/console/sites/papers/delete": ("sites", {"station": "{station}", "digest": "00"}),
    "/console/sites/photo": ("sites", {"station": "{station}", "do": "remove"}),
    "/console/policy": ("policy", {"version": "1"}), "/console/people/admit": ("people", {"id": "", "role": "viewer"}),
    "/console/people/change": ("people", {"id": "nobody", "role": "viewer"}),
}  # fmt: skip
EVERYWHERE_ONLY = {"people", "policy"}
OPEN_TO_ALL = {"/console/sign-in", "/console/sign-in/passkey/begin", "/console/sign-in/passkey/finish"}
OWN = {"/console/sign-out", "/console/me/passkey/begin", "/console/me/passkey/finish", "/console/me/passkey/end"}
ELSEWHERE_TESTED = {"/console/cases/{case}/photos/{index}",  # below
                    "/console/sites/papers/{station}/{digest}",  # test_site_papers.py
                    "/console/couriers/{courier}/round",  # test_round_order.py
                    "/console/acts/{act}/agree", "/console/acts/{act}/withdraw",  # test_console_acts.py
                    "/console/acts/{act}/agree/begin", "/console/acts/{act}/agree/finish",  # there, too
                    "/console/stations/{station}/open/begin", "/console/stations/{station}/open/finish",
                    "/console/stations/{station}/expired/begin",  # test_console_expired.py
                    "/console/stations/{station}/expired/finish"}  # fmt: skip


class Office:
    """A hub with two stations, a parcel and a case at each, and a browser for every role."""

    def __init__(self, hub: house.Hub, browsers: dict[str, httpx.AsyncClient], filled: dict[str, Any]) -> None:
        self.hub, self.browsers, self.filled = hub, browsers, filled
        self.slips: dict[str, str] = {}

    async def get(self, who: str, path: str, at: str = AREA) -> int:
        path = path.format(**self.filled[at])
        if not path.endswith("/events"):
            return (await self.browsers[who].get(path)).status_code
        async with self.browsers[who].stream("GET", path) as answer:
            return answer.status_code

    async def post(self, who: str, path: str, form: dict[str, str], at: str = AREA, slip: str = "") -> httpx.Response:
        known = self.filled[at]
        sent = {name: value.format(**known) for name, value in form.items()} | {"slip": slip or self.slips[who]}
        return await self.browsers[who].post(path.format(**known), data=sent)


async def _filled(hub: house.Hub, carrier: httpx.AsyncClient, station: str) -> dict[str, str]:
    body = {"reference": f"PW-{station}", "length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900,
            "recipient": {"name": "Ada Lovelace", "email": "ada@example.org"},
            "destination": {"station_id": station}}  # fmt: skip
    parcel = (await carrier.post("/api/v1/parcels", json=body, headers={"Idempotency-Key": station})).json()["id"]
    case = (await hub.desk.ask(HoldDoor(station=station, compartment=3))).body["case"]
    return {"station": station, "parcel": parcel, "case": case}


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    clock = SystemClock()
    async with house.serving(database, tmp_path, clock, Ids(clock)) as hub:
        for number, station in enumerate((AREA, ELSEWHERE)):
            await hub.configure(StationConfigured(station=station, name=f"Kluuvi {number}", address="Here 1", lat=60.17,
                                                  lon=24.94, layout=plain_layout("SSM SSM")), joined=True)  # fmt: skip
        keys = {role: await hub.admit(role, role.title(), role, () if role == "admin" else [AREA]) for role in ROLES}
        transport = httpx.ASGITransport(hub_app(hub))
        browsers = {role: httpx.AsyncClient(transport=transport, base_url="http://hub.test") for role in (*ROLES, "no")}
        carrier = httpx.AsyncClient(transport=transport, base_url="http://hub.test")
        carrier.headers["Authorization"] = f"Bearer {await hub.admit('acme', 'Acme')}"
        desk = Office(hub, browsers, {name: await _filled(hub, carrier, name) for name in (AREA, ELSEWHERE)})
        for role, key in keys.items():
            entered = await browsers[role].post("/console/sign-in", data={"key": key})
            assert entered.status_code == 303 and "SameSite=strict" in entered.headers["set-cookie"]
            assert "HttpOnly" in entered.headers["set-cookie"]
            secret = browsers[role].cookies["pw-operator"]
            desk.slips[role] = staff.slip_of(secret)
        yield desk
        for browser in (*browsers.values(), carrier):
            await browser.aclose()


def test_every_route_of_the_console_is_in_these_tables() -> None:
    found = {
        re.sub(r":\w+", "", path).replace("{name}", "use.csv") for handler in PAGES for path in handler.paths
    }
    listed = {path.partition("?")[0] for path in (*GETS, *POSTS)} | OPEN_TO_ALL | OWN | ELSEWHERE_TESTED
    assert found == listed


async def test_every_page_by_every_role(office: Office) -> None:
    for path, right in GETS.items():
        for role in ROLES:
            allowed = right in RIGHTS[role] and (role == "admin" or right not in EVERYWHERE_ONLY)
            expected = 200 if allowed else 404 if path.endswith("{parcel}") else 403
            if not path.endswith("/events") or not allowed:  # an open stream would never end here: test_console_live
                assert await office.get(role, path) == expected, (path, role)


async def test_every_act_by_every_role(office: Office) -> None:
    for path, (right, form) in POSTS.items():
        for role in ROLES:
            allowed = right in RIGHTS[role] and (role == "admin" or right not in EVERYWHERE_ONLY)
            answer = await office.post(role, path, form)
            assert (answer.status_code in (200, 303)) == allowed, (path, role, answer.status_code)
            if not allowed:
                assert answer.status_code in (403, 404), (path, role)


async def test_nobody_acts_or_looks_outside_their_area(office: Office) -> None:
    for path, (right, form) in POSTS.items():
        if right in EVERYWHERE_ONLY or path == "/console/parcels":
            continue
        answer = await office.post("operator", path, form, at=ELSEWHERE)
        planner = await office.post("planner", path, form, at=ELSEWHERE)
        assert {answer.status_code, planner.status_code} <= {403, 404}, path
    for path in ("/console/stations/{station}", "/console/parcels/{parcel}", "/console/numbers?station={station}"):
        assert await office.get("operator", path, at=ELSEWHERE) in (403, 404)
    assert "Kluuvi 1" not in (await office.browsers["operator"].get("/console")).text
    assert "Kluuvi 1" in (await office.browsers["admin"].get("/console")).text


async def test_a_form_of_another_site_does_nothing(office: Office) -> None:
    for path, (_, form) in POSTS.items():
        assert (await office.post("admin", path, form, slip="0" * 32)).status_code == 409, path
    stranger = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    browser = office.browsers["admin"]
    sent = await browser.post("/console/sites", data={"slip": office.slips["admin"], "station": AREA}, headers=stranger)
    assert sent.status_code == 403
    assert await office.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'SiteNoted'") == 0


async def test_without_a_sign_in_there_is_only_its_page(office: Office) -> None:
    for path in (*GETS, *POSTS):
        answer = await office.browsers["no"].get(path.format(**office.filled[AREA]))
        if path.endswith("/events"):  # a page of HTML would count as a stream that came back
            assert answer.status_code == 401, path
        elif answer.status_code != 405:
            assert answer.status_code == 303 and answer.headers["location"].startswith("/console/sign-in"), path
    assert (await office.browsers["no"].post("/console/policy", data={})).status_code == 303


async def test_whoever_sends_a_form_after_the_sign_in_has_ended_comes_back_to_its_page(office: Office) -> None:
    pages = {path.partition("?")[0].format(**office.filled[AREA]) for path in GETS}
    for path in (*POSTS, "/console/acts/{case}/agree", "/console/me/passkey/end", "/console/stations/{station}/open"):
        sent = path.format(**office.filled[AREA])
        answer = await office.browsers["no"].post(sent, data={})
        there = unquote(answer.headers["location"].partition("/console/sign-in?to=")[2])
        assert there in pages - {"/console"} and (sent.startswith(there) or there == "/console/needs"), (sent, there)
    wrong = {"key": "x", "to": "/console/sites?station=S-0001&a=b"}
    again = (await office.browsers["no"].post("/console/sign-in", data=wrong)).headers["location"]
    assert parse_qs(urlsplit(again).query)["to"] == [wrong["to"]]


async def test_who_is_sent_away_is_out_at_once_and_the_last_admin_stays(office: Office) -> None:
    form = {"id": "viewer", "do": "away"}
    assert (await office.post("admin", "/console/people/change", form)).headers["location"].endswith("said=away")
    assert (await office.browsers["viewer"].get("/console")).status_code == 303
    stays = await office.post("admin", "/console/people/change", {"id": "admin", "do": "away"})
    assert stays.headers["location"].endswith("no=no_right")
    demoted = await office.post("admin", "/console/people/change", {"id": "admin", "role": "viewer"})
    assert demoted.headers["location"].endswith("no=no_right")


async def test_a_person_is_masked_and_shown_only_for_a_reason_that_is_written_down(office: Office) -> None:
    parcel = office.filled[AREA]["parcel"]
    masked = await office.browsers["operator"].get(f"/console/parcels/{parcel}")
    assert "Lovelace" not in masked.text and "ada@example.org" not in masked.text and "A… L…" in masked.text
    none = await office.post("operator", "/console/parcels/{parcel}/reveal", {"reason": ""})
    assert none.status_code == 303 and "Lovelace" not in none.text
    shown = await office.post("operator", "/console/parcels/{parcel}/reveal", {"reason": "look", "words": "she asked"})
    page = await office.browsers["operator"].get(shown.headers["location"])
    assert "Ada Lovelace" in page.text and "ada@example.org" in page.text
    body = await office.hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'Looked' AND body LIKE '%person%'")
    assert UUID(parcel).hex in body.replace("-", "") and "look: she asked" in body
    assert "lovelace" not in body.lower() and "example.org" not in body, "ids only; their hex digits may spell anything"


async def test_a_sign_in_leads_into_the_console_only(office: Office) -> None:
    key = await office.hub.admit("late", "Late", "viewer")
    for to in ("http://evil.example", "//evil.example", "/console/\\evil", "/start", "/console//x"):
        office.browsers["no"].cookies.clear()
        answer = await office.browsers["no"].post("/console/sign-in", data={"key": key, "to": to})
        assert answer.headers["location"] == "/console", to


async def test_prices_are_stated_shown_and_taken_back_in_the_policy_form(office: Office) -> None:
    page, numbers = "/console/policy", "/console/numbers?days=1"
    priced = {"version": "1", "cost_stop": "2.5", "cost_currency": "EUR", "serve_unwalked": "true"}
    assert (await office.post("admin", page, {**priced, "cost_currency": ""})).headers["location"].endswith("bad_field")
    assert "no price is stated" in (await office.browsers["admin"].get(numbers)).text
    assert (await office.post("admin", page, priced)).headers["location"].endswith("said=adopted")
    assert (office.hub.policy.cost_stop, office.hub.policy.cost_currency) == (2.5, "EUR")
    assert "no price is stated" not in (await office.browsers["admin"].get(numbers)).text
    file = (await office.browsers["admin"].get("/console/numbers/costs.csv?days=1")).text.splitlines()
    assert file[3].endswith(',2.5,"EUR",0.0') and file[1].endswith(',"","EUR",""'), "what has no price has no amount"
    other = {"version": "2", "hold_hours": "50"}
    assert (await office.post("admin", page, other)).headers["location"].endswith("said=adopted")
    assert office.hub.policy.cost_stop == 2.5, "what a form does not name stays"
    emptied = {"version": "3", "cost_stop": "", "cost_currency": ""}
    assert (await office.post("admin", page, emptied)).headers["location"].endswith("said=adopted")
    assert office.hub.policy.cost_stop is msgspec.UNSET


async def test_the_number_to_call_is_given_and_taken_away_in_the_policy_form(office: Office) -> None:
    page = "/console/policy"
    assert 'name="help_phone" id="help_phone" value="" type="tel"' in (await office.browsers["admin"].get(page)).text
    for number, ends in (("ring me", "bad_field"), ("+358 9 123 456", "said=adopted")):
        answer = await office.post("admin", page, {"version": "1", "help_phone": number})
        assert answer.headers["location"].endswith(ends)
    assert office.hub.policy.number_to_call == "+358 9 123 456"
    await office.post("admin", page, {"version": "2", "help_phone": ""})
    assert office.hub.policy.number_to_call == ""


async def test_rows_of_admission_are_told_to_those_whose_stations_they_are_of(office: Office) -> None:
    here, there = (AdmissionRow(name=f"{each}/S", station=each, rule="protect", keep={"S": 1})
                   for each in (AREA, ELSEWHERE))  # fmt: skip
    everywhere = AdmissionRow(name="always", rule="always")
    await office.hub.adopt_rows([here, there, everywhere])
    all_of_them, theirs = [(await office.browsers[role].get("/console/policy")).text for role in ("admin", "planner")]
    assert all(f"<bdi>{each.name}</bdi>" in all_of_them for each in (here, there, everywhere))
    assert "Room is kept for parcels that come later: 1 × S." in theirs and here.name in theirs
    assert everywhere.name in theirs and there.name not in theirs
    await office.hub.adopt_rows([msgspec.structs.replace(each, rule="ended") for each in (here, there, everywhere)])
    gone = (await office.browsers["admin"].get("/console/policy")).text
    assert "no row that holds room back is in force" in gone and "Taken out of force." in gone


async def test_an_id_is_spelt_at_the_console_as_on_the_command_line(office: Office) -> None:
    for who in ("josé", "acme post", "-jose", "٣", "j" * 41, "jose.b"):
        await office.post("admin", "/console/people/admit", {"id": who, "name": "José", "role": "viewer"})
    rows = await office.hub.pool.fetch("SELECT id FROM carrier WHERE name = 'José'")
    assert [row["id"] for row in rows] == ["jose.b"]


async def test_what_nobody_has_typed_into_an_address_is_refused_and_breaks_nothing(office: Office) -> None:
    for path in ("/console/numbers?station=%00", "/console/numbers/use.csv?station=%00", "/console/journal?station=%00",
                 "/console/stations/%00", "/console/numbers?station=S-0404"):  # fmt: skip
        assert await office.get("admin", path) == 404, path
    for before in ("-99999999999999999999", "99999999999999999999", "0", "x"):
        assert await office.get("admin", f"/console/journal?station={AREA}&before={before}") == 400, before
    for do in ("count", "send"):
        form = {"station": "\x00", "hours": "2", "reason": "storm", "do": do}
        assert (await office.post("admin", "/console/longer", form)).status_code == 400
    for path in ("/console/people/change", "/console/people/admit"):
        assert (await office.post("admin", path, {"id": "\x00", "name": "\x00", "role": "viewer"})).status_code == 400


async def test_the_console_is_in_the_zone_of_most_stations(office: Office) -> None:
    """Nobody's office is taken to be in Helsinki."""
    assert office.hub.stations.zone == "UTC", "stations that name no zone are in that one"
    for number in range(3):
        await office.hub.configure(StationConfigured(
            station=f"S-T{number}", name="Tokyo", address="There 1", lat=35.68, lon=139.77, zone="Asia/Tokyo",
            layout=plain_layout("SSM SSM"),
        ))  # fmt: skip
    async with office.hub.pool.acquire() as connection:
        await office.hub.stations.refresh(connection)
    assert office.hub.stations.zone == "Asia/Tokyo"
    here = datetime.now(ZoneInfo("Asia/Tokyo"))
    wall = (await office.browsers["admin"].get("/console/wall")).text
    hours = [f"{here + timedelta(minutes=late):%H:%M}" for late in (-1, 0, 1)]
    assert any(hour in wall for hour in hours), "the wall's clock"
