"""Reports by phone, and the holding time of whoever could not get at their parcel."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub.cases import CloseCase, OpenCase
from parcelwall.hub.commands import Extend
from parcelwall.hub.reports import report
from parcelwall.hub.sweeps import sweep
from parcelwall.hub.tell import Teller
from parcelwall.rules import facts
from parcelwall.rules.life import Parcel, Stage
from parcelwall.simulation.town import Town
from station.towns import ADA, a_small_town, only, parcel_at, told


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


async def inside(town: Town, reference: str = "PW-1") -> Parcel:
    parcel = await told(town, reference, person=ADA)
    await only(town).deposit(reference)
    await only(town).carry()
    return await parcel_at(town.hub, parcel)


async def collected(town: Town, parcel: Parcel) -> None:
    await only(town).collect(only(town).code_of(parcel.id))
    await only(town).carry()


async def case_of(town: Town) -> UUID:
    return UUID(str(await town.hub.pool.fetchval("SELECT id FROM case_file WHERE closed_at IS NULL")))


async def close(town: Town, case: UUID) -> None:
    await town.hub.desk.ask(CloseCase(case=case, station="S-0001", outcome="mended"))


async def opened(town: Town) -> list[facts.CaseOpened]:
    rows = await town.hub.pool.fetch("SELECT body FROM entry WHERE kind = 'CaseOpened' ORDER BY number")
    return [msgspec.json.decode(row["body"], type=facts.CaseOpened) for row in rows]


async def test_a_kept_link_holds_no_door_for_ever(town: Town) -> None:
    """Of a parcel that was collected each is told once, and soon: closed is closed, and an old link opens no case."""
    parcel = await inside(town)
    await collected(town, parcel)
    at_home = await parcel_at(town.hub, parcel.id)
    await report(town.hub, at_home, "reported_empty")
    await close(town, await case_of(town))
    with pytest.raises(Refusal, match="wrong_stage"):
        await report(town.hub, at_home, "reported_empty")
    await report(town.hub, at_home, "reported_damaged")
    town.clock.advance(15 * 24 * 3600)
    with pytest.raises(Refusal):
        await report(town.hub, at_home, "reported_wrong_parcel")
    assert [each.about for each in await opened(town)] == ["reported_empty", "reported_damaged"]


async def test_a_second_click_on_the_same_page_keeps_it_no_longer(town: Town) -> None:
    parcel = await inside(town)
    assert parcel.collect_by is not None
    shown = clock.text(parcel.collect_by)
    for _ in range(2):
        await town.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient", until_now=shown))
    kept = await parcel_at(town.hub, parcel.id)
    assert kept.extensions == 1 and kept.collect_by
    later = clock.text(kept.collect_by)
    await town.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient", until_now=later))
    assert (await parcel_at(town.hub, parcel.id)).extensions == 2


async def test_an_empty_compartment_is_offered_to_nobody_until_somebody_has_looked(town: Town) -> None:
    parcel = await inside(town)
    await collected(town, parcel)
    await report(town.hub, parcel, "reported_empty")
    await report(town.hub, parcel, "reported_empty")
    [case] = await opened(town)
    assert (case.about, case.compartment, case.station, case.holds) == (
        "reported_empty", parcel.compartment, "S-0001", True,
    )  # fmt: skip
    kinds = [(each["writer"], each["kind"]) for each in case.details["entries"]]
    assert kinds == [("S-0001", kind) for kind in
                     ("DoorOpened", "DoorClosed", "Deposited", "DoorOpened", "DoorClosed", "Collected")]  # fmt: skip
    station = only(town)
    await station.carry()
    assert not station.is_free(parcel.compartment or 0), "the station knows it too"
    await close(town, case.case)
    await station.carry()
    assert station.is_free(parcel.compartment or 0)
    await report(town.hub, parcel, "reported_empty")
    assert len(await opened(town)) == 2, "said once more after somebody had looked"


async def test_the_time_stands_still_for_whoever_could_not_get_in(town: Town) -> None:
    parcel, station = await inside(town), only(town)
    assert parcel.collect_by is not None
    town.clock.advance(40 * 3600)
    with pytest.raises(Refusal):
        await station.collect(station.code_of(parcel.id), jams=True)
    await station.carry()
    town.clock.advance(30 * 3600)
    await sweep(town.hub)
    known = await parcel_at(town.hub, parcel.id)
    assert known.stage == Stage.READY, "it is long past its time, and that stands still"
    station.mend()
    [case] = await opened(town)
    await close(town, case.case)
    known = await parcel_at(town.hub, parcel.id)
    assert known.collect_by is not None
    assert timedelta(0) <= known.collect_by - parcel.collect_by - timedelta(hours=30) < timedelta(minutes=2)
    assert known.extensions == 0, "nobody has asked for it"
    await station.carry()
    assert station.station.memory.parcel(parcel.id).collect_by == known.collect_by  # type: ignore[union-attr]
    await town.hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient"))
    await station.carry()
    await station.collect(station.code_of(parcel.id))


async def test_two_cases_at_once_give_the_time_back_once(town: Town) -> None:
    parcel = await inside(town)
    assert parcel.collect_by is not None
    town.clock.advance(3600)
    await report(town.hub, parcel, "door_did_not_open")
    first = await case_of(town)
    town.clock.advance(3600)
    with pytest.raises(Refusal):
        await only(town).collect(only(town).code_of(parcel.id), jams=True)
    await only(town).carry()
    town.clock.advance(3600)
    await close(town, first)
    town.clock.advance(3600)
    only(town).mend()
    await close(town, await case_of(town))
    known = await parcel_at(town.hub, parcel.id)
    assert known.collect_by is not None
    assert timedelta(0) <= known.collect_by - parcel.collect_by - timedelta(hours=3) < timedelta(minutes=2)


async def test_other_cases_stop_no_time_and_a_late_one_gives_none_back(town: Town) -> None:
    parcel = await inside(town)
    await report(town.hub, parcel, "reported_damaged")
    town.clock.advance(49 * 3600)
    await sweep(town.hub)
    assert (await parcel_at(town.hub, parcel.id)).stage == Stage.OVERDUE
    await close(town, await case_of(town))
    await report(town.hub, parcel, "door_did_not_open")
    town.clock.advance(3600)
    await close(town, await case_of(town))
    assert (await parcel_at(town.hub, parcel.id)).collect_by == parcel.collect_by, "it was over before"


async def test_what_another_station_says_of_it_stops_no_time(town: Town) -> None:
    """Its own station says nothing: it becomes overdue as ever, and the case is there to be looked at."""
    parcel = await inside(town)
    case = OpenCase(parcel=parcel.id, about="door_failed", station="S-0002", compartment=1, holds=True)
    await town.hub.desk.ask(case)
    town.clock.advance(30 * 3600)
    async with town.hub.pool.acquire() as connection:
        assert await Teller(town.hub, {}, "http://hub.example", "parcels.example").remind(connection) == 1
    town.clock.advance(19 * 3600)
    await sweep(town.hub)
    assert (await parcel_at(town.hub, parcel.id)).stage == Stage.OVERDUE
    await town.hub.desk.ask(CloseCase(case=await case_of(town), station=None))
    assert (await parcel_at(town.hub, parcel.id)).collect_by == parcel.collect_by
