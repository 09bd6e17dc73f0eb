"""Backups of a hub's database, and hubs that are restored from them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from parcelwall.clock import VirtualClock
from parcelwall.hub.house import Hub
from parcelwall.simulation.town import Town
from station.towns import a_hub

_NOBODY_ELSE = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"


class Backups:
    """Copies of the database of a town, each a hub that was restored from it."""

    def __init__(self, dsn: str, town: Town) -> None:
        self.dsn, self.town = dsn, town
        self.name = dsn.partition("?")[0].rpartition("/")[2]
        self.made: list[str] = []

    async def make(self) -> str:
        """DSN of a copy of the database as it is now."""
        copy = f"{self.name}_copy_{len(self.made)}"
        self.made.append(copy)
        server = await asyncpg.connect(self.dsn, database="postgres", user="postgres")
        try:
            await server.execute(_NOBODY_ELSE, self.name)
            copied = f"CREATE DATABASE {copy} TEMPLATE {self.name} OWNER parcelwall STRATEGY file_copy"
            await server.execute(copied)
        finally:
            await server.close()
        return self.dsn.replace(f"/{self.name}?", f"/{copy}?", 1)

    @asynccontextmanager
    async def restored(self, dsn: str, told_so: bool = True) -> AsyncIterator[Hub]:
        """The hub on a backup; `told_so`: the operator has said that it was restored. Stations dial it from now on."""
        folder, now = self.town.data_dir / "hub", self.town.clock
        assert isinstance(now, VirtualClock)
        now.advance(60.0)
        async with a_hub(dsn, folder, now, slot=9) as hub:
            if told_so:
                await hub.restored()
            for each in self.town.stations.values():
                each.lead_to(hub)
            yield hub

    async def drop(self) -> None:
        server = await asyncpg.connect(self.dsn, database="postgres", user="postgres")
        for name in self.made:
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()
