"""Runs an app on a port of this machine for as long as a block lasts."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from parcelwall.errors import Trouble

STREAMS_END_WITHIN_S = 1  # open streams are cut at the end; their pages come again by themselves


class _Quiet(uvicorn.Server):
    """Leaves signals to whoever runs the process: several servers share one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket of ours. Port 0 takes any free one. Raises Trouble for a port that is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as no:
        bound.close()
        raise Trouble(f"port {port} on {host} is taken: {no.strerror}. Choose another with --port.") from no
    bound.listen(2048)
    return bound


@asynccontextmanager
async def serving(app: Any, bound: socket.socket, http: Any = "auto") -> AsyncIterator[int]:
    """Serves the app on a bound socket; yields its port. `http`: uvicorn's protocol, or one of our own."""
    config = uvicorn.Config(
        app, http=http, log_level="warning", access_log=False, lifespan="off", ws="websockets-sansio",
        ws_max_size=300_000, ws_ping_interval=None, timeout_graceful_shutdown=STREAMS_END_WITHIN_S,
        server_header=False, date_header=True,
    )  # fmt: skip
    server = _Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        bound.close()
