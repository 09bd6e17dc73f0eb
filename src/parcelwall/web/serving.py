"""Runs an app on a port of this machine for as long as a block lasts."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from parcelwall.errors import Trouble
from parcelwall.web.beside import beside

AT_A_TURN = 16
"""Connections that come in during one turn of the loop. libuv accepts one for each listening handle: the last of
a crowd (stations, after their hub was started anew) waited for as many turns as there were others, and a turn of a busy
hub takes some milliseconds. Each handle is the same socket."""
ONLY_TLS = ("Strict-Transport-Security", f"max-age={365 * 86_400}")
"""A browser that has seen it comes by TLS alone for a year, and takes no certificate that it does not trust (RFC 6797).
Said of this host only: others under its name are not ours to speak for."""
STREAMS_END_WITHIN_S = 1  # open streams are cut at the end; their pages come again by themselves


class _OneLine(logging.Filter):
    """A text that is none, from a garbled line or a stranger, is one line of the log: the stack below it is nobody's
    fault, and whoever likes could fill a disk with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError):
            record.exc_info = None
        return True


ONE_LINE = _OneLine()


class _Quiet(uvicorn.Server):
    """Leaves signals to whoever runs the process: several servers share one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket of ours. Port 0 takes any free one. Raises Trouble for a port that is taken or none, and for a host that
    this machine is not."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError, UnicodeError) as no:
        bound.close()
        raise Trouble(_why(host, port, no)) from no
    bound.listen(2048)
    return bound


def _why(host: str, port: int, no: Exception) -> str:
    if isinstance(no, OverflowError):
        return f"there is no port {port}: choose one up to 65535, or 0 for any free one"
    if isinstance(no, socket.gaierror | UnicodeError) or getattr(no, "errno", 0) == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: choose another `host`, such as 127.0.0.1 or 0.0.0.0"
    said = getattr(no, "strerror", "")
    verb = "is taken" if getattr(no, "errno", 0) == errno.EADDRINUSE else "cannot be used"
    return f"port {port} on {host} {verb}: {said}. Choose another with --port (a station: `port`)."


def told_to_browsers(public_url: str) -> list[tuple[str, str]]:
    """Headers of every answer of a hub that people find there: over TLS they never come without it again."""
    return [ONLY_TLS] if urlsplit(public_url).scheme == "https" else []


@asynccontextmanager
async def serving(
    app: Any, bound: socket.socket, http: Any = "auto", headers: Sequence[tuple[str, str]] = ()
) -> AsyncIterator[int]:
    """Serves the app on a bound socket; yields its port. `http`: uvicorn's protocol, or one of our own. `headers`: of
    every answer. A server that fails ends the block with what it failed at."""
    config = uvicorn.Config(
        app, http=http, log_level="warning", access_log=False, lifespan="off", ws="websockets-sansio",
        ws_max_size=300_000, ws_ping_interval=None, timeout_graceful_shutdown=STREAMS_END_WITHIN_S,
        server_header=False, date_header=True, headers=list(headers),
    )  # fmt: skip
    logging.getLogger("uvicorn.error").addFilter(ONE_LINE)
    server = _Quiet(config)
    handles = [bound, *(bound.dup() for _ in range(AT_A_TURN - 1))]
    async with beside({f"serving on port {bound.getsockname()[1]}": _serve(server, handles, over := asyncio.Event())}):
        try:
            while not server.started and not over.is_set():
                await asyncio.sleep(0.01)
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            await over.wait()
            for handle in handles:
                handle.close()


async def _serve(server: uvicorn.Server, handles: list[socket.socket], over: asyncio.Event) -> None:
    """Serves until it is told to end; and ends by itself only where it fails."""
    try:
        await server.serve(sockets=handles)
    finally:
        over.set()
    if server.should_exit:
        await asyncio.Event().wait()  # until the block around it is over
