"""Couriers: who is admitted at which station, what they have brought, their code of the day. By id, without names."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import admitted, couriers, lists, reading, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.rules import facts
from parcelwall.web.console.gate import HOME, back, look, must, posted, top
from parcelwall.web.console.views import CourierRow, CouriersView
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

PATH = f"{HOME}/couriers"


@get("/console/couriers", include_in_schema=False)
async def couriers_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    must(sign_in, "couriers", next(iter(sign_in.person.area), None))
    return page(renderer, await _view(request, hub, sign_in), look(request))


async def _view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, code: str = "", code_for: str = ""
) -> CouriersView:
    names = await staff.names(hub.pool)
    known = hub.stations.known
    rows = []
    for each in await admitted.admitted(hub):
        body = each["body"]
        if not sign_in.person.sees(body["station"]):
            continue
        by = names.get(UUID(body["actor"]), "") if body.get("actor") else ""
        rows.append(CourierRow(
            UUID(body["courier"]), UUID(body["grant"]), body["station"],
            known[body["station"]].about.name if body["station"] in known else body["station"], each["since"],
            None, tuple(body["may"]), by, each["brought"], each["taken"], each["last_at"],
        ))  # fmt: skip
    return CouriersView(
        await top(request, hub, sign_in, "couriers"), tuple(rows),
        tuple(sorted((each.id, each.about.name) for each in known.values() if sign_in.person.sees(each.id))),
        code, code_for,
    )  # fmt: skip


@post("/console/couriers/admit", status_code=200, include_in_schema=False)
async def admit_courier(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[Any]:
    """A new courier, or a known one at another station. The answer shows today's code, once. Raises Refusal."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person = must(sign_in, "couriers", station)
    try:
        if station not in hub.stations.known:
            raise Refusal("station_unknown", station=station)
        courier = _id(form.get("courier", "").strip()) or hub.ids.new()
        may: tuple[Any, ...] = ("deposit", "take_back") if form.get("take_back") else ("deposit",)
        grant = facts.Granted(grant=hub.ids.new(), station=station, may=may, courier=courier, by="operator",
                              actor=person.actor)  # fmt: skip
        await lists.admit(hub, grant)
    except Refusal as no:
        return back(PATH, no=no)
    code, _ = await reading.courier_code(hub, station, courier)
    return page(renderer, await _view(request, hub, sign_in, code, str(courier)), look(request))


def _id(text: str) -> UUID | None:
    """Raises Refusal for what is no id."""
    try:
        return UUID(text) if text else None
    except ValueError as no:
        raise Refusal("bad_field", "A courier's id, or nothing for a new one.", field="courier") from no


@post("/console/couriers/revoke", include_in_schema=False)
async def revoke_courier(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A courier may act at one station no longer; after the last one their phones are signed out, too. Raises Refusal
    for whoever has no right to say so there."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person = must(sign_in, "couriers", station)
    try:
        grant = _id(form.get("grant", ""))
        if station not in hub.stations.known or grant is None:
            raise Refusal("not_found")
        courier = next((each.courier for each in await lists.staff(hub, station) if each.grant == grant), None)
        await lists.revoke(hub, station, grant, person.actor, of_staff=True)
        if courier and not await couriers.admissions(hub, courier):
            await couriers.sign_out(hub, courier)
    except Refusal as no:
        return back(PATH, no=no)
    return back(PATH, "revoked")
