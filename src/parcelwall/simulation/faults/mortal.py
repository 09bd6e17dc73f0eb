"""A connection to the real PostgreSQL that dies at a chosen statement, before it or after it, and a pool of them.

A process that is killed is dead with all its connections at once: nothing of it is sent any more until it is made anew,
and PostgreSQL rolls back what was not committed (what was on its way, a COMMIT even, may be done). Killed after a
COMMIT went out, nobody upstairs knows what became of it. The line itself is not broken, for a new one costs the server
as much as two hundred statements: the server is told to roll back, and whoever had the connection hears no more of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from parcelwall.hub.database import know_arrays_at_sight

Told = Callable[[str, str], None]  # (state of the transaction, statement)

# Never reached where rows are locked before they are decided on. The desk decides such a batch once more, so a lock
# that is gone shows nowhere else. (Revision 1 is of a parcel that is new: there is no row yet that could be locked.)
LAST_WALLS = {
    "entry_pkey": "INV-07: two transactions have made the same number of one stream: its writer was not locked",
    "entry_parcel": "INV-09: two transactions have changed one parcel at once: its row was not locked",
}
NEW = ", 1) already exists"

PLANS = {"plan_cache_mode": "force_generic_plan"}  # a town's tables are small: planning would cost more than it saves


class Fate:
    """What is to befall the connections of one hub process. `gate` is waited at before each statement, with the
    connection. `dead` until it is made anew: `lives`."""

    def __init__(self) -> None:
        self.statements = 0
        self._dies_at: int | None = None
        self._after, self._only_at = False, ""
        self._deadlocks = 0
        self.died: list[str] = []  # states of the transactions that were cut off
        self.dead = False
        self.deadlocked = 0
        self.really_deadlocked = 0  # by PostgreSQL itself: somebody has locked in another order
        self.unlocked: list[str] = []  # what was decided on and not locked, as only a unique index has seen
        self.gate: Callable[[Any], Awaitable[None]] | None = None

    def dies_in(self, statements: int, after: bool, only_at: str = "") -> None:
        """The process is killed at the n-th statement from now, or at the first BEGIN or COMMIT from there on: before
        the server has it, or after it is done."""
        self._dies_at, self._after, self._only_at = self.statements + statements, after, only_at

    def deadlock_next(self) -> None:
        """The next statement that locks is chosen as the victim of a deadlock."""
        self._deadlocks += 1

    @property
    def armed(self) -> bool:
        return self._dies_at is not None or self._deadlocks > 0

    def no_deadlock(self) -> None:
        """What was to be the victim of one has locked nothing."""
        self._deadlocks = 0

    def spared(self) -> None:
        self._dies_at, self._deadlocks = None, 0

    def lives(self) -> None:
        """Another process has taken its place."""
        self.dead = False

    async def through(self, connection: Any, query: str, run: Callable[[], Awaitable[Any]]) -> Any:
        """Runs the statement, unless it is not to be."""
        if self.gate and not self.dead:
            await self.gate(connection)
        if self._is_over(connection):
            return await _to_a_dead_one(connection, query)
        self.statements += 1
        due = self._dies_at is not None and self.statements >= self._dies_at
        due = due and query.startswith(self._only_at)
        if due and not self._after:
            await self._kill(connection, "before" if query.startswith("BEGIN") else "inside")
        if self._deadlocks and "FOR NO KEY UPDATE" in query and connection.is_in_transaction():
            self._deadlocks -= 1
            self.deadlocked += 1
            raise asyncpg.DeadlockDetectedError("the simulation chose this transaction")
        try:
            answer = await run()
        except asyncpg.DeadlockDetectedError:
            self.really_deadlocked += 1
            raise
        except asyncpg.UniqueViolationError as twice:
            self.unlocked += _unlocked(twice)
            raise
        if self._is_over(connection):  # meanwhile; nobody hears the answer
            return await _to_a_dead_one(connection, query)
        if due:
            await self._kill(connection, _after(connection, query))
        return answer

    def _is_over(self, connection: Any) -> bool:
        return self.dead or connection.is_dead

    async def _kill(self, connection: Any, state: str) -> None:
        self._dies_at, self.dead = None, True
        self.died.append(state)
        await _to_a_dead_one(connection, "")


async def _to_a_dead_one(connection: Any, query: str) -> str:
    """Nothing gets through any more, and the server rolls back. The pool alone may roll back what is so already."""
    connection.is_dead = True
    if connection.is_in_transaction():
        await asyncpg.Connection.execute(connection, "ROLLBACK")
    if query != "ROLLBACK":
        raise asyncpg.ConnectionDoesNotExistError("the simulation has killed this process")
    return query


def _unlocked(twice: asyncpg.UniqueViolationError) -> list[str]:
    wall = LAST_WALLS.get(twice.constraint_name or "")
    is_new = twice.constraint_name == "entry_parcel" and NEW in (twice.detail or "")
    return [wall] if wall and not is_new else []


def _after(connection: Any, query: str) -> str:
    if query.startswith("COMMIT"):
        return "unknown"
    return "inside" if connection.is_in_transaction() else "committed"


async def _as_new(connection: Any) -> None:
    """What comes back to the pool leaves nothing behind, unless its process has died; then it is as a new one."""
    if connection.is_dead:
        connection.is_dead = False
        await asyncpg.Connection.execute(connection, connection.get_reset_query())


async def nothing(connection: Any) -> None:
    """What a pool does with a connection that comes back, where none leaves anything behind."""


async def mortal_pool(dsn: str, fate: Fate, size: int = 4) -> asyncpg.Pool:
    """A pool as the hub's own (`hub.database.open_pool`), on a database that has all tables."""

    know_arrays_at_sight()

    class Mortal(asyncpg.Connection):
        """A class of its own for each pool: asyncpg makes connections and gives them nothing."""

        is_dead = False  # its process was killed

        async def execute(self, query: str, *args: Any, **more: Any) -> Any:
            return await fate.through(self, query, lambda: asyncpg.Connection.execute(self, query, *args, **more))

        async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
            return await fate.through(self, query, lambda: asyncpg.Connection.fetch(self, query, *args, **more))

        async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
            return await fate.through(self, query, lambda: asyncpg.Connection.fetchrow(self, query, *args, **more))

        async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
            return await fate.through(self, query, lambda: asyncpg.Connection.fetchval(self, query, *args, **more))

    return await asyncpg.create_pool(
        dsn, min_size=0, max_size=size, max_inactive_connection_lifetime=0, reset=_as_new, connection_class=Mortal,
        server_settings=PLANS,
    )  # fmt: skip
