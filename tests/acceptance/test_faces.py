"""The faces of a running demo over plain HTTP: headers, streams, the kiosk's lock, and what must stand nowhere."""

import gzip
import re
from typing import Any

import httpx
import pytest

from acceptance.running import Town
from acceptance.shop import Shop, until
from parcelwall.drivers import DoorState
from parcelwall.simulation.demo import COURIER

pytestmark = pytest.mark.timeout(120)
POLICY = "default-src 'none'"
PAGES = [
    "/",
    "/?number=NOBODY-1",
    "/t/nothing",
    "/p/nothing",
    "/start",
    "/console/sign-in",
    "/mails",
    "/pretend/S-0001",
    "/docs",
]
MARK = "wilhelmtag"
PERSON = {"name": f"Åsa {MARK}", "email": f"{MARK}@example.org", "phone": "+358409998877", "language": "en"}


@pytest.fixture
def web() -> Any:
    with httpx.Client(trust_env=False, timeout=20) as client:
        yield client


def enter(web: httpx.Client, town: Town, station: str = "S-0001") -> str:
    """Comes in to a kiosk's page as a browser does, and nobody stands before it; answers its address."""
    town.leave(station)
    url = town.demo.stations[station].kiosk_url
    assert web.get(url, follow_redirects=True).status_code == 200
    return url.removesuffix("/begin")


def checked(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["content-type"].startswith("text/html")
    assert headers["content-security-policy"].startswith(POLICY)
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_headers(town: Town, web: httpx.Client, path: str) -> None:
    checked(web.get(town.demo.url + path))


def test_the_kiosks_page_has_the_headers(town: Town, web: httpx.Client) -> None:
    checked(web.get(enter(web, town) + "/"))


def test_a_mail_as_it_was_sent_is_shut_off(town: Town, web: httpx.Client) -> None:
    town.waiting_at("S-0002")
    answer = web.get(f"{town.demo.url}/mails/{town.demo.sink.mails()[-1].number}/as-sent")
    assert (
        answer.headers["content-security-policy"]
        == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


# streams


def first_event(web: httpx.Client, url: str) -> tuple[httpx.Response, str]:
    with web.stream("GET", url, headers={"Accept-Encoding": "gzip, br"}) as answer:
        said = b""
        for part in answer.iter_raw():
            said += part
            if b"\n\n" in said:
                break
    return answer, said.decode()


def shown(event: str) -> str:
    return "\n".join(line.removeprefix("data: ") for line in event.splitlines() if line.startswith("data: "))


def body_of(page: str) -> str:
    """What stands in the live part of a page, without the spaces between."""
    live = page.partition('<div id="live"')[2].partition(">")[2]
    return "".join(live.rpartition("</div>")[0].split())


def test_a_stream_begins_with_the_whole_state_and_is_not_packed(town: Town, web: httpx.Client, shop: Shop) -> None:
    told = shop.announce()
    kiosk = enter(web, town)
    streams = {
        f"/?number={told['reference']}": f"/number/events?number={told['reference']}",
        told["track"]: f"{told['track']}/events", "/mails": "/mails/events",
        "/pretend/S-0003": "/pretend/S-0003/events", f"{kiosk}/": f"{kiosk}/screen/events",
    }  # fmt: skip
    for page, stream in streams.items():
        page, stream = (each if each.startswith("http") else town.demo.url + each for each in (page, stream))
        answer, event = first_event(web, stream)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        assert answer.headers["cache-control"] == "no-store" and answer.headers["x-accel-buffering"] == "no"
        assert re.search(r"^id: \d+$", event, re.MULTILINE)
        whole, live = "".join(shown(event).split()), body_of(web.get(page).text)
        heading = re.search(r"<h1.*?</h1>", live)
        assert heading and heading[0] in whole, page


def test_numbers_with_any_letters_are_followed(town: Town, web: httpx.Client, shop: Shop) -> None:
    """A number's letters are not taken for parts of an address."""
    reference = shop.announce(reference="A+1 b/2-77")["reference"]
    page = web.get(f"{town.demo.url}/", params={"number": reference}).text
    stream = re.search(r'hx-sse:connect="([^"]+)"', page)
    assert stream
    _, event = first_event(web, town.demo.url + stream[1].replace("&amp;", "&"))
    assert "Announced" in event


def test_pages_are_packed_for_those_who_take_it(town: Town, web: httpx.Client) -> None:
    with web.stream("GET", f"{town.demo.url}/", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    plain = web.get(f"{town.demo.url}/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and gzip.decompress(packed) == plain.content


def test_languages_that_nobody_speaks_are_not_kept(town: Town, web: httpx.Client) -> None:
    for language in ("en-zz9zz9", "de-'><script>", "xx", "en&number=1"):
        page = web.get(f"{town.demo.url}/", params={"lang": language}).text
        assert re.search(r'<html lang="(en|en-GB|de)"', page), language


# the kiosk's lock

STRANGERS: dict[str, dict[str, str]] = {
    "another page": {"Origin": "http://evil.example"}, "another site's frame": {"Sec-Fetch-Site": "cross-site"},
    "another name of this machine": {"Host": "evil.example"}, "a page of nowhere": {"Origin": "null"},
}  # fmt: skip


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
def test_strangers_find_no_kiosk(town: Town, web: httpx.Client, headers: dict[str, str]) -> None:
    kiosk = enter(web, town)
    before = town.demo.stations["S-0001"].station.kiosk.showing.number
    for path in ("/code", "/sign-in", "/act", "/look", "/beat"):
        answer = web.post(kiosk + path, data={"digits": "12345678", "name": "help"}, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    assert town.demo.stations["S-0001"].station.kiosk.showing.number == before


def test_without_the_cookie_there_is_no_kiosk(town: Town) -> None:
    kiosk = town.demo.stations["S-0001"].kiosk_url.removesuffix("/begin")
    for path in ("/", "/screen/events", "/static/x/y"):
        assert httpx.get(kiosk + path, trust_env=False).status_code == 404
    for path in ("/code", "/sign-in", "/act"):
        assert httpx.post(kiosk + path, data={"digits": "1"}, trust_env=False).status_code == 404


def test_whatever_is_posted_opens_no_door(town: Town, web: httpx.Client) -> None:
    kiosk, here = enter(web, town, "S-0003"), town.demo.stations["S-0003"]
    origin = {"Origin": kiosk}
    number, pulses = str(here.station.kiosk.showing.number), len(here.boards.core.pulses)
    for digits in ("1234567", "١٢٣٤٥٦٧٨", "x" * 9_000):  # each is a wrong try, and so is the form that is none, below
        assert web.post(f"{kiosk}/code", data={"digits": digits}, headers=origin).status_code == 204
    for fields in ({"name": "again", "screen": number}, {"name": "take", "screen": "-1"}, {"name": "open"},
                   {"screen": "x"}, {"name": "label", "screen": "9" * 5_000, "value": "x"}):  # fmt: skip
        assert web.post(f"{kiosk}/act", data=fields, headers=origin).status_code == 204
    assert web.post(f"{kiosk}/look", data={"lang": "<script>", "theme": "\x00"}, headers=origin).status_code == 204
    assert web.post(f"{kiosk}/code", content=b"\xff\xfe{", headers=origin).status_code in (204, 400)
    assert web.post(f"{kiosk}/code", content=b"x" * 20_000, headers=origin).status_code == 413
    assert web.get(f"{kiosk}/").status_code == 200
    assert len(here.boards.core.pulses) == pulses
    town.forgive("S-0003")  # the next one's slip at this screen would be the fifth, and pause its codes


def test_whatever_is_posted_to_the_pretend_page(town: Town, web: httpx.Client) -> None:
    page = f"{town.demo.url}/pretend/S-0003"
    for fields in ({"door": "x", "do": "pull"}, {"door": "9" * 5_000, "do": "pull"}, {"door": "1", "do": "burn"}, {}):
        assert web.post(f"{page}/door", data=fields).status_code in (400, 404)
    assert web.post(f"{page}/line", data={"do": "mend"}).status_code == 303
    for nowhere in ("/pretend/S-0404", "/mails/999999", "/mails/x", "/mails/999999/as-sent"):
        assert web.get(town.demo.url + nowhere).status_code == 404


# what stands nowhere


def test_a_person_stands_on_their_own_page_only(town: Town, web: httpx.Client, shop: Shop) -> None:
    told = shop.announce(recipient=PERSON)
    seen = [web.get(town.demo.url + path).text for path in
            (f"/?number={told['reference']}", told["track"], "/console", "/metrics", "/start", "/pretend/S-0001",
             "/docs")]  # fmt: skip
    kiosk = enter(web, town)
    here = town.demo.stations["S-0001"]
    town.run(here.station.kiosk.sign_in(courier_code(town)))
    until(lambda: here.station.desk.expected(), "the station expects it")
    seen.append(web.get(f"{kiosk}/").text)
    town.run(here.station.kiosk.label(told["reference"]))
    seen.append(web.get(f"{kiosk}/").text)
    until(lambda: pushed_shut(here), "it is in")
    seen += [web.get(f"{kiosk}/").text, web.get(f"{town.demo.url}{told['track']}").text]
    seen += [shop.get(path).text for path in (f"/parcels/{told['id']}", "/parcels", "/stations", "/entries")]
    until(lambda: any(mail.to == PERSON["email"] for mail in town.demo.sink.mails()), "the mail comes")
    secrets = [MARK, PERSON["phone"], "Åsa"]
    assert [(place, secret) for place, text in enumerate(seen) for secret in secrets if secret in text] == []
    on_disk = [path.read_bytes() for path in town.folder.glob("stations/*")]
    assert on_disk and not any(secret.encode() in data for data in on_disk for secret in secrets)


def pushed_shut(here: Any) -> bool:
    for door, state in here.boards.states().items():
        if state == DoorState.OPEN:
            here.boards.push_closed(door)
    return bool(here.station.kiosk.showing.screen == "courier-scan")


def courier_code(town: Town) -> str:
    office = Shop(town.demo.url, town.demo.operator_key)
    code = office.courier_code("S-0001", COURIER)
    office.close()
    return code
