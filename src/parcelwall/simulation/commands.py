"""`parcelwall replay`, `simulate` and `verify` as the command line calls them: options in, exit code out."""

import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from parcelwall.simulation.check import verify_data
from parcelwall.simulation.faults.run import Report as FaultReport
from parcelwall.simulation.faults.run import hush, simulate
from parcelwall.simulation.replay import replay
from parcelwall.simulation.tally import Report

MOST_SHOWN = 20


async def run_replay(
    file: Path, *, stations: int = 12, policy: str = "standard", seed: int = 1, data: Path | None = None,
    dwell_file: Path | None = None, compartments: int = 40, scale: float = 1.0, as_json: bool = False,
) -> int:  # fmt: skip
    """Replays a file and prints the report. Answers 0 if no book has a violation, else 1; Trouble goes through."""
    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("Reading", total=None)

        def tick(done: int, left: int) -> None:
            progress.update(task, description="Events", completed=done, total=done + left)

        report = await replay(
            file, stations=stations, policy=policy, seed=seed, data=data, dwell_file=dwell_file,
            compartments=compartments, scale=scale, tick=tick,
        )  # fmt: skip
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _show(report)
    if report.first_violation:
        err.print(f"[red]{report.violations} violations, the first: {report.first_violation}[/red]", highlight=False)
    return 1 if report.violations else 0


def _show(report: Report) -> None:
    table = Table(show_header=False, box=None)
    for name in report.__struct_fields__:
        value = getattr(report, name)
        text = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), str("none" if text in ("", None) else text))
    Console().print(table)


async def run_simulate(
    *, seed: int = 1, station_years: float = 0.3, faults: str = "all", town: int | None = None, jobs: int = 1,
    ray: str = "", as_json: bool = False,
) -> int:  # fmt: skip
    """Simulates and prints the report, or the story of the first violation. Answers 0 if there is none, else 1."""
    hush()
    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("Station-days", total=None)

        def tick(done: float, whole: float) -> None:
            progress.update(task, completed=round(done), total=round(whole))

        report = await simulate(seed, station_years, faults, town, tick=tick, jobs=jobs, ray=ray)
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _show_faults(report)
    if report.first_violation:
        err.print(f"[red]{report.violations} violations, the first: {report.first_violation}[/red]", highlight=False)
        for line in report.story:
            err.print(line, highlight=False, markup=False, soft_wrap=True)
        err.print(f"Once more: {report.command}", highlight=False, soft_wrap=True)
    return 1 if report.violations else 0


def _show_faults(report: FaultReport) -> None:
    table = Table(show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name in report.__struct_fields__:
        value = getattr(report, name)
        if name not in ("covered", "missing", "story", "faults"):
            table.add_row(name.replace("_", " "), str("none" if value in ("", None) else value))
    table.add_row("faults", ", ".join(f"{fault} {count}" for fault, count in report.faults.items()) or "none")
    table.add_row("pairs", f"{len(report.covered)} met, {len(report.missing)} of those required never")
    Console().print(table)


async def run_verify(data: Path, *, database_url: str = "", as_json: bool = False) -> int:
    """Verifies the books below a folder. Answers 0 if there is no difference, else 1 and names the first."""
    err = Console(stderr=True)
    with err.status("Replaying every journal …"):
        wrong = await verify_data(data, database_url)
    if as_json:
        said = {"data": str(data), "differences": len(wrong), "first": wrong[0] if wrong else None, "all": wrong}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    elif not wrong:
        compared = any((data / "stations").glob("*.sqlite"))
        agree = "hub and stations agree" if compared else "no station's book lies there to compare"
        Console().print(f"Every book is whole: replay equals tables, chains hold, {agree}.", soft_wrap=True)
    else:
        for text in wrong[:MOST_SHOWN]:
            Console().print(text, highlight=False, markup=False, soft_wrap=True)
        if len(wrong) > MOST_SHOWN:
            Console().print(f"and {len(wrong) - MOST_SHOWN} more")
    return 1 if wrong else 0
