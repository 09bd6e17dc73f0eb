"""Which wiring somebody has walked along: its hash, signed with the station's key, in the station's own file.

A station that was walked and is wired otherwise now opens no door: it would be another one. One that never was tells
its installer and its operator so, and serves if the policy lets it.
"""

import contextlib
import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import structlog

from parcelwall.clock import Clock
from parcelwall.drivers.profile import Profile
from parcelwall.ids import Ids
from parcelwall.link.identity import map_bytes, signed_by
from parcelwall.rules import facts
from parcelwall.station.desk import StationDesk
from parcelwall.station.house import key_of
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import UNWRITTEN, FileReserve

FILE = "station.sqlite"
LOOK_EVERY_S = 10.0
NEVER = (
    "Nobody has walked along the doors of this station: whether each lock opens its own door is not known. "
    "Stop it, run `parcelwall station commission`, and start it again."
)
CHANGED = (
    "The doors are wired otherwise than when somebody walked along them: this station is closed, and opens none. "
    "Stop it, run `parcelwall station commission`, and start it again."
)
NOT_WIRED, OTHERWISE, NOT_WALKED = "not_wired", "doors_changed", "doors_not_walked"  # why a compartment is out of use
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


def unwired(memory: Memory, profiles: Sequence[Profile]) -> list[int]:
    """Compartments of the hub's layout that no line of the file wires; none before the hub has told a layout."""
    wired = {line.door for profile in profiles for line in profile.doors}
    layout = memory.about.layout.compartments if memory.about else ()
    return sorted(each.number for each in layout if each.number not in wired)


def unwired_in(data_dir: Path, profiles: Sequence[Profile], clock: Clock) -> list[int]:
    """The same, from the book of a station that does not run; none where there is none. Raises Trouble."""
    if not (data_dir / FILE).exists():
        return []
    memory = Memory(data_dir / FILE, clock, reserve=FileReserve(data_dir / FILE))
    try:
        return unwired(memory, profiles)
    finally:
        memory.close()


def words_for(missing: Collection[int]) -> str:
    """What an installer is told of such compartments."""
    numbers = ", ".join(map(str, missing))
    return (f"The hub's layout has compartments that the file does not wire: {numbers}. They are out of use. Write a "
            "line for each into `doors`, walk, and start the station again.")  # fmt: skip


class Walk:
    """Keeps the desk from doors that nobody has walked along, or that are wired otherwise since; and tells of it."""

    def __init__(self, desk: StationDesk, profiles: Sequence[Profile]) -> None:
        self._desk, self._profiles, self.changed = desk, profiles, is_changed(desk.memory, profiles)
        self.never, self.refused = not desk.memory.identity("map"), False
        self.look()

    def look(self) -> None:
        """As the policy is now. One that was never walked is a case, once the hub has told which station this is."""
        self.refused = self.never and not self._desk.memory.policy.serves_unwalked
        self._desk.doors_unchecked, self._desk.doors_changed = self.changed or self.refused, self.changed
        if (self.never or self.changed) and self._desk.about and not self._is_told():
            details = {"why": OTHERWISE} if self.changed else {}
            with contextlib.suppress(*UNWRITTEN):
                self._desk.memory.tell(self._desk.case("doors_not_walked", None, None, holds=False, details=details))

        with contextlib.suppress(*UNWRITTEN):
            self._tell_health()

    def _tell_health(self) -> None:
        """Doors that this station does not open are broken for all who promise room, until the station opens them."""
        memory, missing = self._desk.memory, self.missing()
        plan = memory.book.plans.get(memory.station)
        told: list[facts.Fact] = []
        for number in plan.place if plan else ():
            why = self._why_out(number, missing)
            if plan and bool(memory.room().broken & plan.bit(number)) != bool(why):
                log.warning("door_out_of_use" if why else "door_in_use", station=memory.station, door=number)
                told.append(facts.CompartmentHealth(compartment=number, usable=not why, why=why))
                if why == NOT_WIRED:
                    told.append(self._desk.case("out_of_order", None, number, holds=False, details={"why": why}))
        if told:
            memory.tell(*told)

    def _why_out(self, number: int, missing: Collection[int]) -> str:
        """Empty for a compartment whose door this station opens."""
        if self.changed:
            return OTHERWISE
        if self.refused:
            return NOT_WALKED
        return NOT_WIRED if number in missing else ""

    def missing(self) -> list[int]:
        """Compartments that the file does not wire; see `unwired`."""
        return unwired(self._desk.memory, self._profiles)

    def _is_told(self) -> bool:
        cases = self._desk.memory.book.cases.values()
        return any(case.about == "doors_not_walked" and case.closed_at is None for case in cases)

    async def run(self, clock: Clock) -> None:
        """Looks for ever: a policy may come at any time, and a case that was closed is opened again."""
        while True:
            self.look()
            await clock.sleep(LOOK_EVERY_S)
