"""What operators do over the API: cases, couriers, policy, forgetting; and nobody else. What carriers alone do."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio

from parcelwall.clock import SystemClock
from parcelwall.errors import Refusal
from parcelwall.hub import house, passkeys, photos
from parcelwall.hub.cases import OpenCase
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import Ids
from parcelwall.rules import decide
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.policy import DEFAULT, Policy
from parcelwall.rules.rights import ROLES
from parcelwall.web import bodies
from parcelwall.web.app import hub_app
from parcelwall.web.field_words import LISTS, PATTERNS, WORDS

JPEG = bytes.fromhex("ffd8ffc0000b080001000101011100ffda00040000") + b"picture" + bytes.fromhex("ffd9")


class Office:
    """A hub with one station, and a client with the operator's key."""

    def __init__(self, hub: house.Hub, client: httpx.AsyncClient, operator: str, carrier: str) -> None:
        self.hub, self.client, self.operator, self.carrier = hub, client, operator, carrier
        self.count = 0

    async def ask(self, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
        self.count += 1
        headers = {"Authorization": f"Bearer {key or self.operator}", "Idempotency-Key": f"key-{self.count}"}
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    async def parcel(self) -> str:
        body = {"reference": "PW-1", "length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900,
                "recipient": {"name": "Ada", "email": "ada@example.org"},
                "destination": {"station_id": "S-0001"}}  # fmt: skip
        announced = await self.ask("POST", "/parcels", body, self.carrier)
        assert announced.status_code == 201
        return str(announced.json()["id"])


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    clock = SystemClock()
    async with house.serving(database, tmp_path, clock, Ids(clock)) as hub:
        await hub.configure(
            StationConfigured(station="S-0001", name="Kluuvi", address="Here 1", lat=60.17, lon=24.94,
                              layout=plain_layout("SSM SSM")), joined=True
        )  # fmt: skip
        operator, carrier = await hub.admit("op", "Op", "admin"), await hub.admit("acme", "Acme")
        transport = httpx.ASGITransport(hub_app(hub))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            yield Office(hub, client, operator, carrier)


async def test_carriers_may_do_none_of_it(office: Office) -> None:
    revoke = ("POST", "/stations/S-0001/revoke", {"why": "envy"})
    for method, path, body in (("GET", "/cases", None), ("GET", "/policy", None),
                               ("POST", "/stations/S-0001/couriers", {}), revoke):  # fmt: skip
        answer = await office.ask(method, path, body, office.carrier)
        assert (answer.status_code, answer.json()["reason"]) == (403, "no_right")


async def test_a_case_is_listed_and_closed_once(office: Office) -> None:
    parcel = await office.parcel()
    await office.hub.desk.ask(OpenCase(parcel=UUID(parcel), about="reported_damaged"))
    [case] = (await office.ask("GET", "/cases")).json()["cases"]
    first = await office.ask("POST", f"/cases/{case['id']}/close", {"outcome": "looked at it"})
    again = await office.ask("POST", f"/cases/{case['id']}/close", {"outcome": "once more"})
    assert (first.status_code, again.json()) == (200, first.json())
    assert (await office.ask("GET", "/cases")).json() == {"cases": []}
    assert await verify_hub(office.hub.pool) == []


async def test_stations_come_in_pages(office: Office) -> None:
    """In the order of their ids; a page says after which one the next begins, and the last says that it is."""
    about = office.hub.stations.known["S-0001"].about
    for number in (4, 2, 3):
        await office.hub.configure(msgspec.structs.replace(about, station=f"S-{number:04}"), joined=True)
    pages, after = [], ""
    while after is not None:
        page = (await office.ask("GET", f"/stations?limit=3&after={after}")).json()
        pages.append([each["id"] for each in page["stations"]])
        after = page["next"]
    assert pages == [["S-0001", "S-0002", "S-0003"], ["S-0004"]]
    whole = (await office.ask("GET", "/stations", key=office.carrier)).json()
    assert ([each["id"] for each in whole["stations"]], whole["next"]) == ([*pages[0], *pages[1]], None)
    assert (await office.ask("GET", "/stations?limit=4")).json()["next"] == "S-0004", "there may be more"
    assert (await office.ask("GET", "/stations?after=S-0004")).json() == {"stations": [], "next": None}
    for odd in ("limit=0", "limit=501", "after=" + "x" * 65):
        assert (await office.ask("GET", f"/stations?{odd}")).json()["reason"] == "bad_field"
    assert (await office.ask("GET", "/stations?after=%00")).status_code == 200, "no name that the database refuses"


async def test_a_courier_is_admitted_and_revoked(office: Office) -> None:
    admitted = (await office.ask("POST", "/stations/S-0001/couriers", {})).json()
    assert len(admitted["code"]) == 8
    revoked = await office.ask("POST", f"/stations/S-0001/couriers/{admitted['grant']}/revoke")
    assert revoked.json() == {"revoked": True}
    assert (await office.ask("POST", "/stations/S-9/couriers", {})).status_code == 404


async def test_a_code_of_the_day_is_told_of_those_whom_the_station_knows(office: Office) -> None:
    admitted = (await office.ask("POST", "/stations/S-0001/couriers", {})).json()
    path = f"/couriers/{admitted['courier']}/code?station=S-0001"
    assert (await office.ask("GET", path)).json()["code"] == admitted["code"]
    stranger = await office.ask("GET", "/couriers/0198f000-0000-7000-8000-000000000bad/code?station=S-0001")
    await office.ask("POST", f"/stations/S-0001/couriers/{admitted['grant']}/revoke")
    for answer in (stranger, await office.ask("GET", path)):
        assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
        assert "not admitted at this station" in answer.json()["detail"]
    assert (await office.ask("GET", path.replace("S-0001", "S-9"))).json()["reason"] == "station_unknown"


async def test_nobody_is_admitted_until_a_time_that_is_over(office: Office) -> None:
    answer = await office.ask("POST", "/stations/S-0001/couriers", {"until": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["reason"], answer.json()["field"]) == (400, "bad_field", "until")
    assert (await office.ask("GET", "/stations/S-0001/couriers")).json() == {"staff": []}


async def test_a_policy_rises_by_its_version(office: Office) -> None:
    policy = (await office.ask("GET", "/policy")).json()
    assert (await office.ask("POST", "/policy", policy)).status_code == 400
    adopted = await office.ask("POST", "/policy", {**policy, "version": 2, "hold_hours": 72})
    assert adopted.json()["hold_hours"] == office.hub.policy.hold_hours == 72
    assert await verify_hub(office.hub.pool) == []


async def test_a_policy_of_few_knobs_leaves_the_others_as_they_are(office: Office) -> None:
    assert (await office.ask("POST", "/policy", {"version": 2, "hold_hours": 72})).status_code == 200
    answer = await office.ask("POST", "/policy", {"version": 3, "extensions": 5})
    assert (answer.json()["hold_hours"], answer.json()["extensions"], office.hub.policy.hold_hours) == (72, 5, 72)
    assert (await office.ask("GET", "/policy")).json() == answer.json()


async def test_a_knob_that_there_is_not_is_refused_and_changes_nothing(office: Office) -> None:
    for body, field in (({"version": 2, "hold_hour": 5}, "hold_hour"), ({"hold_hours": 5}, "version"),
                        ({"version": 2, "hold_hours": None}, "hold_hours")):  # fmt: skip
        answer = await office.ask("POST", "/policy", body)
        assert (answer.status_code, answer.json()["reason"], answer.json()["field"]) == (400, "bad_field", field)
    assert office.hub.policy == DEFAULT


async def test_the_policy_in_force_is_shown_with_every_knob_and_may_be_sent_back(office: Office) -> None:
    shown = (await office.ask("GET", "/policy")).json()
    assert shown.keys() == {field.name for field in msgspec.structs.fields(Policy)}
    assert (shown["alone_doors"], shown["serve_unwalked"], shown["cost_stop"]) == (2, True, None)
    priced = await office.ask("POST", "/policy", {**shown, "version": 2, "cost_stop": 1.5, "cost_currency": "EUR"})
    assert priced.json() == {**shown, "version": 2, "cost_stop": 1.5, "cost_currency": "EUR"}
    free = await office.ask("POST", "/policy", {"version": 3, "cost_stop": None, "cost_currency": None})
    assert free.json() == {**shown, "version": 3}, "null is nothing again"


async def test_only_admins_adopt_rows_of_admission(office: Office) -> None:
    row = {"type": "AdmissionRow", "name": "S-0001/S", "rule": "protect", "station": "S-0001", "keep": {"S": 1}}
    for role, code in (("planner", 403), ("operator", 403), ("viewer", 403)):
        key = await office.hub.admit(role, role, role)
        assert (await office.ask("POST", "/admission", {"rows": [row]}, key)).status_code == code
        assert (await office.ask("GET", "/admission", None, key)).json() == {"rows": []}
    adopted = await office.ask("POST", "/admission", {"rows": [row]})
    assert adopted.json() == {"rows": [row]} and [each.name for each in office.hub.desk.rows] == ["S-0001/S"]
    for bad in ({**row, "keep": {"S": 99}}, {**row, "rule": "price"}, {**row, "person": "Ada"}):
        answer = await office.ask("POST", "/admission", {"rows": [bad]})
        assert (answer.status_code, answer.json()["reason"]) == (400, "bad_field"), bad
    actor = await office.hub.pool.fetchval("SELECT actor FROM carrier WHERE id = 'op'")
    body = await office.hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'AdmissionAdopted'")
    assert str(actor) in body
    assert (await office.ask("GET", "/admission", None, office.carrier)).status_code == 403


async def test_a_person_is_forgotten_for_good(office: Office) -> None:
    """With what a courier photographed of the label."""
    parcel = await office.parcel()
    await office.hub.desk.ask(OpenCase(parcel=UUID(parcel), about="label_unreadable"))
    case = await office.hub.pool.fetchval("SELECT id FROM case_file")
    await photos.keep(office.hub, office.hub.ids.new(), case, JPEG, office.hub.ids.new())
    assert (await office.ask("POST", f"/parcels/{parcel}/forget")).json() == {"erased": True}
    assert await photos.of_case(office.hub, case) == []
    assert (await office.ask("POST", f"/parcels/{parcel}/forget")).json() == {"erased": False}
    assert await verify_hub(office.hub.pool) == []


async def test_figures_of_the_process_ask_for_a_key_that_may_look(office: Office) -> None:
    closed = await office.client.get("/metrics")
    assert (closed.status_code, closed.headers["www-authenticate"][:5]) == (401, "Basic")
    assert (await office.client.get("/metrics", auth=("me", office.carrier))).status_code == 401
    assert (await office.client.get("/metrics", auth=("me", office.operator))).status_code == 200


async def test_a_stolen_computer_is_revoked_once_and_another_may_take_its_place(office: Office) -> None:
    path, body = "/stations/S-0001/revoke", {"why": "broken into"}
    nobody = await office.ask("POST", path, body)
    assert (nobody.status_code, nobody.json()["reason"]) == (404, "not_found")
    unknown = await office.ask("POST", "/stations/S-0404/revoke", body)
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "station_unknown")
    await office.hub.enrol(await office.hub.claim("S-0001"), b"1" * 32)
    assert (await office.ask("POST", path, {})).status_code == 400
    answer = await office.ask("POST", path, body)
    assert answer.status_code == 200
    assert office.hub.stations.known["S-0001"].revoked
    assert (await office.ask("POST", path, body)).status_code == 404
    await office.hub.enrol(answer.json()["claim"], b"2" * 32)
    await office.hub.refresh()
    assert not office.hub.stations.known["S-0001"].revoked
    assert await verify_hub(office.hub.pool) == []


async def test_staff_is_listed_and_revoked_everywhere(office: Office) -> None:
    body = {"service": True, "deposit": False, "take_back": False, "until": "2090-01-01T00:00:00Z"}
    admitted = (await office.ask("POST", "/stations/S-0001/couriers", body)).json()
    [line] = (await office.ask("GET", "/stations/S-0001/couriers")).json()["staff"]
    assert (line["courier"], line["grant"], line["may"]) == (admitted["courier"], admitted["grant"], ["service"])
    assert line["until"] == "2090-01-01T00:00:00Z"
    told = await office.ask("POST", f"/couriers/{admitted['courier']}/revoke")
    assert told.json() == {"stations": ["S-0001"]}
    assert (await office.ask("GET", "/stations/S-0001/couriers")).json() == {"staff": []}
    nothing = await office.ask("POST", "/stations/S-0001/couriers", {"deposit": False})
    assert (nothing.status_code, nothing.json()["reason"]) == (400, "bad_field")
    assert (await office.ask("GET", "/stations/S-9/couriers")).status_code == 404


async def test_a_parcel_is_blocked_and_unblocked(office: Office) -> None:
    parcel = await office.parcel()
    blocked = await office.ask("POST", f"/parcels/{parcel}/block", {"why": "a recall"})
    assert blocked.json() == {"parcel": parcel, "blocked": True, "station": "S-0001"}
    personal = await office.ask("POST", f"/parcels/{parcel}/block", {"why": "ada@example.org asked"})
    assert (personal.status_code, personal.json()["reason"]) == (400, "bad_field")
    foreign = await office.ask("POST", f"/parcels/{parcel}/block", {"why": "x"}, office.carrier)
    assert (foreign.status_code, foreign.json()["reason"]) == (403, "no_right")
    assert (await office.ask("POST", f"/parcels/{parcel}/unblock", {"why": "a slip"})).json()["blocked"] is False
    bare = await office.ask("POST", f"/parcels/{parcel}/codes", {})
    assert (bare.status_code, bare.json()["reason"]) == (400, "bad_field"), "why?"
    drawn = await office.ask("POST", f"/parcels/{parcel}/codes", {"reason": "no phone"})
    assert (drawn.status_code, drawn.json()["reason"]) == (409, "wrong_stage"), "it is not inside yet"
    revoked = await office.ask("POST", "/stations/S-0001/codes/01a20275-dee3-7fa5-a160-f479a07f2c13/revoke")
    assert (revoked.status_code, revoked.json()["reason"]) == (404, "not_found"), "there is no such code"
    assert await verify_hub(office.hub.pool) == []


async def test_a_batch_keeps_with_each_promise_what_its_offer_had_told(office: Office) -> None:
    sides = {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900}
    asked = {**sides, "near": {"lat": 60.17, "lon": 24.94}}
    offer = (await office.ask("POST", "/offers", asked, office.carrier)).json()["id"]
    there = {"station_id": "S-0001"}
    bodies = [
        {**sides, "reference": f"PW-{number}", "recipient": {"name": "Ada", "email": "ada@example.org"},
         "destination": {**there, **named}}
        for number, named in enumerate(({"offer": offer}, {}, {"offer": offer}))
    ]  # fmt: skip
    answers = (await office.ask("POST", "/parcels/batch", {"parcels": bodies}, office.carrier)).json()["parcels"]
    assert [each["stage"] for each in answers] == ["RESERVED"] * 3
    rows = await office.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Reserved' AND writer LIKE '%/S-0001'")
    told = {UUID(body["parcel"]): body.get("told") for body in (msgspec.json.decode(row["body"]) for row in rows)}
    assert [bool(told[UUID(each["id"])]) for each in answers] == [True, False, True]
    await office.hub.offers.write()
    assert await office.hub.pool.fetchval("SELECT chosen FROM offer") == "S-0001", "demand is known by what was taken"


BODY = {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900}
THERE = {"destination": {"station_id": "S-0001"}}


async def test_who_must_be_verified_can_be_reached(office: Office) -> None:
    for number, person in enumerate((None, {"name": "Ada"}, {"email": "ada@example.org"}, {"phone": "+358401234567"})):
        body = {**BODY, **THERE, "reference": f"V-{number}", "proof": "verified", "recipient": person}
        answer = await office.ask("POST", "/parcels", body, office.carrier)
        if number < 2:
            assert (answer.status_code, answer.json()["field"]) == (400, "recipient"), person
        else:
            assert answer.json()["stage"] == "RESERVED", person


async def test_a_hub_whose_address_takes_no_passkeys_promises_no_verified_person(office: Office) -> None:
    office.hub.desk.verifies = passkeys.possible_at("http://parcels.example.org")
    body = {**BODY, "proof": "verified", "recipient": {"email": "ada@example.org"}}
    sent = (await office.ask("POST", "/parcels", {**body, **THERE, "reference": "V-1"}, office.carrier)).json()
    assert (sent["stage"], sent["reason"]) == ("DIVERTED", "proof_not_possible_here")
    parcel = (await office.ask("POST", "/parcels", {**body, "reference": "V-2"}, office.carrier)).json()["id"]
    offer = {**BODY, "proof": "verified", "near": {"lat": 60.17, "lon": 24.94}}
    for path, asked in ((f"/parcels/{parcel}/reserve", THERE), ("/offers", offer)):
        answer = await office.ask("POST", path, asked, office.carrier)
        assert (answer.status_code, answer.json()["reason"]) == (422, "proof_not_possible_here")
        assert "https" in answer.json()["detail"]
    for url, possible in (("https://parcels.example.org", True), ("http://127.0.0.1:8600", True),
                          ("http://localhost:1", True), ("http://192.168.1.5:8600", False)):  # fmt: skip
        assert passkeys.possible_at(url) is possible, url


async def test_nobody_but_a_carrier_announces_or_takes_room(office: Office) -> None:
    parcel = await office.parcel()
    new = {**BODY, "reference": "PW-2", "destination": {"station_id": "S-0001"}}
    for role in ROLES:
        key = await office.hub.admit(role, role, role)
        writes: dict[str, Any] = {
            "/parcels": new, "/parcels/batch": {"parcels": [new]}, f"/carriers/{role}/reports": {"reference": "PW-1",
            "mark": "accepted"}, "/offers": {**BODY, "near": {"lat": 60.17, "lon": 24.94}},
            f"/parcels/{parcel}/reserve": {"destination": {"station_id": "S-0001"}},
            **{f"/parcels/{parcel}/{act}": {} for act in ("extend", "divert")},
        }  # fmt: skip
        for path, body in writes.items():
            answer = await office.ask("POST", path, body, key)
            assert (answer.status_code, answer.json()["reason"]) == (403, "no_right"), (role, path)
    assert await office.hub.pool.fetchval("SELECT count(*) FROM parcel") == 1


@pytest.mark.parametrize(("changed", "field", "problem"), [
    ({"recipient": {"email": "ada"}}, "recipient.email", "One e-mail address, such as ada@example.org"),
    ({"reference": "../x"}, "reference", "1 to 64 characters: letters, digits"),
    ({"climate": "hot"}, "climate", "Invalid enum value 'hot': one of ambient, chilled, frozen"),
    ({"weight_g": 200_001}, "weight_g", "Expected `int` <= 200000"),
])  # fmt: skip
async def test_what_is_wrong_is_said_in_words(office: Office, changed: Any, field: str, problem: str) -> None:
    told = (await office.ask("POST", "/parcels", {**BODY, "reference": "PW-1", **changed}, office.carrier)).json()
    assert (told["reason"], told["field"]) == ("bad_field", field)
    assert told["problem"].startswith(problem) and "$" not in told["problem"] and "regex" not in told["problem"]


async def test_every_pattern_and_list_of_a_carriers_body_is_said_in_words(office: Office) -> None:
    """Those of the document that the hub serves: a field that comes later is found here."""
    shapes = (await office.client.get("/docs/openapi.json")).json()["components"]["schemas"]
    seen = 0
    for name in ("ParcelBody", "Recipient", "Where", "OfferBody", "CancelBody", "ReportBody", "CloseBody"):
        for field, shape in shapes[name]["properties"].items():
            for each in (shape, *shape.get("oneOf", ())):
                seen += "pattern" in each or "enum" in each
                assert each.get("pattern", WORDS) in PATTERNS, field
                assert "enum" not in each or field in {*LISTS, "mark"}, field
    assert seen > 15


async def test_the_page_names_each_call_that_needs_a_key_and_no_other(office: Office) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    [said] = re.findall(r"What you write about parcels needs.*?take none\.", page, re.DOTALL)
    paths = (await office.client.get("/docs/openapi.json")).json()["paths"]
    words = {"parcels": "announcing", "open": "opening", "close": "closing"}
    asks: dict[bool, set[str]] = {True: set(), False: set()}
    for path, calls in paths.items():
        headers = {each["name"] for each in calls.get("post", {}).get("parameters", ())}
        if "post" in calls:
            asks["Idempotency-Key" in headers].add(words.get(name := path.rpartition("/")[2], name))
    assert asks[True] == (asks[True] | asks[False]) & set(re.findall(r"[\w-]+", said))


async def test_who_wants_back_what_is_inside_is_told_how() -> None:
    with pytest.raises(Refusal, match="A courier takes it back once its holding time is over; ask the operator to"):
        decide.cancel(Parcel(id=UUID(int=1), stage=Stage.READY), "", "carrier")
    with pytest.raises(Refusal, match=r"one of: .*parcel_too_large"):
        bodies.DivertBody(reason="huge").checked()
