"""Idle memory: a real `parcelwall station` with 100 compartments and 1,000 entries, and a real hub process."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from parcelwall.bench import pretend_station
from parcelwall.bench.figure import Figure, Once, Tick, alone
from parcelwall.bench.ground import Ground
from parcelwall.bench.meters import memory_mib
from parcelwall.bench.plan import Plan
from parcelwall.clock import SystemClock
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.errors import Trouble
from parcelwall.ids import Ids
from parcelwall.web.serving import listen

PARCELS, ENTRIES = 60, 1_000
SETTLES_S = 5.0
UNIT = "MiB resident"


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    tick("idle memory of a station")
    station = [await _of_station(ground.folder) for _ in range(min(plan.runs, 3))]
    tick("idle memory of a hub process")
    hub = [await _of_hub(ground) for _ in range(min(plan.runs, 3))]
    return [
        alone("memory_station", UNIT, station, most_mib=150, compartments=100, entries=ENTRIES),
        alone("memory_hub", UNIT, hub, stations=len(ground.network.stations) + 2 * len(ground.network.linked)),
    ]


async def _of_station(above: Path) -> Once:
    folder = above / "station"
    folder.mkdir(exist_ok=True)
    clock = SystemClock()
    ids = Ids(clock)
    if not (folder / "station.sqlite").exists():
        pretend_station.fill(folder / "station.sqlite", clock, ids, PARCELS, ENTRIES)
    boards = PtyBoards(PretendBoards(pretend_station.profile(str(folder / "bus")), ids.chance), clock, folder / "bus")
    await boards.start()
    process = subprocess.Popen(
        [sys.executable, "-m", "parcelwall", "station", "--config", str(_file(folder))],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 30)  # type: ignore[union-attr]
        if "station" not in line:
            raise Trouble("`parcelwall station` did not start")
        await asyncio.sleep(SETTLES_S)
        return _once(process.pid)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
        await boards.close()


def _file(folder: Path) -> Path:
    """The station's file. Its hub is not there: a station that dials in vain is at its most busy when idle."""
    bound = listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    table = pretend_station.profile_table(str(folder / "bus"))
    lines = [f'data_dir = "{folder}"', 'hub_url = "http://127.0.0.1:9"', f"port = {port}", "[bus]"]
    lines += [f"{name} = {_toml(value)}" for name, value in table.items()]
    file = folder / "station.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    return msgspec.json.encode(value).decode()


async def _of_hub(ground: Ground) -> Once:
    dsn = await ground.fresh("ours")
    async with ground.hub(dsn, processes=1) as hub:
        await asyncio.sleep(SETTLES_S)
        return _once(hub.pids[0])


def _once(pid: int) -> Once:
    found = memory_mib(pid)
    return Once(found["rss"], {}, {"pss_mib": found["pss"]})
