"""A station with no room left, on a slow line and a slow machine: who is told, in which words, and what goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from acceptance.browsing import PHONE, Watched, chromium, slow, visitor
from acceptance.running import Town
from acceptance.shop import Shop, a_body, until
from acceptance.standing import code_of, expected, ready, standing

STATION, MOST_DOORS = "S-0003", 40
SMALL = {"length_mm": 250, "width_mm": 180, "height_mm": 40, "weight_g": 600}
LARGE = {"length_mm": 400, "width_mm": 300, "height_mm": 350, "weight_g": 5_000}  # its size is the largest there
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@contextmanager
def no_room_left(town: Town, shop: Shop) -> Iterator[dict[str, Any]]:
    """All room is promised; the parcel that was too many. At the end the room is given back."""
    promised: list[dict[str, Any]] = []
    try:
        for _ in range(MOST_DOORS):
            answer = shop.post("/parcels", a_body(destination={"station_id": STATION}, **SMALL)).json()
            if answer["stage"] != "RESERVED":
                break
            promised.append(answer)
        until(lambda: town.expects(STATION, promised[-1]["reference"]), "the station has heard of the last promise")
        yield answer
    finally:
        for each in promised:
            shop.post(f"/parcels/{each['id']}/cancel", {})


def test_a_parcel_too_many_and_a_courier_whose_parcel_does_not_fit(
    town: Town, shop: Shop, operator: Shop, browser: Any
) -> None:
    """Who is refused reads at once that it comes another way; the courier keeps what does not fit."""
    told = expected(town, STATION, shop, **LARGE)
    with no_room_left(town, shop) as refused, visitor(browser, PHONE) as phones, standing(browser, town, STATION) as at:
        assert refused["stage"] == "DIVERTED" and refused["reason"] in ("no_fitting_compartment", "station_full")
        tracking = phones(Watched)
        slow(tracking.page), slow(at.kiosk.page)
        tracking.go(town.demo.url + refused["track"])
        tracking.see("another way")
        tracking.gates(sideways=True)
        at.sign_in(operator)
        at.kiosk.screen("courier-scan")
        at.scan(told["reference"])
        door = int(at.kiosk.screen("open", within_s=20).door)
        at.kiosk.tap("It does not fit")

        def shut() -> bool:
            at.here.boards.push_closed(door)
            return bool(at.here.station.kiosk.showing.screen == "no-fit")

        until(shut, "the station sees the door shut with nothing behind it")
        at.kiosk.screen("no-fit").see("No room for this one")
        at.kiosk.gates()
        at.kiosk.tap("Leave it on the van").screen("courier-scan")
    assert town.stage(told["reference"]) == "RESERVED", "nothing was put in"
    shop.post(f"/parcels/{told['id']}/cancel", {})


def test_who_has_one_inside_a_full_station_collects_it(town: Town, shop: Shop, browser: Any) -> None:
    told, _ = ready(town, STATION)
    with no_room_left(town, shop), standing(browser, town, STATION) as at:
        slow(at.kiosk.page)
        at.kiosk.type(code_of(town, told))
        at.shut("thanks")
        until(lambda: town.stage(told.reference) == "COLLECTED", "the hub hears of it")
