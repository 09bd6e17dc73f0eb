"""Two hub processes at the same moment on the same rows, in an order that a seed can repeat.

One is held before its n-th statement, with all the locks that it has by then; the other goes on until PostgreSQL has
it wait for the first, or it has done; then the first goes on. So where each stands does not depend on who is quicker:
a lock is either waited for or it is not. What is left to PostgreSQL is which of two that wait for each other it lets
fail; there must be none, so a deadlock that the simulation has not raised is a violation.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg

from parcelwall.simulation.faults.mortal import Fate

LOOK_EVERY_S = 0.002
_WAITS_FOR = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND $1 = ANY(pg_blocking_pids(pid)))"""


class _Gate:
    """Where the first is held: at its n-th statement."""

    def __init__(self, held_at: int) -> None:
        self._left = held_at
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.pid = 0  # of the server's process that serves it

    async def __call__(self, connection: Any) -> None:
        self._left -= 1
        if self._left == 0:
            self.pid = connection.get_server_pid()
            self.reached.set()
            await self.open.wait()


async def meet(
    eye: asyncpg.Pool, fate: Fate, first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any], held_at: int
) -> None:
    """Both, the first held at a statement of its process, whose fate is given; 0: one after the other."""
    if not held_at:
        await first
        await second
        return
    fate.gate = gate = _Gate(held_at)
    one, reached = asyncio.create_task(first), asyncio.create_task(gate.reached.wait())
    await asyncio.wait([one, reached], return_when=asyncio.FIRST_COMPLETED)
    fate.gate = gate if gate.reached.is_set() else None  # else it is done, and holds nobody who comes after it
    other = asyncio.create_task(second)
    while not other.done() and not await eye.fetchval(_WAITS_FOR, gate.pid):
        await asyncio.wait([other], timeout=LOOK_EVERY_S)
    fate.gate = None
    gate.open.set()
    await asyncio.gather(one, other)
    reached.cancel()
