"""The hub's journal as planning reads it: stories, forecasts kept and scored, windows held against deposits."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
from msgspec.json import decode, encode
from msgspec.structs import replace
from typer.testing import CliRunner

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import reading
from parcelwall.hub.commands import Cancel, Destination, Report, Reserve
from parcelwall.hub.offers import Wanted
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.planning import at_hub, commands, forecast_report, history, room_report, stored, wanted
from parcelwall.planning.forecast_plan import Load
from parcelwall.rules import facts
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.offers import RoomTable
from parcelwall.rules.tables import VisitCalendar
from parcelwall.simulation.town import Town
from rules.samples import CALENDAR, CURVE, ROW
from station.towns import ADA, NOW, Pen, a_hub, a_small_town, announced, only, order, parcel_at, told

HOUR = 3600
ALWAYS = {"announced": ((1.0, 2.0, 30.0),) * 7, "on_the_way": ((1.0, 2.0, 30.0),) * 7,
          "out_for_delivery": ((0.5, 1.0, 3.0),) * 7}  # fmt: skip


def calendar() -> VisitCalendar:
    return VisitCalendar(station="S-0001", carrier="acme", zone="Europe/Helsinki", visit_share=(1.0,) * 7,
                         first_h=((8.0, 9.0, 10.0),) * 7, last_h=((9.0, 10.0, 12.0),) * 7, lead_h=ALWAYS,
                         fit=CALENDAR.fit)  # fmt: skip


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


def advance(town: Town, hours: float) -> None:
    assert isinstance(town.clock, VirtualClock)
    town.clock.advance(hours * HOUR)


async def one_life(town: Town) -> None:
    """Announced at ten in Helsinki, on the way an hour later, deposited two hours after, collected after five."""
    parcel = await told(town, "PW-1", person=ADA)
    advance(town, 1)
    await town.hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="in_transit"))
    advance(town, 2)
    await only(town).deposit("PW-1")
    advance(town, 5)
    await only(town).collect(only(town).code_of(parcel))
    await only(town).carry()


async def test_a_parcels_story_is_read_in_the_stations_clock_and_without_a_name(
    town: Town, connection: asyncpg.Connection
) -> None:
    await one_life(town)
    await told(town, "PW-2")
    found = history.columns(await history.read(connection, town.clock.now()))
    records = found.records
    assert records.stations == ("S-0001",) and records.carriers == ("acme",) and len(records) == 2
    assert records.dwell_h[0] == pytest.approx(5, abs=0.1) and not np.isfinite(records.deposited[1])
    assert (records.ready[0] % 1) * 24 == pytest.approx(10, abs=0.1), "08:00 UTC is ten o'clock in Helsinki"
    assert found.person.tolist() == [0, -1]
    at, hours = found.leads["S-0001", "acme"]["on_the_way"]
    assert hours[0] == pytest.approx(2, abs=0.1) and len(at) == 1


async def test_what_only_the_hub_may_tell_is_not_learnt_from_a_station(
    town: Town, connection: asyncpg.Connection
) -> None:
    """Its computer may have been stolen. What doors saw is still believed of it."""
    await one_life(town)
    lies = await told(town, "PW-2")
    about = town.hub.stations.known["S-0001"].about
    await town.hub.take_tables([encode(calendar())])
    await town.hub.configure(replace(about, station="S-0002"), joined=True)
    before = await history.read(connection, town.clock.now())
    advance(town, 1)
    assert isinstance(town.clock, VirtualClock)
    await town.hub.receive("S-0002", Pen("S-0002", town.clock).write(
        facts.StationConfigured(station="S-0001", name="", address="", lat=0, lon=0, zone="UTC",
                                layout=plain_layout("L")),
        facts.AdmissionAdopted(row=ROW), facts.TableAdopted(table=replace(calendar(), zone="UTC")),
        facts.Diverted(parcel=lies, reason="station_full"), facts.Cancelled(parcel=lies),
        facts.WrittenOff(parcel=lies, reservation=lies, station="S-0001", compartment=1, why="burnt down"),
    ))  # fmt: skip
    assert await connection.fetchval("SELECT count(*) FROM entry WHERE kind = 'WrittenOff'") == 1, "it is kept"
    assert encode(await history.read(connection, town.clock.now())) == encode(before)
    assert before.rows == {} and before.layouts["S-0001"] == about.layout


@pytest.mark.parametrize("wrong", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z",
                                   "2026-01-01T00:00:00.000000Z", "2026-11-22T23:00:00.000000Z"])  # fmt: skip
async def test_a_station_whose_clock_is_wrong_stops_no_plan_and_its_parcels_are_where_the_hub_heard_of_them(
    wrong: str, town: Town, connection: asyncpg.Connection
) -> None:
    assert isinstance(town.clock, VirtualClock)
    await town.hub.configure(replace(town.hub.stations.known["S-0001"].about, station="S-0002"), joined=True)
    parcel = await parcel_at(town.hub, await announced(town.hub, "PW-1", "S-0002"))
    advance(town, 5)
    pen = Pen("S-0002", town.clock)
    put_in = pen.deposited(parcel, 1, collect_by=town.clock.now())
    await town.hub.receive("S-0002", chain.extend("S-0002", pen.head, [Draft("Deposited", wrong, facts.body(put_in))]))
    advance(town, 1)
    found = await history.read(connection, town.clock.now())
    [story] = found.stories.values()
    assert (story.reserved, story.deposited, story.open) == (NOW, NOW + timedelta(hours=5), False)
    asked = await wanted.read(connection, found, town.clock.now())
    assert [each.at.hour for each in asked.asked["S-0002"]] == [15], "in Helsinki"
    assert len(history.columns(found).records) == 1


async def test_forecasts_are_kept_once_and_scored_when_their_hour_is_past(
    town: Town, connection: asyncpg.Connection
) -> None:
    await one_life(town)
    day = town.clock.now().date()
    loads = [Load(station="S-0001", made_on=day - timedelta(days=1), day=each, ahead=1, hour=15, model="pipeline",
                  told=2.0, low=0.0, high=3.0) for each in (day, day + timedelta(days=9))]  # fmt: skip
    assert await stored.store(connection, loads, NOW) == 2
    assert await stored.store(connection, loads, NOW) == 0
    found = await stored.score(connection, await history.read(connection, town.clock.now()), town.clock.now())
    assert found.newly_scored == 1
    [score] = found.loads
    assert score.mean_absolute_error == pytest.approx(1.0), "one parcel lay there at 15:00, two were told"
    assert score.band_covers == 1.0
    _, page = await forecast_report.scored(connection, town.clock.now())
    assert page.newly_scored == 0 and page.loads == [score]


async def test_what_a_station_tells_late_puts_a_score_right(town: Town, connection: asyncpg.Connection) -> None:
    """It was cut off that day: the hub knew of no parcel there when the forecast was scored."""
    await told(town, "PW-1", person=ADA)
    await only(town).carry()
    advance(town, 3)
    await only(town).deposit("PW-1")
    day = town.clock.now().date()
    load = Load(station="S-0001", made_on=day - timedelta(days=1), day=day, ahead=1, hour=15, model="pipeline",
                told=1.0, low=0.0, high=3.0)  # fmt: skip
    await stored.store(connection, [load], NOW)
    advance(town, 24)

    async def scored() -> tuple[int, float]:
        found = await stored.score(connection, await history.read(connection, town.clock.now()), town.clock.now())
        return found.newly_scored, found.loads[0].mean_absolute_error

    assert await scored() == (1, 1.0)
    await only(town).carry()
    assert await scored() == (0, 0.0)
    advance(town, 24 * (stored.LATE_DAYS + 1))
    await connection.execute("UPDATE forecast SET came = 7")
    assert await scored() == (0, 6.0), "in the end it is settled"


async def test_adopted_tables_are_used_by_every_process_and_their_windows_are_held_against_deposits(
    database: str, town: Town, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    parcel = await told(town, "PW-0")
    assert await town.hub.tables.window(connection, await parcel_at(town.hub, parcel), town.clock.now()) is None
    with pytest.raises(Refusal, match="Line 1 of the plan file is no table"):
        await town.hub.take_tables([encode(CURVE)])  # nothing reads one
    assert await town.hub.take_tables([encode(calendar())], "ab" * 32) == {"VisitCalendar": 1}
    async with a_hub(database, tmp_path / "hub", slot=2) as other:
        window = await other.tables.window(connection, await parcel_at(town.hub, parcel), town.clock.now())
    assert window is not None and window.since == NOW + timedelta(hours=1)
    assert window.until == datetime(2026, 11, 24, 10, tzinfo=UTC), "noon there, when the visits of a Tuesday are over"
    shown = await reading.parcel(town.hub, "acme", parcel)
    assert (shown["ready_from"], shown["ready_by"]) == (window.since, window.until)
    assert shown["ready_median"] == window.median and window.since < shown["ready_median"] < window.until
    await one_life(town)
    kept = {each.known: each for each in stored.promises(await history.read(connection, town.clock.now()))}
    assert set(kept) == {"announced", "on_the_way"}
    assert kept["on_the_way"].told == 1 and kept["on_the_way"].kept == kept["on_the_way"].inside == 1.0
    assert kept["on_the_way"].mean_slack_h > 0


async def test_what_is_expected_later_is_ready_no_sooner_in_offers_on_pages_and_in_their_audit(
    town: Town, connection: asyncpg.Connection
) -> None:
    await town.hub.take_tables([encode(calendar())])
    expected = NOW + timedelta(days=4)
    offered = await town.hub.offers.offer(Wanted(order(expected_at=expected), (60.1692, 24.9440)))
    ready = offered.offers[0].ready
    assert ready is not None and (ready.since, ready.basis) == (expected, "visits") and ready.by > expected
    parcel = await told(town, "PW-1", expected_at=NOW)
    later = NOW + timedelta(days=2)
    await town.hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="delayed", expected_at=later))
    window = await town.hub.tables.window(connection, await parcel_at(town.hub, parcel), town.clock.now())
    assert window is not None and window.since == later
    [story] = (await history.read(connection, town.clock.now())).stories.values()
    assert story.expected == later and story.expected_then == [NOW, later]
    story.deposited = later + timedelta(hours=1)
    known = history.History({parcel: story}, {}, adopted=[(NOW - timedelta(days=1), calendar())])
    assert all(each.kept == 1.0 for each in stored.promises(known))


async def test_what_asked_a_full_station_is_known_until_it_gets_room_there(
    town: Town, connection: asyncpg.Connection
) -> None:
    [first, *_] = [await told(town, f"PW-{number}") for number in range(8)]
    late = [await announced(town.hub, f"PW-{number}", expected_at=NOW + timedelta(days=1)) for number in (8, 9)]
    ask = [Reserve(carrier="acme", parcel=each, destination=Destination(station_id="S-0001")) for each in late]
    for each in (*ask, *ask):
        with pytest.raises(Refusal, match=r"room|free"):
            await town.hub.desk.ask(each)
    known, now = await history.read(connection, town.clock.now()), town.clock.now()
    tomorrow = datetime(2026, 11, 23, 10)  # on Helsinki's clock
    assert await wanted.refused_at(connection, known, now) == {"S-0001": [tomorrow, tomorrow]}
    await town.hub.desk.ask(Cancel(carrier="acme", parcel=first))
    await only(town).carry()
    await town.hub.desk.ask(ask[0])
    known = await history.read(connection, now)
    assert await wanted.refused_at(connection, known, now) == {"S-0001": [tomorrow]}


async def test_the_window_follows_what_the_carrier_reports(town: Town, connection: asyncpg.Connection) -> None:
    parcel = await told(town, "PW-1")
    await town.hub.take_tables([encode(calendar())])
    advance(town, 1)
    await town.hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="out_for_delivery"))
    now = town.clock.now()
    window = await town.hub.tables.window(connection, await parcel_at(town.hub, parcel), now)
    assert window is not None and window.since == now + timedelta(hours=0.5)
    advance(town, 100)
    gone = await town.hub.tables.window(connection, await parcel_at(town.hub, parcel), town.clock.now())
    assert gone is None, "a window that is over is not told"


async def test_a_hub_without_any_history_has_a_plan_that_says_so(town: Town, connection: asyncpg.Connection) -> None:
    report, plan = await forecast_report.from_journal(connection, "", town.clock.now(), True, lambda text: None)
    assert plan.loads == [] and plan.reasons == {"S-0001": "no_history"}
    assert "too few parcels" in str(report._parts)


async def test_the_command_line_reads_the_journal_keeps_and_scores(
    database: str, town: Town, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    await one_life(town)
    loads = [Load(station="S-0001", made_on=NOW.date(), day=NOW.date(), ahead=1, hour=15, model="pipeline", told=1.0,
                  low=0.0, high=3.0)]  # fmt: skip
    await stored.store(connection, loads, NOW)

    class Reached:
        dsn = database

    at_hub.reach_hubs_by(lambda data, url, act: asyncio.run(act(Reached())))  # type: ignore[arg-type]
    for words in ([], ["--score"]):
        given = ["forecast", "--out", str(tmp_path / "plan"), *words]
        done = await asyncio.to_thread(CliRunner().invoke, commands.app, given)
        assert done.exit_code == 0, done.output
    assert "1 forecasts were scored just now" in done.output
    assert await connection.fetchval("SELECT came FROM forecast") == 1.0


async def test_the_command_line_makes_tables_of_room_and_keeps_what_it_learnt(
    database: str, town: Town, tmp_path: Path
) -> None:
    await one_life(town)

    class Reached:
        dsn = database

    at_hub.reach_hubs_by(lambda data, url, act: asyncio.run(act(Reached())))  # type: ignore[arg-type]
    out, kept = tmp_path / "room.jsonl", tmp_path / "learnt.gz"
    for words in ([], ["--again"]):
        given = ["room", "--out", str(out), "--learnt", str(kept), *words]
        done = await asyncio.to_thread(CliRunner().invoke, commands.app, given)
        assert done.exit_code == 0, done.output
    assert "1 stations: 1 by the formula moved" in done.output
    (table,) = (decode(line, type=RoomTable) for line in out.read_bytes().splitlines())
    assert table.station == "S-0001" and all(len(row) == 8 for row in table.chance.values())
    assert room_report.read(kept)["S-0001"].way == "moved"
