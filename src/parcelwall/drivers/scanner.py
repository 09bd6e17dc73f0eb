"""The reader at the kiosk: a USB scanner in serial (CDC) mode, read by the station and never by the browser.

One scan ends with CR or LF; bytes more than 100 ms apart begin a new one; at most 512 characters of what labels and
our own QR texts are made of. The same text within 2 s is one scan. Source: hardware.md 4.2.
"""

import contextlib
from collections.abc import AsyncIterator, Callable

import serial_asyncio_fast
import structlog

from parcelwall.clock import Clock
from parcelwall.drivers.serial_port import CANNOT_OPEN, why_not_open

LONGEST, GAP_S, SAME_WITHIN_S, REOPEN_S = 512, 0.1, 2.0, 2.0
ALLOWED = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz $%*+-./:_\x1d")

log = structlog.get_logger()


class Collector:
    """Makes scans of bytes: pure, with the time of each piece given in seconds."""

    def __init__(self) -> None:
        self._buffer = ""
        self._last_piece, self._last_scan = float("-inf"), (float("-inf"), "")

    def feed(self, data: bytes, now: float) -> list[str]:
        """The scans that are complete with this piece. What holds a forbidden character is dropped whole."""
        if now - self._last_piece > GAP_S:
            self._buffer = ""
        self._last_piece = now
        self._buffer += data.decode("latin-1")
        *whole, self._buffer = self._buffer.replace("\r", "\n").split("\n")
        self._buffer = self._buffer[: LONGEST + 1]
        return [text for text in map(str.strip, whole) if self._is_new(text, now)]

    def _is_new(self, text: str, now: float) -> bool:
        if not text or len(text) > LONGEST or not ALLOWED.issuperset(text):
            return False
        before, self._last_scan = self._last_scan, (now, text)
        return before[1] != text or now - before[0] > SAME_WITHIN_S


async def scans(port: str, clock: Clock, on_here: Callable[[bool], None] = lambda _: None) -> AsyncIterator[str]:
    """Texts as they are scanned, for ever; a reader that is drawn out is waited for. Why it is not there is said once,
    and again when that changes; `on_here` is told whenever it is there, and whenever it is not."""
    told = ""
    while True:
        try:
            reader, writer = await serial_asyncio_fast.open_serial_connection(url=port, baudrate=9600, exclusive=True)
        except CANNOT_OPEN as problem:
            why = str(why_not_open(port, problem))
        else:
            log.info("scanner_here", port=port)
            on_here(True)
            collector = Collector()
            with contextlib.suppress(OSError), contextlib.closing(writer):
                while data := await reader.read(LONGEST):
                    for text in collector.feed(data, clock.mono()):
                        yield text
            why = f"The port {port} went away."
        on_here(False)
        if why != told:
            log.warning("scanner_gone", port=port, reason=why)
        told = why
        await clock.sleep(REOPEN_S)
