"""The pool's arrays: whatever a statement is given comes out as it went in."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from parcelwall.errors import Trouble
from parcelwall.hub.database import open_pool, take_its_time
from parcelwall.hub.lanes import LOST

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


_HOLD = "SELECT FROM house FOR UPDATE"


async def test_who_stands_still_in_a_transaction_holds_nobody_up_for_ever(database: str) -> None:
    """A process that is stopped, or whose machine has lost its line: it says nothing more, and closes nothing."""
    hung, other = [await open_pool(database, 1, stands_still_s=0.5) for _ in range(2)]
    try:
        async with hung.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(_HOLD)
            async with asyncio.timeout(10), other.acquire() as second, second.transaction():
                await second.execute(_HOLD)
            with pytest.raises(LOST):
                await connection.execute(_HOLD)
    finally:
        hung.terminate()
        other.terminate()


async def test_who_reckons_for_long_and_said_so_is_left_alone(database: str) -> None:
    pool = await open_pool(database, 1, stands_still_s=0.2)
    try:
        async with pool.acquire() as connection, connection.transaction():
            await take_its_time(connection)
            await asyncio.sleep(1)
            await connection.execute(_HOLD)
    finally:
        pool.terminate()
