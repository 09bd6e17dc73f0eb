"""Another hour on the map: what doors have told of it since, and what was forecast for it and kept."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub import then, watching
from parcelwall.hub.ending import WriteOff
from parcelwall.hub.staff import Person
from parcelwall.hub.then import Known
from parcelwall.hub.watching import AtAGlance
from parcelwall.simulation.town import Town
from rules.samples import ACTOR
from station.towns import NOW, a_small_town, about, told

EVERYWHERE = Person("kaisa", "Kaisa", "viewer")
HERE, THERE = "S-0001", "S-0002"
_KEEP = """
INSERT INTO forecast (station, hour, day, ahead, made_at, model, reason, told, low, high)
VALUES ($1, $2, $3, $4, $5, 'pipeline', '', $6, $7, $8)"""


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path, about(), about(THERE, lat=60.17)) as town:
        yield town


async def seen(town: Town) -> list[AtAGlance]:
    return await watching.all_at_a_glance(town.hub, EVERYWHERE)


async def after(town: Town, hours: float, station: str = HERE) -> Known:
    """What is known of a station so many hours after the beginning."""
    return (await then.were(town.hub, await seen(town), NOW + timedelta(hours=hours)))[station]


def advance(town: Town, hours: float) -> None:
    assert isinstance(town.clock, VirtualClock)
    town.clock.advance(hours * 3600)


async def test_an_hour_that_is_past_is_as_the_doors_have_told_it_since(town: Town) -> None:
    here, there = town.stations[HERE], town.stations[THERE]
    advance(town, 1)
    first, second = [await told(town, name) for name in ("PW-1", "PW-2")]
    await here.deposit("PW-1")
    advance(town, 2)
    await here.deposit("PW-2")
    assert (await after(town, 2)).why == "silent", "it was not heard since: nobody knows"
    await here.carry()
    advance(town, 2)
    await here.collect(here.code_of(first))
    await here.carry()
    advance(town, 2)
    await town.hub.desk.ask(WriteOff(parcel=second, why="stolen: at night", actor=ACTOR))
    for station in (here, there):
        await station.carry()
    assert (await after(town, -1)) == Known(None, "absent"), "it was not there yet"
    assert [(await after(town, hours)).in_use for hours in (0.5, 2, 4, 6, 7)] == [0, 1, 2, 1, 1]
    advance(town, 1)
    for station in (here, there):
        await station.carry()
    assert (await after(town, 7.5)).in_use == 0 and (await after(town, 4, THERE)).in_use == 0


async def test_a_forecast_is_of_the_stations_clock_and_nothing_is_made_up(town: Town) -> None:
    """Also on the day of 25 hours, 25 October, and on that of 23, 28 March."""
    for day, at in ((date(2026, 10, 25), 10), (date(2027, 3, 28), 9)):
        when = datetime(day.year, day.month, day.day, at, tzinfo=UTC)  # noon in Helsinki
        made = when - timedelta(days=1)
        for ahead, load in ((2, 9.0), (1, 5.2)):
            await town.hub.pool.execute(_KEEP, HERE, 12, day, ahead, made, load, load - 1, load + 1.5)
        forecast = await then.will_be(town.hub, await seen(town), when)
        assert forecast == {HERE: Known(5, "", 4, 7, made), THERE: Known(None, "no_forecast")}, "the newest"
        for hours in (-1, 1):
            other = await then.will_be(town.hub, await seen(town), when + timedelta(hours=hours))
            assert other[HERE] == Known(None, "no_forecast"), "of another hour nothing is told"
        at_noon = await then.told_for(town.hub, await seen(town), made, "Europe/Helsinki")
        assert [each.astimezone(UTC) for each in at_noon] == [when]
        assert await then.told_for(town.hub, await seen(town), when, "Europe/Helsinki") == []
