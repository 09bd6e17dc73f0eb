"""Opens the hub's database: migrated, with a pool whose connections are not reset between transactions.

A reset is a hidden round trip of 12 to 39 % of a small request (docs/decisions/0003); every use here is a whole
transaction or a single statement, so there is nothing to reset.
"""

import asyncpg

from parcelwall.errors import Trouble
from parcelwall.hub.migrate import migrate


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    return None


async def open_pool(dsn: str, size: int = 8) -> asyncpg.Pool:
    """A pool on a migrated database. Raises Trouble if the database cannot be reached."""
    try:
        connection = await asyncpg.connect(dsn)
        try:
            await migrate(connection)
        finally:
            await connection.close()
        return await asyncpg.create_pool(dsn, min_size=0, max_size=size, reset=_nothing_to_reset)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InvalidCatalogNameError) as no:
        raise Trouble(f"cannot reach the database: {no}. Is DATABASE_URL right, and the server up?") from no
