"""What an installer reads of a line that does not come up: an address that is none, and why a line is down."""

import asyncio
import socket
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from parcelwall import clock
from parcelwall.errors import Trouble
from parcelwall.link import frames
from parcelwall.link.identity import welcome_bytes
from parcelwall.link.station_end import WelcomeBody
from parcelwall.station.dial import Line
from parcelwall.station.running import read_settings
from station.rig import HUB, NAME, WRITER, Rig

FILE = """hub_url = "{url}"
[bus]
driver = "modbus_relay"
port = "pretend"
closed_value = 0
boards = [{{ address = 1, channels = 8 }}]
doors = [{{ door = 1, board = 1, lock = 1 }}]
"""


def written(folder: Path, url: str) -> Path:
    path = folder / "station.toml"
    path.write_text(FILE.format(url=url))
    return path


@pytest.mark.parametrize(
    "url",
    ["hub.example.org", "hub.example.org:8600", "https://", "https://example.org/parcels", "wss://hub.example.org",
     "htp://hub.example.org", "https://hub.example.org/?a=1", "https://me@hub.example.org",
     "https://hub.example.org:port", "https://[::1"],
)  # fmt: skip
def test_an_address_that_no_line_can_be_dialled_at_ends_the_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(Trouble, match=r"station\.toml: `hub_url` .* as https://parcels\.example\.org"):
        read_settings(written(tmp_path, url))


@pytest.mark.parametrize("url", ["https://hub.example.org", "http://127.0.0.1:8600/", "https://[::1]:8600"])
def test_an_address_with_scheme_and_host_is_taken(tmp_path: Path, url: str) -> None:
    assert read_settings(written(tmp_path, url))[0].hub_url == url


async def test_a_line_that_is_down_says_where_it_dialled_and_why(rig: Rig) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        hub = f"127.0.0.1:{nobody.getsockname()[1]}"
        with capture_logs() as lines:
            dialling = asyncio.create_task(Line(rig.station, f"http://{hub}").run())
            async with asyncio.timeout(10):
                while not lines:
                    await asyncio.sleep(0.01)
        dialling.cancel()
        await asyncio.wait([dialling])
    assert (lines[0]["event"], lines[0]["hub"]) == ("line_down", hub)
    assert lines[0]["reason"].startswith("ConnectionRefusedError: ")
    assert "refused" in lines[0]["reason"].partition(": ")[2].lower() or "Connect call failed" in lines[0]["reason"]


async def test_a_computer_that_the_hub_trusts_no_longer_reads_so_in_its_own_log(rig: Rig) -> None:
    async def refuse(line: ServerConnection) -> None:
        await line.close(frames.REVOKED, "this computer is trusted no longer")

    async with serve(refuse, "127.0.0.1", 0, subprotocols=[frames.SUBPROTOCOL]) as hub:  # type: ignore[list-item]
        port = hub.sockets[0].getsockname()[1]
        with capture_logs() as lines:
            dialling = asyncio.create_task(Line(rig.station, f"http://127.0.0.1:{port}").run())
            async with asyncio.timeout(10):
                while not lines:
                    await asyncio.sleep(0.01)
        dialling.cancel()
        await asyncio.wait([dialling])
    said = {name: lines[0].get(name) for name in ("event", "log_level", "code", "reason")}
    assert said == {"event": "line_down", "log_level": "warning", "code": 4403,
                    "reason": "the hub says: this computer is trusted no longer"}  # fmt: skip


async def test_a_hub_that_answers_no_more_is_gone_though_its_socket_lives(rig: Rig) -> None:
    """Its database hangs: the screen must not say for ever that there is a line, nor trust that codes are heard of."""
    dialled: list[ServerConnection] = []

    async def welcome_and_hang(line: ServerConnection) -> None:
        dialled.append(line)
        hub = f"127.0.0.1:{line.local_address[1]}"
        await line.send(frames.encode(frames.Challenge(hub, "00" * 32, clock.text(rig.now.now()))))
        hello = frames.decode(str(await line.recv()))
        assert isinstance(hello, frames.Hello)
        nonce = bytes.fromhex(msgspec.json.decode(hello.body)["nonce"])
        wrote = {WRITER: (rig.memory.has().number, "")}
        body = msgspec.json.encode(WelcomeBody(at=clock.text(rig.now.now()), has={}, wrote=wrote)).decode()
        await line.send(frames.encode(frames.Welcome(body, HUB.sign(welcome_bytes(NAME, nonce, body)))))
        async for _ in line:
            pass  # beats are read, pings are answered, and nothing else ever is

    async with serve(welcome_and_hang, "127.0.0.1", 0, subprotocols=[frames.SUBPROTOCOL]) as hub:  # type: ignore[list-item]
        line = Line(rig.station, f"http://127.0.0.1:{hub.sockets[0].getsockname()[1]}", 0.1, silent_for_s=0.5)
        with capture_logs() as lines:
            dialling = asyncio.create_task(line.run())
            async with asyncio.timeout(10):
                while not rig.desk.online:
                    await asyncio.sleep(0.01)
                while rig.desk.online:
                    await asyncio.sleep(0.01)
                while len(dialled) < 2:
                    await asyncio.sleep(0.01)
        dialling.cancel()
        await asyncio.wait([dialling])
    assert lines[0]["reason"] == "TimeoutError: the hub has answered nothing for 0.5 s"
