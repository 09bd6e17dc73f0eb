"""A station without a line, a courier's phone between two real desks: nothing is lost, forged or done twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub import road as hub_road
from parcelwall.hub.commands import Extend
from parcelwall.hub.outbox import outbox
from parcelwall.link import paper, road
from parcelwall.link.identity import Signer
from parcelwall.rules import facts
from parcelwall.rules.life import Stage
from parcelwall.simulation.town import PretendStation, Town
from parcelwall.station.house import key_of
from station.towns import ADA, a_small_town, about, announced, cases, only, parcel_at, told

STRANGER = Signer(b"s" * 32)


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


def shown(station: PretendStation) -> bytes:
    """What the courier's phone has after it has looked at the screen, from the first frame to the last."""
    on_screen, phone = station.station.kiosk.by_phone.road, paper.Gathering()
    on_screen.show()
    [bundle] = [whole for text in on_screen.sheets if (whole := phone.take(text)) is not None]
    return bundle


async def read_back(station: PretendStation, sheets: list[str]) -> None:
    """The phone's codes are held to the reader, which reads them as it comes."""
    for text in reversed(sheets):
        await station.station.kiosk.scanned(text)


async def test_the_recipient_hears_although_the_station_is_dark(town: Town) -> None:
    station, hub = only(town), town.hub
    parcel = await told(town, "PW-1", person=ADA)
    station.cut()
    deposit = await station.deposit("PW-1")
    assert await outbox(hub) == []
    carried = await hub_road.take(hub, shown(station))
    assert (carried.station, carried.through) == ("S-0001", station.station.memory.wrote().number)
    [message] = await outbox(hub)
    assert (message.door, message.code) == (deposit.compartment, station.code_of(parcel))
    assert (await parcel_at(hub, parcel)).stage == Stage.READY


async def test_the_answer_goes_back_and_brings_what_the_hub_wrote(town: Town) -> None:
    station, hub = only(town), town.hub
    parcel = await told(town, "PW-1")
    station.cut()
    await station.deposit("PW-1")
    later = await announced(hub, "PW-2", "S-0001")
    first = await hub_road.take(hub, shown(station))
    kept = await hub.desk.ask(Extend(carrier=None, parcel=parcel, by="recipient"))
    carried = await hub_road.take(hub, shown(station))
    assert carried.through == first.through
    assert station.station.memory.unsent() > 0, "nothing is dropped before the hub has said, signed, that it has it"
    await read_back(station, carried.sheets)
    memory = station.station.memory
    assert memory.unsent() == 0
    here = memory.parcel(parcel)
    assert here is not None and here.collect_by == kept.body["collect_by"]
    expected = memory.parcel(later)
    assert expected is not None and expected.stage == Stage.RESERVED
    await station.deposit("PW-2")
    assert station.station.kiosk.by_phone.road.unsent > 0
    await station.carry()
    assert (await parcel_at(hub, later)).stage == Stage.READY, "the line goes on where the road has ended"


async def test_every_order_of_line_and_road_tells_one_story(town: Town) -> None:
    station, hub = only(town), town.hub
    for number in range(3):
        await told(town, f"PW-{number}")
    station.cut()
    await station.deposit("PW-0")
    first = shown(station)
    await station.deposit("PW-1")
    second = shown(station)
    await hub_road.take(hub, second)
    answer = await hub_road.take(hub, first)
    assert answer.through == road.read(second).entries[-1].through, "an older bundle takes nothing back"
    await station.carry()
    again = await hub_road.take(hub, second)
    assert again.through == station.station.memory.wrote().number
    await station.deposit("PW-2")
    await station.carry()
    await read_back(station, answer.sheets)
    assert station.station.memory.unsent() == 0
    assert await cases(hub) == []


async def test_what_was_left_out_in_between_is_not_taken(town: Town) -> None:
    station, hub = only(town), town.hub
    await told(town, "PW-1")
    station.cut()
    await station.deposit("PW-1")
    memory, signer = station.station.memory, key_of(station.station.memory, town.ids)
    before = memory.wrote().number
    whole = road.read(shown(station))
    [frame] = whole.entries
    [cut] = [type(frame)(frame.writer, frame.after + 1, frame.through, frame.items[1:], frame.head, frame.sig)]
    for bundle in (road.pack(whole.header, [cut], STRANGER), road.pack(whole.header, [cut], signer)):
        with pytest.raises(Refusal) as no:
            await hub_road.take(hub, bundle)
        assert no.value.reason == "bundle_unknown"
    assert memory.unsent() >= before - 1
    await hub_road.take(hub, shown(station))


async def test_what_a_restored_hub_has_lost_comes_back_by_the_line_first(town: Town) -> None:
    """Else a deposit is learnt before the promise that it keeps (found by storm 30006)."""
    station, hub = only(town), town.hub
    await told(town, "PW-1")
    station.cut()
    await station.deposit("PW-1")
    bundle, before = road.read(shown(station)), await hub.head("S-0001")
    [(stream, (number, digest))] = bundle.header.has.items()
    ahead = msgspec.structs.replace(bundle.header, has={stream: (number + 1, digest)})
    signer = key_of(station.station.memory, station.station.ids)
    with pytest.raises(Refusal) as no:
        await hub_road.take(hub, road.pack(ahead, bundle.entries, signer))
    assert (no.value.reason, await hub.head("S-0001")) == ("bundle_unknown", before)
    await hub_road.take(hub, road.pack(bundle.header, bundle.entries, signer))
    assert (await hub.head("S-0001")).number > before.number


async def test_strangers_and_revoked_computers_carry_nothing(town: Town) -> None:
    station, hub = only(town), town.hub
    parcel = await told(town, "PW-1")
    station.cut()
    await station.deposit("PW-1")
    bundle = shown(station)
    forged = road.pack(road.read(bundle).header, road.read(bundle).entries, STRANGER)
    for wrong in (forged, b"", bundle[:-1], bundle[:70]):
        with pytest.raises(Refusal):
            await hub_road.take(hub, wrong)
    await hub.revoke_station("S-0001", "stolen")
    with pytest.raises(Refusal):
        await hub_road.take(hub, bundle)
    assert (await parcel_at(hub, parcel)).stage == Stage.RESERVED


async def test_a_station_believes_only_its_hub_and_only_what_is_for_it(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path, about("S-0001"), about("S-0002")) as town:
        one, other = town.stations["S-0001"], town.stations["S-0002"]
        await told(town, "PW-1")
        await other.carry()
        one.cut()
        await one.deposit("PW-1")
        carried = await hub_road.take(town.hub, shown(one))
        kiosk, before = other.station.kiosk, other.station.memory.heads()
        await read_back(other, carried.sheets)
        assert kiosk.by_phone.outcome == "refused"
        assert other.station.memory.heads() == before
        header = road.Header(from_=road.HUB, to="S-0001", made="2026-11-22T08:00:00.000000Z",
                             has={"S-0001": (one.station.memory.wrote().number, "00" * 32)}, wrote=0)  # fmt: skip
        for signer in (STRANGER, key_of(one.station.memory, town.ids)):
            forged = paper.sheets(road.pack(header, [], signer), paper.TO_READER_BYTES)
            await read_back(one, forged)
            assert one.station.kiosk.by_phone.outcome == "refused"
        assert one.station.memory.unsent() > 0, "nobody but the hub says what the hub has"
        await read_back(one, carried.sheets)
        assert (one.station.kiosk.by_phone.outcome, one.station.memory.unsent()) == ("kept", 0)


async def test_a_promise_lapses_once_the_station_was_heard_by_either_road(town: Town) -> None:
    station, hub = only(town), town.hub
    await told(town, "PW-1")
    station.cut()
    sql = "SELECT heard_until FROM station_presence WHERE station = 'S-0001'"
    before, seen = await hub.pool.fetchval(sql), await hub.pool.fetchval(sql.replace("heard_until", "last_seen"))
    town.clock.advance(3600)  # type: ignore[attr-defined]
    station.station.memory.tell(facts.Power(status="mains"))
    await hub_road.take(hub, shown(station))
    assert await hub.pool.fetchval(sql) > before
    assert await hub.pool.fetchval(sql.replace("heard_until", "last_seen")) == seen, "its line is down all the same"


async def test_two_weeks_go_in_parts(town: Town) -> None:
    station, hub = only(town), town.hub
    station.cut()
    memory, on_screen, phone = station.station.memory, station.station.kiosk.by_phone.road, paper.Gathering()
    for _ in range(40):
        memory.tell(*(facts.DoorOpened(compartment=1) for _ in range(90)))
    on_screen.show()
    parts = 0
    while True:
        [bundle] = [whole for text in on_screen.sheets if (whole := phone.take(text)) is not None]
        carried = await hub_road.take(hub, bundle)
        parts += 1
        if not on_screen.later:
            break
        on_screen.show(next_part=True)
    assert 1 < parts < 8
    assert carried.through == memory.wrote().number
    await read_back(station, carried.sheets)
    assert memory.unsent() == 0


async def test_nothing_in_a_bundle_names_a_person(town: Town) -> None:
    station, hub = only(town), town.hub
    await told(town, "PW-7F3-2917", person=ADA)
    station.cut()
    await station.deposit("PW-7F3-2917")
    there = shown(station)
    await announced(hub, "PW-8", "S-0001", person=ADA)
    carried = await hub_road.take(hub, there)
    phone = paper.Gathering()
    [back] = [whole for text in carried.sheets if (whole := phone.take(text)) is not None]
    for bundle in (there, back):
        read = repr(road.read(bundle))
        for word in ("Ada", "ada@", "+358", "PW-7F3", "PW-8"):
            assert word not in read
