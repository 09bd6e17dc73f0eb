"""`verify` at the hub learns the journal in the order in which the hub did, and is clean while the hub is at work."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.hub.commands import Extend
from parcelwall.hub.followers import Followed, number_feed
from parcelwall.hub.house import Hub
from parcelwall.hub.verify import verify_hub
from parcelwall.rules import facts
from station.towns import NOW, Pen, a_hub, about, announced, parcel_at

LATER = NOW + timedelta(hours=48)


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path) as hub:
        yield hub


@pytest.fixture(params=["a minute between", "all at once"])
def wait_s(request: pytest.FixtureRequest) -> float:
    return 60.0 if request.param == "a minute between" else 0.0


async def test_a_layout_that_was_extended(hub: Hub, wait_s: float) -> None:
    """What the station tells of its new compartments is learnt after the layout, in whichever stream that stands."""
    assert isinstance(hub.clock, VirtualClock)
    pen = Pen("S-0001", hub.clock)
    await hub.configure(about(columns="SSSS SSSS"), joined=True)
    one, other = [await parcel_at(hub, await announced(hub, f"PW-{n}", "S-0001")) for n in (1, 2)]
    await hub.receive("S-0001", pen.write(pen.deposited(one, 1, collect_by=LATER)))
    hub.clock.advance(wait_s)
    await hub.desk.ask(Extend(parcel=one.id, carrier="acme", by="carrier"))
    await hub.configure(about(columns="SSSS SSSS SSSS"))
    hub.clock.advance(wait_s)
    told = (facts.CompartmentHealth(compartment=12, usable=False), pen.deposited(other, 9, collect_by=LATER))
    await hub.receive("S-0001", pen.write(*told))
    assert await verify_hub(hub.pool) == []


@pytest.mark.parametrize("station", ["S-0001", "town-1"])
async def test_a_station_of_any_name(hub: Hub, station: str) -> None:
    """Its own stream stands before the hub's for it in the alphabet, or after it."""
    assert isinstance(hub.clock, VirtualClock)
    await hub.configure(about(station), joined=True)
    pen = Pen(station, hub.clock)
    await hub.receive(station, pen.write(facts.CompartmentHealth(compartment=2, usable=False)))
    assert await verify_hub(hub.pool) == []


async def test_a_record_in_the_words_of_an_older_version(hub: Hub) -> None:
    """It had not all fields of today, which say nothing where they are missing; a value that differs is told."""
    await hub.configure(about(), joined=True)
    parcel = await announced(hub, "PW-1", "S-0001")
    [record] = await hub.pool.fetch("""UPDATE parcel SET record = replace(record, ',"wished":false', '')
                                       RETURNING record""")
    assert "wished" not in record["record"]
    assert await verify_hub(hub.pool) == []
    await hub.pool.execute("""UPDATE parcel SET record = replace(record, '"weight_g":', '"weight_g":1')""")
    [told] = await verify_hub(hub.pool)
    assert str(parcel) in told and "weight_g" in told


async def test_a_cursor_in_the_middle_of_a_transaction(hub: Hub) -> None:
    """A page of followers ends between two facts of one parcel that were recorded together."""
    await hub.configure(about(), joined=True)
    await announced(hub, "PW-1", "S-0001")
    row = await hub.pool.fetchrow("SELECT tx, writer, number, kind, parcel, revision FROM entry WHERE revision = 1")
    async with hub.pool.acquire() as connection, connection.transaction():
        await number_feed(connection, [Followed(*list(row.values())[1:])])
        moved = "INSERT INTO follower (name, tx, revision, writer, number) VALUES ('feed', $1, 1, $2, $3)"
        await connection.execute(moved, row["tx"], row["writer"], row["number"])
    assert await verify_hub(hub.pool) == []
    await hub.pool.execute("DELETE FROM feed")
    assert [wrong.partition(" has passed ")[2] for wrong in await verify_hub(hub.pool)] == [
        "hub:1/slot-1 number 1, which is in no feed"
    ]
