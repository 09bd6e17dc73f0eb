"""How full, how long until collected, and when: told by doors, with what still lies there counted as it should be."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parcelwall.clock import VirtualClock
from parcelwall.hub import fullness, numbers
from parcelwall.hub.cases import CloseCase, HoldDoor
from parcelwall.hub.fullness import Waiting
from parcelwall.hub.numbers import Span
from parcelwall.hub.out_of_use import when_out
from parcelwall.hub.sweeps import sweep
from parcelwall.rules.facts import CompartmentHealth
from parcelwall.simulation.town import Town
from station.towns import a_small_town, about, announcing, only, told
from station.zones import add_zone, other_zones

H = 3600


def test_what_is_not_known_yet_is_not_told() -> None:
    assert Waiting(()).share_within(H) is None and Waiting(()).quantile_s(0.5) is None
    young = Waiting(((H, 0.75), (2 * H, 0.75)))  # a quarter out after an hour, the rest waits for two so far
    assert (young.share_within(H - 1), young.share_within(H), young.share_within(2 * H)) == (0, 0.25, 0.25)
    assert young.share_within(2 * H + 1) is None and young.quantile_s(0.25) == H and young.quantile_s(0.5) is None
    assert Waiting(((H, 0.0),)).share_within(72 * H) == 1, "all are out: that stays so"


async def test_four_parcels_of_one_day(database: str, tmp_path: Path) -> None:
    """In at 8:00. One is out after an hour, one after ten, one is taken back after ten, one still lies there."""
    async with a_small_town(database, tmp_path) as town:
        here, clock = only(town), town.clock
        assert isinstance(clock, VirtualClock)
        began = clock.now()
        await town.adopt(replace(town.hub.policy, version=2, hold_hours=9))
        parcels = [await told(town, f"PW-{each}") for each in range(4)]
        for each in range(4):
            await here.deposit(f"PW-{each}")
        await here.carry()
        clock.move_to(began + timedelta(hours=1))
        await here.collect(here.code_of(parcels[0]))
        clock.move_to(began + timedelta(hours=10))
        await sweep(town.hub)
        await here.carry()
        await here.collect(here.code_of(parcels[1]))
        await here.take_back(parcels[2])
        await here.carry()
        clock.move_to(began + timedelta(hours=20))
        await town.hub.desk.ask(announcing("PW-9", "S-0001", length_mm=3000, weight_g=9000))
        span = Span(began, clock.now() + timedelta(seconds=1))

        waited = await fullness.waiting(town.hub, span)
        # Three of four are left after an hour. After ten one of three is collected, one gone uncollected: two thirds.
        assert [round(waited.share_within(hours * H) or 0, 3) for hours in (0.5, 2, 12)] == [0, 0.25, 0.5]
        assert waited.share_within(24 * H) is None
        assert abs((waited.quantile_s(0.5) or 0) - 10 * H) <= 2 * fullness.STEP_S and waited.quantile_s(0.8) is None

        [small, *others] = await fullness.fill_by_size(town.hub, span)
        assert (small.size, small.compartments) == ("S", 4) and all(each.mean == 0 for each in others)
        inside = [4, *[3] * 9, *[1] * 11]  # at the end of each hour of 21
        assert abs(small.mean - sum(inside) / 4 / 21) < 0.001 and (small.p95, small.nearly_full_h) == (0.75, 1)

        rows = await fullness.by_quarter(town.hub, span)
        assert rows == [
            ("S-0001", 1, "06:00", 0, 0, 1),  # the next morning in Helsinki: nothing takes three metres
            ("S-0001", 7, "10:00", 4, 0, 0), ("S-0001", 7, "11:00", 0, 1, 0), ("S-0001", 7, "20:00", 0, 2, 0),
        ]  # fmt: skip
        assert await fullness.by_quarter(town.hub, Span(span.since, span.until, ("S-0404",))) == []
        assert began == datetime(2026, 11, 22, 8, tzinfo=UTC)


async def test_how_full_is_of_what_could_be_used(database: str, tmp_path: Path) -> None:
    """Four small ones, in two of them a parcel. The third is held from 1:30 to 4:30, the fourth is broken from 3:30."""
    async with a_small_town(database, tmp_path) as town:
        here, clock = only(town), town.clock
        assert isinstance(clock, VirtualClock)
        began, (_, [third, fourth]) = clock.now(), await _two_inside(town)

        def after(hours: float) -> None:
            clock.move_to(began + timedelta(hours=hours))

        after(1.5)
        case = (await town.hub.desk.ask(HoldDoor(station="S-0001", compartment=third))).body["case"]
        after(3.5)
        here.station.memory.tell(CompartmentHealth(compartment=fourth, usable=False))
        await here.carry()
        after(4.5)
        await town.hub.desk.ask(CloseCase(case=UUID(case), station="S-0001", outcome="looked"))
        after(6)

        [small, *others] = await fullness.fill_by_size(town.hub, Span(began, clock.now()))
        shares = [2 / 4, 2 / 3, 2 / 3, 2 / 2, 2 / 3, 2 / 3]
        assert abs(small.mean - sum(shares) / 6) < 1e-9
        assert (small.p95, small.nearly_full_h, small.out_of_use_h) == (1, 1, 6)
        assert [(each.mean, each.out_of_use_h) for each in others] == [(0, 0), (0, 0)]
        [later, *_] = await fullness.fill_by_size(town.hub, Span(began + timedelta(hours=5), clock.now()))
        assert (round(later.mean, 3), later.out_of_use_h) == (0.667, 1), "it is broken since before"


async def test_what_lies_in_a_compartment_that_is_out_of_use_is_counted(database: str, tmp_path: Path) -> None:
    """A door that does not open again has its parcel inside: that size is not more than full."""
    async with a_small_town(database, tmp_path) as town:
        clock = town.clock
        assert isinstance(clock, VirtualClock)
        began, (full, free) = clock.now(), await _two_inside(town)
        for door in full:
            await town.hub.desk.ask(HoldDoor(station="S-0001", compartment=door))
        clock.move_to(began + timedelta(hours=3))
        [small, *_] = await fullness.fill_by_size(town.hub, Span(began, clock.now()))
        assert (small.mean, small.nearly_full_h, small.out_of_use_h) == (0.5, 0, 0)
        for door in free:
            await town.hub.desk.ask(HoldDoor(station="S-0001", compartment=door))
        clock.move_to(began + timedelta(hours=4))
        [small, *_] = await fullness.fill_by_size(town.hub, Span(began, clock.now()))
        assert (small.nearly_full_h, small.out_of_use_h) == (1, 2), "nobody finds room there now"


async def test_before_a_station_was_there_nothing_of_it_was_empty(database: str, tmp_path: Path) -> None:
    """A week's network was told to be 5 % full in its first four weeks, when a fifth of it was."""
    async with a_small_town(database, tmp_path) as town:
        clock = town.clock
        assert isinstance(clock, VirtualClock)
        began, _ = clock.now(), await _two_inside(town)
        clock.move_to(began + timedelta(hours=6))
        spans = [Span(began - timedelta(days=days), clock.now()) for days in (0, 10)]
        fills = [await fullness.fill_by_size(town.hub, span) for span in spans]
        assert fills[0] == fills[1] and fills[1][0].mean == 0.5
        for span in spans:
            served = await numbers.served_days(town.hub, span)
            assert served == {"S-0001": 0.25}
            assert numbers.compartment_days(town.hub, served) == numbers.compartments(town.hub) / 4
        earlier = Span(began - timedelta(days=10), began - timedelta(days=1))
        assert await fullness.fill_by_size(town.hub, earlier) == []


async def test_a_size_that_was_out_of_use_all_the_time_has_no_figure(database: str, tmp_path: Path) -> None:
    async with a_small_town(database, tmp_path) as town:
        clock = town.clock
        assert isinstance(clock, VirtualClock)
        for door in (3, 7):
            await town.hub.desk.ask(HoldDoor(station="S-0001", compartment=door))
        began = clock.now()
        clock.move_to(began + timedelta(hours=2))
        assert [each.size for each in await fullness.fill_by_size(town.hub, Span(began, clock.now()))] == ["S", "L"]


MINUTES = st.integers(0, 12 * 60)


@given(st.lists(st.tuples(MINUTES, st.none() | MINUTES)))
def test_when_a_compartment_was_out_of_use(minutes: list[tuple[int, int | None]]) -> None:
    """Also of cases that overlap, that are open still, and that were closed before they were opened."""
    began = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def at(minute: int) -> datetime:
        return began + timedelta(minutes=minute)

    times = [(at(since), None if until is None else at(until)) for since, until in minutes]
    hours = [at(60 * hour) for hour in range(1, 12)]
    assert when_out(times, hours) == {
        place for place, hour in enumerate(hours)
        if any(since < hour and (until is None or until >= hour) for since, until in times)
    }  # fmt: skip


class Compared(datetime):
    """Knows how often it was compared."""

    times = 0

    def __lt__(self, other: datetime) -> bool:
        Compared.times += 1
        return super().__lt__(other)


def test_not_each_hour_of_three_months_is_asked_whether_it_was_out() -> None:
    """A hub of hundreds of stations answered nobody for seconds while it asked of each case and hour."""
    began = datetime(2026, 8, 1, tzinfo=UTC)
    case = Compared(2026, 8, 1, tzinfo=UTC), began + timedelta(hours=4)
    assert len(when_out([case], [began + timedelta(hours=hour) for hour in range(91 * 24)])) == 4
    assert 0 < Compared.times < 30


async def _two_inside(town: Town) -> tuple[list[int], list[int]]:
    """Puts in two small parcels: the doors behind which they lie, and the other small ones."""
    here = only(town)
    for each in range(2):
        await told(town, f"PW-{each}")
        await here.deposit(f"PW-{each}")
    await here.carry()
    full = [row["compartment"] for row in await town.hub.pool.fetch("SELECT compartment FROM parcel")]
    doors = town.hub.stations.known["S-0001"].about.layout.compartments
    return full, [each.number for each in doors if each.size == "S" and each.number not in full]


async def test_hours_are_hours_on_a_server_that_goes_by_another_clock(database: str, tmp_path: Path) -> None:
    """India's begin at half past ours: an operator's own PostgreSQL may be set to them."""
    connection = await asyncpg.connect(database)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kolkata'")
    await connection.close()
    async with a_small_town(database, tmp_path) as town:
        began, clock = town.clock.now(), town.clock
        assert isinstance(clock, VirtualClock)
        clock.advance(5 * H)
        for each in range(4):
            await told(town, f"PW-{each}")
            await only(town).deposit(f"PW-{each}")
        await only(town).carry()
        clock.advance(5 * H)
        [small, *_] = await fullness.fill_by_size(town.hub, Span(began, clock.now()))
        assert small.nearly_full_h == 6 and abs(small.mean - 6 / 11) < 0.001, small


async def test_hours_are_by_our_list_of_zones_whatever_the_database_knows(database: str, tmp_path: Path) -> None:
    """A zone that is younger than the server's list: it would answer nobody, of no station."""
    add_zone(tmp_path / "zones", "Moon/Base", like="Asia/Kolkata")
    moon = replace(about(), zone="Moon/Base")
    with other_zones(tmp_path / "zones"):
        async with a_small_town(database, tmp_path, moon, about("S-0002")) as town:
            began = town.clock.now()
            await town.hub.desk.ask(announcing("PW-9", "S-0001", length_mm=3000, weight_g=9000))
            for name, station in town.stations.items():
                await told(town, f"PW-{name}", name)
                await station.deposit(f"PW-{name}")
                await station.carry()
            span = Span(began, began + timedelta(hours=1))
            assert await fullness.by_quarter(town.hub, span) == [
                ("S-0001", 7, "13:30", 1, 0, 1), ("S-0002", 7, "10:00", 1, 0, 0)]  # fmt: skip
            table = await numbers.peaks(town.hub, span)
            assert (table[6][13], table[6][10], sum(map(sum, table))) == (1, 1, 2)
