"""kill -9 of a hub process that announces without end: what it acknowledged is there, what it did not is asked again.

The database lives on; each process dies in the middle of whatever it was doing.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from parcelwall.hub.verify import verify_hub
from station.towns import a_hub, about, announcing

ROUNDS, ACKNOWLEDGED, AT_ONCE = 4, 60, 12

CHILD = """
import asyncio, sys
from pathlib import Path
from station.towns import a_hub, announcing

async def announce(hub, number, round_):
    while True:
        reference = f"PW-{round_}-{number}"
        await hub.desk.ask(announcing(reference, "S-0001" if number % 3 else "S-0002", key=reference))
        print(reference, flush=True)
        number += AT_ONCE

async def main(dsn, folder, round_):
    async with a_hub(dsn, Path(folder), slot=int(round_)) as hub:
        await asyncio.gather(*(announce(hub, number, round_) for number in range(AT_ONCE)))

asyncio.run(main(*sys.argv[1:]))
""".replace("AT_ONCE", str(AT_ONCE))


async def until_killed(dsn: str, folder: Path, round_: int) -> list[str]:
    """The references that a process acknowledged before it was killed."""
    paths = os.pathsep.join(path for path in sys.path if path)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, dsn, str(folder), str(round_), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert child.stdout is not None
    lines = [(await child.stdout.readline()).decode() for _ in range(ACKNOWLEDGED)]
    child.send_signal(signal.SIGKILL)
    rest = (await child.stdout.read()).decode().splitlines(keepends=True)
    assert await child.wait() == -signal.SIGKILL, "it was alive when it was killed"
    return [line.strip() for line in (*lines, *rest) if line.endswith("\n")]


async def nobody_else(dsn: str) -> None:
    """Waits until the database has noticed that the dead process is gone."""
    connection = await asyncpg.connect(dsn)
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while await connection.fetchval(query):
        await asyncio.sleep(0.02)
    await connection.close()


@pytest.mark.timeout(120)
async def test_what_a_killed_hub_acknowledged_is_there(database: str, tmp_path: Path) -> None:
    stations = (about("S-0001", "SSML " * 8), about("S-0002", "SSML " * 4, lat=60.18))
    async with a_hub(database, tmp_path, stations=stations, slot=99):
        pass
    acknowledged: list[str] = []
    for round_ in range(1, ROUNDS + 1):
        acknowledged += await until_killed(database, tmp_path, round_)
        await nobody_else(database)
    assert len(acknowledged) >= ROUNDS * ACKNOWLEDGED
    async with a_hub(database, tmp_path, slot=99) as hub:
        stored = {row["reference"] for row in await hub.pool.fetch("SELECT reference FROM parcel")}
        assert set(acknowledged) <= stored
        assert await verify_hub(hub.pool) == []
        for unsure in (*sorted(stored - set(acknowledged)), acknowledged[-1], "PW-9-never"):
            first = await hub.desk.ask(announcing(unsure, "S-0001", key=f"again-{unsure}"))
            again = await hub.desk.ask(announcing(unsure, "S-0001", key=f"again-{unsure}"))
            assert first.status == again.status == 201
        now = await hub.pool.fetchval("SELECT count(*) FROM parcel")
        assert now == len(stored) + 1, "asked again, nothing is there twice"
        assert await verify_hub(hub.pool) == []
