"""Where a server cannot listen, a sentence says which of host and port is wrong; a crowd at the door is let in."""

import asyncio
import re
import socket
from contextlib import ExitStack
from typing import Any

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from parcelwall.errors import Trouble
from parcelwall.web.serving import AT_A_TURN, listen, serving

CROWD = 30 * AT_A_TURN


async def test_a_server_that_fails_ends_what_it_was_for() -> None:
    """It looked as if it served: the block went on over a port at which nobody answers."""
    went_on: list[int] = []

    async def serve() -> None:
        async with serving(_said_yes, listen("127.0.0.1", 0), "nowhere.at_all:Protocol") as port:
            await asyncio.sleep(0.5)
            went_on.append(port)

    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        await serve()
    assert not went_on


@pytest.mark.parametrize(("host", "port", "told"), [
    ("127.0.0.1", 99999, "there is no port 99999"), ("127.0.0.1", -1, "there is no port -1"),
    ("nowhere.invalid", 0, "nowhere.invalid is no address of"), ("192.0.2.1", 0, "192.0.2.1 is no address"),
    ("a..b", 0, "a..b is no address of this machine"), ("::1", 0, "::1 is no address"),
])  # fmt: skip
def test_where_nobody_can_listen(host: str, port: int, told: str) -> None:
    with pytest.raises(Trouble, match=re.escape(told)):
        listen(host, port)


def test_a_port_that_is_taken() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(Trouble, match=rf"port {port} on 127\.0\.0\.1 is taken"):
            listen("127.0.0.1", port)


async def test_a_text_that_is_none_is_one_line_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(_listens, listen("127.0.0.1", 0)) as port, connect(f"ws://127.0.0.1:{port}") as line:
        await line.send(b"a frame \xa4", text=True)
        with pytest.raises(ConnectionClosedError, match="1007"):
            await line.recv()
    told = capfd.readouterr().err
    assert "Invalid UTF-8" in told and "Traceback" not in told


async def _listens(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


async def _said_yes(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def _has_come(client: socket.socket) -> bool:
    try:
        return client.recv(200, socket.MSG_PEEK).startswith(b"HTTP/1.1 200")
    except BlockingIOError:
        return False


async def _turns_until_all_are_answered() -> int:
    """Of the loop, for a crowd that stands at the door already."""
    bound = listen("127.0.0.1", 0)
    async with serving(_said_yes, bound) as port:
        with ExitStack() as stack:
            waiting = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(CROWD)]
            for client in waiting:
                client.sendall(b"GET / HTTP/1.1\r\nHost: hub.test\r\n\r\n")
                client.setblocking(False)
            turns = 0
            while waiting:
                await asyncio.sleep(0)
                turns += 1
                waiting = [client for client in waiting if not _has_come(client)]
        return turns


def test_a_crowd_at_the_door_is_let_in_many_at_a_turn() -> None:
    """libuv lets one in for each turn of the loop, and a turn of a busy hub takes milliseconds."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(_turns_until_all_are_answered()) < CROWD / 3
