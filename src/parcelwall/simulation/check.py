"""`parcelwall verify`: every book by itself, and the copies that hub and stations hold of each other's entries."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import apsw
import asyncpg

from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble
from parcelwall.hub.database import connect
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.verify import verify_hub
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.simulation.town import Town
from parcelwall.station.memory import Memory
from parcelwall.station.verify import verify_station

COMPARED = (
    "stage", "compartment", "reservation", "hold_hours", "deposited_at", "collect_by", "generation", "extensions",
    "contested", "size", "deposit_by", "blocked",
)  # fmt: skip


async def check_town(town: Town) -> list[str]:
    """Every difference in the books of a running town, the first one first."""
    return await check_books(town.hub.pool, [each.station.memory for each in town.stations.values()])


async def check_books(pool: asyncpg.Pool, memories: list[Memory]) -> list[str]:
    """Every difference in the hub's book, in the stations' books, and between them. The first one first."""
    wrong = await verify_hub(pool)
    for memory in memories:
        wrong += verify_station(memory)
    for memory in memories:
        async with pool.acquire() as connection:
            wrong += await _between(connection, memory)
    return wrong


async def _between(connection: asyncpg.Connection, memory: Memory) -> list[str]:
    """One station's book and the hub's: the same writer, number and hash on both sides, and one story of each parcel
    there once both know all."""
    station = memory.station
    wrong: list[str] = []
    own = {entry.number: entry.hash for entry in memory.journal.everything(memory.writer)}
    upstairs = await _hashes(connection, memory.writer)
    wrong += _copies(memory.writer, "the hub", upstairs, station, own)
    acknowledged = memory.journal.cursor("acknowledged")
    if acknowledged > len(upstairs):
        wrong.append(f"INV-08: the hub told {station} that it has number {acknowledged}, it has {len(upstairs)}")
    known_all = len(upstairs) == len(own)
    for writer in (name for name in memory.journal.writers() if name != memory.writer):
        copy = {entry.number: entry.hash for entry in memory.journal.everything(writer)}
        original = await _hashes(connection, writer)
        wrong += _copies(writer, station, copy, "the hub", original)
        known_all = known_all and len(copy) == len(original)
    return wrong + (await _stories(connection, memory) if known_all and not wrong else [])


async def _hashes(connection: asyncpg.Connection, writer: str) -> dict[int, bytes]:
    rows = await connection.fetch("SELECT number, hash FROM entry WHERE writer = $1", writer)
    return {row["number"]: row["hash"] for row in rows}


def _copies(writer: str, who: str, copy: dict[int, bytes], owner: str, original: dict[int, bytes]) -> Iterator[str]:
    """The first number at which a copy is not what its writer wrote."""
    for number in sorted(copy):
        if number not in original:
            yield f"INV-07: {writer} number {number}: {who} has it, {owner} never wrote it"
            return
        if copy[number] != original[number]:
            yield f"INV-07: {writer} number {number}: {who} has another entry than {owner} wrote"
            return


async def _stories(connection: asyncpg.Connection, memory: Memory) -> list[str]:
    """Of each parcel promised or inside at the station, hub and station tell the same."""
    rows = await connection.fetch("SELECT record FROM parcel WHERE station = $1", memory.station)
    hub = {parcel.id: parcel for parcel in map(read_parcel, (row["record"] for row in rows)) if _here(parcel)}
    here = {parcel.id: parcel for parcel in memory.parcels() if _here(parcel) and parcel.station == memory.station}
    wrong = []
    for parcel in sorted({*hub, *here}):
        a, b = hub.get(parcel), here.get(parcel)
        if a is None or b is None:
            who = "the hub" if b is None else memory.station
            wrong.append(f"INV-09: parcel {parcel}: only {who} believes that it is promised or inside there")
            continue
        for name in COMPARED:
            if getattr(a, name) != getattr(b, name):
                wrong.append(f"INV-09: parcel {parcel}, {name}: {getattr(a, name)} at the hub, {getattr(b, name)} "
                             f"at {memory.station}")  # fmt: skip
                break
    return wrong


def _here(parcel: Parcel) -> bool:
    return parcel.stage in (Stage.RESERVED, *INSIDE)


async def verify_data(data_dir: Path, database_url: str = "") -> list[str]:
    """Every difference in the books below a folder: of the hub's database (or another) and DIR/stations/*.sqlite.

    Nothing is changed: stations' files are read from copies. Raises Trouble if there is nothing to verify, or if a
    station's file is in use.
    """
    files = sorted((data_dir / "stations").glob("*.sqlite"))
    async with _database(data_dir, database_url) as dsn:
        await (await connect(dsn)).close()  # a wrong address is told in a sentence
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
        try:
            if not await pool.fetchval("SELECT to_regclass('entry') IS NOT NULL"):
                raise Trouble(f"the database of {data_dir} holds no journal: is it a Parcelwall hub's?")
            with _copied(files) as memories:
                return await check_books(pool, memories)
        finally:
            pool.terminate()


@asynccontextmanager
async def _database(data_dir: Path, database_url: str) -> AsyncIterator[str]:
    """The hub's database, started if it does not run, and stopped again then."""
    if database_url:
        yield database_url
        return
    server, dsn = await _started(_folder_of_database(data_dir))
    try:
        yield dsn
    finally:
        await server.stop()


def _folder_of_database(data_dir: Path) -> Path:
    """Where a hub keeps its database in its folder, or a demo or a replay below theirs."""
    for folder in (data_dir / "postgres", data_dir / "hub" / "postgres"):
        if (folder / "cluster").exists():
            return folder
    raise Trouble(f"{data_dir} holds no database: --data must name the folder of a hub, a demo or a replay")


async def _started(folder: Path) -> tuple[EmbeddedPostgres, str]:
    """A server that runs is used as it is, with fsync or without; one that does not is started with it."""
    server = EmbeddedPostgres(folder)
    try:
        return server, await server.start()
    except Trouble as no:
        if "durable=False runs" not in str(no):
            raise
    server = EmbeddedPostgres(folder, durable=False)
    return server, await server.start()


@contextmanager
def _copied(files: list[Path]) -> Iterator[list[Memory]]:
    """The stations' books, opened on copies."""
    memories: list[Memory] = []
    with tempfile.TemporaryDirectory(prefix="parcelwall-verify-") as folder:
        try:
            for file in files:
                _refuse_in_use(file)
                for part in (file, file.with_name(file.name + "-wal")):
                    if part.exists():
                        shutil.copy(part, folder)
                memories.append(Memory(Path(folder, file.name), SystemClock(), durable=False))
            yield memories
        finally:
            for memory in memories:
                memory.close()


def _refuse_in_use(file: Path) -> None:
    """Raises Trouble if a station's computer runs on the file. Leaves nothing beside it that was not there."""
    beside = [file.with_name(file.name + end) for end in ("-wal", "-shm")]
    new = [path for path in beside if not path.exists()]
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.close()
    except apsw.BusyError as no:
        raise Trouble(f"{file} is in use: stop the station (or the demo) first") from no
    except apsw.Error as no:
        raise Trouble(f"{file} is no station's book: {no}") from no
    if beside[0] in new and beside[0].exists() and beside[0].stat().st_size == 0:
        for path in new:
            path.unlink(missing_ok=True)
