"""How often something that may be guessed was tried lately: one count in the database, for all processes of the hub.

A try is counted before its answer is known, so that five is five also for those who ask all processes at once.
"""

from datetime import timedelta

from asyncpg import Connection

from parcelwall.hub.house import Hub

FREE = 5
WITHIN = timedelta(minutes=10)
LONGEST = timedelta(days=1)  # that anything is counted

_TAKE = """
INSERT INTO tried AS known (name, since, tries) VALUES ($1, $2, 1)
ON CONFLICT (name) DO UPDATE SET
  since = CASE WHEN known.since <= $3 THEN excluded.since ELSE known.since END,
  tries = CASE WHEN known.since <= $3 THEN 1 ELSE known.tries + 1 END
WHERE known.since <= $3 OR known.tries < $4
RETURNING tries"""
_FORGIVE = "UPDATE tried SET tries = tries - 1 WHERE name = $1 AND tries > 0"


async def take(hub: Hub, name: str, free: int = FREE, within: timedelta = WITHIN) -> bool:
    """Counts one try; False, and nothing is counted, once `free` were made `within` so long of the first of them."""
    assert within <= LONGEST, "what is dropped is not counted"
    now = hub.clock.now()
    return await hub.pool.fetchval(_TAKE, name, now, now - within, free) is not None


async def forgive(hub: Hub, name: str) -> None:
    """One that was counted beforehand was no guess."""
    await hub.pool.execute(_FORGIVE, name)


async def forget(hub: Hub, connection: Connection) -> None:
    """Drops what counts no more."""
    await connection.execute("DELETE FROM tried WHERE since <= $1", hub.clock.now() - LONGEST)
