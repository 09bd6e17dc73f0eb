"""What feeds the station, asked of NUT's `upsd` in its plain text over TCP. Source: hardware.md 4.4, NUT's network
protocol.

    LIST VAR shed  ->  BEGIN LIST VAR shed / VAR shed ups.status "OB DISCHRG" / ... / END LIST VAR shed
"""

import asyncio
import shlex
from typing import Literal

import msgspec

from parcelwall.errors import Trouble

PORT, ANSWER_WITHIN_S, MOST_LINES = 3493, 3.0, 500
LOOK_AT = {"RB", "OFF", "OVER", "BYPASS"}  # replace the battery; no output, overload, no protection

Status = Literal["mains", "battery", "low", "unknown"]


class PowerSeen(msgspec.Struct, frozen=True):
    """`charge_ratio` of the battery from 0 to 1, None if it is not told. `complaints` are words of LOOK_AT."""

    status: Status = "unknown"
    charge_ratio: float | None = None
    complaints: tuple[str, ...] = ()


class Ups:
    """One power supply, written `name`, `name@host` or `name@host:port`. Raises Trouble for anything else."""

    def __init__(self, where: str) -> None:
        self.name, _, place = where.partition("@")
        host, _, port = place.partition(":")
        self._host, self._port = host or "127.0.0.1", port or str(PORT)
        if not self.name.replace("-", "").replace("_", "").isalnum() or not _is_port(self._port):
            raise Trouble(f"{where!r} names no power supply: write name, name@host or name@host:port")

    async def look(self) -> PowerSeen:
        """What is so now; unknown if `upsd` does not answer in 3 s, or says that it does not know itself."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return seen(await self._variables())
        except (OSError, TimeoutError, ValueError):
            return PowerSeen()

    async def _variables(self) -> dict[str, str]:
        reader, writer = await asyncio.open_connection(self._host, int(self._port))
        try:
            writer.write(f"LIST VAR {self.name}\n".encode())
            told: dict[str, str] = {}
            for _ in range(MOST_LINES):
                words = shlex.split((await reader.readline()).decode("utf-8", "replace"))
                if words[:2] == ["END", "LIST"]:
                    return told
                if not words or words[0] == "ERR":  # stale, or its own driver is gone: that is not mains
                    return {}
                if words[0] == "VAR" and len(words) == 4:
                    told[words[2]] = words[3]
            return {}
        finally:
            writer.close()


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 2**16


def seen(variables: dict[str, str]) -> PowerSeen:
    """Raises ValueError for a charge that is no number."""
    words = set(variables.get("ups.status", "").split())
    charge = variables.get("battery.charge")
    ratio = min(1.0, max(0.0, float(charge) / 100)) if charge is not None else None
    return PowerSeen(_status(words), ratio, tuple(sorted(words & LOOK_AT)))


def _status(words: set[str]) -> Status:
    """A forced shutdown is low, whatever else is said; a low battery that is fed again is not."""
    if "FSD" in words or {"OB", "LB"} <= words:
        return "low"
    if "OB" in words:
        return "battery"
    return "mains" if "OL" in words else "unknown"
