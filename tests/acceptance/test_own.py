"""The recipient's own pages on a running town: list, passkeys of a virtual device, no network, two browsers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from acceptance.browsing import PHONE, Watched, chromium, slow, visitor
from acceptance.running import Town
from acceptance.shop import Shop, until
from parcelwall.simulation.people import Told
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer

pytestmark = pytest.mark.timeout(180)
STATION = "S-0001"  # the largest: some of these parcels stay, and others who share the town need the room elsewhere
DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
          "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
A_COURIERS_OUTBOX = """new Promise((yes) => {
  const asked = indexedDB.open("parcelwall-courier", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("entries", { keyPath: "id" });
  asked.onsuccess = () => { asked.result.close(); yes(); };
})"""
KEPT_LATE = "caches.open('pages-of-another').then((kept) => kept.put('/p/another', new Response('')))"
KEPT = "caches.keys().then((names) => names.filter((name) => name.startsWith('pages-')))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@contextmanager
def phone(browser: Any) -> Iterator[Any]:
    """A phone that makes passkeys and verifies its holder."""
    with visitor(browser, PHONE) as pages:
        own = pages(Watched)
        wire = own.page.context.new_cdp_session(own.page)
        wire.send("WebAuthn.enable")
        device = wire.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
        own.verifies = lambda yes: wire.send(
            "WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": yes}
        )
        yield own


def at_home(url: str) -> str:
    """Passkeys belong to a name."""
    return url.replace("127.0.0.1", "localhost")


def link_of(town: Town, told: Told) -> str:
    """What the parcel's mail leads to."""
    found: list[str] = []

    def there() -> bool:
        mine = [mail.text for mail in town.demo.sink.mails() if mail.to == told.to]
        texts = [text for text in mine if told.reference[-4:] in text]
        found.extend(link for text in texts for link in re.findall(r"https?://\S+/p/\S+", text))
        return bool(found)

    until(there, "the mail is there")
    return at_home(found[-1])


def number_sent(town: Town) -> str:
    subject = next(mail.subject for mail in reversed(town.demo.sink.mails()) if re.match(r"\d{3} \d{3}", mail.subject))
    return re.sub(r"\D", "", subject)


def brought(town: Town, shop: Shop, email: str, station: str = STATION, **about: Any) -> Told:
    """A parcel that lies at the station."""
    person = {"name": "Own", "email": email, "language": "en"}
    shown = shop.announce(destination={"station_id": station}, recipient=person, **about)
    told = Told(shown["reference"], station, email, shown["track"])
    town.leave(station)
    town.run(town.people.deposit(told))
    town.leave(station)
    return told


@pytest.mark.slow
def test_a_verified_person_collects(town: Town, shop: Shop, browser: Any) -> None:
    told = brought(town, shop, "own.person@example.org", proof="verified")
    link = link_of(town, told)
    with phone(browser) as own, visitor(browser, PHONE) as pages:
        own.go(link)
        assert own.page.locator(".qr").count() == 0, "without a passkey there is nothing to show"
        own.live().gates(sideways=True)
        own.page.get_by_role("button", name="Send a number").click()
        own.page.wait_for_url("**/me/number**")
        own.page.get_by_label("The number from the message").fill("000000")
        own.page.get_by_role("button", name="Go on").click()
        own.page.wait_for_selector(".said-no")
        own.gates(sideways=True)
        own.page.get_by_label("The number from the message").fill(number_sent(town))
        own.page.get_by_role("button", name="Go on").click()
        own.page.wait_for_url("**/p/**")
        own.page.get_by_role("button", name="Make a passkey").click()
        own.page.get_by_role("button", name="Show my passkey").first.wait_for()
        assert any("passkey" in mail.subject for mail in town.demo.sink.mails()), "the old ways are told"
        own.verifies(False)
        own.page.get_by_role("button", name="Show my passkey").first.click()
        own.page.locator("[data-said]:not([hidden]):focus").first.wait_for()
        assert own.page.locator(".qr").count() == 0, "a device that verifies nobody shows nothing"
        own.verifies(True)
        own.page.get_by_role("button", name="Show my passkey").first.click()
        own.page.wait_for_selector(".qr")
        own.live().gates(sideways=True)
        stranger = pages(Watched)
        stranger.go(link)
        assert stranger.page.locator(".qr").count() == 0, "the QR is this browser's alone"
        assert "Sign in with a passkey" in stranger.page.inner_text("#verify")
        opened_by_phone(town, own)
    assert town.stage(told.reference) == "COLLECTED"


def opened_by_phone(town: Town, own: Watched) -> None:
    """I am here, and it is I: the number off the screen, and the passkey once more."""
    town.leave(STATION)
    number = town.run(looked_up(town))
    door = int(re.findall(r"door (\d+)", own.page.inner_text("h1"))[0])
    fold = own.page.locator("details:has(form[action$='/verified'])")
    fold.locator("summary").click()
    fold.locator("input").fill(number)  # the third digit sends it
    own.page.wait_for_url("**said=opened**")
    here = town.demo.stations[STATION]

    def seen_shut() -> bool:
        here.boards.push_closed(door)
        return here.station.kiosk.showing.screen not in ("open", "still-open")

    until(seen_shut, "the station sees it shut")
    own.page.wait_for_selector("#parcel[data-stage=collected]")
    assert "Opened" in own.page.inner_text(".door-log")


async def looked_up(town: Town) -> str:
    """What the screen shows to whoever stands there."""
    return picture(town.demo.stations[STATION].station, renderer()).presence


@pytest.mark.slow
def test_the_list_a_passkey_and_another_phone(town: Town, shop: Shop, browser: Any) -> None:
    email = "own.list@example.org"
    first, second = (brought(town, shop, email) for _ in range(2))
    with phone(browser) as own:
        own.go(link_of(town, first))
        own.page.get_by_role("button", name="Keep it on this phone").click()
        own.page.wait_for_url("**/me")
        own.live().gates(sideways=True)
        assert own.page.locator("a.row").count() == 1, "a link joins its own parcel and no other"
        assert second.reference[-4:] not in own.page.inner_text("main")
        own.page.get_by_role("button", name="Send a number").click()
        own.page.get_by_label("The number from the message").fill(number_sent(town))
        own.page.get_by_role("button", name="Go on").click()
        own.page.wait_for_url("**said=shown**")
        assert own.page.locator("a.row").count() == 1, "nor does the contact join what was announced before"
        third = brought(town, shop, email)
        own.go(own.page.url)
        assert third.reference[-4:] in own.page.inner_text("main"), "what is announced later comes by itself"
        own.page.get_by_role("button", name="Make a passkey").click()
        own.page.wait_for_url("**said=passkey**")
        until(lambda: own.page.evaluate(KEPT) != [], "the list is kept")
        own.page.evaluate(A_COURIERS_OUTBOX)
        own.page.get_by_role("button", name="Sign out here").click()
        own.see("Sign in with a passkey")
        assert own.page.evaluate(KEPT) == [], "signing out forgets the pages that were kept"
        others = own.page.evaluate("indexedDB.databases().then((all) => all.map((each) => each.name))")
        assert others == ["parcelwall-courier"], "and nothing that a courier has noted in the same browser"
        own.page.evaluate(KEPT_LATE)
        own.go(own.page.url)
        until(lambda: own.page.evaluate(KEPT) == [], "a list that is nobody's forgets what was kept of an account")
        own.page.get_by_role("button", name="Sign in with a passkey").click()
        own.see(third.reference[-4:])
        own.page.locator("#language").select_option("de")
        own.page.get_by_label("Doors within reach").check()
        own.page.get_by_role("button", name="Keep it so").click()
        own.page.wait_for_selector("html[lang='de']")
        own.gates(sideways=True)
    reached = shop.announce(recipient={"name": "Own", "email": email}, destination={"station_id": STATION})
    sql = "SELECT record FROM parcel WHERE reference = $1"
    assert '"reach":true' in town.run(town.demo.hub.pool.fetchval(sql, reached["reference"]))


def test_an_opened_page_is_there_without_a_network(town: Town, shop: Shop, browser: Any) -> None:
    told = brought(town, shop, "own.offline@example.org")
    link = link_of(town, told)
    with visitor(browser, PHONE) as pages:
        own = pages(Watched)
        own.go(link)
        code = own.page.inner_text(".code")
        kept = f"caches.match('{urlsplit(link).path}').then(Boolean)"
        until(lambda: own.page.evaluate(kept), "the page is kept")
        own.page.context.set_offline(True)
        own.page.goto(link)
        assert own.page.inner_text(".code") == code and own.page.locator(".qr").is_visible()
        assert own.page.locator("#saved").is_visible() and "as of" in own.page.inner_text("#saved")
        own.page.locator("summary", has_text="Keep it longer").click()
        assert own.page.get_by_role("button", name="Keep it until then").is_disabled()
        own.page.context.set_offline(False)
        own.page.wait_for_selector("#saved", state="hidden")  # by itself, when the network is back
        own.page.wait_for_load_state()
        own.live()
        town.collect(told)
        own.page.wait_for_selector("#parcel[data-stage=collected]", timeout=15_000)
        until(lambda: not own.page.evaluate(kept), "a code that is spent is not kept")


class Front(BaseHTTPRequestHandler):
    """A proxy before the hub: pages go through; while the hub is `gone` it answers as proxies do."""

    hub, gone = "", False

    def do_GET(self) -> None:
        if type(self).gone or self.path.partition("?")[0].endswith("/events"):
            self.send_error(502)
            return
        answer = httpx.get(self.hub + self.path, trust_env=False, headers={"Accept": self.headers.get("Accept", "*/*")})
        self.send_response(answer.status_code)
        for name in ("Content-Type", "X-Parcelwall-Keep", "Service-Worker-Allowed"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.slow
def test_what_is_kept_is_shown_where_a_proxy_says_that_the_hub_is_gone(
    town: Town, shop: Shop, browser: Any
) -> None:
    told = brought(town, shop, "own.proxy@example.org")
    front = type("ThisFront", (Front,), {"hub": town.demo.url})
    with ThreadingHTTPServer(("127.0.0.1", 0), front) as server, visitor(browser, PHONE) as pages:
        Thread(target=server.serve_forever, daemon=True).start()
        own = pages(Watched)
        link = f"http://127.0.0.1:{server.server_port}{urlsplit(link_of(town, told)).path}"
        own.page.goto(link)
        code = own.page.inner_text(".code")
        until(lambda: own.page.evaluate(f"caches.match('{urlsplit(link).path}').then(Boolean)"), "the page is kept")
        front.gone = True  # type: ignore[attr-defined]
        own.page.goto(link)
        assert own.page.inner_text(".code") == code and own.page.locator(".qr").is_visible()
        assert own.page.locator("#saved").is_visible()
        own.page.goto("about:blank")
        server.shutdown()


def test_two_browsers_follow_a_collection_within_a_second(town: Town, shop: Shop, browser: Any) -> None:
    told = brought(town, shop, "own.two@example.org")
    with visitor(browser, PHONE) as owns, visitor(browser, PHONE) as others:
        own, track = owns(Watched), others(Watched)
        own.go(link_of(town, told))
        track.go(f"{town.demo.url}/?number={told.reference}")
        own.live(), track.live()
        town.collect(told)
        own.page.wait_for_selector("#parcel[data-stage=collected]", timeout=1_000)
        track.see("Collected", within_s=1.0)
        assert (own.faults, track.faults) == ([], [])


COUNT_TAPS = """window.taps = Number(sessionStorage.taps ?? 0);
addEventListener("click", (event) => { if (event.isTrusted) sessionStorage.taps = ++window.taps; }, true);"""


def test_taps(town: Town, shop: Shop, browser: Any) -> None:
    """Keeping it longer takes two, letting somebody else collect two (docs/faces.md has all counts)."""
    told = brought(town, shop, "own.taps@example.org")
    with visitor(browser, PHONE) as pages:
        own = pages(Watched)
        own.page.add_init_script(COUNT_TAPS)
        own.go(link_of(town, told))
        own.page.locator("summary", has_text="Keep it longer").click()
        own.page.get_by_role("button", name="Keep it until then").click()
        own.page.wait_for_url("**said=kept**")
        assert own.page.evaluate("Number(sessionStorage.taps)") == 2
        own.page.get_by_role("button", name="Somebody else collects it").click()
        own.page.get_by_role("button", name="Share the link").click()
        assert own.page.evaluate("Number(sessionStorage.taps)") == 4
        own.gates(sideways=True)


@pytest.mark.slow
def test_a_slow_line_and_a_slow_phone(town: Town, shop: Shop, browser: Any) -> None:
    """400 kbit/s, 300 ms, a quarter of the machine: door and code are there in some seconds."""
    link = link_of(town, brought(town, shop, "own.slow@example.org"))
    with visitor(browser, PHONE) as pages:
        own = pages(Watched)
        slow(own.page)
        own.go(link)
        paints = own.page.evaluate("performance.getEntriesByType('paint').map((each) => each.startTime)")
        assert max(paints) < 5_000, paints
        own.live().gates()


@pytest.mark.slow
def test_a_verified_person_on_a_slow_line_and_a_slow_phone(town: Town, shop: Shop, browser: Any) -> None:
    """The whole of it there: the number by mail, a passkey, its proof, and the door by phone."""
    told = brought(town, shop, "own.slow.person@example.org", proof="verified")
    link = link_of(town, told)
    with phone(browser) as own:
        slow(own.page)
        own.go(link)
        own.live().page.get_by_role("button", name="Send a number").click()
        own.page.wait_for_url("**/me/number**")
        own.page.get_by_label("The number from the message").fill(number_sent(town))
        own.page.get_by_role("button", name="Go on").click()
        own.page.wait_for_url("**/p/**")
        own.page.get_by_role("button", name="Make a passkey").click()
        own.page.get_by_role("button", name="Show my passkey").first.click()
        own.page.wait_for_selector(".qr")
        own.live().gates(sideways=True)
        opened_by_phone(town, own)
        assert own.faults == []
    assert town.stage(told.reference) == "COLLECTED"
