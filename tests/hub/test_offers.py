"""Offers at the hub: from rows as they stand, kept a moment later, and judged by what was reserved then."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub.house import Hub
from parcelwall.hub.offers import Offered, Offers, Wanted
from parcelwall.rules import facts
from parcelwall.rules.offers import RoomTable
from parcelwall.rules.tables import VisitCalendar
from rules.samples import CALENDAR, FIT
from station.towns import NOW, Pen, a_hub, about, announced, order, parcel_at

THREE = (about("S-0001", "SML"), about("S-0002", "SML", lat=60.18), about("S-0003", "SML", lat=60.9))
HERE = (60.1692, 24.9440)
HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=THREE) as hub:
        yield hub


def line(station: str, *chances: float) -> bytes:
    return msgspec.json.encode(RoomTable(station=station, made_at=NOW, chance={"S": chances, "M": chances}))


async def test_the_nearest_with_room_by_counts_alone(hub: Hub) -> None:
    told = await hub.offers.offer(Wanted(order(), HERE))
    assert [(o.station, o.offered, o.basis, o.why) for o in told.offers] == [
        ("S-0001", True, "counts", "no_table"), ("S-0002", True, "counts", "no_table")]  # fmt: skip
    assert told.offers[0].ready is not None and told.offers[0].ready.basis == "stated"
    assert told.offers[0].second is not None and told.offers[0].second.station == "S-0002"


async def test_what_is_promised_meanwhile_is_not_offered(hub: Hub) -> None:
    for number in range(3):
        await announced(hub, f"PW-{number}", "S-0001")
    told = await hub.offers.offer(Wanted(order(), HERE))
    assert {o.station: o.reason for o in told.offers} == {"S-0001": "station_full", "S-0002": None}


async def test_adopted_tables_are_told_and_a_better_chance_may_come_first(hub: Hub) -> None:
    assert await hub.take_tables([line("S-0001", 0.4, 0.9, 0.4), b"", line("S-0002", 0.97, 0.97, 0.97)]) == {
        "RoomTable": 2}  # fmt: skip
    told = await hub.offers.offer(Wanted(order(expected_at=NOW + timedelta(days=2)), HERE))
    assert [(o.station, o.probability, o.reason) for o in told.offers] == [
        ("S-0002", 0.97, None), ("S-0001", 0.4, "too_unsure")]  # fmt: skip
    await hub.take_tables([line("S-0001", 0.95, 0.95, 0.95)])
    told = await hub.offers.offer(Wanted(order(expected_at=NOW + timedelta(days=2)), HERE))
    assert told.offers[0].probability == 0.95
    many = dict.fromkeys("SM", (0.95,) * 3)
    own = RoomTable(station="S-0001", made_at=NOW, chance=many, by_carrier={"acme": {"S": (0.91,) * 3}})
    await hub.take_tables([msgspec.json.encode(own)])
    told = await hub.offers.offer(Wanted(order(expected_at=NOW + timedelta(days=2)), HERE))
    assert {o.station: o.probability for o in told.offers}["S-0001"] == 0.91, "its own carrier's hours"


class Line:
    """The line to the database, which may be down for a while."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self.down = hub, True

    def acquire(self) -> Any:
        if self.down:
            raise ConnectionRefusedError("the database is away")
        return self._hub.pool.acquire()


async def test_offers_made_while_the_database_is_away_are_written_when_it_is_back(hub: Hub) -> None:
    line = Line(hub)
    away = Offers(line, hub.clock, hub.desk.ids, hub.stations, hub.tables, hub.desk)  # type: ignore[arg-type]
    away.rooms = hub.offers.rooms
    first = await away.offer(Wanted(order(), HERE))
    away.chose(first.id, "S-0001", "acme")
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            await away.write()
    assert "S-0001" in await away.told(first.id, "acme"), "it is not forgotten meanwhile"
    second = await away.offer(Wanted(order(), HERE))
    line.down = False
    await away.write()
    rows = {row["id"]: row["chosen"] for row in await hub.pool.fetch("SELECT id, chosen FROM offer")}
    assert rows == {first.id: "S-0001", second.id: None} and away.dropped == 0
    await away.close()


async def test_a_file_with_one_bad_line_is_not_taken_at_all(hub: Hub) -> None:
    for bad in (b"{}", b"no json", b'{"type":"Policy"}', line("S-0001", 0.9)[:-3]):
        with pytest.raises(Refusal) as refused:
            await hub.take_tables([line("S-0001", 0.9), bad])
        assert refused.value.reason == "bad_field" and "Line 2" in refused.value.sentence
    with pytest.raises(Trouble):
        await hub.take_tables([b""])
    assert await hub.pool.fetchval("SELECT count(*) FROM learnt") == 0


async def test_what_was_offered_is_kept_and_what_was_chosen_beside_it(hub: Hub) -> None:
    told = await hub.offers.offer(Wanted(order(), HERE))
    hub.offers.chose(told.id, "S-0002", "acme")
    hub.offers.chose(told.id, "S-0001", "acme")  # the first choice stands
    await hub.offers.write()
    (row,) = await hub.pool.fetch("SELECT * FROM offer")
    assert (row["stations"], row["sizes"], row["chances"], row["reasons"], row["chosen"]) == (
        ["S-0001", "S-0002"], ["S", "S"], [None, None], ["", ""], "S-0002")  # fmt: skip


async def test_nobody_elses_offer_and_no_unknown_one_can_be_chosen(hub: Hub) -> None:
    told = await hub.offers.offer(Wanted(order(), HERE))
    hub.offers.chose(told.id, "S-0001", "other")
    hub.offers.chose(told.id, "S-0003", "acme")
    hub.offers.chose(uuid4(), "S-0001", "acme")
    await hub.offers.write()
    assert await hub.pool.fetchval("SELECT chosen FROM offer") is None


async def test_far_from_everything_there_is_the_other_way(hub: Hub) -> None:
    told = await hub.offers.offer(Wanted(order(), (0.0, 0.0)))
    assert told.offers == [] and told.other_way is not None and told.other_way.reason == "no_station_near"


async def test_what_could_not_be_reserved_is_refused(hub: Hub) -> None:
    with pytest.raises(Refusal) as refused:
        await hub.offers.offer(Wanted(order(expected_at=NOW + timedelta(days=90)), HERE))
    assert refused.value.reason == "too_far_ahead"
    with pytest.raises(Refusal):
        await hub.offers.offer(Wanted(order(weight_g=200_000, length_mm=10, width_mm=10, height_mm=10), HERE))


async def test_stations_that_are_built_alike_share_a_plan(hub: Hub) -> None:
    plans = {id(each.plan) for each in hub.stations.known.values()}
    assert len(plans) == 1 and len(hub.stations.known) == 3


async def test_from_the_journal_to_a_chance_that_is_told(hub: Hub) -> None:
    pytest.importorskip("numpy")
    from parcelwall.planning import history
    from parcelwall.planning import offers as planning

    await announced(hub, "PW-1", "S-0001")
    pen = Pen("S-0002", hub.clock)
    await hub.receive("S-0002", pen.write(
        facts.CompartmentHealth(compartment=3, usable=False),
        facts.CaseOpened(case=uuid4(), about="jam", station="S-0002", compartment=2, holds=True)))  # fmt: skip
    async with hub.pool.acquire() as connection:
        past = await history.read(connection, hub.clock.now())
    assert past.unusable == {"S-0001": frozenset(), "S-0002": {2, 3}, "S-0003": frozenset()}
    made = planning.tables(planning.places(past), hub.clock.now(), {})
    assert [each.chance["M"][0] for each in made] == [0.995, 0.01, 0.995]
    assert [each.station for each in made] == ["S-0001", "S-0002", "S-0003"]
    await hub.take_tables([msgspec.json.encode(each) for each in made])
    told = await hub.offers.offer(Wanted(order(), HERE))
    assert [(o.station, o.basis, o.probability) for o in told.offers] == [
        ("S-0001", "table", 0.995), ("S-0002", "table", 0.995)]  # fmt: skip


@pytest.mark.parametrize("wrong", [
    RoomTable(station="S-0009", made_at=NOW, chance={"S": (0.9,)}),
    RoomTable(station="S-0001", made_at=NOW, chance={"XXL": (0.9,)}),
    RoomTable(station="S-0001", made_at=NOW, chance={}, by_carrier={"acme": {"XXL": (0.9,)}}),
    RoomTable(station="S-0001", made_at=NOW.replace(tzinfo=None), chance={"S": (0.9,)}),
    replace(CALENDAR, station="S-0009"), replace(CALENDAR, carrier="a\0"), replace(CALENDAR, zone="Mars/Olympus"),
    replace(CALENDAR, lead_h={"announced": ((-9.0, 1.0, 1e308),) * 7}),
], ids=["another station", "another layout", "a carrier's layout", "no zone", "calendar elsewhere", "NUL", "zone",
        "hours"])  # fmt: skip
async def test_a_table_that_nobody_could_use_is_not_taken(hub: Hub, wrong: RoomTable | VisitCalendar) -> None:
    with pytest.raises(Refusal, match="Line 1 of the plan file"):
        await hub.take_tables([msgspec.json.encode(wrong)])


async def test_a_calendar_of_an_older_journal_that_cannot_be_used_spoils_no_offer(hub: Hub) -> None:
    late = replace(CALENDAR, lead_h={"announced": ((0.0, 1.0, 1e9),) * 7})
    for wrong in (replace(CALENDAR, zone="Mars/Olympus"), late):
        async with hub.pool.acquire() as connection, connection.transaction():
            at = hub.desk.sitting(connection)
            await at.load((), ())
            at.record(facts.TableAdopted(table=wrong), at.streams.slot)
            await at.write()
        await hub.refresh()
        told = await hub.offers.offer(Wanted(order(), HERE))
        assert [o.ready.basis for o in told.offers if o.ready] == ["stated", "stated"]


async def test_a_damaged_table_spoils_its_own_station_alone_and_an_odd_request_itself(hub: Hub) -> None:
    await hub.take_tables([line("S-0001", 0.9), line("S-0002", 0.9)])
    await hub.pool.execute("UPDATE learnt SET body = left(body, 40) WHERE key = 'S-0001'")  # half a sentence
    hub.tables.calendars["S-0001", "odd"] = replace(
        CALENDAR, carrier="odd", zone="Mars/Olympus", lead_h={"announced": ((1.0, 2.0, 3.0),) * 7})  # fmt: skip
    asked = [Wanted(order(carrier=carrier), HERE) for carrier in ("acme", "odd", "acme")]
    first, odd, last = await asyncio.gather(*map(hub.offers.offer, asked), return_exceptions=True)
    assert isinstance(odd, ZoneInfoNotFoundError)
    for told in (first, last):
        assert isinstance(told, Offered)
        assert {o.station: (o.basis, o.why) for o in told.offers} == {
            "S-0001": ("counts", "no_table"), "S-0002": ("table", None)}  # fmt: skip


@pytest.mark.parametrize(("saturday", "sunday"), [
    (datetime(2026, 10, 24, 18, tzinfo=HELSINKI), date(2026, 10, 25)),
    (datetime(2027, 3, 27, 18, tzinfo=HELSINKI), date(2027, 3, 28)),
    (datetime(2026, 11, 21, 18, tzinfo=HELSINKI), date(2026, 11, 22)),
], ids=["an hour twice", "an hour less", "any other"])  # fmt: skip
async def test_a_courier_comes_by_the_clock_on_the_wall_also_when_it_is_moved(
    database: str, tmp_path: Path, saturday: datetime, sunday: date
) -> None:
    """Asked on Saturday at 18:00, brought 14 to 16 hours later: ready on Sunday, 8:00 to the visit's end at 10:15."""
    calendar = replace(CALENDAR, visit_share=(1.0,) * 7, first_h=((8.0, 8.5, 9.0),) * 7,
                       last_h=((9.0, 9.5, 10.25),) * 7, lead_h={"announced": ((14.0, 15.0, 16.0),) * 7},
                       fit=replace(FIT, fitted_on=saturday.date()))  # fmt: skip
    async with a_hub(database, tmp_path, VirtualClock(saturday.astimezone(UTC)), stations=THREE[:1]) as hub:
        await hub.take_tables([msgspec.json.encode(calendar)])
        told = await hub.offers.offer(Wanted(order(), HERE))
        parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001"))
        async with hub.pool.acquire() as connection:
            promised = await hub.tables.window(connection, parcel, hub.clock.now())
    [ready] = [o.ready for o in told.offers]
    assert ready is not None and ready.basis == "visits" and promised is not None
    for since, until in ((ready.since, ready.by), (promised.since, promised.until)):
        assert since.astimezone(HELSINKI) == datetime.combine(sunday, time(8), HELSINKI)
        assert until.astimezone(HELSINKI) == datetime.combine(sunday, time(10, 15), HELSINKI)


async def test_chances_of_a_station_that_was_rebuilt_are_told_no_more(hub: Hub) -> None:
    await hub.take_tables([line("S-0001", 0.9), line("S-0002", 0.9)])
    await hub.configure(about("S-0001", "SMS"))
    told = await hub.offers.offer(Wanted(order(), HERE))
    assert {o.station: (o.basis, o.why) for o in told.offers} == {
        "S-0001": ("counts", "no_table"), "S-0002": ("table", None)}  # fmt: skip
