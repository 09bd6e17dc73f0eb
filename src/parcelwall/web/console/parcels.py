"""Finding a parcel, its story, and who it is for: masked, and in clear only for a reason that is written down."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import acts, staff, story
from parcelwall.hub.commands import Extend
from parcelwall.hub.ending import CallOff, WriteOff
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person as Recipient
from parcelwall.hub.staff import Person, SignIn
from parcelwall.hub.story import Step
from parcelwall.journal import streams
from parcelwall.notices.language import words
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.web.console import said, telling
from parcelwall.web.console.gate import HOME, back, look, must, posted, top
from parcelwall.web.console.once import and_no_more, show_once, take_once
from parcelwall.web.console.overview import need_rows
from parcelwall.web.console.station import reason_of
from parcelwall.web.console.views import NeedRow
from parcelwall.web.console.views_parcels import Found, Line, ParcelsView, ParcelView, Revealed, Told
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

COMING = (Stage.ANNOUNCED, Stage.RESERVED)
LATE_S = 120  # between a station's clock and the hub's: more than that is worth telling
CLEAR = "clear"


@get("/console/parcels", include_in_schema=False)
async def parcels_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    must(sign_in, "find", next(iter(sign_in.person.area), None))
    return page(renderer, ParcelsView(await top(request, hub, sign_in, "parcels"), "", ()), look(request))


@post("/console/parcels", status_code=200, include_in_schema=False)
async def find_parcels(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer) -> Response[Any]:
    """A search is posted, so that what was looked for stands in no address and no log of a proxy."""
    person = must(sign_in, "find", next(iter(sign_in.person.area), None))
    asked = (await posted(request, sign_in)).get("asked", "")
    parcels = await story.find(hub, person, asked)
    if len(parcels) == 1:
        return Redirect(f"{HOME}/parcels/{parcels[0].id}", status_code=303)
    found = tuple(Found(each.reference, each.id, each.stage, _place(hub, each)) for each in parcels)
    shown = ParcelsView(await top(request, hub, sign_in, "parcels"), asked, found)
    return page(renderer, shown, look(request))


def _place(hub: Hub, parcel: Parcel) -> str:
    station = hub.stations.known.get(parcel.station or "")
    return f"{station.about.name} {parcel.compartment or ''}".strip() if station else ""


@get("/console/parcels/{parcel:uuid}", include_in_schema=False)
async def parcel_page(
    request: Request[Any, Any, Any], parcel: UUID, sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    found = await story.one(hub, sign_in.person, parcel)
    clear = CLEAR in take_once(request, hub, sign_in) and sign_in.person.may("reveal", found.station)
    view = await parcel_view(request, hub, sign_in, found, clear)
    return and_no_more(request, hub, page(renderer, view, look(request, _zone(hub, found))))


def _zone(hub: Hub, parcel: Parcel) -> str:
    station = hub.stations.known.get(parcel.station or "")
    return station.about.zone if station else "UTC"


@post("/console/parcels/{parcel:uuid}/reveal", include_in_schema=False)
async def reveal(request: Request[Any, Any, Any], parcel: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """The page that follows shows the person, once; loaded again it shows nobody, and nothing is written again."""
    found = await story.one(hub, sign_in.person, parcel)
    must(sign_in, "reveal", found.station)
    form, to = await posted(request, sign_in), f"{HOME}/parcels/{parcel}"
    try:
        reason = reason_of(form)
        acts.refuse_bad_reason(reason)
    except Refusal as no:
        return back(to, no=no)
    await story.note_reveal(hub, sign_in.person, found, reason)
    return show_once(hub, sign_in, to, {CLEAR: ""})


@post("/console/parcels/{parcel:uuid}/extend", include_in_schema=False)
async def extend_one(request: Request[Any, Any, Any], parcel: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """One parcel, kept as long as the policy says."""
    found = await story.one(hub, sign_in.person, parcel)
    person = must(sign_in, "extend", found.station)
    await posted(request, sign_in)
    to = f"{HOME}/parcels/{parcel}"
    try:
        await hub.desk.ask(Extend(carrier=None, parcel=parcel, by="operator", actor=person.actor))
    except Refusal as no:
        return back(to, no=no)
    return back(to, "changed")


@post("/console/parcels/{parcel:uuid}/cancel", include_in_schema=False)
async def cancel_one(request: Request[Any, Any, Any], parcel: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """What is announced or promised will not come, whoever's it is."""
    person, why, refused = await _ending(request, parcel, sign_in, hub, said.CALLED_OFF)
    if refused:
        return refused
    to = f"{HOME}/parcels" if person.area else f"{HOME}/parcels/{parcel}"  # it is in no station and no area any more
    return await _ended(hub, CallOff(parcel=parcel, why=why, actor=person.actor), "cancelled", to)


@post("/console/parcels/{parcel:uuid}/write-off", include_in_schema=False)
async def write_off_one(request: Request[Any, Any, Any], parcel: UUID, sign_in: SignIn, hub: Hub) -> Redirect:
    """Nobody will ever hand it out: for good, so that it is asked for twice."""
    person, why, refused = await _ending(request, parcel, sign_in, hub, said.WRITTEN_OFF, sure=True)
    if refused:
        return refused
    to = f"{HOME}/parcels/{parcel}"
    return await _ended(hub, WriteOff(parcel=parcel, why=why, actor=person.actor), "written_off", to)


async def _ending(
    request: Request[Any, Any, Any], parcel: UUID, sign_in: SignIn, hub: Hub, reasons: Collection[str],
    sure: bool = False,
) -> tuple[Person, str, Redirect | None]:  # fmt: skip
    """Who ends it and why; or where the page goes on, if the form is not whole. Raises Refusal for no right."""
    found = await story.one(hub, sign_in.person, parcel)
    person, form = must(sign_in, "end", found.station), await posted(request, sign_in)
    try:
        why = reason_of(form, reasons)
        acts.refuse_bad_reason(why)
        if sure and form.get("sure") != "yes":
            raise Refusal("bad_field")
    except Refusal as no:
        return person, "", back(f"{HOME}/parcels/{parcel}", no=no)
    return person, why, None


async def _ended(hub: Hub, command: CallOff | WriteOff, what: str, to: str) -> Redirect:
    try:
        await hub.desk.ask(command)
    except Refusal as no:
        return back(f"{HOME}/parcels/{command.parcel}", no=no)
    return back(to, what)


async def parcel_view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, parcel: Parcel, clear: bool = False
) -> ParcelView:
    """A parcel with its story. Its person is shown masked unless `clear`."""
    known = words(look(request).language)
    names = await staff.names(hub.pool)
    steps = await story.story(hub, parcel)
    person = await story.person_of(hub, parcel)
    station = hub.stations.known.get(parcel.station or "")
    may_end = sign_in.person.may("end", parcel.station)
    sides = " × ".join(str(side) for side in parcel.sides_mm)
    return ParcelView(
        top=await top(request, hub, sign_in, "parcels"), parcel=parcel.id, reference=parcel.reference,
        carrier=parcel.carrier, stage=parcel.stage, station=parcel.station or "",
        station_name=station.about.name if station else "", door=parcel.compartment, size=parcel.size or "",
        sides=f"{sides}\N{NO-BREAK SPACE}mm, {parcel.weight_g}\N{NO-BREAK SPACE}g",
        collect_by=parcel.collect_by, deposit_by=parcel.deposit_by,
        lines=tuple(_line(hub, step, names, known) for step in steps),
        cases=tuple(await _cases(request, hub, sign_in, parcel)),
        told=tuple(Told(each["purpose"], each["channel"], each["state"], each["sent_at"])
                   for each in await story.notices(hub, parcel.id)),
        person=_shown(person, clear) if person else None,
        may_reveal=sign_in.person.may("reveal", parcel.station) and person is not None and not clear,
        may_extend=sign_in.person.may("extend", parcel.station) and parcel.stage in INSIDE,
        reasons=_in_words(said.REASONS, known), may_cancel=may_end and parcel.stage in COMING,
        may_write_off=may_end and parcel.stage in INSIDE,
        endings=_in_words(said.WRITTEN_OFF if parcel.stage in INSIDE else said.CALLED_OFF, known),
    )  # fmt: skip


def _in_words(reasons: dict[str, str], known: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, known.gettext(text)) for key, text in reasons.items())


async def _cases(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, parcel: Parcel) -> list[NeedRow]:
    mine = await story.cases(hub, parcel.id)
    return [row for row in await need_rows(request, hub, sign_in.person) if row.need.case in mine]


def _shown(person: Recipient, clear: bool) -> Revealed:
    if clear:
        return Revealed(person.name, person.email or "", person.phone or "", clear=True)
    return Revealed(*story.masked(person))


def _line(hub: Hub, step: Step, names: dict[UUID, str], known: Any) -> Line:
    station = hub.stations.known.get(str(step.body.get("station") or streams.station_of(step.writer) or ""))
    late = (step.recorded_at - step.happened_at).total_seconds()
    return Line(
        telling.kind(step.kind, step.body, known), telling.detail(step.kind, step.body, known),
        names.get(step.actor, "") if step.actor else "", step.door, station.about.name if station else "",
        step.happened_at, step.recorded_at, int(late) if abs(late) > LATE_S else 0, step.writer, step.number,
    )  # fmt: skip
