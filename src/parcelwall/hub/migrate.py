"""Brings the database's schema to the state that this code expects. Forward only: a mistake is mended by a new file.

The files are plain SQL, `migrations/0001_what_it_does.sql`, numbered without gaps; each runs in one transaction.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import asyncpg

from parcelwall.errors import Trouble

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x7061726377616C6C  # "parcwall": hub processes that start together take turns

TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class Migration(NamedTuple):
    """One file: its number, its name without the ending, and its text."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(connection: asyncpg.Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Applies what is missing and returns the names, oldest first. Safe to call from many processes at once.

    Raises Trouble, before anything is applied, if a file was changed after it was applied here, if the database is
    newer than the code, or if the numbers have a gap. A file that fails leaves the files before it applied.
    """
    files = read(folder)
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    try:
        await connection.execute(TABLE)
        applied = {row["number"]: row for row in await connection.fetch("SELECT number, name, sha256 FROM migration")}
        _refuse_other_history(files, applied)
        missing = [file for file in files if file.number not in applied]
        for file in missing:
            await _apply(connection, file)
        return [file.name for file in missing]
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


def read(folder: Path = MIGRATIONS) -> list[Migration]:
    """The files of `folder` in their order. Raises Trouble if a number is missing, double or unreadable."""
    files = [_read(path) for path in sorted(folder.glob("*.sql"))]
    for expected, file in enumerate(files, start=1):
        if file.number != expected:
            raise Trouble(f"migration {file.name}: its number should be {expected:04}; number the files without gaps")
    return files


def _read(path: Path) -> Migration:
    number = path.stem.split("_")[0]
    if not number.isdigit():
        raise Trouble(f"migration {path.name}: name it NNNN_what_it_does.sql")
    return Migration(int(number), path.stem, path.read_text(encoding="utf-8"))


def _refuse_other_history(files: list[Migration], applied: dict[int, asyncpg.Record]) -> None:
    known = {file.number: file for file in files}
    if newer := [row["name"] for number, row in sorted(applied.items()) if number not in known]:
        raise Trouble(
            f"the database is newer than this Parcelwall: it knows {', '.join(newer)}. "
            f"Install the version that wrote it, or restore a backup from before the update"
        )
    for number, row in sorted(applied.items()):
        if known[number].sha256 != row["sha256"]:
            raise Trouble(
                f"migration {known[number].name} was changed after it was applied to this database. "
                f"Put the file back as it was and write the change as a new migration"
            )


async def _apply(connection: asyncpg.Connection, file: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(file.sql)
            await connection.execute(
                "INSERT INTO migration (number, name, sha256) VALUES ($1, $2, $3)", file.number, file.name, file.sha256
            )
    except asyncpg.PostgresError as no:
        raise Trouble(f"migration {file.name} failed and was rolled back: {no}") from no
