"""What ends when nobody else can end it: cancelled by an operator, written off. And what a door tells of it later."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import numbers, reading
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.commands import Answer
from parcelwall.hub.ending import CallOff, WriteOff
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import rooms
from parcelwall.hub.sweeps import sweep
from parcelwall.hub.verify import verify_hub
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import Room
from parcelwall.rules.sentence import sentence
from parcelwall.simulation.town import Town
from rules.samples import ACTOR
from station.towns import NOW, Pen, a_hub, a_small_town, about, announced, cases, only, parcel_at, told

WHY = "destroyed: it burnt down on Friday"


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


async def inside(town: Town, reference: str = "PW-1") -> UUID:
    parcel = await told(town, reference)
    await only(town).deposit(reference)
    await only(town).carry()
    return parcel


def written_off(parcel: UUID) -> WriteOff:
    return WriteOff(parcel=parcel, why=WHY, actor=ACTOR)


def called_off(parcel: UUID) -> CallOff:
    return CallOff(parcel=parcel, why="carrier_gone", actor=ACTOR)


async def room_of(hub: Hub, station: str = "S-0001") -> Room:
    async with hub.pool.acquire() as connection:
        return (await rooms(connection, [station]))[station]


async def close(hub: Hub, about: str) -> None:
    for row in await hub.pool.fetch("SELECT id, station FROM case_file WHERE closed_at IS NULL AND about = $1", about):
        await hub.desk.ask(CloseCase(case=row["id"], station=row["station"], outcome="looked"))


def advance(town: Town, hours: float) -> None:
    assert isinstance(town.clock, VirtualClock)
    town.clock.advance(hours * 3600)


async def feed_of(hub: Hub, carrier: str = "acme") -> list[str]:
    while await turn(hub.pool, "feed", number_feed):
        pass
    return [each["kind"] for each in await reading.feed(hub, carrier, 0, 100)]


async def test_what_is_promised_is_cancelled_whoever_s_it_is(town: Town) -> None:
    """Its carrier went away: its room is free, its station hears, its feed tells why and by whom."""
    parcel = await told(town, "PW-1")
    answer = await town.hub.desk.ask(called_off(parcel))
    assert answer.body["stage"] == "CANCELLED" and answer.body["reason"] == "carrier_gone"
    assert (await room_of(town.hub)).promised == {}
    assert await feed_of(town.hub) == ["Announced", "Reserved", "Cancelled"]
    body = await town.hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'Cancelled'")
    assert str(ACTOR) in body and '"by":"operator"' in body
    await only(town).carry()
    with pytest.raises(Refusal, match="not_for_this_station"):
        await only(town).deposit("PW-1")
    again = (await town.hub.desk.serve([called_off(parcel)]))[0]
    assert isinstance(again, Refusal) and again.reason == "wrong_stage"


async def test_what_was_never_brought_is_cancelled_and_asked_about_no_more(town: Town) -> None:
    parcel = await announced(town.hub, "PW-0")
    advance(town, 24 * 31)
    await sweep(town.hub)
    assert await cases(town.hub) == ["never_brought"]
    await town.hub.desk.ask(called_off(parcel))
    assert await cases(town.hub) == [], "nobody has to look for it any more"
    advance(town, 24 * 90)
    assert await sweep(town.hub) == 0


async def test_what_lies_inside_is_not_cancelled_and_what_does_not_is_not_written_off(town: Town) -> None:
    parcel, coming = await inside(town), await told(town, "PW-2")
    answers = await town.hub.desk.serve([called_off(parcel), written_off(coming), written_off(UUID(int=1))])
    assert [getattr(each, "reason", "") for each in answers] == ["already_deposited", "wrong_stage", "not_found"]


async def test_the_journal_hears_of_nobody(town: Town) -> None:
    parcel = await inside(town)
    with pytest.raises(Refusal, match="bad_field"):
        await town.hub.desk.ask(WriteOff(parcel=parcel, why="ada@example.org has it", actor=ACTOR))


async def test_what_burnt_is_written_off_and_never_asked_about_again(town: Town) -> None:
    parcel = await inside(town)
    only(town).cut()
    advance(town, 24 * 11)
    await sweep(town.hub)
    advance(town, 24 * 8)
    await sweep(town.hub)
    assert await cases(town.hub) == ["never_taken_back"]
    answer = await town.hub.desk.ask(written_off(parcel))
    assert answer.body["stage"] == "WRITTEN_OFF" and answer.body["reason"] == WHY
    assert await cases(town.hub) == ["written_off"]
    now = await parcel_at(town.hub, parcel)
    assert (now.due, now.compartment, now.ended_at) == (None, None, town.clock.now())
    told_of_it = sentence(now, town.clock.now())
    assert (told_of_it.key, told_of_it.step) == ("lost", -1)
    assert await feed_of(town.hub) == ["Announced", "Reserved", "Deposited", "Expired", "WrittenOff"]
    room = await room_of(town.hub)
    assert room.taken == 0 and room.held.bit_count() == 1, "free in the books, offered to nobody until somebody looked"
    await close(town.hub, "written_off")
    assert (await room_of(town.hub)).unusable == 0
    advance(town, 24 * 90)
    assert await sweep(town.hub) == 0
    await only(town).carry()


@pytest.mark.parametrize("stations", [(), ("S-0001",), ("S-0002",)])
async def test_its_door_is_in_use_until_then(town: Town, stations: tuple[str, ...]) -> None:
    parcel, begun = await inside(town), town.clock.now()
    advance(town, 5)
    await town.hub.desk.ask(written_off(parcel))
    advance(town, 2)
    span = numbers.Span(begun - timedelta(hours=1), town.clock.now(), stations)
    in_use = [n for _, n in await numbers.use_by_hour(town.hub, span)]
    assert (max(in_use), in_use[-1]) == ((0, 0) if stations == ("S-0002",) else (1, 0))


async def test_doors_in_use_are_told_alike_by_a_database_of_any_zone(database: str, tmp_path: Path) -> None:
    """In India hours begin at the half: what had moved was told for no hour at all, and all doors were free."""
    connection = await asyncpg.connect(database)
    await connection.execute(f"ALTER DATABASE {database.split('/')[3].split('?')[0]} SET timezone = 'Asia/Kolkata'")
    await connection.close()
    async with a_small_town(database, tmp_path) as town:
        connection = await asyncpg.connect(database)
        assert await connection.fetchval("SHOW timezone") == "Asia/Kolkata", "unless one says another"
        await connection.close()
        await inside(town)
        advance(town, 2)
        span = numbers.Span(NOW - timedelta(hours=1), NOW + timedelta(hours=2))
        assert [n for _, n in await numbers.use_by_hour(town.hub, span)] == [0, 1, 1]


async def test_a_station_that_comes_back_opens_for_it_no_more_and_puts_nothing_on_top(town: Town) -> None:
    parcel = await inside(town)
    station, door = only(town), (await parcel_at(town.hub, parcel)).compartment
    code = station.code_of(parcel)
    await town.hub.desk.ask(written_off(parcel))
    await station.carry()
    with pytest.raises(Refusal, match="wrong_code"):
        await station.collect(code)
    assert door is not None and not station.is_free(door)
    await told(town, "PW-2")
    assert (await station.deposit("PW-2")).compartment != door
    await close(town.hub, "written_off")
    await station.carry()
    assert station.is_free(door)


@pytest.mark.parametrize("how", ["collected", "taken_back"])
async def test_what_the_door_had_done_meanwhile_is_believed_with_a_case(town: Town, how: str) -> None:
    """The line was cut, not the station: the parcel had been handed out, and both books come to know it."""
    parcel, station = await inside(town), only(town)
    code = station.code_of(parcel)
    advance(town, 49)
    await sweep(town.hub)
    await station.carry()
    station.cut()
    await (station.collect(code) if how == "collected" else station.take_back(parcel))
    await town.hub.desk.ask(written_off(parcel))
    await station.carry()
    stage = Stage.COLLECTED if how == "collected" else Stage.TAKEN_BACK
    here, there = await parcel_at(town.hub, parcel), station.station.memory.parcel(parcel)
    assert there and here.stage == there.stage == stage and here.reason == there.reason == ""
    surprise = "unexpected_collection" if how == "collected" else "unexpected_removal"
    assert sorted(await cases(town.hub)) == sorted(["written_off", surprise])
    assert (await feed_of(town.hub))[-2:] == ["WrittenOff", "Collected" if how == "collected" else "TakenBack"]
    for each in ("written_off", surprise):
        await close(town.hub, each)
    assert (await room_of(town.hub)).unusable == 0
    await station.carry()


async def test_a_door_that_stands_open_as_the_word_comes_is_believed(town: Town) -> None:
    parcel, station = await inside(town), only(town)
    visit = await station.collect(station.code_of(parcel), forgets=True)
    await town.hub.desk.ask(written_off(parcel))
    await station.carry()
    await station.shut(visit.compartment)
    await station.carry()
    assert (await parcel_at(town.hub, parcel)).stage == Stage.COLLECTED
    assert "unexpected_collection" in await cases(town.hub)


async def test_written_off_once_by_whoever_was_first(town: Town, database: str, tmp_path: Path) -> None:
    parcel = await inside(town)
    assert isinstance(town.clock, VirtualClock)
    async with a_hub(database, tmp_path / "hub", town.clock, slot=2) as other:
        asked = (each.desk.ask(written_off(parcel)) for each in (town.hub, other))
        done = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Answer", "Refusal"]
    assert await cases(town.hub) == ["written_off"]


async def test_what_doors_saw_in_two_places_is_written_off_and_both_are_looked_at(
    database: str, tmp_path: Path
) -> None:
    """Nobody could close its case before: a parcel that was seen twice had to be taken out first, of ashes."""
    now = VirtualClock(NOW)
    async with a_hub(database, tmp_path, now, stations=(about(),)) as hub:
        pen = Pen("S-0001", now)
        parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
        until = now.now() + timedelta(hours=48)
        await hub.receive("S-0001", pen.write(*(pen.deposited(parcel, door, collect_by=until) for door in (1, 2))))
        assert await cases(hub) == ["deposited_twice"]
        answer = await hub.desk.ask(written_off(parcel.id))
        assert isinstance(answer, Answer)
        room = await room_of(hub)
        assert room.taken == 0 and room.held.bit_count() == 2
        for each in ("deposited_twice", "written_off"):
            await close(hub, each)
        assert (await room_of(hub)).unusable == 0 and await verify_hub(hub.pool) == []


async def test_a_parcel_whose_announcement_was_lost_ends_like_any(database: str, tmp_path: Path) -> None:
    """Nobody knows whose it is: no carrier can cancel it, and its station burned down."""
    now = VirtualClock(NOW)
    async with a_hub(database, tmp_path, now, stations=(about(),)) as hub:
        pen, nobodys = Pen("S-0001", now), Parcel(id=UUID(int=77))
        deposit = pen.deposited(nobodys, 1, collect_by=now.now() + timedelta(hours=48))
        await hub.receive("S-0001", pen.write(deposit))
        assert (await parcel_at(hub, nobodys.id)).carrier == ""
        await hub.desk.ask(written_off(nobodys.id))
        assert (await parcel_at(hub, nobodys.id)).stage == Stage.WRITTEN_OFF
