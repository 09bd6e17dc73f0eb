"""`parcelwall bench`: measures what is named, or everything, and prints a table or JSON."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from rich.console import Console

from parcelwall.bench import announce, ingest, kiosk, life, memory, replaying, track
from parcelwall.bench.figure import Figure, Tick
from parcelwall.bench.ground import Ground, a_ground
from parcelwall.bench.machine import Machine
from parcelwall.bench.plan import QUICK, Plan
from parcelwall.bench.table import show
from parcelwall.errors import Trouble

Measure = Callable[[Ground, Plan, Tick], Awaitable[list[Figure]]]
ALL: dict[str, Measure] = {
    "announce": announce.measure, "ingest": ingest.measure, "life": life.measure, "track": track.measure,
    "replay": replaying.measure, "kiosk": kiosk.measure, "memory": memory.measure,
}  # fmt: skip


def run(names: Sequence[str] = (), json: bool = False, runs: int = 5, quick: bool = False) -> int:
    """Measures and prints. Always 0: slowness is no failure; what is broken raises Trouble."""
    if unknown := sorted(set(names) - set(ALL)):
        raise Trouble(f"there is no benchmark {', '.join(unknown)}: there are {', '.join(ALL)}")
    plan = msgspec.structs.replace(QUICK if quick else Plan(), runs=1 if quick else runs)
    with Console(stderr=True).status("Preparing …") as status:
        machine, figures = asyncio.run(_measure(list(names) or list(ALL), plan, lambda text: status.update(text)))
    if json:
        rows = [{**msgspec.to_builtins(figure), "machine": msgspec.to_builtins(machine)} for figure in figures]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
    else:
        show(figures, machine)
    return 0


async def _measure(names: Sequence[str], plan: Plan, tick: Tick) -> tuple[Machine, list[Figure]]:
    figures: list[Figure] = []
    tick(f"Making a network of {plan.stations} stations with {plan.parcels} promised parcels …")
    async with a_ground(plan.stations, plan.linked, plan.parcels) as ground:
        machine = await ground.machine()
        for name in names:
            figures += await ALL[name](ground, plan, tick)
    return machine, figures
