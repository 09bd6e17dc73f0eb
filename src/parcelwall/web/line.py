"""The hub's door for stations: `WS /link`, and `POST /enrol` for a new computer with a claim code."""

import asyncio
import contextlib
import re
from typing import Annotated, Any

import asyncpg
import msgspec
import structlog
from litestar import Request, Response, WebSocket, get, post, websocket
from litestar.exceptions import WebSocketDisconnect
from msgspec import Meta

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import elsewhere
from parcelwall.hub.house import Hub
from parcelwall.hub.next_door import NextDoors
from parcelwall.hub.orders import Outlets, Send
from parcelwall.hub.reading import LOST
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.hub_end import HubEnd
from parcelwall.link.identity import enrol_bytes, signed_by
from parcelwall.link.orders import LASTS_MS, Asked
from parcelwall.web.who import Brake, address_of

HELLO_WITHIN_S = 10.0
SILENT_S = 60.0
NEWS_AT_LEAST_EVERY_S = 5.0
ANSWER_EVERY_S = 0.2  # at most; no computer that is a station keeps the hub busy with questions
MOST_AT_ONCE = 64  # messages of one line that are taken before they are stored

Come = asyncio.Queue[str | Exception]  # messages, and last why there are no more

log = structlog.get_logger()


class Lines:
    """The lines to stations that end in this process: a second hello of a station replaces the first."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}

    def replace(self, station: str) -> asyncio.Event:
        """An event that is set when a newer connection of this station takes over."""
        if station in self._open:
            self._open[station].set()
        self._open[station] = asyncio.Event()
        return self._open[station]

    def gone(self, station: str, mine: asyncio.Event) -> None:
        if self._open.get(station) is mine:
            del self._open[station]


def hub_name(hub: Hub, host: str | None) -> str:
    """The name a station dialled, if it is one of ours; else our public one, which then does not fit what it signs."""
    if not hub.names or host in hub.names:
        return host or ""
    return hub.names[0]


@websocket("/link", include_in_schema=False)
async def link(
    socket: WebSocket[Any, Any, Any], hub: Hub, lines: Lines, outlets: Outlets, next_doors: NextDoors
) -> None:
    """One station's connection, from the challenge to its end."""
    await socket.accept(subprotocols=frames.SUBPROTOCOL)
    name = hub_name(hub, socket.headers.get("host"))
    end = HubEnd(hub, hub.signer, name, hub.ids.secret(32), hub.clock)
    try:
        await _converse(socket, end, hub, lines, outlets, next_doors)
    except BadFrame as bad:
        is_named_otherwise = bad.code == frames.WRONG_IDENTITY and name != socket.headers.get("host")
        why = f"this hub is called {name}: write that into hub_url" if is_named_otherwise else str(bad)
        log.warning("link_closed", station=end.claims, reason=why, code=bad.code)
        await _close(socket, bad.code, why)
    except WebSocketDisconnect:
        return
    except TimeoutError:
        await _close(socket, 1001, "nothing was heard for too long")
    except (Trouble, *LOST) as failed:
        log.info("link_waits", station=end.station, reason=type(failed).__name__)
        await _close(socket, 1013, "the hub cannot reach its database now")
    except Exception as failed:
        log.exception("link_failed", station=end.station, reason=type(failed).__name__)
        await _close(socket, 1011, "something here is broken")


async def _converse(
    socket: WebSocket[Any, Any, Any], end: HubEnd, hub: Hub, lines: Lines, outlets: Outlets, next_doors: NextDoors
) -> None:
    async def order(asked: Asked, lasts_ms: int = LASTS_MS) -> None:
        """Goes at once, past what waits: it moves no count, and its deadline runs."""
        with contextlib.suppress(Exception):  # the line is going down: then nothing opens
            await socket.send_text(end.order(asked, lasts_ms))

    turn = asyncio.Lock()  # what is heard and what is told moves one count of what was sent: never both at once
    await socket.send_text(end.challenge())
    async with asyncio.timeout(HELLO_WITHIN_S):
        while not end.station:
            await _hear(socket, end, turn, await _message(socket))
    replaced = lines.replace(end.station)
    outlets.attach(end.station, order)
    try:
        async with asyncio.TaskGroup() as tasks:
            come: Come = asyncio.Queue(MOST_AT_ONCE)
            asked = asyncio.Event()
            beside = [
                tasks.create_task(each)
                for each in (_close_when(replaced, socket), _ship_news(socket, end, hub, turn), _read(socket, come),
                             _answer(socket, end, hub, asked),
                             _while_the_database_is_there(next_doors, end.station, order))
            ]
            try:
                while True:
                    messages = await _all_that_came(come)
                    async with asyncio.timeout(SILENT_S):  # a peer that does not read
                        await _hear(socket, end, turn, *messages)
                    asked.set()
            finally:
                for each in beside:
                    each.cancel()
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        lines.gone(end.station, replaced)
        outlets.detach(end.station, order)


async def _while_the_database_is_there(next_doors: NextDoors, station: str, send: Send) -> None:
    """What is offered beside the line never ends it: without a database nothing is offered."""
    while True:
        with contextlib.suppress(*LOST):
            await next_doors.offer_for_ever(station, send)
        await asyncio.sleep(1.0)


async def _answer(socket: WebSocket[Any, Any, Any], end: HubEnd, hub: Hub, asked: asyncio.Event) -> None:
    """What the station's screen asks, one after the other beside the line. What cannot be told now is not told."""
    while True:
        await asked.wait()
        asked.clear()
        while end.questions:
            question = end.questions.pop(0)
            with contextlib.suppress(*LOST):
                if told := await elsewhere.answer(hub, end.station, question):
                    await socket.send_text(end.told(told))
            await asyncio.sleep(ANSWER_EVERY_S)


async def _message(socket: WebSocket[Any, Any, Any]) -> str:
    data = await socket.receive_data(mode="text")
    return data if isinstance(data, str) else data.decode()


async def _read(socket: WebSocket[Any, Any, Any], come: Come) -> None:
    """Takes messages off the line while those before are being stored; the end of the line comes last."""
    try:
        while True:
            await come.put(await _message(socket))
    except Exception as end:
        await come.put(end)


async def _all_that_came(come: Come) -> list[str]:
    """What has come by now, at least one message. Raises what ended the line, or TimeoutError after a long silence."""
    async with asyncio.timeout(SILENT_S):
        messages = [await come.get()]
    while not come.empty() and isinstance(messages[-1], str):
        messages.append(come.get_nowait())
    if not isinstance(messages[-1], str):
        if len(messages) == 1:
            raise messages[-1]
        come.put_nowait(messages.pop())
    return [each for each in messages if isinstance(each, str)]


async def _hear(socket: WebSocket[Any, Any, Any], end: HubEnd, turn: asyncio.Lock, *messages: str) -> None:
    async with turn:
        try:
            answers = await end.hear(*messages)
        except (OverflowError, asyncpg.DataError) as no:  # a time that no calendar has, a name that no table holds
            raise BadFrame(f"unreadable frame: {no}") from no
        for answer in answers:
            await socket.send_text(answer)


async def _ship_news(socket: WebSocket[Any, Any, Any], end: HubEnd, hub: Hub, turn: asyncio.Lock) -> None:
    """What the hub writes for this station goes out when a follower rings, and now and then in any case."""
    bell = hub.bells.hang(end.station)
    try:
        while True:
            bell.clear()
            _refuse_revoked(hub, end.station)
            async with turn:
                for message in await end.news():
                    await socket.send_text(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(NEWS_AT_LEAST_EVERY_S):
                    await bell.wait()
    finally:
        hub.bells.take_down(end.station, bell)


def _refuse_revoked(hub: Hub, station: str) -> None:
    """Raises BadFrame once this process has heard that the computer is trusted no longer."""
    known = hub.stations.known.get(station)
    if known is not None and known.revoked:
        raise BadFrame("this computer is trusted no longer", frames.REVOKED)


async def _close_when(replaced: asyncio.Event, socket: WebSocket[Any, Any, Any]) -> None:
    await replaced.wait()
    await _close(socket, frames.REPLACED, "replaced by a newer connection")


async def _close(socket: WebSocket[Any, Any, Any], code: int, why: str) -> None:
    with contextlib.suppress(Exception):
        await socket.close(code=code, reason=why[:100])


class EnrolBody(msgspec.Struct, forbid_unknown_fields=True):
    """A computer that would be a station: the claim code typed by a technician, and its own key, signed with it."""

    claim: Annotated[str, Meta(min_length=12, max_length=20)]
    public_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    nonce: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    sig: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$(?!\n)")]
    writer: Annotated[str, Meta(max_length=64)] = ""  # of a computer that was the station already


def _called_otherwise(hub: Hub, host: str | None) -> str:
    """What a technician reads of a signature that does not fit: mostly the station has dialled another name."""
    if not host or hub_name(hub, host) == host:
        return "The signature does not fit. Fetch a new nonce from GET /enrol and sign it again."
    dialled = re.sub(r"[^\w.:\[\]-]", "?", host, flags=re.ASCII)[:100]
    return (f"This hub is called {hub.names[0]}, and was dialled as {dialled}. Put its own name into the station's "
            f"`hub_url`, or add {dialled} to PARCELWALL_LINK_NAMES at the hub.")  # fmt: skip


class Nonces:
    """Numbers given out for enrolment, each good once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._given: list[str] = []

    def give(self) -> str:
        self._given = [*self._given[-99:], self._hub.ids.secret(32).hex()]
        return self._given[-1]

    def spend(self, nonce: str) -> bool:
        if nonce not in self._given:
            return False
        self._given.remove(nonce)
        return True


@get("/enrol", include_in_schema=False)
async def enrol_nonce(nonces: Nonces) -> dict[str, str]:
    return {"nonce": nonces.give()}


@post("/enrol", include_in_schema=False, status_code=201)
async def enrol(
    request: Request[Any, Any, Any], data: EnrolBody, hub: Hub, nonces: Nonces, claim_brake: Brake
) -> Response[bytes]:
    """Ten wrong claims an hour from one address, then none. Raises Refusal."""
    key = bytes.fromhex(data.public_key)
    name = hub_name(hub, request.headers.get("host"))
    signed = enrol_bytes(name, data.claim, key, bytes.fromhex(data.nonce))
    if not nonces.spend(data.nonce) or not signed_by(key, data.sig, signed):
        raise Refusal("bad_field", _called_otherwise(hub, request.headers.get("host")), field="sig")
    with claim_brake.one_try(address_of(request), "claim_unknown"):
        enrolment = await hub.enrol(data.claim, key, data.writer)
    await hub.refresh()
    return Response(msgspec.json.encode(enrolment), status_code=201, media_type="application/json")
