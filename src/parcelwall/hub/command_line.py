"""The command line of the office: who may use the hub, which stations there are, what follows a restore.

Nothing heavy is imported before a command runs, so that a station without the hub's libraries starts as fast.
"""

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble
from parcelwall.ids import Ids
from parcelwall.rules.rights import ROLES
from parcelwall.settings import HubSettings, read

app = typer.Typer()
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
Data = Annotated[Path | None, typer.Option("--data", help="Where data lie. Default: below the system's data folder.")]
DatabaseUrl = Annotated[str | None, typer.Option(envvar="DATABASE_URL", help="PostgreSQL to use. Default: our own.")]

INTERRUPTED = 130  # as shells have it
_run: list[Callable[[Coroutine[Any, Any, Any]], Any]] = []


def run_by(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    """Tells how a job is run until it is done or stopped. Called once, by the command line."""
    _run[:] = [run]


def ask(data: Path | None, database_url: str | None, act: Any) -> Any:
    """What a hub answers to `act`. Raises its Refusal, or Trouble if it cannot be opened or there is none: only
    `parcelwall hub` makes one."""
    return _run[0](_at_hub(data, database_url, act))


@app.command()
def admit(
    carrier: Annotated[str, typer.Argument(help="Short name, such as acme-post.")],
    name: Annotated[str, typer.Option(help="The company's or the person's name.")] = "",
    role: Annotated[str, typer.Option(help="carrier, viewer, technician, planner, operator or admin.")] = "",
    area: Annotated[list[str] | None, typer.Option(help="A station that a role is for; once for each.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="The role is for all stations again.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Admits a carrier, or one of your people by a role, and prints the API key, once.

    Doing it again makes a new key: the old one, sign-ins and passkeys end. Name, role and area stay, unless given anew.
    An unknown role or station is refused, and to make a carrier one of your people or the other way round.
    """
    from parcelwall.hub.staff import give_key

    if role and role not in ("carrier", *ROLES):
        raise Trouble(f"the role is carrier, {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    if everywhere and area:
        raise Trouble("--everywhere and --area: give one of them")
    where = [] if everywhere else area or None
    key, who, again = ask(data, database_url, lambda h: give_key(h, carrier, name, role, where))
    out.print(key)
    told = "" if who.role == "carrier" else f" at {', '.join(sorted(who.area)) or 'all stations'}"
    ended = " The key, sign-ins and passkeys of before have ended." if again else ""
    err.print(f"{who.id} ({who.name}): {who.role}{told}.{ended} {_place(data, database_url)}", markup=False)


@app.command()
def alone(
    doors: Annotated[int | None, typer.Option(min=0, max=99_999, help="From afar, in ten minutes.")] = None,
    parcels: Annotated[int | None, typer.Option(min=0, max=99_999, help="Kept longer, in a day.")] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """How much one of your people may do without a second one: the policy's `alone_doors` and `alone_parcels`.

    The console and the API lower them. To raise them takes somebody at this machine.
    """
    from parcelwall.hub.policies import let_alone

    now = ask(data, database_url, lambda h: let_alone(h, doors, parcels))
    out.print(f"Alone: {now.doors_alone} doors in ten minutes, {now.parcels_alone} parcels kept longer in a day.")


@app.command()
def configure(
    file: Annotated[Path, typer.Argument(help="TOML: station, name, address, lat, lon, layout. docs/operator.md.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Adds a station to the network, or changes its layout, and prints a claim code for its computer."""
    from parcelwall.hub.station_file import read_station

    about = read_station(file)

    async def act(hub: Any) -> tuple[str, Any]:
        await hub.configure(about)
        return str(await hub.claim(about.station)), hub.stations.known[about.station]

    claim, here = ask(data, database_url, act)
    why = "Its computer is trusted no longer" if here.joined else "No computer has joined it yet"
    waits = "" if here.in_service else f" {why}, and until one has joined it takes no parcels."
    whose = "another computer" if here.joined else "its computer"
    out.print(f"{about.station} is configured.{waits} Claim code for {whose}, good once within 24 hours: {claim}")
    err.print(_place(data, database_url), markup=False)


@app.command()
def claim(
    station: Annotated[str, typer.Argument(help="The station whose computer is to be replaced, such as S-0012.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Prints a claim code for a new computer of a station that is there. The old one's key dies when it is used."""
    code = ask(data, database_url, lambda h: h.claim(station))
    out.print(f"Claim code for a new computer of {station}, good once within 24 hours: {code}")


@app.command()
def revoke(
    station: Annotated[str, typer.Argument(help="The station whose computer was stolen, such as S-0012.")],
    why: Annotated[str, typer.Option(help="For those who read the journal later.")] = "stolen",
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Trusts a station's computer no longer: its line is closed, and its codes open nothing at the next one."""
    ask(data, database_url, lambda h: h.revoke_station(station, why))
    out.print(f"The computer of {station} is revoked. `parcelwall claim {station}` lets another take its place.")


@app.command()
def hub_restored(data: Data = None, database_url: DatabaseUrl = None) -> None:
    """After a restore from a backup, before the hub starts: what it lost comes back from the stations, under the old
    numbers, and what it writes from now on has new ones. docs/operator.md has the drill."""
    epoch = ask(data, database_url, lambda h: h.restored())
    out.print(f"Epoch {epoch} has begun. Start every hub process anew; stations bring back what they know.")


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def database(
    words: Annotated[list[str], typer.Argument(help="pg_dump, pg_restore or psql, and what it is told.")],
    new: Annotated[bool, typer.Option("--new", help="Make an empty database first, to restore into.")] = False,
    data: Data = None,
) -> None:
    """Runs one of PostgreSQL's own programs on the hub's own database, while the hub runs or not. docs/operator.md has
    backup and restore."""
    from parcelwall.hub import tools

    code = _run[0](tools.run(_settings(data).data_dir / "postgres", words, new))
    sys.exit(INTERRUPTED if code is None else code)


def _settings(data: Path | None, database_url: str | None = None) -> HubSettings:
    settings: HubSettings = read(
        HubSettings, {"data_dir": str(data) if data else None, "database_url": database_url}
    )
    return settings


def _place(data: Path | None, database_url: str | None) -> str:
    """Of which hub a command spoke, for whoever has more than one."""
    settings = _settings(data, database_url)
    return f"Hub: {'the given database' if settings.database_url else settings.data_dir}."


async def _at_hub(data: Path | None, database_url: str | None, act: Any) -> Any:
    from parcelwall.hub import house

    settings, clock = _settings(data, database_url), SystemClock()
    async with house.opened(settings.data_dir, clock, Ids(clock), settings.database_url, new=False) as opened:
        return await act(opened)
