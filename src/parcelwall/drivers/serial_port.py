"""A real serial port (or a pseudo-terminal), opened exclusively, on the running asyncio loop. POSIX only."""

import asyncio
import contextlib
import errno
import os
import select
import termios
from typing import Any

import serial_asyncio_fast

from parcelwall.clock import Clock
from parcelwall.drivers.port import Port, PortForbidden, PortGone
from parcelwall.drivers.profile import Profile

# What opening a port raises. An error of termios is no OSError, and pyserial lets some through: of an adapter that is
# drawn out meanwhile, or that cannot be set as asked.
CANNOT_OPEN = (OSError, ValueError, termios.error)
LET_GO_WITHIN_S = 2.0  # a kernel waits up to 30 s for bytes that an adapter does not take


async def open_serial(profile: Profile, clock: Clock) -> Port:
    """The profile's port at its baud and parity, 8 data bits, 1 stop bit.

    Raises PortForbidden on EACCES and EPERM, else PortGone.
    """
    loop = asyncio.get_running_loop()
    port = SerialPort(profile, clock)
    try:
        transport, _ = await serial_asyncio_fast.create_serial_connection(
            loop, lambda: port, profile.port, baudrate=profile.baud, parity=profile.parity, exclusive=True
        )
    except CANNOT_OPEN as problem:
        raise why_not_open(profile.port, problem) from problem
    port.connection_made(transport)  # the loop would do so only on its next round
    return port


def why_not_open(port: str, problem: Exception) -> PortGone:
    """What one of CANNOT_OPEN says of a port, in words that say what to do."""
    number = getattr(problem, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        who = f"user {os.geteuid()}"
        return PortForbidden(f"No right to open {port} ({who}). Put that user in the group that owns it.")
    if number == errno.ENOENT:
        return PortGone(f"The port {port} is not there. Plug it in, or write the name that "
                       "it has below /dev/serial/by-path.")  # fmt: skip
    if number == errno.EAGAIN:
        return PortGone(f"The port {port} is taken. Stop the other program that has it open.")
    return PortGone(f"The port {port} cannot be opened: {problem}")


class SerialPort(asyncio.Protocol):
    """The Port over serial_asyncio_fast. Its clock must run at the loop's pace: never a virtual one."""

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self._name, self._clock = profile.port, clock
        self._byte_s = 10 / profile.baud
        self._heard = bytearray()
        self._lost = False
        self._transport: serial_asyncio_fast.SerialTransport | None = None
        self._line: Any = None  # pyserial's Serial
        loop = asyncio.get_running_loop()
        self._stirred: asyncio.Future[None] = loop.create_future()
        self._closed: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, serial_asyncio_fast.SerialTransport)
        if self._transport is None:
            self._transport, self._line = transport, transport.serial

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._stir()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._lost = True
        self._stir()
        if not self._closed.done():
            self._closed.set_result(None)

    def _stir(self) -> None:
        if not self._stirred.done():
            self._stirred.set_result(None)

    def _alive(self) -> serial_asyncio_fast.SerialTransport:
        if self._lost or self._transport is None or self._transport.is_closing():
            raise PortGone(f"The port {self._name} went away")
        return self._transport

    def write(self, data: bytes) -> None:
        transport = self._alive()
        if not self._takes_bytes():  # pyserial would try again and again, and nothing else would run meanwhile
            raise self._full()
        transport.write(data)
        self._alive()

    def _takes_bytes(self) -> bool:
        poll = select.poll()
        try:
            poll.register(self._line, select.POLLOUT)
            return bool(poll.poll(0))
        except (OSError, TypeError) as problem:
            raise PortGone(f"The port {self._name} went away: {problem}") from problem

    def _full(self) -> PortGone:
        return PortGone(f"The port {self._name} takes no more bytes. If that stays so, draw its adapter out and put it "
                        "in again.")  # fmt: skip

    async def drain(self, until: float) -> None:
        while self._waiting_out():
            if self._clock.mono() >= until:
                raise self._full()
            await self._clock.sleep(self._byte_s)

    def _waiting_out(self) -> int:
        transport = self._alive()
        try:
            return transport.get_write_buffer_size() + int(self._line.out_waiting)
        except OSError as problem:
            raise PortGone(f"The port {self._name} went away: {problem}") from problem

    async def read_some(self, until: float) -> bytes:
        left_s = until - self._clock.mono()
        if left_s <= 0:
            self._sip()
        elif not self._heard and not self._lost:
            await self._wait(left_s)
        if not self._heard:
            self._alive()
        heard = bytes(self._heard)
        self._heard.clear()
        return heard

    def _sip(self) -> None:
        """Takes what the kernel holds now, which the loop has not brought yet."""
        try:
            self._alive()
            self._heard += self._line.read(1024)
        except (OSError, TypeError) as problem:  # TypeError: pyserial's word for a descriptor closed under it
            raise PortGone(f"The port {self._name} went away: {problem}") from problem

    async def _wait(self, seconds: float) -> None:
        self._stirred = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._stirred], timeout=seconds)

    async def close(self) -> None:
        if self._transport is not None and not self._closed.done():
            if not self._transport.is_closing():
                with contextlib.suppress(OSError, TypeError, termios.error):
                    self._line.reset_output_buffer()  # a pulse that is still held back must not be given later
                self._transport.abort()
            await asyncio.wait([self._closed], timeout=LET_GO_WITHIN_S)
