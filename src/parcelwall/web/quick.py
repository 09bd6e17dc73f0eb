"""Roads past the framework's general machinery, for what is asked most: offers and tracking (docs/speed.md).

The typed handlers behind them (`web/api.py`) say what is allowed, OpenAPI reads those, and they serve whatever is not
in its usual form here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Response
from litestar.types import ASGIApp

from parcelwall.hub.house import Hub
from parcelwall.web.api import offered, tracked
from parcelwall.web.bodies import OfferBody
from parcelwall.web.who import Brake, Doorman

LIMIT_BYTES = 64_000  # a larger body is no usual announcement
PARCELS, OFFERS, TRACK = "/api/v1/parcels", "/api/v1/offers", "/api/v1/track/"
_OFFER = msgspec.json.Decoder(OfferBody)


class QuickRoads:
    """An ASGI app in front of the whole one. `handlers` make an answer of whatever is raised, as the whole one's do.

    `http` is the protocol to serve it by (web/quick_http.py).
    """

    http: Any = "auto"

    def __init__(
        self, app: ASGIApp, hub: Hub, doorman: Doorman, brake: Brake, handlers: Mapping[int | type[Exception], Any]
    ) -> None:
        self._app, self._hub, self._doorman, self._brake, self._handlers = app, hub, doorman, brake, handlers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path == OFFERS and scope["type"] == "http" and scope["method"] == "POST":
            await self._posted(scope, receive, send)
        elif path.startswith(TRACK) and _is_a_number(path, scope):
            await self._answer(send, self._track(path.removeprefix(TRACK), scope))
        else:
            await self._app(scope, receive, send)

    async def _posted(self, scope: Any, receive: Any, send: Any) -> None:
        if not is_usual(scope["headers"]):
            return await self._app(scope, receive, send)
        body = await _whole(receive)
        if body is None:
            return None  # it was broken off: nobody waits, and nobody knows what was meant
        try:
            data = _OFFER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return await self._app(scope, _heard(body, receive), send)
        return await self._answer(send, self._offered(data, dict(scope["headers"])))

    async def _offered(self, data: OfferBody, headers: dict[bytes, bytes]) -> tuple[int, bytes]:
        who = await self._doorman.who(headers.get(b"authorization", b"").decode("latin-1"))
        return 200, await offered(self._hub, who, data)

    async def _track(self, reference: str, scope: Any) -> tuple[int, bytes]:
        address = scope["client"][0] if scope.get("client") else ""
        return 200, await tracked(self._hub, self._brake, reference, address)

    async def _answer(self, send: Any, asking: Any) -> None:
        try:
            status, body = await asking
        except Exception as failed:
            await _send_response(send, told(self._handlers, failed))
        else:
            await _send(send, status, body, {"content-type": "application/json", "x-content-type-options": "nosniff"})


def told(handlers: Mapping[int | type[Exception], Any], failed: BaseException) -> Response[bytes]:
    """The answer that the framework's handlers make of what was raised."""
    handle = next(handlers[kind] for kind in type(failed).__mro__ if kind in handlers)
    response: Response[bytes] = handle(None, failed)
    return response


def _is_a_number(path: str, scope: Any) -> bool:
    rest = path[len(TRACK) :]
    return bool(rest) and "/" not in rest and scope["type"] == "http" and scope["method"] == "GET"


def is_usual(given: Sequence[tuple[bytes, bytes]]) -> bool:
    """JSON with a length that is not large, and no header twice."""
    headers = dict(given)
    size = headers.get(b"content-length", b"")
    return len(size) < 10 and (
        headers.get(b"content-type") == b"application/json" and size.isdigit() and int(size) <= LIMIT_BYTES
        and len(headers) == len(given)
    )  # fmt: skip


async def _whole(receive: Any) -> bytes | None:
    """The body; None if the line ended before it did."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _heard(body: bytes, receive: Any) -> Any:
    """Gives a body that was read already to whoever reads it next, and then what comes after it."""
    given = False

    async def again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _send_response(send: Any, response: Response[bytes]) -> None:
    await _send(send, response.status_code or 500, response.content,
                {**response.headers, "content-type": str(response.media_type)})  # fmt: skip


async def _send(send: Any, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
