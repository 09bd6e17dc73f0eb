"""The ground that figures are taken on: a durable PostgreSQL in a temporary folder, a network in it, hub processes.

A template database holds the network once. Each run gets a fresh copy of it, ours and the reference's alike, so that
both begin with the same data and the same indexes.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.request import urlopen

import asyncpg

from parcelwall.bench.machine import Machine, describe
from parcelwall.bench.meters import seconds
from parcelwall.bench.network import Network, build
from parcelwall.bench.pgbench import PgBench, find_pgbench
from parcelwall.errors import Trouble
from parcelwall.hub.database import open_pool
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.web.serving import listen

STARTS_WITHIN_S = 60.0
LEVEL_WITHIN_S = 60.0
SLOTS = (1, 2)  # two hub processes, one per core of a small machine

_BEHIND = """
SELECT EXISTS (SELECT FROM follower f JOIN entry e ON e.tx >= f.tx
  WHERE (e.tx, coalesce(e.revision, 0), e.writer, e.number) > (f.tx, f.revision, f.writer, f.number))
  OR NOT EXISTS (SELECT FROM follower)"""


class Ground:
    """A server with a template; `fresh` makes a copy to measure on."""

    def __init__(self, folder: Path, server: EmbeddedPostgres, dsn: str, network: Network, pgbench: PgBench) -> None:
        self.folder, self._server, self._dsn = folder, server, dsn
        self.network, self.pgbench = network, pgbench

    @property
    def postmaster(self) -> int:
        assert self._server.pid is not None
        return self._server.pid

    def dsn(self, database: str) -> str:
        return self._dsn.replace("/parcelwall?", f"/{database}?", 1)

    async def fresh(self, name: str) -> str:
        """A new copy of the template under this name; checkpointed, so that no run pays for the one before."""
        connection = await asyncpg.connect(self.dsn("postgres").replace("parcelwall@", "postgres@"))
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE network OWNER parcelwall STRATEGY file_copy")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        return self.dsn(name)

    async def machine(self) -> Machine:
        connection = await asyncpg.connect(self._dsn)
        try:
            version, fsync = await connection.fetchval("SHOW server_version"), await connection.fetchval("SHOW fsync")
        finally:
            await connection.close()
        return describe(version, fsync, self.pgbench.version)

    @asynccontextmanager
    async def hub(
        self, dsn: str, processes: int = 2, within_s: float = STARTS_WITHIN_S
    ) -> AsyncIterator["HubProcesses"]:
        """Hub processes as `parcelwall hub` starts them, each with its slot and its port, on one database."""
        ports = _free_ports(processes)
        commands = [self._hub_command(dsn, slot, port) for slot, port in zip(SLOTS, ports, strict=False)]
        with (self.folder / "hub.log").open("wb") as log, _started(commands, log) as pids:
            await asyncio.gather(*(_ready(port, within_s) for port in ports))
            yield HubProcesses(pids, ports)

    def _hub_command(self, dsn: str, slot: int, port: int) -> list[str]:
        return [sys.executable, "-m", "parcelwall", "hub", "--data", str(self.folder / "hub"), "--database-url", dsn,
                "--port", str(port), "--slot", str(slot), "--public-url", f"http://127.0.0.1:{port}"]  # fmt: skip


class HubProcesses:
    """Running hub processes: their ids and ports on 127.0.0.1."""

    def __init__(self, pids: list[int], ports: list[int]) -> None:
        self.pids, self.ports = pids, ports


async def level(dsn: str) -> float:
    """Waits until the hub's followers have read all that there is; answers how many seconds that took.

    The reference writes a feed's rows with each parcel, so a run of ours is over when they are written too. Raises
    Trouble if they never are.
    """
    connection = await asyncpg.connect(dsn)
    began = seconds()
    try:
        while await connection.fetchval(_BEHIND):
            if seconds() - began > LEVEL_WITHIN_S:
                raise Trouble(f"the hub's followers are still behind after {LEVEL_WITHIN_S:.0f} s")
            await asyncio.sleep(0.01)
        return seconds() - began
    finally:
        await connection.close()


@asynccontextmanager
async def a_ground(stations: int, link_stations: int, parcels: int) -> AsyncIterator[Ground]:
    """A ground with so many stations, of which `link_stations` more can dial in and hold `parcels` promises."""
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-bench-"))
    folder.chmod(0o755)  # as root, the server is another user
    server = EmbeddedPostgres(folder / "postgres", durable=True)
    try:
        dsn = await server.start()
        await _database(dsn, "network")
        network_dsn = dsn.replace("/parcelwall?", "/network?", 1)
        (await open_pool(network_dsn, 1)).terminate()
        network = await build(network_dsn, folder / "hub", stations, link_stations, parcels)
        yield Ground(folder, server, dsn, network, find_pgbench())
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _database(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


def _free_ports(count: int) -> list[int]:
    sockets = [listen("127.0.0.1", 0) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def _started(commands: Sequence[list[str]], log: BinaryIO) -> Iterator[list[int]]:
    """Processes for as long as the block lasts; answers their ids."""
    running = [subprocess.Popen(each, stdout=log, stderr=log, stdin=subprocess.DEVNULL) for each in commands]
    try:
        yield [each.pid for each in running]
    finally:
        for each in running:
            each.terminate()
        for each in running:
            try:
                each.wait(10)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


async def _ready(port: int, within_s: float) -> None:
    def ask() -> bool:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)

    for _ in range(int(within_s / 0.1)):
        try:
            if await asyncio.to_thread(ask):
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise Trouble(f"the hub process on port {port} does not answer within {within_s:.0f} s")
