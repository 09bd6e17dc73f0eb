"""The station's real driver, with the simulation looking on: what must be so before any coil is driven."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from parcelwall.drivers import Doors, DoorState, Pulse, Seen
from parcelwall.rules.life import INSIDE, Stage
from parcelwall.simulation.faults.coils import Coils
from parcelwall.simulation.faults.trace import short
from parcelwall.station import visit as visits
from parcelwall.station.desk import KIOSK
from parcelwall.station.visit import Visit

if TYPE_CHECKING:
    from parcelwall.simulation.faults.outpost import Outpost

PULSE_AGAIN_S = 2.0  # since the last pulse, at least, and the door read closed in between
MOST_PULSES = 3


class WatchedDoors:
    """The real driver, seen by the simulation: each word with the boards is a step at which the power may go, and
    before each pulse what must be so is looked at."""

    def __init__(self, post: "Outpost", inner: Doors) -> None:
        self._post, self._inner = post, inner
        self.visit: Visit | None = None  # the one at the screen
        self.pulses, self.opened = 0, False
        self.before_pulse: list[str] = []  # faults that strike at the next pulse
        self.pulled_at = 0  # the pulse at which the person pulls at the door
        self.comes_in = ""  # the state of the visit in which somebody else comes, to whom `meanwhile` happens
        self.meanwhile: Callable[[str], None] = lambda state: None
        self.leaves = ""  # how whoever stands there goes away half way
        self.rested = False  # the visit's coil had its share of pulses before, and was not driven for it
        self._coils = Coils()
        self._pulsed_at = float("-inf")
        self._read: dict[int, Seen] = {}

    def begin(self, visit: Visit) -> None:
        self.visit, self.pulses, self.opened, self.pulled_at, self.rested = visit, 0, False, 0, False
        self._pulsed_at = float("-inf")

    def end(self) -> None:
        self.visit, self.comes_in, self.leaves = None, "", ""

    def reached(self, state: str) -> bool:
        """The visit is in this state; whether somebody else has come in it."""
        if self.comes_in != state:
            return False
        self.comes_in = ""
        self.meanwhile(state)
        return True

    async def start(self) -> None:
        await self._inner.start()

    async def close(self) -> None:
        await self._inner.close()

    async def open(self, door: int, not_after: float) -> Pulse:
        self._post.fuse.step()
        self._judge(door)
        self._strike(door)
        self.pulses += 1
        self._pulsed_at = self._post.clock.mono()
        answer = await self._order(door, not_after)
        self._post.boards.core.line.late_s = 0.0
        self._post.reach("pulsed")
        self._post.fuse.step()
        return answer

    async def _order(self, door: int, not_after: float) -> Pulse:
        """The pulse itself; law 11 is looked at when it is over."""
        order = self._coils.begins(door, self._post.clock.mono())
        answer = await self._inner.open(door, not_after)
        order.over_at = self._post.clock.mono()
        if answer in (Pulse.LATE, Pulse.REFUSED):
            self._coils.was_not_driven(door)
        elif self._coils.had_too_many(door):
            self._post.violated(f"INV-04: the coil of door {door} had its share of pulses, and is driven")
        return answer

    def rests_s(self, door: int, more: int = 0) -> float:
        rests_s = self._inner.rests_s(door, more)
        if rests_s > 0 and not more:
            self._judge_rest(door)
        return rests_s

    def _judge_rest(self, door: int) -> None:
        if not self._coils.may_rest(door, self._post.clock.mono()):
            self._post.violated(f"INV-05: the coil of door {door} is said to rest, and had no share of pulses")
        elif self.visit and door == self.visit.compartment and self.pulses == 0:
            self.rested = True

    async def state(self, door: int) -> Seen:
        self._post.fuse.step()
        if self.visit and door == self.visit.compartment:
            self.reached("pulsed" if self.pulses else "written")
        if self.visit and door == self.visit.compartment and self.pulled_at == self.pulses > 0:
            self._post.boards.pull(door)
        self._read[door] = await self._inner.state(door)
        return self._read[door]

    async def follow(self, door: int) -> Seen:
        self._post.fuse.step()
        self._read[door] = await self._inner.follow(door)
        return self._read[door]

    async def sweep(self) -> dict[int, Seen]:
        self._post.fuse.step()
        return await self._inner.sweep()

    def _strike(self, door: int) -> None:
        """Faults of this one pulse."""
        for fault in self.before_pulse:
            if fault == "F14":
                self._post.boards.core.mute_next(1)
            elif fault == "F16":
                self._post.boards.core.answer_late(self._post.luck.between(100, 900))
        self.before_pulse = []

    def _judge(self, door: int) -> None:
        """INV-04 and INV-06 at the moment of a pulse."""
        post, parcel = self._post, short(self.visit.parcel) if self.visit else ""
        written = visits.unfinished(post.up.memory.connection)  # read from the file, whatever the station remembers
        begun = [each for each in written if each.compartment == door and each.step == "begun"]
        if not begun:
            post.violated(f"INV-04: door {door} is pulsed, and no visit that has begun is written down", parcel)
            return
        if not post.disk.written_is_safe:
            post.violated(f"INV-06: door {door} is pulsed before its visit is safe on the disk", parcel)
        self._judge_right(begun[0])
        if self.pulses >= MOST_PULSES:
            post.violated(f"INV-04: door {door} is pulsed a {self.pulses + 1}th time in one visit", parcel)
        read = self._read.get(door)
        blind = read is None or read.state != DoorState.CLOSED or read.at < self._pulsed_at
        too_soon = post.clock.mono() - self._pulsed_at < PULSE_AGAIN_S
        if self.pulses and (blind or too_soon):
            post.violated(f"INV-04: door {door} is pulsed again, not read closed or too soon", parcel)

    def _judge_right(self, visit: Visit) -> None:
        """The right of a visit fits its parcel and its compartment, by the station's own book."""
        post = self._post
        known = post.up.memory.parcel(visit.parcel)
        right = {"deposit": (Stage.RESERVED,), "collect": INSIDE, "take_back": (Stage.OVERDUE,), "put_right": INSIDE}
        if visit.purpose == "reopen":
            return
        if known is None or known.stage not in right[visit.purpose] or visit.screen != KIOSK:
            stage = known.stage if known else "unknown"
            post.violated(f"INV-04: a visit to {visit.purpose} a parcel that is {stage}", short(visit.parcel))
        elif visit.purpose != "deposit" and known.compartment != visit.compartment:
            post.violated(f"INV-04: door {visit.compartment} is pulsed, the parcel is behind {known.compartment}",
                          short(visit.parcel))  # fmt: skip
        elif visit.purpose == "put_right" and (known.blocked or known.reservation != visit.reservation):
            post.violated(f"INV-04: door {visit.compartment} is pulsed, its parcel is blocked or promised otherwise",
                          short(visit.parcel))  # fmt: skip
