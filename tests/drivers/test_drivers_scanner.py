"""The reader: what bytes make a scan, and a real one on a pseudo-terminal."""

import asyncio
import os
import tty

import pytest

from parcelwall.clock import SystemClock
from parcelwall.drivers.scanner import LONGEST, Collector, scans
from parcelwall.rules import token


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
