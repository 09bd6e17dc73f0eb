"""A station that is lost with all that lies in it: how many parcels that is, why, and a second person where the policy
says so. A minute later nothing takes it back."""

from typing import Any, ClassVar

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import acts
from parcelwall.hub.acts import Act
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.notices.language import words
from parcelwall.web.console import said
from parcelwall.web.console.gate import HOME, back, known_station, look, must, posted, top
from parcelwall.web.console.station import reason_of
from parcelwall.web.console.views import Top
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer


class WriteOffView(msgspec.Struct, frozen=True):
    """`alone`: whether one person may do it. `acts`: those of this station that are under way."""

    template: ClassVar[str] = "console/write-off.html"
    top: Top
    station: str
    name: str
    inside: int
    alone: bool
    endings: tuple[tuple[str, str], ...]
    acts: tuple[Act, ...]
    me: str
    may_agree: bool
    events: str | None = None


def path_of(station: str) -> str:
    return f"{HOME}/stations/{station}/write-off"


@get("/console/stations/{station:str}/write-off", include_in_schema=False)
async def write_off_page(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    """How many parcels it would be. Raises Refusal for an unknown station and for no right."""
    person = must(sign_in, "end", station)
    known_station(hub, station)
    known, inside = words(look(request).language), await acts.inside(hub, [station])
    under_way = [act for act in await acts.under_way(hub, person) if (act.kind, act.station) == ("write_off", station)]
    view = WriteOffView(
        top=await top(request, hub, sign_in, "map"), station=station, name=hub.stations.known[station].about.name,
        inside=inside, alone=inside <= hub.policy.parcels_alone,
        endings=tuple((key, known.gettext(text)) for key, text in said.STATION_LOST.items()),
        acts=tuple(under_way), me=person.id, may_agree=person.may("agree", station),
    )  # fmt: skip
    return page(renderer, view, look(request))


@post("/console/stations/{station:str}/write-off", include_in_schema=False)
async def write_off_all(request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub) -> Redirect:
    """As many as were shown, and no other number. Raises Refusal for an unknown station and for no right."""
    person = must(sign_in, "end", station)
    known_station(hub, station)
    form = await posted(request, sign_in)
    counted = form.get("parcels", "")
    try:
        if form.get("sure") != "yes" or not (counted.isascii() and counted.isdigit() and len(counted) < 6):
            raise Refusal("bad_field")
        why = reason_of(form, said.STATION_LOST)
        act = await acts.ask_to_write_off(hub, person, station, int(counted), why)
    except Refusal as no:
        return back(path_of(station), no=no)
    return back(path_of(station), "second" if act.state == "waiting" else "agreed")
