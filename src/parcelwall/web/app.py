"""The hub's faces as one ASGI app: API, tracking, recipient, console, link, files."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.config.response_cache import ResponseCacheConfig
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from parcelwall import __version__
from parcelwall.hub import reading
from parcelwall.hub.house import Hub
from parcelwall.hub.next_door import NextDoors
from parcelwall.hub.orders import Outlets
from parcelwall.web import (
    admission,
    api,
    courier,
    courier_outbox,
    docs,
    line,
    me,
    offline,
    operator,
    operator_couriers,
    overrides,
    receipt,
    recipient,
    site_photo,
    tracking,
    verified,
)
from parcelwall.web.console import pages as console
from parcelwall.web.console.gate import Kiosks, SignInFirst, on_sign_in_first, only_keys_that_see, provide_sign_in
from parcelwall.web.console.jobs import Jobs
from parcelwall.web.given import Given, giver
from parcelwall.web.hear_out import HearOut
from parcelwall.web.line import Lines, Nonces
from parcelwall.web.problems import HANDLERS, CarefulRequest, on_lost
from parcelwall.web.quick import QuickTracking
from parcelwall.web.quick_http import Counter, QuickHttp
from parcelwall.web.reader import file
from parcelwall.web.reader import renderer as make_renderer
from parcelwall.web.refused import for_people
from parcelwall.web.render import Renderer
from parcelwall.web.seats import Seats
from parcelwall.web.tiles import Tiles, tiles_part
from parcelwall.web.who import Brake, Doorman

NOT_SERVED = "/docs-not-served"  # where the framework has pages of its own
BODY_LIMIT_BYTES = 2_000_000  # a batch of 1,000 parcels is under a megabyte
READY_WITHIN_S = 2.0
_HANDLERS = HANDLERS | dict.fromkeys(reading.LOST, on_lost)


@get("/static/{build:str}/{name:path}", include_in_schema=False)
async def static(build: str, name: str, renderer: Renderer) -> Response[bytes]:
    return file(renderer, build, name)


@get("/favicon.ico", include_in_schema=False)
async def favicon(renderer: Renderer) -> Response[bytes]:
    return file(renderer, renderer.build, "favicon.svg")


@get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    return {"status": "live"}


@get("/health/ready", include_in_schema=False)
async def ready(hub: Hub) -> Response[bytes]:
    """Ready when the database answers."""
    if not await hub.answering.answers(hub.pool, READY_WITHIN_S):
        return Response(b'{"status":"waiting for the database"}', status_code=503, media_type="application/json")
    return Response(msgspec.json.encode({"status": "ready", "version": __version__}), media_type="application/json")


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any], doorman: Doorman, kiosks: Kiosks) -> Response[bytes]:
    await only_keys_that_see(request, doorman, kiosks)
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def hub_app(
    hub: Hub, kiosks: Kiosks | None = None, more: Sequence[ControllerRouterHandler] = (),
    more_shared: dict[str, Any] | None = None, tiles: Tiles | None = None, seats: Seats | None = None,
) -> QuickTracking:  # fmt: skip
    """The app of one hub process. `more` are pages that only the demo has, `more_shared` what they are given; `tiles`:
    of the console's street map; `seats`: for live pages."""
    shared: dict[str, Any] = {
        "hub": hub, "doorman": Doorman(hub), "renderer": make_renderer(), "brake": Brake(hub.clock),
        "claim_brake": Brake(hub.clock, free=10, window_s=3600),
        "invite_brake": Brake(hub.clock, free=60), "sign_in_brake": Brake(hub.clock, free=60),
        "lines": Lines(), "outlets": Outlets(hub), "next_doors": NextDoors(hub), "nonces": Nonces(hub),
        "office_brake": Brake(hub.clock, free=10), "jobs": Jobs(), "kiosks": kiosks or Kiosks(),
        "tiles": tiles or Tiles(), "seats": seats or Seats(), **(more_shared or {}),
    }  # fmt: skip
    whole = Given(_common(tuple(more), tuple(shared)), shared)
    app = QuickTracking(HearOut(whole), hub, shared["brake"], _HANDLERS)
    app.http = QuickHttp.at(Counter(hub, shared["doorman"], _HANDLERS))
    return app


@lru_cache(maxsize=4)
def _common(more: tuple[ControllerRouterHandler, ...], names: tuple[str, ...]) -> Litestar:
    """What the apps of all hubs of this process have in common; `names` of what each request is given."""
    v1 = Router(
        "/api/v1",
        route_handlers=[api.Parcels, api.Stations, api.make_offers, api.entries, api.track, api.report,
                        api.courier_code, operator.Operator, operator_couriers.Couriers, overrides.Overrides,
                        admission.Admission],
        dependencies={"who": Provide(api.provide_who)},
    )
    pages = [
        tracking.find, tracking.find_events, tracking.status, tracking.status_events,
        *recipient.PAGES, receipt.receipt_paper, site_photo.site_photo, *verified.PAGES, *me.PAGES, offline.worker,
        offline.manifest,
        courier.sign_in_page, courier.sign_in, courier.sign_out,
        courier.round_page, courier.stop_page, courier.stop_events, courier.scan_page, courier.carry_page,
        courier.problem_page, courier.outbox_page, courier.day_page, courier_outbox.send, courier_outbox.delegations,
        courier_outbox.label, courier_outbox.worker, courier_outbox.manifest,
    ]  # fmt: skip
    plumbing = [tiles_part, static, favicon, live, ready, metrics, line.link, line.enrol, line.enrol_nonce, docs.page,
                docs.schema]  # fmt: skip
    return Litestar(
        route_handlers=[v1, *pages, *console.PAGES, *plumbing, *more],
        dependencies={
            "sign_in": Provide(provide_sign_in),
            **{name: Provide(giver(name), sync_to_thread=False) for name in names},
        },
        exception_handlers=for_people(_HANDLERS, make_renderer()) | {SignInFirst: on_sign_in_first},
        request_class=CarefulRequest, response_headers={"X-Content-Type-Options": "nosniff"},
        openapi_config=_openapi(), request_max_body_size=BODY_LIMIT_BYTES,
        response_cache_config=ResponseCacheConfig(), logging_config=None,
    )  # fmt: skip


def to_nobody(*_: Any) -> None:
    """The framework would show our document on pages of its own, without our headers, with scripts from elsewhere.

    Raises NotFoundException."""
    raise NotFoundException


def _openapi() -> OpenAPIConfig:
    key = SecurityScheme(type="http", scheme="bearer", description="Your API key.")
    return OpenAPIConfig(
        title="Parcelwall", version=__version__, render_plugins=[JsonRenderPlugin()],
        openapi_router=Router(NOT_SERVED, route_handlers=[], guards=[to_nobody], include_in_schema=False),
        description="Announce parcels, be promised room, and follow them. docs/api.md tells the story.",
        components=Components(security_schemes={"key": key}), security=[{"key": []}],
    )  # fmt: skip
