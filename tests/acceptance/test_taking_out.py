"""What is late is taken out from the console by two people, door after door, on a running town. One door jams."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from acceptance.browsing import chromium, sync_api
from acceptance.office import Desk, office, pulses
from acceptance.running import Town, a_town
from acceptance.shop import until
from parcelwall.clock import PacedClock, SystemClock
from parcelwall.hub.sweeps import sweep
from parcelwall.simulation.people import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
STATION = "S-0001"
AT = f"/console/stations/{STATION}/expired"


@pytest.fixture
def clock() -> PacedClock:
    return PacedClock(SystemClock())


@pytest.fixture
def town(clock: PacedClock) -> Iterator[Town]:
    """One of its own, whose hours can go by."""
    with a_town(clock) as running:
        yield running
        assert running.differences() == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def late(town: Town, clock: PacedClock, count: int) -> dict[int, Told]:
    """So many parcels that nobody collected within their hour, by their doors."""
    hub = town.demo.hub
    policy = hub.desk.policy
    town.run(hub.adopt(msgspec.structs.replace(policy, version=policy.version + 1, hold_hours=1)))
    told = [town.waiting_at(STATION)[0] for _ in range(count)]
    town.leave(STATION)
    clock.go(3600)
    until(lambda: town.run(overdue(town)) == count, "their hour is over", within_s=30)
    clock.go(1)
    return {town.behind(STATION, each.reference) or 0: each for each in told}


async def overdue(town: Town) -> int:
    hub = town.demo.hub
    await sweep(hub)
    return int(await hub.pool.fetchval("SELECT count(*) FROM parcel WHERE stage = 'OVERDUE'"))


def step(desk: Desk, door: int, words: str) -> None:
    """The page says so by itself."""
    row = desk.page.locator(".log-doors li", has_text=re.compile(rf"door {door}\b"))
    sync_api.expect(row).to_contain_text(words, timeout=20_000)


def shut(town: Town, door: int, told: Told) -> None:
    """Pushed until it has caught, and the hub has heard that the parcel is out."""

    def out() -> bool:
        town.demo.stations[STATION].boards.push_closed(door)
        return town.stage(told.reference) == "TAKEN_BACK"

    until(out, "the station writes that the parcel is out", within_s=30)


def test_two_people_take_out_what_is_late_past_a_door_that_jams(town: Town, clock: PacedClock, browser: Any) -> None:
    found = late(town, clock, 3)
    first, jams, last = sorted(found)
    town.demo.stations[STATION].boards.core.jam(jams)
    with office(browser, town) as hers, office(browser, town) as his:
        kaisa, noor = hers().enter("kaisa").open(AT), his().enter("noor")
        for told in found.values():
            kaisa.see(told.reference)
        driven = pulses(town, STATION)
        kaisa.page.locator("#late select[name=reason]").select_option("room")
        kaisa.press("All 3, door after door").said("It waits for a second person")
        assert kaisa.page.get_by_role("button", name="Agree").count() == 0
        noor.open(AT).see("Kaisa asks to take 3 late parcels out")
        assert pulses(town, STATION) == driven, "nothing opens before a second person agreed"
        noor.press("Agree")
        for desk in (kaisa, noor):
            step(desk, first, "open now")
            step(desk, jams, "still to come")
            step(desk, last, "still to come")
        assert pulses(town, STATION) == driven + 1, "one door at a time"
        shut(town, first, found[first])
        for desk in (kaisa, noor):
            step(desk, first, "taken out")
            step(desk, jams, "the door did not open")
            step(desk, last, "open now")
        noor.gates()
        shut(town, last, found[last])
        for desk in (kaisa, noor):
            step(desk, last, "taken out")
            sync_api.expect(desk.page.locator("[id^=act-]")).to_contain_text("agreed to by Noor · done")
            sync_api.expect(desk.page.locator("#late tbody tr")).to_have_count(1)
            sync_api.expect(desk.page.locator("#late tbody")).to_contain_text(found[jams].reference)
        assert (kaisa.faults, noor.faults) == ([], [])
    stages = {door: town.stage(told.reference) for door, told in found.items()}
    assert stages == {first: "TAKEN_BACK", jams: "OVERDUE", last: "TAKEN_BACK"}
