"""Kiosk: from the request with the last digit to the door pulse, as the pretend board logs it.

Real page server, real desk, real driver, bytes to a board in memory. `kiosk` is the Python part alone: no fsync, and a
line that takes no time. `kiosk_fsync` adds the synced writes, `kiosk_line` also a real line's 9600 baud and pauses.
The reference is an empty request (`POST /beat`) through the same server: the way there and back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from parcelwall.bench import pretend_station
from parcelwall.bench.figure import Figure, Once, Tick, from_pairs
from parcelwall.bench.ground import Ground
from parcelwall.bench.meters import seconds
from parcelwall.bench.plan import Plan
from parcelwall.clock import SystemClock
from parcelwall.drivers import connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.errors import Trouble
from parcelwall.ids import Ids
from parcelwall.station import house
from parcelwall.station.house import Station
from parcelwall.web.kiosk import Gate, kiosk_app
from parcelwall.web.reader import renderer
from parcelwall.web.serving import listen, serving

TRIES = 30  # doors opened in a run
REFERENCE_IS = "an empty request through the same server, there and back"
UNIT = "ms (p99)"


class Kind(NamedTuple):
    """What is measured: with synced writes or not, over a line as slow as a real one or not."""

    name: str
    durable: bool
    wire: bool


KINDS = (Kind("kiosk", False, False), Kind("kiosk_fsync", True, False), Kind("kiosk_line", True, True))


class Stand(NamedTuple):
    """A station that serves its screen, and its boards."""

    station: Station
    boards: MemoryBoards
    gate: Gate
    clock: SystemClock


async def measure(ground: Ground, plan: Plan, tick: Tick) -> list[Figure]:
    figures = []
    for kind in KINDS:
        pairs = []
        for number in range(plan.runs):
            tick(f"{kind.name}: last digit to door pulse, run {number + 1} of {plan.runs}")
            pairs.append(await one_run(ground.folder / f"{kind.name}-{number}.sqlite", kind, plan))
        about = {} if kind.durable else {"limit_ms": 50, "aim_ms": 20}
        figures.append(from_pairs(kind.name, UNIT, pairs, better="less", reference_is=REFERENCE_IS, **about))
    return figures


async def one_run(path: Path, kind: Kind, plan: Plan) -> tuple[Once, Once]:
    """Milliseconds from the request to the pulse, and of an empty request there and back.

    Raises Trouble if a door does not open.
    """
    tries = TRIES if plan.long_s > 5 else 4
    async with _a_stand(path, kind, tries) as (stand, codes):
        talk = await _connected(stand)
        echoes = [await _timed(talk, "/beat", "") for _ in range(10 * tries)]
        waits = [await _open(stand, talk, code) for code in codes]
        if stand.boards.core.overlaps():
            raise Trouble("two coils were driven at once")
    return _once(waits), _once(echoes)


@asynccontextmanager
async def _a_stand(path: Path, kind: Kind, parcels: int) -> AsyncIterator[tuple[Stand, list[str]]]:
    clock = SystemClock()
    ids = Ids(clock)
    codes = pretend_station.fill(path, clock, ids, parcels)
    profile = pretend_station.profile("pretend", kind.wire)
    core = PretendBoards(profile, ids.chance) if kind.wire else PretendBoards(profile, ids.chance, latency_s=0.0)
    boards = MemoryBoards(core, clock)
    doors = connect(profile, clock, open_port=boards.open_port)
    bound = listen("127.0.0.1", 0)
    async with house.opened(path, doors, clock, ids, kind.durable) as station:
        gate = Gate(ids, f"127.0.0.1:{bound.getsockname()[1]}", on_pass=lambda _: None)
        async with serving(kiosk_app(station, renderer(), gate), bound):
            running = asyncio.create_task(station.run())
            try:
                yield Stand(station, boards, gate, clock), codes
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter, Gate]


async def _connected(stand: Stand) -> Talk:
    host, _, port = stand.gate.host.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    return reader, writer, stand.gate


async def _post(talk: Talk, path: str, form: str) -> None:
    reader, writer, gate = talk
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: {gate.host}\r\nCookie: {gate.cookie_name}={gate.cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 204 " not in head.split(b"\r\n")[0]:
        raise Trouble(f"POST {path} was answered with {head[:60]!r}")


async def _timed(talk: Talk, path: str, form: str) -> float:
    began = seconds()
    await _post(talk, path, form)
    return (seconds() - began) * 1000


async def _open(stand: Stand, talk: Talk, code: str) -> float:
    """Types a code, sees the door open, shuts it; milliseconds until the coil was driven."""
    pulses = stand.boards.core.pulses
    before, began = len(pulses), stand.clock.mono()
    await _post(talk, "/code", f"digits={code}")
    if len(pulses) != before + 1:
        raise Trouble(f"a good code led to {len(pulses) - before} door pulses")
    pulse = pulses[-1]
    while stand.station.desk.unfinished():
        stand.boards.push_closed(pulse.door)  # does not catch while the coil is driven
        await stand.clock.sleep(0.05)
    await stand.clock.sleep(stand.boards.core.profile.supply_gap_ms / 1000)  # the next pulse would wait for its supply
    return (pulse.start_at - began) * 1000


def _once(waits_ms: Sequence[float]) -> Once:
    return Once(quantiles(waits_ms, n=100, method="inclusive")[98], {}, {"p50_ms": median(waits_ms)})
