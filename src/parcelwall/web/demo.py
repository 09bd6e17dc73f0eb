"""Pages that only the demo has: the way in, the mails that were sent, and the doors that a person can pull and push."""

import base64
import email
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.drivers import DoorState
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.errors import Refusal
from parcelwall.hub import staff
from parcelwall.hub.followers import Bells
from parcelwall.hub.house import Hub
from parcelwall.notices.language import words
from parcelwall.notices.sink import Sink, SunkMail
from parcelwall.station.dial import Line
from parcelwall.station.house import Station
from parcelwall.web.cabinet import State
from parcelwall.web.cabinet import draw as draw_cabinet
from parcelwall.web.console.gate import HOME
from parcelwall.web.console.sign_in import enter, safe
from parcelwall.web.reader import look_of, page
from parcelwall.web.render import HEADERS, Renderer
from parcelwall.web.streams import frames, live_page
from parcelwall.web.views import Face, MailRow, MailsView, MailView, PretendDoor, PretendView, StartView

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
MAILS, DOORS = "demo:mails", "demo:doors"  # what the demo rings for


class Pretend(msgspec.Struct):
    """One station of the demo with what a visitor may do to it."""

    station: Station
    boards: PtyBoards
    line: Line
    kiosk_url: str
    jammed: set[int] = msgspec.field(default_factory=set)
    said: str = ""


class Stage(msgspec.Struct):
    """What the demo's pages show: its stations, its mails, numbers worth trying."""

    stations: dict[str, Pretend]
    sink: Sink
    tries: Callable[[], list[tuple[str, str]]]
    labels: Callable[[str], list[str]]
    office: tuple[tuple[str, str, str], ...] = ()
    """The operator's people of the demo: id, name, role. Anybody may be any of them here."""


@get("/start", include_in_schema=False)
async def start(request: Request[Any, Any, Any], renderer: Renderer, stage: Stage) -> Response[bytes]:
    """The demo's first page."""
    faces = (
        Face("Side by side", "All five faces, following one parcel", "/demo", "arrows-left-right"),
        Face("Tracking", "For anybody with a number", "/", "magnifying-glass"),
        Face("Mails, recipient", "What they were told; its link is their own page", "/mails", "envelope-simple"),
        Face("Courier", "For a phone; its code is below", "/courier", "truck"),
        Face("Console", "All stations, live: as an admin", "/enter?who=operator", "list-checks"),
        Face("Pretend doors", "Pull, push and jam them", "/pretend", "door-open"),
        Face("API", "For carriers' developers", "/docs", "key"),
    )
    kiosks = tuple(
        Face(each.station.desk.about.name if each.station.desk.about else name, "Its screen", each.kiosk_url, "lockers")
        for name, each in stage.stations.items()
    )
    office = tuple(Face(f"{name}, {role}", "At the console as", f"/enter?who={who}", "key")
                   for who, name, role in stage.office)  # fmt: skip
    return page(renderer, StartView(faces, kiosks, tuple(stage.tries()), office), look_of(request))


@get("/enter", include_in_schema=False)
async def enter_console(hub: Hub, stage: Stage, who: str, to: str = HOME) -> Redirect:
    """Into the console as one of the demo's people, without a key. Raises Refusal for anybody else."""
    if who not in {each[0] for each in stage.office}:
        raise Refusal("not_found")
    person = next(each for each in await staff.everybody(hub.pool) if each["id"] == who)
    return await enter(hub, staff.person_of(person), safe(to))


@get("/mails", include_in_schema=False)
async def mails(request: Request[Any, Any, Any], renderer: Renderer, stage: Stage) -> Response[bytes]:
    return page(renderer, _mails(stage), look_of(request, "Europe/Helsinki"))


@get("/mails/events", include_in_schema=False)
async def mails_events(request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, stage: Stage) -> Stream:
    look = look_of(request, "Europe/Helsinki")

    async def draw() -> str:
        return renderer.fragment(_mails(stage), look)

    return live_page(request, frames(hub.bells, MAILS, draw))


def _mails(stage: Stage) -> MailsView:
    newest = sorted(stage.sink.mails(), key=lambda mail: -mail.number)[:100]
    rows = tuple(MailRow(f"/mails/{mail.number}", mail.to, mail.subject, mail.at) for mail in newest)
    return MailsView(rows, events="/mails/events")


@get("/mails/{number:int}", include_in_schema=False)
async def mail(request: Request[Any, Any, Any], number: int, renderer: Renderer, stage: Stage) -> Response[bytes]:
    """One mail, its plain part. Raises Refusal for one that is gone."""
    found = stage.sink.mail(number)
    if found is None:
        raise Refusal("not_found")
    view = MailView(found.subject, found.sender, found.to, found.at, found.text, as_sent=f"/mails/{number}/as-sent")
    return page(renderer, view, look_of(request, "Europe/Helsinki"))


@get("/mails/{number:int}/as-sent", include_in_schema=False)
async def mail_as_sent(number: int, stage: Stage) -> Response[bytes]:
    """The HTML part as a mail program would show it, shut off from everything.

    Raises Refusal for one that is gone.
    """
    found = stage.sink.mail(number)
    if found is None:
        raise Refusal("not_found")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    headers = {**HEADERS, "Content-Security-Policy": policy}
    return Response(_with_picture(found).encode(), media_type="text/html", headers=headers)


def _with_picture(found: SunkMail) -> str:
    """The picture that the mail carries as a part, put into the page."""
    parsed = email.message_from_bytes(found.raw)
    html = found.html
    for part in parsed.walk():
        name = (part.get("Content-ID") or "").strip("<>")
        if name and part.get_content_maintype() == "image":
            data = base64.b64encode(bytes(part.get_payload(decode=True) or b"")).decode()
            html = html.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{data}")
    return html


@get("/pretend", include_in_schema=False)
async def pretend_first(stage: Stage) -> Redirect:
    return Redirect(f"/pretend/{next(iter(stage.stations))}")


@get("/pretend/{station:str}", include_in_schema=False)
async def pretend(
    request: Request[Any, Any, Any], station: str, renderer: Renderer, stage: Stage, door: int | None = None
) -> Response[bytes]:
    view = pretend_view(stage, _of(stage, station), station, look_of(request).language, door)
    return page(renderer, view, look_of(request))


@get("/pretend/{station:str}/events", include_in_schema=False)
async def pretend_events(
    request: Request[Any, Any, Any], station: str, hub: Hub, renderer: Renderer, stage: Stage, door: int | None = None
) -> Stream:
    look = look_of(request)

    async def draw() -> str:
        view = pretend_view(stage, _of(stage, station), station, look.language, door)
        return renderer.fragment(view, look)

    return live_page(request, frames(hub.bells, DOORS, draw))


@post("/pretend/{station:str}/door", include_in_schema=False)
async def use_door(station: str, data: Form, stage: Stage, hub: Hub) -> Redirect:
    """A hand at a door: pull, push, jam, free. Raises Refusal for a door or an act that there is not."""
    here = _of(stage, station)
    written, act = data.get("door", "")[:9], data.get("do", "")
    number = int(written) if written.isascii() and written.isdigit() else 0
    if number not in here.station.desk.plan.place:
        raise Refusal("not_found")
    acts: dict[str, Callable[[], Any]] = {
        "pull": lambda: here.boards.push_open(number), "push": lambda: here.boards.push_closed(number),
        "jam": lambda: here.boards.core.jam(number, True), "free": lambda: here.boards.core.jam(number, False),
    }  # fmt: skip
    if act not in acts:
        raise Refusal("bad_field", "Pull, push, jam or free a door.", field="do")
    acts[act]()
    if act in ("jam", "free"):
        here.jammed = here.jammed | {number} if act == "jam" else here.jammed - {number}
    hub.bells.ring([DOORS])
    return Redirect(f"/pretend/{station}?door={number}", status_code=303)


@post("/pretend/{station:str}/scan", include_in_schema=False)
async def scan(station: str, data: Form, stage: Stage) -> Redirect:
    """Holds a label, a code or a QR to the station's reader."""
    here = _of(stage, station)
    text = data.get("label", "").strip()[:512]
    await here.station.kiosk.scanned(text)
    here.said = f"The reader read {text}. The screen now shows: {here.station.kiosk.showing.screen}."
    return Redirect(f"/pretend/{station}", status_code=303)


@post("/pretend/{station:str}/line", include_in_schema=False)
async def use_line(station: str, data: Form, stage: Stage) -> Redirect:
    here = _of(stage, station)
    if data.get("do") == "cut":
        await here.line.cut()
    else:
        here.line.mend()
    return Redirect(f"/pretend/{station}", status_code=303)


def _of(stage: Stage, station: str) -> Pretend:
    if station not in stage.stations:
        raise Refusal("not_found")
    return stage.stations[station]


def pretend_view(stage: Stage, here: Pretend, name: str, language: str, chosen: int | None) -> PretendView:
    """The board as it stands, with whatever the last act answered."""
    about = here.station.desk.about
    assert about is not None, "the demo's stations are configured before its pages open"
    states, known = here.boards.states(), words(language)
    waited_for = {visit.compartment for visit in here.station.desk.unfinished()}
    doors = tuple(
        PretendDoor(each.number, each.size, states.get(each.number) == DoorState.OPEN, each.number in here.jammed,
                    each.number in waited_for)
        for each in about.layout.compartments
    )  # fmt: skip
    shown: dict[int, State] = {
        door.number: "open" if door.open else "fault" if door.jammed else "free" for door in doors
    }
    others = tuple(
        Face(each.station.desk.about.name if each.station.desk.about else key, "", f"/pretend/{key}")
        for key, each in stage.stations.items()
    )
    said, here.said = here.said, ""
    return PretendView(
        station=about.name, station_id=about.station, here=f"/pretend/{name}", doors=doors,
        cabinet_svg=draw_cabinet(about.layout, known, view="operator", states=shown, link=f"/pretend/{name}?door="),
        chosen=chosen, others=others, kiosk=here.kiosk_url, line_cut=here.line.is_cut,
        labels=tuple(stage.labels(name)), said=said,
        events=f"/pretend/{name}/events" + (f"?door={chosen}" if chosen else ""),
    )  # fmt: skip


PAGES = [
    start, enter_console, mails, mails_events, mail, mail_as_sent, pretend_first, pretend, pretend_events, use_door,
    scan, use_line,
]  # fmt: skip


def ring_all(bells: Bells) -> None:
    """The demo's pages are drawn anew; they send only what changed."""
    bells.ring([MAILS, DOORS])
