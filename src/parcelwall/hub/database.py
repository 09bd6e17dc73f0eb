"""Opens the hub's database: migrated, its wall whole, with a pool whose connections are not reset between transactions.

A reset is a hidden round trip of 12 to 39 % of a small request (docs/decisions/0003); every use here is a whole
transaction or a single statement, so there is nothing to reset.
"""

from typing import Any

import asyncpg
import asyncpg.protocol.protocol

from parcelwall.errors import Trouble
from parcelwall.hub import wall
from parcelwall.hub.migrate import migrate


def know_arrays_at_sight(protocol: Any = asyncpg.protocol.protocol) -> None:
    """asyncpg asks an abstract class of every value of an array whether it is an array itself: half of what it takes
    to encode a batch (docs/decisions/0026). Plain classes are asked much faster; nothing else is given to it here.
    """
    assert protocol.IterableABC is not None, "asyncpg has changed: see whether this is still needed"
    protocol.IterableABC = (list, tuple, set, frozenset, type({}.keys()), type({}.values()))


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    return None


async def open_pool(dsn: str, size: int = 8, new: bool = True) -> asyncpg.Pool:
    """A pool on a migrated database. Raises Trouble if the database cannot be reached, or unless it may be `new` if it
    holds no hub."""
    know_arrays_at_sight()
    try:
        connection = await asyncpg.connect(dsn)
        try:
            if not new and not await connection.fetchval("SELECT to_regclass('house') IS NOT NULL"):
                raise Trouble("the database holds no hub: is it the right one? `parcelwall hub` makes one at its first "
                              "start")  # fmt: skip
            await migrate(connection)
            await wall.build(connection)
        finally:
            await connection.close()
        return await asyncpg.create_pool(dsn, min_size=0, max_size=size, reset=_nothing_to_reset)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InvalidCatalogNameError) as no:
        raise Trouble(f"cannot reach the database: {no}. Is DATABASE_URL right, and the server up?") from no
