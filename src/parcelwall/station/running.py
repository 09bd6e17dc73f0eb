"""A station's process: reads its file, enrols on its first start, then doors, screen and line for ever."""

import asyncio
import itertools
import tomllib
from pathlib import Path

import structlog

from parcelwall.clock import Clock
from parcelwall.drivers import parse_profiles
from parcelwall.drivers.power import Ups
from parcelwall.drivers.profile import Profile
from parcelwall.drivers.scanner import scans
from parcelwall.errors import Trouble
from parcelwall.ids import Ids
from parcelwall.link import backoff
from parcelwall.link.identity import fingerprint
from parcelwall.settings import StationSettings, read, refuse_no_address
from parcelwall.station import dial
from parcelwall.station.battery import Battery
from parcelwall.station.house import Station, make_next_key
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import FileReserve

log = structlog.get_logger()


def read_settings(path: Path) -> tuple[StationSettings, list[Profile]]:
    """The station's file: settings on top, lock boards under [bus], or under a [[bus]] for each serial port.

    Raises Trouble that names file, key and remedy.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as no:
        raise Trouble(f"cannot read {path}: {no.strerror}. Name the station's file with --config.") from no
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as no:
        raise Trouble(f"cannot read {path}: it is not TOML: {no}. docs/station.md shows a whole file.") from no
    profiles = parse_profiles(table.pop("bus", None), where=str(path))
    settings: StationSettings = read(StationSettings, table, where=str(path))
    refuse_no_address("hub_url", settings.hub_url, str(path))
    return settings, profiles


async def enrolled(path: Path, settings: StationSettings, clock: Clock, ids: Ids) -> None:
    """On the first start, becomes the station of the claim code, as soon as there is a hub to ask. Raises Trouble
    without a claim code, and when the hub says no."""
    memory = Memory(path, clock, reserve=FileReserve(path))
    try:
        if not memory.station:
            if not settings.claim:
                raise Trouble("this computer is not enrolled: put the claim code from the hub into `claim`")
            await _enrolled_once_there_is_a_hub(memory, settings, clock, ids)
    finally:
        memory.close()


async def _enrolled_once_there_is_a_hub(memory: Memory, settings: StationSettings, clock: Clock, ids: Ids) -> None:
    for tries in itertools.count():
        try:
            await dial.enrol(memory, settings.hub_url, settings.claim, clock, ids)
            return
        except dial.Unreachable as no:
            wait_s = backoff.wait_s(tries, ids.chance.random())
            log.warning("not_enrolled_yet", reason=str(no), again_in_s=round(wait_s))
            await clock.sleep(wait_s)


async def enrolled_again(path: Path, settings: StationSettings, clock: Clock, ids: Ids) -> str:
    """Proves this computer to a hub that was restored to before it was enrolled. Answers its stream.

    Raises Trouble without a claim code, and for a computer that never was a station.
    """
    memory = Memory(path, clock)
    try:
        if not memory.station or not settings.claim:
            raise Trouble("put a new claim code from the hub into `claim`; a new computer enrols at its first start")
        await dial.enrol(memory, settings.hub_url, settings.claim, clock, ids)
        return memory.writer
    finally:
        memory.close()


def renewed_key(path: Path, clock: Clock, ids: Ids) -> str:
    """The fingerprint of a new key beside the one in use. Raises Trouble for a computer that is not enrolled."""
    memory = Memory(path, clock)
    try:
        if not memory.station:
            raise Trouble("this computer is not enrolled: it has no key to renew")
        return fingerprint(make_next_key(memory, ids).public)
    finally:
        memory.close()


async def until_configured(station: Station) -> None:
    """A fresh station waits for the hub's first word: its layout. One that takes over waits for its whole book."""
    while station.desk.about is None or station.memory.restoring:
        await asyncio.sleep(0.1)


async def watch_power(station: Station, ups: str) -> None:
    """Asks the power supply for ever. Raises Trouble for a name that is none."""
    await Battery(station.desk, Ups(ups).look).run(station.clock)


async def read_scanner(station: Station, port: str) -> None:
    """What is held to the reader goes to the screen: eight digits are a code, everything else a label.

    Anybody may hold anything to it: what brings a scan down says so, and ends nothing but that scan.
    """
    async for text in scans(port, station.clock, station.kiosk.reader_is_here):
        try:
            await station.kiosk.scanned(text)
        except Exception as failed:  # never the text: it may be a code
            log.exception("scan_fails", reason=type(failed).__name__)
