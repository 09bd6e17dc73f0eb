"""Opens the hub's database: migrated, its wall whole, its transactions counted on, with a pool of connections that are
not reset between transactions, and whose locks end with a process that stands still.

A reset is a hidden round trip of 12 to 39 % of a small request (docs/decisions/0003); every use here is a whole
transaction or a single statement, so there is nothing to reset.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import asyncpg
import asyncpg.protocol.protocol

from parcelwall.errors import Trouble
from parcelwall.hub import transactions, wall
from parcelwall.hub.answering import ANSWER_WITHIN_S, DIAL_WITHIN_S, REAP, dial
from parcelwall.hub.migrate import migrate
from parcelwall.hub.pooler import refuse_lent_sessions

Dial = Callable[..., Awaitable[asyncpg.Connection]]

STANDS_STILL_S = 20.0  # whoever says nothing for so long in the middle of a transaction is hung, and others wait for it


def know_arrays_at_sight(protocol: Any = asyncpg.protocol.protocol) -> None:
    """asyncpg asks an abstract class of every value of an array whether it is an array itself: half of what it takes
    to encode a batch (docs/decisions/0026). Plain classes are asked much faster; nothing else is given to it here.
    """
    assert protocol.IterableABC is not None, "asyncpg has changed: see whether this is still needed"
    protocol.IterableABC = (list, tuple, set, frozenset, type({}.keys()), type({}.values()))


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    return None


async def _agree(connection: asyncpg.Connection, stands_still_s: float, within_s: float = ANSWER_WITHIN_S) -> None:
    """What holds on each connection: a process that is stopped, or whose machine has lost its line, gives back the rows
    it has locked, so that the others go on, and the session itself; and hours are those of UTC, whatever clock the
    server goes by. Ends a connection for which a pooler in between has no session within `within_s`: that is said to
    whoever waits, who would else wait until another one's is let go."""
    limit = f"SET idle_in_transaction_session_timeout = {stands_still_s * 1000:.0f}"
    out_of_time = asyncio.get_running_loop().call_later(within_s, connection.terminate)
    try:
        await connection.execute(f"{limit}; SET TIME ZONE 'UTC'; {REAP}")
    finally:
        out_of_time.cancel()


async def take_its_time(connection: asyncpg.Connection) -> None:
    """In a transaction that locks nobody out, or may: it is not taken for hung while it reckons."""
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


async def connect(dsn: str, within_s: float = DIAL_WITHIN_S) -> asyncpg.Connection:
    """A connection to the hub's database. Raises Trouble if it cannot be reached, or does not let us in."""
    try:
        return await dial(dsn, timeout=within_s)
    except asyncpg.ClientConfigurationError as no:
        raise Trouble(f"the address of the database is none: {no}. Write it as DATABASE_URL="
                      "postgresql://parcelwall@db.example.org/parcelwall") from no  # fmt: skip
    except TimeoutError as late:
        raise Trouble(f"cannot reach the database: no answer within {within_s:g} s, and no refusal. Is DATABASE_URL "
                      "right, and does anything in between let it through?") from late  # fmt: skip
    except (OSError, asyncpg.PostgresError) as no:
        raise Trouble(f"cannot reach the database: {no}. Is DATABASE_URL right, and the server up?") from no


async def open_pool(
    dsn: str, size: int = 8, new: bool = True, stands_still_s: float = STANDS_STILL_S, dials: Dial = dial
) -> asyncpg.Pool:  # fmt: skip
    """A pool on a migrated database, whose connections come by `dials`. Raises Trouble if the
    database cannot be reached, is not the hub's to change or lends its sessions, or unless it may be `new` if it holds
    no hub."""
    know_arrays_at_sight()
    connection = await connect(dsn)
    try:
        await refuse_lent_sessions(dsn, connection)
        if not new and not await connection.fetchval("SELECT to_regclass('house') IS NOT NULL"):
            raise Trouble("the database holds no hub: is it the right one? Only `parcelwall hub` makes one")
        await migrate(connection)
        await wall.build(connection)
        await transactions.go_on_above(connection)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as no:
        raise Trouble(f"the database is gone: {no}. Try again when its server is up") from no
    except asyncpg.InsufficientPrivilegeError as no:
        raise Trouble(f"the hub may not do its work in this database: {no}. Its role there must own it") from no
    finally:
        await connection.close()
    return await asyncpg.create_pool(
        dsn, min_size=0, max_size=size, connect=dials, reset=_nothing_to_reset,
        init=partial(_agree, stands_still_s=stands_still_s),
    )  # fmt: skip
