"""Whoever has more to say is heard out before the line is closed.

A body that is refused unread, as too large or from nobody known, is answered at once. Where the line is then closed,
what is still coming meets a closed door: the system answers it with a reset, and many clients, which read only when
they have sent everything, never see why (RFC 9112, section 9.6). Where the line stays open, uvicorn reads on by itself.
"""

import asyncio
import contextlib
from typing import Any

from litestar.types import ASGIApp

MOST_BYTES, MOST_S = 64_000_000, 10.0  # somebody who sends for ever is not listened to for ever


class HearOut:
    """An ASGI app in front of another: an answer is told at once, and before its end the rest of the request is read
    and thrown away."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and _closes(scope):
            receive, send = _heard_out(receive, send)
        await self._app(scope, receive, send)


def _closes(scope: Any) -> bool:
    """The line ends with the answer, and the body comes unasked (`Expect`: it is not sent before it is asked for)."""
    headers = {name: value for name, value in scope["headers"] if name in (b"connection", b"expect")}
    return b"expect" not in headers and (
        scope["http_version"] == "1.0" or b"close" in headers.get(b"connection", b"").lower()
    )


def _heard_out(receive: Any, send: Any) -> tuple[Any, Any]:
    is_over = False

    async def hear() -> Any:
        nonlocal is_over
        message = await receive()
        is_over = not message.get("more_body", False)
        return message

    async def rest() -> None:
        left = MOST_BYTES
        while not is_over and left > 0:
            left -= len((await hear()).get("body", b""))

    async def answer(message: Any) -> None:
        """All of it at once; only its end, with which the line is closed, waits until the other has said all."""
        if message["type"] != "http.response.body" or message.get("more_body", False) or is_over:
            return await send(message)
        await send({**message, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MOST_S):
                await rest()
        return await send({"type": "http.response.body", "body": b"", "more_body": False})

    return hear, answer
