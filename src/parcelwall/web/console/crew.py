"""Couriers: who is admitted at which station, what they have brought, their code of the day. By id, without names."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import admitted, couriers, lists, reading, round_order, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import SignIn
from parcelwall.rules import facts
from parcelwall.web.console.gate import HOME, back, chosen, look, must, posted, top
from parcelwall.web.console.once import and_no_more, show_once, take_once
from parcelwall.web.console.views_office import CourierRow, CouriersView
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

PATH = f"{HOME}/couriers"
MOST_CARRIERS = 20  # that one admission names, as in the API


@get("/console/couriers", include_in_schema=False)
async def couriers_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    """Who is admitted where, at one station or by the end of an id, if asked so. Of whom was just admitted the code of
    today, once."""
    must(sign_in, "couriers", next(iter(sign_in.person.area), None))
    once, code = take_once(request, hub, sign_in), ""
    if once and sign_in.person.may("couriers", once["station"]):
        code, _ = await reading.courier_code(hub, once["station"], UUID(once["courier"]))
    view = await _view(request, hub, sign_in, code, once["courier"] if code else "")
    return and_no_more(request, hub, page(renderer, view, look(request)))


async def _view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, code: str, code_for: str
) -> CouriersView:  # fmt: skip
    person, names = sign_in.person, await staff.names(hub.pool)
    at, asked = request.query_params.get("station", ""), request.query_params.get("q", "")[:40]
    stations = [at] if at in hub.stations.known and person.sees(at) else person.area
    found = await admitted.admitted(hub, stations, _ending(asked), admitted.MOST + 1)
    mine = ((each.id, each.about.name) for each in hub.stations.known.values() if person.sees(each.id))
    carriers = await lists.carriers(hub)
    return CouriersView(
        await top(request, hub, sign_in, "couriers"),
        tuple(_row(hub, each, names, carriers) for each in found[: admitted.MOST]),
        tuple(sorted(mine, key=lambda each: (each[1], each[0]))), code, code_for, at=at, query=asked,
        more=len(found) > admitted.MOST, new=hub.ids.new(), carriers=tuple(carriers.items()),
        restored_at=await round_order.restored_at(hub),
    )  # fmt: skip


def _ending(asked: str) -> str:
    """Of an id, as it is typed or copied: what is no hex digit is left out, and so no letter changes what is asked."""
    return "".join(sign for sign in asked.lower() if sign in "0123456789abcdef")


def _row(hub: Hub, given: dict[str, Any], names: dict[UUID, str], carriers: dict[str, str]) -> CourierRow:
    body, known = given["body"], hub.stations.known
    by = names.get(UUID(body["actor"]), "") if body.get("actor") else ""
    name = known[body["station"]].about.name if body["station"] in known else body["station"]
    return CourierRow(
        UUID(body["courier"]), UUID(body["grant"]), body["station"], name, given["since"], _until(body),
        tuple(body["may"]), by, given["brought"], given["taken"], given["last_at"],
        tuple(carriers.get(each, each) for each in body.get("carriers", ())),
    )  # fmt: skip


def _until(body: dict[str, Any]) -> datetime | None:
    """When an admission ends by itself; None for one that holds until it is taken back."""
    return datetime.fromisoformat(body["until"]) if body.get("until") else None


@post("/console/couriers/admit", include_in_schema=False)
async def admit_courier(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A new courier, or a known one at another station. The page that follows shows today's code, once. A form that is
    sent twice admits the one courier that it was made for, once. Raises Refusal."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person = must(sign_in, "couriers", station)
    try:
        if station not in hub.stations.known:
            raise Refusal("station_unknown", station=station)
        new = _id(form.get("new", "")) or hub.ids.new()
        courier = _id(form.get("courier", "").strip()) or new
        may: tuple[Any, ...] = ("deposit", "take_back") if form.get("take_back") else ("deposit",)
        grant = facts.Granted(grant=new, station=station, may=may, courier=courier, by="operator", actor=person.actor,
                              carriers=await _carriers(request))  # fmt: skip
        if new not in {each.grant for each in await lists.staff(hub, station)}:
            await lists.admit(hub, grant)
    except Refusal as no:
        return back(PATH, no=no)
    return show_once(hub, sign_in, PATH, {"station": station, "courier": str(courier)})


async def _carriers(request: Request[Any, Any, Any]) -> tuple[str, ...]:
    """Those that were ticked: none is all of them. Raises Refusal for more than an admission names."""
    ticked = tuple(dict.fromkeys(await chosen(request, "carrier")))
    if len(ticked) > MOST_CARRIERS:
        raise Refusal("bad_field", f"At most {MOST_CARRIERS} carriers; none means all.", field="carriers")
    return ticked


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
