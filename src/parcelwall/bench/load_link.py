"""Load over the link, in a process of its own: `python -m parcelwall.bench.load_link JOB`.

Frames are made and signed before anything is measured. It says READY, waits for a line, sends, and says what came of
it. The WebSocket is spoken by hand, because a library would take the CPU that the hub is measured on.
"""

import asyncio
import os
import sys
from pathlib import Path
from statistics import quantiles

import msgspec
import uvloop

from parcelwall import clock as clocks
from parcelwall.bench import visits
from parcelwall.bench.link_job import Dialling, Job, Shipped
from parcelwall.bench.meters import seconds
from parcelwall.bench.network import seed
from parcelwall.clock import Clock, SystemClock
from parcelwall.ids import Ids
from parcelwall.link import frames
from parcelwall.link.identity import Signer, hello_bytes
from parcelwall.link.station_end import HelloBody

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def wire(text: str) -> bytes:
    """A text message as a client sends it, masked with zeros: the same work for the hub, none for us."""
    data = text.encode()
    size = len(data)
    if size < 126:
        head = bytes((0x81, 0x80 | size))
    elif size <= 0xFFFF:
        head = b"\x81\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + size.to_bytes(8, "big")
    return head + b"\x00\x00\x00\x00" + data


class Dialler(asyncio.Protocol):
    """One station's end: shakes hands, then sends frames as far as the window allows."""

    def __init__(self, told: Dialling, per_frame: int, clock: Clock, ids: Ids, over: asyncio.Event) -> None:
        self._told, self._over = told, over
        self._signer = Signer(seed(told.station))
        self._clock, self._ids = clock, ids
        written = visits.entries(told, ids, clock.now())
        self._frames = [
            (through, wire(text)) for through, text in visits.framed(written, told.number, per_frame, self._signer)
        ]
        self._next = 0
        self._sent = self.acked = told.number
        self._sent_at: list[float] = []
        self.waited_s: list[float] = []
        self._heard = b""
        self._upgraded = False
        self.welcomed = asyncio.Event()

    @property
    def done(self) -> int:
        return self.acked - self._told.number

    @property
    def left(self) -> int:
        return len(self._frames) - len(self.waited_s)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        host = f"Host: 127.0.0.1:{self._told.port}"
        lines = ("GET /link HTTP/1.1", host, "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Protocol: {frames.SUBPROTOCOL}", "", "")  # fmt: skip
        self._write("\r\n".join(lines).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._over.set()

    def _write(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._upgraded:
            head, found, rest = self._heard.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head[:200]
            self._upgraded, self._heard = True, rest
        while (message := self._message()) is not None:
            self._hear(message)

    def _message(self) -> str | None:
        """The next whole message of the server, which does not mask."""
        heard = self._heard
        if len(heard) < 2:
            return None
        size, start = heard[1], 2
        if size == 126:
            size, start = int.from_bytes(heard[2:4], "big"), 4
        if size == 127:
            size, start = int.from_bytes(heard[2:10], "big"), 10
        if len(heard) < start + size:
            return None
        self._heard = heard[start + size :]
        if heard[0] == 0x88:
            sys.stderr.write(f"{self._told.station}: closed by the hub: {heard[start + 2 : start + size]!r}\n")
        return heard[start : start + size].decode() if heard[0] == 0x81 else '{"k":"other"}'

    def _hear(self, message: str) -> None:
        frame = frames.decode(message)
        if isinstance(frame, frames.Challenge):
            self._write(wire(self._hello(frame)))
        elif isinstance(frame, frames.Welcome):
            self.welcomed.set()
        elif isinstance(frame, frames.Ack):
            self.acked = frame.through
            while (done := len(self.waited_s)) < len(self._sent_at) and self._frames[done][0] <= frame.through:
                self.waited_s.append(seconds() - self._sent_at[done])
            self.send()

    def _hello(self, challenge: frames.Challenge) -> str:
        body = HelloBody(
            station=self._told.station, nonce=self._ids.secret(32).hex(), boot="bench", mono=0,
            at=clocks.text(self._clock.now()), wrote={self._told.station: (self._told.number, self._told.hash)},
            has={self._told.hub_writer: (self._told.hub_number, "")},
        )  # fmt: skip
        written = msgspec.json.encode(body).decode()
        signed = self._signer.sign(hello_bytes(challenge.hub, bytes.fromhex(challenge.nonce), written))
        return frames.encode(frames.Hello(written, signed))

    def send(self) -> None:
        """Frames as far as the window allows; says so when the last is acknowledged."""
        while self._next < len(self._frames):
            through, data = self._frames[self._next]
            if through - self.acked > frames.WINDOW:
                return
            self._next += 1
            self._sent_at.append(seconds())
            self._write(data)
        if not self.left:
            self._over.set()


async def ship(job: Job, wait: asyncio.Future[None], say_ready: asyncio.Event) -> Shipped:
    """Connects all, then sends when told to."""
    clock = SystemClock()
    ids, over, loop = Ids(clock), asyncio.Event(), asyncio.get_running_loop()
    dialled = [Dialler(told, job.per_frame, clock, ids, over) for told in job.stations]
    for each, told in zip(dialled, job.stations, strict=True):
        await loop.create_connection(lambda each=each: each, "127.0.0.1", told.port)  # type: ignore[misc]
        await asyncio.wait_for(each.welcomed.wait(), 20)
    say_ready.set()
    await wait
    began, cpu = seconds(), sum(os.times()[:2])
    for each in dialled:
        each.send()
    await _until_over(job, over, dialled, began)
    took, cpu = seconds() - began, sum(os.times()[:2]) - cpu
    waits = [wait_s * 1000 for each in dialled for wait_s in each.waited_s]
    cuts = quantiles(waits, n=100) if len(waits) > 1 else [0.0] * 99
    return Shipped(sum(each.done for each in dialled), took, cpu, cuts[49], cuts[98])


async def _until_over(job: Job, over: asyncio.Event, dialled: list[Dialler], began: float) -> None:
    if job.long_s:
        try:
            await asyncio.wait_for(over.wait(), job.long_s)
        except TimeoutError:
            return
        return
    while any(each.left for each in dialled):
        assert seconds() - began < 300, "the hub does not acknowledge"
        over.clear()
        await over.wait()


async def _main() -> None:
    job = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Job)
    loop = asyncio.get_running_loop()
    go, ready = loop.create_future(), asyncio.Event()

    def told() -> None:
        if not go.done():
            sys.stdin.readline()
            go.set_result(None)

    loop.add_reader(sys.stdin, told)
    shipping = asyncio.create_task(ship(job, go, ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((shipping, waiting), return_when=asyncio.FIRST_COMPLETED)
    if ready.is_set():
        sys.stdout.write("READY\n")
        sys.stdout.flush()
    done = await shipping
    sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
    sys.stdout.flush()
    os._exit(0)  # the lines are cut, as the load is over


if __name__ == "__main__":
    uvloop.run(_main())
