"""The reader: what bytes make a scan, and a real one on a pseudo-terminal."""

import asyncio
import fcntl
import os
import tty
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.drivers.scanner import LONGEST, Collector, scans
from parcelwall.rules import token

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_a_scan_ends_with_its_end_mark() -> None:
    collector = Collector()
    assert collector.feed(b"PW-7F3", 0.0) == []
    assert collector.feed(b"-2917\r\n", 0.05) == ["PW-7F3-2917"]


def test_half_a_scan_is_forgotten_after_a_gap() -> None:
    collector = Collector()
    collector.feed(b"PW-HALF", 0.0)
    assert collector.feed(b"12345678\r", 0.5) == ["12345678"]


@pytest.mark.parametrize("bad", [b"PW\x03-1\r", "PW-é\r".encode(), b"\x1b[A\r", b"A" * (LONGEST + 1) + b"\r", b"\r"])
def test_what_no_label_holds_is_dropped_whole(bad: bytes) -> None:
    assert Collector().feed(bad, 0.0) == []


def test_the_same_text_within_two_seconds_is_one_scan() -> None:
    collector = Collector()
    assert collector.feed(b"A1\r", 0.0) == ["A1"]
    assert collector.feed(b"A1\r", 1.0) == []
    assert collector.feed(b"B2\r", 1.5) == ["B2"]
    assert collector.feed(b"B2\r", 4.0) == ["B2"]


def test_inner_spaces_are_data() -> None:
    assert Collector().feed(b"PW1:AB CD\r", 0.0) == ["PW1:AB CD"]


async def test_a_reader_on_a_terminal() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    reading = scans(os.ttyname(slave), SystemClock())
    first = asyncio.ensure_future(anext(reading))
    while not first.done():
        os.write(master, b"PW-7F3-2917\r")
        await asyncio.wait([first], timeout=0.2)
    assert first.result() == "PW-7F3-2917"
    await reading.aclose()
    os.close(slave)
    os.close(master)


def test_our_own_qr_comes_through_letter_by_letter() -> None:
    """Base45 has a space, and every sign that a keyboard's layout would break."""
    text = (
        "PW1:W50W50000C00390FFU00077E88G000000100F207U5NAGU$6F50O8INB2B27AJJ/ISHSR5BRQYO.34$:V0+4L7G-T1V*CP5QGJI7S0OEW*9"
        "UW10G9Q2SK6WO CTK+LBV3Q$1Q*64F8F2V3C820"
    )
    collector, found = Collector(), list[str]()
    for place, letter in enumerate(text + "\r"):
        found += collector.feed(letter.encode(), place * 0.001)
    assert found == [text]
    assert token.read(found[0]) is not None


async def said(port: str, looks: int, between: Callable[[int], None] = lambda _: None) -> list[tuple[str, str]]:
    """What stands in the log of a reader at that port after so many tries to open it; no scan ever comes."""
    tries = 0

    class Counted(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            nonlocal tries
            tries += 1
            if tries >= looks:
                raise EOFError
            between(tries)

    with capture_logs() as lines, pytest.raises(EOFError):
        await anext(scans(port, Counted(NOW)))
    return [(str(line["event"]), str(line.get("reason", ""))) for line in lines]


async def test_why_a_reader_is_not_there_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    port = str(tmp_path / "reader")
    assert await said(port, looks=5) == [
        ("scanner_gone", f"The port {port} is not there. Plug it in, or write the name that it has below "
                         "/dev/serial/by-path."),
    ]  # fmt: skip


async def test_it_is_said_again_when_it_is_another_reason(tmp_path: Path) -> None:
    """Not there, then held by another program, then drawn out while we hold it, then not there again."""
    port, master, slave = tmp_path / "reader", *os.openpty()
    tty.setraw(slave)
    fcntl.flock(slave, fcntl.LOCK_EX)

    def change(tries: int) -> None:
        if tries == 2:
            port.symlink_to(os.ttyname(slave))
        elif tries == 4:
            fcntl.flock(slave, fcntl.LOCK_UN)
            asyncio.get_running_loop().call_later(0.1, os.close, master)

    told = await said(str(port), 6, change)
    os.close(slave)
    assert [event for event, _ in told][:4] == ["scanner_gone", "scanner_gone", "scanner_here", "scanner_gone"]
    assert [reason.removeprefix(f"The port {port} ") for _, reason in told][:4] == [
        "is not there. Plug it in, or write the name that it has below /dev/serial/by-path.",
        "is taken. Stop the other program that has it open.", "", "went away.",
    ]  # fmt: skip


async def test_a_name_that_can_be_no_port_ends_nothing() -> None:
    ((event, reason),) = await said("nothing://here", looks=3)
    assert event == "scanner_gone"
    assert "The port nothing://here cannot be opened" in reason
