"""A station that is lost with all that lies in it: counted, agreed to, written off by one act, and never taken back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from msgspec.structs import replace

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import acts, acts_due, needs, staff
from parcelwall.hub.acts import Act, Gone
from parcelwall.hub.verify import verify_hub
from parcelwall.rules.life import Stage
from parcelwall.simulation.town import Town
from station.towns import a_small_town, cases, only, parcel_at, told

WHY = "destroyed: it burnt down on Friday"


class Desk:
    def __init__(self, town: Town, people: dict[str, staff.Person]) -> None:
        self.town, self.hub, self.people = town, town.hub, people
        assert isinstance(town.clock, VirtualClock)
        self.clock = town.clock

    async def brought(self, number: int) -> list[UUID]:
        parcels = [await told(self.town, f"PW-{each}") for each in range(number)]
        for each in range(number):
            await only(self.town).deposit(f"PW-{each}")
        await only(self.town).carry()
        return parcels

    async def ask(self, who: str = "kaisa", counted: int = 3, why: str = WHY) -> Act:
        return await acts.ask_to_write_off(self.hub, self.people[who], "S-0001", counted, why)

    async def stages(self, parcels: list[UUID]) -> list[Stage]:
        return [(await parcel_at(self.hub, each)).stage for each in parcels]

    async def alone(self, parcels: int) -> None:
        policy = self.hub.policy
        await self.hub.adopt(replace(policy, version=policy.version + 1, alone_parcels=parcels))


@pytest_asyncio.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_small_town(database, tmp_path) as town:
        for who, role in (("kaisa", "operator"), ("noor", "operator"), ("timo", "technician")):
            await town.hub.admit(who, who, role)
        yield Desk(town, {row["id"]: staff.person_of(row) for row in await staff.everybody(town.hub.pool)})


async def test_all_of_it_is_written_off_a_minute_later_with_a_case_each(desk: Desk) -> None:
    parcels = await desk.brought(3)
    await desk.alone(3)
    act = await desk.ask()
    assert isinstance(act.what, Gone) and set(act.what.parcels) == set(parcels)
    assert (act.state, act.due_at) == ("agreed", desk.clock.now() + timedelta(minutes=1))
    assert await acts_due.carry_out_due(desk.hub) == 0, "there is a minute to take it back"
    desk.clock.advance(61)
    assert await acts_due.carry_out_due(desk.hub) == 1
    assert await desk.stages(parcels) == [Stage.WRITTEN_OFF] * 3
    assert await cases(desk.hub) == ["written_off"] * 3
    rows = await desk.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'WrittenOff'")
    assert all(str(desk.people["kaisa"].actor) in row["body"] and WHY in row["body"] for row in rows)
    with pytest.raises(Refusal, match="stale_screen"):
        await acts.withdraw(desk.hub, desk.people["kaisa"], act.id)
    await desk.hub.pool.execute("UPDATE act SET state = 'agreed' WHERE id = $1", act.id)  # a process died in between
    await acts_due.carry_out_due(desk.hub)
    assert await desk.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'WrittenOff'") == 3, "each once"
    assert await verify_hub(desk.hub.pool) == []
    await only(desk.town).carry()


async def test_many_are_written_off_by_two(desk: Desk) -> None:
    parcels = await desk.brought(3)
    await desk.alone(2)
    act = await desk.ask()
    assert act.state == "waiting"
    [need] = [each for each in await needs.needs(desk.hub, desk.people["noor"]) if each.about == "second"]
    assert need.act == act and need.station == "S-0001"
    for who, reason in (("kaisa", "second_person_needed"), ("timo", "no_right")):
        with pytest.raises(Refusal, match=reason):
            await acts.agree(desk.hub, desk.people[who], act.id)
    await acts.agree(desk.hub, desk.people["noor"], act.id)
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    assert await desk.stages(parcels) == [Stage.WRITTEN_OFF] * 3
    await only(desk.town).carry()


async def test_what_was_counted_is_what_is_written_off(desk: Desk) -> None:
    """Another number by now is shown first; what goes out or comes in meanwhile is left as it is."""
    first, second, third = await desk.brought(3)
    await desk.alone(3)
    with pytest.raises(Refusal, match="stale_screen"):
        await desk.ask(counted=2)
    await desk.ask()
    with pytest.raises(Refusal, match="stale_screen"):
        await desk.ask("noor")  # one is under way
    await only(desk.town).collect(only(desk.town).code_of(first))
    later = await told(desk.town, "PW-9")
    await only(desk.town).carry()
    await only(desk.town).deposit("PW-9")
    await only(desk.town).carry()
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    assert await desk.stages([first, second, third, later]) == [
        Stage.COLLECTED, Stage.WRITTEN_OFF, Stage.WRITTEN_OFF, Stage.READY,
    ]  # fmt: skip
    assert await desk.hub.pool.fetchval("SELECT outcome FROM act") == "2"
    await only(desk.town).carry()


async def test_it_can_be_taken_back_within_the_minute(desk: Desk) -> None:
    parcels = await desk.brought(1)
    act = await desk.ask(counted=1)
    await acts.withdraw(desk.hub, desk.people["kaisa"], act.id)
    desk.clock.advance(61)
    assert await acts_due.carry_out_due(desk.hub) == 0
    assert await desk.stages(parcels) == [Stage.READY]


async def test_whoever_has_no_right_or_no_reason_writes_nothing_off(desk: Desk) -> None:
    await desk.brought(1)
    for who, why, reason in (("timo", WHY, "no_right"), ("kaisa", " ", "reason_missing"),
                             ("kaisa", "ask ada@example.org", "bad_field")):  # fmt: skip
        with pytest.raises(Refusal, match=reason):
            await desk.ask(who, 1, why)
    with pytest.raises(Refusal, match="station_unknown"):
        await acts.ask_to_write_off(desk.hub, desk.people["kaisa"], "S-0404", 1, WHY)
    act = await desk.ask(counted=1)
    await desk.hub.pool.execute("UPDATE carrier SET role = 'technician' WHERE id = 'kaisa'")
    desk.clock.advance(61)
    await acts_due.carry_out_due(desk.hub)
    assert (await acts.find(desk.hub, act.id)).outcome == "no_right"
    assert await desk.hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'WrittenOff'") == 0
