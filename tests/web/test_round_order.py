"""An order of stops at the console and by the API: who may give one, what it shows, and what a phone makes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parcelwall.rules import facts
from web.gallery import CHROMIUM, Gallery, served
from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture

sync_api = pytest.importorskip("playwright.sync_api")


async def test_an_order_is_given_by_numbers_and_only_for_stations_of_one_s_own(office: Office) -> None:  # noqa: F811
    courier = office.hub.ids.new()
    for station in (AREA, ELSEWHERE):
        await office.hub.grant(facts.Granted(grant=office.hub.ids.new(), station=station, may=("deposit",),
                                             courier=courier))  # fmt: skip
    path, day = f"/console/couriers/{courier}/round", office.hub.clock.now().date().isoformat()
    both = {"day": day, f"place-{AREA}": "2", f"place-{ELSEWHERE}": "1"}
    assert (await office.post("operator", path, both)).status_code == 403
    assert {(await office.post(who, path, both)).status_code for who in ("viewer", "technician", "planner")} == {403}
    for odd in ({f"place-{AREA}": "1", f"place-{ELSEWHERE}": "1"}, {f"place-{AREA}": "first"}, {"day": ""}):
        assert "no=bad_field" in (await office.post("admin", path, both | odd)).headers["location"]
    assert "said=ordered" in (await office.post("admin", path, both)).headers["location"]
    page = (await office.browsers["admin"].get(path)).text
    assert page.index(f'name="place-{ELSEWHERE}" value="1"') < page.index(f'name="place-{AREA}" value="2"')
    assert (await office.post("operator", path, {"day": day})).status_code == 403, "it names one that is not theirs"
    mine = (await office.browsers["operator"].get(path)).text
    assert "outside your area" in mine and f"place-{ELSEWHERE}" not in mine
    assert (await office.browsers["viewer"].get(path)).status_code == 403
    assert "said=ordered" in (await office.post("admin", path, {"day": day})).headers["location"]
    assert "No order is given" in (await office.browsers["admin"].get(path)).text


async def test_a_hub_that_was_restored_says_that_orders_are_gone_until_they_are_given_again(office: Office) -> None:  # noqa: F811
    courier, hub, admin = office.hub.ids.new(), office.hub, office.browsers["admin"]
    await hub.grant(facts.Granted(grant=hub.ids.new(), station=AREA, may=("deposit",), courier=courier))
    path, day = f"/console/couriers/{courier}/round", hub.clock.now().date().isoformat()
    await office.post("admin", path, {"day": day, f"place-{AREA}": "1"})
    says = "Orders of stops that were given after that backup are gone."
    assert says not in (await admin.get(path)).text + (await admin.get("/console/couriers")).text
    await hub.restored()
    for shown in (path, "/console/couriers"):
        assert says in (await admin.get(shown)).text
    await office.post("admin", path, {"day": day, f"place-{AREA}": "1"})
    assert says not in (await admin.get(path)).text
    assert says in (await admin.get("/console/couriers")).text, "others may have had one"


async def test_a_rule_for_a_carrier_that_there_is_not_is_refused(office: Office) -> None:  # noqa: F811
    for given, said in (("acmee", "no=bad_field"), ("acme", "said=adopted")):
        answer = await office.post("admin", "/console/policy", {"version": "1", "order_enforced": given})
        assert said in answer.headers["location"]
    assert office.hub.policy.order_for("acme") == "enforced"


@pytest.fixture
def page() -> Iterator[Any]:
    if not Path(CHROMIUM["executable_path"]).exists():
        pytest.skip("needs chromium-headless-shell")
    with served(Gallery()) as where, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        page = browser.new_page(viewport={"width": 320, "height": 640})
        page.where = where
        yield page
        browser.close()


def test_a_phone_without_a_signal_passes_stops_by_its_own_notes(page: Any) -> None:
    """Nothing answers where the outbox sends to: what was noted counts here at once, and after a reload."""
    page.goto(f"{page.where}/courier-stop-first")
    shown = lambda: (page.locator(".stop-first").is_visible(), page.locator(".stop-later").is_visible())  # noqa: E731
    on = page.locator("[data-go-on]")
    assert shown() == (True, False) and not on.is_visible()
    page.get_by_role("button", name="It cannot be reached").click()
    on.wait_for(state="visible")
    assert shown() == (True, False), "one is left, which is but a question"
    kept = page.evaluate("outbox.mine()")
    assert [entry["body"] for entry in kept] == [{"station": "S-0002", "day": "2026-11-22", "why": "unreachable"}]
    on.click()
    page.locator(".stop-later").wait_for(state="visible")
    page.reload()
    page.locator(".stop-later").wait_for(state="visible")
    assert shown() == (False, True)
    page.goto(f"{page.where}/courier-stop")
    assert page.get_by_role("heading", name="Room here now").is_visible()


def test_scanning_at_a_stop_asks_first_and_a_problem_can_be_reported_all_the_while(page: Any) -> None:
    scan = page.get_by_role("button", name="Use the camera")
    page.goto(f"{page.where}/courier-scan-first?station=S-0003")
    scan.wait_for(state="visible")  # this page was kept of another stop, whose order says nothing of this one
    page.goto(f"{page.where}/courier-scan-first?station=S-0001")
    page.get_by_role("heading", name="First: Simonkatu").wait_for()
    problem = page.get_by_role("link", name="Problem")
    assert not scan.is_visible() and problem.is_visible()
    assert problem.get_attribute("href") == "/courier/problem?station=S-0001"
    page.get_by_role("button", name="I was there").click()
    scan.wait_for(state="visible")
