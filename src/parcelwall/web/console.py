"""The console: for now a plain live table of stations."""

import base64
import contextlib
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotAuthorizedException
from litestar.response import Stream

from parcelwall.errors import Refusal
from parcelwall.hub import reading
from parcelwall.hub.followers import Bells
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import presence
from parcelwall.rules.life import Stage
from parcelwall.rules.places import bits, read_room
from parcelwall.web.reader import look_of, page
from parcelwall.web.render import Renderer
from parcelwall.web.streams import frames, stream
from parcelwall.web.views import StationRow, StationsView
from parcelwall.web.who import Doorman

HERE_S = 60.0  # heard from within this is "here"


class Kiosks(msgspec.Struct):
    """Addresses of kiosks, known only in the demo, where the console is open to whoever looks."""

    urls: dict[str, str] = {}
    open_to_all: bool = False


async def only_operators(request: Request[Any, Any, Any], doorman: Doorman, kiosks: Kiosks) -> None:
    """The browser asks for a name (any) and a password: an operator's key. Raises NotAuthorized, which asks for it."""
    if kiosks.open_to_all:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    with contextlib.suppress(Refusal, ValueError, UnicodeError):
        key = base64.b64decode(given, validate=True).decode().partition(":")[2] if scheme.lower() == "basic" else given
        if (await doorman.who(f"Bearer {key}")).role == "operator":
            return
    raise NotAuthorizedException(headers={"WWW-Authenticate": 'Basic realm="Parcelwall console", charset="UTF-8"'})


@get("/console", include_in_schema=False)
async def console(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, kiosks: Kiosks, doorman: Doorman
) -> Response[bytes]:
    await only_operators(request, doorman, kiosks)
    return page(renderer, await table(hub, kiosks), look_of(request))


@get("/console/events", include_in_schema=False)
async def console_events(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, kiosks: Kiosks, doorman: Doorman
) -> Stream:
    await only_operators(request, doorman, kiosks)
    look = look_of(request)

    async def draw() -> str:
        return renderer.fragment(await table(hub, kiosks), look)

    return stream(frames(hub.bells, Bells.EVERYTHING, draw))


async def table(hub: Hub, kiosks: Kiosks) -> StationsView:
    async with hub.pool.acquire() as connection:
        rows = await presence(connection)
        counted = await connection.fetch(
            "SELECT station, stage, count(*) AS n FROM parcel WHERE stage = ANY($1::text[]) GROUP BY 1, 2",
            [Stage.RESERVED, Stage.READY, Stage.OVERDUE],
        )  # fmt: skip
    counts = {(row["station"], row["stage"]): row["n"] for row in counted}
    now = hub.clock.now()
    shown = [_row(hub, row, counts, kiosks) for row in rows if row["id"] in hub.stations.known]
    return StationsView(tuple(shown), now, events="/console/events")


def _row(hub: Hub, row: dict[str, Any], counts: dict[tuple[str, str], int], kiosks: Kiosks) -> StationRow:
    station = hub.stations.known[row["id"]]
    room, plan = read_room(row["room"]), station.plan
    seen = row["last_seen"]
    quiet = seen is None or (hub.clock.now() - seen).total_seconds() > HERE_S
    faults = tuple(plan.number(place) for place in bits(room.broken | room.held))
    waiting, overdue = (counts.get((station.id, stage), 0) for stage in (Stage.READY, Stage.OVERDUE))
    return StationRow(
        id=station.id, name=station.about.name, address=station.about.address,
        line="never" if seen is None else "quiet" if quiet else "here", heard_at=seen,
        doors=len(station.about.layout.compartments), in_use=room.taken.bit_count(),
        free=tuple(reading.by_size(plan, room).items()), faults=faults, waiting=waiting, overdue=overdue,
        expected=counts.get((station.id, Stage.RESERVED), 0), cases=row["cases"],
        kiosk=kiosks.urls.get(station.id, ""),
    )  # fmt: skip
