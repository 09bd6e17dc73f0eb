"""What doors saw is taken in, whatever it is: stored, chained, learnt or set aside; one station never hurts another."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub.commands import Cancel, Destination, Reserve
from parcelwall.hub.house import Hub
from parcelwall.hub.ingest import Ingest
from parcelwall.hub.stations import rooms
from parcelwall.hub.verify import verify_hub
from parcelwall.journal.chain import Broken, Entry, Fork
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from station.towns import NOW, Pen, a_hub, about, announced, announcing, cases, kinds_in, parcel_at

LATER = NOW + timedelta(hours=48)


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    stations = (about("S-0001"), about("S-0002", lat=60.18))
    async with a_hub(database, tmp_path, stations=stations) as hub:
        yield hub
        assert await verify_hub(hub.pool) == []


@pytest_asyncio.fixture
async def lied_to(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub whose station claims a promise that nobody made: believed, and `verify` says so and nothing else."""
    stations = (about("S-0001"), about("S-0002", lat=60.18))
    async with a_hub(database, tmp_path, stations=stations) as hub:
        yield hub
        [lie] = await verify_hub(hub.pool)
        assert re.match(r"INV-05: S-000\d number 1 \(Deposited\) names reservation", lie)


@pytest.fixture
def pen(hub: Hub) -> Pen:
    assert isinstance(hub.clock, VirtualClock)
    return Pen("S-0001", hub.clock)


async def dead(hub: Hub) -> list[tuple[str, int]]:
    rows = await hub.pool.fetch("SELECT writer, number FROM dead_letter ORDER BY writer, number")
    return [(row["writer"], row["number"]) for row in rows]


async def stored(hub: Hub, station: str = "S-0001") -> list[Entry]:
    return list(await hub.since(station, 0, 1000))


def news(pen: Pen, entries: list[Entry]) -> Ingest:
    return Ingest(station=pen.station, writer=pen.station, entries=entries)


# the ordinary


async def test_doors_move_the_parcel_and_the_room(hub: Hub, pen: Pen) -> None:
    parcel = await announced(hub, "PW-1", "S-0001")
    known = await parcel_at(hub, parcel)
    assert await hub.receive("S-0001", pen.write(pen.deposited(known, 2, collect_by=LATER))) == 1
    inside = await parcel_at(hub, parcel)
    assert (inside.stage, inside.compartment, inside.due) == (Stage.READY, 2, LATER)
    async with hub.pool.acquire() as connection:
        room = (await rooms(connection, ["S-0001"]))["S-0001"]
    assert (room.taken, room.promised) == (2, {})
    await hub.receive("S-0001", pen.write(pen.collected(known, 2), facts.DoorClosed(compartment=2)))
    assert (await parcel_at(hub, parcel)).stage == Stage.COLLECTED
    assert await cases(hub) == []
    assert await stored(hub) == pen.entries


async def test_a_frame_again_changes_nothing(hub: Hub, pen: Pen) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    first = pen.write(pen.deposited(parcel, 2), facts.WrongCode(count=1))
    second = pen.write(pen.collected(parcel, 2))
    assert await hub.receive("S-0001", first) == 2
    assert await hub.receive("S-0001", first) == 2
    assert await hub.receive("S-0001", first + second) == 3
    before = await hub.pool.fetch("SELECT * FROM parcel")
    assert await hub.receive("S-0001", pen.entries) == 3
    assert await hub.receive("S-0001", first) == 3
    assert await hub.pool.fetch("SELECT * FROM parcel") == before
    assert await hub.pool.fetchval("SELECT count(*) FROM entry WHERE writer = 'S-0001'") == 3


async def test_several_frames_of_one_station_in_one_batch(hub: Hub, pen: Pen) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    first, second = pen.write(pen.deposited(parcel, 2)), pen.write(pen.collected(parcel, 2))
    assert await hub.desk.ingest([news(pen, first), news(pen, second), news(pen, first + second)]) == [1, 2, 2]
    assert await stored(hub) == pen.entries
    assert (await parcel_at(hub, parcel.id)).stage == Stage.COLLECTED


async def test_the_same_frame_by_two_lines_at_once(hub: Hub, pen: Pen) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    entries = pen.write(pen.deposited(parcel, 2))
    assert await asyncio.gather(*(hub.receive("S-0001", entries) for _ in range(5))) == [1] * 5
    assert await stored(hub) == entries


async def test_two_processes_take_the_same_frames(hub: Hub, pen: Pen, database: str, tmp_path: Path) -> None:
    async with a_hub(database, tmp_path, slot=2) as other:
        for turn in range(5):
            parcel = await parcel_at(hub, await announced(hub, f"PW-{turn}", "S-0001"))
            entries = pen.write(pen.deposited(parcel, 2), pen.collected(parcel, 2))
            through = await asyncio.gather(hub.receive("S-0001", entries), other.receive("S-0001", entries))
            assert through == [pen.head.number] * 2
    assert await stored(hub) == pen.entries


async def test_what_lay_in_a_station_that_stood_still_is_kept_so_much_longer(hub: Hub, pen: Pen) -> None:
    first = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    later = await parcel_at(hub, await announced(hub, "PW-2", "S-0001"))
    await hub.receive("S-0001", pen.write(pen.deposited(first, 2, collect_by=LATER)))
    pen.now.advance(5 * 3600)
    stood = facts.StoodStill(since=NOW, until=NOW + timedelta(hours=5))
    frame = pen.write(stood, pen.deposited(later, 1, collect_by=LATER))
    for _ in range(2):
        await hub.receive("S-0001", frame)
    assert (await parcel_at(hub, first.id)).collect_by == LATER + timedelta(hours=5)
    assert (await parcel_at(hub, later.id)).collect_by == LATER, "it came when all was well"
    assert (await kinds_in(hub, "hub:1/S-0001")).count("Extended") == 1
    assert await cases(hub) == []


# what is not understood


async def test_a_kind_of_a_newer_station_is_kept(hub: Hub, pen: Pen) -> None:
    entries = pen.raw(("Teleported", '{"parcel": "?"}'))
    assert await hub.receive("S-0001", entries) == 1
    assert await stored(hub) == entries
    assert (await dead(hub), await cases(hub)) == ([], [])


async def test_bodies_that_cannot_be_read_are_kept_aside_with_a_case(hub: Hub, pen: Pen) -> None:
    bodies = ["", "{}", "null", "[1]", '{"compartment":', '{"parcel":"P1"}', "\\", '"' * 9]
    entries = pen.raw(*(("Deposited", body) for body in bodies), ("Power", '{"status":"mains"}'))
    assert await hub.receive("S-0001", entries) == len(entries)
    assert await stored(hub) == entries, "stored and acknowledged: the rest goes on"
    assert await dead(hub) == [("S-0001", number) for number in range(1, len(bodies) + 1)]
    assert await cases(hub) == ["unreadable_entry"] * len(bodies)


ODD: list[dict[str, object]] = [
    {"compartment": 2**40}, {"compartment": 0}, {"compartment": -3}, {"collect_by": "2026-11-24T08:00:00"},
    {"collect_by": "0001-01-01T00:00:00Z"}, {"collect_by": "0001-01-01T00:00:00+14:00"},
    {"collect_by": "9999-12-31T23:59:59-14:00"}, {"by": "\x00"}, {"station": "S-0001\x00"}, {"parcel": None},
]  # fmt: skip


async def test_values_that_no_table_holds_do_not_stop_a_station(hub: Hub, pen: Pen) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    good = msgspec.json.decode(facts.body(pen.deposited(parcel, 1, collect_by=LATER)))
    entries = pen.raw(*(("Deposited", msgspec.json.encode(good | odd).decode()) for odd in ODD))
    assert await hub.receive("S-0001", [*entries, *pen.write(pen.deposited(parcel, 3))]) == len(ODD) + 1
    assert await dead(hub) == [("S-0001", number) for number in range(1, len(ODD) + 1)]
    assert (await parcel_at(hub, parcel.id)).compartment == 3


FORGED: list[facts.Fact] = [
    facts.Reserved(parcel=UUID(int=1), reservation=UUID(int=2), station="S-0001", size="S", deposit_by=LATER,
                   length_mm=1, width_mm=1, height_mm=1, weight_g=1, hold_hours=1),
    facts.Expired(parcel=UUID(int=1)), facts.CaseClosed(case=UUID(int=3)),
    facts.Granted(grant=UUID(int=1), station="S-0001", may=("service",)),
    facts.StationConfigured(station="S-0001", name="Mine", address="", lat=0, lon=0, layout=about().layout),
]  # fmt: skip


async def test_a_station_may_not_write_what_is_the_hubs(hub: Hub, pen: Pen) -> None:
    before = await hub.pool.fetch("SELECT * FROM station ORDER BY id")
    entries = pen.write(*FORGED)
    assert await hub.receive("S-0001", entries) == 5
    assert await stored(hub) == entries
    assert await dead(hub) == [("S-0001", number) for number in range(1, 6)]
    assert await cases(hub) == ["unreadable_entry"] * 5
    assert await hub.pool.fetch("SELECT * FROM station ORDER BY id") == before
    assert await hub.pool.fetchval("SELECT count(*) FROM parcel") == 0


async def test_a_station_may_not_speak_for_another(hub: Hub, pen: Pen) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0002"))
    await hub.receive("S-0001", pen.write(pen.deposited(parcel, 1, station="S-0002")))
    assert await dead(hub) == [("S-0001", 1)]
    assert await cases(hub) == ["unreadable_entry"]
    assert (await parcel_at(hub, parcel.id)).stage == Stage.RESERVED


async def test_a_case_of_another_station_cannot_be_opened_again(hub: Hub, pen: Pen) -> None:
    """A case that is closed stays closed, whoever claims its id."""
    assert isinstance(hub.clock, VirtualClock)
    other = Pen("S-0002", hub.clock)
    await hub.receive("S-0002", other.write(facts.CaseOpened(case=UUID(int=9), about="door_failed", compartment=1)))
    async with hub.pool.acquire() as connection, connection.transaction():
        at = hub.desk.sitting(connection)
        await at.load((), ["S-0002"])
        await at.load_cases(["S-0002"], [UUID(int=9)])
        at.record(facts.CaseClosed(case=UUID(int=9), station="S-0002", outcome="mended"))
        await at.write()
    await hub.receive("S-0001", pen.write(facts.CaseOpened(case=UUID(int=9), about="mine", compartment=2, holds=True)))
    row = await hub.pool.fetchrow("SELECT * FROM case_file")
    assert (row["about"], row["station"], row["closed_at"]) == ("door_failed", "S-0002", NOW)


# what nobody expected


async def test_a_parcel_that_nobody_announced(lied_to: Hub) -> None:
    hub, pen = lied_to, Pen("S-0001", VirtualClock(NOW))
    unknown = facts.Deposited(parcel=UUID(int=5), reservation=UUID(int=6), station="S-0001", compartment=1,
                              collect_by=LATER, visit=UUID(int=7))  # fmt: skip
    await hub.receive("S-0001", pen.write(unknown))
    assert (await parcel_at(hub, UUID(int=5))).stage == Stage.READY
    assert await cases(hub) == ["unexpected_deposit"]


async def test_a_deposit_of_what_was_cancelled_meanwhile(hub: Hub, pen: Pen) -> None:
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    await hub.desk.ask(Cancel(carrier="acme", parcel=parcel.id))
    await hub.receive("S-0001", pen.write(pen.deposited(parcel, 2, collect_by=LATER)))
    inside = await parcel_at(hub, parcel.id)
    assert (inside.stage, inside.compartment) == (Stage.READY, 2)
    assert await cases(hub) == ["unexpected_deposit"]


async def test_two_stations_and_one_parcel(lied_to: Hub) -> None:
    """A copied label: both doors are believed, one case, nothing lost, and the first compartment is held."""
    hub, now = lied_to, VirtualClock(NOW)
    pen, other = Pen("S-0001", now), Pen("S-0002", now)
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    await asyncio.gather(
        hub.receive("S-0001", pen.write(pen.deposited(parcel, 2, collect_by=LATER))),
        hub.receive("S-0002", other.write(other.deposited(parcel, 3, collect_by=LATER))),
    )
    inside = await parcel_at(hub, parcel.id)
    assert inside.contested
    assert "deposited_twice" in await cases(hub)


async def test_a_deposit_elsewhere_withdraws_the_old_promise(lied_to: Hub) -> None:
    hub, other = lied_to, Pen("S-0002", VirtualClock(NOW))
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
    await hub.receive("S-0002", other.write(other.deposited(parcel, 3, collect_by=LATER)))
    assert (await kinds_in(hub, "hub:1/S-0001"))[-1] == "Withdrawn"
    async with hub.pool.acquire() as connection:
        assert (await rooms(connection, ["S-0001"]))["S-0001"].promised == {}


async def test_a_station_cannot_free_a_compartment_of_another(hub: Hub) -> None:
    """A parcel was moved; the station that keeps its old promise says that it was collected there. It may lie where it
    was put all the same: nobody is promised that compartment, and somebody is asked to look."""
    now = hub.clock
    assert isinstance(now, VirtualClock)
    await hub.configure(about("S-0001", columns="S"))
    here, there = Pen("S-0001", now), Pen("S-0002", now)
    before = await parcel_at(hub, await announced(hub, "PW-1", "S-0002"))
    await hub.desk.ask(Reserve(parcel=before.id, destination=Destination(station_id="S-0001"), carrier="acme"))
    parcel = await parcel_at(hub, before.id)
    await hub.receive("S-0001", here.write(here.deposited(parcel, 1, collect_by=LATER)))
    await hub.receive("S-0002", there.write(there.collected(before, 1)))
    [case] = await hub.pool.fetch("SELECT about, station, compartment, holds FROM case_file WHERE closed_at IS NULL")
    assert tuple(case) == ("unexpected_collection", "S-0001", 1, True)
    assert (await kinds_in(hub, "hub:1/S-0001"))[-1] == "CaseOpened", "the station itself gives it to nobody either"
    late = await parcel_at(hub, await announced(hub, "PW-2", "S-0001"))
    assert (late.stage, late.reason) == (Stage.DIVERTED, "station_full")


@pytest.mark.parametrize("compartment", [2, 99])
async def test_doors_that_contradict_the_books_never_stop_a_station(hub: Hub, pen: Pen, compartment: int) -> None:
    """Three parcels behind one door, or behind a door that the layout lost: believed, cases, and the stream goes on."""
    known = [await parcel_at(hub, await announced(hub, f"PW-{n}", "S-0001")) for n in range(4)]
    for each in known[:3]:
        await hub.receive("S-0001", pen.write(pen.deposited(each, compartment, collect_by=LATER)))
    await hub.receive("S-0001", pen.write(pen.collected(known[1], compartment)))
    await hub.receive("S-0001", pen.write(pen.deposited(known[3], compartment, collect_by=LATER)))
    stages = [(await parcel_at(hub, each.id)).stage for each in known]
    assert stages == [Stage.READY, Stage.COLLECTED, Stage.READY, Stage.READY]
    about_it = "two_in_one_compartment" if compartment == 2 else "no_such_compartment"
    assert set(await cases(hub)) == {about_it}
    for each in (known[0], known[2], known[3]):
        await hub.receive("S-0001", pen.write(pen.collected(each, compartment)))
    async with hub.pool.acquire() as connection:
        room = (await rooms(connection, ["S-0001"]))["S-0001"]
    assert (room.taken, room.shared) == (0, {})


# lies and holes


async def test_a_broken_chain_of_one_station_leaves_the_others_alone(hub: Hub, pen: Pen) -> None:
    assert isinstance(hub.clock, VirtualClock)
    other = Pen("S-0002", hub.clock)
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0002"))
    pen.write(facts.WrongCode(count=1))
    holed = pen.write(facts.WrongCode(count=2))
    good = other.write(other.deposited(parcel, 1, collect_by=LATER))
    answers = await hub.desk.ingest([news(pen, holed), news(other, good)])
    assert isinstance(answers[0], Broken)
    assert answers[1] == 1
    assert await stored(hub, "S-0001") == []
    assert await stored(hub, "S-0002") == good
    got = await asyncio.gather(
        hub.receive("S-0001", holed), hub.receive("S-0002", other.write(other.collected(parcel, 1))),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(got[0], Broken)
    assert got[1] == 2


async def test_a_known_number_with_other_content(hub: Hub, pen: Pen) -> None:
    entries = pen.write(facts.WrongCode(count=1))
    await hub.receive("S-0001", entries)
    for other in ({"kind": "Power"}, {"body": "{}"}, {"happened_at": "2026-11-22T08:00:00.000001Z"}):
        with pytest.raises(Fork):
            await hub.receive("S-0001", [msgspec.structs.replace(entries[0], **other)])
    assert await stored(hub) == entries


async def test_doors_and_desks_at_the_same_moment(hub: Hub, pen: Pen) -> None:
    """A station's news and what companies ask meet at the same rows, in both lanes, and neither waits for ever."""
    known = [await parcel_at(hub, await announced(hub, f"PW-{n}", "S-0001")) for n in range(4)]
    frames = [pen.write(pen.deposited(each, place + 1, collect_by=LATER)) for place, each in enumerate(known)]
    asked = [hub.desk.ask(announcing(f"PX-{n}", "S-0001" if n % 2 else "S-0002")) for n in range(8)]
    done = await asyncio.wait_for(
        asyncio.gather(*(hub.receive("S-0001", frame) for frame in frames), *asked, return_exceptions=True), 20
    )
    assert not [each for each in done if isinstance(each, Exception)]
    assert [(await parcel_at(hub, each.id)).stage for each in known] == [Stage.READY] * 4
