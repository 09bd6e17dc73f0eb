"""A journal that is restored into another cluster, which counts its transactions anew, goes on being told."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from hub.machines import another_machine, program
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.house import Hub
from parcelwall.hub.transactions import go_on_above
from parcelwall.hub.verify import verify_hub
from station.towns import a_hub, about, announced

MANY = 5_000  # more than a new cluster has seen when a hub was restored into it
_MANY = f"DO $$ BEGIN FOR each IN 1..{MANY} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
_FED = "SELECT count(*) FROM feed"
_OF_PARCELS = "SELECT count(*) FROM entry WHERE parcel IS NOT NULL"
_BASE = "SELECT tx_base FROM house"


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def fed(hub: Hub) -> int:
    """How many entries the carriers' feeds have, all that can be read being read."""
    while await turn(hub.pool, "feed", number_feed):
        pass
    return int(await hub.pool.fetchval(_FED))


async def test_what_is_written_after_a_restore_elsewhere_is_told(
    database: str, tmp_path: Path, folder: Path
) -> None:
    async with a_hub(database, tmp_path, stations=(about(),)) as hub:
        await hub.pool.execute(_MANY)
        await announced(hub, "PW-1", "S-0001")
        assert await fed(hub) == 2
        await announced(hub, "PW-2", "S-0001")  # not told yet when the backup is made
    dumped = program(database, "pg_dump", "-Fc", "-f", str(tmp_path / "hub.dump"))
    assert dumped.returncode == 0, dumped.stderr
    async with another_machine(folder) as dsn:
        how = ("--no-owner", "--no-acl", "--no-policies", "--exit-on-error")  # as docs/operator.md says
        restored = program(dsn, "pg_restore", *how, str(tmp_path / "hub.dump"))
        assert restored.returncode == 0, restored.stderr
        async with a_hub(dsn, tmp_path) as hub:
            assert await hub.pool.fetchval("SELECT pg_current_xact_id()::text::bigint") < MANY
            await announced(hub, "PW-3", "S-0001")
            assert await fed(hub) == await hub.pool.fetchval(_OF_PARCELS) == 6
            assert await verify_hub(hub.pool) == []
            base = await hub.pool.fetchval(_BASE)
        async with a_hub(dsn, tmp_path) as again:
            assert await again.pool.fetchval(_BASE) == base > 0, "raised once"
            assert await again.pool.fetchval("SELECT count(*) FROM station WHERE changed > $1", MANY) == 0


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about(),)) as hub:
        await announced(hub, "PW-1", "S-0001")
        await fed(hub)
        yield hub


async def test_verify_sees_a_cursor_that_is_ahead_at_once(hub: Hub) -> None:
    assert await verify_hub(hub.pool) == []
    await hub.pool.execute("UPDATE follower SET tx = tx + 1000")
    [wrong] = await verify_hub(hub.pool)
    assert wrong.startswith("INV-08: the cursor of feed stands at transaction")


async def test_verify_sees_entries_that_are_ahead_at_once(hub: Hub) -> None:
    """The base was lost from the house, and what is written has it still."""
    await hub.pool.execute(f"ALTER TABLE entry ALTER tx SET DEFAULT pg_current_xact_id()::text::bigint + {MANY}")
    await announced(hub, "PW-2")
    assert [wrong.partition(" stands")[0] for wrong in await verify_hub(hub.pool)] == ["INV-08: hub:1/slot-1 number 2"]


async def test_processes_that_start_together_raise_it_once(hub: Hub, database: str) -> None:
    await hub.pool.execute("UPDATE follower SET tx = tx + 1000")
    one, other = await asyncpg.connect(database), await asyncpg.connect(database, command_timeout=10)
    async with one.transaction():
        await go_on_above(one)
        raised = await one.fetchval(_BASE)
        waiting = asyncio.ensure_future(go_on_above(other))
        await until_it_waits(one)
    await waiting
    assert await other.fetchval(_BASE) == raised > 0
    for each in (one, other):
        await each.close()


async def until_it_waits(connection: asyncpg.Connection) -> None:
    while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        await asyncio.sleep(0.01)
