"""Lists from the hub to its stations: blocked parcels, drawn codes and staff, also when the line is cut in between."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub import lists
from parcelwall.hub.admitted import admitted
from parcelwall.hub.cases import CloseCase, HoldDoor
from parcelwall.hub.commands import Cancel, Destination, Reserve
from parcelwall.hub.delegates import Delegate
from parcelwall.hub.lists import MOST_STAFF, Block, Drawn
from parcelwall.hub.outbox import outbox
from parcelwall.rules import access, facts
from parcelwall.rules.life import Parcel, Stage
from parcelwall.simulation.town import Town
from station.towns import ADA, a_small_town, about, only, parcel_at, told


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


async def inside(town: Town, reference: str, **changed: str) -> Parcel:
    parcel = await told(town, reference, person=ADA, **changed)
    await only(town).deposit(reference)
    await only(town).carry()
    return await parcel_at(town.hub, parcel)


async def block(town: Town, parcel: UUID, lifted: bool = False) -> None:
    await town.hub.desk.ask(Block(parcel=parcel, why="a dispute", lifted=lifted))


async def draw(town: Town, parcel: UUID, until: datetime | None = None) -> Drawn:
    async with town.hub.pool.acquire() as connection, connection.transaction():
        return await lists.draw_code(town.hub, connection, parcel, until)


async def no(asked: object) -> str:
    with pytest.raises(Refusal) as refused:
        await asked  # type: ignore[misc]
    return refused.value.reason


async def test_blocked_reaches_a_station_that_was_cut_off(town: Town) -> None:
    parcel, station = await inside(town, "PW-1"), only(town)
    station.cut()
    await block(town, parcel.id)
    await block(town, parcel.id)
    await station.carry()
    station.cut()
    assert await no(station.collect(station.code_of(parcel.id))) == "wrong_code"
    assert await no(town.hub.desk.ask(Delegate(parcel=parcel.id))) == "held_back"
    assert await no(draw(town, parcel.id)) == "held_back"
    await block(town, parcel.id, lifted=True)
    await station.carry()
    await station.collect(station.code_of(parcel.id))
    rows = await town.hub.pool.fetch("SELECT kind FROM entry WHERE kind LIKE '%locked' ORDER BY number")
    assert [row["kind"] for row in rows] == ["Blocked", "Unblocked"]


async def test_nobody_is_told_the_code_of_a_blocked_parcel_before_it_is_unblocked(town: Town) -> None:
    parcel = await told(town, "PW-1", person=ADA)
    await block(town, parcel)
    await only(town).carry()
    await only(town).deposit("PW-1")
    await only(town).carry()
    assert await outbox(town.hub) == []
    await block(town, parcel, lifted=True)
    [notice] = await outbox(town.hub)
    assert notice.code.replace(" ", "") == only(town).code_of(parcel)


async def test_one_that_moves_on_is_blocked_where_it_goes(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path, about("S-0001"), about("S-0002")) as town:
        parcel = await told(town, "PW-1", "S-0001")
        await block(town, parcel)
        await town.hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=Destination(station_id="S-0002")))
        there = town.stations["S-0002"]
        await there.carry()
        await there.deposit("PW-1")
        assert await no(there.collect(there.code_of(parcel))) == "wrong_code"


@pytest.mark.parametrize("lifted", [False, True])
async def test_one_that_lies_where_nobody_was_told_is_told_of_there(
    database: str, tmp_path: Path, lifted: bool
) -> None:
    """Its old station was cut off, knows nothing of the new promise nor of the block, and takes it all the same."""
    async with a_small_town(database, tmp_path, about("S-0001"), about("S-0002")) as town:
        parcel, old = await told(town, "PW-1", "S-0001"), town.stations["S-0001"]
        old.cut()
        await town.hub.desk.ask(Reserve(carrier="acme", parcel=parcel, destination=Destination(station_id="S-0002")))
        await block(town, parcel)
        if lifted:
            await block(town, parcel, lifted=True)
        await old.deposit("PW-1")
        await old.carry()
        await old.carry()
        known = old.station.memory.parcel(parcel)
        assert known is not None
        assert (known.blocked, (await parcel_at(town.hub, parcel)).blocked) == (not lifted, not lifted)


async def test_a_drawn_code_is_shown_once_and_kept_nowhere(town: Town) -> None:
    parcel, station = await inside(town, "PW-1"), only(town)
    drawn = await draw(town, parcel.id)
    assert drawn.until == town.clock.now() + timedelta(days=7)
    everything = await town.hub.pool.fetch("SELECT body FROM entry")
    assert not any(drawn.digits in row["body"] for row in everything)
    await station.carry()
    station.cut()
    await station.collect(drawn.digits)
    await station.carry()
    assert (await parcel_at(town.hub, parcel.id)).stage == Stage.COLLECTED
    assert await no(draw(town, parcel.id)) == "wrong_stage"


async def test_a_drawn_code_that_was_taken_back_opens_nothing(town: Town) -> None:
    parcel, station = await inside(town, "PW-1"), only(town)
    drawn = await draw(town, parcel.id)
    await lists.revoke(town.hub, "S-0001", drawn.grant, None, of_staff=False)
    await station.carry()
    assert await no(station.collect(drawn.digits)) == "wrong_code"
    await station.collect(station.code_of(parcel.id))


async def test_a_code_is_drawn_only_where_a_code_opens(town: Town) -> None:
    token_only = await inside(town, "PW-1", proof="token")
    assert await no(draw(town, token_only.id)) == "wrong_stage"
    plain, past = await inside(town, "PW-2"), town.clock.now() - timedelta(minutes=1)
    assert await no(draw(town, plain.id, past)) == "bad_field"
    await draw(town, plain.id)
    fresh = {(await draw(town, plain.id)).digits for _ in range(5)}
    assert len(fresh) == 5
    assert only(town).code_of(plain.id) not in fresh


async def test_a_courier_is_revoked_everywhere_at_once(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path, about("S-0001"), about("S-0002"), about("S-0003")) as town:
        hub, courier, other = town.hub, town.ids.new(), town.ids.new()
        for station, who in (("S-0001", courier), ("S-0002", courier), ("S-0002", other)):
            await lists.admit(hub, facts.Granted(grant=town.ids.new(), station=station, may=("deposit",), courier=who))
        assert {each.courier for each in await lists.staff(hub, "S-0002")} >= {courier, other}
        assert await lists.revoke_everywhere(hub, courier) == ["S-0001", "S-0002"]
        assert await lists.revoke_everywhere(hub, courier) == []
        there = town.stations["S-0002"]
        await there.carry()
        there.cut()
        desk = there.station.desk
        key = hub.stations.known["S-0002"].courier_key
        gone, good = (access.courier_code(key, "S-0002", who, desk.today) for who in (courier, other))
        with pytest.raises(Refusal):
            desk.courier_by_code(gone)
        assert desk.courier_by_code(good) == other


async def test_a_line_is_taken_back_where_it_stands_and_nowhere_else(database: str, tmp_path: Path) -> None:
    """Somebody errs in the station, or means to: the courier stays on the list, and can still be revoked everywhere."""
    async with a_small_town(database, tmp_path, about("S-0001"), about("S-0002")) as town:
        hub, courier, grant = town.hub, town.ids.new(), town.ids.new()
        await lists.admit(hub, facts.Granted(grant=grant, station="S-0002", may=("deposit",), courier=courier))
        assert await no(lists.revoke(hub, "S-0001", grant, None, of_staff=True)) == "not_found"
        assert await no(lists.revoke(hub, "S-0002", grant, None, of_staff=False)) == "not_found", "it is no drawn code"
        await hub.revoke("S-0001", grant)  # as it could be written before this was refused
        assert [each["body"]["station"] for each in await admitted(hub) if each["body"]["courier"] == str(courier)] == [
            "S-0002"
        ]
        assert await lists.revoke_everywhere(hub, courier) == ["S-0002"]
        await lists.revoke(hub, "S-0002", grant, None, of_staff=True)
        count = await hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Revoked'")
        assert count == 2, "once more does nothing"


async def test_what_stays_in_the_journal_tells_of_nobody(town: Town) -> None:
    parcel = await told(town, "PW-1")
    for command in (
        Cancel(carrier="acme", parcel=parcel, why="ada@example.org withdrew"),
        CloseCase(case=town.ids.new(), station=None, outcome="called +358 40 1234567"),
        HoldDoor(station="S-0001", compartment=1, why="ada@example.org says so"),
    ):
        assert await no(town.hub.desk.ask(command)) == "bad_field"
    assert await no(town.hub.revoke_station("S-0001", "ask ada@example.org")) == "bad_field"


async def test_a_station_knows_no_more_people_than_its_codes_allow(town: Town) -> None:
    hub = town.hub

    async def admit(who: UUID) -> None:
        await lists.admit(hub, facts.Granted(grant=town.ids.new(), station="S-0001", may=("deposit",), courier=who))

    known = len(await lists.staff(hub, "S-0001"))
    people = [town.ids.new() for _ in range(MOST_STAFF - known)]
    for who in people:
        await hub.grant(facts.Granted(grant=town.ids.new(), station="S-0001", may=("deposit",), courier=who))
    await admit(people[0])
    assert await no(admit(town.ids.new())) == "too_many_staff"
    await lists.revoke_everywhere(hub, people[1])
    await admit(town.ids.new())
