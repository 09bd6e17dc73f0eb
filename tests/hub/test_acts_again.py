"""Two persons are two: whoever asked must still be there, parts of one act are summed, a repeat is one act."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.test_acts import Desk, Reached
from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import acts, acts_due, staff
from parcelwall.hub.acts import Longer, OneDoor
from parcelwall.hub.commands import Asked
from parcelwall.hub.orders import OpenDoor
from parcelwall.ids import seeded
from parcelwall.rules import facts
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.policy import Policy
from parcelwall.simulation.town import a_town
from rules.samples import NOW

LOOK = OneDoor(1, "look")


def storm(*stations: str) -> Longer:
    return Longer(stations, 48, "storm")


@pytest_asyncio.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = VirtualClock(NOW)
    async with a_town(tmp_path, clock, seeded(clock, 7), durable=False, dsn=database) as town:
        for name in ("S-0001", "S-0002"):
            await town.station(facts.StationConfigured(station=name, name=name, address="", lat=60.17, lon=24.94,
                                                       layout=plain_layout("SSM SSM")))  # fmt: skip
        for who, role in (("kaisa", "operator"), ("noor", "operator"), ("boss", "admin")):
            await town.hub.admit(who, who, role)
        people = {row["id"]: staff.person_of(row) for row in await staff.everybody(town.hub.pool)}
        yield Desk(town, clock, people)


async def third_door(desk: Desk) -> acts.Act:
    asked = [await acts.ask_for_door(desk.hub, desk.people["kaisa"], "S-0001", LOOK) for _ in range(3)]
    assert asked[-1].state == "waiting"
    return asked[-1]


async def state_of(desk: Desk, act: acts.Act) -> str:
    return (await acts.find(desk.hub, act.id)).state


async def alone_parcels(desk: Desk, most: int) -> None:
    await desk.hub.adopt(Policy(version=2, alone_parcels=most))


async def test_what_somebody_asked_for_who_was_sent_away_is_withdrawn(desk: Desk) -> None:
    act = await third_door(desk)
    await staff.send_away(desk.hub, "kaisa")
    assert await state_of(desk, act) == "withdrawn"
    with pytest.raises(Refusal, match="stale_screen"):
        await acts.agree(desk.hub, desk.people["noor"], act.id)


async def test_nobody_agrees_to_what_the_asker_may_not_do_any_more(desk: Desk) -> None:
    act = await third_door(desk)
    await staff.change(desk.hub, "kaisa", "operator", frozenset({"S-0002"}))
    with pytest.raises(Refusal, match="stale_screen"):
        await acts.agree(desk.hub, desk.people["noor"], act.id)
    assert await state_of(desk, act) == "withdrawn"


async def test_an_area_is_not_kept_longer_for_who_lost_the_right_in_that_minute(desk: Desk) -> None:
    await desk.brought(1)
    act = await acts.ask_to_keep_longer(desk.hub, desk.people["kaisa"], storm("S-0001"))
    if act.state == "waiting":
        await acts.agree(desk.hub, desk.people["noor"], act.id)
    await staff.change(desk.hub, "kaisa", "viewer", frozenset())
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    assert await state_of(desk, act) == "withdrawn"
    assert not await desk.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Extended'")


async def test_stations_one_by_one_are_summed(desk: Desk) -> None:
    await alone_parcels(desk, 1)
    await desk.brought(1)
    kaisa = desk.people["kaisa"]
    assert (await acts.ask_to_keep_longer(desk.hub, kaisa, storm("S-0001"))).state == "agreed"
    with pytest.raises(Refusal, match="asked_already"):
        await acts.ask_to_keep_longer(desk.hub, kaisa, storm("S-0001", "S-0002"))
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    again = await acts.ask_to_keep_longer(desk.hub, kaisa, storm("S-0001"))
    assert again.state == "waiting", "the same parcel a second time is a second parcel"
    desk.clock.advance(86_400)
    assert (await acts.ask_to_keep_longer(desk.hub, kaisa, storm("S-0001"))).state == "agreed"


async def test_a_double_click_keeps_nothing_twice(desk: Desk) -> None:
    await desk.brought(1)
    kaisa = desk.people["kaisa"]
    both = await asyncio.gather(*(acts.ask_to_keep_longer(desk.hub, kaisa, storm("S-0001")) for _ in range(2)),
                                return_exceptions=True)  # fmt: skip
    assert sorted(type(each).__name__ for each in both) == ["Act", "Refusal"]


async def test_what_came_in_meanwhile_is_counted_again(desk: Desk) -> None:
    await alone_parcels(desk, 1)
    await desk.brought(1)
    act = await acts.ask_to_keep_longer(desk.hub, desk.people["kaisa"], storm("S-0001"))
    assert act.state == "agreed"
    await desk.brought(2)
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    assert await state_of(desk, act) == "waiting"
    assert not await desk.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Extended'")
    await acts.agree(desk.hub, desk.people["noor"], act.id)
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    assert await desk.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Extended'") == 2


async def test_repeats_at_the_same_moment_are_one_act_and_have_one_answer(desk: Desk) -> None:
    orders = [OpenDoor(station="S-0001", compartment=1, reason="look", asked=Asked("kaisa", "same", b"one door"))
              for _ in range(4)]  # fmt: skip
    outlets, kaisa = Reached(desk.hub), desk.people["kaisa"]
    answers = await asyncio.gather(*(acts.open_alone(desk.hub, outlets, kaisa, each) for each in orders))
    assert len({(str(answer.body), outcome) for answer, outcome in answers}) == 1
    assert await desk.hub.pool.fetchval("SELECT count(*) FROM act") == 1
    sent = "SELECT count(*) FROM entry WHERE kind = 'Granted' AND body LIKE '%compartment%'"
    assert await desk.hub.pool.fetchval(sent) == 1
