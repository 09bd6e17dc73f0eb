"""The road of announcements and offers: from uvicorn's protocol to the desk and back, past ASGI and the framework.

A task, a scope and a dozen calls for each request cost a third of what it takes to serve it (docs/decisions/0026).
Whatever is not in its usual form goes the way of everything else, to the typed handler that says what is allowed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from parcelwall.errors import Refusal
from parcelwall.hub.commands import Answer
from parcelwall.hub.house import Hub
from parcelwall.hub.offers import Offered
from parcelwall.web.api import announcement, asked_by
from parcelwall.web.bodies import OfferBody, ParcelBody
from parcelwall.web.quick import told
from parcelwall.web.who import Doorman, Who

PARCELS = "/api/v1/parcels"
_PARCELS, _OFFERS = PARCELS.encode(), b"/api/v1/offers"
LIMIT_BYTES = 64_000  # a larger body is no usual announcement
_PARCEL, _OFFER = msgspec.json.Decoder(ParcelBody), msgspec.json.Decoder(OfferBody)
_HEADERS = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]


class Counter:
    """Puts announcements and requests for offers to the desk. `handlers` make an answer of whatever is raised, as the
    framework's do."""

    def __init__(self, hub: Hub, doorman: Doorman, handlers: Mapping[int | type[Exception], Any]) -> None:
        self._hub, self._doorman, self._handlers = hub, doorman, handlers
        self._roads = {_PARCELS: self._announce, _OFFERS: self._offer}
        self.taken = 0  # requests that came this way

    def serves(self, url: bytes) -> bool:
        return url in self._roads

    def ask(self, url: bytes, headers: Mapping[bytes, bytes], body: bytes) -> asyncio.Future[Any] | None:
        """The answer to be waited for; None for what is not in its usual form, or not from a key known to be a
        carrier's."""
        try:
            who = self._doorman.remembered(headers.get(b"authorization", b"").decode("latin-1"))
            asked = self._roads[url](who, headers, body) if who is not None and who.carries else None
        except (Refusal, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        self.taken += asked is not None
        return asked

    def _announce(self, who: Who, headers: Mapping[bytes, bytes], body: bytes) -> asyncio.Future[Answer] | None:
        data = _PARCEL.decode(body)
        if data.destination and data.destination.offer:
            return None
        key = headers.get(b"idempotency-key", b"").decode("latin-1")
        return self._hub.desk.put(announcement(data, who, asked_by(who, key, f"POST {PARCELS}", body)))

    def _offer(self, who: Who, _: Mapping[bytes, bytes], body: bytes) -> asyncio.Future[Offered]:
        return self._hub.offers.put(_OFFER.decode(body).wanted(who.carrier))

    def answer(self, asked: asyncio.Future[Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body of what came of it."""
        failed = asked.exception()
        if failed is None:
            came = asked.result()
            return (200, _HEADERS, msgspec.json.encode(came)) if isinstance(came, Offered) else (
                came.status, _HEADERS, came.text)  # fmt: skip
        response = told(self._handlers, failed)
        headers = {**response.headers, "content-type": str(response.media_type)}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return response.status_code or 500, raw, response.content


def is_usual(given: Sequence[tuple[bytes, bytes]]) -> bool:
    """JSON with a length that is not large, and no header twice."""
    headers = dict(given)
    size = headers.get(b"content-length", b"")
    return len(size) < 10 and (
        headers.get(b"content-type") == b"application/json" and size.isdigit() and int(size) <= LIMIT_BYTES
        and len(headers) == len(given)
    )  # fmt: skip


class Turn:
    """What uvicorn's protocol looks at while a request of a connection is under way."""

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.response_complete = self.disconnected = False
        self.message_event = asyncio.Event()


class QuickHttp(HttpToolsProtocol):
    """uvicorn's HTTP, but for what the counter serves. Give it one with `at`."""

    counter: Counter
    _parts: list[bytes] | None = None  # of a body that is coming in for the counter

    @classmethod
    def at(cls, counter: Counter) -> type["QuickHttp"]:
        return type("QuickHttpAt", (cls,), {"counter": counter})

    def on_headers_complete(self) -> None:
        if self.counter.serves(self.url) and self._is_idle() and self._is_usual():
            self._parts = []
        else:
            super().on_headers_complete()

    def _is_idle(self) -> bool:
        """Nothing of this connection is under way, and it takes what is written to it."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _is_usual(self) -> bool:
        return (self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1"
                and not self.expect_100_continue and is_usual(self.headers))  # fmt: skip

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._parts is None:
            return super().on_message_complete()
        body, self._parts = b"".join(self._parts), None
        asked = self.counter.ask(self.url, dict(self.headers), body)
        if asked is None:
            super().on_headers_complete()
            super().on_body(body)
            return super().on_message_complete()
        self.cycle: Any = Turn(self.parser.should_keep_alive())
        asked.add_done_callback(partial(self._answer, self.cycle))
        return None

    def _answer(self, turn: Turn, asked: asyncio.Future[Any]) -> None:
        status, headers, body = self.counter.answer(asked)
        if turn.disconnected:
            return
        turn.response_complete = True
        lines = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            lines += (name, b": ", value, b"\r\n")
        closing = b"" if turn.keep_alive else b"connection: close\r\n"
        lines += (closing, b"content-length: %d\r\n\r\n" % len(body), body)
        self.transport.write(b"".join(lines))
        if not turn.keep_alive:
            self.transport.close()
        self.on_response_complete()
