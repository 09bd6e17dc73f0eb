"""What somebody tries who wants more than they were given: pages of the framework's own, headers that are missing."""

import re
from uuid import UUID

import httpx

from parcelwall.hub import signed_in
from web.test_console_roles import AREA, ELSEWHERE, GETS, NOBODY, Office, office  # noqa: F401 - a fixture


def whole(browser: httpx.AsyncClient) -> list[str]:
    """Every address of the hub, with something in its places."""
    app = browser._transport.app._app._app._app  # type: ignore[attr-defined]
    places = {"str": AREA, "path": "/x", "uuid": NOBODY, "int": "0"}
    return sorted({re.sub(r"{\w+:(\w+)}", lambda one: places[one[1]], each.path) for each in app.routes})


async def test_every_page_of_whatever_address_is_ours_and_keeps_our_policy(office: Office) -> None:  # noqa: F811
    for who in ("admin", "no"):
        browser = office.browsers[who]
        for path in (each for each in whole(browser) if not each.endswith("/events")):
            answer = await browser.get(path)
            assert not path.startswith("/docs-not-served") or answer.status_code == 404, path
            assert answer.headers.get("x-content-type-options") == "nosniff" or answer.status_code == 303, path
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert "script-src 'self'" in answer.headers["content-security-policy"], path
                assert answer.headers["cache-control"] == "no-store", path
                assert answer.headers["referrer-policy"] == "no-referrer", path
                assert not re.search(r'src="(?!/|data:)', answer.text), path


async def test_what_is_elsewhere_is_nowhere_to_be_read(office: Office) -> None:  # noqa: F811
    """Of whoever is admitted to one station: pages, files, the journal and the API, whatever they are asked for."""
    browser, there = office.browsers["operator"], office.filled[ELSEWHERE]
    key = await office.hub.admit("area", "Area", "operator", [AREA])
    told = ("Kluuvi 1", f"PW-{ELSEWHERE}", there["parcel"], there["case"])
    asked = [f"{path.partition('?')[0]}?{query}" for path in GETS if not path.endswith("/events") for query in (
        "", f"station={ELSEWHERE}", f"stream={ELSEWHERE}", f"q={ELSEWHERE}", f"at={ELSEWHERE}",
        f"station={AREA}&station={ELSEWHERE}",
    )]  # fmt: skip
    api = ["cases", f"cases/{there['case']}/photos", f"stations/{ELSEWHERE}/couriers", f"parcels/{there['parcel']}",
           f"parcels?reference=PW-{ELSEWHERE}", "entries", f"parcels/{there['parcel']}/send-code"]  # fmt: skip
    headers = {"Authorization": f"Bearer {key}"}
    for path in [*asked, "/console/journal", "/console/journal?hours=168", *(f"/api/v1/{each}" for each in api)]:
        for filled in {path.format(**office.filled[AREA]), path.format(**there)}:
            answer = await browser.get(filled, headers=headers if filled.startswith("/api") else {})
            seen = [each for each in told if each in answer.text and each not in filled]
            assert not seen, (filled, answer.status_code, seen)


async def test_a_line_break_at_the_end_is_no_part_of_a_field(office: Office) -> None:  # noqa: F811
    """It would make a second parcel of a reference, which looks the same wherever it is shown."""
    key = {"Authorization": f"Bearer {await office.hub.admit('kulku', 'Kulku')}"}
    good = {"reference": "PW-1", "length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900}
    person = {"name": "Ada", "email": "ada@example.org", "phone": "+358 40 1234567", "language": "en"}
    odd = [{name: text + "\n"} for name, text in (("reference", "PW-1"), ("label", "PW-1"), ("value", "9.90"),
                                                  ("currency", "EUR"), ("service", "express"))]  # fmt: skip
    odd += [{"recipient": person | {name: text + "\n"}} for name, text in person.items()]
    odd += [{"destination": {"station_id": f"{AREA}\n"}}]
    for nth, each in enumerate(({"recipient": person}, *odd)):
        headers = key | {"Idempotency-Key": str(nth)}
        sent = await office.browsers["no"].post("/api/v1/parcels", json=good | each, headers=headers)
        assert sent.status_code == (400 if each in odd else 201), (each, sent.text)


async def test_what_a_script_sends_is_refused_if_it_is_no_answer_of_a_passkey(office: Office) -> None:  # noqa: F811
    """Whatever it is: nothing of it ends in a fault of ours."""
    browser, slip = office.browsers["admin"], office.slips["admin"]
    browser.cookies.set("pw-recipient", await signed_in.begin(office.hub, "recipient", UUID(NOBODY)))
    link = office.hub.keys.link_token("recipient", UUID(office.filled[AREA]["parcel"]))
    odd = [
        b"", b"[]", b"null", b"1", b"[" * 9000, b'{"a":' * 3000, b"\xff\x00", b'{"id":"\\ud800"}',
        b'{"x":1e999,"y":NaN}', b'{"fields":[]}', b'{"fields":{"back":1}}',
        b'{"fields":{"slip":"%s","door":"9999999999999999999999"}}',
    ]  # fmt: skip
    scripts = [path for path in whole(browser) if path.endswith(("/begin", "/finish"))]
    assert len(scripts) > 10
    for path in scripts:
        for sent in odd:
            there = path.replace(f"/p/{AREA}", f"/p/{link}")
            body = sent.replace(b"%s", slip.encode())
            answer = await browser.post(there, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code < 500, (there, sent[:40], answer.text)
