"""The courier's pages, for a phone: today's stops, one stop live, scanning, carrying, problems, the outbox, the day.

Each page says what the hub knows; what a courier does without a signal stands in the phone's outbox until it is taken
(`web.courier_outbox`). Signed in by a code that an operator hands out once (`hub.couriers`).
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import couriers, round_order, signed_in
from parcelwall.hub.couriers import Stop
from parcelwall.hub.house import Hub
from parcelwall.notices.language import words
from parcelwall.notices.texts import refusal_text
from parcelwall.web.cabinet import draw as draw_cabinet
from parcelwall.web.cabinet import place_sentence
from parcelwall.web.map import station_map
from parcelwall.web.passkeys import drop, keep, only_from_here, secret_of, whoever
from parcelwall.web.reader import html, look_of
from parcelwall.web.render import POLICY, Renderer
from parcelwall.web.streams import ON_A_PHONE_S, frames, live_page
from parcelwall.web.views import Look
from parcelwall.web.views_courier import (
    CarryView,
    DayLine,
    DayView,
    DoorDone,
    FirstStop,
    OutboxView,
    ProblemView,
    RoundView,
    ScanView,
    SignInView,
    SizeLine,
    StopLine,
    StopView,
)  # fmt: skip
from parcelwall.web.who import Brake, address_of

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
HERE_S = 60.0  # heard from within this is "here"
WITH_CAMERA = {
    "Content-Security-Policy": POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"),
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


def away() -> Redirect:
    """To whoever is not signed in."""
    return Redirect("/courier/sign-in", status_code=303)


async def signed(request: Request[Any, Any, Any], hub: Hub) -> UUID | None:
    """Whose phone it is."""
    found = await whoever(request, hub, "courier")
    return found.holder if found else None


def shown(renderer: Renderer, view: msgspec.Struct, look: Look, status: int = 200) -> Response[bytes]:
    """A page that may use the camera. No page is kept by anything between; the phone's own worker keeps what it may."""
    answer = html(renderer.page(view, look), status)
    answer.headers.update(WITH_CAMERA)
    return answer


@get("/courier/sign-in", include_in_schema=False)
async def sign_in_page(request: Request[Any, Any, Any], renderer: Renderer) -> Response[bytes]:
    return shown(renderer, SignInView(), look_of(request))


@post("/courier/sign-in", include_in_schema=False)
async def sign_in(
    request: Request[Any, Any, Any], data: Form, hub: Hub, renderer: Renderer, invite_brake: Brake
) -> Response[bytes] | Redirect:
    """Ten wrong codes an hour from one address, then none. Refuses another site's form."""
    only_from_here(request)
    look = look_of(request)
    try:
        with invite_brake.one_try(address_of(request), "invite_unknown"):
            courier = await couriers.redeem(hub, data.get("code", "")[:40])
    except Refusal as no:
        notice = refusal_text(no.reason, words(look.language), "phone").whole()
        return shown(renderer, SignInView(notice), look, 403)
    secret = await signed_in.begin(hub, "courier", courier)
    return Redirect("/courier", status_code=303, cookies=[keep(hub, "courier", secret)])


@post("/courier/sign-out", include_in_schema=False)
async def sign_out(request: Request[Any, Any, Any], hub: Hub) -> Redirect:
    """On this phone. Refuses another site's form."""
    only_from_here(request)
    await signed_in.end(hub, secret_of(request, hub, "courier"))
    return Redirect("/courier/sign-in", status_code=303, cookies=[drop(hub, "courier")])


@get("/courier", include_in_schema=False)
async def round_page(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer) -> Response[bytes] | Redirect:
    courier = await signed(request, hub)
    if courier is None:
        return away()
    stops = await couriers.round_of(hub, courier)
    return shown(renderer, round_view(hub, courier, stops), look_of(request, _zone(hub, stops)))


@get("/courier/stop/{station:str}", include_in_schema=False)
async def stop_page(
    request: Request[Any, Any, Any], station: str, hub: Hub, renderer: Renderer
) -> Response[bytes] | Redirect:
    """Raises Refusal for a station that is not on the courier's round."""
    courier = await signed(request, hub)
    if courier is None:
        return away()
    look = look_of(request, round_order.zone_of(hub, station))
    return shown(renderer, await stop_view(hub, courier, station, look), look)


@get("/courier/stop/{station:str}/events", include_in_schema=False)
async def stop_events(request: Request[Any, Any, Any], station: str, hub: Hub, renderer: Renderer) -> Stream:
    """The stop as it is now, drawn anew with every door that the hub hears of. Raises Refusal for strangers."""
    courier = await signed(request, hub)
    if courier is None:
        raise Refusal("sign_in")
    look = look_of(request, round_order.zone_of(hub, station))
    await stop_view(hub, courier, station, look)

    async def draw() -> str:
        return renderer.fragment(await stop_now(request, hub, station, look), look)

    return live_page(request, frames(hub.bells, f"by/{station}", draw, still_s=ON_A_PHONE_S), works_here=True)


@get("/courier/scan", include_in_schema=False)
async def scan_page(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, station: str = ""
) -> Response[bytes] | Redirect:
    courier = await signed(request, hub)
    if courier is None:
        return away()
    return shown(renderer, await scan_view(hub, courier, station), look_of(request))


@get("/courier/carry", include_in_schema=False)
async def carry_page(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer) -> Response[bytes] | Redirect:
    courier = await signed(request, hub)
    return shown(renderer, CarryView(str(courier)), look_of(request)) if courier else away()


@get("/courier/outbox", include_in_schema=False)
async def outbox_page(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer) -> Response[bytes] | Redirect:
    courier = await signed(request, hub)
    return shown(renderer, OutboxView(str(courier)), look_of(request)) if courier else away()


@get("/courier/problem", include_in_schema=False)
async def problem_page(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, station: str = ""
) -> Response[bytes] | Redirect:
    courier = await signed(request, hub)
    if courier is None:
        return away()
    admitted = await couriers.admissions(hub, courier)
    stations = tuple((each, hub.stations.known[each].about.name) for each in sorted(admitted))
    photo = await couriers.photo_rule(hub, list(admitted.values()))
    return shown(renderer, ProblemView(str(courier), stations, station, photo), look_of(request))


@get("/courier/day", include_in_schema=False)
async def day_page(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer) -> Response[bytes] | Redirect:
    courier = await signed(request, hub)
    if courier is None:
        return away()
    stops = await couriers.round_of(hub, courier)
    zone = _zone(hub, stops)
    done = await couriers.done_today(hub, courier, zone)
    lines = tuple(_day_line(hub, stop, done) for stop in stops)
    problems = await couriers.problems_today(hub, courier, zone)
    view = DayView(str(courier), hub.clock.now(), tuple(each for each in lines if each != _idle(each)), problems)
    return shown(renderer, view, look_of(request, zone))


def _day_line(hub: Hub, stop: Stop, done: list[couriers.Done]) -> DayLine:
    here = [each.kind for each in done if each.station == stop.station]
    name = hub.stations.known[stop.station].about.name
    return DayLine(name, here.count("Deposited"), here.count("TakenBack"), stop.to_bring)


def _idle(line: DayLine) -> DayLine:
    """A stop of which there is nothing to say."""
    return DayLine(line.name, 0, 0, 0)


# what the pages show of a station -------------------------------------------------------------------------------------


def round_view(hub: Hub, courier: UUID, stops: list[Stop]) -> RoundView:
    return RoundView(str(courier), lines_of(hub, stops), hub.clock.now())


def lines_of(hub: Hub, stops: list[Stop]) -> tuple[StopLine, ...]:
    """The stops in their order, each with another stop that has room for what finds none there."""
    lines = [line_of(hub, stop) for stop in stops]
    return tuple(msgspec.structs.replace(line, else_where=_room_for(line, lines)) for line in lines)


def line_of(hub: Hub, stop: Stop) -> StopLine:
    about, now = hub.stations.known[stop.station].about, hub.clock.now()
    quiet = stop.seen_at is not None and (now - stop.seen_at).total_seconds() > HERE_S
    return StopLine(
        stop.station, about.name, about.address, stop.to_bring, stop.to_take,
        tuple(SizeLine(*size) for size in stop.sizes), stop.in_service, stop.seen_at if quiet else None,
        place=stop.place, behind=stop.behind,
    )  # fmt: skip


def _room_for(line: StopLine, others: list[StopLine]) -> str:
    """The first other stop with room to spare for each size that is short here."""
    for other in others:
        spare = {size.name: size.free - size.coming for size in other.sizes}
        if line.short and other != line and all(spare.get(size.name, 0) >= size.short for size in line.short):
            return other.name
    return ""


async def stop_now(request: Request[Any, Any, Any], hub: Hub, station: str, look: Look) -> msgspec.Struct:
    """What the open page of a stop shows: how to sign in, where the phone was signed out meanwhile; the round, where
    the stop is the courier's no more."""
    courier = await signed(request, hub)
    if courier is None:
        return SignInView()
    try:
        return await stop_view(hub, courier, station, look)
    except Refusal:
        return round_view(hub, courier, await couriers.round_of(hub, courier))


async def stop_view(hub: Hub, courier: UUID, station: str, look: Look) -> StopView:
    """Raises Refusal for a station that is not on the courier's round, as for one that does not exist."""
    stops = await couriers.round_of(hub, courier)
    stop = next((each for each in stops if each.station == station), None)
    if stop is None:
        raise Refusal("not_found")
    about, known = hub.stations.known[station].about, words(look.language)
    done = [each for each in await couriers.done_today(hub, courier, about.zone) if each.station == station]
    waiting = await couriers.to_take(hub, station, stop.carriers) if "take_back" in stop.may else []
    line = next(each for each in lines_of(hub, stops) if each.station == station)
    return StopView(
        str(courier), line, geo=f"geo:{about.lat},{about.lon}?q={about.lat},{about.lon}",
        map_svg=station_map(about.lat, about.lon), last=await _last(hub, done, about.layout, known),
        endings=tuple(sorted(parcel.selector for parcel in waiting)),
        brought=sum(each.kind == "Deposited" for each in done), taken=sum(each.kind == "TakenBack" for each in done),
        events=f"/courier/stop/{station}/events?lang={look.language}", now=hub.clock.now(),
        first=_first(hub, stops, station), day=round_order.day_at(hub, stops[0].station).isoformat(),
    )  # fmt: skip


async def scan_view(hub: Hub, courier: UUID, station: str) -> ScanView:
    """For scanning at that stop; for scanning anywhere, if it is none of the courier's."""
    stops = await couriers.round_of(hub, courier)
    stop = next((each for each in stops if each.station == station), None)
    if stop is None:
        return ScanView(str(courier))
    labels = couriers.labels_of(await couriers.to_bring(hub, station, stop.carriers))
    return ScanView(
        str(courier), station, hub.stations.known[station].about.name, msgspec.json.encode(labels).decode(),
        first=_first(hub, stops, station), day=round_order.day_at(hub, stops[0].station).isoformat(),
    )  # fmt: skip


def _first(hub: Hub, stops: list[Stop], station: str) -> tuple[FirstStop, ...]:
    found = couriers.first_of(stops, station)
    return tuple(FirstStop(each.station, hub.stations.known[each.station].about.name, each.rule == "enforced")
                 for each in found)  # fmt: skip


async def _last(hub: Hub, done: list[couriers.Done], layout: Any, known: Any) -> DoorDone | None:
    """The last door of this courier here, drawn as the station's screen drew it."""
    if not done:
        return None
    last = done[-1]
    return DoorDone(
        last.compartment, "in" if last.kind == "Deposited" else "out",
        place_sentence(layout, last.compartment, known), draw_cabinet(layout, known, lit=last.compartment),
        last.at, await couriers.ending_of(hub, last.parcel),
    )  # fmt: skip


def _zone(hub: Hub, stops: list[Stop]) -> str:
    """Of the round: that of its first stop."""
    return round_order.zone_of(hub, stops[0].station) if stops else "UTC"
