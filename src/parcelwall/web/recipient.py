"""The recipient's page: one parcel, by the secret link from the notice. Readable without JavaScript."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import reading, tries
from parcelwall.hub.commands import Extend
from parcelwall.hub.delegates import Delegate, granted, take_back
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import OpenDoor, Outlets, open_now
from parcelwall.hub.tell import code_of, token_of
from parcelwall.notices import times
from parcelwall.notices.language import words
from parcelwall.notices.texts import refusal_text, state_text
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.sentence import sentence
from parcelwall.web.cabinet import draw as draw_cabinet
from parcelwall.web.cabinet import place_sentence
from parcelwall.web.complaints import complain
from parcelwall.web.reader import look_of, page
from parcelwall.web.render import Renderer
from parcelwall.web.streams import frames, stream
from parcelwall.web.tracking import place_of, say_linked, steps_of, zone_of
from parcelwall.web.views import Extension, Look, NotFoundView, Other, OwnDoor, RecipientStage, RecipientView

STAGES: dict[Stage, RecipientStage] = {
    Stage.ANNOUNCED: "coming", Stage.RESERVED: "coming", Stage.READY: "ready", Stage.OVERDUE: "late",
    Stage.COLLECTED: "collected", Stage.TAKEN_BACK: "gone", Stage.DIVERTED: "diverted", Stage.CANCELLED: "cancelled",
}  # fmt: skip
OF_OPENING = ("station_offline", "not_present", "order_late", "order_unknown", "order_repeated", "door_busy",
              "door_failed", "too_many_tries", "wrong_code", "wrong_stage")  # fmt: skip
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/p/{secret:str}", include_in_schema=False)
async def parcel_page(
    request: Request[Any, Any, Any], secret: str, hub: Hub, renderer: Renderer, said: str = "",
    grant: UUID | None = None,
) -> Response[bytes]:
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        return page(renderer, NotFoundView(link=True), look_of(request), 404)
    look = await _look(request, hub, parcel)
    return page(renderer, await view(hub, parcel, secret, look, said, grant), look)


@get("/p/{secret:str}/events", include_in_schema=False)
async def parcel_events(
    request: Request[Any, Any, Any], secret: str, hub: Hub, renderer: Renderer, said: str = "",
    grant: UUID | None = None,
) -> Stream:
    """The page as it is now, drawn anew when something happens to the parcel."""
    parcel = await reading.by_link(hub, "recipient", secret)
    look = await _look(request, hub, parcel) if parcel else look_of(request)

    async def draw() -> str:
        now = await reading.by_link(hub, "recipient", secret)
        shown = await view(hub, now, secret, look, said, grant) if now else NotFoundView(link=True)
        return renderer.fragment(shown, look)

    return stream(frames(hub.bells, str(parcel.id) if parcel else "nobody", draw))


@post("/p/{secret:str}/extend", include_in_schema=False)
async def extend(request: Request[Any, Any, Any], secret: str, hub: Hub) -> Redirect:
    """Keep it longer. The page says what came of it. Raises Refusal for an unknown link."""
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        raise Refusal("not_found")
    try:
        await hub.desk.ask(Extend(carrier=None, parcel=parcel.id, by="recipient"))
        said = "kept"
    except Refusal as no:
        said = no.reason
    return Redirect(f"/p/{secret}?said={said}", status_code=303)


@post("/p/{secret:str}/open", include_in_schema=False)
async def open_door(secret: str, data: Form, hub: Hub, outlets: Outlets) -> Redirect:
    """I am here, open: with the number that the station's screen shows. Raises Refusal for an unknown link."""
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        raise Refusal("not_found")
    try:
        said = await _open(parcel, data.get("number", "")[:10], hub, outlets)
    except Refusal as no:
        said = no.reason
    return Redirect(f"/p/{secret}?said={said}", status_code=303)


async def _open(parcel: Parcel, number: str, hub: Hub, outlets: Outlets) -> str:
    """What became of it, in a word. Five wrong numbers, and this parcel's page waits ten minutes.

    Whether an order that nobody answered was a wrong number is not known, so it counts.
    """
    if parcel.station is None:
        raise Refusal("wrong_stage")
    trying = f"open/{parcel.id}"
    if not await tries.take(hub, trying):
        raise Refusal("too_many_tries")
    try:
        command = OpenDoor(station=parcel.station, parcel=parcel.id, by="recipient", reason="asked by phone")
        _, outcome = await open_now(hub, outlets, command, number.strip())
    except Refusal as no:
        if no.reason != "not_present":
            await tries.forgive(hub, trying)
        raise
    if outcome == "opened":
        await tries.forgive(hub, trying)
    return outcome


@post("/p/{secret:str}/grants", include_in_schema=False)
async def delegate(secret: str, hub: Hub) -> Redirect:
    """Somebody else collects: the page then shows their QR; five in ten minutes at most, as each is kept for good.

    Raises Refusal for an unknown link.
    """
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        raise Refusal("not_found")
    if not await tries.take(hub, f"grants/{parcel.id}"):
        return Redirect(f"/p/{secret}?said=too_many_tries", status_code=303)
    try:
        asked = f"grant={(await hub.desk.ask(Delegate(parcel=parcel.id))).body['grant']}"
    except Refusal as no:
        asked = f"said={no.reason}"
    return Redirect(f"/p/{secret}?{asked}", status_code=303)


@post("/p/{secret:str}/grants/{grant:uuid}/revoke", include_in_schema=False)
async def take_back_grant(secret: str, grant: UUID, hub: Hub) -> Redirect:
    """Nobody else collects after all. Raises Refusal for an unknown link or a grant that is not of this parcel."""
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        raise Refusal("not_found")
    await take_back(hub, parcel, grant)
    return Redirect(f"/p/{secret}", status_code=303)


@post("/p/{secret:str}/problem", include_in_schema=False)
async def problem(request: Request[Any, Any, Any], secret: str, data: Form, hub: Hub) -> Redirect:
    """Something is wrong: a case, which the page then names. Raises Refusal for an unknown link."""
    parcel = await reading.by_link(hub, "recipient", secret)
    if parcel is None:
        raise Refusal("not_found")
    await complain(hub, parcel, data.get("what", ""))
    return Redirect(f"/p/{secret}", status_code=303)


async def _look(request: Request[Any, Any, Any], hub: Hub, parcel: Parcel) -> Look:
    """In the recipient's own language, and the zone of the station."""
    asked = request.query_params.get("lang")
    person = None if asked else await reading.person_of(hub, parcel)
    return look_of(request, zone_of(hub, parcel), person.language if person else "")


async def view(
    hub: Hub, parcel: Parcel, secret: str, look: Look, said: str = "", grant: UUID | None = None
) -> RecipientView:
    """The parcel as its recipient sees it: own code, own door, time left."""
    known, now = words(look.language), hub.clock.now()
    told = sentence(parcel, now)
    saying = say_linked(hub, parcel, told, known, look.zone)
    inside = parcel.stage in INSIDE
    free = inside and not parcel.blocked
    heading, line = str(saying.heading), str(saying.line)
    if parcel.stage == Stage.READY and (station := hub.stations.known.get(parcel.station or "")):
        until = times.moment(parcel.collect_by, look.zone, known) if parcel.collect_by else ""
        said_of = {"station": station.about.name, "door": parcel.compartment, "place": "", "time": until}
        heading, line = str(state_text("ready", known, **said_of).heading), ""
    code = code_of(hub, parcel) if free and parcel.proof == "code" else ""
    left = max(timedelta(0), parcel.collect_by - now) if parcel.collect_by and inside else timedelta(0)
    total = parcel.collect_by - parcel.deposited_at if parcel.collect_by and parcel.deposited_at else timedelta(0)
    notice, refused = _notice(said, parcel, known, look)
    return RecipientView(
        stage=STAGES[parcel.stage], heading=heading, line=line, reference=parcel.reference, here=f"/p/{secret}",
        events=_events(secret, look, said, grant), station=place_of(hub, parcel) if parcel.station else None,
        door=_door(hub, parcel, look) if inside else None, code=(code[:4], code[4:]) if code else (),
        qr=token_of(hub, parcel) if free else "",
        collect_by=parcel.collect_by if inside else None, left_s=int(left.total_seconds()),
        total_s=int(total.total_seconds()) if inside else 0, steps=steps_of(parcel, told, known) if not inside else (),
        extension=_extension(hub, parcel), notice=notice, refused=refused,
        case=await reading.open_case_of(hub, parcel) or "", can_report=inside or parcel.stage == Stage.COLLECTED,
        can_open=free and parcel.proof != "verified", other=await _other(hub, parcel, grant) if free else None,
    )  # fmt: skip


def _events(secret: str, look: Look, said: str, grant: UUID | None) -> str:
    """Where this very page goes on: what it was just told stays on it."""
    more = {name: value for name, value in (("said", said), ("grant", grant)) if value}
    return f"/p/{secret}/events?" + urlencode({"lang": look.language, **more})


async def _other(hub: Hub, parcel: Parcel, grant: UUID | None) -> Other | None:
    """The QR of somebody else who may collect, while that is so."""
    found = await granted(hub, parcel, grant) if grant else None
    if found is None or found.until is None:
        return None
    return Other(str(found.grant), token_of(hub, parcel, found), found.until)


def _door(hub: Hub, parcel: Parcel, look: Look) -> OwnDoor | None:
    station = hub.stations.known.get(parcel.station or "")
    if station is None or parcel.compartment is None:
        return None
    known, layout = words(look.language), station.about.layout
    return OwnDoor(
        parcel.compartment, place_sentence(layout, parcel.compartment, known),
        draw_cabinet(layout, known, lit=parcel.compartment),
        within_reach=parcel.reach and layout.compartment(parcel.compartment).within_reach,
    )  # fmt: skip


def _extension(hub: Hub, parcel: Parcel) -> Extension | None:
    if parcel.stage not in INSIDE or parcel.extensions >= hub.policy.extensions or parcel.collect_by is None:
        return None
    return Extension(max(parcel.collect_by, hub.clock.now()) + timedelta(hours=hub.policy.extend_hours))


def _notice(said: str, parcel: Parcel, known: Any, look: Look) -> tuple[str, bool]:
    """What was just done or refused, in one sentence; before all, that nobody may collect it now."""
    if parcel.blocked and parcel.stage in INSIDE:
        return refusal_text("held_back", known, "phone").whole(), True
    until = times.moment(parcel.collect_by, look.zone, known) if parcel.collect_by else ""
    if said == "kept" and parcel.collect_by:
        return state_text("kept_longer", known, time=until).whole(), False
    if said in ("too_many_extensions", "too_late_to_extend"):
        return refusal_text("too_late_to_extend", known, "phone", time=until).whole(), True
    if said == "opened":
        return state_text("opened_for_you", known, door=parcel.compartment).whole() if parcel.compartment else "", False
    if said in OF_OPENING:
        return refusal_text(said, known, "phone", door=parcel.compartment).whole(), True
    return "", False
