"""The journal of one station, leaf by leaf: what it wrote and what the hub wrote for it, with the chain of hashes."""

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import Parameter

from parcelwall.errors import Refusal
from parcelwall.hub import pages_of_journal
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.notices.language import words
from parcelwall.web.console import said
from parcelwall.web.console.gate import look, must, top
from parcelwall.web.console.views import JournalView
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

Number = Annotated[int, Parameter(ge=1, le=pages_of_journal.NEWEST)]


@get("/console/journal", include_in_schema=False)
async def journal_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, station: str = "",
    writer: str = "", kind: str = "", before: Number = pages_of_journal.NEWEST,
) -> Response[bytes]:  # fmt: skip
    """Raises Refusal for a station that is unknown or not in this person's area, and for a stream of another one."""
    person = must(sign_in, "see", station)
    found = await pages_of_journal.streams_of(hub, station)
    stream = next((each for each in found if each.writer == writer), found[0] if found and not writer else None)
    if stream is None:
        raise Refusal("not_found")
    about = hub.stations.known[station].about
    shown, known = look(request, about.zone), words(look(request).language)
    leaf = await pages_of_journal.leaf(hub, stream, before, kind if kind in said.KIND else "")
    named = {key: known.gettext(text) for key, text in said.KIND.items()}
    view = JournalView(
        await top(request, hub, sign_in, "map"), station, about.name, tuple(found), leaf,
        tuple(sorted(named.items(), key=lambda each: each[1])), kind if kind in said.KIND else "",
        person.may("find", station),
    )  # fmt: skip
    return page(renderer, view, shown)
