"""Real processes of ours: started as people start them, killed as the world kills them, and nothing left behind."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from acceptance.shop import until
from parcelwall.clock import SystemClock
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.house import Hub, serving
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import Ids
from parcelwall.station import dial
from parcelwall.station.memory import Memory

STATION_FILE = """
station = "{name}"
name = "Kluuvi"
address = "Aleksanterinkatu 9"
lat = 60.1692
lon = 24.9440
zone = "Europe/Helsinki"
columns = "{columns}"
panel_after = 1
"""


def a_free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder below which the database's own user may walk; pytest's are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-acceptance-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Process:
    """One `parcelwall ...` of ours. What it says is kept in files."""

    def __init__(self, folder: Path, name: str, *words: str, **environment: str) -> None:
        self.said, self.complained = folder / f"{name}.out", folder / f"{name}.err"
        self._words = [sys.executable, "-m", "parcelwall", *words]
        self._environment = {**os.environ, **environment}
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.said.open("ab") as out, self.complained.open("ab") as err:
            self.running = subprocess.Popen(
                self._words, env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def children(self) -> list[psutil.Process]:
        assert self.running
        return psutil.Process(self.running.pid).children()

    def family(self) -> list[psutil.Process]:
        """The process and all below it."""
        assert self.running
        parent = psutil.Process(self.running.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self, sign: signal.Signals, within_s: float = 20.0) -> int:
        """Its exit code after the signal."""
        assert self.running
        self.running.send_signal(sign)
        return self.running.wait(within_s)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def stop(self) -> None:
        """The end of a test: politely, then not."""
        if self.alive():
            try:
                self.end(signal.SIGTERM)
            except subprocess.TimeoutExpired:
                self.kill()

    def add_environment(self, **more: str) -> None:
        self._environment |= more

    def alive(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def log(self) -> str:
        return self.complained.read_text() + self.said.read_text()


class HubProcess(Process):
    """`parcelwall hub` on a folder and a port that stay the same when it is started again."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.data, self.port = folder / "hub", a_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        public_url = environment.get("PARCELWALL_PUBLIC_URL", self.url)
        words = ("hub", "--data", str(self.data), "--port", str(self.port), "--public-url", public_url)
        super().__init__(folder, "hub", *words, **environment)
        self.folder = folder

    def start(self) -> None:
        super().start()
        until(self.ready, "the hub is ready", 40)

    def ready(self) -> bool:
        assert self.alive(), self.log()
        try:
            return httpx.get(f"{self.url}/health/ready", trust_env=False, timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def admit(self, carrier: str, role: str = "carrier") -> str:
        """The API key that the command prints."""
        return self._command("admit", carrier, "--role", role, "--data", str(self.data)).strip()

    def configure(self, name: str, columns: str) -> str:
        """The claim code that the command prints."""
        path = self.folder / f"{name}.toml"
        path.write_text(STATION_FILE.format(name=name, columns=columns))
        return self._command("configure", str(path), "--data", str(self.data)).split()[-1]

    def join(self, name: str, columns: str) -> None:
        """A station that is configured, and a computer that becomes it and never dials."""
        claim, clock = self.configure(name, columns), SystemClock()
        memory = Memory(self.folder / f"{name}.sqlite", clock)
        try:
            run(dial.enrol(memory, self.url, claim, clock, Ids(clock)))
        finally:
            memory.close()

    def _command(self, *words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "parcelwall", *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, question: Any) -> Any:
        """What `await question(hub)` answers, with a hub of our own on the same database."""

        async def asked() -> Any:
            clock = SystemClock()
            dsn = await EmbeddedPostgres(self.data / "postgres").start()
            async with serving(dsn, self.data, clock, Ids(clock), slot=9) as hub:
                return await question(hub)

        return run(asked())

    def differences(self) -> list[str]:
        async def look(hub: Hub) -> list[str]:
            return await verify_hub(hub.pool)

        found: list[str] = self.ask(look)
        return found

    def count(self, sql: str, *values: Any) -> Any:
        async def look(hub: Hub) -> Any:
            return await hub.pool.fetchval(sql, *values)

        return self.ask(look)


def run(job: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(job)


@contextmanager
def a_hub(**environment: str) -> Iterator[HubProcess]:
    with a_folder() as folder:
        hub = HubProcess(folder, **environment)
        hub.start()
        try:
            yield hub
        finally:
            hub.stop()
