"""`parcelwall verify` after somebody has been at the books: each tampering is named, upstairs and downstairs."""

import re
import shutil
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import apsw
import asyncpg
import pytest
import pytest_asyncio

from acceptance.planted import BUSY
from parcelwall import clock
from parcelwall.errors import Trouble
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.journal import chain
from parcelwall.simulation.check import verify_data
from parcelwall.simulation.replay import replay
from simulation.orders import made_up, write

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of stations' files and the DSN of the hub's database, after a replay that was whole."""
    folder = tmp_path_factory.mktemp("town")
    await run(postgres_dsn, "CREATE DATABASE replayed")
    dsn = postgres_dsn.replace("/parcelwall?", "/replayed?", 1)
    orders = write(folder / "orders.csv", made_up(60, days=4))
    report = await replay(orders, data=folder / "data", database_url=dsn, realism=BUSY, stations=3, compartments=12,
                          seed=3)  # fmt: skip
    assert report.violations == 0, report.first_violation
    return folder / "data", dsn


@pytest_asyncio.fixture
async def hub(town: tuple[Path, str], postgres_dsn: str) -> AsyncIterator[str]:
    """DSN of a copy of the hub's database, whose entries are not guarded any more."""
    name = f"tampered_{next(_numbers)}"
    await run(postgres_dsn, f"CREATE DATABASE {name} TEMPLATE replayed STRATEGY file_copy")
    dsn = postgres_dsn.replace("/parcelwall?", f"/{name}?", 1)
    await run(dsn, "ALTER TABLE entry DISABLE TRIGGER USER")
    yield dsn
    keeper = postgres_dsn.replace("parcelwall@", "postgres@", 1)
    await run(keeper, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def folder(town: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the stations' files."""
    shutil.copytree(town[0] / "stations", tmp_path / "data" / "stations")
    return tmp_path / "data"


async def run(dsn: str, sql: str, *values: object) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql, *values)
    finally:
        await connection.close()


async def test_books_that_nobody_touched_are_whole(hub: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    assert await verify_data(folder, hub) == []
    assert sorted(folder.rglob("*")) == before, "nothing is left behind"


MIDDLE = "(SELECT count(*) / 2 FROM entry WHERE writer = 'S-0001')"
OF = "writer = 'S-0001' AND number"
HUB_SQL = {
    "a row: stage": ("UPDATE parcel SET stage = 'CANCELLED' WHERE id = (SELECT min(id::text)::uuid FROM parcel)",
                     "table parcel, .*, stage: CANCELLED is stored"),
    "a row: record": ("UPDATE parcel SET record = replace(record, '\"weight_g\":', '\"weight_g\":1') "
                      "WHERE id = (SELECT max(id::text)::uuid FROM parcel)", "table parcel, .*'weight_g': 1.* follows"),
    "a row: label": ("UPDATE parcel SET label = 'OTHER' WHERE id = (SELECT min(id::text)::uuid FROM parcel)",
                     "table parcel, .*, label: OTHER is stored"),
    "a row: gone": ("DELETE FROM parcel WHERE id = (SELECT max(id::text)::uuid FROM parcel)", "no row is stored"),
    "a row: room": ("UPDATE station SET room = '[\"1\",\"0\",\"0\",{}]' WHERE id = 'S-0002'",
                    "table station, S-0002, room"),
    "a row: name": ("UPDATE station SET name = 'Nowhere' WHERE id = 'S-0002'", "table station, S-0002, name: Nowhere"),
    "a row: case": ("UPDATE case_file SET outcome = 'forgotten' WHERE id = (SELECT min(id::text)::uuid FROM case_file)",
                    "table case_file, .*, outcome: forgotten is stored"),
    "a row: key": ("UPDATE station_identity SET public_key = sha256('x') WHERE station = 'S-0003'",
                   "table station, S-0003, public_key"),
    "a body": (f"UPDATE entry SET body = replace(body, '\"compartment\":', '\"compartment\":1') WHERE {OF} = {MIDDLE}",
               "chain: S-0001 number .*: its hash does not follow"),
    "a time": (f"UPDATE entry SET happened_at = happened_at + interval '1 microsecond' WHERE {OF} = {MIDDLE}",
               "chain: S-0001 number .*: its hash does not follow"),
    "one dropped": (f"DELETE FROM entry WHERE {OF} = {MIDDLE}", "chain: S-0001 number .*: missing"),
    "the last dropped": (f"DELETE FROM entry WHERE {OF} = (SELECT max(number) FROM entry WHERE writer = 'S-0001')",
                         "chain: S-0001 ends with number .*, its head says"),
    "two swapped": (f"UPDATE entry e SET (kind, body) = (SELECT kind, body FROM entry o WHERE o.writer = 'S-0001' "
                    f"AND o.number = 2 * {MIDDLE} + 1 - e.number) WHERE e.{OF} IN ({MIDDLE}, {MIDDLE} + 1)",
                    "chain: S-0001 number .*: its hash does not follow"),
    "one added": ("INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at) SELECT writer, "
                  "number + 1, kind, happened_at, body, hash, recorded_at FROM entry WHERE writer = 'S-0001' "
                  "ORDER BY number DESC LIMIT 1", "chain: S-0001 number .*: its hash does not follow"),
    "another parcel": (f"UPDATE entry SET parcel = (SELECT min(id::text)::uuid FROM parcel), revision = 99 "
                       f"WHERE {OF} = (SELECT min(number) FROM entry WHERE writer = 'S-0001' AND parcel IS NOT NULL)",
                       "order: S-0001"),
}  # fmt: skip


@pytest.mark.parametrize("what", HUB_SQL)
async def test_the_hubs_book(hub: str, folder: Path, what: str) -> None:
    sql, says = HUB_SQL[what]
    await run(hub, sql)
    await names(folder, hub, says)


async def names(folder: Path, hub: str, says: str) -> None:
    wrong = await verify_data(folder, hub)
    assert wrong
    assert re.search(says, wrong[0]), wrong[0]


async def test_a_forger_who_mends_the_chain_is_given_away_by_the_stations_copy(hub: str, folder: Path) -> None:
    """One word of a promise changed and every hash after it computed anew, head included: the hub's book is whole."""
    writer = "hub:1/S-0001"
    connection = await asyncpg.connect(hub)
    rows = await connection.fetch("SELECT * FROM entry WHERE writer = $1 ORDER BY number", writer)
    drafts = [
        chain.Draft(row["kind"], clock.text(row["happened_at"]), row["body"].replace("looked at", "not looked at"))
        for row in rows
    ]
    forged = chain.extend(writer, chain.start(writer), drafts)
    await connection.executemany("UPDATE entry SET body = $3, hash = $4 WHERE writer = $1 AND number = $2",
                                 [(writer, e.number, e.body, e.hash) for e in forged])  # fmt: skip
    await connection.execute("UPDATE writer SET hash = $2 WHERE name = $1", writer, forged[-1].hash)
    await connection.execute(
        "UPDATE case_file SET outcome = 'not looked at' WHERE station = 'S-0001' AND outcome <> ''"
    )
    await connection.close()
    await names(folder, hub, "INV-07: hub:1/S-0001 number .*: S-0001 has another entry than the hub wrote")


async def test_an_entry_that_the_hub_made_up_for_a_station(hub: str, folder: Path) -> None:
    """Rightly chained, head moved: only the station knows that it never wrote it."""
    connection = await asyncpg.connect(hub)
    head = await connection.fetchrow("SELECT number, hash FROM writer WHERE name = 'S-0001'")
    draft = chain.Draft("WrongCode", "2030-01-01T00:00:00.000000Z", '{"count":3}')
    [entry] = chain.extend("S-0001", chain.Head(head["number"], head["hash"]), [draft])
    await connection.execute(
        "INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at) "
        "VALUES ('S-0001', $1, 'WrongCode', '2030-01-01Z', $2, $3, '2030-01-01Z')",
        entry.number, entry.body, entry.hash,
    )  # fmt: skip
    await connection.execute("UPDATE writer SET number = $1, hash = $2 WHERE name = 'S-0001'", entry.number, entry.hash)
    await connection.close()
    await names(folder, hub, "INV-07: S-0001 number .*: the hub has it, S-0001 never wrote it")


STATION_SQL = {
    "a row: parcel": ("UPDATE parcel SET record = replace(record, '\"generation\":0', '\"generation\":4')",
                      "S-0001: table parcel, .*, generation: 4 is stored, 0 follows"),
    "a row: room": ("UPDATE room SET record = '[\"1\",\"0\",\"0\",{}]'", "S-0001: table room"),
    "a row: visit": ("UPDATE visit SET opened = 0 WHERE id = (SELECT min(id) FROM visit)",
                     "S-0001: INV-05: table visit"),
    "no visit is left": ("DELETE FROM visit", "S-0001: INV-04: S-0001 number .* of which no row is stored"),
    "a row: grants": ("DELETE FROM standing WHERE name LIKE 'Granted%'", "S-0001: table standing, Granted"),
    "a body": ("UPDATE entry SET body = replace(body, '\"compartment\":', '\"compartment\":1') WHERE number = 3 "
               "AND writer = 'S-0001'", "S-0001: chain: S-0001 number 3: its hash"),
    "one dropped": ("DELETE FROM entry WHERE number = 3 AND writer = 'S-0001'",
                    "S-0001: chain: S-0001 number 3: missing"),
    "two swapped": ("UPDATE entry SET body = (SELECT body FROM entry o WHERE o.writer = entry.writer AND o.number = "
                    "7 - entry.number) WHERE writer = 'S-0001' AND number IN (3, 4)",
                    "S-0001: chain: S-0001 number 3: its hash"),
    "one added": ("INSERT INTO entry SELECT NULL, writer, number + 1, kind, happened_at, body, hash, recorded_at FROM "
                  "entry WHERE writer = 'S-0001' ORDER BY number DESC LIMIT 1", "S-0001: chain: S-0001 number"),
    "an entry of the hub's": ("UPDATE entry SET body = body || ' ' WHERE number = 4 AND writer = 'hub:1/S-0001'",
                              "S-0001: chain: hub:1/S-0001 number 4"),
}  # fmt: skip


@pytest.mark.parametrize("what", STATION_SQL)
async def test_a_stations_book(hub: str, folder: Path, what: str) -> None:
    sql, says = STATION_SQL[what]
    connection = apsw.Connection(str(folder / "stations" / "S-0001.sqlite"))
    connection.execute("DROP TRIGGER entry_stays; DROP TRIGGER entry_kept; " + sql)
    assert connection.total_changes(), "the tampering did something"
    connection.close()
    await names(folder, hub, says)


async def test_a_file_in_use_is_not_read(hub: str, folder: Path) -> None:
    connection = apsw.Connection(str(folder / "stations" / "S-0002.sqlite"))
    connection.pragma("locking_mode", "EXCLUSIVE")
    connection.execute("BEGIN IMMEDIATE; UPDATE room SET record = record")
    with pytest.raises(Trouble, match="in use"):
        await verify_data(folder, hub)
    connection.close()


async def test_a_folder_without_books_is_a_trouble(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="holds no database"):
        await verify_data(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_database_of_something_else_is_a_trouble(tmp_path: Path, postgres_dsn: str) -> None:
    with pytest.raises(Trouble, match="holds no journal"):
        await verify_data(tmp_path, postgres_dsn)


@pytest.mark.parametrize(("where", "durable"), [("postgres", True), ("hub/postgres", False)])
async def test_a_server_that_runs_is_used_and_left_alone(tmp_path: Path, where: str, durable: bool) -> None:
    """In the folder of a hub, and in that of a demo or a replay."""
    server = EmbeddedPostgres(tmp_path / where, durable=durable)
    await server.start()
    try:
        with pytest.raises(Trouble, match="holds no journal"):
            await verify_data(tmp_path)
        assert server.pid and Path(f"/proc/{server.pid}").exists()
    finally:
        await server.stop()
