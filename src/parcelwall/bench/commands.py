"""`parcelwall bench`: measures what is named, or everything, and prints a table or JSON."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from parcelwall.bench import announce, faces, ingest, kiosk, life, memory, offers, replaying, track
from parcelwall.bench.figure import Figure, Tick
from parcelwall.bench.files import NAMES, judges
from parcelwall.bench.ground import Ground, a_ground
from parcelwall.bench.machine import Machine, describe
from parcelwall.bench.plan import QUICK, Plan
from parcelwall.bench.table import show
from parcelwall.errors import Trouble

Measure = Callable[[Ground, Plan, Tick], Awaitable[list[Figure]]]
ALL: dict[str, Measure] = {
    "announce": announce.measure, "ingest": ingest.measure, "life": life.measure, "track": track.measure,
    "offers": offers.measure, "replay": replaying.measure, "kiosk": kiosk.measure, "memory": memory.measure,
    "faces": faces.measure,
}  # fmt: skip
BRINGS_ITS_OWN = {"kiosk", "faces"}
"""What is measured on stations of its own: the network that others share need not be large."""


def run(names: Sequence[str] = (), json: bool = False, runs: int = 5, quick: bool = False, seeds: int = 10) -> int:
    """Measures and prints. Always 0: slowness is no failure; what is broken raises Trouble."""
    console = Console(stderr=True, soft_wrap=True)
    with console.status("Preparing …") as status:

        def tick(text: str) -> None:
            if console.is_terminal:
                status.update(text)
            else:  # into a file: one line for each step
                console.print(text, markup=False, highlight=False)

        if names and names[0] in NAMES:
            machine, figures = _judge(names[0], names[1:], seeds, quick, tick)
        else:
            machine, figures = _race(names, runs, quick, tick)
    if json:
        rows = [{**msgspec.to_builtins(figure), "machine": msgspec.to_builtins(machine)} for figure in figures]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
    else:
        show(figures, machine)
    return 0


def _judge(name: str, files: Sequence[str], seeds: int, quick: bool, tick: Tick) -> tuple[Machine, list[Figure]]:
    """How good decisions are, on files."""
    if missing := [each for each in files if not Path(each).exists()]:
        raise Trouble(f"there is no file {', '.join(missing)}")
    return describe("", "", ""), judges()[name]([Path(each) for each in files], seeds, quick, tick)


def _race(names: Sequence[str], runs: int, quick: bool, tick: Tick) -> tuple[Machine, list[Figure]]:
    """How fast the real thing is, beside a reference."""
    if unknown := sorted(set(names) - set(ALL)):
        raise Trouble(f"there is no benchmark {', '.join(unknown)}: there are {', '.join([*ALL, *NAMES])}")
    plan = msgspec.structs.replace(QUICK if quick else Plan(), runs=1 if quick else runs)
    if names and set(names) <= BRINGS_ITS_OWN:
        plan = msgspec.structs.replace(plan, stations=1, linked=1, parcels=1)
    return asyncio.run(_measure(list(names) or list(ALL), plan, tick))


async def _measure(names: Sequence[str], plan: Plan, tick: Tick) -> tuple[Machine, list[Figure]]:
    figures: list[Figure] = []
    tick(f"Making a network of {plan.stations} stations with {plan.parcels} promised parcels …")
    async with a_ground(plan.stations, plan.linked, plan.parcels) as ground:
        machine = await ground.machine()
        for name in names:
            figures += await ALL[name](ground, plan, tick)
    return machine, figures
