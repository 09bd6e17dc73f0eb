"""The runner of migrations, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.errors import Trouble
from parcelwall.hub.migrate import MIGRATIONS, migrate, read


@pytest_asyncio.fixture
async def empty(postgres_dsn: str) -> AsyncIterator[str]:
    """DSN of a database without any tables."""
    server = await asyncpg.connect(postgres_dsn)
    await server.execute("CREATE DATABASE empty")
    yield postgres_dsn.replace("/parcelwall?", "/empty?", 1)
    await server.close()
    keeper = await asyncpg.connect(postgres_dsn, user="postgres")
    await keeper.execute("DROP DATABASE empty WITH (FORCE)")
    await keeper.close()


@pytest_asyncio.fixture
async def connection(empty: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty)
    yield connection
    await connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_shelf.sql").write_text("CREATE TABLE shelf (id int);\nINSERT INTO shelf VALUES (1);")
    (tmp_path / "0002_width.sql").write_text("ALTER TABLE shelf ADD width int;")
    return tmp_path


async def test_it_applies_what_is_missing_in_order(connection: asyncpg.Connection, folder: Path) -> None:
    assert await migrate(connection, folder) == ["0001_shelf", "0002_width"]
    assert await migrate(connection, folder) == []
    (folder / "0003_height.sql").write_text("ALTER TABLE shelf ADD height int;")
    assert await migrate(connection, folder) == ["0003_height"]
    assert await connection.fetchval("SELECT count(*) FROM migration WHERE applied_at <= now()") == 3


async def test_stations_that_no_computer_has_joined_wait_for_one(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:  # fmt: skip
    """On a database of before that migration: what is promised there stays, and nothing more is."""
    files = read(MIGRATIONS)
    [this] = [each.number for each in files if each.name.endswith("stations_wait_for_their_computer")]
    for each in files[: this - 1]:
        (tmp_path / f"{each.name}.sql").write_text(each.sql)
    await migrate(connection, tmp_path)
    for name in ("S-0001", "S-0002"):
        await connection.execute(
            "INSERT INTO station (id, name, lat, lon, record, room) VALUES ($1, '', 60, 25, '', '')", name
        )
    await connection.execute("INSERT INTO station_identity VALUES ('S-0001', $1, now(), 'S-0001')", bytes(32))
    await migrate(connection)
    rows = await connection.fetch("SELECT id, in_service FROM station ORDER BY id")
    assert [tuple(row) for row in rows] == [("S-0001", True), ("S-0002", False)]


async def test_no_files_is_no_trouble(connection: asyncpg.Connection, tmp_path: Path) -> None:
    assert await migrate(connection, tmp_path) == []


async def test_a_changed_file_is_refused_and_nothing_applied(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, folder)
    (folder / "0001_shelf.sql").write_text("CREATE TABLE shelf (id bigint);")
    (folder / "0003_height.sql").write_text("ALTER TABLE shelf ADD height int;")
    with pytest.raises(Trouble, match=r"0001_shelf was changed .* write the change as a new migration"):
        await migrate(connection, folder)
    assert await connection.fetchval("SELECT max(number) FROM migration") == 2


async def test_a_database_newer_than_the_code_is_refused(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, folder)
    (folder / "0002_width.sql").unlink()
    with pytest.raises(Trouble, match="newer than this Parcelwall: it knows 0002_width"):
        await migrate(connection, folder)


async def test_a_file_that_fails_leaves_nothing_of_itself(connection: asyncpg.Connection, folder: Path) -> None:
    (folder / "0003_both.sql").write_text("CREATE TABLE half (id int);\nCREATE TABLE shelf (id int);")
    with pytest.raises(Trouble, match='0003_both failed and was rolled back: relation "shelf" already exists'):
        await migrate(connection, folder)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    assert await connection.fetchval("SELECT max(number) FROM migration") == 2


async def test_hubs_that_start_together_apply_each_file_once(empty: str, folder: Path) -> None:
    connections = [await asyncpg.connect(empty) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(connection, folder) for connection in connections))
    assert sorted(map(len, applied)) == [0, 0, 0, 2]
    for connection in connections:
        await connection.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [("0004_gap.sql", "should be 0003"), ("0002_twice.sql", "should be 0003"), ("shelf.sql", "name it NNNN_")],
)
def test_misnumbered_files_are_refused(folder: Path, name: str, words: str) -> None:
    (folder / name).write_text("SELECT 1")
    with pytest.raises(Trouble, match=words):
        read(folder)


async def test_every_test_has_a_database_of_its_own(database: str) -> None:
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM migration") == len(read())
    await connection.close()
