"""The wall between carriers is whole at each start, also after a restore on a machine that never had its role."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from hub.machines import another_machine, program
from parcelwall.errors import Trouble
from parcelwall.hub import reading, wall
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.house import Hub
from station.towns import a_hub, about, announced

TABLES = ["parcel", "person", "feed", "entry", "station"]
_WALL = """
SELECT relname, relrowsecurity, has_table_privilege('parcelwall_carrier', c.oid, 'SELECT') AS readable,
  has_table_privilege('parcelwall_carrier', c.oid, 'INSERT, UPDATE, DELETE') AS writable,
  array(SELECT (policyname, roles, cmd, permissive, qual, with_check)::text FROM pg_policies
        WHERE tablename = relname ORDER BY policyname) AS policies
FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname"""
HOLES = [
    *(f"DROP POLICY {name} ON {table}" for name, table in (("own_parcels", "parcel"), ("own_people", "person"),
                                                           ("own_feed", "feed"), ("own_entries", "entry"))),
    *(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY" for table in TABLES[:4]),
    *(f"REVOKE SELECT ON {table} FROM parcelwall_carrier" for table in ("parcel", "feed", "entry", "station")),
]  # fmt: skip


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_what_is_missing_is_built_as_the_migrations_built_it(connection: asyncpg.Connection) -> None:
    """Every hole by itself, and all of them; what the migrations make is what is built."""
    whole = await connection.fetch(_WALL)
    assert sum(bool(row["policies"]) for row in whole) == sum(row["readable"] for row in whole) == 4
    for hole in (*HOLES, "; ".join(HOLES)):
        await connection.execute(hole)
        assert await connection.fetch(_WALL) != whole
        await wall.build(connection)
        assert await connection.fetch(_WALL) == whole


async def test_a_whole_wall_is_left_alone(connection: asyncpg.Connection, database: str) -> None:
    """A second process starts while the first one reads: it waits for no table."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE parcel, person, feed, entry, station IN ACCESS SHARE MODE")
        other = await asyncpg.connect(database, command_timeout=10)
        await wall.build(other)
        await other.close()


async def test_a_database_role_that_may_not_build_it_is_told_what_to_do(database: str) -> None:
    keeper = await asyncpg.connect(database, user="postgres")
    try:
        await keeper.execute("CREATE ROLE plain LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
        plain = await asyncpg.connect(database, user="plain")
        with pytest.raises(Trouble, match="GRANT parcelwall_carrier TO plain"):
            await wall.build(plain)
        await plain.close()
    finally:
        await keeper.execute("DROP OWNED BY plain; DROP ROLE plain")
        await keeper.close()


# another machine


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


PLAIN = ("--no-owner",)  # as anybody's own backups do it: what names the role fails, the rest is there
CLEAN = ("--no-owner", "--no-acl", "--no-policies", "--exit-on-error")  # as docs/operator.md says


@pytest.mark.parametrize(("how", "code"), [
    pytest.param(PLAIN, 1, id="plain"), pytest.param(CLEAN, 0, id="clean", marks=pytest.mark.slow),
])  # fmt: skip
async def test_a_restore_on_another_machine_has_its_wall(
    database: str, tmp_path: Path, folder: Path, how: Sequence[str], code: int
) -> None:
    async with a_hub(database, tmp_path, stations=(about(),)) as hub:
        await two_carriers(hub)
        whole = await hub.pool.fetch(_WALL)
    dumped = program(database, "pg_dump", "-Fc", "-f", str(tmp_path / "hub.dump"))
    assert dumped.returncode == 0, dumped.stderr
    async with another_machine(folder / how[-1]) as dsn:
        restored = program(dsn, "pg_restore", *how, str(tmp_path / "hub.dump"))
        assert restored.returncode == code, restored.stderr
        async with a_hub(dsn, tmp_path) as hub:
            assert await hub.pool.fetch(_WALL) == whole
            for carrier in ("acme", "other"):
                assert [each["carrier"] for each in await reading.parcels(hub, carrier, None, None, 9)] == [carrier]
                async with reading.as_carrier(hub, carrier) as connection:
                    bodies = await connection.fetch("SELECT body FROM entry WHERE kind = 'Announced'")
                    assert [f'"carrier":"{carrier}"' in each["body"] for each in bodies] == [True]


async def two_carriers(hub: Hub) -> None:
    for carrier in ("acme", "other"):
        await announced(hub, "PW-1", "S-0001", carrier=carrier)
    while await turn(hub.pool, "feed", number_feed):
        pass
