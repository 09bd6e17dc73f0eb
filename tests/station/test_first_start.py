"""A computer's first start, and a hub that is not there yet, in trouble, or says no."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from structlog.testing import capture_logs

from parcelwall.clock import VirtualClock
from parcelwall.errors import Trouble
from parcelwall.ids import seeded
from parcelwall.settings import StationSettings
from parcelwall.station.memory import Memory
from parcelwall.station.running import enrolled
from rules.samples import NOW

GIVEN = {"station": "S-0001", "secret": "00" * 32, "hub_writer": "hub:1/S-0001", "hub_key": "11" * 32}


class PretendHub(ThreadingHTTPServer):
    """Gives a nonce to everybody and answers a claim with what is on its list, then with a station."""

    answers: list[tuple[int, dict[str, str]]]
    greetings: list[bytes]  # what is said to who asks for a nonce, before it is one

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.answers, self.greetings = [], []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Door(BaseHTTPRequestHandler):
    server: PretendHub

    def do_GET(self) -> None:
        if self.server.greetings:
            self.wfile.write(self.server.greetings.pop(0))
            return
        self._say(200, {"nonce": "ab" * 32})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(*(self.server.answers.pop(0) if self.server.answers else (200, GIVEN)))

    def _say(self, code: int, body: dict[str, str]) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[PretendHub]:
    with PretendHub() as hub:
        thread = Thread(target=hub.serve_forever)
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()


async def first_start(folder: Path, url: str) -> str:
    """Whose station the computer is then."""
    clock, path = VirtualClock(NOW), folder / "station.sqlite"
    settings = StationSettings(data_dir=folder, hub_url=url, claim="CLAIM")
    async with asyncio.timeout(20):
        await enrolled(path, settings, clock, seeded(clock, 1))
    memory = Memory(path, clock)
    try:
        return memory.station
    finally:
        memory.close()


async def test_a_hub_in_trouble_is_asked_again(tmp_path: Path, hub: PretendHub) -> None:
    hub.answers = [(503, {"detail": "the database is gone"}), (502, {})]
    assert await first_start(tmp_path, hub.url) == "S-0001"
    assert hub.answers == []


async def test_a_hub_that_says_no_is_not_asked_again(tmp_path: Path, hub: PretendHub) -> None:
    hub.answers = [(403, {"detail": "This claim code is used. Make a new one."}), (500, {})]
    with pytest.raises(Trouble, match="This claim code is used"):
        await first_start(tmp_path, hub.url)
    assert hub.answers == [(500, {})]


HTTP = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [HTTP + b"<html>Sign in to the guest network", HTTP + b'{"ok": true}', HTTP + b"[]", HTTP + b'{"nonce": "none"}',
     HTTP + b"\xff\xfe", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b""],
)  # fmt: skip
async def test_who_answers_and_is_no_hub_is_asked_again(tmp_path: Path, hub: PretendHub, said: bytes) -> None:
    """A guest network's page, another service, a wrong port: nothing of it ends a first start."""
    hub.greetings = [said]
    with capture_logs() as lines:
        assert await first_start(tmp_path, hub.url) == "S-0001"
    assert lines[0]["event"] == "not_enrolled_yet" and hub.url in lines[0]["reason"]


async def test_a_hub_that_gives_half_a_station_is_asked_again(tmp_path: Path, hub: PretendHub) -> None:
    hub.answers = [(200, {"station": "S-0001"})]
    assert await first_start(tmp_path, hub.url) == "S-0001"
