"""Papers of a permit at the console: kept and deleted by who notes sites, downloaded by who may take figures along."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import site_papers
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.web.console.gate import HOME, back, must, posted
from parcelwall.web.reader import download

BODY_LIMIT_BYTES = site_papers.MOST_BYTES + 100_000  # the form around it


@post("/console/sites/papers", include_in_schema=False, request_max_body_size=BODY_LIMIT_BYTES)
async def keep_paper(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A paper more. Raises Refusal for no right."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person, to = must(sign_in, "sites", station), f"{HOME}/sites"
    given = (await request.form()).get("paper")
    try:
        if not isinstance(given, UploadFile):
            raise Refusal("bad_field", field="paper")
        await site_papers.keep(hub, station, given.filename, await given.read(), person.actor)
    except Refusal as no:
        return back(_page(hub, station, to), no=no)
    return back(_page(hub, station, to), "noted")


@get("/console/sites/papers/{station:str}/{digest:str}", include_in_schema=False)
async def fetch_paper(station: str, digest: str, sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """Raises Refusal for no right, and for a paper that is not there."""
    must(sign_in, "export", station)
    found = await site_papers.find(hub, station, digest)
    if found is None:
        raise Refusal("not_found")
    name, kind, content = found
    return download(content, kind, name)


@post("/console/sites/papers/delete", include_in_schema=False)
async def delete_paper(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A paper less. Raises Refusal for no right."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person, to = must(sign_in, "sites", station), f"{HOME}/sites"
    try:
        await site_papers.delete(hub, station, form.get("digest", ""), person.actor)
    except Refusal as no:
        return back(_page(hub, station, to), no=no)
    return back(_page(hub, station, to), "noted")


def _page(hub: Hub, station: str, to: str) -> str:
    return f"{to}?station={station}" if station in hub.stations.known else to
