"""What is done about a case besides opening a door: it is closed, its photos are looked at, somebody is sent there, its
recipient is told."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import acts, case_notes, photos, reading
from parcelwall.hub.cases import CloseCase
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.web.console.gate import back, must, posted, stood
from parcelwall.web.render import OF_PICTURES


@post("/console/cases/{case:uuid}/close", include_in_schema=False)
async def close_case(request: Request[Any, Any, Any], case: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """Somebody has looked. The outcome is a word for those who read the journal later. Raises Refusal."""
    must(sign_in, "see")
    form = await posted(request, sign_in)
    to = stood(hub, form)
    station = await reading.station_of_case(hub, case)
    person = must(sign_in, "hold", station)
    outcome = form.get("outcome", "").strip()
    try:
        if not outcome or not outcome.isprintable():
            raise Refusal("reason_missing")
        acts.refuse_bad_reason(outcome)
        await hub.desk.ask(CloseCase(case=case, station=station, outcome=outcome, actor=person.actor))
    except Refusal as no:
        return back(to, no=no)
    return back(to, "closed")


@get("/console/cases/{case:uuid}/photos/{index:int}", include_in_schema=False)
async def case_photo(case: UUID, index: int, sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """A picture that a courier took of what went wrong. Raises Refusal for whoever has no right to close the case."""
    must(sign_in, "hold", await reading.station_of_case(hub, case))
    pictures = await photos.of_case(hub, case)
    if not 0 <= index < len(pictures):
        raise Refusal("not_found")
    return Response(pictures[index], media_type="image/jpeg", headers=dict(OF_PICTURES))


@post("/console/cases/{case:uuid}/send", include_in_schema=False)
async def send_someone(request: Request[Any, Any, Any], case: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """That somebody is on the way there: colleagues see it, and nobody sends another. Raises Refusal for no right."""
    must(sign_in, "hold", await reading.station_of_case(hub, case))
    form = await posted(request, sign_in)
    try:
        await case_notes.send(hub, sign_in.person, case, form.get("words", ""))
    except Refusal as no:
        return back(stood(hub, form), no=no)
    return back(stood(hub, form), "sent")


@post("/console/cases/{case:uuid}/tell", include_in_schema=False)
async def tell_recipient(request: Request[Any, Any, Any], case: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """The recipient hears that something is wrong and is seen to. Raises Refusal for no right."""
    must(sign_in, "extend", await reading.station_of_case(hub, case))
    form = await posted(request, sign_in)
    try:
        told = await case_notes.tell(hub, sign_in.person, case)
    except Refusal as no:
        return back(stood(hub, form), no=no)
    return back(stood(hub, form), "told" if told else "nobody_to_tell")
