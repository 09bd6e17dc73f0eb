"""The command line: `parcelwall` or `python -m parcelwall`. Each command says what it does with --help."""

import asyncio
import contextlib
import logging
import shlex
import signal
import sys
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import structlog
import typer
from rich.console import Console

from parcelwall import __version__
from parcelwall.clock import SystemClock, take_newest_zones
from parcelwall.errors import ParcelwallError, leaves, places_of
from parcelwall.hub import command_line as centre
from parcelwall.ids import Ids
from parcelwall.planning import at_hub
from parcelwall.planning import commands as plans
from parcelwall.settings import HubSettings, default_data_dir, open_folder, read

app = typer.Typer(
    help="Runs networks of 24/7 smart parcel stations.", no_args_is_help=True, pretty_exceptions_enable=False
)
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
app.add_typer(plans.app, name="plan")
app.add_typer(centre.app)  # without a name: its commands stand beside those here
Data = Annotated[Path | None, typer.Option("--data", help="Where data lie. Default: below the system's data folder.")]
DatabaseUrl = Annotated[str | None, typer.Option(envvar="DATABASE_URL", help="PostgreSQL to use. Default: our own.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


log = structlog.get_logger()
FAULT = "This is a fault of Parcelwall ({}): nobody thought of it. Please report the lines above, and what you did."
SILENT = ("Neither a mail server (PARCELWALL_SMTP_HOST) nor text messages (PARCELWALL_SMS_URL) are set: nobody is told "
          "anything, and what happens until they are is not told later.")  # fmt: skip


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"parcelwall {__version__}")
        raise typer.Exit


Version = typer.Option("--version", help="Its version.", is_eager=True, callback=_tell_version)


@app.callback()
def _before_each(version: Annotated[bool, Version] = False) -> None:
    pass


def main() -> None:
    """Runs a command. What the world or a person did wrong is told in one sentence, and exits 1."""
    log_to(sys.stderr)
    take_newest_zones()
    try:
        app()
    except Exception as end:
        tell(end)
        sys.exit(1)


def log_to(file: TextIO) -> None:
    """JSON lines. Of a failure that nobody thought of they say where it was, never its words: they may be of people."""
    logging.getLogger().setLevel(logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file),
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", key="at"),
                    structlog.processors.ExceptionRenderer(lambda failed: list(places_of(failed[1]))),
                    structlog.processors.JSONRenderer()],
    )  # fmt: skip


def tell(end: Exception) -> None:
    """What ended a command: a sentence each, or a fault of ours with its traceback before the sentence."""
    faults = [each for each in leaves(end) if not isinstance(each, ParcelwallError)]
    for no in leaves(end):
        if no not in faults:
            err.print(str(no), style="red", markup=False)  # a key such as [bus] is no markup
    if faults:
        traceback.print_exception(end)
        err.print(FAULT.format(type(faults[0]).__name__), style="red", markup=False)


def _unheard(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What failed where nobody waits for it: a task, a callback. Said as any other failure, without its words."""
    failed = context.get("exception")
    log.error("unheard", reason=type(failed).__name__ if failed else context["message"], exc_info=failed)


def run(job: Coroutine[Any, Any, Any]) -> Any:
    """Runs until it is done, or until somebody says stop (Ctrl-C or SIGTERM): then everything is closed in order."""

    async def guarded() -> Any:
        task = asyncio.ensure_future(job)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_unheard)
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            return await task

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(guarded())


def progress(text: str) -> None:
    """What takes a while is told before it is done, where logs go."""
    err.print(text, highlight=False, markup=False)


centre.run_by(run)
at_hub.reach_hubs_by(centre.ask)


def _code(answered: int | None) -> int:
    """The exit code of a job; one that was interrupted has not succeeded."""
    return centre.INTERRUPTED if answered is None else answered


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play one delivery; exit 0 only if it is whole.")] = False,
    port: Annotated[int, typer.Option(help="First of four ports: hub, then three kiosks. 0: any free.")] = 8600,
    data: Data = None,
    calm: Annotated[float, typer.Option(help="Seconds between the pretend people's acts.")] = 8.0,
    people: Annotated[bool, typer.Option(help="Whether pretend people keep the town alive.")] = True,
    speed: Annotated[float, typer.Option(help="How many times as fast the town's day goes while nobody acts.")] = 60.0,
) -> None:
    """A hub, a dozen stations in Helsinki on pretend boards, a mail sink and pretend people, on this machine."""
    from parcelwall.simulation.folder import emptied, held

    folder = data or default_data_dir() / ("demo-once" if once else "demo")
    port = 0 if once and port == 8600 else port
    with emptied(folder) if once and data is None else held(folder) as own:
        run(_play_once(own, port) if once else _demo(own, port, calm, people, speed))


async def _play_once(folder: Path, port: int) -> None:
    from parcelwall.simulation.demo import a_demo
    from parcelwall.simulation.once import play_once

    ids = Ids(clock := SystemClock())
    async with a_demo(folder, port, clock, ids, say=progress) as running:
        await play_once(running, clock, ids, out.print)
        out.print("[bold]The story is whole.[/bold]")


async def _demo(folder: Path, port: int, calm: float, people: bool, speed: float) -> None:
    from parcelwall.simulation.day import a_living_town, greeting, live

    async with a_living_town(folder, port, speed if people else 1.0, progress) as (running, pace):
        out.print(greeting(running, people))
        if people:
            await live(running, pace, calm, out.print)
        await asyncio.Event().wait()


@app.command()
def hub(
    data: Data = None,
    database_url: DatabaseUrl = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. Default 8600.")] = None,
    public_url: Annotated[str | None, typer.Option(help="What links in notices begin with.")] = None,
    slot: Annotated[int | None, typer.Option(help="Number of this hub process, from 1; each its own.")] = None,
) -> None:
    """The hub's server: API, tracking, recipient's page, console, and the link for stations. docs/operator.md."""
    given = {"data_dir": str(data) if data else None, "database_url": database_url, "host": host, "port": port,
             "public_url": public_url, "slot": slot}  # fmt: skip
    run(_hub(read(HubSettings, given)))


async def _hub(settings: HubSettings) -> None:
    from parcelwall.hub import house
    from parcelwall.hub.running import running
    from parcelwall.web.app import hub_app
    from parcelwall.web.seats import fitting
    from parcelwall.web.serving import listen, serving, told_to_browsers
    from parcelwall.web.tiles import Tiles

    clock = SystemClock()
    bound, seats = listen(settings.host, settings.port), fitting(settings.live_pages, settings.live_pages_of_one)
    if settings.public_url == HubSettings(data_dir=settings.data_dir).public_url:
        settings = msgspec.structs.replace(settings, public_url=f"http://{settings.host}:{bound.getsockname()[1]}")
    progress(house.beginning(settings.data_dir, settings.database_url))
    async with (
        house.opened(settings.data_dir, clock, Ids(clock), settings.database_url, settings.slot) as opened,
        running(opened, settings),
        serving(
            app := hub_app(opened, tiles=Tiles(settings.map_tiles), seats=seats), bound, app.http,
            told_to_browsers(settings.public_url),
        ) as port,
    ):
        out.print(f"Parcelwall hub at http://{settings.host}:{port}")
        if not opened.channels:
            progress(SILENT)
        await asyncio.Event().wait()


station_app = typer.Typer(invoke_without_command=True)
app.add_typer(station_app, name="station")
Config = Annotated[Path | None, typer.Option("--config", help="The station's TOML file. docs/station.md shows one.")]
Untimed = Annotated[bool, typer.Option("--untimed", help="Leave `timeout_ms` as it is.")]


@station_app.callback()
def station(context: typer.Context, config: Config = None) -> None:
    """A station's computer: doors, kiosk page on loopback, line to the hub. Enrols itself on its first start."""
    from parcelwall.station.running import read_settings

    if context.invoked_subcommand is None:
        run(_station(*read_settings(_given(config))))


def _given(config: Path | None) -> Path:
    if config is None:
        raise typer.BadParameter("name the station's TOML file; docs/station.md shows one", param_hint="--config")
    return config


@station_app.command()
def commission(context: typer.Context, config: Config = None, as_json: Json = False, untimed: Untimed = False) -> None:
    """Finds the boards, then walks along the doors with you: you say which one moved. Corrects the file if asked.

    Stop the station first, and empty the compartments.
    """
    from parcelwall.station.commission import run_commission

    file = _given(config or (context.parent.params.get("config") if context.parent else None))
    sys.exit(_code(run(run_commission(file, SystemClock(), as_json, timed=not untimed))))


@station_app.command()
def enrol(context: typer.Context, config: Config = None) -> None:
    """Proves this computer once more to a hub that was restored to before its enrolment. Stop the station first; the
    new claim code stands in its file."""
    from parcelwall.station.running import enrolled_again, read_settings

    settings, _ = read_settings(_given(config or (context.parent.params.get("config") if context.parent else None)))
    clock, path = SystemClock(), settings.data_dir / "station.sqlite"
    out.print(f"This computer is {run(enrolled_again(path, settings, clock, Ids(clock)))} for its hub again.")


@station_app.command()
def renew_key(context: typer.Context, config: Config = None) -> None:
    """Makes a new key for this computer. Stop the station first; the hub takes the key as the station dials next."""
    from parcelwall.station.running import read_settings, renewed_key

    settings, _ = read_settings(_given(config or (context.parent.params.get("config") if context.parent else None)))
    clock, path = SystemClock(), settings.data_dir / "station.sqlite"
    out.print(f"The new key {renewed_key(path, clock, Ids(clock))} counts once this station has dialled its hub.")


@station_app.command()
def screen(
    context: typer.Context,
    config: Config = None,
    browser: Annotated[str, typer.Option(help="The browser's command; the address is put behind it.")] = "",
) -> None:
    """Keeps a browser open on the station's screen, beside the station: started anew when the station was, and when its
    page is silent. Chromium, if nothing else is named."""
    from parcelwall.station.launcher import BROWSER, Launcher
    from parcelwall.station.running import read_settings

    settings, _ = read_settings(_given(config or (context.parent.params.get("config") if context.parent else None)))
    run(Launcher(settings.data_dir / "kiosk.url", SystemClock(), shlex.split(browser) or BROWSER).run())


async def _station(settings: Any, profiles: Any) -> None:
    from parcelwall.drivers import connect_all
    from parcelwall.station import dial, doormap, house
    from parcelwall.station.running import enrolled, read_scanner, until_configured, watch_power
    from parcelwall.web.kiosk import Gate, PassFile, kiosk_app
    from parcelwall.web.reader import renderer
    from parcelwall.web.serving import listen, serving

    clock = SystemClock()
    ids = Ids(clock)
    open_folder(settings.data_dir)
    path, passes = settings.data_dir / "station.sqlite", PassFile(settings.data_dir / "kiosk.url")
    bound = listen(settings.host, settings.port)
    await enrolled(path, settings, clock, ids)

    async with house.opened(path, connect_all(profiles, clock), clock, ids) as opened:
        walk = doormap.Walk(opened.desk, profiles)
        if walk.never or walk.changed:
            err.print(doormap.NEVER if walk.never else doormap.CHANGED, highlight=False, markup=False)
        host = f"{settings.host}:{bound.getsockname()[1]}"
        gate = Gate(ids, host, on_pass=passes.write, before=passes.read())
        async with asyncio.TaskGroup() as tasks, serving(kiosk_app(opened, renderer(), gate), bound):
            tasks.create_task(dial.Line(opened, settings.hub_url).run())
            await until_configured(opened)
            if missing := walk.missing():
                err.print(doormap.words_for(missing), highlight=False, markup=False)
            tasks.create_task(opened.run())
            tasks.create_task(walk.run(clock))
            opened.kiosk.reader_is_here(bool(settings.scanner))
            if settings.scanner:
                tasks.create_task(read_scanner(opened, settings.scanner))
            if settings.ups:
                tasks.create_task(watch_power(opened, settings.ups))
            out.print(f"Parcelwall station {opened.memory.station}; its screen opens with the address in {passes.path}")
            await asyncio.Event().wait()


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="CSV of real orders, .gz or plain. docs/replay.md names its columns.")],
    stations: Annotated[int, typer.Option(help="How many stations.", min=1)] = 12,
    compartments: Annotated[int, typer.Option(help="Compartments of each station.", min=1)] = 40,
    scale: Annotated[float, typer.Option(help="Arrivals multiplied, each copy jittered.")] = 1.0,
    policy: Annotated[str, typer.Option(help="Name of a policy. docs/replay.md lists them.")] = "standard",
    dwell: Annotated[Path | None, typer.Option(help="CSV of real pick-ups. Default: a built-in table.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed replays exactly.")] = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Real orders through the real desks on a virtual clock: what was promised, refused, brought and collected."""
    from parcelwall.simulation.commands import run_replay

    job = run_replay(
        file, stations=stations, policy=policy, seed=seed, data=data, dwell_file=dwell, compartments=compartments,
        scale=scale, as_json=as_json,
    )  # fmt: skip
    sys.exit(_code(run(job)))


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="The same seed replays exactly: the same trace.")] = 1,
    station_years: Annotated[float, typer.Option(help="How much: 7,300 parcels or more each.", min=0.0)] = 0.3,
    faults: Annotated[str, typer.Option(help="all, calm or storm. docs/simulate.md says what each means.")] = "all",
    town: Annotated[int | None, typer.Option(help="Only this town of the run, as a violation names it.")] = None,
    jobs: Annotated[int, typer.Option(help="Towns at a time, each in a process; the story is the same.")] = 1,
    ray: plans.Ray = "",
    as_json: Json = False,
) -> None:
    """The fault simulation: stations, a hub and people on a virtual clock, and everything that may go wrong."""
    from parcelwall.simulation.commands import run_simulate

    job = run_simulate(seed=seed, station_years=station_years, faults=faults, town=town, jobs=jobs, ray=ray,
                       as_json=as_json)  # fmt: skip
    sys.exit(_code(run(job)))


@app.command()
def verify(data: Data = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Replays every journal and compares: chains, tables, hub against stations. Exit 1 names the first difference."""
    from parcelwall.simulation.commands import run_verify

    settings = read(HubSettings, {"data_dir": str(data) if data else None, "database_url": database_url})
    job = run_verify(settings.data_dir, database_url=settings.database_url, as_json=as_json)
    sys.exit(_code(run(job)))


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help=(
        "Speed, all of it if nothing is named: announce, ingest, life, track, offers, replay, kiosk, memory, faces. Or "
        "one of quality, by files or folders: allocation [FILE], forecast FILE, promises FILE, siting DIR, rounds DIR."
    ))] = None,
    runs: Annotated[int, typer.Option(help="Interleaved pairs of each figure.", min=1)] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="One short pair each: does it work at all?")] = False,
    seeds: Annotated[int, typer.Option(help="How many seeds, for figures of quality.", min=1)] = 10,
    as_json: Json = False,
) -> None:
    """Measures, as ratios to a reference in the same run: speed (docs/speed.md), or how good decisions are
    (docs/planning/README.md)."""
    from parcelwall.bench.commands import run as measure

    sys.exit(measure(names or (), json=as_json, runs=runs, quick=quick, seeds=seeds))


if __name__ == "__main__":
    main()
