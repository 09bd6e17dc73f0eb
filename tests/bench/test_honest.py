"""The reference writes what the hub writes: table by table, as many rows, about as many bytes."""

import asyncpg
import pytest

from parcelwall.bench import rows
from parcelwall.bench.ground import Ground, a_ground
from parcelwall.bench.ingest import dialling
from parcelwall.bench.network import CARRIER
from parcelwall.bench.visits import ENTRIES_PER_PARCEL, entries
from parcelwall.clock import SystemClock
from parcelwall.hub.commands import Announce, Asked, Destination
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.house import Hub, serving
from parcelwall.hub.people import Person
from parcelwall.ids import Ids
from parcelwall.rules.decide import Order

TABLES = ("entry", "parcel", "person", "person_key", "link", "asked", "feed")
SIZES = {"entry": "body", "parcel": "record", "person": "sealed", "person_key": "sealed", "asked": "answer"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def written(dsn: str) -> dict[str, tuple[int, int]]:
    """Rows of each table, and bytes of what is long in them."""
    connection = await asyncpg.connect(dsn)
    try:
        sums = {name: f"coalesce(sum(length({SIZES[name]})), 0)" if name in SIZES else "0" for name in TABLES}
        found = {name: await connection.fetchrow(f"SELECT count(*), {sums[name]} FROM {name}") for name in TABLES}
    finally:
        await connection.close()
    return {name: (row[0], row[1]) for name, row in found.items()}


def added(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in TABLES}


def alike(ours: dict[str, tuple[int, int]], theirs: dict[str, tuple[int, int]]) -> None:
    assert {name: count for name, (count, _) in ours.items()} == {name: count for name, (count, _) in theirs.items()}
    for name, (_, size) in ours.items():
        assert theirs[name][1] == pytest.approx(size, rel=0.15, abs=60), name


async def announce(hub: Hub) -> None:
    order = Order(carrier=CARRIER, reference="H0000001", length_mm=300, width_mm=200, height_mm=40, weight_g=700)
    person = Person(name="Recipient 1", email="recipient1@example.org", phone="+358401234567")
    asked = Asked(CARRIER, "honest", b"=" * 32)
    await hub.desk.ask(Announce(order=order, person=person, destination=Destination(station_id="S-0001"), asked=asked))


async def follow_up(hub: Hub) -> None:
    while await turn(hub.pool, "feed", number_feed):
        pass


async def by_hub(ground: Ground) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """What one announcement adds, and what one parcel's deposit and collection add."""
    clock = SystemClock()
    dsn = await ground.fresh("ours")
    async with serving(dsn, ground.folder / "hub", clock, Ids(clock)) as hub:
        empty = await written(dsn)
        await announce(hub)
        await follow_up(hub)
        announced = await written(dsn)
        station = (await dialling(dsn, ["T-0001"], [1]))[0]
        told = entries(station, Ids(clock), clock.now())
        await hub.receive("T-0001", told)
        await follow_up(hub)
        done = await written(dsn)
    parcels = len(station.parcels)
    assert len(told) == 2 * ENTRIES_PER_PARCEL * parcels
    doors = {name: (rows_ // parcels, size // parcels) for name, (rows_, size) in added(announced, done).items()}
    return added(empty, announced), doors


async def by_pgbench(ground: Ground) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    dsn = await ground.fresh("reference")
    await rows.begin_streams(dsn, ground.network.linked)
    variables = await rows.samples(dsn)
    empty = await written(dsn)
    ground.pgbench.once("announce", dsn, variables | {"n": "0", "stations": "3"})
    announced = await written(dsn)
    ground.pgbench.once("doors", dsn, variables | {"n": "-1"})
    return added(empty, announced), added(announced, await written(dsn))


async def test_pgbench_writes_the_rows_that_the_hub_writes() -> None:
    async with a_ground(3, 2, 4) as ground:
        ours, theirs = await by_hub(ground), await by_pgbench(ground)
    alike(ours[0], theirs[0])
    assert ours[1]["entry"][0] == theirs[1]["entry"][0] == 2 * ENTRIES_PER_PARCEL
    assert ours[1]["feed"][0] == theirs[1]["feed"][0] == 2
    assert theirs[1]["entry"][1] == pytest.approx(ours[1]["entry"][1], rel=0.15)
