"""What tests of every room share: one PostgreSQL for the whole run and a fresh, migrated database per test."""

import gc
import shutil
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.migrate import migrate

settings.register_profile("unhurried", deadline=None)  # no timed test: a machine that is busy is no fault
settings.load_profile("unhurried")

_numbers = count(1)
LONGEST = (  # files, longest first
    "test_two_years.py",
    "test_second_year.py",
    "test_processes.py",
    "test_commands.py",
    "test_faults.py",
    "test_pages.py",
    "test_replay.py",
    "test_identity.py",
    "test_journey.py",
    "test_views_browser.py",
    "test_matrix.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several at a time, the longest files begin first, so that nobody waits for one of them at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_configure() -> None:
    """Tests make much that goes by itself and hardly a circle: looking for those took 8 % of a process's CPU."""
    gc.set_threshold(50_000, 20, 50)


def pytest_collection_finish() -> None:
    """What stands when the first test begins stands until the end."""
    gc.collect()
    gc.freeze()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_dsn() -> AsyncIterator[str]:
    """DSN of a PostgreSQL that lives as long as the test run. Its database is empty; use `database` for tables."""
    # Not tmp_path: pytest closes that to all other users, and as root the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-test-"))
    server = EmbeddedPostgres(folder, durable=False)
    try:
        yield await server.start()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _template(postgres_dsn: str) -> str:
    """Name of a database with all migrations applied, of which tests get copies (some 20 ms instead of all SQL)."""
    await _run(postgres_dsn, "CREATE DATABASE migrated")
    connection = await asyncpg.connect(postgres_dsn, database="migrated")
    try:
        await migrate(connection)
    finally:
        await connection.close()
    return "migrated"


@pytest_asyncio.fixture
async def database(postgres_dsn: str, _template: str) -> AsyncIterator[str]:
    """DSN of a fresh database with all tables, for this test alone."""
    name = f"test_{next(_numbers)}"
    await _run(postgres_dsn, f"CREATE DATABASE {name} TEMPLATE {_template} STRATEGY file_copy")
    yield postgres_dsn.replace("/parcelwall?", f"/{name}?", 1)
    await _run(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)", "postgres")  # who may end a vacuum worker, too


async def _run(dsn: str, sql: str, user: str = "parcelwall") -> None:
    connection = await asyncpg.connect(dsn, user=user)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
