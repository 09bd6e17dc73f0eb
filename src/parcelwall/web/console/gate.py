"""Who may come in to the console, and what each form must carry.

A person signs in once and has a cookie that no script reads and no other site sends (HttpOnly, SameSite=Strict). Each
form carries the sign-in's slip besides. What a person may do is asked for at the thing itself, in each handler.
"""

import base64
import contextlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response
from litestar.exceptions import NotAuthorizedException
from litestar.response import Redirect, Stream

from parcelwall.errors import Refusal
from parcelwall.hub import needs, passkeys, staff
from parcelwall.hub.followers import Bells
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person, SignIn
from parcelwall.notices.texts import refusal_text, words
from parcelwall.rules.rights import Right
from parcelwall.web.console import said
from parcelwall.web.console.views import OutView, Top
from parcelwall.web.given import given
from parcelwall.web.passkeys import is_use, only_from_here, secret_of
from parcelwall.web.reader import look_of
from parcelwall.web.render import Renderer
from parcelwall.web.streams import STILL_TRUE_S, frames, live_page
from parcelwall.web.views import Look
from parcelwall.web.who import Doorman

HOME = "/console"
NAV: tuple[tuple[str, Right], ...] = (
    ("map", "see"), ("needs", "see"), ("parcels", "find"), ("longer", "extend"), ("couriers", "couriers"),
    ("numbers", "see"), ("sites", "see"), ("policy", "see"), ("people", "people"),
)  # fmt: skip

_PAGE_OF = re.compile(
    rf"{HOME}/((stations|parcels)/[\w-]+|(needs|parcels|longer|couriers|numbers|sites|policy|people|me)(?![^/]))"
)


class Kiosks(msgspec.Struct):
    """Addresses of kiosks, known only in the demo, where figures of the process are open to whoever looks."""

    urls: dict[str, str] = {}
    open_to_all: bool = False


class SignInFirst(Exception):
    """Nobody has signed in with this browser, or not lately."""


def on_sign_in_first(request: Request[Any, Any, Any], _: SignInFirst) -> Response[Any]:
    """To the sign-in page, and from there to the page that was asked for. A stream is answered 401: it would take the
    sign-in page for a connection that came back, lose it at once, and ask for ever without a pause."""
    if request.url.path.endswith("/events"):
        return Response(b"", status_code=401, headers={"Cache-Control": "no-store"})
    there = request.url.path if request.method == "GET" else _page_of(request.url.path)
    return Redirect(f"{HOME}/sign-in?to={quote(there)}", status_code=303)


def _page_of(form: str) -> str:
    """The page that a form stands on, by the form's address."""
    known = _PAGE_OF.match(form)
    return known[0] if known else f"{HOME}/needs" if form.startswith((f"{HOME}/cases/", f"{HOME}/acts/")) else HOME


async def provide_sign_in(request: Request[Any, Any, Any], hub: Hub) -> SignIn:
    """The sign-in of this browser. Raises SignInFirst without one. Only the wall screen, which nobody touches, keeps it
    alive by being open."""
    used = is_use(request) or request.url.path == f"{HOME}/wall/events"
    found = await staff.find(hub, secret_of(request, hub, "operator"), used)
    if found is None:
        raise SignInFirst
    return found


def must(sign_in: SignIn, right: Right, station: str | None = None) -> Person:
    """The person, if they may do this there. Raises Refusal."""
    if not sign_in.person.may(right, station):
        raise Refusal("no_right")
    return sign_in.person


def known_station(hub: Hub, station: str) -> None:
    """Raises Refusal for one that we do not know, whatever was typed into an address."""
    if station not in hub.stations.known:
        raise Refusal("station_unknown", station=station)


async def posted(request: Request[Any, Any, Any], sign_in: SignIn) -> dict[str, str]:
    """What a form of ours sent, each field at most 500 characters. Raises Refusal for a form of another site's."""
    only_from_here(request)
    form = await request.form()
    if form.get("slip") != sign_in.slip:
        raise Refusal("stale_screen")
    return {name: str(value)[:500] for name, value in form.multi_items()}


async def chosen(request: Request[Any, Any, Any], name: str) -> tuple[str, ...]:
    """All values of a field that may be there more than once."""
    form = await request.form()
    return tuple(str(value)[:100] for key, value in form.multi_items() if key == name)


def back(path: str, what: str = "", no: Refusal | None = None) -> Redirect:
    """To a page that says what came of it: a key of `said.SAID`, or why not."""
    query = f"no={no.reason}" if no else f"said={what}" if what else ""
    return Redirect(f"{path}{'&' if '?' in path else '?'}{query}" if query else path, status_code=303)


def stood(hub: Hub, form: dict[str, str]) -> str:
    """The page on which the form that was sent stands: the map, "Keep longer", a station's or the one that writes off
    or takes out what lies there, or the list of what needs somebody as it was narrowed down."""
    station, to, asked = form.get("station", ""), form.get("to", ""), parse_qs(form.get("narrowed", ""))
    if to in ("map", "longer"):
        return HOME if to == "map" else f"{HOME}/longer"
    if station in hub.stations.known:
        return f"{HOME}/stations/{station}{f'/{to}' if to in ('write-off', 'expired') else ''}"
    kept = urlencode([(name, asked[name][0]) for name in ("only", "q") if name in asked])
    return f"{HOME}/needs?{kept}" if kept else f"{HOME}/needs"


async def top(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, here: str, count: int | None = None) -> Top:
    """What stands on every page: who is here, where they may go, how much needs them, what came of the last act."""
    person = sign_in.person
    count = len(await needs.needs(hub, person)) if count is None else count
    nav = tuple(name for name, right in NAV if person.may(right))
    told, refused = _told(request)
    return Top(
        person=person.name or person.id, role=person.role, slip=sign_in.slip, nav=nav, here=here, needs=count,
        now=hub.clock.now(), said=told, refused=refused, fresh=sign_in.is_fresh(hub.clock.now()),
        passkeys=bool(person.actor and await passkeys.of_holder(hub, person.actor)),
    )  # fmt: skip


def with_query(path: str, request: Request[Any, Any, Any]) -> str:
    """A page's stream is asked for as the page was: the same door, the same filter, the same word of what came."""
    query = request.url.query
    return f"{path}?{query}" if query else path


def _told(request: Request[Any, Any, Any]) -> tuple[str, bool]:
    known = words(look_of(request).language)
    reason, what = request.query_params.get("no"), request.query_params.get("said")
    if reason in said.REFUSED:
        return known.gettext(said.REFUSED[reason]), True
    with contextlib.suppress(AssertionError):
        if reason:
            return refusal_text(reason, known, "phone").whole(), True
    return (known.gettext(said.SAID[what]), False) if what in said.SAID else ("", False)


def look(request: Request[Any, Any, Any], zone: str = "") -> Look:
    """Times of one station in its own zone; those of the whole network in that of most of its stations."""
    return look_of(request, zone or given(request, "hub").stations.zone)


FIELD = "%Y-%m-%dT%H:%M"  # how a browser writes a day and an hour without a zone


def local_time(text: str, zone: str) -> datetime | None:
    """What somebody chose in a field of day and hour, on the clocks of a zone; None for what is no time."""
    try:
        found = datetime.strptime(text, FIELD).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    return found if is_of_our_time(found) else None


def is_of_our_time(moment: datetime) -> bool:
    """Whether it can be reckoned with: the first and the last year of a calendar cannot."""
    return 2000 <= moment.year < 3000


async def only_keys_that_see(request: Request[Any, Any, Any], doorman: Doorman, kiosks: Kiosks) -> None:
    """For what machines look at: a key as password of a name (any), or as a bearer. Raises NotAuthorized."""
    if kiosks.open_to_all:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    with contextlib.suppress(Refusal, ValueError, UnicodeError):
        key = base64.b64decode(given, validate=True).decode().partition(":")[2] if scheme.lower() == "basic" else given
        (await doorman.who(f"Bearer {key}")).must("see")
        return
    raise NotAuthorizedException(headers={"WWW-Authenticate": 'Basic realm="Parcelwall", charset="UTF-8"'})


def live(
    request: Request[Any, Any, Any], hub: Hub, renderer: Renderer, shown: Look,
    draw_view: Callable[[SignIn], Awaitable[msgspec.Struct]], calm_s: float,
) -> Stream:  # fmt: skip
    """A page's stream. Whoever signs out, is sent away or loses a right while it is open sees nothing new."""

    async def draw() -> str:
        try:
            return renderer.fragment(await draw_view(await provide_sign_in(request, hub)), shown)
        except (SignInFirst, Refusal):
            return renderer.fragment(OutView(), shown)

    return live_page(request, frames(hub.bells, Bells.EVERYTHING, draw, calm_s, still_s=STILL_TRUE_S), works_here=True)
