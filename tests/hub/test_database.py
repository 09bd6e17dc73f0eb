"""The pool's arrays: whatever a statement is given comes out as it went in."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from parcelwall.errors import Trouble
from parcelwall.hub.database import open_pool

WHO = UUID("0198f000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(("kind", "given"), [
    ("text", ["a", "", None, "{,}\"\\", "é"]), ("uuid", [WHO, None]), ("bytea", [b"", b"\x00\xff"]), ("int", [1, None]),
    ("timestamptz", [datetime(2026, 11, 22, tzinfo=UTC)]), ("bool", [True, False]), ("text", ("a", "b")), ("text", []),
    ("text", dict.fromkeys(("a", "b")).keys()), ("text", {1: "a", 2: "b"}.values()), ("int", [[1, 2], [3, 4]]),
])  # fmt: skip
async def test_arrays_come_out_as_they_went_in(database: str, kind: str, given: object) -> None:
    pool = await open_pool(database, 1)
    try:
        assert await pool.fetchval(f"SELECT $1::{kind}[]", given) == list(given)  # type: ignore[call-overload]
    finally:
        pool.terminate()


@pytest.mark.parametrize("given", ["ab", b"ab", {"a": 1}, 7])
async def test_what_is_no_array_is_refused(database: str, given: object) -> None:
    pool = await open_pool(database, 1)
    try:
        with pytest.raises(asyncpg.DataError):
            await pool.fetchval("SELECT $1::text[]", given)
    finally:
        pool.terminate()


@pytest.mark.parametrize(("address", "told"), [
    ("garbage", "the address of the database is none"), ("mysql://x", "the address of the database is none"),
    ("postgresql://x@127.0.0.1:1/x", "cannot reach the database"), ("postgresql://x@/x?host=/nowhere", "cannot reach"),
])  # fmt: skip
async def test_an_address_without_a_database(address: str, told: str) -> None:
    with pytest.raises(Trouble, match=told):
        await open_pool(address)


async def test_a_database_that_is_not_there_or_not_ours(postgres_dsn: str) -> None:
    """And a role that nobody made."""
    for wrong in (("/parcelwall?", "/nothing?"), ("parcelwall@", "nobody@")):
        with pytest.raises(Trouble, match=r"cannot reach the database: .*not exist"):
            await open_pool(postgres_dsn.replace(*wrong, 1))
    with pytest.raises(Trouble, match="the hub may not do its work in this database: permission denied"):
        await open_pool(postgres_dsn.replace("/parcelwall?", "/postgres?", 1))
