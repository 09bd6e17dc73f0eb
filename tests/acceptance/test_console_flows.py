"""What the operator's people do at the console, in a browser on a running town: each flow from its first page."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from acceptance.browsing import DESK, KioskPage, chromium, sync_api, visitor
from acceptance.office import SLOW_LINE, Desk, office, pulses, shut
from acceptance.running import Town
from acceptance.shop import Shop, until
from parcelwall.hub.cases import HoldDoor

pytestmark = pytest.mark.timeout(180)
STATION = "S-0002"
DOORS = (14, 15, 16)  # of M: no parcel of other flows lies there, so no lock rests


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def test_a_new_operator_signs_in_finds_a_parcel_and_opens_its_door(town: Town, browser: Any) -> None:
    told, _ = town.waiting_at(STATION)
    town.leave(STATION)
    key = town.run(town.demo.hub.admit("vera", "Vera", "operator"))
    with office(browser, town) as people:
        vera: Desk = people()
        vera.plug_in_device()
        sign_in_with_key_then_make_passkey(vera, key)
        sign_in_with_passkey(vera)
        vera.find(told.reference)
        story(vera)
        door = town.behind(STATION, told.reference)
        assert door is not None
        signed, driven = vera.signs(), pulses(town, STATION)
        vera.ask_to_open(STATION, door)
        assert vera.signs() == signed + 1, "her device signed for this door"
        vera.said("The order is on its way")
        sync_api.expect(vera.page.locator("[aria-labelledby=acts] li").first).to_contain_text("opened")
        sync_api.expect(vera.page.locator("[aria-labelledby=chosen]")).to_contain_text("It is open.")
        assert pulses(town, STATION) == driven + 1
        shut(town, STATION, door)
        sync_api.expect(vera.page.locator("[aria-labelledby=chosen]")).to_contain_text("A parcel is inside.")
        vera.find(told.reference)
        assert vera.page.locator("tr", has_text="The door was seen open").count() == 2, "the courier's, and hers"
        row = vera.page.locator("tr", has_text="A door was opened from afar")
        sync_api.expect(row).to_contain_text("Vera")
        sync_api.expect(row).to_contain_text("a parcel is damaged or leaks: it smells")
        vera.gates()
    town.collect(told)


def sign_in_with_key_then_make_passkey(desk: Desk, key: str) -> None:
    desk.open("/console/numbers")  # not signed in: to the sign-in page, and back to what was asked for
    desk.page.locator("#key").fill("not a key")
    desk.press("Sign in", "form:has(#key)").said("This key lets nobody in here")
    desk.page.locator("#key").fill(key)
    desk.press("Sign in", "form:has(#key)")
    assert desk.page.url.endswith("/console/numbers"), desk.page.url
    desk.open("/console/me")
    desk.press("Make a passkey").said("The passkey is made")


def sign_in_with_passkey(desk: Desk) -> None:
    desk.press("Sign out", "body")
    assert "/console/sign-in" in desk.page.url
    desk.verifies(False)
    desk.page.get_by_role("button", name="Sign in with a passkey").click()
    sync_api.expect(desk.page.locator("[data-said]:not([hidden])")).to_have_count(1)
    assert "/console/sign-in" in desk.page.url, "a finger that the device does not know lets nobody in"
    desk.verifies(True)
    desk.press("Sign in with a passkey")
    assert desk.page.url.endswith("/console"), desk.page.url


def story(desk: Desk) -> None:
    """Every step in order, with who wrote it and both clocks."""
    steps = desk.page.locator("[aria-label='What happened'] tbody tr")
    shown = [step.locator("b").inner_text() for step in steps.all()]
    wanted = ["Announced by the carrier", "Room was promised", "Put in"]
    assert [each for each in shown if each in wanted] == wanted, shown
    put_in = steps.filter(has_text="Put in").first
    assert len(re.findall(r"\d\d:\d\d:\d\d", put_in.inner_text())) == 2, "the station's clock and the hub's"
    assert STATION in put_in.inner_text()


@pytest.mark.slow
def test_the_third_door_waits_for_a_second_person_at_another_browser(town: Town, browser: Any) -> None:
    with office(browser, town) as hers, office(browser, town) as his:
        kaisa, noor = hers().enter("kaisa"), his().enter("noor")
        town.leave(STATION)
        for door in DOORS[:2]:
            kaisa.ask_to_open(STATION, door, "clean", "").said("on its way")
            opened_lately(kaisa, door)
            shut(town, STATION, door)
        driven = pulses(town, STATION)
        kaisa.ask_to_open(STATION, DOORS[2], "clean", "").said("It waits for a second person")
        assert kaisa.page.locator("[aria-labelledby=acts]").get_by_role("button", name="Agree").count() == 0
        sync_api.expect(noor.page.locator(".needs")).to_contain_text("Somebody needs a second person")  # by herself
        noor.enter("noor").open("/console/needs").see(f"Kaisa asks to open door {DOORS[2]}")  # there within two minutes
        assert pulses(town, STATION) == driven, "nothing opens before a second person agreed"
        noor.gates()
        noor.press("Agree", ".need-second")
        opened_lately(noor, DOORS[2])
        opened_lately(kaisa, DOORS[2])  # her page says so by itself
        assert pulses(town, STATION) == driven + 1
        shut(town, STATION, DOORS[2])
        assert (kaisa.faults, noor.faults) == ([], [])


def opened_lately(desk: Desk, door: int) -> None:
    row = desk.page.locator("[aria-labelledby=acts] li", has_text=f"door {door} ")
    sync_api.expect(row.first).to_contain_text("opened")


def test_a_door_that_moves_is_seen_at_once(town: Town, browser: Any) -> None:
    with office(browser, town) as hers, office(browser, town) as theirs:
        noor, wall = hers().enter("noor"), theirs().enter("wall")
        wall.open("/console/stations/S-0003?door=5").live()
        chosen = wall.page.locator("[aria-labelledby=chosen]")
        sync_api.expect(chosen).to_contain_text("It is free.")
        assert chosen.get_by_role("button").count() == 0, "who may only look is offered no act"
        loaded = wall.navigations
        town.leave("S-0003")
        noor.ask_to_open("S-0003", 5, "look", "")
        sync_api.expect(chosen).to_contain_text("It is open.")
        assert wall.page.locator("svg.cabinet .is-open, svg.cabinet [class*=open]").count() >= 1
        shut(town, "S-0003", 5)
        sync_api.expect(chosen).to_contain_text("It is free.")
        assert wall.navigations == loaded, "nothing was loaded again"
        assert (noor.faults, wall.faults) == ([], [])


@pytest.mark.slow
def test_a_whole_area_is_kept_longer_by_two_people(town: Town, browser: Any) -> None:
    wakeful(town)
    first, _ = town.waiting_at(STATION)
    second, _ = town.waiting_at(STATION)
    town.leave(STATION)
    before = [held_until(town, each.reference) for each in (first, second)]
    with office(browser, town) as hers, office(browser, town) as his:
        kaisa, noor = hers().enter("kaisa"), his().enter("noor")
        ask_for_area(kaisa, "a storm")
        kaisa.said("It waits for a second person")
        noor.open("/console/needs").press("Refuse", ".need-second").said("Withdrawn")
        ask_for_area(kaisa, "a storm, again")
        noor.enter("noor").open("/console/needs").press("Agree", ".need-second").said("Agreed")
        sync_api.expect(noor.page.locator("[aria-labelledby=way]")).to_contain_text("begins at")
        assert [held_until(town, each.reference) for each in (first, second)] == before, "a minute to take it back"
        noor.press("Take it back", "[aria-labelledby=way]").said("Withdrawn")
        ask_for_area(kaisa, "a storm after all")
        noor.enter("noor").open("/console/needs").press("Agree", ".need-second")
        noor.gates()
        until(lambda: held_until(town, first.reference) != before[0], "it is carried out", within_s=90)
        until(lambda: held_until(town, second.reference) != before[1], "and for the other one")
        kept = lambda: len([mail for mail in town.demo.sink.mails() if mail.to == first.to]) - 1  # noqa: E731
        until(kept, "they are told")
        assert kept() == 1, "once"
    for told in (first, second):
        town.collect(told)


def wakeful(town: Town) -> None:
    """More time that nobody asked for is told in the morning: a policy without quiet hours, whenever tests run."""
    hub, policy = town.demo.hub, town.demo.hub.desk.policy
    awake = msgspec.structs.replace(policy, version=policy.version + 1, quiet_from_hour=0, quiet_until_hour=0)
    town.run(hub.adopt(awake))


def ask_for_area(desk: Desk, why: str) -> None:
    desk.open("/console/longer")
    desk.page.get_by_label("Simonkatu").check()
    desk.page.locator("input[name=hours]").fill("48")
    desk.page.locator("input[name=reason]").fill(why)
    desk.press("How many would that be?").see("parcels would be kept longer")
    desk.press("Keep them 48 hours longer")


def held_until(town: Town, reference: str) -> str:
    sql = "SELECT record::jsonb->>'collect_by' FROM parcel WHERE reference = $1"
    return str(town.run(town.demo.hub.pool.fetchval(sql, reference)))


@pytest.mark.slow
def test_a_door_is_set_out_of_order_and_comes_back_with_its_case_closed(town: Town, browser: Any) -> None:
    with office(browser, town) as people:
        timo: Desk = people().enter("timo")
        timo.open("/console/stations/S-0003?door=6")
        fold = timo.page.locator("details:has(form[action$='/hold'])")
        fold.locator("summary").click()
        fold.locator("input[name=words]").fill("the hinge is bent")
        timo.press("Out of order", "details:has(form[action$='/hold'])").said("The door is out of order")
        timo.see("It is out of order.")
        row = timo.open("/console/needs").page.locator(".need", has_text="A door is out of order").first
        row.locator("[id^=close-] > summary").click()
        row.locator("input[name=outcome]").fill("ask ada@example.org")
        timo.press("Close it", ".need:has(details[open])").said("Check what you typed")
        assert row.locator("input[name=outcome]").input_value() == "ask ada@example.org", "what was typed is back"
        row.locator("input[name=outcome]").fill("hinge mended")
        timo.press("Close it", ".need:has(details[open])").said("The case is closed.")
        timo.open("/console/stations/S-0003?door=6").see("It is free.")
        timo.gates()


@pytest.mark.slow
def test_who_has_no_right_has_a_clear_no_at_the_thing_itself(town: Town, browser: Any) -> None:
    told, _ = town.waiting_at(STATION)
    parcel = town.run(town.demo.hub.pool.fetchval("SELECT id FROM parcel WHERE reference = $1", told.reference))
    refused = {"wall": ["/console/parcels", "/console/longer", "/console/couriers", "/console/people",
                        "/console/numbers/use.csv", f"/console/parcels/{parcel}"],
               "timo": ["/console/longer", "/console/people", f"/console/parcels/{parcel}"],
               "pia": ["/console/parcels", "/console/people"]}  # fmt: skip
    with office(browser, town) as people:
        desk: Desk = people()
        for who, paths in refused.items():
            desk.enter(who)
            for path in paths:
                desk.open(path, 404 if path.endswith(str(parcel)) else 403)
                heading = desk.page.locator("h1").inner_text()
                wanted = "There is nothing here" if path.endswith(str(parcel)) else "Your role does not allow this"
                assert wanted in heading, (who, path, heading)
                desk.gates()
        desk.enter("wall")
        assert desk.page.get_by_role("navigation").get_by_role("link", name="Parcels").count() == 0
    town.leave(STATION)
    town.collect(told)


CHARTS = ("use", "fill", "waiting", "peaks", "intervals", "refusals", "more", "faults", "promises", "groups", "costs")
CHROMIUM_LETS_THROUGH = 10  # downloads of one page, before it asks whoever sits there whether they want more


@pytest.mark.slow
def test_numbers_and_their_files(town: Town, browser: Any) -> None:
    told, _ = town.waiting_at(STATION)
    town.leave(STATION)
    town.collect(told)
    with office(browser, town) as people:
        pia: Desk = people().enter("pia")
        pia.open("/console/numbers?days=1").gates()
        for number, key in enumerate(CHARTS):
            if number == CHROMIUM_LETS_THROUGH:
                pia.open("/console/numbers?days=1")
            with pia.page.expect_download() as started:
                pia.page.locator(f"section[aria-labelledby=chart-{key}] a[download]").click()
            text = started.value.path().read_bytes().decode("utf-8-sig")
            head, *rows = list(csv.reader(io.StringIO(text)))
            assert started.value.suggested_filename.startswith(f"parcelwall-{key}-") and len(head) >= 2
            assert all(len(row) == len(head) for row in rows)
            if key == "promises":
                assert int(dict(rows)["kept: a door was there"]) >= 1
    looked = "SELECT count(*) FROM entry WHERE kind = 'Looked' AND body LIKE '%promises, 1 days%'"
    assert town.run(town.demo.hub.pool.fetchval(looked)) == 1, "who fetched which stands in the journal"


@pytest.mark.slow
def test_a_slow_line_and_a_slow_machine_still_open_a_door(town: Town, browser: Any) -> None:
    with office(browser, town) as people:
        desk: Desk = people().enter("operator")
        wire = desk.plug_in_device()
        desk.open("/console/me").press("Make a passkey")
        wire.send("Network.enable")
        wire.send("Network.emulateNetworkConditions", SLOW_LINE)
        wire.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        town.leave("S-0003")
        desk.ask_to_open("S-0003", 7)
        sync_api.expect(desk.page.locator("[aria-labelledby=acts] li").first).to_contain_text("opened", timeout=20_000)
        shut(town, "S-0003", 7)
        assert desk.faults == []


VIEWS = ["/console", "/console/needs", "/console/stations/S-0002?door=3", "/console/parcels", "/console/longer",
         "/console/couriers", "/console/numbers?days=1", "/console/sites?station=S-0002", "/console/policy",
         "/console/people", "/console/me", "/console/wall", "/console/journal?station=S-0002"]  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {
    "day": {}, "night": {"color_scheme": "dark"}, "Arabic": {"locale": "ar"},
    "320 px": {"viewport": {"width": 320, "height": 640}},
    "200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_in_every_look(town: Town, browser: Any, look: str) -> None:
    told, _ = town.waiting_at(STATION)
    parcel = town.run(town.demo.hub.pool.fetchval("SELECT id FROM parcel WHERE reference = $1", told.reference))
    hold = HoldDoor(station="S-0003", compartment=8, why="loose")
    case = town.run(town.demo.hub.desk.ask(hold)).body["case"]
    options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", "locale": "en-GB"}
    context = browser.new_context(**options | LOOKS[look])
    desk = Desk(context.new_page())
    desk.url = town.demo.url
    desk.open("/enter?who=operator")
    for path in (*VIEWS, f"/console/parcels/{parcel}"):
        desk.open(path)
        beyond = desk.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{path} scrolls {beyond} px sideways"
        desk.gates()
    context.close()
    close_case(town, case)
    town.leave(STATION)
    town.collect(told)


def close_case(town: Town, case: str) -> None:
    shop = Shop(town.demo.url, town.demo.operator_key)
    assert shop.post(f"/cases/{case}/close", {"outcome": "tightened"}).status_code == 200
    shop.close()


@pytest.mark.slow
def test_a_sentence_is_put_on_a_stations_screen_and_taken_off(town: Town, browser: Any) -> None:
    """Somebody who stands there reads it in their language; who wrote what does not fit is told so."""
    with office(browser, town) as people, visitor(browser, DESK) as pages:
        timo, kiosk = people().enter("timo"), pages(KioskPage)
        town.leave(STATION)
        kiosk.go(town.demo.stations[STATION].kiosk_url)
        kiosk.live().screen("home")
        timo.open(f"/console/stations/{STATION}").page.locator("#say summary").click()
        timo.page.get_by_label("English").fill("Ask ada@example.org about the ice.")
        timo.press("Show it").said("Check what you typed")
        assert timo.page.get_by_label("English").input_value() == "Ask ada@example.org about the ice."
        timo.page.get_by_label("English").fill("Mind the ice.")
        timo.page.get_by_label("Deutsch").fill("Vorsicht, Glatteis.")
        timo.press("Show it").said("Its screen says so").see("Mind the ice.")
        timo.gates()
        kiosk.see("Mind the ice.", within_s=20)  # whatever nobody has touched is drawn anew every 15 s
        kiosk.gates()
        kiosk.tap("Language and look").screen("look").tap("Deutsch").tap("Zurück").screen("home")
        kiosk.see("Vorsicht, Glatteis.")
        timo.press("Take it off").said("Its screen says nothing of its own any more.")
        kiosk.page.locator("#noted").wait_for(state="detached", timeout=20_000)
        assert kiosk.faults == []
