"""What a courier's phone sends by itself: its outbox, its key, a label it has read; and the worker that keeps pages."""

import json
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from msgspec import Meta

from parcelwall.errors import Refusal
from parcelwall.hub import courier_outbox, couriers
from parcelwall.hub.courier_outbox import MOST_ENTRIES, Done, Entry
from parcelwall.hub.house import Hub
from parcelwall.notices.language import Words, words
from parcelwall.notices.texts import refusal_text, state_text
from parcelwall.web.courier import signed
from parcelwall.web.passkeys import only_from_here
from parcelwall.web.reader import language_of
from parcelwall.web.render import HEADERS, STATIC, Renderer

PAGES = ("/courier", "/courier/scan", "/courier/carry", "/courier/problem", "/courier/outbox", "/courier/day")
PHOTO_TOLD = ("photo_unwanted", "photo_unread", "photo_left_out", "photo_missing")  # the first that is so
FILES = ("courier.css", "courier.js", "live.js", "fonts/next-latin.woff2", "fonts/mono.woff2", "favicon.svg",
         "scan/qr.mjs", "scan/barcode.min.js", "scan/zxing_reader.wasm")  # fmt: skip


class OutboxBody(msgspec.Struct, forbid_unknown_fields=True):
    entries: Annotated[list[Entry], Meta(max_length=MOST_ENTRIES)]


class KeyBody(msgspec.Struct, forbid_unknown_fields=True):
    phone_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class LabelBody(msgspec.Struct, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=64)]
    station: Annotated[str, Meta(max_length=32)] = ""


async def _courier(request: Request[Any, Any, Any], hub: Hub) -> UUID:
    """Raises Refusal for whoever is not signed in, and for another site's page."""
    only_from_here(request)
    courier = await signed(request, hub)
    if courier is None:
        raise Refusal("sign_in")
    return courier


@post("/courier/outbox", include_in_schema=False, status_code=200)
async def send(request: Request[Any, Any, Any], data: OutboxBody, hub: Hub) -> Response[bytes]:
    """Takes what the phone has kept. Each entry has its own answer; sent twice it has the same. Raises Refusal."""
    courier = await _courier(request, hub)
    known = words(language_of(request))
    done = await courier_outbox.take(hub, courier, data.entries)
    return _json({"answers": [_told(hub, each, known) for each in done]})


def _told(hub: Hub, done: Done, known: Words) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(done.id), "state": done.state}
    if done.reason:
        told["words"] = refusal_text(done.reason, known, "phone").whole()
    if done.case:
        told["case"] = told["words"] = done.case
    if why := next((each for each in PHOTO_TOLD if getattr(done, each)), None):
        told["words"] = f"{done.case}. {state_text(why, known).whole()}"
    if done.carried:
        station = hub.stations.known.get(done.carried.station)
        name = station.about.name if station else done.carried.station
        told["carried"] = {**msgspec.to_builtins(done.carried), "name": name}
        told["words"] = name
    return told


@post("/courier/delegations", include_in_schema=False, status_code=200)
async def delegations(request: Request[Any, Any, Any], data: KeyBody, hub: Hub) -> Response[bytes]:
    """The hub's word for this phone, for a day. Raises Refusal."""
    given = await couriers.delegate(hub, await _courier(request, hub), bytes.fromhex(data.phone_key))
    return _json({"delegations": given})


@post("/courier/label", include_in_schema=False, status_code=200)
async def label(request: Request[Any, Any, Any], data: LabelBody, hub: Hub) -> Response[bytes]:
    """What a label means for this courier. Raises Refusal."""
    courier = await _courier(request, hub)
    found, known = await couriers.what_is(hub, courier, data.label, data.station), words(language_of(request))
    station = hub.stations.known.get(found.station)
    places = {"size": found.size, "ending": found.ending, "station": station.about.name if station else ""}
    saying = state_text(f"label_{found.verdict}", known, **places)
    refused = found.verdict not in ("here", "inside")
    return _json({"heading": str(saying.heading), "line": str(saying.line), "refused": refused})


@get("/courier/sw.js", include_in_schema=False, sync_to_thread=False)
def worker(renderer: Renderer) -> Response[bytes]:
    """The service worker of the courier's pages, with the files of this build."""
    files = [renderer.asset(name) for name in FILES]
    text = (STATIC / "courier/sw.js").read_text()
    text = text.replace("{name}", f"courier-{renderer.build}")
    text = text.replace("{pages}", json.dumps(PAGES)).replace("{files}", json.dumps(files))
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/courier", "X-Content-Type-Options": "nosniff",
               "Content-Security-Policy": HEADERS["Content-Security-Policy"]}  # fmt: skip
    return Response(text.encode(), media_type="text/javascript", headers=headers)


@get("/courier/app.webmanifest", include_in_schema=False, sync_to_thread=False)
def manifest(renderer: Renderer) -> Response[bytes]:
    """What a phone needs to put the courier's pages on its home screen."""
    told = {
        "name": "Parcelwall courier", "short_name": "Parcelwall", "start_url": "/courier", "scope": "/courier",
        "display": "standalone", "background_color": "#FBFAF5", "theme_color": "#0B2420",
        "icons": [{"src": renderer.asset("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }  # fmt: skip
    return Response(json.dumps(told).encode(), media_type="application/manifest+json")


def _json(body: Any) -> Response[bytes]:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(msgspec.json.encode(body), media_type="application/json", headers=headers)
