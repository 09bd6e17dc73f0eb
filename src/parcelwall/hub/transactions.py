"""Numbers of transactions that only rise, also after a restore into another cluster.

Followers read the journal in the order of transactions (docs/decisions/0001). A cluster counts its transactions from
its own beginning, and a journal of millions of them may be restored into one that has seen a thousand: what is written
there would stand before every cursor, and be told to nobody. So `house.tx_base` is added to the cluster's number, and
each start looks whether that is above all that is there. What is written takes it from the column's default: there it
is a constant, which costs nothing for each row (to ask `house` was 8 us for each statement).
"""

from asyncpg import Connection

# One past the highest transaction that has ended: what stands in the tables is below, what is yet to come is not.
NEXT = "SELECT tx_base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM house"
_HIGHEST = """
SELECT greatest((SELECT max(tx) FROM entry WHERE tx >= $1), (SELECT max(tx) FROM follower WHERE tx >= $1))"""
_ALONE = "SELECT FROM house FOR UPDATE"
_RAISE = "UPDATE house SET tx_base = tx_base + $1 RETURNING tx_base"
_WRITTEN_WITH = "ALTER TABLE entry ALTER tx SET DEFAULT (pg_current_xact_id()::text::bigint + {})"
# Kept without the base (hub/stations.py): nobody has read them yet who reads on from a number of this cluster.
_OF_OLD = "UPDATE station SET changed = 0 WHERE changed >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


async def go_on_above(connection: Connection) -> None:
    """Raises the base above what is there, if this cluster has not counted so far. Processes may start together."""
    if not await _ahead(connection):
        return
    async with connection.transaction():
        await connection.execute(_ALONE)
        if ahead := await _ahead(connection):
            await connection.execute(_WRITTEN_WITH.format(await connection.fetchval(_RAISE, ahead)))
            await connection.execute(_OF_OLD)


async def _ahead(connection: Connection) -> int:
    """How many numbers the journal or a cursor is ahead of the next transaction; 0 where all is well."""
    following = await connection.fetchval(NEXT)
    highest = await connection.fetchval(_HIGHEST, following)
    return 0 if highest is None else highest + 1 - following
