"""A station's computer is lost, replaced, given a new key, stolen: the station goes on under its name."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub.commands import Destination, Extend, Reserve
from parcelwall.hub.house import Hub
from parcelwall.ids import seeded
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.link.frames import REVOKED, WRONG_IDENTITY, BadFrame
from parcelwall.link.identity import Signer
from parcelwall.rules import access, facts
from parcelwall.rules.life import Stage
from parcelwall.simulation.check import check_books
from parcelwall.simulation.town import PretendStation, Town, a_town
from parcelwall.station.house import key_of, make_next_key, use_next_key
from parcelwall.station.memory import Memory
from station.towns import NOW, about, announced, cases, kinds_in, only, parcel_at, told


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    now = VirtualClock(NOW)
    async with a_town(tmp_path, now, seeded(now, 1), durable=False, dsn=database) as town:
        await town.station(about())
        yield town
        assert await check_books(town.hub.pool, [each.station.memory for each in town.stations.values()]) == []


# a disk is lost


async def test_a_new_computer_knows_what_the_lost_one_had_shipped(town: Town) -> None:
    old = only(town)
    await told(town, "PW-1")
    await told(town, "PW-2")
    gone = await told(town, "PW-3")
    await old.deposit("PW-1")
    await old.deposit("PW-3")
    await old.carry()
    await old.collect(old.code_of(gone))
    await old.carry()
    enrolled_at = town.clock.now()
    new = await town.replace("S-0001")
    assert new.station.memory.writer == f"S-0001:{int(enrolled_at.timestamp())}" != old.station.memory.writer
    assert [each.selector for each in new.desk.inside()] == [each.selector for each in old.desk.inside()]
    assert [each.selector for each in new.desk.expected()] == [access.selector("PW-2")]
    assert new.station.memory.room() == old.station.memory.room()
    await new.deposit("PW-2")
    await new.carry()
    assert len(new.desk.inside()) == 2


async def test_an_extension_is_learnt_after_the_deposit_that_it_extends(town: Town) -> None:
    """The two streams are fetched in the order in which the hub learnt them, not one after the other."""
    old = only(town)
    parcel = await told(town, "PW-1")
    await old.deposit("PW-1")
    await old.carry()
    await town.hub.desk.ask(Extend(parcel=parcel, carrier="acme", by="carrier"))
    await old.carry()
    new = await town.replace("S-0001")
    [inside] = new.desk.inside()
    assert inside.extensions == 1
    assert inside.collect_by == (await parcel_at(town.hub, parcel)).collect_by


async def test_what_was_not_shipped_is_a_case_and_never_silent(town: Town) -> None:
    old = only(town)
    parcel = await told(town, "PW-1")
    old.cut()
    await old.deposit("PW-1")
    new = await town.replace("S-0001")
    await new.carry()
    assert (await parcel_at(town.hub, parcel)).stage == Stage.RESERVED
    assert await cases(town.hub) == ["journal_restored"]
    assert await kinds_in(town.hub, new.station.memory.writer) == ["JournalRestored", "CaseOpened"]
    restored = new.station.memory.journal.since(new.station.memory.writer, 0)[0]
    assert facts.read(restored.kind, restored.body) == facts.JournalRestored(before="S-0001", number=0)


async def test_each_door_that_the_book_does_not_explain_is_a_case(town: Town) -> None:
    old = only(town)
    await told(town, "PW-1")
    old.cut()
    visit = await old.station.keeper.serve(old.desk.deposit_by_label("PW-1", old.courier))
    new = await town.replace("S-0001")
    await new.carry()
    assert sorted(await cases(town.hub)) == ["journal_restored", "opened_unasked"]
    assert not new.is_free(visit.compartment)


async def test_what_nobody_understood_is_passed_on(town: Town) -> None:
    """A kind that a newer station wrote, and that this hub has only kept."""
    old = only(town)
    memory = old.station.memory
    memory.journal.write(memory.writer, [Draft("Hummed", memory.now_text(), '{"pitch_hz":440}')], memory.now_text())
    await old.carry()
    new = await town.replace("S-0001")
    [kept] = [entry for entry in new.station.memory.journal.since("S-0001", 0) if entry.kind == "Hummed"]
    assert kept.body == '{"pitch_hz":440}'


async def test_doors_wait_until_the_book_is_whole(town: Town) -> None:
    old = only(town)
    await told(town, "PW-1")
    await old.deposit("PW-1")
    await old.carry()
    path = town.data_dir / "stations" / "half.sqlite"
    await town._enrol(path, "S-0001", town.ids, town.hub)
    memory = Memory(path, town.clock, durable=False)
    memory.receive(await town.hub.since("hub:1/S-0001", 0, 2))
    assert memory.restoring
    assert not memory.book.plans and not memory.book.parcels
    memory.close()
    await town.replace("S-0001")


async def test_the_lost_computer_is_a_stranger_when_it_comes_back(town: Town) -> None:
    old = only(town)
    await town.replace("S-0001")
    with pytest.raises(BadFrame) as no:
        await old.connect()
    assert no.value.code == WRONG_IDENTITY


async def test_the_stream_of_a_lost_computer_has_ended_for_the_database(town: Town) -> None:
    old = only(town)
    await told(town, "PW-1")
    await old.deposit("PW-1")
    await old.carry()
    await town.replace("S-0001")
    head = await town.hub.head("S-0001")
    at = "2026-11-23T08:00:00.000000Z"
    late = chain.extend("S-0001", head, [Draft("WrongCode", at, facts.body(facts.WrongCode(count=1)))])
    with pytest.raises(asyncpg.CheckViolationError, match="past_streams_have_ended"):
        await town.hub.receive("S-0001", late)


async def test_a_second_loss(town: Town) -> None:
    for number in (1, 2):
        station = only(town)
        await told(town, f"PW-{number}")
        await station.deposit(f"PW-{number}")
        await station.carry()
        await town.replace("S-0001")
    assert len(only(town).desk.inside()) == 2
    names = [name for name in only(town).station.memory.journal.writers() if not name.startswith("hub:")]
    assert len(names) == len(set(names)) == 3


# a key is renewed


async def test_a_new_key_signed_by_the_old_one(town: Town) -> None:
    station, hub = only(town), town.hub
    memory = station.station.memory
    old, seed = key_of(memory, town.ids), memory.identity("key") or ""
    new = make_next_key(memory, town.ids)
    station.cut()
    await station.connect()
    assert station.line is not None and station.line.station.rekeyed
    known = await hub.known("S-0001")
    assert known is not None and (known.key, known.next_key) == (old.public, new.public)
    station.cut()
    await station.connect()  # the answer was lost on the way: the old key is still good
    use_next_key(memory)
    station.cut()
    await told(town, "PW-1")
    known = await hub.known("S-0001")
    assert known is not None and (known.key, known.next_key, known.writer) == (new.public, None, "S-0001")
    await station.deposit("PW-1")
    await station.carry()
    assert (await kinds_in(hub, "hub:1/S-0001")).count("StationEnrolled") == 2
    memory.know({"key": seed})
    station.cut()
    with pytest.raises(BadFrame) as no:
        await station.connect()
    assert no.value.code == WRONG_IDENTITY


# a computer is stolen


async def stolen(town: Town) -> tuple[PretendStation, PretendStation]:
    old = only(town)
    await told(town, "PW-1")
    await told(town, "PW-2")
    await old.deposit("PW-1")
    await old.carry()
    await town.hub.revoke_station("S-0001", "stolen")
    return old, await town.replace("S-0001")


async def test_a_stolen_computer_has_no_line(town: Town) -> None:
    station = only(town)
    await station.carry()
    await town.hub.revoke_station("S-0001", "stolen")
    station.cut()
    with pytest.raises(BadFrame) as no:
        await station.connect()
    assert no.value.code == REVOKED
    with pytest.raises(Refusal) as refused:
        await town.hub.revoke_station("S-0001", "stolen again")
    assert refused.value.reason == "not_found"
    with pytest.raises(Refusal) as refused:
        await announced_at(town.hub)
    assert refused.value.reason == "station_out_of_service"


async def announced_at(hub: Hub) -> object:
    parcel = await announced(hub, "PW-9")
    return await hub.desk.ask(Reserve(parcel=parcel, destination=Destination(station_id="S-0001"), carrier="acme"))


async def test_its_codes_open_nothing_at_the_next_one(town: Town) -> None:
    old, new = await stolen(town)
    [parcel] = new.desk.inside()
    assert parcel.reservation is not None
    for generation in (0, 1):
        code = access.pickup_code(old.desk.codes._code_key, "S-0001", parcel.reservation, generation)
        with pytest.raises(Refusal) as no:
            new.desk.collect_by_code(code)
        assert no.value.reason == "wrong_code"
    key = old.desk.codes._courier_key
    with pytest.raises(Refusal):
        new.desk.courier_by_code(access.courier_code(key, "S-0001", old.courier, new.desk.today))
    assert new.desk.courier_by_code(new.courier_code()) == new.courier


async def test_what_lies_inside_has_a_new_code_and_what_is_promised_a_new_tag(town: Town) -> None:
    _, new = await stolen(town)
    [inside] = new.desk.inside()
    assert inside.generation == 1
    await new.deposit("PW-2")
    await new.collect(new.code_of(inside.id))
    await new.carry()
    assert (await parcel_at(town.hub, inside.id)).stage == Stage.COLLECTED
    assert "KeyRevoked" in await kinds_in(town.hub, "hub:1/S-0001")
    assert await kinds_in(town.hub, "S-0001") != []


async def test_a_stolen_computer_does_not_come_back_with_a_claim(town: Town) -> None:
    memory = only(town).station.memory
    await town.hub.revoke_station("S-0001", "stolen")
    claim = await town.hub.claim("S-0001")
    with pytest.raises(Refusal) as no:
        await town.hub.enrol(claim, key_of(memory, town.ids).public, memory.writer)
    assert no.value.reason == "station_taken"
    await town.replace("S-0001")


async def test_a_claim_made_before_the_theft_dies_with_the_key(town: Town) -> None:
    claim = await town.hub.claim("S-0001")
    await town.hub.revoke_station("S-0001", "stolen")
    with pytest.raises(Refusal) as no:
        await town.hub.enrol(claim, Signer(b"3" * 32).public)
    assert no.value.reason == "claim_unknown"
