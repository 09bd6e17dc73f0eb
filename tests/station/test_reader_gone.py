"""A reader that is not there is asked for by no screen, and is again once it answers."""

import asyncio
import os
import tty
from pathlib import Path

import pytest

from parcelwall.clock import SystemClock
from parcelwall.drivers.scanner import scans
from parcelwall.web.kiosk_picture import picture
from parcelwall.web.reader import renderer
from station.rig import Rig


def page(rig: Rig) -> str:
    drawer = renderer()
    return drawer.fragment(picture(rig.station, drawer))


@pytest.mark.parametrize("screen", ["home", "wrong", "asleep", "paused"])
def test_no_screen_asks_for_a_reader_that_is_not_there(rig: Rig, screen: str) -> None:
    kiosk = rig.station.kiosk
    kiosk.show(screen, 30)  # type: ignore[arg-type]
    assert "QR" in page(rig)
    number = kiosk.showing.number
    kiosk.reader_is_here(False)
    assert kiosk.showing.number > number, "it is drawn anew"
    assert "QR" not in page(rig)
    kiosk.reader_is_here(True)
    assert "QR" in page(rig)


async def test_it_is_told_when_it_comes_and_when_it_goes(tmp_path: Path) -> None:
    told: list[bool] = []
    port, clock = tmp_path / "reader", SystemClock()
    reading = scans(str(port), clock, told.append)
    first = asyncio.ensure_future(anext(reading))
    async with asyncio.timeout(20):
        while told != [False]:
            await clock.sleep(0.05)
        master, slave = os.openpty()
        tty.setraw(slave)
        port.symlink_to(os.ttyname(slave))
        while not first.done():
            os.write(master, b"PW-1\r")
            await asyncio.wait([first], timeout=0.2)
        assert told[-1] is True
        second = asyncio.ensure_future(anext(reading))
        os.close(slave)
        port.unlink()
        os.close(master)
        while told[-1] is True:
            await clock.sleep(0.05)
    second.cancel()
