"""A station's process in the street: pretend boards on a pseudo-terminal, a cable to cut, people at its screen.

Boards, cable and mailbox live in the test's own process, so that a killed station finds its doors as they were.
"""

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from acceptance.processes import HubProcess, Process, a_free_port
from parcelwall.clock import SystemClock
from parcelwall.drivers import DoorState
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.ids import Ids
from parcelwall.rules.layout import plain_layout
from parcelwall.simulation.town import pretend_profile

SCREEN = re.compile(r'data-screen="([a-z-]+)"')
NUMBER = re.compile(r'name="screen" value="(\d+)"')
Event = Callable[[], Awaitable[None]]  # something that somebody does, or that befalls them
AWAY = (httpx.TransportError, OSError)
A_NAMESPACE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


async def until(true: Callable[[], Any], what: str, within_s: float = 30.0) -> Any:
    """The first answer that is true, of a function or a coroutine function. Fails with what was waited for."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        answer = true()
        answer = await answer if isinstance(answer, Awaitable) else answer
        if answer:
            return answer
        assert loop.time() < deadline, f"waited {within_s:.0f} s in vain until {what}"
        await asyncio.sleep(0.05)


class Cable:
    """A TCP line between a station and its hub: whole, cut, slow, stalled in the middle of a frame, deaf in one
    direction, half closed, or with bytes that come twice."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self.port = a_free_port()
        self.is_cut = False
        self.delay_s = 0.0
        self.stalls_after: int | None = None  # bytes that still pass
        self.deaf = ""  # "up" or "down": what goes that way is lost, and nobody is told
        self.doubles = 0  # so many bytes come twice
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        self.is_cut = True
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    def mend(self) -> None:
        self.is_cut, self.delay_s, self.stalls_after, self.deaf, self.doubles = False, 0.0, None, "", 0

    async def half_close(self) -> None:
        """Each end is told that the other will say no more, though it could still be told something."""
        for end in list(self._ends):
            with contextlib.suppress(OSError, RuntimeError):
                end.write_eof()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far_writer}
        with contextlib.suppress(asyncio.CancelledError):  # the end of the test
            await asyncio.gather(self._carry(reader, far_writer, "up"), self._carry(far_reader, writer, "down"))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        try:
            while data := await reader.read(4096):
                await asyncio.sleep(self.delay_s)
                if self.deaf == way:
                    continue
                for part in self._parts(self._doubled(data)):
                    while self.stalls_after == 0:
                        await asyncio.sleep(0.02)
                    writer.write(part)
                    await writer.drain()
        except (OSError, RuntimeError, asyncio.CancelledError):  # RuntimeError: it was half closed
            pass
        finally:
            writer.transport.abort()
            self._ends.discard(writer)

    def _doubled(self, data: bytes) -> bytes:
        again, self.doubles = data[: self.doubles], max(0, self.doubles - len(data))
        return again + data

    def _parts(self, data: bytes) -> list[bytes]:
        """What still passes, and what waits behind the stall."""
        if self.stalls_after is None:
            return [data]
        passes, self.stalls_after = data[: self.stalls_after], max(0, self.stalls_after - len(data))
        return [part for part in (passes, data[len(passes) :]) if part]


def may_mount(folder: Path) -> bool:
    """Whether a process of ours may have a small disk of its own. Containers often forbid it."""
    tried = [*A_NAMESPACE, "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    return subprocess.run(tried, capture_output=True).returncode == 0


class StationProcess(Process):
    """`parcelwall station --config` with its own file, ports and boards."""

    def __init__(
        self, folder: Path, name: str, columns: str, claim: str, hub_port: int, disk_mib: int = 0
    ) -> None:
        clock = SystemClock()
        self.data, self.name = folder / name, name
        profile = pretend_profile(plain_layout(columns, 1), str(folder / f"{name}.port"))
        self.boards = PtyBoards(PretendBoards(profile, Ids(clock).chance), clock, folder / f"{name}.port")
        config = folder / f"{name}-station.toml"
        config.write_text(self._config(claim, hub_port, profile))
        super().__init__(folder, name, "station", "--config", str(config))
        self._has_own_disk = disk_mib > 0
        if disk_mib:  # seen by this process alone, and gone with it
            self.data.mkdir()
            mount = f'mount -t tmpfs -o size={disk_mib}m none "$0" && exec "$@"'
            self._words = [*A_NAMESPACE, "sh", "-c", mount, str(self.data), *self._words]

    @property
    def seen(self) -> Path:
        """Its folder, as others see it."""
        if not self._has_own_disk:
            return self.data
        assert self.running
        return Path(f"/proc/{self.running.pid}/root") / self.data.relative_to("/")

    def _config(self, claim: str, hub_port: int, profile: Any) -> str:
        doors = ", ".join(f"{{ door = {d.door}, board = {d.board}, lock = {d.lock} }}" for d in profile.doors)
        boards = ", ".join(f"{{ address = {b.address}, channels = {b.channels} }}" for b in profile.boards)
        return (
            f'data_dir = "{self.data}"\nhub_url = "http://127.0.0.1:{hub_port}"\nport = {a_free_port()}\n'
            f'claim = "{claim}"\n[bus]\ndriver = "xor8a"\nport = "{profile.port}"\nstatus_bytes = 3\n'
            f'status_order = "low_last"\nclosed_value = 1\nboards = [{boards}]\ndoors = [{doors}]\n'
        )

    def open_doors(self) -> list[int]:
        return [door for door, state in self.boards.states().items() if state == DoorState.OPEN]


class Screen:
    """Somebody at the station's screen, over the page's own addresses; comes in anew after each start of it."""

    def __init__(self, station: StationProcess) -> None:
        self._station = station
        self._client = httpx.AsyncClient(trust_env=False, timeout=15, follow_redirects=True)
        self._base = ""

    async def close(self) -> None:
        await self._client.aclose()

    async def _come_in(self) -> None:
        url = (self._station.seen / "kiosk.url").read_text().strip()
        self._client.cookies.clear()
        answer = await self._client.get(url)
        self._base = url.partition("/begin")[0] if answer.status_code == 200 else ""

    async def page(self) -> str:
        """The page as it is now; empty while the station is away."""
        try:
            answer = await self._client.get(f"{self._base}/") if self._base else None
            if answer is None or answer.status_code != 200:
                await self._come_in()
                answer = await self._client.get(f"{self._base}/") if self._base else None
            return answer.text if answer is not None and answer.status_code == 200 else ""
        except AWAY:
            return ""

    async def shows(self) -> str:
        found = SCREEN.search(await self.page())
        return found[1] if found else ""

    async def post(self, path: str, **fields: str) -> bool:
        """Whether the station has answered."""
        try:
            answer = await self._client.post(f"{self._base}{path}", data=fields, headers={"Origin": self._base})
            return answer.status_code == 204
        except AWAY:
            return False

    async def tap(self, name: str, value: str = "") -> bool:
        number = NUMBER.search(await self.page())
        return bool(number) and await self.post("/act", name=name, screen=number[1] if number else "", value=value)


class Street:
    """One station, its cable and its screen, and a courier and recipients who do not mind what breaks meanwhile."""

    def __init__(self, hub: HubProcess, station: StationProcess, cable: Cable, courier_code: Callable[[], str]) -> None:
        self.hub, self.station, self.cable = hub, station, cable
        self.screen = Screen(station)
        self._courier_code = courier_code

    async def deposit(self, label: str, meanwhile: Event | None = None) -> None:
        """The courier brings one parcel. Done when the door that was seen open is seen shut."""
        await self._through_a_door(lambda: self._show_label(label), meanwhile)

    async def collect(self, digits: str, meanwhile: Event | None = None) -> None:
        await self._through_a_door(lambda: self._type_code(digits), meanwhile)

    async def _show_label(self, label: str) -> None:
        if await self.screen.shows() == "unknown":  # the station has not heard of it yet
            await self.screen.tap("back")
        if await self.screen.shows() in ("home", "thanks", "courier-bye", "stuck"):
            await self.screen.tap("courier")
        if await self.screen.shows() == "courier-in":
            await self.screen.post("/sign-in", digits=self._courier_code())
        if await self.screen.shows() == "courier-scan":
            await self.screen.tap("label", label)

    async def _type_code(self, digits: str) -> None:
        if await self.screen.shows() not in ("open", "still-open", "opening", ""):
            await self.screen.post("/code", digits=digits)

    async def _through_a_door(self, ask: Event, meanwhile: Event | None) -> None:
        """Asks until the screen shows an open door, uses it, pushes it shut, and waits until the screen has seen it.

        `meanwhile` happens while the door stands open; whatever it is, the screen shows that door again.
        """
        try:
            await until(lambda: self._open_after(ask), "a door opens", 60)
            if meanwhile:
                await meanwhile()
                await until(self._open, "the screen shows the open door again")
            await until(self._push_shut, "the doors catch")
            await until(self._shut, "the screen sees the door shut")
        except AssertionError as vain:
            raise AssertionError(f"{vain}; {await self._scene()}") from vain

    async def _scene(self) -> str:
        """What somebody who comes by would see, for the story of a failure."""
        ended = self.station.running.poll() if self.station.running else "never begun"
        shown, log = await self.screen.shows(), self.station.log()[-1500:]
        return f"the screen shows {shown!r}, open: {self.station.open_doors()}, ended: {ended}, it said: {log}"

    def _push_shut(self) -> bool:
        """A latch does not catch while its coil is still driven: then a person pushes again."""
        for door in self.station.open_doors():
            self.station.boards.push_closed(door)
        return not self.station.open_doors()

    async def _open_after(self, ask: Event) -> bool:
        await until(self.screen.shows, "the screen is there")
        await ask()
        await until(self._decided, "the screen shows what came of it")
        return await self._open()

    async def _open(self) -> bool:
        return await self.screen.shows() in ("open", "still-open")

    async def _decided(self) -> bool:
        return await self.screen.shows() not in ("opening", "courier-in", "")

    async def _shut(self) -> bool:
        return await self.screen.shows() not in ("open", "still-open", "opening", "")
