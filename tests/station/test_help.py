"""Whom to call: one number in the policy is on the screen of every station; without one nobody is told to call."""

import re
from pathlib import Path

import pytest

from parcelwall.errors import Refusal
from parcelwall.hub.policies import knobs, refuse_odd
from parcelwall.notices.language import words
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from parcelwall.station.showing import Screen
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from parcelwall.web.views import KioskScreen
from station.rig import Rig
from station.towns import a_small_town, about
from web import samples

NUMBER = "+358 9 4245 0100"


def shown(rig: Rig, screen: Screen) -> str:
    page = renderer()
    rig.station.kiosk.show(screen, 60)
    return said(page.fragment(picture(rig.station, page)))


def said(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


async def test_a_station_without_a_number_tells_nobody_to_call(rig: Rig) -> None:
    for screen in ("help", "held"):
        assert not re.search(r"\bcall\b", shown(rig, screen), re.IGNORECASE)
    rig.hear(facts.PolicyAdopted(policy=Policy(version=2, help_phone=NUMBER)))
    assert NUMBER in shown(rig, "help")
    assert "Help shows whom to call" in shown(rig, "held")
    rig.hear(facts.PolicyAdopted(policy=Policy(version=3)))
    assert NUMBER not in shown(rig, "help")


def test_no_screen_without_a_number_says_to_call() -> None:
    page = renderer()
    for name, view in samples.all_views(words("en")).items():
        if isinstance(view, KioskScreen) and not view.phone:
            assert not re.search(r"\bcall\b", said(page.fragment(view)), re.IGNORECASE), name


async def test_time_stands_still_only_for_whom_it_does(rig: Rig) -> None:
    """Who collects has a case that stops the clock; a courier who brings has none, and Help knows of no case."""
    assert "is paused" not in shown(rig, "help")
    page, kiosk = renderer(), rig.station.kiosk
    parcel = await rig.inside("PW-1")
    rig.promise("PW-2")
    for door in range(1, 9):
        rig.boards.core.jam(door)
    assert (await kiosk.type_code(rig.code(parcel))).screen == "stuck"
    assert "Your time is paused." in said(page.fragment(picture(rig.station, page)))
    kiosk.home()
    await kiosk.sign_in(rig.courier_code())
    assert (await kiosk.label("PW-2")).screen == "stuck"
    words = said(page.fragment(picture(rig.station, page)))
    assert "is paused" not in words
    assert "Somebody comes to mend it." in words


async def test_a_station_that_comes_later_hears_of_the_policy_too(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        await town.hub.adopt(Policy(version=2, help_phone=NUMBER))
        await town.station(about("S-0002", lat=60.18))
        for station in town.stations.values():
            await station.carry()
        told = {name: each.station.memory.policy.number_to_call for name, each in town.stations.items()}
        assert told == {"S-0001": NUMBER, "S-0002": NUMBER}


@pytest.mark.parametrize("number", ["112", NUMBER, "0800-123 456", "(030) 1234567"])
def test_a_number_as_people_dial_it(number: str) -> None:
    refuse_odd(Policy(help_phone=number))
    assert knobs(Policy(help_phone=number))["help_phone"] == number


@pytest.mark.parametrize("number", ["", "call us", "help@example.org", "12", "+49 30 <b>", "1" * 30])
def test_what_nobody_can_dial_is_refused(number: str) -> None:
    with pytest.raises(Refusal) as no:
        refuse_odd(Policy(help_phone=number))
    assert no.value.details == {"field": "help_phone"}
