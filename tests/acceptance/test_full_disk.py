"""A real station's disk runs full, and has room again: a tmpfs of its own, filled by somebody else to the last byte."""

import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from acceptance.life import Life, a_life, differences
from acceptance.street import StationProcess, may_mount, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
DISK_MIB = 64  # 16 MiB are kept in reserve, less than 32 MiB more are low


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def life(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Life]:
    if not may_mount(tmp_path_factory.mktemp("mount")):
        pytest.skip("no process may mount a disk of its own here")
    async with a_life(DISK_MIB) as life:
        yield life


def fill(disk: Path) -> Path:
    """Takes all that is left."""
    junk, chunk = disk / "somebody-elses.log", 1 << 20
    with junk.open("wb", buffering=0) as file:
        while chunk:
            try:
                chunk = chunk if file.write(bytes(chunk)) == chunk else chunk // 2
            except OSError:
                chunk //= 2
    return junk


def copy_of(station: StationProcess, folder: Path) -> Path:
    """Its book, as a power cut would leave it."""
    assert station.running
    station.running.send_signal(signal.SIGSTOP)
    try:
        for file in station.seen.glob("station.sqlite*"):
            if not file.name.endswith("-reserve"):
                shutil.copy(file, folder / file.name)
    finally:
        station.running.send_signal(signal.SIGCONT)
    return folder / "station.sqlite"


async def turned_away(life: Life, label: str) -> bool:
    """Whether the courier who shows a label is told that nothing comes in."""
    await life.street._show_label(label)
    return "This station is closed" in await life.street.screen.page()


async def test_a_full_disk_lets_parcels_out_and_none_in(life: Life, tmp_path: Path) -> None:
    station = life.street.station
    await life.bring_one()
    await life.bring_one()
    await until(lambda: all(map(life.code_of, life.brought)), "the mails come")
    junk = fill(station.seen)
    assert os.statvfs(station.seen).f_bavail == 0

    refused = await life.announce()
    try:
        await until(lambda: turned_away(life, refused), "the courier is told")
    except AssertionError as vain:
        raise AssertionError(f"{vain}; {await life.street._scene()}") from vain
    assert station.open_doors() == []

    await life.collect_one()
    await life.collect_one()
    assert len(life.collected) == 2, "who comes for a parcel has it"

    junk.unlink()
    await life.whole()
    await until(lambda: (station.seen / "station.sqlite-reserve").exists(), "space is kept back again")
    await life.street.deposit(refused)
    life.brought.append(refused)
    await life.whole()
    assert "Traceback" not in station.log(), station.log()[-3000:]
    assert await differences(life.hub, copy_of(station, tmp_path)) == []
