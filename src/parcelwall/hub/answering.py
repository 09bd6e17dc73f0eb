"""Whether the database answers. A line that went silent (a firewall that forgot it, a cable, a host that stands still)
closes nothing: whoever waits for an answer would wait for ever, and whoever listens would hear nothing for ever.

So the connection that listens asks every few seconds. Without an answer in time all connections of this process are let
go, whoever waits at one is told that the database is lost, and nobody waits for a new one until one has answered.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakSet

import asyncpg
import structlog

ASK_EVERY_S, ANSWER_WITHIN_S = 5.0, 15.0
HEARD_FIRST_S = 0.1
DIAL_WITHIN_S = 60.0  # where nobody else waits: a server that recovers takes its time
# Of commands, which ask nothing beside, and at the server: who is silent for so long on the wire is gone. Where
# something in between keeps it, a session ends all the same: the pool lets none rest for longer than five minutes.
SILENT_S, PROBE_AFTER_S, PROBE_EVERY_S = 20, 10, 5
REAP = f"""
SET tcp_keepalives_idle = {PROBE_AFTER_S}; SET tcp_keepalives_interval = {PROBE_EVERY_S};
SET tcp_keepalives_count = 2; SET tcp_user_timeout = {SILENT_S * 1000}; SET idle_session_timeout = '10min'"""
ENDS_UNASKED_S = 60.0  # the session that listens: it is asked every few seconds

log = structlog.get_logger()


async def dial(*where: Any, timeout: float = DIAL_WITHIN_S, **how: Any) -> asyncpg.Connection:
    """A connection whose end here finds out by itself, where the wire shows it, that the other one is gone."""
    connection = await asyncpg.connect(*where, timeout=timeout, **how)
    _probe(connection._transport.get_extra_info("socket"))
    return connection


def _probe(wire: Any) -> None:
    if wire.family == socket.AF_UNIX:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBE_AFTER_S)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_EVERY_S)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_S * 1000)


class Answering:
    """The connections of one process to its database, and whether they are answered."""

    def __init__(self, ask_every_s: float = ASK_EVERY_S, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self.ask_every_s, self.answer_within_s = ask_every_s, answer_within_s
        self._all: WeakSet[asyncpg.Connection] = WeakSet()
        self._question: asyncio.Task[bool] | None = None
        self.is_silent = False
        self.ends_unasked_s = ENDS_UNASKED_S

    async def connect(self, *where: Any, **how: Any) -> asyncpg.Connection:
        """One more connection, for the pool. Raises ConnectionError at once while the database is silent."""
        if self.is_silent:
            raise ConnectionError(f"the database has answered nothing for {self.answer_within_s:g} s")
        return await self._dial(*where, **how)

    async def _dial(self, *where: Any, **how: Any) -> asyncpg.Connection:
        connection = await dial(*where, **how, timeout=self.answer_within_s)
        self._all.add(connection)
        return connection

    @contextlib.asynccontextmanager
    async def beginning(self, dsn: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection to `watch`, dialled though the database be silent: what the block asks of it is answered in
        time. Then the database is there again."""
        connection = await self._dial(dsn)
        try:
            async with self._in_time():
                await connection.execute(f"{REAP}; SET idle_session_timeout = {self.ends_unasked_s * 1000:.0f}")
                yield connection
        except BaseException:
            connection.terminate()
            raise
        if self.is_silent:
            log.info("database_answers")
        self.is_silent = False

    async def watch(self, connection: asyncpg.Connection) -> None:
        """Asks until the connection has ended. Raises if it is not answered."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        while not connection.is_closed():
            async with self._in_time():
                await connection.fetchval("SELECT 1")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.ask_every_s):
                    await ended.wait()

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Not a timeout of asyncpg's, which would ask the silent server, over one more connection, to stop. A process
        that stood still itself hears what was answered meanwhile before it believes that nothing was."""
        call_later = asyncio.get_running_loop().call_later
        timer: asyncio.TimerHandle

        def hear_first() -> None:
            nonlocal timer
            timer = call_later(HEARD_FIRST_S, self._let_go)

        timer = call_later(self.answer_within_s, hear_first)
        try:
            yield
        finally:
            timer.cancel()

    def _let_go(self) -> None:
        standing = [each for each in self._all if not each.is_closed()]
        log.error("database_silent", seconds=self.answer_within_s, connections=len(standing))
        self.is_silent = True
        for each in standing:
            each.terminate()

    async def answers(self, pool: asyncpg.Pool, within_s: float) -> bool:
        """Whether the database answers the pool now. However often that is asked, one question waits."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(_is_answered(pool))
        done, _ = await asyncio.wait({self._question}, timeout=within_s)
        return bool(done) and self._question.result()


async def _is_answered(pool: asyncpg.Pool) -> bool:
    try:
        return bool(await pool.fetchval("SELECT 1"))
    except Exception:  # whatever hinders it now
        return False
