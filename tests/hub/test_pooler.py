"""A pooler between hub and database: it keeps a session for each connection, or the hub says no at its start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from hub.pretend_pooler import a_pooler
from parcelwall.errors import Trouble
from parcelwall.hub.database import _agree, open_pool
from parcelwall.hub.lanes import LOST


@asynccontextmanager
async def behind_a_pooler(database: str, lends: bool, most: int = 100) -> AsyncIterator[str]:
    parts = urlsplit(database)
    where = {name: value for name, [value] in parse_qs(parts.query).items()}
    async with a_pooler(f"{where['host']}/.s.PGSQL.{where['port']}", parts.path[1:], lends, most) as pooler:
        yield f"postgresql://parcelwall@127.0.0.1:{pooler.port}{parts.path}"


async def test_a_pooler_that_lends_sessions_is_refused_in_a_sentence(database: str) -> None:
    async with behind_a_pooler(database, lends=True) as dsn:
        with pytest.raises(Trouble, match=r"lends sessions for one transaction each.* pool_mode = session"):
            await open_pool(dsn)


async def test_a_pooler_that_keeps_a_session_for_each_is_none_to_the_hub(database: str) -> None:
    async with behind_a_pooler(database, lends=False) as dsn:
        pool = await open_pool(dsn, 2)
        async with pool.acquire() as one, pool.acquire() as other:
            assert await one.fetchval("SELECT pg_backend_pid()") != await other.fetchval("SELECT pg_backend_pid()")
        pool.terminate()


async def test_whoever_waits_for_a_session_that_the_pooler_has_not_is_told_in_time(database: str) -> None:
    """Another process may keep its sessions for minutes."""
    async with behind_a_pooler(database, lends=False, most=2) as dsn:
        agree = partial(_agree, stands_still_s=5.0, within_s=0.3)
        pool = await asyncpg.create_pool(dsn, min_size=0, max_size=3, init=agree)
        async with pool.acquire(), pool.acquire():
            with pytest.raises(LOST):
                await asyncio.wait_for(pool.fetchval("SELECT 1"), 5)
        assert await pool.fetchval("SELECT 1") == 1
        pool.terminate()
