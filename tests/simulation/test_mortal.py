"""A hub process of a pretend town: dead at once, held at a statement while the other goes on."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.simulation.faults.meeting import meet
from parcelwall.simulation.faults.mortal import Fate, mortal_pool

ADD = "UPDATE follower SET number = $1 WHERE name = 'a'"
READ = "SELECT number FROM follower WHERE name = 'a'"


@pytest_asyncio.fixture
async def two(database: str) -> AsyncIterator[list[tuple[Fate, asyncpg.Pool]]]:
    fates = [Fate(), Fate()]
    pools = [await mortal_pool(database, fate) for fate in fates]
    await pools[0].execute("INSERT INTO follower (name) VALUES ('a')")
    yield list(zip(fates, pools, strict=True))
    for pool in pools:
        pool.terminate()


async def test_a_process_that_is_killed_is_dead_with_all_its_connections(
    two: list[tuple[Fate, asyncpg.Pool]],
) -> None:
    fate, pool = two[0]
    async with pool.acquire() as at_work, pool.acquire() as other:
        begun = at_work.transaction()
        await begun.start()
        await at_work.execute(ADD, 7)
        fate.dies_in(1, after=False)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await other.execute("SELECT 1")
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await begun.commit()
    assert await two[1][1].fetchval(READ) == 0, "rolled back, not committed by the dead"
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await pool.fetchval(READ)
    fate.lives()
    assert await pool.fetchval(READ) == 0


async def read_and_add(pool: asyncpg.Pool, lock: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval(READ + lock)
        await connection.execute(ADD, number + 1)


@pytest.mark.parametrize(("lock", "together"), [(" FOR UPDATE", 2), ("", 1)])
async def test_one_is_held_until_the_other_waits_for_it_or_is_done(
    two: list[tuple[Fate, asyncpg.Pool]], database: str, lock: str, together: int
) -> None:
    """With a lock the other waits; without one it overtakes, and what it wrote is lost."""
    (fate, first), (_, second) = two
    eye = await asyncpg.create_pool(database, min_size=0, max_size=1)
    held_at_the_write = meet(eye, fate, read_and_add(first, lock), read_and_add(second, lock), held_at=3)
    await asyncio.wait_for(held_at_the_write, 30)
    assert await eye.fetchval(READ) == together
    await eye.close()
