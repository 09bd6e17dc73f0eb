"""The road of tracking, in front of the framework: it is asked most, by anybody (docs/speed.md).

The typed handler behind it (`web/api.py`) says what is allowed, OpenAPI reads that one, and it serves whatever is not
in its usual form here. Announcements and offers have a shorter road still (`web/quick_http.py`).
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.types import ASGIApp

from parcelwall.hub.house import Hub
from parcelwall.web.api import tracked
from parcelwall.web.who import Brake

TRACK = "/api/v1/track/"


class QuickTracking:
    """An ASGI app in front of the whole one. `handlers` make an answer of whatever is raised, as the whole one's do.

    `http` is the protocol to serve it by (web/quick_http.py).
    """

    http: Any = "auto"

    def __init__(self, app: ASGIApp, hub: Hub, brake: Brake, handlers: Mapping[int | type[Exception], Any]) -> None:
        self._app, self._hub, self._brake, self._handlers = app, hub, brake, handlers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path.startswith(TRACK) and _is_a_number(path, scope):
            await self._track(path.removeprefix(TRACK), scope, send)
        else:
            await self._app(scope, receive, send)

    async def _track(self, reference: str, scope: Any, send: Any) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        try:
            body = await tracked(self._hub, self._brake, reference, address)
        except Exception as failed:
            await _send_response(send, told(self._handlers, failed))
        else:
            await _send(send, 200, body, {"content-type": "application/json", "x-content-type-options": "nosniff"})


def told(handlers: Mapping[int | type[Exception], Any], failed: BaseException) -> Response[bytes]:
    """The answer that the framework's handlers make of what was raised."""
    handle = next(handlers[kind] for kind in type(failed).__mro__ if kind in handlers)
    response: Response[bytes] = handle(None, failed)
    return response


def _is_a_number(path: str, scope: Any) -> bool:
    rest = path[len(TRACK) :]
    return bool(rest) and "/" not in rest and scope["type"] == "http" and scope["method"] == "GET"


async def _send_response(send: Any, response: Response[bytes]) -> None:
    await _send(send, response.status_code or 500, response.content,
                {**response.headers, "content-type": str(response.media_type)})  # fmt: skip


async def _send(send: Any, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
