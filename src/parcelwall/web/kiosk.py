"""The kiosk page, served by the station on loopback: a picture of the station's visit. It decides nothing.

Who may talk to it: `/begin?once=pass` swaps a pass for a cookie whose name and value change with every start;
every request needs the right Host and the cookie, and what writes needs our own Origin. Anything else is 404.
"""

import asyncio
import contextlib
import hmac
import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import structlog
from litestar import Litestar, Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.handlers.base import BaseRouteHandler
from litestar.params import Body
from litestar.response import Redirect, Stream

from parcelwall.clock import Clock
from parcelwall.errors import Refusal
from parcelwall.ids import Ids
from parcelwall.station.house import Station
from parcelwall.station.launcher import Pulse
from parcelwall.web.kiosk_picture import picture, stranger
from parcelwall.web.problems import HANDLERS, on_refusal
from parcelwall.web.reader import file, html
from parcelwall.web.render import Renderer, qr_file
from parcelwall.web.streams import event, stream

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
BEAT_S, ANSWER_S = 15.0, 0.25  # a screen is drawn again after; while the hub was asked something, after
COUNTS = ("thanks", "several", "more-time")  # what a person reads a number of seconds on

log = structlog.get_logger()


class PassFile:
    """Where whoever starts the browser reads its address; for the station's account alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str:
        """The address that stands there; empty if none does."""
        with contextlib.suppress(OSError):
            return self.path.read_text().strip()
        return ""

    def write(self, url: str) -> None:
        """The whole address or none of it. Raises OSError."""
        beside = self.path.with_name(self.path.name + ".new")
        with open(beside, "w", opener=partial(os.open, mode=0o600)) as file:
            file.write(url + "\n")
        beside.replace(self.path)


class Gate:
    """The kiosk's lock against other pages and programs on the same machine.

    `on_pass` hands each new address out, and may raise OSError; `before` is what was handed out last.
    """

    def __init__(
        self, ids: Ids, host: str, open_to_all: bool = False, on_pass: Callable[[str], None] = print, before: str = ""
    ) -> None:
        self._ids, self.host, self._open_to_all, self._on_pass = ids, host, open_to_all, on_pass
        self.cookie_name = f"kiosk-{ids.secret(4).hex()}"
        self.cookie = ids.secret(32).hex()
        self._begin = f"http://{host}/begin?once="
        self._pass = before.removeprefix(self._begin) if before.startswith(self._begin) else ""
        self.new_pass()

    def new_pass(self) -> None:
        """A pass that lets one browser in, once. The one before stays good while this one cannot be handed out: a full
        disk must not leave the screen dark."""
        fresh = self._ids.secret(16).hex()
        try:
            self._on_pass(self._begin + fresh)
        except OSError as no:
            log.error("kiosk_url_not_written", reason=str(no), remedy="Make room; the address before stays good.")
        else:
            self._pass = fresh

    def is_pass(self, once: str) -> bool:
        """Whether it is the pass that was handed out last. It stays good."""
        return bool(once) and hmac.compare_digest(once.encode(), self._pass.encode())

    def redeem(self, once: str) -> bool:
        good = bool(once) and once == self._pass
        if good:
            self.new_pass()
        return good or self._open_to_all

    def check(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """A guard: right Host, the cookie, and for what writes our own Origin.

        Raises Refusal `not_found`, which tells nothing.
        """
        headers = connection.headers
        if headers.get("host") != self.host:
            raise Refusal("not_found")
        if connection.cookies.get(self.cookie_name) != self.cookie:
            raise Refusal("not_found")
        own = headers.get("origin") in (None, f"http://{self.host}") and headers.get("sec-fetch-site") in (
            None, "same-origin", "none",
        )  # fmt: skip
        if connection.scope.get("method") == "POST" and not own:
            raise Refusal("not_found")


@get("/begin", include_in_schema=False)
async def begin(gate: Gate, once: str = "") -> Redirect:
    """Lets a browser in that shows the pass. Raises Refusal."""
    if not gate.redeem(once):
        raise Refusal("not_found")
    cookie = Cookie(key=gate.cookie_name, value=gate.cookie, httponly=True, samesite="strict", path="/")
    return Redirect("/", status_code=303, cookies=[cookie])


@get("/", include_in_schema=False)
async def screen_page(station: Station, renderer: Renderer) -> Response[bytes]:
    return html(renderer.page(picture(station, renderer)))


@get("/screen/events", include_in_schema=False)
async def screen_events(station: Station, renderer: Renderer) -> Stream:
    return stream(_screens(station, renderer))


async def _screens(station: Station, renderer: Renderer) -> AsyncIterator[bytes]:
    """The screen as it is now, then each that follows it at once, and once a second where something counts down. What
    the hub answers is drawn into the screen that stands: no tap on it is stale for that."""
    shown = ""
    while True:
        number = station.kiosk.showing.number
        html = renderer.fragment(picture(station, renderer))
        yield event(html, number) if html != shown else b": here\n\n"
        shown = html
        showing = station.kiosk.showing
        counts = showing.screen in COUNTS or showing.paused_until is not None
        again_s = ANSWER_S if station.elsewhere.is_awaited else 1.0 if counts else BEAT_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(again_s):
                await station.kiosk.changed(number)


@post("/code", include_in_schema=False, status_code=204)
async def code(data: Form, station: Station) -> None:
    """A code, with or without the last 4 of the parcel number. The stream shows what came of it."""
    await station.kiosk.type_code(data.get("digits", "")[:12], data.get("selector", "")[:4] or None)


@post("/keep", include_in_schema=False, status_code=204)
async def keep(data: Form, station: Station) -> None:
    """A code and the last 4 of the parcel number, of whoever would rather collect later: no door opens."""
    await station.kiosk.keeping.type_code(data.get("digits", "")[:12], data.get("selector", "")[:4])


@post("/sign-in", include_in_schema=False, status_code=204)
async def sign_in(data: Form, station: Station) -> None:
    await station.kiosk.sign_in(data.get("digits", "")[:12])


@post("/act", include_in_schema=False, status_code=204)
async def act(data: Form, station: Station) -> None:
    """One tap. A tap on a screen that is gone does nothing: the page is drawn anew by its stream."""
    number = data.get("screen", "")[:20]
    with contextlib.suppress(Refusal):
        at = int(number) if number.isascii() and number.isdigit() else -1
        await station.kiosk.act(data.get("name", ""), at, data.get("value", "")[:64])


@post("/look", include_in_schema=False, status_code=204)
async def look(data: Form, station: Station) -> None:
    for field, value in data.items():
        with contextlib.suppress(Refusal):
            station.kiosk.set_look(field, value)


class Beats:
    """When the page was last alive: it told so, and had painted since it told so before."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._at, self._frames = clock, clock.mono(), ""

    def heard(self, frames: str) -> None:
        if frames != self._frames:
            self._at, self._frames = self._clock.mono(), frames

    def silent_s(self) -> float:
        return self._clock.mono() - self._at


@post("/beat", include_in_schema=False, status_code=204)
async def beat(data: Form, beats: Beats) -> None:
    """The page is alive."""
    beats.heard(data.get("frames", "")[:20])


@get("/pulse", include_in_schema=False, sync_to_thread=False)
def pulse(request: Request[Any, Any, Any], station: Station, gate: Gate, beats: Beats) -> Pulse:
    """For the launcher, who can read the newest pass: which process this is, and how its page is. Raises Refusal."""
    if request.headers.get("host") != gate.host or not gate.is_pass(request.headers.get("x-pass", "")):
        raise Refusal("not_found")
    return Pulse(station.boot, beats.silent_s(), station.kiosk.open_visit() is not None)


@get("/road/{name:str}/{index:int}", include_in_schema=False, sync_to_thread=False)
def sheet(name: str, index: int, station: Station) -> Response[bytes]:
    """One QR code of what a courier's phone carries, kept by the browser while the loop runs. Raises Refusal."""
    sheets = station.kiosk.by_phone.road.sheets
    if not sheets:
        raise Refusal("not_found")
    headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
    return Response(qr_file(sheets[index % len(sheets)]), media_type="image/svg+xml", headers=headers)


@get("/static/{build:str}/{name:path}", include_in_schema=False)
async def static(build: str, name: str, renderer: Renderer) -> Response[bytes]:
    return file(renderer, build, name)


def _to_a_browser(station: Station, renderer: Renderer, gate: Gate) -> Callable[..., Response[bytes]]:
    """Refusals as ever; but a browser that is a stranger now, as after a start of the station, shows a screen that says
    so, to whoever stands before it."""

    def on(request: Request[Any, Any, Any], no: Refusal) -> Response[bytes]:
        is_page = request.url.path in ("/", "/begin") and "text/html" in request.headers.get("accept", "")
        if no.reason != "not_found" or not is_page or request.headers.get("host") != gate.host:
            return on_refusal(request, no)
        return html(renderer.page(stranger(station, renderer)), 404)

    return on


def kiosk_app(station: Station, renderer: Renderer, gate: Gate) -> Litestar:
    """The app of one station's screen."""
    shared: dict[str, Any] = {"station": station, "renderer": renderer, "gate": gate, "beats": Beats(station.clock)}

    def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        gate.check(connection, handler)

    behind = Router("/", route_handlers=[screen_page, screen_events, sheet, code, keep, sign_in, act, look, beat],
                    guards=[guard])  # fmt: skip
    return Litestar(
        route_handlers=[begin, static, pulse, behind],
        dependencies={name: Provide(_give(thing), sync_to_thread=False) for name, thing in shared.items()},
        exception_handlers={**HANDLERS, Refusal: _to_a_browser(station, renderer, gate)},
        openapi_config=None, request_max_body_size=10_000, logging_config=None,
    )  # fmt: skip


def _give(thing: Any) -> Any:
    def give() -> Any:
        return thing

    return give
