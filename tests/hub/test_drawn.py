"""Codes that the operator's people draw: few, for a reason, known to the recipient, and doors like all others."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub import acts, door_story, drawn, staff
from parcelwall.hub.acts import OneDoor
from parcelwall.hub.drawn import NewCode
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from parcelwall.simulation.town import Town
from station.towns import ADA, a_small_town, only, parcel_at, told


class Desk:
    def __init__(self, town: Town, people: dict[str, staff.Person]) -> None:
        self.town, self.hub, self.people = town, town.hub, people

    async def brought(self, reference: str) -> UUID:
        parcel = await told(self.town, reference, person=ADA)
        await only(self.town).deposit(reference)
        await only(self.town).carry()
        return parcel

    async def draw(self, who: str, parcel: UUID, reason: str = "no phone", **changed: object) -> drawn.Drawn:
        return await drawn.draw(self.hub, self.people[who], NewCode(parcel, 0, reason, **changed))  # type: ignore[arg-type]

    async def no(self, asked: object) -> str:
        with pytest.raises(Refusal) as refused:
            await asked  # type: ignore[misc]
        return refused.value.reason


@pytest_asyncio.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_small_town(database, tmp_path) as town:
        for who, role in (("kaisa", "operator"), ("timo", "technician"), ("boss", "admin")):
            await town.hub.admit(who, who, role)
        yield Desk(town, {row["id"]: staff.person_of(row) for row in await staff.everybody(town.hub.pool)})


async def test_a_technician_draws_none_and_nobody_without_a_reason(desk: Desk) -> None:
    parcel = await desk.brought("PW-1")
    assert await desk.no(desk.draw("timo", parcel)) == "no_right"
    assert await desk.no(desk.draw("kaisa", parcel, " ")) == "reason_missing"
    assert await desk.no(desk.draw("kaisa", parcel, "ring +358 40 1234567")) == "bad_field"
    later = desk.hub.clock.now() + timedelta(days=7, seconds=1)
    assert await desk.no(desk.draw("kaisa", parcel, until=later)) == "bad_field"


async def test_a_code_counts_as_a_door_that_one_person_opens_alone(desk: Desk) -> None:
    first, second, third = [await desk.brought(f"PW-{number}") for number in range(3)]
    kaisa = desk.people["kaisa"]
    await desk.draw("kaisa", first)
    assert (await acts.ask_for_door(desk.hub, kaisa, "S-0001", OneDoor(1, "look"))).state == "agreed"
    assert await desk.no(desk.draw("kaisa", second)) == "second_person_needed"
    assert (await acts.ask_for_door(desk.hub, kaisa, "S-0001", OneDoor(2, "look"))).state == "waiting"
    await desk.draw("boss", second)
    await desk.draw("boss", third)
    assert (await acts.ask_for_door(desk.hub, desk.people["boss"], "S-0001", OneDoor(1, "look"))).state == "waiting"


async def test_the_journal_and_the_recipient_know_that_one_was_drawn(desk: Desk) -> None:
    parcel = await desk.brought("PW-1")
    one = await desk.draw("kaisa", parcel)
    [row] = await desk.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'Granted' AND body LIKE '%no phone%'")
    fact = msgspec.json.decode(row["body"], type=facts.Granted)
    assert (fact.grant, fact.actor, fact.reason) == (one.grant, desk.people["kaisa"].actor, "no phone")
    seen = await door_story.story(desk.hub, await parcel_at(desk.hub, parcel))
    assert [each.what for each in seen] == ["put-in", "code"]
    [act] = await acts.lately_at(desk.hub, "S-0001")
    assert isinstance(act.what, OneDoor)
    assert (act.kind, act.what.reason, act.asked_by, act.outcome) == ("draw_code", "no phone", "kaisa", "drawn")
    assert one.digits not in str(await desk.hub.pool.fetch("SELECT * FROM act"))
    await only(desk.town).carry()
    await only(desk.town).collect(one.digits)
    await only(desk.town).carry()
    assert await verify_hub(desk.hub.pool) == []


async def test_of_one_parcel_three_are_drawn_in_a_day(desk: Desk) -> None:
    parcel = await desk.brought("PW-1")
    for _ in range(drawn.MOST_OF_PARCEL):
        await desk.draw("kaisa", parcel)
        desk.town.clock.advance(601)
    before = await desk.hub.pool.fetchval("SELECT count(*) FROM entry")
    assert await desk.no(desk.draw("kaisa", parcel)) == "too_many_codes"
    assert await desk.hub.pool.fetchval("SELECT count(*) FROM entry") == before, "nothing of a refused one is left"
    desk.town.clock.advance(86_400)
    await desk.draw("kaisa", parcel)
