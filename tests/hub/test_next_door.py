"""Several parcels of one person at one station, through a real hub and a real station: offered one after the other."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from hub.test_orders import STATION, Afar
from parcelwall.hub.next_door import offer_for_ever, offer_next
from parcelwall.hub.tell import code_of
from parcelwall.rules.life import Stage
from station.towns import ADA, a_small_town, parcel_at, told

MINE, OTHERS = UUID(int=1), UUID(int=2)
ACCOUNT = "INSERT INTO account (id, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
JOIN = "INSERT INTO account_parcel (account, parcel, how, joined_at) VALUES ($1, $2, $3, $4)"


@pytest_asyncio.fixture
async def afar(database: str, tmp_path: Path) -> AsyncIterator[Afar]:
    async with a_small_town(database, tmp_path) as town:
        afar = Afar(town)
        await afar.station.carry()
        yield afar


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


async def offered(afar: Afar) -> int | None:
    """The door that the screen offers now."""
    await offer_next(afar.hub, STATION, {STATION: 0}, afar.send)
    showing = afar.station.station.kiosk.showing
    return showing.door if showing.screen == "several" else None


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
    assert await offered(afar) is None, "what is left is somebody else's"
    assert [grant.by for grant in await afar.granted()] == ["recipient", "recipient"], "each door by a right of its own"


@pytest.mark.parametrize(("of", "how"), [(None, ""), (MINE, "link"), (OTHERS, "contact")])
async def test_nobody_is_joined_by_a_guess(afar: Afar, of: UUID | None, how: str) -> None:
    """The same name, address and number are not enough, nor is a link that somebody has kept."""
    first = await inside(afar, "PW-1")
    await inside(afar, "PW-2", of, how)
    await collect(afar, first)
    assert await offered(afar) is None
    assert await afar.granted() == []


async def test_what_asks_for_more_than_a_code_is_not_offered(afar: Afar) -> None:
    first = await inside(afar, "PW-1")
    await inside(afar, "PW-2", proof="token")
    await collect(afar, first)
    assert await offered(afar) is None
    assert await afar.granted() == []


async def test_a_collection_of_some_time_ago_leads_to_nothing(afar: Afar) -> None:
    first, _ = await inside(afar, "PW-1"), await inside(afar, "PW-2")
    await collect(afar, first)
    afar.town.clock.advance(timedelta(seconds=11).total_seconds())
    assert await offered(afar) is None
    assert await afar.granted() == []


async def test_the_first_that_a_station_ever_wrote_leads_on(afar: Afar) -> None:
    """The line began when the station had no stream yet: what it writes then is news from its first entry."""
    told_by_bell = asyncio.create_task(offer_for_ever(afar.hub, STATION, afar.send))
    await asyncio.sleep(0.1)
    first, second = await inside(afar, "PW-1"), await inside(afar, "PW-2")
    await collect(afar, first)
    afar.hub.bells.ring([f"out/{STATION}"])
    kiosk = afar.station.station.kiosk
    for _ in range(200):
        await asyncio.sleep(0.02)
        if kiosk.showing.screen == "several":
            break
    told_by_bell.cancel()
    assert kiosk.showing.door == (await parcel_at(afar.hub, second)).compartment
