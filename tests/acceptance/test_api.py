"""The API as carriers meet it, on a real hub process: every answer as documented, every no a problem, all or nothing.

The client of these tests holds each answer against the OpenAPI document that the same hub serves.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from acceptance.openapi import Document
from acceptance.processes import HubProcess, a_hub
from acceptance.proven import Proven
from acceptance.shop import a_body, a_reference, until

pytestmark = pytest.mark.timeout(120)
NOBODY = UUID("0198f000-0000-7000-8000-000000000bad")


@pytest.fixture(scope="module")
def hub() -> Iterator[HubProcess]:
    with a_hub() as running:
        running.join("S-0001", "SSSSSSSSSSSS SSSSSSSSSSSS MMMMMM LL")
        running.join("S-0002", "S")
        yield running
        assert running.differences() == []
        assert "request_failed" not in running.log() and "Traceback" not in running.log()


@pytest.fixture(scope="module")
def document(hub: HubProcess) -> Document:
    return Document(httpx.get(f"{hub.url}/docs/openapi.json", trust_env=False).json())


@pytest.fixture(scope="module")
def shop(hub: HubProcess, document: Document) -> Iterator[Proven]:
    client = Proven(hub.url, hub.admit("acme"), document)
    until(lambda: len(client.get("/stations").json()["stations"]) == 2, "the hub knows what another process configured")
    client.announce(reference="WARM-1")
    yield client
    client.close()


@pytest.fixture(scope="module")
def rival(hub: HubProcess, document: Document) -> Iterator[Proven]:
    client = Proven(hub.url, hub.admit("rival"), document)
    yield client
    client.close()


@pytest.fixture(scope="module")
def operator(hub: HubProcess, document: Document) -> Iterator[Proven]:
    client = Proven(hub.url, hub.admit("operator", "admin"), document)
    yield client
    client.close()


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["stage" if answer.is_success else "reason"]


# bodies that are no parcel

NOT_JSON = {
    "half": b'{"reference": "X', "not utf-8": b'{"reference": "\xe9"}', "a form": b"reference=X&length_mm=1",
    "a lone surrogate": b'{"reference": "\\ud800"}',
}  # fmt: skip
OTHER_SHAPES = {
    "nothing": b"",
    "too deep": b"[" * 100_000,
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "a huge number": b"9" * 5_000,
}
WRONG_FIELDS: dict[str, dict[str, Any]] = {
    "unknown field": {"colour": "red"},
    "negative side": {"length_mm": -300},
    "no side": {"width_mm": 0},
    "absurd side": {"height_mm": 99_999_999},
    "half a millimetre": {"length_mm": 300.5},
    "words for a side": {"length_mm": "300"},
    "no weight": {"weight_g": 0},
    "centimetres for millimetres": {"length_mm": 30, "width_mm": 20, "height_mm": 6, "weight_g": 90_000},
    "kilograms for grams": {"length_mm": 600, "width_mm": 600, "height_mm": 600, "weight_g": 2},
    "NUL in a name": {"recipient": {"name": "A\0ino"}},
    "a name without end": {"recipient": {"name": "A" * 201}},
    "two mails in one": {"recipient": {"email": "a@example.org,b@example.org"}},
    "a line in a mail": {"recipient": {"email": "a@example.org\r\nBcc: b@example.org"}},
    "a phone of words": {"recipient": {"phone": "call me"}},
    "a language of code": {"recipient": {"language": "en'--"}},
    "a reference with a path": {"reference": "../../etc/passwd"},
    "an empty reference": {"reference": ""},
    "a climate of its own": {"climate": "tropical"},
    "time without a zone": {"expected_at": "2026-11-22T08:00:00"},
    "time before time": {"expected_at": "0001-01-01T00:00:00+14:00"},
    "time after time": {"expected_at": "9999-12-31T23:59:59-14:00"},
    "no time at all": {"expected_at": "soon"},
    "a price of words": {"value": "cheap"},
    "two destinations": {"destination": {"station_id": "S-0001", "near": {"lat": 60, "lon": 24}}},
    "a destination of nothing": {"destination": {}},
    "beyond the pole": {"destination": {"near": {"lat": 91, "lon": 0}}},
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json(shop: Proven, body: bytes) -> None:
    assert said(shop.send("POST", "/parcels", body)) == (400, "not_json")


@pytest.mark.parametrize("body", OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_json_of_another_shape(shop: Proven, body: bytes) -> None:
    assert said(shop.send("POST", "/parcels", body)) == (400, "bad_field")


@pytest.mark.parametrize("changes", WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_wrong_fields_are_named(shop: Proven, changes: dict[str, Any]) -> None:
    answer = shop.post("/parcels", a_body(**changes))
    assert said(answer) == (400, "bad_field")
    assert answer.json()["field"].partition(".")[0] in {*changes, "length_mm", "weight_g"}


def test_nothing_of_a_refused_parcel_is_kept(hub: HubProcess, shop: Proven) -> None:
    before = hub.count("SELECT count(*) FROM entry")
    for body in (*NOT_JSON.values(), *OTHER_SHAPES.values()):
        shop.send("POST", "/parcels", body)
    for changes in WRONG_FIELDS.values():
        shop.post("/parcels", a_body(**changes))
    shop.post("/parcels/batch", {"parcels": [a_body(), a_body(length_mm=-1)]})
    assert hub.count("SELECT count(*) FROM entry") == before


def test_names_may_have_any_letters(hub: HubProcess, shop: Proven) -> None:
    person = {"name": "Åsa 🦊 Ødegård-O'Brien 王", "email": "asa@example.org"}
    assert said(shop.post("/parcels", a_body(recipient=person))) == (201, "RESERVED")


def test_a_body_of_10_megabytes(hub: HubProcess, shop: Proven) -> None:
    huge = b'{"reference": "' + b"x" * 10_000_000 + b'"}'
    assert said(shop.send("POST", "/parcels", huge)) == (413, "too_large_a_body")
    parts = (b"x" * 100_000 for _ in range(100))
    answer = httpx.post(f"{hub.url}/api/v1/parcels", content=parts, headers=dict(shop._client.headers), trust_env=False)
    assert answer.status_code == 413
    # and to a client that reads only when it has sent all, on a line that closes with the answer
    asked = urllib.request.Request(f"{hub.url}/api/v1/parcels", huge, dict(shop._client.headers))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked)
    assert (refused.value.code, json.load(refused.value)["reason"]) == (413, "too_large_a_body")


# who asks, and how often


def test_without_a_key_nobody_is_answered(hub: HubProcess, document: Document) -> None:
    for key in ("pw_", "pw_" + "0" * 64, "\u00e9"):
        answer = httpx.get(
            f"{hub.url}/api/v1/parcels", headers={"Authorization": f"Bearer {key}".encode()}, trust_env=False
        )
        assert said(answer) == (401, "sign_in") and answer.headers["www-authenticate"] == "Bearer"
        assert document.faults(answer) == []


def test_a_carrier_speaks_for_itself_only(shop: Proven) -> None:
    assert said(shop.post("/parcels", a_body(carrier="rival"))) == (403, "no_right")
    answer = shop.post("/carriers/rival/reports", {"reference": "WARM-1", "mark": "accepted"})
    assert said(answer) == (404, "not_found")
    assert said(shop.get(f"/couriers/{NOBODY}/code", station="S-0001")) == (403, "no_right")


CALLS = {
    "reserve": {"destination": {"station_id": "S-0001"}}, "cancel": {}, "extend": {}, "divert": {},
}  # fmt: skip


def test_foreign_parcels_do_not_exist(shop: Proven, rival: Proven) -> None:
    foreign = shop.announce()["id"]
    assert rival.get(f"/parcels/{foreign}").content == rival.get(f"/parcels/{NOBODY}").content
    for call, body in CALLS.items():
        answers = [rival.post(f"/parcels/{each}/{call}", body) for each in (foreign, NOBODY)]
        assert said(answers[0]) == (404, "not_found")
        assert answers[0].content == answers[1].content
    assert rival.get("/parcels", reference="WARM-1").json() == {"parcels": [], "next": None}
    assert shop.stage(foreign) == "RESERVED"


def test_the_same_key_has_the_same_answer_and_serves_one_intention(shop: Proven) -> None:
    body = a_body()
    first = shop.post("/parcels", body, "intention-1")
    assert shop.post("/parcels", body, "intention-1").content == first.content
    assert said(shop.post("/parcels", a_body(), "intention-1")) == (422, "idempotency_key_reused")
    assert said(shop.post(f"/parcels/{first.json()['id']}/cancel", {}, "intention-1")) == (
        422,
        "idempotency_key_reused",
    )
    for key in (None, "k" * 256, "tab\there"):
        assert said(shop.post("/parcels", a_body(), key)) == (400, "idempotency_key_missing")


def test_the_same_key_of_two_carriers_is_two_intentions(shop: Proven, rival: Proven) -> None:
    assert said(shop.post("/parcels", a_body(), "intention-2"))[0] == 201
    assert said(rival.post("/parcels", a_body(), "intention-2"))[0] == 201


def test_a_reference_is_announced_once(shop: Proven) -> None:
    body = a_body()
    first, again = shop.post("/parcels", body), shop.post("/parcels", body)
    assert (again.status_code, again.content) == (201, first.content)
    assert said(shop.post("/parcels", body | {"weight_g": 901})) == (409, "reference_taken")


def test_what_cannot_be_done_to_a_parcel(shop: Proven) -> None:
    parcel = shop.announce()["id"]
    assert said(shop.post(f"/parcels/{parcel}/extend", {})) == (409, "wrong_stage")
    assert said(shop.post(f"/parcels/{parcel}/extend", {"hours": 0})) == (400, "bad_field")
    assert said(shop.post(f"/parcels/{parcel}/divert", {"reason": "bad mood"})) == (400, "bad_field")
    assert said(shop.post(f"/parcels/{parcel}/reserve", {"destination": {"station_id": "S-0404"}})) == (
        404,
        "station_unknown",
    )
    assert said(shop.post(f"/parcels/{parcel}/cancel", {"why": "a\0b"})) == (400, "bad_field")
    assert said(shop.post(f"/parcels/{parcel}/cancel", {"why": "changed their mind"})) == (200, "CANCELLED")
    assert said(shop.post(f"/parcels/{parcel}/cancel", {})) == (409, "wrong_stage")


def test_a_full_station(shop: Proven) -> None:
    """An announcement is kept and diverted with the reason; a reservation that cannot be kept names others."""
    assert said(shop.post("/parcels", a_body(destination={"station_id": "S-0002"}))) == (201, "RESERVED")
    second = shop.post("/parcels", a_body(destination={"station_id": "S-0002"})).json()
    assert (second["stage"], second["reason"]) in (("DIVERTED", "no_fitting_compartment"), ("DIVERTED", "station_full"))
    waiting = shop.post("/parcels", a_body(destination=None)).json()["id"]
    answer = shop.post(f"/parcels/{waiting}/reserve", {"destination": {"station_id": "S-0002"}})
    assert answer.status_code == 422 and answer.json()["alternatives"][0]["station"] == "S-0001"
    assert shop.stage(waiting) == "ANNOUNCED"


# addresses and methods


def test_wrong_methods_are_told_the_right_ones(shop: Proven) -> None:
    answer = shop.send("DELETE", "/parcels")
    assert said(answer) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert said(shop.send("PATCH", f"/parcels/{NOBODY}")) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["/parcels/7", "/parcels/x%00y", "/nothing", "/stations/%00", "/stations/a/b/c", "/track/%00"]
)
def test_addresses_of_nothing(shop: Proven, path: str) -> None:
    assert shop.get(path).status_code == 404
    assert shop.get("/stations/S-0404/availability").json()["reason"] == "station_unknown"


@pytest.mark.parametrize(
    "query",
    ["reference=%00", "after=7", "limit=0", "limit=501", "limit=x", "limit=" + "9" * 40, "reference=" + "A" * 65],
)
def test_questions_out_of_range(shop: Proven, query: str) -> None:
    assert said(shop.get(f"/parcels?{query}")) == (400, "bad_field")


def test_feeds_are_read_from_a_number_on(shop: Proven) -> None:
    for after in ("-1", "9" * 30, "x"):
        assert said(shop.get(f"/entries?after={after}")) == (400, "bad_field")


def test_every_call_has_answered_as_documented(
    shop: Proven, operator: Proven, document: Document, hub: HubProcess
) -> None:
    """Goes once through all that succeed; the client has held each answer against the document."""
    parcel = shop.announce()
    shop.report(parcel["reference"], "out_for_delivery", "acme")
    shop.post(f"/parcels/{parcel['id']}/reserve", {"destination": {"near": {"lat": 60.1692, "lon": 24.944}}})
    shop.post("/parcels/batch", {"parcels": [a_body(), a_body(destination={"station_id": "S-0404"}), a_body()]})
    near = {"lat": 60.1692, "lon": 24.944}
    told = shop.post("/offers", {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900, "near": near})
    assert told.status_code == 200 and told.json()["offers"][0]["basis"] == "counts"
    diverted = shop.announce()
    assert said(shop.post(f"/parcels/{diverted['id']}/divert", {})) == (200, "DIVERTED")
    cancelled = shop.announce()
    shop.post(f"/parcels/{cancelled['id']}/cancel", {})
    for path in ("/parcels", f"/parcels/{parcel['id']}", "/stations", "/stations/S-0001",
                 "/stations/S-0001/availability", f"/track/{parcel['reference']}"):  # fmt: skip
        assert shop.get(path).status_code == 200
    assert shop.get("/parcels", limit=2).json()["next"]
    sent = shop.announce(direction="return")
    assert shop.get(f"/parcels/{sent['id']}/send-code").status_code == 200
    what_operators_do(operator, parcel["id"])
    feed = [entry["number"] for entry in whole_feed(shop)]
    assert feed == list(range(1, len(feed) + 1))
    unproven = {path for _, path in document.calls() - document.proven}
    town = {"/api/v1/parcels/{parcel}/extend", "/api/v1/cases/{case}/close"}  # test_town.py does these
    lines = {"/api/v1/stations/{station}/revoke", "/api/v1/stations/{station}/open"}  # test_identity.py, test_remote.py
    # tests/hub/test_couriers.py and test_lists.py, tests/web/test_operator_ending.py: these need a case with a picture,
    # and a parcel that lies inside.
    inside = {"/api/v1/cases/{case}/photos", "/api/v1/parcels/{parcel}/codes", "/api/v1/parcels/{parcel}/write-off",
              "/api/v1/stations/{station}/codes/{grant}/revoke"}  # fmt: skip
    assert unproven == town | lines | inside


def what_operators_do(operator: Proven, parcel: str) -> None:
    admitted = operator.post("/stations/S-0001/couriers", {}).json()
    assert operator.courier_code("S-0001", admitted["courier"]) == admitted["code"]
    assert [each["courier"] for each in operator.get("/stations/S-0001/couriers").json()["staff"]] == [
        admitted["courier"]
    ]
    assert operator.post(f"/couriers/{admitted['courier']}/invite", {}).status_code == 201
    assert operator.post(f"/couriers/{admitted['courier']}/sign-out", {}).json() == {"signed_out": True}
    ordered = operator.post(f"/couriers/{admitted['courier']}/round", {"stations": ["S-0001"]}).json()
    assert operator.get(f"/couriers/{admitted['courier']}/round").json() == ordered and ordered["passed"] == []
    operator.post(f"/stations/S-0001/couriers/{admitted['grant']}/revoke", {})
    assert operator.post(f"/couriers/{admitted['courier']}/revoke", {}).status_code == 200
    assert operator.post(f"/parcels/{parcel}/block", {"why": "looked for"}).status_code == 200
    assert operator.post(f"/parcels/{parcel}/unblock", {"why": "found"}).status_code == 200
    assert operator.get("/cases").json() == {"cases": []}
    body = {"compartment": 1, "reason": "look"}
    assert said(operator.post("/stations/S-0001/open", body)) == (409, "station_offline")
    assert said(operator.post("/stations/S-0001/open", body | {"compartment": 999})) == (400, "bad_field")
    assert said(operator.post("/stations/S-0404/open", body)) == (404, "station_unknown")
    policy = operator.get("/policy").json()
    assert operator.post("/policy", policy | {"version": policy["version"] + 1}).status_code == 200
    row = {"type": "AdmissionRow", "name": "S-0001/L", "rule": "protect", "station": "S-0001", "keep": {"L": 0}}
    assert operator.post("/admission", {"rows": [row]}).json() == {"rows": [row]}
    assert operator.post("/admission", {"rows": [row | {"rule": "ended"}]}).json() == operator.get("/admission").json()
    assert operator.post(f"/parcels/{parcel}/forget", {}).json() == {"erased": True}


def test_operators_work_is_for_operators(shop: Proven) -> None:
    for path in ("/cases", "/policy"):
        assert said(shop.get(path)) == (403, "no_right")
    assert said(shop.post("/stations/S-0001/open", {"compartment": 1, "reason": "look"})) == (403, "no_right")
    for path in (f"/cases/{NOBODY}/close", "/stations/S-0001/couriers", f"/stations/S-0001/couriers/{NOBODY}/revoke",
                 f"/parcels/{NOBODY}/forget"):  # fmt: skip
        body = {"outcome": "looked"} if path.endswith("close") else {}
        assert said(shop.post(path, body)) == (403, "no_right")


def whole_feed(shop: Proven) -> list[dict[str, Any]]:
    """The carrier's own feed, page by page."""
    rows: list[dict[str, Any]] = []
    while page := shop.get("/entries", after=rows[-1]["number"] if rows else 0, limit=50).json()["entries"]:
        rows += page
    return rows


def test_the_same_bytes_for_unknown_foreign_and_cancelled_numbers(hub: HubProcess, shop: Proven, rival: Proven) -> None:
    cancelled, shared = shop.announce(), a_reference()
    shop.post(f"/parcels/{cancelled['id']}/cancel", {})
    for each in (shop, rival):
        each.announce(reference=shared)  # two carriers, one number: nobody can say which is meant
    numbers = [a_reference(), cancelled["reference"], shared]
    for address in ("/api/v1/track/{}", "/?number={}"):
        answers = [httpx.get(hub.url + address.format(number), trust_env=False) for number in numbers]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({json.dumps(sorted((k, v) for k, v in a.headers.items() if k != "date")) for a in answers}) == 1


def test_guessing_numbers_is_slowed_down(hub: HubProcess, shop: Proven) -> None:
    """The last test of this file, for it keeps this address waiting: page, stream and API count together."""
    known = shop.announce()["reference"]
    addresses = ("/api/v1/track/{}", "/?number={}", "/number/events?number={}")
    for miss in range(20):
        with httpx.stream("GET", hub.url + addresses[miss % 3].format(a_reference()), trust_env=False) as answer:
            if answer.status_code == 429:
                break
    for address in addresses:
        answer = httpx.get(hub.url + address.format(known), trust_env=False)
        assert answer.status_code == 429
    assert int(httpx.get(f"{hub.url}/api/v1/track/{known}", trust_env=False).headers["retry-after"]) > 0
