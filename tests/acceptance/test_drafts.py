"""What somebody has typed is there again after their sign-in ended, and nowhere else: one tab keeps it for them."""

from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.browsing import chromium, sync_api
from acceptance.office import Desk, office
from acceptance.running import Town
from parcelwall.hub import signed_in

pytestmark = pytest.mark.timeout(180)
BACK = "#draft-back:not([hidden])"
KEPT = "sessionStorage.getItem('draft')"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def came_in(desk: Desk, who: str, page: str) -> None:
    """Somebody signs in, and is led to this page."""
    desk.page.goto(f"{desk.url}/enter?who={who}")
    desk.page.wait_for_url(f"**{page}")


def ended(desk: Desk) -> None:
    """Nobody has touched the console for an hour."""
    desk.page.context.clear_cookies()


def typed(desk: Desk, who: str = "pia") -> Any:
    """A policy that is being written."""
    desk.open(f"/enter?who={who}").open("/console/policy")
    desk.page.locator("#remind_hours_before").fill("-5")
    return desk.page


def test_a_policy_that_was_being_written_when_the_sign_in_ended(browser: Any, town: Town) -> None:
    with office(browser, town) as sit_down:
        desk = sit_down()
        page = typed(desk)
        before = page.locator("#remind_hours_before").get_attribute("value")
        ended(desk)
        desk.press("Adopt this as")
        assert page.url.endswith("/console/sign-in?to=/console/policy")
        came_in(desk, "pia", "/console/policy")
        sync_api.expect(page.locator(BACK)).to_contain_text("What you had typed is back")
        assert page.locator("#remind_hours_before").input_value() == "-5"
        assert page.evaluate(f"JSON.parse({KEPT}).forms['/console/policy']") == [["remind_hours_before", "-5"]]
        desk.press("Adopt this as")
        desk.said("Something is missing or does not fit")
        assert page.locator("#remind_hours_before").input_value() == "-5", "nor is it lost by a refusal"
        page.locator("#remind_hours_before").fill(before)
        desk.press("Adopt this as").said("The new policy is in force")
        assert page.evaluate(KEPT) is None and page.locator(BACK).count() == 0


@pytest.mark.slow
def test_a_sentence_for_a_screen_is_there_after_the_page_itself_was_signed_out(browser: Any, town: Town) -> None:
    with office(browser, town) as sit_down:
        desk = sit_down()
        page = desk.open("/enter?who=timo").open("/console/stations/S-0001").live().page
        page.locator("#say summary").click()
        page.locator("#say input[name=text_en]").fill("The lamp is broken.")
        secret = next(each["value"] for each in page.context.cookies() if each["name"] == "pw-operator")
        town.run(signed_in.end(town.demo.hub, secret))
        page.get_by_role("link", name="Sign in").click(timeout=40_000)  # the stream's next look finds nobody
        page.wait_for_url("**/console/sign-in")
        came_in(desk, "timo", "/console/stations/S-0001")
        assert page.locator("#say input[name=text_en]").is_visible(), "its fold is open"
        assert page.locator("#say input[name=text_en]").input_value() == "The lamp is broken."


@pytest.mark.slow
def test_nobody_else_finds_it_and_nobody_who_went_on_or_out(browser: Any, town: Town) -> None:
    with office(browser, town) as sit_down:
        desk = sit_down()
        page = typed(desk)
        ended(desk)
        desk.press("Adopt this as")
        came_in(desk, "operator", "/console")
        assert page.evaluate(KEPT) is None
        page = typed(desk, "operator")
        assert page.evaluate(KEPT)
        desk.open("/console/couriers").open("/console/policy")
        assert page.evaluate(KEPT) is None and page.locator(BACK).count() == 0
        page = typed(desk, "operator")
        desk.press("Sign out", "header")
        assert page.evaluate(KEPT) is None
