"""What is late at one station, taken out from afar while somebody of ours stands there: one parcel by its button, or
all, door after door. What is open now, what is done and what is left stand on the page as they happen."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import taking_out, watching
from parcelwall.hub.acts import Act, Out
from parcelwall.hub.house import Hub
from parcelwall.hub.orders import Outlets
from parcelwall.hub.staff import SignIn
from parcelwall.hub.taking_out import Late
from parcelwall.notices.language import Words, words
from parcelwall.web.console import said, telling
from parcelwall.web.console.gate import HOME, back, known_station, live, look, must, posted, top, with_query
from parcelwall.web.console.jobs import Jobs
from parcelwall.web.console.one_act import ask_for_passkey, sent, with_passkey
from parcelwall.web.console.overview import CALM_S
from parcelwall.web.console.sign_in import prove_again
from parcelwall.web.console.station import reason_of
from parcelwall.web.console.views import Top
from parcelwall.web.passkeys import went_well
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer
from parcelwall.web.who import Brake


class Asked(msgspec.Struct, frozen=True):
    """One act, and where it stands: `state` is "waiting", "under_way", "broken_off", "withdrawn", "done" or "ended"
    (before all had their turn; `ended` says why). `steps`: door, in words, and how it stands: "open", "out", "next" or
    "not"."""

    act: Act
    state: str
    steps: tuple[tuple[int, str, str], ...]
    ended: str = ""


_SIGN = {"opened": "open", "out": "out", "next": "next", "left": "next"}


class ExpiredView(msgspec.Struct, frozen=True):
    """`is_here`: whether its line stands, so that a door can be opened. `asked`: what was asked for within the hour."""

    template: ClassVar[str] = "console/expired.html"
    top: Top
    station: str
    name: str
    is_here: bool
    late: tuple[Late, ...]
    asked: tuple[Asked, ...]
    reasons: tuple[tuple[str, str], ...]
    me: str
    may_agree: bool
    events: str | None = None

    @property
    def may_ask(self) -> bool:
        return not any(each.state in ("waiting", "under_way") for each in self.asked)


def path_of(station: str) -> str:
    return f"{HOME}/stations/{station}/expired"


@get("/console/stations/{station:str}/expired", include_in_schema=False)
async def expired_page(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    """What may be taken out there. Raises Refusal for an unknown station and for no right."""
    must(sign_in, "end", station)
    return page(renderer, await expired_view(request, hub, sign_in, station), _look(request, hub, station))


@get("/console/stations/{station:str}/expired/events", include_in_schema=False)
async def expired_events(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Stream:
    must(sign_in, "end", station)
    known_station(hub, station)

    async def view(now: SignIn) -> ExpiredView:
        must(now, "end", station)
        return await expired_view(request, hub, now, station)

    return live(request, hub, renderer, _look(request, hub, station), view, CALM_S / 4)


def _look(request: Request[Any, Any, Any], hub: Hub, station: str) -> Any:
    known_station(hub, station)
    return look(request, hub.stations.known[station].about.zone)


async def expired_view(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, station: str) -> ExpiredView:
    person, known = sign_in.person, words(look(request).language)
    one = await watching.one_station(hub, person, station)
    return ExpiredView(
        top=await top(request, hub, sign_in, "map"), station=station, name=one.glance.name,
        is_here=one.glance.line == "here", late=tuple(await taking_out.expired(hub, station)),
        asked=tuple(stands(act, hub.clock.now(), known) for act in await taking_out.lately(hub, station)),
        reasons=tuple((key, known.gettext(text)) for key, text in said.TAKEN_OUT.items()), me=person.id,
        may_agree=person.may("agree", station), events=with_query(f"{path_of(station)}/events", request),
    )  # fmt: skip


def stands(act: Act, now: datetime, known: Words) -> Asked:
    """An act as it stands now, in words."""
    assert isinstance(act.what, Out)
    is_over = act.until <= now
    state = act.state
    if state == "agreed":
        state = "broken_off" if is_over else "under_way"
    elif state == "waiting" and is_over:
        state = "withdrawn"
    elif state == "done" and act.outcome not in (taking_out.OUT, taking_out.OPENED):
        state = "ended"
    is_going_on = state in ("waiting", "under_way")
    left = "next" if is_going_on else "left"
    became = [act.what.became.get(str(parcel), left) for parcel in act.what.parcels]
    steps = tuple(
        (door, _in_words(word, is_going_on, known), _SIGN.get(word, "not"))
        for door, word in zip(act.what.doors, became, strict=True)
    )
    return Asked(act, state, steps, _in_words(act.outcome, False, known) if state == "ended" else "")


def _in_words(word: str, is_going_on: bool, known: Words) -> str:
    """What became of a door. One waits for another only as long as the act goes on."""
    if word in said.STEP and (is_going_on or word != "door_busy"):
        return known.gettext(said.STEP[word])
    return telling.outcome(word, known)


@post("/console/stations/{station:str}/expired", include_in_schema=False)
async def take_out(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, outlets: Outlets, jobs: Jobs,
    office_brake: Brake,
) -> Redirect:  # fmt: skip
    """Opens the door of one, or asks a second person to agree. Raises Refusal for an unknown station, and no right."""
    must(sign_in, "end", station)
    known_station(hub, station)
    form = await posted(request, sign_in)
    try:
        await prove_again(request, sign_in, form, hub, office_brake)
        return back(path_of(station), await _begin(hub, outlets, jobs, sign_in, station, form))
    except Refusal as no:
        return back(path_of(station), no=no)


async def _begin(
    hub: Hub, outlets: Outlets, jobs: Jobs, sign_in: SignIn, station: str, form: dict[str, str]
) -> str:  # fmt: skip
    """Begins it. Answers what the page is to say: "asked", or "second" if it waits for a second person."""
    one = _one(form)
    parcels = (one,) if one else tuple(each.id for each in await taking_out.expired(hub, station))
    if not one and form.get("all") != str(len(parcels)):
        raise Refusal("stale_screen")
    act = await taking_out.ask(hub, sign_in.person, station, parcels, reason_of(form, said.TAKEN_OUT))
    if act.state == "waiting":
        return "second"
    jobs.start(taking_out.carry_out(hub, outlets, act))
    return "asked"


def _one(form: dict[str, str]) -> UUID | None:
    """The parcel whose button was pressed; None for all. Raises Refusal for what names none."""
    if "all" in form:
        return None
    try:
        return UUID(form.get("parcel", ""))
    except ValueError as no:
        raise Refusal("bad_field", field="parcel") from no


def _act(station: str, fields: dict[str, str]) -> str:
    """The one thing that a passkey is shown for."""
    return f"take out {station}/{_one(fields) or 'all'}"


@post("/console/stations/{station:str}/expired/begin", include_in_schema=False)
async def take_out_begin(request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """What the own passkey is asked to sign: this one parcel, or all, at this station."""
    must(sign_in, "end", station)
    return await ask_for_passkey(hub, sign_in, _act(station, await sent(request, sign_in)))


@post("/console/stations/{station:str}/expired/finish", include_in_schema=False)
async def take_out_finish(
    request: Request[Any, Any, Any], station: str, sign_in: SignIn, hub: Hub, outlets: Outlets, jobs: Jobs
) -> Response[bytes]:
    """As `take_out`, with a passkey that was shown for it."""
    must(sign_in, "end", station)
    fields = await with_passkey(request, hub, sign_in, partial(_act, station))
    try:
        return went_well(back(path_of(station), await _begin(hub, outlets, jobs, sign_in, station, fields)).url)
    except Refusal as no:
        return went_well(back(path_of(station), no=no).url)
