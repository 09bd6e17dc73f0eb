"""A courier's day on a running town: signed in by a code, an outbox that loses nothing, pages that are kept."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from acceptance.browsing import PHONE, sync_api
from acceptance.courier_phone import PhonePage, a_phone, sign_in
from acceptance.running import SMALL, Town
from acceptance.shop import Shop, until
from parcelwall.simulation.demo import COURIER
from web.gallery import CHROMIUM

pytestmark = pytest.mark.timeout(180)
STATION = "S-0003"
NAME = "Kruununhaka"
SIGNAL_COMES_BACK_WHILE_SENDING_FAILS = """() => {
  const real = fetch;
  window.fetch = async () => {
    window.fetch = real;
    dispatchEvent(new Event("online"));
    throw new TypeError("Failed to fetch");
  };
  dispatchEvent(new Event("online"));
}"""
A_BAR_THAT_CARRIES_NOTHING = """() => {
  window.fetch = (_, how) => new Promise((_, no) => how.signal?.addEventListener("abort", () => no(how.signal.reason)));
}"""
TWICE_IN_A_HURRY = """() => {
  const form = document.querySelector("[data-problem]");
  form.requestSubmit();
  form.requestSubmit();
}"""
TAPPED_AS_DRAWN = """() => {
  const row = "<button data-not-there='4471' data-station='S-0003' data-noted='Noted.'>Not there</button>";
  document.querySelector("main").insertAdjacentHTML("beforeend", row);
  document.querySelector("main").lastElementChild.click();
}"""
AS_A_NEW_VERSION_FINDS_IT = """async (stop) => {
  for (const name of await caches.keys()) if (name.startsWith("courier-")) await caches.delete(name);
  await (await caches.open("courier-before")).put(stop, new Response("as it was"));
  await (await navigator.serviceWorker.ready).unregister();
}"""
A_CALL_ENDS_THE_CAMERA = """() => {
  const [track] = document.querySelector("[data-video]").srcObject.getTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""
THE_PAGE_IS_LEFT = "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))"
A_KEPT_PAGE_OF_NO_STOP = "document.querySelector('[data-scan]').dataset.station = ''"  # shown where the hub is slow
OF_A_STATION_THAT_IS_NOT_THEIRS = """async () => {
  await outbox.add("problem", { station: "S-9999", what: "dirty", label: "" });
}"""
NAMES_OF_CACHES = "caches.keys()"
KEPT_PAGES = """async () => {
  const kept = [];
  for (const name of await caches.keys()) kept.push(...await (await caches.open(name)).keys());
  return kept.map((each) => each.url).filter((url) => !url.includes("/static/"));
}"""
EXIF_PLACE = b"Exif\x00\x00II*\x00SECRET PLACE"


def a_photo(path: Path) -> Path:
    """As a camera makes it: large, and with the place in it."""
    out = io.BytesIO()
    Image.effect_noise((2400, 1800), 40).convert("RGB").save(out, "JPEG", quality=95)
    data, told = out.getvalue(), EXIF_PLACE
    segment = b"\xff\xe1" + (len(told) + 2).to_bytes(2, "big") + told
    path.write_bytes(data[:2] + segment + data[2:])
    return path


@pytest.mark.slow
def test_a_code_signs_in_one_phone_once(town: Town, operator: Shop, playwright: Any, disk: Path) -> None:
    with a_phone(playwright, disk) as phone:
        page = sign_in(town, operator, phone())
        page.see(NAME)
        page.gates(sideways=True)
        spent = operator.post(f"/couriers/{COURIER}/invite", {}).json()["code"]
        other = phone()
        other.go(town.demo.url + "/courier/sign-in")
        for code, status in ((spent, 200), (spent, 403), ("WRONG-CODE", 403)):
            answer = other.page.request.post(
                town.demo.url + "/courier/sign-in", form={"code": code}, max_redirects=5 if status == 200 else 0
            )
            assert answer.status == status
        assert operator.post(f"/couriers/{COURIER}/sign-out", {}).status_code == 200
        page.page.goto(town.demo.url + "/courier/day")
        assert page.page.url.endswith("/courier/sign-in"), "a lost phone is ended from afar"


def test_the_outbox_survives_no_signal_a_reload_and_the_end_of_the_browser(
    town: Town, operator: Shop, playwright: Any, disk: Path, tmp_path: Path
) -> None:
    with a_phone(playwright, disk) as phone:
        page = sign_in(town, operator, phone())
        page.worker_is_ready()
        phone.context.set_offline(True)
        page.page.goto(town.demo.url + f"/courier/problem?station={STATION}")
        page.page.get_by_label("Damaged").check()
        page.page.locator("#photo").set_input_files(a_photo(tmp_path / "photo.jpg"))
        page.page.evaluate(TWICE_IN_A_HURRY)
        page.says("Noted").waits_for(1)
        assert not page.is_online, "two marks: no signal, and one waiting"
        page.page.reload()
        page.waits_for(1)
        page.page.goto(town.demo.url + "/courier/outbox")
        page.see("Damaged")
        page.see("Waiting for a signal.")
    with a_phone(playwright, disk) as phone:
        phone.context.set_offline(True)
        page = phone()
        page.page.goto(town.demo.url + "/courier/outbox")
        page.waits_for(1).see("Damaged")
        phone.context.set_offline(False)
        page.page.evaluate(SIGNAL_COMES_BACK_WHILE_SENDING_FAILS)
        page.waits_for(0).see("Sent.")
        assert page.is_online
    cases = [case for case in operator.get("/cases").json()["cases"] if case["about"] == "reported_damaged"]
    assert [case["station"] for case in cases] == [STATION]
    # each photo once, however often it was sent
    [photo] = operator.get(f"/cases/{cases[0]['id']}/photos").json()["photos"]
    picture = base64.b64decode(photo)
    assert len(picture) <= 400_000
    assert max(Image.open(io.BytesIO(picture)).size) <= 1600
    assert b"SECRET" not in picture and b"Exif" not in picture


@pytest.mark.slow
def test_pages_are_kept_for_whoever_is_signed_in(town: Town, operator: Shop, playwright: Any, disk: Path) -> None:
    """By whom they were seen, of when they are, and all of them: after a second signing in and under a new version."""
    stop = f"/courier/stop/{STATION}"
    with a_phone(playwright, disk) as phone:
        page = sign_in(town, operator, phone())
        page.worker_is_ready()
        page.page.evaluate("caches.open('pages-of-a-recipient')")
        page.page.close()
        page = sign_in(town, operator, phone())
        page.worker_is_ready().keeps(stop)
        page.page.goto(town.demo.url + "/courier/day")
        page.page.evaluate(AS_A_NEW_VERSION_FINDS_IT, stop)
        page.page.goto("about:blank")  # a worker is gone with its last page
        page.page.goto(town.demo.url + "/courier/day")
        page.worker_is_ready().keeps(stop)
        until(lambda: "courier-before" not in page.page.evaluate(NAMES_OF_CACHES), "the new version has taken over")
        phone.context.set_offline(True)
        page.page.goto(town.demo.url + "/courier")
        page.see("Kept on this phone; the hub has not answered. As of")
        assert not page.is_online
        phone.context.set_offline(False)
        until(lambda: page.is_online, "the round has noticed that the signal is back, though nothing waits")
        until(lambda: not page.page.locator("span.as-of-kept").is_visible(), "the hub's page has come")
        phone.context.set_offline(True)
        page.page.goto(town.demo.url + "/courier/day")
        with pytest.raises(sync_api.Error, match="ERR_INTERNET_DISCONNECTED"), page.page.expect_navigation():
            page.page.get_by_role("button", name="Sign out").click()
        page.page.wait_for_url("chrome-error://**")
        page.page.goto(town.demo.url + "/courier/day")
        page.keeps(stop)
        with page.page.expect_navigation():  # a kept page comes anew, and would take another's turn
            phone.context.set_offline(False)
        page.page.goto(town.demo.url + "/courier")
        assert page.page.locator(".as-of").is_visible() and not page.page.locator("span.as-of-kept").is_visible()
        page.page.goto(town.demo.url + "/courier/day")
        page.page.get_by_role("button", name="Sign out").click()
        page.page.wait_for_url("**/sign-in")
        until(lambda: page.page.evaluate(KEPT_PAGES) == [], "the courier's pages are gone")
        assert "pages-of-a-recipient" in page.page.evaluate(NAMES_OF_CACHES)


@pytest.mark.slow
def test_what_was_refused_is_sent_again_or_seen_and_a_camera_that_is_gone_is_asked_for_again(
    town: Town, operator: Shop, playwright: Any, disk: Path
) -> None:
    with a_phone(playwright, disk, sees=[Image.new("RGB", (64, 64), "white")]) as phone:
        page = sign_in(town, operator, phone())
        page.page.goto(town.demo.url + "/courier/scan")
        for gone in A_CALL_ENDS_THE_CAMERA, THE_PAGE_IS_LEFT:
            page.page.get_by_role("button", name="Use the camera").click()
            sync_api.expect(page.page.locator("[data-video]")).to_be_visible()
            page.page.evaluate(gone)
            assert page.page.get_by_role("button", name="Use the camera").is_visible()
            assert not page.page.locator("[data-video]").is_visible()
        page.page.goto(town.demo.url + "/courier/outbox")
        page.page.evaluate(OF_A_STATION_THAT_IS_NOT_THEIRS)
        page.see("Needs you.")
        page.waits_for(1)
        before = page.page.locator("[data-entries] li").get_attribute("data-id")
        page.page.get_by_role("button", name="Send again").click()
        sync_api.expect(page.page.locator(f"[data-id='{before}']")).to_have_count(0)
        page.see("Needs you.")
        page.gates(sideways=True)
        page.page.goto(town.demo.url + "/courier/day")
        page.waits_for(1)
        page.page.get_by_role("button", name="Sign out").click()
        page.says("Some of your notes have not gone out")
        page.page.goto(town.demo.url + "/courier/outbox")
        page.page.get_by_role("button", name="Seen").click()
        page.waits_for(0).see("Not taken.")
        page.page.goto(town.demo.url + "/courier/day")
        page.waits_for(0)
        page.page.get_by_role("button", name="Sign out").click()
        page.page.wait_for_url("**/sign-in")


@pytest.mark.slow
def test_what_a_phone_cannot_do_is_said(
    town: Town, operator: Shop, playwright: Any, disk: Path, tmp_path: Path
) -> None:
    """No reader of codes, a file that is no photo, a bar that carries nothing; a parcel that is gone is one case."""
    with a_phone(playwright, disk, sees=[Image.new("RGB", (64, 64), "white")]) as phone:
        page = sign_in(town, operator, phone())
        page.worker_is_ready()
        page.page.goto(town.demo.url + "/courier/scan")
        page.page.evaluate("document.querySelector('[data-courier]').dataset.barcode = '/static/none.js'")
        page.page.get_by_role("button", name="Use the camera").click()
        page.says("The camera is not to be had")
        assert page.page.get_by_role("button", name="Use the camera").is_visible()
        page.page.evaluate(A_BAR_THAT_CARRIES_NOTHING)
        page.read_typed("SOMETHING-ELSE").says("Not known without a signal")
        phone.context.set_offline(True)
        page.page.goto(town.demo.url + f"/courier/problem?station={STATION}")
        page.page.get_by_label("Damaged").check()
        (tmp_path / "photo.jpg").write_bytes(b"no photo")
        page.page.locator("#photo").set_input_files(tmp_path / "photo.jpg")
        page.page.get_by_role("button", name="Report it").click()
        page.says("Noted without the photo").waits_for(1)
        for _ in range(2):
            page.page.evaluate(TAPPED_AS_DRAWN)
            page.says("Noted.").waits_for(2)
        page.page.evaluate("document.dispatchEvent(new Event('htmx:sse:after:message'))")
        assert page.page.evaluate("outbox.mine().then((all) => all.length)") == 2


@pytest.mark.slow
def test_the_pages_are_light_and_hold_at_320_px_and_at_200_percent(
    town: Town, operator: Shop, playwright: Any, disk: Path
) -> None:
    with a_phone(playwright, disk) as phone:
        page = sign_in(town, operator, phone())
        page.worker_is_ready()
        for path in ("", f"/stop/{STATION}", "/scan", "/carry", "/problem", "/outbox", "/day"):
            page.go(town.demo.url + "/courier" + path)
            page.gates(sideways=True)
            page.page.evaluate("document.documentElement.style.fontSize = '200%'")
            beyond = page.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, f"{path} scrolls {beyond} px sideways at twice the size"
            held = page.page.evaluate("document.title")
            assert not any(letter.isdigit() for letter in held), "a title holds no number"
    sizes: list[int] = []
    with visitor_with_bytes(playwright, sizes) as opened:
        sign_in(town, operator, opened)
        opened.page.wait_for_load_state("networkidle")
        sizes.clear()
        opened.page.reload(wait_until="networkidle")
    assert sum(sizes) <= 60_000 and len(sizes) <= 7, sizes


@contextmanager
def visitor_with_bytes(playwright: Any, sizes: list[int]) -> Iterator[PhonePage]:
    """A phone without the worker, and what each of its answers weighs on the wire."""
    browser = playwright.chromium.launch(**CHROMIUM)
    context = browser.new_context(viewport=PHONE, service_workers="block", locale="en-GB")
    page = PhonePage(context.new_page())
    client = context.new_cdp_session(page.page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    client.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    yield page
    browser.close()


@pytest.mark.slow
def test_a_stop_is_live_and_says_what_a_label_is(town: Town, operator: Shop, playwright: Any, disk: Path) -> None:
    told = town.run(town.people.order(STATION, SMALL))
    until(lambda: town.expects(STATION, told.reference), "the station has heard of it")
    with a_phone(playwright, disk) as phone:
        page = sign_in(town, operator, phone())
        page.go(town.demo.url + f"/courier/scan?station={STATION}")
        page.read_typed(told.reference.lower()).says("This one is for here")
        page.read_typed("RB123456784GB").says("One character is not right")
        page.read_typed("SOMETHING-ELSE").says("This one is not on your round")
        page.page.evaluate(A_KEPT_PAGE_OF_NO_STOP)
        page.read_typed(told.reference).says("This one is for here")
        page.go(town.demo.url + f"/courier/stop/{STATION}")
        page.live()
        town.run(town.people.deposit(told))
        page.see(f"the one ending {told.reference[-4:]} is in")
        door = town.behind(STATION, told.reference)
        page.see(f"Door {door}")
        page.gates()


def test_a_report_that_was_being_written_is_there_after_a_new_code(
    town: Town, operator: Shop, playwright: Any, disk: Path
) -> None:
    with a_phone(playwright, disk) as phone:
        page = sign_in(town, operator, phone())
        page.page.goto(town.demo.url + "/courier/problem?station=S-0003")
        page.page.get_by_label("Damaged").check()
        page.page.locator("#label").fill("PW-4711")
        page.page.context.clear_cookies()
        page.page.evaluate("outbox.post('/courier/label', { label: 'x', station: '' })")
        page.page.wait_for_url("**/courier/sign-in")
        invited = operator.post(f"/couriers/{COURIER}/invite", {}).json()
        page.page.locator("#code").fill(invited["code"])
        page.page.get_by_role("button", name="Sign in").click()
        page.page.wait_for_url("**/courier/problem?station=S-0003")
        assert page.page.get_by_label("Damaged").is_checked() and page.page.locator("#label").input_value() == "PW-4711"
        page.page.get_by_role("button", name="Report it").click()
        page.says("Noted")
        assert page.page.evaluate("sessionStorage.getItem('draft')") is None
