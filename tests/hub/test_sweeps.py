"""What is due: promises lapse only when their station was heard past them, holding times end, nothing is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.commands import Destination, Extend, Reserve
from parcelwall.hub.stations import rooms
from parcelwall.hub.sweeps import AskSomebody, seldom, sweep
from parcelwall.hub.verify import verify_hub
from parcelwall.link import paper, road
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.simulation.town import Town
from parcelwall.station.house import key_of
from parcelwall.station.road import Road
from station.towns import NOW, a_hub, a_small_town, about, announced, cases, only, parcel_at, told

HOUR = 3600


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


def advance(town: Town, hours: float) -> None:
    assert isinstance(town.clock, VirtualClock)
    town.clock.advance(hours * HOUR)


async def test_what_is_done_seldom_is_tried_again_if_it_failed() -> None:
    now, done, fails = VirtualClock(NOW), [], [True]

    async def step() -> None:
        done.append(now.mono())
        if fails:
            fails.pop()
            raise OSError

    often = seldom(now, HOUR, step)
    with pytest.raises(OSError):
        await often()
    for _ in range(120):
        now.advance(60.0)
        await often()
    assert [round((at - done[0]) / 60) for at in done] == [0, 1, 61]


async def test_a_promise_lapses_when_its_station_was_heard_past_it(town: Town) -> None:
    parcel = await told(town, "PW-1")
    await only(town).carry()
    advance(town, 73)
    assert await sweep(town.hub) == 0, "not heard of since: it may have been brought"
    await only(town).carry()
    assert await sweep(town.hub) == 1
    assert (await parcel_at(town.hub, parcel)).stage == Stage.ANNOUNCED
    assert await sweep(town.hub) == 0
    assert await cases(town.hub) == []
    await only(town).carry()
    with pytest.raises(Refusal) as refused:
        await only(town).deposit("PW-1")
    assert refused.value.reason == "not_for_this_station"


async def test_what_was_brought_in_time_while_the_line_was_cut_does_not_lapse(town: Town) -> None:
    parcel = await told(town, "PW-1")
    only(town).cut()
    advance(town, 71.9)
    await only(town).deposit("PW-1")
    advance(town, 5)
    assert await sweep(town.hub) == 0
    await only(town).carry()
    assert await sweep(town.hub) == 0
    assert (await parcel_at(town.hub, parcel)).stage == Stage.READY


async def test_the_station_refuses_by_its_own_deadline(town: Town) -> None:
    await told(town, "PW-1")
    only(town).cut()
    advance(town, 72.1)
    with pytest.raises(Refusal) as refused:
        await only(town).deposit("PW-1")
    assert refused.value.reason == "deposit_too_late"
    await only(town).carry()
    assert await sweep(town.hub) == 1


async def test_a_station_that_is_silent_for_days_is_lapsed_with_a_case(town: Town) -> None:
    parcel = await told(town, "PW-1")
    only(town).cut()
    advance(town, 72 + 71)
    assert await sweep(town.hub) == 0
    advance(town, 2)
    assert await sweep(town.hub) == 1
    assert (await parcel_at(town.hub, parcel)).stage == Stage.ANNOUNCED
    assert await cases(town.hub) == ["lapsed_while_silent"]


async def test_a_promise_that_has_moved_meanwhile_does_not_lapse(database: str, tmp_path: Path) -> None:
    stations = (about("S-0001"), about("S-0002", lat=60.18))
    async with a_small_town(database, tmp_path, *stations) as town:
        parcel = await told(town, "PW-1")
        advance(town, 73)
        await town.stations["S-0001"].carry()
        destination = Destination(station_id="S-0002")
        await asyncio.gather(
            town.hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=destination)), sweep(town.hub)
        )
        now = await parcel_at(town.hub, parcel)
        assert (now.stage, now.station) == (Stage.RESERVED, "S-0002")
        assert await sweep(town.hub) == 0


async def test_holding_times_end_once_whoever_sweeps(town: Town, database: str, tmp_path: Path) -> None:
    parcels = [await told(town, f"PW-{n}") for n in range(3)]
    for number in range(3):
        await only(town).deposit(f"PW-{number}")
    await only(town).carry()
    due = (await parcel_at(town.hub, parcels[2])).due
    assert due is not None
    assert isinstance(town.clock, VirtualClock)
    town.clock.move_to(due - timedelta(seconds=60))
    assert await sweep(town.hub) == 0
    town.clock.move_to(due)
    async with a_hub(database, tmp_path / "hub", town.clock, slot=2) as other:
        done = await asyncio.gather(sweep(town.hub), sweep(other), sweep(town.hub))
    assert sum(done) == 3
    assert [(await parcel_at(town.hub, each)).stage for each in parcels] == [Stage.OVERDUE] * 3
    assert await town.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Expired'") == 3
    await only(town).carry()
    assert len(only(town).desk.overdue()) == 3


async def test_kept_longer_is_not_over(town: Town) -> None:
    parcel = await told(town, "PW-1")
    await only(town).deposit("PW-1")
    await only(town).carry()
    advance(town, 47)
    await town.hub.desk.ask(Extend(carrier=None, parcel=parcel, by="recipient"))
    advance(town, 2)
    assert await sweep(town.hub) == 0
    advance(town, 23)
    assert await sweep(town.hub) == 1


async def test_nothing_is_forgotten(town: Town) -> None:
    """A parcel that nobody brings, and one that nobody takes back: a case each, once, and again if it was just shut."""
    await announced(town.hub, "PW-0")
    await told(town, "PW-1")
    await only(town).deposit("PW-1")
    await only(town).carry()
    advance(town, 24 * 3)
    await sweep(town.hub)
    advance(town, 24 * 8)
    assert await sweep(town.hub) == 1
    assert await cases(town.hub) == ["never_taken_back"]
    advance(town, 24 * 20)
    assert await sweep(town.hub) == 1
    assert sorted(await cases(town.hub)) == ["never_brought", "never_taken_back"]
    assert await sweep(town.hub) == 0


async def test_who_closes_a_forgotten_parcels_case_has_put_it_off(town: Town) -> None:
    """Its station burned down, say: nothing will ever come of it, and 30 s later nobody is asked again."""
    parcel = await told(town, "PW-1")
    await only(town).deposit("PW-1")
    await only(town).carry()
    advance(town, 24 * 3)
    await sweep(town.hub)
    advance(town, 24 * 8)
    assert await sweep(town.hub) == 1
    await close_all(town)
    late = AskSomebody(parcel=parcel)  # of a sweep that has looked before it was closed
    assert await sweep(town.hub) == 0 and isinstance((await town.hub.desk.serve([late]))[0], Refusal)
    advance(town, 24 * 29)
    assert await sweep(town.hub) == 0
    assert await verify_hub(town.hub.pool) == [], "it is not forgotten, it was put off"
    advance(town, 24 * 1.1)
    assert await sweep(town.hub) == 1
    assert await cases(town.hub) == ["never_taken_back"]


async def test_what_is_late_once_more_was_not_put_off(town: Town) -> None:
    parcel = await told(town, "PW-1")
    await only(town).deposit("PW-1")
    await only(town).carry()
    advance(town, 24 * 3)
    await sweep(town.hub)
    advance(town, 24 * 8)
    await sweep(town.hub)
    await close_all(town)
    await town.hub.desk.ask(Extend(carrier=None, parcel=parcel, hours=24, by="operator"))
    advance(town, 25)
    assert await sweep(town.hub) == 1, "late again"
    advance(town, 24 * 7 + 1)
    assert await sweep(town.hub) == 1, "a week later nobody has taken it back this time either"


async def close_all(town: Town) -> None:
    for row in await town.hub.pool.fetch("SELECT id, station FROM case_file WHERE closed_at IS NULL"):
        await town.hub.desk.ask(CloseCase(case=row["id"], station=row["station"], outcome="looked"))


@pytest.mark.parametrize("together", [True, False])
async def test_two_sweeps_that_found_the_same_ask_once(town: Town, together: bool) -> None:
    parcel = await announced(town.hub, "PW-0")
    advance(town, 24 * 31)
    if together:
        await town.hub.desk.serve([AskSomebody(parcel=parcel), AskSomebody(parcel=parcel)])
    else:
        await town.hub.desk.serve([AskSomebody(parcel=parcel)])
        await town.hub.desk.serve([AskSomebody(parcel=parcel)])
    assert await cases(town.hub) == ["never_brought"]


async def test_a_case_of_the_hub_frees_no_compartment(town: Town) -> None:
    """The door of an overdue parcel has failed: held; that nobody takes it back does not make it free."""
    await told(town, "PW-1")
    visit = await only(town).deposit("PW-1")
    desk, memory = only(town).desk, only(town).station.memory
    memory.tell(desk.case("door_failed", None, visit.compartment, holds=True))
    await only(town).carry()
    advance(town, 49)
    await sweep(town.hub)
    advance(town, 24 * 8)
    assert await sweep(town.hub) == 1
    await only(town).carry()
    bit = desk.plan.bit(visit.compartment)
    async with town.hub.pool.acquire() as connection:
        assert (await rooms(connection, ["S-0001"]))["S-0001"].held == bit
    assert memory.room().held == bit


async def test_a_beat_from_before_a_door_shut_lapses_nothing(town: Town) -> None:
    """The station beats on with an entry on its way: what it has not told yet must not be taken for silence."""
    parcel = await told(town, "PW-1")
    station = only(town)
    advance(town, 71.9)
    station.cut()
    await station.deposit("PW-1")
    advance(town, 1)
    await station.connect()
    assert station.line is not None
    for message in station.line.station.beat():
        await station.line.hub.hear(message)
    assert (await parcel_at(town.hub, parcel)).stage == Stage.READY
    assert await sweep(town.hub) == 0
    assert town.clock.now() > NOW
    assert facts.Lapsed.__name__ not in {
        row["kind"] for row in await town.hub.pool.fetch("SELECT DISTINCT kind FROM entry")
    }


async def test_a_promise_is_kept_while_somebody_stands_at_the_door_with_its_parcel(town: Town) -> None:
    """The door was opened in time, and is shut on the parcel after it: no entry tells of a deposit until then."""
    late, parcel = await told(town, "PW-0"), await told(town, "PW-1")
    station, desk = only(town), only(town).desk
    advance(town, 72 - 10 / HOUR)
    visit = await station._through_the_door(desk.deposit_by_label("PW-1", station.courier), forgets=True)
    advance(town, 20 / HOUR)
    await station.carry()
    await station.beat()
    assert await sweep(town.hub) == 0
    assert carried(town).header.made == clock.text(visit.begun_at), "nor by the other road"
    await station.shut(visit.compartment)
    await station.carry()
    await station.beat()
    assert await sweep(town.hub) == 1, "of the other one, now that all is told"
    assert (await parcel_at(town.hub, parcel)).stage == Stage.READY
    assert (await parcel_at(town.hub, late)).stage == Stage.ANNOUNCED


def carried(town: Town) -> road.Bundle:
    """What a courier's phone would be shown now."""
    memory = only(town).station.memory
    shown, gathering = Road(memory, lambda: key_of(memory, town.ids)), paper.Gathering()
    shown.show()
    [whole] = [each for sheet in shown.sheets if (each := gathering.take(sheet))]
    return road.read(whole)
