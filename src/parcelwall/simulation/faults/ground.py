"""What towns stand on: a forgetful PostgreSQL with an empty hub to copy, pretend disks, and a folder."""

import asyncio
import gc
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.migrate import migrate
from parcelwall.simulation.faults.cores import core_seconds
from parcelwall.simulation.faults.disk import Shelf, a_shelf

EMPTY = "empty_hub"  # migrated once, copied for each town


class Ground:
    """`town` gives a database and a folder for one town, and takes them away after it."""

    def __init__(self, server: EmbeddedPostgres, dsn: str, folder: Path, shelf: Shelf) -> None:
        self._server, self._dsn, self._folder, self.shelf = server, dsn, folder, shelf

    def used_s(self) -> float:
        """Seconds of CPU so far, of this process and its PostgreSQL."""
        return core_seconds(self._server.pid)

    def _of(self, name: str) -> str:
        return self._dsn.replace("/parcelwall?", f"/{name}?", 1)

    async def prepare(self) -> None:
        """Makes the database that those of towns are copies of."""
        await _sql(self._dsn, f"CREATE DATABASE {EMPTY}")
        connection = await asyncpg.connect(self._of(EMPTY))
        try:
            await migrate(connection)
        finally:
            await connection.close()

    @asynccontextmanager
    async def town(self, number: int) -> AsyncIterator[tuple[str, Path]]:
        """(dsn, folder)."""
        name, folder = f"town_{number}", self._folder / f"town-{number}"
        folder.mkdir()
        await _sql(self._dsn, f"CREATE DATABASE {name} TEMPLATE {EMPTY} STRATEGY FILE_COPY")
        try:
            yield self._of(name), folder
        finally:
            await _sql(self._dsn, f"DROP DATABASE {name} WITH (FORCE)", "postgres")
            shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def a_ground() -> AsyncIterator[Ground]:
    """Ground for as long as it is open."""
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-simulate-"))
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        dsn = await server.start()
        with a_shelf() as shelf, _seldom_tidied():
            ground = Ground(server, dsn, folder, shelf)
            await ground.prepare()
            yield ground
    finally:
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def _seldom_tidied() -> Iterator[None]:
    """Python looks for circles of garbage every 700 objects; a town makes millions and hardly a circle."""
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


async def _sql(dsn: str, text: str, user: str | None = None) -> None:
    connection = await asyncpg.connect(dsn, user=user)
    try:
        await connection.execute(text)
    finally:
        await connection.close()
