"""A policy that was a mistake, taken back at the console; and a tracking page that is handed on."""

from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.browsing import PHONE, Watched, chromium, visitor
from acceptance.office import office
from acceptance.running import Town
from acceptance.shop import Shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SHEET = "navigator.share = (what) => { window.handedOn = what; return Promise.resolve(); };"
"""A phone's own sheet for handing things on, which Chromium has none of on this machine."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def test_a_change_of_policy_is_taken_back(town: Town, browser: Any) -> None:
    """As a version of its own: what happened in between stays in the journal, and other knobs keep their values."""
    before = town.demo.hub.policy
    with office(browser, town) as sit_down:
        desk = sit_down().enter("operator").open("/console/policy")
        desk.page.locator("#hold_hours").fill("24")
        desk.press("Adopt this as version").said("in force")
        assert town.demo.hub.policy.hold_hours == 24
        assert "24" in desk.page.locator(".diff").first.inner_text()
        stale = sit_down().open("/console/policy")
        desk.press("Take this change back").said("in force")
        assert town.demo.hub.policy.hold_hours == before.hold_hours
        assert town.demo.hub.policy.version == before.version + 2
        stale.press("Take this change back")
        assert town.demo.hub.policy.version == before.version + 2, "a page that is old changes nothing"
        desk.gates()
        assert desk.faults == []


def test_a_tracking_page_is_handed_on(town: Town, shop: Shop, browser: Any) -> None:
    """By the phone's own sheet where it has one, else copied; the link is the page's own and nothing more."""
    track = town.demo.url + shop.announce()["track"]
    with visitor(browser, PHONE) as phones:
        page = phones(Watched)
        page.page.add_init_script(SHEET)
        page.go(track + "?lang=en")
        page.page.get_by_role("button", name="Share this page").click()
        handed = page.page.evaluate("window.handedOn")
        assert (handed["url"], handed["text"]) == (track, "Where the parcel is:")
    with visitor(browser, PHONE) as phones:
        page = phones(Watched)
        page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.go(track + "?lang=en")
        page.page.bring_to_front()
        page.page.get_by_role("button", name="Share this page").click()
        page.page.get_by_role("button", name="Copied").wait_for()
        assert page.page.evaluate("navigator.clipboard.readText()") == track
        page.gates(sideways=True)
