"""Watches what feeds the station: writes `Power` when it changes, opens a case for what a person must look at."""

import contextlib
from collections.abc import Awaitable, Callable

from parcelwall.clock import Clock
from parcelwall.drivers.power import PowerSeen
from parcelwall.rules import facts
from parcelwall.station.desk import StationDesk
from parcelwall.station.reserve import UNWRITTEN

ASK_EVERY_S = 5.0
BELIEVED_UNKNOWN = 3  # looks without an answer


class Battery:
    """`look` asks the supply and answers what it saw. While the battery is low the desk takes no new parcels."""

    def __init__(self, desk: StationDesk, look: Callable[[], Awaitable[PowerSeen]]) -> None:
        self._desk, self._look = desk, look
        self._told: str | None = None
        self._silent = 0

    async def watch(self) -> None:
        """One look. What cannot be written is written with a later one."""
        seen = await self._look()
        self._silent = self._silent + 1 if seen.status == "unknown" else 0
        if 0 < self._silent < BELIEVED_UNKNOWN:
            return
        self._desk.battery_is_low = seen.status == "low"
        self._desk.on_battery = seen.status in ("low", "battery")
        with contextlib.suppress(*UNWRITTEN):
            self._tell(seen)

    def _tell(self, seen: PowerSeen) -> None:
        memory = self._desk.memory
        if seen.status != self._told:
            memory.tell(facts.Power(status=seen.status, charge_ratio=seen.charge_ratio))
            self._told = seen.status
        known = any(case.about == "ups_complains" and case.closed_at is None for case in memory.book.cases.values())
        if seen.complaints and not known:
            memory.tell(self._desk.case("ups_complains", None, None, holds=False))

    async def run(self, clock: Clock) -> None:
        """Every 5 s, for ever."""
        while True:
            await self.watch()
            await clock.sleep(ASK_EVERY_S)
