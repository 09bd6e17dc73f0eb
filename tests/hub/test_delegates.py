"""Somebody else collects: a QR of their own, taken back without harm to the recipient's."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from parcelwall.errors import Refusal
from parcelwall.hub.codes import token_of
from parcelwall.hub.delegates import LASTS, Delegate, granted, take_back
from parcelwall.rules.life import Parcel, Stage
from parcelwall.simulation.town import PretendStation, Town
from station.towns import ADA, a_small_town, only, parcel_at, told


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        yield town


async def inside(town: Town, reference: str) -> Parcel:
    parcel = await told(town, reference)
    await only(town).deposit(reference)
    await only(town).carry()
    return await parcel_at(town.hub, parcel)


async def for_another(town: Town, parcel: Parcel) -> tuple[UUID, str]:
    """The grant, and what its QR carries."""
    grant = UUID((await town.hub.desk.ask(Delegate(parcel=parcel.id))).body["grant"])
    found = await granted(town.hub, parcel, grant)
    assert found is not None
    return grant, token_of(town.hub, parcel, found)


async def shown(station: PretendStation, text: str) -> str:
    """What the kiosk shows for it; a door that opens is used."""
    showing = await station.station.kiosk.scanned(text)
    if showing.screen == "open":
        await station.station.clock.sleep(6.0)
        await station.shut(showing.door or 0)
    return showing.screen


async def test_the_others_qr_opens_before_the_station_has_heard_of_it(town: Town) -> None:
    parcel, station = await inside(town, "PW-1"), only(town)
    station.cut()
    _, theirs = await for_another(town, parcel)
    assert theirs != token_of(town.hub, parcel)
    assert await shown(station, theirs) == "open"
    assert await shown(station, token_of(town.hub, parcel)) == "wrong", "one right, spent by whoever came first"
    await station.carry()
    assert (await parcel_at(town.hub, parcel.id)).stage == Stage.COLLECTED
    body = await town.hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'Collected'")
    assert '"by":"delegate"' in body


@pytest.mark.parametrize("wrong_by", [timedelta(hours=1), timedelta(days=-365 * 50)], ids=["ahead", "in 1976"])
async def test_a_clock_that_was_wrong_at_the_deposit_spoils_no_qr(town: Town, wrong_by: timedelta) -> None:
    """It has been put right since; what it said then is in the book."""
    parcel = await inside(town, "PW-1")
    assert parcel.deposited_at is not None
    then = msgspec.structs.replace(parcel, deposited_at=parcel.deposited_at + wrong_by)
    assert await shown(only(town), token_of(town.hub, then)) == "open"


async def test_taken_back(town: Town) -> None:
    parcel, station = await inside(town, "PW-1"), only(town)
    grant, theirs = await for_another(town, parcel)
    await take_back(town.hub, parcel, grant)
    await station.carry()
    assert await granted(town.hub, parcel, grant) is None
    assert await shown(station, theirs) == "wrong"
    assert await shown(station, token_of(town.hub, parcel)) == "open"


async def test_it_ends_by_itself(town: Town) -> None:
    parcel, station = await inside(town, "PW-1"), only(town)
    grant, theirs = await for_another(town, parcel)
    town.clock.advance(LASTS.total_seconds() + 301)
    assert await granted(town.hub, parcel, grant) is None
    assert await shown(station, theirs) == "wrong"


async def test_nobody_takes_back_what_is_not_of_this_parcel(town: Town) -> None:
    """Another parcel's grant, and a courier's right that stands in the same stream."""
    first, second = await inside(town, "PW-1"), await inside(town, "PW-2")
    others, _ = await for_another(town, second)
    couriers = next(iter(only(town).station.memory.grants))
    for grant in (others, couriers, UUID(int=7)):
        assert await granted(town.hub, first, grant) is None
        with pytest.raises(Refusal) as no:
            await take_back(town.hub, first, grant)
        assert no.value.reason == "not_found"
    assert await granted(town.hub, second, others) is not None


@pytest.mark.parametrize("changed", [{"proof": "verified"}, {}])
async def test_only_what_lies_inside_and_needs_no_verified_person(town: Town, changed: dict[str, str]) -> None:
    parcel = await told(town, "PW-1", person=ADA, **changed)
    with pytest.raises(Refusal) as no:
        await town.hub.desk.ask(Delegate(parcel=parcel))
    assert no.value.reason == "wrong_stage"
