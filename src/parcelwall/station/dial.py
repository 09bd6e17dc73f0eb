"""The station's line to its hub: dials for ever, backs off with jitter, ships and takes in. Also enrolment."""

import asyncio
import contextlib
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import apsw
import msgspec
import structlog
import websockets
from websockets.asyncio.client import ClientConnection, connect

from parcelwall import __version__
from parcelwall.clock import Clock
from parcelwall.errors import Trouble, leaves
from parcelwall.ids import Ids
from parcelwall.link import backoff, frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import enrol_bytes
from parcelwall.link.station_end import StationEnd
from parcelwall.station.house import Station, accept, key_of, use_next_key
from parcelwall.station.memory import Memory

NEWS_EVERY_S, BEAT_EVERY_S = 0.1, 20.0
ANSWER_WITHIN_S, CLOSE_WITHIN_S = 15.0, 2.0
SILENT_FOR_S = 60.0  # of a hub that is asked by a beat every 20 s
MOST_BYTES = 64 * 1024  # of an answer to an enrolment
REFUSALS = range(4400, 4500)  # codes with which a hub closes a line because of what is at its other end

log = structlog.get_logger()


class Unreachable(Trouble):
    """The hub is not there, or is in trouble itself: the same again later may help."""


class Line:
    """Keeps one connection to the hub open. `cut` is for people who want to see what happens then.

    A hub to which this computer is a stranger is dialled with the present key and with the former one in turn.

    A hub that answers no beat for `silent_for_s` is as good as gone, though its socket may live: its database hangs.
    """

    def __init__(
        self, station: Station, hub_url: str, beat_every_s: float = BEAT_EVERY_S, silent_for_s: float = SILENT_FOR_S
    ) -> None:
        self.station, self._beat_every_s, self._silent_for_s = station, beat_every_s, silent_for_s
        parts = urlsplit(hub_url)
        self._hub = parts.netloc
        self._url = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/link"
        self.is_cut = False
        self._as_before = False  # with the key of before the last renewal
        self._connection: ClientConnection | None = None
        self._mended = asyncio.Event()

    async def cut(self) -> None:
        """As if the cable were pulled."""
        self.is_cut = True
        self._mended.clear()
        if self._connection:
            self._connection.transport.abort()

    def mend(self) -> None:
        self.is_cut = False
        self._mended.set()

    async def run(self) -> None:
        """Dials for ever. A connection that lived for a minute starts the count of failures anew."""
        tries = 0
        while True:
            if self.is_cut:
                await self._mended.wait()
                tries = 0
            began = self.station.clock.mono()
            await self._once()
            tries = 0 if self.station.clock.mono() - began > backoff.GOOD_AFTER_S else tries + 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff.wait_s(tries - 1, self.station.ids.chance.random())):
                    await self._mended.wait()
            self._mended.clear()

    async def _once(self) -> None:
        """One connection, from the dial to its end. Says why it ended; never raises for what the world does."""
        try:
            async with connect(
                self._url, subprotocols=[websockets.Subprotocol(frames.SUBPROTOCOL)], max_size=frames.LIMIT_BYTES,
                ping_interval=10, ping_timeout=ANSWER_WITHIN_S, compression=None, open_timeout=ANSWER_WITHIN_S,
                close_timeout=CLOSE_WITHIN_S, proxy=None,
            ) as connection:  # fmt: skip
                self._connection = connection
                await self._converse(connection, self.station.line_end(self._hub, self._as_before))
        except* (OSError, websockets.WebSocketException, TimeoutError) as gone:
            self._say_down(next(leaves(gone)))
        except* (BadFrame, Trouble, apsw.Error) as bad:
            log.warning("line_refused", station=self.station.memory.station, reason=str(next(leaves(bad))))
        except* Exception as wrong:  # ours or the hub's to mend: doors are opened without a line all the same
            log.error("line_stumbles", station=self.station.memory.station, hub=self._hub, exc_info=wrong)
        finally:
            self._connection = None
            self._online(False)

    def _say_down(self, gone: BaseException) -> None:
        """Why the line is down; as a warning where the hub has said no to this computer, for that stays so."""
        said = gone.rcvd if isinstance(gone, websockets.ConnectionClosed) else None
        where = {"station": self.station.memory.station, "hub": self._hub}
        if said and said.code in REFUSALS:
            log.warning("line_down", **where, code=said.code, reason=f"the hub says: {said.reason}")
            if said.code == frames.WRONG_IDENTITY:  # a stranger to it: perhaps it was restored to before a renewal
                self._as_before = not self._as_before
        else:
            log.info("line_down", **where, reason=_why(gone))

    async def _converse(self, connection: ClientConnection, end: StationEnd) -> None:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while not end.welcomed:
                await self._hear(connection, end)
        self._online(True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_news(connection, end))
            tasks.create_task(self._beat(connection, end))
            while True:
                await self._hear_in_time(connection, end)

    async def _hear_in_time(self, connection: ClientConnection, end: StationEnd) -> None:
        try:
            async with asyncio.timeout(self._silent_for_s):
                await self._hear(connection, end)
        except TimeoutError as no:
            raise TimeoutError(f"the hub has answered nothing for {self._silent_for_s:g} s") from no

    async def _hear(self, connection: ClientConnection, end: StationEnd) -> None:
        message = await connection.recv(decode=True)
        for answer in end.hear(str(message)):
            await connection.send(answer)
        if end.rekeyed:
            if not self._as_before:
                use_next_key(self.station.memory)
            self._as_before = False
            log.info("rekeyed", station=self.station.memory.station)
            await connection.close()

    async def _tell_news(self, connection: ClientConnection, end: StationEnd) -> None:
        while True:
            for message in end.news():
                await connection.send(message)
            if question := self.station.elsewhere.to_send():
                await connection.send(end.ask(question))
            await asyncio.sleep(NEWS_EVERY_S)

    async def _beat(self, connection: ClientConnection, end: StationEnd) -> None:
        while True:
            await asyncio.sleep(self._beat_every_s)
            for message in end.beat():
                await connection.send(message)

    def _online(self, online: bool) -> None:
        if self.station.desk.online != online:
            self.station.desk.online = online
            self.station.kiosk.redraw()


async def enrol(memory: Memory, hub_url: str, claim: str, clock: Clock, ids: Ids) -> None:
    """Makes this computer the station of the claim code; or, if it was a station already, makes it so once more for a
    hub that has forgotten. Raises Trouble that says what to do, Unreachable if that is to try again."""
    signer = key_of(memory, ids)
    hub = urlsplit(hub_url).netloc
    try:
        nonce = str((await _call(hub_url, "GET", "/enrol", None))["nonce"])
        sig = signer.sign(enrol_bytes(hub, claim, signer.public, bytes.fromhex(nonce)))
        body = {"claim": claim, "public_key": signer.public.hex(), "nonce": nonce, "sig": sig}
        if memory.writer:
            body["writer"] = memory.writer
        accept(memory, await _call(hub_url, "POST", "/enrol", body), ids)
    except (KeyError, ValueError) as no:
        raise Unreachable(f"what answers at {hub_url} is no hub of Parcelwall: look at `hub_url`, and at what stands "
                          "between") from no  # fmt: skip
    log.info("enrolled", station=memory.station, software=__version__)


async def _call(hub_url: str, method: str, path: str, body: dict[str, str] | None) -> dict[str, Any]:
    def call() -> bytes:
        data = msgspec.json.encode(body) if body else None
        request = urllib.request.Request(  # noqa: S310 - the operator's own hub
            hub_url.rstrip("/") + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310 - the operator's own hub
            return bytes(answer.read(MOST_BYTES))

    try:
        answer = msgspec.json.decode(await asyncio.to_thread(call), type=dict[str, Any])
    except urllib.error.HTTPError as no:
        if no.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"the hub at {hub_url} is in trouble: {_said(no)}") from no
        raise Trouble(f"the hub refuses: {_said(no)}") from no
    except (OSError, ValueError, msgspec.DecodeError, HTTPException) as no:
        raise Unreachable(f"cannot reach the hub at {hub_url}: {no}") from no
    return answer


def _why(gone: BaseException) -> str:
    """What became of a line, for whoever reads the log."""
    return f"{type(gone).__name__}: {gone}" if str(gone) else type(gone).__name__


def _said(no: urllib.error.HTTPError) -> str:
    """The hub's own sentence; what stands between may answer with anything."""
    try:
        return str(msgspec.json.decode(no.read(), type=dict).get("detail", no.reason))
    except (msgspec.DecodeError, UnicodeError):
        return f"{no.code} {no.reason}"
