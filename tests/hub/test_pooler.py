"""A pooler between hub and database: it keeps a session for each connection, or the hub says no at its start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.pretend_pooler import a_pooler
from parcelwall.errors import Trouble
from parcelwall.hub.database import open_pool


@asynccontextmanager
async def behind_a_pooler(database: str, lends: bool) -> AsyncIterator[str]:
    parts = urlsplit(database)
    where = {name: value for name, [value] in parse_qs(parts.query).items()}
    async with a_pooler(f"{where['host']}/.s.PGSQL.{where['port']}", parts.path[1:], lends) as pooler:
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
