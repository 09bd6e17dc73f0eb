"""A pooler between hub and database may give each connection a session of its own, or lend one for a transaction at a
time. With the second the hub would start, hear no news and find its prepared statements gone: it says no at its start.
"""

import asyncpg

from parcelwall.errors import Trouble
from parcelwall.hub.answering import dial

LOOKS = 3  # a pooler that lends in turn gives the same session twice at times
_SESSION = "SELECT pg_backend_pid()"
# Statements of others lie in the session, or ours are gone; or it lends for one statement only.
_LENT = (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError, asyncpg.ProtocolViolationError)
NO = ("between the hub and its database is a pooler that lends sessions for one transaction each, and the hub needs "
      "its own: it listens, prepares and locks in them. Let DATABASE_URL lead to PostgreSQL itself, or have the pooler "
      "keep a session for each connection (PgBouncer: pool_mode = session)")  # fmt: skip


async def refuse_lent_sessions(dsn: str, connection: asyncpg.Connection) -> None:
    """Raises Trouble if what this connection does is not all done in one session. Costs one question where the session
    is the very one that greeted us: a pooler greets in its own name."""
    try:
        if await _session(connection) != connection.get_server_pid() and await _are_lent(dsn):
            raise Trouble(NO)
    except _LENT as no:
        raise Trouble(NO) from no


async def _are_lent(dsn: str) -> bool:
    """Whether two connections that are open together are in each other's session, or one of them in several."""
    one, other = [await dial(dsn, statement_cache_size=0) for _ in range(2)]
    try:
        seen = [(await _session(one), await _session(other)) for _ in range(LOOKS)]
    finally:
        one.terminate()
        other.terminate()
    return len(set(seen)) > 1 or seen[0][0] == seen[0][1]


async def _session(connection: asyncpg.Connection) -> int:
    async with connection.transaction():
        return int(await connection.fetchval(_SESSION))
