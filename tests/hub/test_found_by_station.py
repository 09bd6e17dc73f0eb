"""What is at a station is found without looking through all parcels that ever were."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from parcelwall.hub import acts, admission, couriers, desk, lists, network, sitting, story, tell, watching

ENDED, INSIDE, STATIONS = 20_000, 5_000, 100
_PARCELS = """
INSERT INTO parcel (id, carrier, reference, stage, station, compartment, due, contested, revision, record)
SELECT gen_random_uuid(), 'acme', stage || n, stage, 'S-' || n % $3, CASE stage WHEN 'READY' THEN n END,
  CASE stage WHEN 'READY' THEN now() END, false, 1, repeat('x', 400)
FROM generate_series(1, $1::int) AS n, (SELECT $2::text) AS s (stage)"""
STAGES = ["RESERVED", "READY", "OVERDUE"]
ASKED = {
    acts.INSIDE_OF: (["S-7"], STAGES), admission._HEADS: (["S-7"], STAGES), couriers._HERE: (["S-7"], STAGES),
    desk._INSIDE: (["S-7"], STAGES), lists._HERE: ("S-7",), network._HERE: ("S-7", STAGES),
    sitting._PRESENT: ("S-7", STAGES), story._BEHIND: ("S-7", 7), tell._BEHIND: ("S-7", 7),
    watching._WITHIN: ("S-7",), watching._COUNTS_OF: (STAGES, "S-7"),
}  # fmt: skip


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """To a database in which most parcels have ended, and fifty at each station have not."""
    connection = await asyncpg.connect(database)
    await connection.execute(_PARCELS, ENDED, "COLLECTED", STATIONS)
    await connection.execute(_PARCELS, INSIDE, "READY", STATIONS)
    await connection.execute("ANALYZE parcel")
    yield connection
    await connection.close()


async def test_only_what_is_at_the_station_is_looked_through(connection: asyncpg.Connection) -> None:
    for sql, given in ASKED.items():
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", *given))
        assert "parcel_here" in plan, plan
