"""Which wiring somebody has walked along: its hash, signed with the station's key, in the station's own file.

A station that was walked and is wired otherwise now opens no door: it would be another one. One that never was serves,
and its log says so.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import structlog

from parcelwall.clock import Clock
from parcelwall.drivers.profile import Profile
from parcelwall.ids import Ids
from parcelwall.link.identity import map_bytes, signed_by
from parcelwall.station.house import key_of
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import FileReserve

FILE = "station.sqlite"
log = structlog.get_logger()


def hash_of(profiles: Sequence[Profile]) -> str:
    """SHA-256 in hex of the wiring of all buses, in whatever order they stand in the file."""
    return hashlib.sha256("".join(sorted(each.wiring() for each in profiles)).encode()).hexdigest()


def confirm(data_dir: Path, profiles: Sequence[Profile], clock: Clock) -> None:
    """Somebody has walked along all doors, and they are so. Raises Trouble if that cannot be kept."""
    data_dir.mkdir(parents=True, exist_ok=True)
    memory = Memory(data_dir / FILE, clock, reserve=FileReserve(data_dir / FILE))
    try:
        walked = hash_of(profiles)
        memory.know({"map": walked, "map_sig": key_of(memory, Ids(clock)).sign(map_bytes(walked))})
    finally:
        memory.close()


def is_changed(memory: Memory, profiles: Sequence[Profile]) -> bool:
    """Whether the wiring is another than the one that was walked along last, or its signature is not this station's."""
    walked, now = memory.identity("map"), hash_of(profiles)
    if not walked:
        log.warning("doors_not_walked", station=memory.station, reason="run `parcelwall station commission`")
        return False
    key = key_of(memory, Ids(memory.clock)).public
    same = walked == now and signed_by(key, memory.identity("map_sig") or "", map_bytes(walked))
    if not same:
        log.error("doors_changed", station=memory.station, reason="walk along them: `parcelwall station commission`")
    return not same
