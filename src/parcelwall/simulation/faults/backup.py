"""A backup of the database of a town's hub, and the way back to it: what an operator does with pg_basebackup, here with
a copy of the database beside it."""

import asyncpg

_NOBODY_THERE = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"


class Backup:
    """At most one, of the database that `dsn` names. Whoever is connected while it is taken or brought back is cut off,
    and connects anew."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._name = dsn.partition("?")[0].rpartition("/")[2]
        self._copy = f"{self._name}_backup"
        self.taken = False

    async def take(self) -> None:
        """Keeps the database as it is now, instead of what was kept before."""
        await self._do(f"DROP DATABASE IF EXISTS {self._copy}", *self._copied(self._name, self._copy))
        self.taken = True

    async def bring_back(self) -> None:
        """The database is what was kept; all that was written since is gone. The backup stays."""
        await self._do(f"DROP DATABASE {self._name} WITH (FORCE)", *self._copied(self._copy, self._name))

    async def drop(self) -> None:
        await self._do(f"DROP DATABASE IF EXISTS {self._copy} WITH (FORCE)")

    def _copied(self, source: str, target: str) -> tuple[str, str]:
        return source, f"CREATE DATABASE {target} TEMPLATE {source} OWNER parcelwall STRATEGY FILE_COPY"

    async def _do(self, *texts: str) -> None:
        """Statements, one by one; a bare name is that of a database that everybody must leave."""
        server = await asyncpg.connect(self._dsn, database="postgres", user="postgres")
        try:
            for text in texts:
                if " " in text:
                    await server.execute(text)
                else:
                    await server.execute(_NOBODY_THERE, text)
        finally:
            await server.close()
