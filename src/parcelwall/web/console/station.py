"""One station, live: every door, what it wrote last, and a door opened from afar with a reason."""

from collections.abc import Collection
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import acts, passkeys, sites, watching
from parcelwall.hub.acts import OneDoor
from parcelwall.hub.cases import OUT_OF_ORDER, HoldDoor
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import Outlets
from parcelwall.hub.staff import SignIn
from parcelwall.hub.watching import Behind, OneStation
from parcelwall.notices.language import words
from parcelwall.web.cabinet import State
from parcelwall.web.cabinet import draw as draw_cabinet
from parcelwall.web.console import said, telling
from parcelwall.web.console.gate import HOME, Kiosks, live, look, must, posted, top, with_query
from parcelwall.web.console.jobs import Jobs
from parcelwall.web.console.one_act import ask_for_passkey, sent, with_passkey
from parcelwall.web.console.overview import CALM_S, need_rows
from parcelwall.web.console.screen import screen_says
from parcelwall.web.console.sign_in import prove_again
from parcelwall.web.console.views import Chosen, StationView
from parcelwall.web.passkeys import went_well
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer
from parcelwall.web.who import Brake

DRAWN: dict[watching.DoorState, State] = {
    "free": "free", "used": "used", "open": "open", "fault": "fault", "held": "fault", "unknown": "unknown",
}  # fmt: skip


@get("/console/stations/{station:str}", include_in_schema=False)
async def station_page(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, renderer: Renderer, kiosks: Kiosks
) -> Response[bytes]:
    must(sign_in, "see", station)
    return page(renderer, await station_view(request, hub, sign_in, station, kiosks), _look(request, hub, station))


@get("/console/stations/{station:str}/events", include_in_schema=False)
async def station_events(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, renderer: Renderer, kiosks: Kiosks
) -> Stream:
    must(sign_in, "see", station)

    async def view(now: SignIn) -> StationView:
        must(now, "see", station)
        return await station_view(request, hub, now, station, kiosks)

    return live(request, hub, renderer, _look(request, hub, station), view, CALM_S / 4)


def _look(request: Request[Any, Any, Any], hub: Hub, station: str) -> Any:
    known = hub.stations.known.get(station)
    return look(request, known.about.zone if known else "UTC")


async def station_view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, name: str, kiosks: Kiosks
) -> StationView:
    """A station as it is now, with the door that the address names."""
    person = sign_in.person
    one = await watching.one_station(hub, person, name)
    known = words(look(request).language)
    here = f"{HOME}/stations/{name}"
    door = _number(request.query_params.get("door", ""))
    chosen = next((each for each in one.doors if each.number == door), None)
    notes = [site for site in await sites.newest(hub) if site.station == name]
    states = {each.number: DRAWN[each.state] for each in one.doors}
    return StationView(
        top=await top(request, hub, sign_in, "map"), glance=one.glance,
        cabinet_svg=draw_cabinet(one.station.about.layout, known, lit=chosen.number if chosen else None,
                                 view="operator", states=states, link=f"{here}?door="),
        doors=one.doors, acts=tuple(_answered(act, known) for act in await acts.lately_at(hub, name)),
        latest=tuple(
            (each, telling.kind(each.kind, each.body, known), telling.detail(each.kind, each.body, known))
            for each in one.latest
        ),
        needs=tuple(await need_rows(request, hub, person, name)), site=notes[0] if notes else None,
        software=one.software, power=one.power.status if one.power else "",
        charge=one.power.charge_ratio if one.power else None, power_at=one.power_at, to_carry=one.to_carry,
        chosen=_chosen(chosen, one, sign_in, known) if chosen else None, kiosk=kiosks.urls.get(name, ""),
        reasons=tuple((key, known.gettext(text)) for key, text in said.REASONS.items()), me=person.id,
        may_agree=person.may("agree", name),
        passkeys=bool(person.actor and await passkeys.of_holder(hub, person.actor)),
        may_write_off=person.may("end", name) and one.glance.waiting + one.glance.overdue > 0,
        may_take_out=person.may("end", name) and one.glance.overdue > 0,
        screen=await screen_says(hub, person, name), events=with_query(f"{here}/events", request),
    )  # fmt: skip


def _answered(act: acts.Act, known: Any) -> acts.Act:
    """The act with what came of it in words."""
    return msgspec.structs.replace(act, outcome=telling.outcome(act.outcome, known)) if act.outcome else act


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _chosen(door: Behind, one: OneStation, sign_in: SignIn, known: Any) -> Chosen:
    person, station = sign_in.person, one.glance.id
    return Chosen(
        door, may_open=person.may("open", station), may_hold=person.may("hold", station),
        may_find=person.may("find", station),
        about=known.gettext(said.ABOUT.get(door.about, said.SOMETHING)) if door.about not in ("", OUT_OF_ORDER) else "",
    )  # fmt: skip


@post("/console/stations/{station:str}/open", include_in_schema=False)
async def open_door(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, outlets: Outlets, jobs: Jobs,
    office_brake: Brake,
) -> Redirect:  # fmt: skip
    """Opens a door, or asks a second person to agree. What the station says is shown on its page as it comes."""
    must(sign_in, "open", station)
    form = await posted(request, sign_in)
    number = _number(form.get("door", ""))
    to = f"{HOME}/stations/{station}?door={number}"
    try:
        await prove_again(request, sign_in, form, hub, office_brake)
        return _again(to, await _open(hub, outlets, jobs, sign_in, station, form), "said")
    except Refusal as no:
        return _again(to, no.reason, "no")


async def _open(
    hub: Hub, outlets: Outlets, jobs: Jobs, sign_in: SignIn, station: str, form: dict[str, str]
) -> str:  # fmt: skip
    """Begins it. Answers what the page is to say: "asked", or "second" if it waits for a second person."""
    door = OneDoor(_number(form.get("door", "")), reason_of(form))
    act = await acts.ask_for_door(hub, sign_in.person, station, door)
    if act.state == "waiting":
        return "second"
    jobs.start(acts.carry_out_door(hub, outlets, act))
    return "asked"


@post("/console/stations/{station:str}/open/begin", include_in_schema=False)
async def open_begin(request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """What the own passkey is asked to sign: this one door, at this station."""
    must(sign_in, "open", station)
    return await ask_for_passkey(hub, sign_in, _act(station, await sent(request, sign_in)))


@post("/console/stations/{station:str}/open/finish", include_in_schema=False)
async def open_finish(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, outlets: Outlets, jobs: Jobs
) -> Response[bytes]:
    """As `open_door`, with a passkey that was shown for it."""
    must(sign_in, "open", station)
    fields = await with_passkey(request, hub, sign_in, partial(_act, station))
    to = f"{HOME}/stations/{station}?door={_number(fields.get('door', ''))}"
    try:
        return went_well(f"{to}&said={await _open(hub, outlets, jobs, sign_in, station, fields)}")
    except Refusal as no:
        return went_well(f"{to}&no={no.reason}")


def _act(station: str, fields: dict[str, str]) -> str:
    """The one thing that a passkey is shown for."""
    return f"open {station}/{_number(fields.get('door', ''))}"


def reason_of(form: dict[str, str], known: Collection[str] = said.REASONS) -> str:
    """The reason of the list and the words beside it, as the journal keeps them. Raises Refusal for none."""
    key, more = form.get("reason", ""), form.get("words", "").strip()
    if key not in known:
        raise Refusal("reason_missing")
    return f"{key}: {more}" if more else key


def _again(to: str, what: str, kind: str) -> Redirect:
    return Redirect(f"{to}&{kind}={what}", status_code=303)


@post("/console/stations/{station:str}/hold", include_in_schema=False)
async def hold_door(request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub) -> Redirect:
    """Out of order: the compartment is offered to nobody until the case is closed."""
    person = must(sign_in, "hold", station)
    form = await posted(request, sign_in)
    number, why = _number(form.get("door", "")), form.get("words", "").strip()
    to = f"{HOME}/stations/{station}?door={number}"
    try:
        if why:
            acts.refuse_bad_reason(why)
        await hub.desk.ask(HoldDoor(station=station, compartment=number, why=why, actor=person.actor))
    except Refusal as no:
        return _again(to, no.reason, "no")
    return _again(to, "held", "said")
