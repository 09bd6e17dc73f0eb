"""`parcelwall plan ...`: each command reads tables, writes a readable report and a plan file, and touches nothing else.

Heavy libraries are imported inside the commands, so that a station or a hub without them starts as fast as before.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console

from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble
from parcelwall.planning import typed
from parcelwall.planning.at_hub import Centre, at_hub, in_database
from parcelwall.planning.libraries import Planning
from parcelwall.planning.whole_file import refuse_unwritable, refuse_unwritable_folder, write_whole
from parcelwall.rules.tables import AdmissionRow
from parcelwall.workers import workers

app = typer.Typer(
    cls=Planning, help="Plans: writes a report and a plan file, and never touches operations.", no_args_is_help=True
)


@app.callback()
def plan() -> None:
    """Plans: writes a report and a plan file, and never touches operations."""


def _some(given: float | Sequence[float] | None) -> Any:
    """An option as it is. Raises BadParameter for what is no number: `inf` passes every `min`."""
    told = given if isinstance(given, Sequence) else [0.0 if given is None else given]
    if not all(map(isfinite, told)):
        raise typer.BadParameter("write a number, such as 1.5")
    return given


FARTHEST_M = 2.1e7  # more than half around the Earth
Out = Annotated[Path | None, typer.Option("--out", help="Folder for report.html and plan.json. Default: plan-<what>.")]
Country = Annotated[str, typer.Option(help="Whose holidays: FI, FR, DE, PL, ... Default: by each station's zone.")]
Data = Annotated[Path | None, typer.Option("--data", help="Where the hub's data lie.")]
DatabaseUrl = Annotated[str | None, typer.Option(envvar="DATABASE_URL", help="The hub's PostgreSQL.")]
Goal = Literal["walk", "reach", "choice", "cost", "all"]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1)]
Json = Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")]
Ray = Annotated[str, typer.Option(help="Address of a Ray cluster to work on instead of here, or: local.")]


@app.command()
def site(
    file: Annotated[Path, typer.Argument(help="Demand (lat, lon, parcels_per_day), or a problem of the OR-Library.")],
    candidates: Annotated[Path | None, typer.Option(help="Where a station might stand: id, lat, lon, ...")] = None,
    goal: Annotated[Goal, typer.Option(help="walk, reach, choice, cost or all: docs/planning/site.md.")] = "walk",
    open_: Annotated[int | None, typer.Option("--open", help="How many stations, standing ones included.")] = None,
    radius_m: Annotated[
        float, typer.Option(help="For reach and all: how far people go.", min=0, max=FARTHEST_M, callback=_some)
    ] = 500.0,
    budget: Annotated[
        list[float] | None, typer.Option(help="Money of a year; once for each year.", min=0, max=1e12, callback=_some)
    ] = None,
    growth: Annotated[
        float, typer.Option(help="Of demand, a year: 0.2 is a fifth more.", min=-0.99, max=10, callback=_some)
    ] = 0.0,
    per_km: Annotated[
        float, typer.Option(help="For cost: what a kilometre of walking costs.", min=0, max=1e9, callback=_some)
    ] = 1.0,
    logit_per_km: Annotated[
        float, typer.Option(help="For choice: how fast people lose interest.", min=0, max=100, callback=_some)
    ] = 2.0,
    seconds: Annotated[float, typer.Option(help="Time for the solver.", min=1, callback=_some)] = 600.0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Where to open stations, proven to be best if time allows. Budgets make it a plan over years."""
    from parcelwall.planning.site_plan import Wish, plan

    wish = Wish(goal=goal, open=open_, radius_m=radius_m, budgets=tuple(budget or ()), growth=growth, per_km=per_km,
                logit_per_km=logit_per_km, seconds=seconds)  # fmt: skip
    _tell(lambda tick: plan(file, candidates, wish, tick), out or Path("plan-site"), as_json)


@app.command()
def rounds(
    file: Annotated[Path, typer.Argument(help="Orders, stations and depot, or a problem in VRPLIB format (.vrp).")],
    only_set: Annotated[str | None, typer.Option("--set", help="Only rows whose column `set` is this.")] = None,
    vehicles: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    capacity: Annotated[int, typer.Option(help="Parcels in a vehicle.", min=1, max=1_000_000)] = 150,
    speed_kmh: Annotated[float, typer.Option(min=1, max=1_000, callback=_some)] = 25.0,
    walk_m: Annotated[
        float, typer.Option(help="Nobody is sent to a station farther away.", min=0, max=FARTHEST_M, callback=_some)
    ] = 1_000.0,
    seconds: Annotated[float, typer.Option(help="Time for routing.", min=1, callback=_some)] = 60.0,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Which rounds to drive, to stations and doors. More cores and more seconds find better ones."""
    from parcelwall.planning.rounds import Fleet
    from parcelwall.planning.rounds_plan import plan

    fleet = Fleet(lat=0, lon=0, vehicles=vehicles, capacity=capacity, speed_kmh=speed_kmh, walk_m=walk_m)
    _tell(lambda tick: plan(file, only_set, fleet, seconds, seed, tick), out or Path("plan-rounds"), as_json)


Worth = Annotated[list[str] | None, typer.Option("--worth", help="Of a service: express=2. Default: 1 each.")]


@app.command()
def admission(
    file: Annotated[Path | None, typer.Argument(help="Past parcels. Default: a hub's journal, or made up.")] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    worth: Worth = None,
    compartments: Annotated[str, typer.Option(help="Of the station, S/M/L.")] = "24/20/8",
    load: Annotated[
        float, typer.Option(help="Without a file: load of the station.", min=0.01, callback=_some)
    ] = 0.9,
    no_show: Annotated[
        float, typer.Option(help="Share of promises whose parcel never comes.", callback=_some)
    ] = 0.003,
    risk: Annotated[float, typer.Option(help="That more come than fit.", callback=_some)] = 0.01,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Whom to admit: what each rule would have served and refused, levels, prices, overbooking at a stated risk.

    From a hub's journal: for each of its stations, thresholds for the coming days, to be adopted by an admin.
    """
    if file is None and (data is not None or database_url):
        _tell(lambda tick: _night(data, database_url, worth, seed, False, tick), out or Path("plan-admission"), as_json)
        return
    from parcelwall.planning.admission_plan import Wish, plan

    wish = Wish(compartments=tuple(int(n) for n in typed.numbers(compartments)), load=load, no_show=no_show, risk=risk,
                seed=seed)  # fmt: skip
    _tell(lambda tick: plan(file, wish, tick), out or Path("plan-admission"), as_json)


@app.command()
def nightly(
    data: Data = None,
    database_url: DatabaseUrl = None,
    worth: Worth = None,
    on_drift: Annotated[bool, typer.Option("--on-drift", help="Only stations whose demand has drifted.")] = False,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """For a timer, each night: plans admission anew from the journal. Where a row `nightly` says so for a station, its
    rows are adopted at once; everything else is a proposal. docs/planning/admission.md."""
    folder = out or Path("plan-nightly")
    found = _tell(lambda tick: _night(data, database_url, worth, seed, on_drift, tick), folder, as_json)
    digest = hashlib.sha256((folder / "plan.json").read_bytes()).hexdigest()
    adopted = found.adopted
    for by_row in sorted(set(found.by_itself.values())):
        rows = [row for row in found.rows if found.by_itself.get(row.station) == by_row]
        act = partial(adopt_by_itself, rows=rows, plan=digest, by_row=by_row, after=adopted)
        at_hub(data, database_url, act)
        adopted += len(rows)
        over = sum(row.rule == "ended" for row in rows)
        said = f"{len(rows) - over} rows are in force and {over} ended, by {by_row}."
        Console(stderr=True, soft_wrap=True).print(said, markup=False)


async def adopt_by_itself(hub: Centre, rows: Sequence[AdmissionRow], plan: str, by_row: str, after: int) -> None:
    """Rows that a row `nightly` lets come into force without anybody, all or none: the journal says by which one.
    Raises Trouble if any were adopted since the plan read the journal, with `after` in it: that row may be over."""
    await hub.adopt_rows(rows, plan, by_row=by_row, after=after)


def _night(
    data: Path | None, database_url: str | None, worth: Sequence[str] | None, seed: int, on_drift: bool,
    tick: Callable[[str], None],
) -> tuple[Any, Any]:  # fmt: skip
    from parcelwall.planning.nightly_report import from_journal

    now, paid = SystemClock().now(), typed.worth(worth or ())
    return in_database(data, database_url, lambda c: from_journal(c, now, paid, seed, on_drift, tick))


@app.command()
def mix(
    file: Annotated[Path | None, typer.Argument(help="Past parcels. Default: the reference generator.")] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    column: Annotated[
        list[str] | None, typer.Option(help="With --data: a column to try, S=6,M=3. Default: those that stand there.")
    ] = None,
    start: Annotated[str, typer.Option(help="Compartments now, S/M/L.")] = "24/20/8",
    heights: Annotated[str, typer.Option(help="Millimetres of column that one takes, S/M/L.")] = "80/190/410",
    total_mm: Annotated[int | None, typer.Option(help="Of all columns. Default: what the start takes.")] = None,
    least: Annotated[str, typer.Option(help="At least so many, S/M/L.")] = "0/0/0",
    worth: Annotated[str, typer.Option(help="What serving a parcel is worth, S/M/L.")] = "1/1/1",
    floor: Annotated[
        float, typer.Option(help="Share of each size that must be served.", min=0, max=1, callback=_some)
    ] = 0.6,
    load: Annotated[
        float, typer.Option(help="Without a file: load of the start mix.", min=0.01, callback=_some)
    ] = 0.9,
    seed: Seed = 1,
    jobs: Annotated[int, typer.Option(help="Mixes judged at a time, each in a process.")] = 1,
    ray: Ray = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Which compartment sizes to build: past parcels replayed with other mixes, judged on later ones.

    From a hub's journal: at which of its stations one more column would have saved refusals, and how many a week.
    """
    if file is None and (data is not None or database_url):
        _columns(data, database_url, column or [], seed, (jobs, ray), out, as_json)
        return
    from parcelwall.planning.mix_plan import Wish, plan

    if column or data is not None:
        raise Trouble("--data and --column are of a hub's journal: leave out the file, or them")
    given = (("start", start), ("height_mm", heights), ("least", least))
    whole = {name: tuple(int(n) for n in typed.numbers(text)) for name, text in given}
    wish = Wish(**whole, worth=typed.numbers(worth), total_mm=total_mm, floor=floor, load=load, seed=seed)
    with nullcontext() if jobs == 1 and not ray else workers(jobs, ray) as pool:
        _tell(lambda tick: plan(file, wish, tick, pool), out or Path("plan-mix"), as_json)


def _columns(
    data: Path | None, database_url: str | None, column: Sequence[str], seed: int, work: tuple[int, str],
    out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from parcelwall.planning.one_column_report import made, read

    now, tried = SystemClock().now(), [typed.column(text) for text in column]
    history, wanted = in_database(data, database_url, lambda connection: read(connection, now))
    with nullcontext() if work == (1, "") else workers(*work) as pool:
        _tell(lambda tick: made(history, wanted, now, tried, seed, tick, pool), out or Path("plan-mix"), as_json)


@app.command()
def forecast(
    file: Annotated[Path | None, typer.Argument(help="A pick-up point's CSV. Default: the hub's journal.")] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    country: Country = "",
    zone: Annotated[str, typer.Option(help="Of a file's clock, for calendars: Europe/Paris.")] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the forecasts, to be scored when their day has come.")
    ] = False,
    score: Annotated[bool, typer.Option("--score", help="Score what was kept, and tell how forecasts did.")] = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Load one to seven days ahead by station, dwell curves and visit calendars. docs/planning/forecast.md.

    Refuses --keep and --score with a file, and both at once.
    """
    from parcelwall.planning.forecast_report import from_file, from_journal, scored

    if zone and file is None:
        raise Trouble("--zone is of a file: the journal knows each station's")
    if (file is not None and (keep or score)) or (keep and score):
        raise Trouble("--keep and --score are of the hub's journal, and one at a time: leave out the file, or them")
    now, country = SystemClock().now(), country.upper()

    def make(tick: Callable[[str], None]) -> tuple[Any, Any]:
        if file is not None:
            return from_file(file, country, now, tick, zone)
        if score:
            return in_database(data, database_url, lambda connection: scored(connection, now))
        return in_database(data, database_url, lambda c: from_journal(c, country, now, keep, tick))

    _tell(make, out or Path("plan-forecast"), as_json)


@app.command()
def room(
    data: Data = None,
    database_url: DatabaseUrl = None,
    out: Annotated[Path, typer.Option("--out", help="File of tables, for `plan adopt`.")] = Path("room.jsonl"),
    kept: Annotated[
        Path, typer.Option("--learnt", help="What was learnt of each station; learnt anew after a week.")
    ] = Path("room-learnt.jsonl.gz"),
    again: Annotated[bool, typer.Option("--again", help="Learn all of it anew.")] = False,
) -> None:
    """The chance of room at every station, today and seven days ahead, from the hub's journal as it stands now.

    Refuses a hub without a station, and where what was told before promised too much.
    """
    from parcelwall.planning import history, room_report, told, wanted

    now = SystemClock().now()

    async def read(connection: Any) -> Any:
        found = await history.read(connection, now)
        return found, told.score(found, now), await wanted.refused_at(connection, found, now)

    for each in (out, kept):
        refuse_unwritable(each)
    past, chances, refused = in_database(data, database_url, read)
    if no := told.no_tables(chances):
        raise Trouble(no)
    if not past.layouts:
        raise Trouble("the hub has no station yet")
    with Console(stderr=True).status("Reading …") as status:
        made, ways = room_report.make(past, now, kept, again, lambda text: status.update(text), refused)
    write_whole(out, b"".join(msgspec.json.encode(table) + b"\n" for table in made))
    said = [f"Chances of room at {len(made)} stations: {ways}.", told.doubt(chances), f"Tables: {out}"]
    Console(soft_wrap=True).print("\n".join(filter(None, said)), markup=False)


@app.command()
def adopt(
    file: Annotated[Path, typer.Argument(help="plan.json of `plan forecast` or `plan admission`, or room.jsonl.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    station: Annotated[list[str] | None, typer.Option(help="Only tables of these stations.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve without being asked.")] = False,
) -> None:
    """Approves the tables of a plan, all or none: visit calendars, chances of room, rows of admission.

    Says before it asks if one in use was made later.
    """
    from parcelwall.planning.adoption import newer_in_use, read_tables, sum_up

    tables, digest = read_tables(file, station or [], SystemClock().now())
    newer = in_database(data, database_url, lambda connection: newer_in_use(connection, tables))
    Console(soft_wrap=True).print("\n".join(filter(None, [sum_up(tables), newer])), markup=False)
    if not yes and not typer.confirm("Adopt these tables?"):
        raise typer.Exit(1)
    lines = [msgspec.json.encode(table) for table in tables]
    done = at_hub(data, database_url, lambda hub: hub.take_tables(lines, digest))
    told = ", ".join(f"{count} {kind}" for kind, count in done.items())
    Console(soft_wrap=True).print(f"In use: {told}.", markup=False)


def _tell(make: Callable[[Callable[[str], None]], tuple[Any, Any]], folder: Path, as_json: bool) -> Any:
    """Makes a plan while saying what it is at, writes it, and says where it lies; answers the plan. Raises Trouble at
    once where it could not be written."""
    refuse_unwritable_folder(folder)
    with Console(stderr=True).status("Reading …") as status:
        report, found = make(lambda text: status.update(text))
    written, data = report.write(folder, found)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    else:
        Console(soft_wrap=True).print(f"{report.summary}\nReport: {written}\nPlan:   {data}", markup=False)
    return found
