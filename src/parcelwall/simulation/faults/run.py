"""`parcelwall simulate`: towns one after another, each with its own weather, until enough station-years have passed."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from functools import cache
from multiprocessing.util import Finalize

import msgspec
import structlog
import uvloop

from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.errors import Trouble
from parcelwall.simulation.faults import kinds
from parcelwall.simulation.faults.chance import Streams
from parcelwall.simulation.faults.ground import Ground, a_ground
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.town import START, Town
from parcelwall.workers import workers

STATIONS, DAYS = 12, 10  # of one town
DAYS_A_YEAR, PARCELS_A_YEAR = 365.0, 7_300.0  # what counts as a station-year: so many days, and so many parcels
Tick = Callable[[float, float], None]  # (station-days done, of how many)


class Report(msgspec.Struct, kw_only=True):
    """What `parcelwall simulate` prints. docs/simulate.md says what each field means."""

    seed: int
    mode: str
    station_years: float
    towns: int
    parcels: int  # put behind a door
    collected: int  # by whoever they are for
    taken_back: int
    refused: dict[str, int]  # of whoever had a right: what they wanted, and the station's reason
    steps: int  # lines of the trace: acts of people, faults, answers of the hub
    faults: dict[str, int]
    covered: dict[str, int]
    missing: list[str]
    violations: int
    first_violation: str | None
    story: list[str]
    command: str  # that shows it again, or the whole run
    trace: str
    seconds: float
    core_seconds: float
    station_years_per_core_hour: float


class Task(msgspec.Struct, frozen=True):
    """One town to simulate, wherever: it depends on nothing else."""

    seed: int
    mode: str
    number: int
    stations: int
    days: int


class Seen(msgspec.Struct, frozen=True):
    """What was seen in one town."""

    task: Task
    parcels: int
    collected: int
    taken_back: int
    refused: dict[str, int]
    steps: int
    faults: dict[str, int]
    covered: dict[str, int]
    violations: int
    first: str | None
    story: list[str]
    digest: str
    core_seconds: float


async def simulate(
    seed: int = 1, station_years: float = 0.3, mode: str = "all", only_town: int | None = None,
    stations: int = STATIONS, days: int = DAYS, tick: Tick | None = None, jobs: int = 1, ray: str = "",
) -> Report:  # fmt: skip
    """Lets towns of so many stations and days go by, in so many processes or on a Ray cluster; the report is the same.

    Raises Trouble for numbers out of range and unknown modes.
    """
    kinds.drawn(mode, Streams("").luck("", VirtualClock(START)))
    if not 0 < station_years <= 100_000 or stations < 1 or days < 1:
        raise Trouble("--station-years must be above 0 and at most 100000")
    clock = SystemClock()
    began, tally = clock.mono(), _Tally()
    tasks = [each for each in towns_of(seed, mode, station_years, stations, days) if only_town in (None, each.number)]
    if not tasks:
        raise Trouble(f"This run has no town {only_town}: they are numbered from 1, as a violation names them")
    async with aclosing(_here(tasks) if jobs == 1 and not ray else _elsewhere(tasks, jobs, ray)) as all_seen:
        async for seen in all_seen:
            tally.take(seen)
            if tick:
                tick(tally.station_days, station_years * DAYS_A_YEAR)
            if seen.violations:
                break
    return tally.made(seed, mode, station_years, clock.mono() - began)


def towns_of(
    seed: int, mode: str, station_years: float, stations: int = STATIONS, days: int = DAYS
) -> Iterator[Task]:  # fmt: skip
    """The towns of a run, one after another, until there are enough."""
    left, number = station_years * DAYS_A_YEAR, 0
    while left > 1e-9:
        number += 1
        here = min(stations, max(1, round(left)))
        long = min(days, max(1, round(left / here)))
        left -= here * long
        yield Task(seed, mode, number, here, long)


async def _here(tasks: list[Task]) -> AsyncGenerator[Seen, None]:
    """One town after another, in this process."""
    async with a_ground() as ground:
        for task in tasks:
            yield await _one(task, ground)


async def _elsewhere(tasks: list[Task], jobs: int, ray: str) -> AsyncGenerator[Seen, None]:
    """Towns in several processes, told in their order. Ray may kill its own: each town has its own ground."""
    with workers(jobs, ray, hush) as pool:
        coming = [pool.submit(_by_itself if ray else _in_a_process, task) for task in tasks]
        try:
            for seen in coming:
                yield await asyncio.wrap_future(seen)
        finally:
            for seen in coming:
                seen.cancel()


def hush() -> None:
    """Faults are no news in a simulation."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class _Process:
    """One process among several: a loop and ground that last as long as it does."""

    def __init__(self) -> None:
        self.runner, self._stack = asyncio.Runner(loop_factory=uvloop.new_event_loop), AsyncExitStack()
        self.ground = self.runner.run(self._stack.enter_async_context(a_ground()))
        Finalize(None, self._close, exitpriority=10)

    def _close(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()


@cache
def _this_process() -> _Process:
    return _Process()


def _in_a_process(task: Task) -> Seen:
    process = _this_process()
    return process.runner.run(_one(task, process.ground))


def _by_itself(task: Task) -> Seen:
    async def on_its_own_ground() -> Seen:
        async with a_ground() as ground:
            return await _one(task, ground)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(on_its_own_ground())


def weather_of(task: Task) -> kinds.Weather:
    """Which faults its seed switches on in a town."""
    streams = Streams(f"{task.seed}/{task.mode}/{task.number}")
    return kinds.drawn(task.mode, streams.luck("weather", VirtualClock(START)))


async def _one(task: Task, ground: Ground) -> Seen:
    """One town, on a database of its own."""
    used_s, weather, ledger = ground.used_s(), weather_of(task), Ledger()
    async with ground.town(task.number) as (dsn, folder):
        town = Town(f"{task.seed}/{task.number}", dsn, folder, ground.shelf, weather, ledger, task.stations)
        try:
            await town.open()
            await town.days(task.days)
            await town.end()
        finally:
            await town.close()
    first = town.violations[0] if town.violations else None
    return Seen(
        task=task, parcels=town.folk.deposits, collected=town.folk.collections, taken_back=town.folk.taken_back,
        refused=dict(town.folk.refusals.counted), steps=town.trace.steps, faults=dict(ledger.faults),
        covered=dict(ledger.covered), violations=len(town.violations), first=first.text if first else None,
        story=town.trace.story(first) if first else [], digest=town.trace.digest,
        core_seconds=ground.used_s() - used_s,
    )  # fmt: skip


class _Tally:
    """What is counted over all towns."""

    def __init__(self) -> None:
        self.ledger, self.station_days, self.core_seconds = Ledger(), 0.0, 0.0
        self.refused = Counter[str]()
        self.towns = self.parcels = self.collected = self.taken_back = self.steps = self.violations = 0
        self.digests: list[str] = []
        self.ill: Seen | None = None  # the town in which a violation was found

    def take(self, seen: Seen) -> None:
        self.towns += 1
        self.station_days += seen.task.stations * seen.task.days
        self.parcels += seen.parcels
        self.collected += seen.collected
        self.taken_back += seen.taken_back
        self.refused.update(seen.refused)
        self.steps += seen.steps
        self.core_seconds += seen.core_seconds
        self.digests.append(seen.digest)
        self.violations += seen.violations
        self.ledger.faults.update(seen.faults)
        self.ledger.covered.update(seen.covered)
        self.ill = seen if seen.violations else self.ill

    def made(self, seed: int, mode: str, asked: float, seconds: float) -> Report:
        years = min(self.station_days / DAYS_A_YEAR, self.parcels / PARCELS_A_YEAR)
        command = f"parcelwall simulate --seed {seed} --station-years {asked:g} --faults {mode}"
        command += f" --town {self.ill.task.number}" if self.ill else ""
        return Report(
            seed=seed, mode=mode, station_years=round(years, 4), towns=self.towns, parcels=self.parcels,
            collected=self.collected, taken_back=self.taken_back, refused=dict(sorted(self.refused.items())),
            steps=self.steps, faults=dict(sorted(self.ledger.faults.items())),
            covered=dict(sorted(self.ledger.covered.items())), missing=self.ledger.missing(),
            violations=self.violations, first_violation=self.ill.first if self.ill else None,
            story=self.ill.story if self.ill else [], command=command,
            trace=hashlib.sha256("".join(self.digests).encode()).hexdigest(), seconds=round(seconds, 2),
            core_seconds=round(self.core_seconds, 2),
            station_years_per_core_hour=round(years / self.core_seconds * 3600, 1) if self.core_seconds > 0 else 0.0,
        )  # fmt: skip
