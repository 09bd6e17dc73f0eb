"""The port itself: gaps, reopening, back-off, rights."""

import asyncio
import logging
import os
from contextlib import contextmanager
from itertools import pairwise

import pytest
import serial
from serial_asyncio_fast import SerialTransport

from parcelwall.drivers import DoorState, PortForbidden, Pulse, Why, connect
from parcelwall.drivers.serial_port import SerialPort

pytestmark = pytest.mark.asyncio

CLOSED = DoorState.CLOSED


async def test_frames_keep_their_gap(make_rig):
    rig = await make_rig(gap_ms=60)
    bus = await rig.bare_bus()
    ends = [(await bus.read_door(1, 1)).at for _ in range(3)]
    await bus.close()
    asked_at = [request.at for request in rig.core.requests]
    assert [asked - end >= 0.059 for end, asked in zip(ends, asked_at[1:], strict=False)] == [True, True]


async def test_three_failures_in_a_row_reopen_the_port(make_memory_rig):
    rig = await make_memory_rig()
    rig.core.mute_next(3)
    await rig.doors.state(1)
    assert rig.doors.counts.reopened == 1
    assert (await rig.doors.state(1)).state is CLOSED


async def test_a_gone_port_is_tried_at_half_1_2_4_up_to_30_seconds_for_ever(make_memory_rig):
    rig = await make_memory_rig()
    tries = []

    async def never(profile, clock):
        tries.append(clock.mono())
        return await rig.open_port(profile, clock)

    await rig.doors.close()
    rig.boards.unplug()
    doors = connect(rig.doors.profile, rig.clock, never)
    await doors.start()
    for _ in range(20_000):
        assert (await doors.state(1)).why is Why.SILENT
        await rig.clock.sleep(0.01)
    waits = [round(after - before) for before, after in pairwise(tries)]
    assert waits[1:8] == [1, 2, 4, 8, 16, 30, 30]
    rig.boards.replug()
    await rig.clock.sleep(31)
    assert (await doors.state(1)).state is CLOSED
    await doors.close()


async def test_no_permission_is_said_loudly(make_memory_rig, caplog):
    rig = await make_memory_rig()

    async def forbidden(profile, clock):
        raise PortForbidden(f"No right to open {profile.port}")

    doors = connect(rig.doors.profile, rig.clock, forbidden)
    with caplog.at_level(logging.ERROR):
        await doors.start()
        assert await doors.open(1, rig.soon()) is Pulse.DEAD
    assert "DOORS ARE DEAD: No right to open" in caplog.text
    await doors.close()


@contextmanager
def as_nobody():
    """Without root's rights, if we have them."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


async def test_a_real_port_without_permission(make_pty_rig, caplog):
    rig = await make_pty_rig()
    await rig.doors.close()
    os.chmod(rig.boards.link, 0)
    with as_nobody():
        await rig.doors.start()
        assert await rig.doors.open(1, rig.soon()) is Pulse.DEAD
    assert "DOORS ARE DEAD: No right to open" in caplog.text


async def test_an_adapter_that_takes_no_more_bytes_is_gone_until_it_does(make_rig):
    rig = await make_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.boards.wedge()
    async with asyncio.timeout(5):
        assert (await rig.doors.state(1)).why is Why.SILENT
        assert not rig.doors.up
        assert await rig.doors.open(1, rig.soon()) is Pulse.DEAD
    rig.boards.wedge(False)
    assert (await rig.until(1, CLOSED)).state is CLOSED
    assert await rig.doors.open(1, rig.soon()) is Pulse.ACKED


async def test_a_pulse_that_an_adapter_holds_back_is_not_given_later(make_rig):
    rig = await make_rig()
    assert (await rig.doors.state(1)).state is CLOSED
    rig.boards.wedge()
    async with asyncio.timeout(5):
        assert await rig.doors.open(1, rig.soon()) in (Pulse.SILENT, Pulse.DEAD)
    rig.boards.wedge(False)
    assert (await rig.until(1, CLOSED)).state is CLOSED
    assert not rig.core.pulses


class Holding(serial.Serial):
    """An adapter whose driver takes bytes and never says that they have left."""

    @property
    def out_waiting(self):
        return 5


async def test_an_adapter_that_never_says_that_bytes_have_left_hangs_nothing(make_pty_rig):
    rig = await make_pty_rig()
    await rig.doors.close()

    async def open_holding(profile, clock):
        port = SerialPort(profile, clock)
        line = Holding(profile.port, profile.baud, exclusive=True)
        port.connection_made(SerialTransport(asyncio.get_running_loop(), port, line))
        return port

    doors = connect(rig.doors.profile, rig.clock, open_holding)
    await doors.start()
    async with asyncio.timeout(5):
        assert (await doors.state(1)).why is Why.SILENT
        assert not doors.up, "it is closed, and opened again when its back-off is over"
        await rig.clock.sleep(0.6)
        assert await doors.open(1, rig.soon()) is Pulse.DEAD, "whether this line echoes no read has shown"
        assert not doors.up
    await doors.close()


async def test_a_port_that_cannot_be_set_as_the_profile_says_is_gone_and_ends_nothing(make_pty_rig, caplog):
    """A pseudo-terminal knows no parity. pyserial tells that by an error of termios, which is no OSError."""
    rig = await make_pty_rig(parity="E")
    assert (await rig.doors.state(1)).why is Why.SILENT
    assert await rig.doors.open(1, rig.soon()) is Pulse.DEAD
    assert "cannot be opened: (22, 'Invalid argument')" in caplog.text


async def test_what_nobody_foresaw_while_a_port_is_opened_ends_no_look_at_the_doors(make_memory_rig, caplog):
    rig = await make_memory_rig()
    await rig.doors.close()
    tries = []

    async def open_oddly(profile, clock):
        tries.append(clock.mono())
        if len(tries) == 2:
            raise RuntimeError("nobody foresaw this")
        return await rig.open_port(profile, clock)

    rig.boards.unplug()
    doors = connect(rig.doors.profile, rig.clock, open_oddly)
    await doors.start()
    await rig.clock.sleep(1)
    rig.boards.replug()
    for _ in range(3):
        assert {seen.why for seen in (await doors.sweep()).values()} == {Why.SILENT}
        assert await doors.open(1, rig.soon()) is Pulse.DEAD
    assert len(tries) == 2, "it is tried again after a while, not at once"
    assert caplog.text.count("stumbled") == 1
    await rig.clock.sleep(1)
    assert (await doors.state(1)).state is CLOSED
    await doors.close()
