"""Several parcels of one person at one station, through a real hub and a real station: offered one after the other."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from hub.test_orders import STATION, Afar
from parcelwall.hub.codes import code_of
from parcelwall.hub.next_door import NextDoors
from parcelwall.rules.life import Stage
from station.towns import ADA, a_small_town, parcel_at, told

SOON_S = 0.5  # an offer is a matter of two small queries
MINE, OTHERS = UUID(int=1), UUID(int=2)
ACCOUNT = "INSERT INTO account (id, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
JOIN = "INSERT INTO account_parcel (account, parcel, how, joined_at) VALUES ($1, $2, $3, $4)"


@pytest_asyncio.fixture
async def afar(database: str, tmp_path: Path) -> AsyncIterator[Afar]:
    """A town whose line offers next doors, as web/line.py does."""
    async with a_small_town(database, tmp_path) as town:
        afar = Afar(town)
        offering = asyncio.create_task(NextDoors(town.hub).offer_for_ever(STATION, afar.send))
        await asyncio.sleep(0)
        await afar.station.carry()
        yield afar
        offering.cancel()


async def inside(afar: Afar, reference: str, of: UUID | None = MINE, how: str = "contact", **changed: str) -> UUID:
    """A parcel that lies there, in the list of an account."""
    parcel = await told(afar.town, reference, person=ADA, **changed)
    if of is not None:
        await afar.hub.pool.execute(ACCOUNT, of, afar.hub.clock.now())
        await afar.hub.pool.execute(JOIN, of, parcel, how, afar.hub.clock.now())
    await afar.station.deposit(reference)
    await afar.station.carry()
    return parcel


async def collect(afar: Afar, parcel: UUID) -> None:
    kiosk = afar.station.station.kiosk
    await kiosk.type_code(code_of(afar.hub, await parcel_at(afar.hub, parcel)))
    await shut(afar)
    assert kiosk.showing.screen == "thanks"


async def shut(afar: Afar) -> None:
    await afar.shut(afar.station.station.kiosk.showing.door or 0)
    await afar.station.carry()


async def offered(afar: Afar, within_s: float = 4.0) -> int | None:
    """The door that the screen offers within this time."""
    showing = afar.station.station.kiosk.showing
    for _ in range(round(within_s / 0.02)):
        showing = afar.station.station.kiosk.showing
        if showing.screen == "several":
            return showing.door
        await asyncio.sleep(0.02)
    return None


async def test_the_same_person_is_offered_one_after_the_other(afar: Afar) -> None:
    first, second, third = [await inside(afar, f"PW-{at}") for at in range(3)]
    await inside(afar, "PW-9", OTHERS)
    await collect(afar, first)
    kiosk = afar.station.station.kiosk
    for parcel in (second, third):
        assert await offered(afar) == (await parcel_at(afar.hub, parcel)).compartment
        await kiosk.act("open-next", kiosk.showing.number)
        await shut(afar)
        assert (await parcel_at(afar.hub, parcel)).stage == Stage.COLLECTED
    assert await offered(afar, SOON_S) is None, "what is left is somebody else's"
    assert [grant.by for grant in await afar.granted()] == ["recipient", "recipient"], "each door by a right of its own"


@pytest.mark.parametrize(("of", "how"), [(None, ""), (MINE, "link"), (OTHERS, "contact")])
async def test_nobody_is_joined_by_a_guess(afar: Afar, of: UUID | None, how: str) -> None:
    """The same name, address and number are not enough, nor is a link that somebody has kept."""
    first = await inside(afar, "PW-1")
    await inside(afar, "PW-2", of, how)
    await collect(afar, first)
    assert await offered(afar, SOON_S) is None
    assert await afar.granted() == []


async def test_what_asks_for_more_than_a_code_is_not_offered(afar: Afar) -> None:
    first = await inside(afar, "PW-1")
    await inside(afar, "PW-2", proof="token")
    await collect(afar, first)
    assert await offered(afar, SOON_S) is None
    assert await afar.granted() == []


async def test_a_collection_of_some_time_ago_leads_to_nothing(afar: Afar) -> None:
    """The line was down while the door was shut, and carries it 11 seconds later."""
    first, _ = await inside(afar, "PW-1"), await inside(afar, "PW-2")
    kiosk = afar.station.station.kiosk
    await kiosk.type_code(code_of(afar.hub, await parcel_at(afar.hub, first)))
    await afar.shut(kiosk.showing.door or 0)
    afar.town.clock.advance(timedelta(seconds=11).total_seconds())
    await afar.station.carry()
    assert (await parcel_at(afar.hub, first)).stage == Stage.COLLECTED
    assert await offered(afar, SOON_S) is None
    assert await afar.granted() == []


async def test_what_comes_once_more_is_offered_once(afar: Afar) -> None:
    """An acknowledgement was lost, and the station ships the same entries again: they are no news."""
    first, _ = await inside(afar, "PW-1"), await inside(afar, "PW-2")
    await collect(afar, first)
    assert await offered(afar)
    entries = await afar.hub.since(STATION, 0, 100)
    await afar.hub.receive(STATION, entries)
    await asyncio.sleep(SOON_S)
    assert len(await afar.granted()) == 1
