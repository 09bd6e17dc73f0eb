"""`parcelwall simulate`: towns one after another, each with its own weather, until enough station-years have passed."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import asyncpg
import msgspec

from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.errors import Trouble
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.migrate import migrate
from parcelwall.simulation.faults import kinds
from parcelwall.simulation.faults.chance import Streams
from parcelwall.simulation.faults.cores import core_seconds
from parcelwall.simulation.faults.disk import Shelf, a_shelf
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.town import START, Town

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


async def simulate(
    seed: int = 1, station_years: float = 0.3, mode: str = "all", only_town: int | None = None,
    stations: int = STATIONS, days: int = DAYS, tick: Tick | None = None,
) -> Report:  # fmt: skip
    """Lets towns of so many stations and days go by. Raises Trouble for numbers out of range and unknown modes."""
    kinds.drawn(mode, Streams("").luck("", VirtualClock(START)))
    if not 0 < station_years <= 100_000 or stations < 1 or days < 1:
        raise Trouble("--station-years must be above 0 and at most 100000")
    began, cores = SystemClock().mono(), core_seconds()
    report = _Counting(seed, mode, station_years)
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-simulate-"))
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        dsn = await server.start()
        with a_shelf() as shelf:
            left, number = station_years * DAYS_A_YEAR, 0
            while left > 1e-9:
                number += 1
                here = min(stations, max(1, round(left)))
                long = min(days, max(1, round(left / here)))
                left -= here * long
                if only_town in (None, number):
                    await _one(report, number, dsn, folder, shelf, here, long)
                if tick:
                    tick(station_years * DAYS_A_YEAR - left, station_years * DAYS_A_YEAR)
                if report.first is not None:
                    break
        used = core_seconds(server.pid) - cores
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return report.made(SystemClock().mono() - began, used)


async def _one(
    report: "_Counting", number: int, dsn: str, folder: Path, shelf: Shelf, stations: int, days: int
) -> None:
    """One town, on a database of its own."""
    name, place = f"town_{number}", folder / f"town-{number}"
    place.mkdir()
    town_dsn = dsn.replace("/parcelwall?", f"/{name}?", 1)
    await _sql(dsn, f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(town_dsn)
    try:
        await migrate(connection)
    finally:
        await connection.close()
    streams = Streams(f"{report.seed}/{report.mode}/{number}")
    weather = kinds.drawn(report.mode, streams.luck("weather", VirtualClock(START)))
    town = Town(f"{report.seed}/{number}", town_dsn, place, shelf, weather, report.ledger, stations)
    try:
        await town.open()
        await town.days(days)
        await town.end()
        report.take(town, number, stations * days)
    finally:
        await town.close()
        await _sql(dsn, f"DROP DATABASE {name} WITH (FORCE)", "postgres")
        shutil.rmtree(place, ignore_errors=True)


async def _sql(dsn: str, text: str, user: str | None = None) -> None:
    connection = await asyncpg.connect(dsn, user=user)
    try:
        await connection.execute(text)
    finally:
        await connection.close()


class _Counting:
    """What is counted over all towns."""

    def __init__(self, seed: int, mode: str, asked: float) -> None:
        self.seed, self.mode, self.asked, self.ledger = seed, mode, asked, Ledger()
        self.towns = self.parcels = self.steps = self.violations = 0
        self.station_days = 0.0
        self.first: str | None = None
        self.story: list[str] = []
        self.town = 0
        self.digests: list[str] = []

    def take(self, town: Town, number: int, station_days: float) -> None:
        self.towns += 1
        self.station_days += station_days
        self.parcels += town.folk.deposits
        self.steps += town.trace.steps
        self.digests.append(town.trace.digest)
        self.violations += len(town.violations)
        if town.violations and self.first is None:
            found = town.violations[0]
            self.first, self.story, self.town = found.text, town.trace.story(found), number

    def made(self, seconds: float, cores: float) -> Report:
        years = min(self.station_days / DAYS_A_YEAR, self.parcels / PARCELS_A_YEAR)
        command = f"parcelwall simulate --seed {self.seed} --station-years {self.asked:g} --faults {self.mode}"
        command += f" --town {self.town}" if self.town else ""
        return Report(
            seed=self.seed, mode=self.mode, station_years=round(years, 4), towns=self.towns, parcels=self.parcels,
            steps=self.steps, faults=dict(sorted(self.ledger.faults.items())),
            covered=dict(sorted(self.ledger.covered.items())), missing=self.ledger.missing(),
            violations=self.violations, first_violation=self.first, story=self.story, command=command,
            trace=hashlib.sha256("".join(self.digests).encode()).hexdigest(), seconds=round(seconds, 2),
            core_seconds=round(cores, 2),
            station_years_per_core_hour=round(years / cores * 3600, 1) if cores > 0 else 0.0,
        )  # fmt: skip
