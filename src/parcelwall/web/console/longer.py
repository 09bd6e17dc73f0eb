"""Keeping a whole area longer, in a storm or a strike: chosen stations, how many parcels that is, a minute to take it
back, and a second person before it begins."""

from typing import Any

from litestar import Request, Response, get, post

from parcelwall.errors import Refusal
from parcelwall.hub import acts, watching
from parcelwall.hub.acts import Longer
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person, SignIn
from parcelwall.web.console.gate import HOME, back, chosen, known_station, look, must, posted, top
from parcelwall.web.console.views import LongerView
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

PATH = f"{HOME}/longer"
HOURS = 48


@get("/console/longer", include_in_schema=False)
async def longer_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    must(sign_in, "extend", next(iter(sign_in.person.area), None))
    return page(renderer, await _view(request, hub, sign_in, Longer((), HOURS, ""), None), look(request))


@post("/console/longer", status_code=200, include_in_schema=False)
async def keep_longer(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer) -> Response[Any]:
    """First how many parcels it would be, then the act itself, which waits for a second person or for a minute."""
    form = await posted(request, sign_in)
    stations = await chosen(request, "station") if form.get("all") != "yes" else _all_of(hub, sign_in.person)
    for station in stations or (next(iter(sign_in.person.area), None),):
        must(sign_in, "extend", station)
    for station in stations:
        known_station(hub, station)
    hours = form.get("hours", "")
    longer = Longer(stations, int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 5 else 0,
                    form.get("reason", "").strip())  # fmt: skip
    if form.get("do") != "send":
        inside = await acts.inside(hub, stations)
        return page(renderer, await _view(request, hub, sign_in, longer, inside), look(request))
    try:
        act = await acts.ask_to_keep_longer(hub, sign_in.person, longer)
    except Refusal as no:
        return back(PATH, no=no)
    return back(PATH, "second" if act.state == "waiting" else "agreed")


def _all_of(hub: Hub, person: Person) -> tuple[str, ...]:
    """Every station of this person's area, as in a storm."""
    return tuple(sorted(each for each in hub.stations.known if person.sees(each)))


async def _view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, longer: Longer, inside: int | None
) -> LongerView:
    person = sign_in.person
    stations = await watching.all_at_a_glance(hub, person)
    under_way = [act for act in await acts.under_way(hub, person) if act.kind == "keep_longer"]
    return LongerView(
        top=await top(request, hub, sign_in, "longer"),
        stations=tuple((each, each.id in longer.stations) for each in sorted(stations, key=lambda each: each.name)),
        hours=longer.hours or HOURS, reason=longer.reason, inside=inside,
        alone=inside is not None and inside <= hub.policy.parcels_alone, acts=tuple(under_way), me=person.id,
        may_agree=person.may("agree", next(iter(person.area), None)),
    )  # fmt: skip
