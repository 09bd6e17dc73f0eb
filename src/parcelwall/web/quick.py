"""Roads past the framework's general machinery, for what is asked most: announcing, offers, tracking (docs/speed.md).

The typed handlers behind them (`web/api.py`) say what is allowed, OpenAPI reads those, and they serve whatever is not
in its usual form here.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.types import ASGIApp

from parcelwall.hub.house import Hub
from parcelwall.web.api import announcement, asked_by, note_choice, offered, tracked
from parcelwall.web.bodies import OfferBody, ParcelBody
from parcelwall.web.who import Brake, Doorman

LIMIT_BYTES = 64_000  # a larger body is no usual announcement
PARCELS, OFFERS, TRACK = "/api/v1/parcels", "/api/v1/offers", "/api/v1/track/"
_BODIES: dict[str, msgspec.json.Decoder[Any]] = {
    PARCELS: msgspec.json.Decoder(ParcelBody), OFFERS: msgspec.json.Decoder(OfferBody),
}  # fmt: skip


class QuickRoads:
    """An ASGI app in front of the whole one. `handlers` make an answer of whatever is raised, as the whole one's do."""

    def __init__(
        self, app: ASGIApp, hub: Hub, doorman: Doorman, brake: Brake, handlers: Mapping[int | type[Exception], Any]
    ) -> None:
        self._app, self._hub, self._doorman, self._brake, self._handlers = app, hub, doorman, brake, handlers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path in _BODIES and scope["type"] == "http" and scope["method"] == "POST":
            await self._posted(path, scope, receive, send)
        elif path.startswith(TRACK) and _is_a_number(path, scope):
            await self._answer(send, self._track(path.removeprefix(TRACK), scope))
        else:
            await self._app(scope, receive, send)

    async def _posted(self, path: str, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if not _is_usual(scope, headers):
            return await self._app(scope, receive, send)
        body = await _whole(receive)
        if body is None:
            return None  # it was broken off: nobody waits, and nobody knows what was meant
        try:
            data = _BODIES[path].decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return await self._app(scope, _heard(body, receive), send)
        asking = self._announced(data, body, headers) if path == PARCELS else self._offered(data, headers)
        return await self._answer(send, asking)

    async def _offered(self, data: OfferBody, headers: dict[bytes, bytes]) -> tuple[int, bytes]:
        who = await self._doorman.who(headers.get(b"authorization", b"").decode("latin-1"))
        return 200, await offered(self._hub, who, data)

    async def _announced(self, data: ParcelBody, body: bytes, headers: dict[bytes, bytes]) -> tuple[int, bytes]:
        who = await self._doorman.who(headers.get(b"authorization", b"").decode("latin-1"))
        key = headers.get(b"idempotency-key", b"").decode("latin-1")
        answer = await self._hub.desk.ask(announcement(data, who, asked_by(who, key, f"POST {PARCELS}", body)))
        note_choice(self._hub, data.destination.offer if data.destination else None, who, answer)
        return answer.status, answer.text

    async def _track(self, reference: str, scope: Any) -> tuple[int, bytes]:
        address = scope["client"][0] if scope.get("client") else ""
        return 200, await tracked(self._hub, self._brake, reference, address)

    async def _answer(self, send: Any, asking: Any) -> None:
        try:
            status, body = await asking
        except Exception as failed:
            await _send_response(send, self._told(failed))
        else:
            await _send(send, status, body, {"content-type": "application/json"})

    def _told(self, failed: Exception) -> Response[bytes]:
        handle = next(self._handlers[kind] for kind in type(failed).__mro__ if kind in self._handlers)
        response: Response[bytes] = handle(None, failed)
        return response


def _is_a_number(path: str, scope: Any) -> bool:
    rest = path[len(TRACK) :]
    return bool(rest) and "/" not in rest and scope["type"] == "http" and scope["method"] == "GET"


def _is_usual(scope: Any, headers: dict[bytes, bytes]) -> bool:
    """JSON with a length that is not large, and no header twice."""
    size = headers.get(b"content-length", b"")
    return len(size) < 10 and (
        headers.get(b"content-type") == b"application/json" and size.isdigit() and int(size) <= LIMIT_BYTES
        and len(headers) == len(scope["headers"])
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
