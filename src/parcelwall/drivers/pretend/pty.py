"""The pretend boards on a pseudo-terminal in real time, for tests and the demo: the driver opens a real serial port.

Facts about pseudo-terminals that cost time (hardware.md 2.13): baud is kept but ignored, so bytes are paced here, to
absolute moments; when the last user closes the slave side the master reads EIO, so one slave stays open here;
unplugging is closing the master.
"""

import asyncio
import contextlib
import os
import termios
import tty
from functools import partial
from pathlib import Path

from parcelwall.clock import Clock
from parcelwall.drivers.pretend.board import Bytes, PretendBoards
from parcelwall.drivers.pretend.hands import Hands

OUTPUT_SPEED = 5  # place in what `termios.tcgetattr` answers


class PtyBoards(Hands):
    """`link` is the by-path name that the profile's `port` gives; it is moved as the adapter comes and goes.

    `clock` must be the one of the driver, and run at the loop's pace.
    """

    def __init__(self, core: PretendBoards, clock: Clock, link: Path) -> None:
        super().__init__(core, clock)
        self.link = link
        self._master = self._slave = -1
        self._sending: set[asyncio.TimerHandle] = set()

    @property
    def plugged(self) -> bool:
        return self._master >= 0

    async def start(self) -> None:
        """Plugs the adapter in. Raises OSError when the machine has no pseudo-terminal left."""
        self.replug()

    async def close(self) -> None:
        """Unplugs it for good."""
        self.unplug()

    def replug(self) -> None:
        """A new terminal behind the same name."""
        if self.plugged:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._point_link_at(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._on_bytes)

    def _point_link_at(self, terminal: str) -> None:
        beside = self.link.with_name(self.link.name + ".new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(terminal)
        beside.replace(self.link)

    def unplug(self) -> None:
        """The driver's pending read fails at once, and opening the name fails with ENOENT."""
        if not self.plugged:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        for handle in self._sending:
            handle.cancel()
        self._sending.clear()
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def wedge(self, on: bool = True) -> None:
        """The adapter takes no more bytes, as one whose flow is stopped; or takes them again."""
        termios.tcflow(self._slave, termios.TCOOFF if on else termios.TCOON)

    def _on_bytes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._master, 1024)
            if termios.tcgetattr(self._slave)[OUTPUT_SPEED] == getattr(termios, f"B{self.core.profile.baud}"):
                self._send(self.core.feed(data, self._clock.mono()))  # at another one boards make nothing of it

    def _send(self, out: Bytes) -> None:
        for delay_s, data in out:
            for place, byte in enumerate(data):
                still_to_come = len(data) - 1 - place
                self._send_byte_in(delay_s - still_to_come * self.core.line.byte_s, bytes((byte,)))

    def _send_byte_in(self, delay_s: float, byte: bytes) -> None:
        loop = asyncio.get_running_loop()
        handles: list[asyncio.TimerHandle] = []
        handles.append(loop.call_at(loop.time() + delay_s, partial(self._put, byte, handles)))
        self._sending.add(handles[0])

    def _put(self, byte: bytes, handles: list[asyncio.TimerHandle]) -> None:
        self._sending.discard(handles[0])
        with contextlib.suppress(BlockingIOError):  # nobody reads; a real line would lose the byte too
            os.write(self._master, byte)
