"""Both forms of the journal behind one set of words, so that one contract can be asked of both.

The hub has no `receive` in its journal: what comes from a station goes through the desk's ingest, so that is used.
"""

from collections.abc import Sequence
from contextlib import suppress

import apsw
import asyncpg

from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.hub.desk import Desk
from parcelwall.hub.ingest import Ingest
from parcelwall.hub.keys import Keys
from parcelwall.hub.sitting import Streams
from parcelwall.hub.stations import Stations
from parcelwall.ids import seeded
from parcelwall.journal import chain, postgres
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.journal.postgres import Row
from parcelwall.journal.sqlite import SqliteJournal
from parcelwall.rules.policy import DEFAULT


class ChangedMyMind(Exception):
    """Raised inside a transaction, so that it is rolled back."""


class SqliteBook:
    def __init__(self, journal: SqliteJournal, now: VirtualClock) -> None:
        self.journal, self.now = journal, now

    async def write(self, writer: str, drafts: Sequence[Draft], fail: bool = False) -> list[Entry]:
        with suppress(ChangedMyMind), self.journal.connection:
            entries = self.journal.write(writer, drafts, clock.text(self.now.now()))
            if fail:
                raise ChangedMyMind
            return entries
        return []

    async def receive(self, writer: str, entries: Sequence[Entry]) -> int:
        self.journal.receive(writer, entries, clock.text(self.now.now()))
        return self.journal.head(writer).number

    async def head(self, writer: str) -> Head:
        return self.journal.head(writer)

    async def since(self, writer: str, after: int, limit: int = 1000) -> list[Entry]:
        return self.journal.since(writer, after, limit)

    async def tamper(self, sql: str) -> str:
        """What the database says to whoever changes an entry."""
        try:
            self.journal.connection.execute(sql)
        except apsw.Error as no:
            return str(no)
        return ""


class PostgresBook:
    def __init__(self, pool: asyncpg.Pool, now: VirtualClock) -> None:
        self.pool, self.now = pool, now
        keys = Keys(bytes(32), seeded(now, 1))
        self.desk = Desk(pool, now, seeded(now, 2), keys, Stations(keys), Streams(1, 1), DEFAULT)

    async def write(self, writer: str, drafts: Sequence[Draft], fail: bool = False) -> list[Entry]:
        with suppress(ChangedMyMind):
            async with self.pool.acquire() as connection, connection.transaction():
                heads = await postgres.lock_heads(connection, [writer])
                entries = chain.extend(writer, heads[writer], drafts)
                await postgres.store(connection, [Row(entry) for entry in entries], self.now.now())
                if fail:
                    raise ChangedMyMind
            return entries
        return []

    async def receive(self, writer: str, entries: Sequence[Entry]) -> int:
        return await self.desk.receive(Ingest(station=writer, writer=writer, entries=entries))

    async def head(self, writer: str) -> Head:
        async with self.pool.acquire() as connection:
            return await postgres.head(connection, writer)

    async def since(self, writer: str, after: int, limit: int = 1000) -> list[Entry]:
        async with self.pool.acquire() as connection:
            return await postgres.since(connection, writer, after, limit)

    async def tamper(self, sql: str) -> str:
        try:
            await self.pool.execute(sql)
        except asyncpg.PostgresError as no:
            return str(no)
        return ""


Book = SqliteBook | PostgresBook
