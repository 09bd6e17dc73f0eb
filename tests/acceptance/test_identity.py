"""A hub process is restored from a backup with the commands of docs/operator.md; a computer is lost, re-keyed, stolen.

The hub is a process of its own. The station is ours, on pretend boards, and dials it by its real line.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from acceptance.processes import HubProcess, a_hub
from parcelwall.clock import SystemClock
from parcelwall.drivers import connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.ids import Ids
from parcelwall.link.identity import Signer, fingerprint
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Stage
from parcelwall.simulation.town import pretend_profile
from parcelwall.station import dial
from parcelwall.station import house as station_house
from parcelwall.station.house import Station
from parcelwall.station.memory import Memory
from parcelwall.station.running import renewed_key
from parcelwall.station.verify import verify_station

pytestmark = pytest.mark.timeout(180)
COLUMNS = "SSM SSM"
SMALL = {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900}


def command(*words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "parcelwall", *words], capture_output=True, text=True, timeout=60,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def until(true: Callable[[], bool], what: str, within_s: float = 30) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.1)
    assert true(), what


async def counted(hub: HubProcess, value: Any, sql: str, *values: Any) -> None:
    """Waits until the hub's database answers this."""
    found = None
    for _ in range(30):
        found = await asyncio.to_thread(hub.count, sql, *values)
        if found == value:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"{sql} answers {found}, not {value}")


@asynccontextmanager
async def a_station(folder: Path, hub: HubProcess, claim: str = "") -> AsyncIterator[Station]:
    """A station's computer with its line up; its file stays. With a claim it enrols first, as at a first start."""
    folder.mkdir(exist_ok=True)
    clock = SystemClock()
    ids, path = Ids(clock), folder / "station.sqlite"
    if claim:
        memory = Memory(path, clock)
        await dial.enrol(memory, hub.url, claim, clock, ids)
        memory.close()
    profile = pretend_profile(plain_layout(COLUMNS))
    boards = MemoryBoards(PretendBoards(profile, ids.chance), clock)
    doors = connect(profile, clock, open_port=boards.open_port)
    async with station_house.opened(path, doors, clock, ids) as station:
        line = asyncio.create_task(dial.Line(station, hub.url).run())
        try:
            yield station
            assert verify_station(station.memory) == []
        finally:
            line.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await line


def announce(hub: HubProcess, key: str, reference: str) -> UUID:
    body = {"reference": reference, "destination": {"station_id": "S-0001"}, **SMALL}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": reference}
    answer = httpx.post(f"{hub.url}/api/v1/parcels", json=body, headers=headers, trust_env=False)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def stage(station: Station, parcel: UUID) -> str:
    known = station.memory.parcel(parcel)
    return known.stage if known else ""


async def expected(station: Station, parcel: UUID) -> None:
    await until(lambda: stage(station, parcel) == Stage.RESERVED, "the station has heard of it")


def put_in(station: Station, parcel: UUID, compartment: int) -> None:
    """Its door was opened and seen shut: what the keeper tells then."""
    desk, known = station.desk, station.memory.parcel(parcel)
    assert known is not None
    visit = desk._begin("deposit", known, compartment, courier=station.ids.new())
    desk.closed(desk.opened(desk.pulsing(visit)))


async def test_the_drill(tmp_path: Path) -> None:
    """Backup, a day's work, a lost database, restore, `hub-restored`: the station brings back the day."""
    with a_hub() as hub:
        key, claim = hub.admit("acme"), hub.configure("S-0001", COLUMNS)
        data, backup = hub.data / "postgres", hub.folder / "backup"
        async with a_station(tmp_path / "s1", hub, claim) as station:
            early = announce(hub, key, "PW-1")
            await expected(station, early)
            hub.end(signal.SIGTERM)
            subprocess.run(["cp", "-a", data, backup], check=True)
            hub.start()
            late = announce(hub, key, "PW-2")
            await expected(station, late)
            put_in(station, late, 1)
            await until(lambda: station.memory.unsent() == 0, "the hub has it")
            put_in(station, early, 2)
            hub.end(signal.SIGTERM)
            shutil.rmtree(data)
            subprocess.run(["cp", "-a", backup, data], check=True)
            assert command("hub-restored", "--data", str(hub.data)).startswith("Epoch ")
            hub.start()
            for parcel in (late, early):
                await counted(hub, "READY", "SELECT stage FROM parcel WHERE id = $1", parcel)
            await counted(hub, 1, "SELECT count(*) FROM case_file WHERE about = 'announcement_lost'")
            third = announce(hub, key, "PW-3")
            await expected(station, third)
        verified = await asyncio.to_thread(command, "verify", PARCELWALL_DATA_DIR=str(hub.data))
        assert verified.startswith("Every book is whole")


async def test_a_lost_computer_a_new_key_and_a_stolen_one(tmp_path: Path) -> None:
    with a_hub() as hub:
        key, claim = hub.admit("acme"), hub.configure("S-0001", COLUMNS)
        operator = hub.admit("office", "admin")
        async with a_station(tmp_path / "s1", hub, claim) as station:
            parcel = announce(hub, key, "PW-1")
            await expected(station, parcel)
            put_in(station, parcel, 1)
            await until(lambda: station.memory.unsent() == 0, "the hub has it")

        claim = command("claim", "S-0001", "--data", str(hub.data)).split()[-1]
        async with a_station(tmp_path / "s2", hub, claim) as station:  # the disk of s1 is lost
            await until(lambda: not station.memory.restoring, "its book is whole")
            assert stage(station, parcel) == Stage.READY
            await until(lambda: station.memory.unsent() == 0, "the hub knows that it took over")

        clock = SystemClock()
        printed = renewed_key(tmp_path / "s2" / "station.sqlite", clock, Ids(clock))
        async with a_station(tmp_path / "s2", hub) as station:
            before = Signer(bytes.fromhex(station.memory.identity("key") or "")).public
            await until(lambda: station.memory.identity("next_key") == "", "the hub takes the new key")
            after = Signer(bytes.fromhex(station.memory.identity("key") or "")).public
            assert printed == fingerprint(after) != fingerprint(before)
            await counted(hub, after, "SELECT public_key FROM station_identity")

        lost = "UPDATE station_identity SET public_key = $1 RETURNING public_key"  # as a restored backup has it
        assert await asyncio.to_thread(hub.count, lost, before) == before
        async with a_station(tmp_path / "s2", hub) as station:
            await counted(hub, after, "SELECT public_key FROM station_identity")
            assert Signer(bytes.fromhex(station.memory.identity("key") or "")).public == after

            await until(lambda: station.desk.online, "the line is up")
            answer = httpx.post(
                f"{hub.url}/api/v1/stations/S-0001/revoke", json={"why": "broken into"}, trust_env=False,
                headers={"Authorization": f"Bearer {operator}"},
            )  # fmt: skip
            assert answer.status_code == 200, answer.text
            await until(lambda: not station.desk.online, "its line is closed", 20)
            assert "4403" in hub.log()
        async with a_station(tmp_path / "s3", hub, answer.json()["claim"]) as station:
            await until(lambda: not station.memory.restoring, "its book is whole")
            known = station.memory.parcel(parcel)
            assert known is not None and (known.stage, known.generation) == (Stage.READY, 1)
            assert station.memory.identity("secret") != secret_of(tmp_path / "s2")
        assert await asyncio.to_thread(hub.differences) == []


def secret_of(folder: Path) -> str | None:
    memory = Memory(folder / "station.sqlite", SystemClock())
    try:
        return memory.identity("secret")
    finally:
        memory.close()
