"""A real station on a pretend disk, pretend boards and a clock of its own, whose computer can stop at any step."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import msgspec

from parcelwall.drivers import DoorState, connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.errors import Trouble
from parcelwall.hub.network import Enrolment
from parcelwall.ids import Ids
from parcelwall.rules import facts
from parcelwall.rules.access import Brake
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.disk import Disk, PretendReserve, Shelf
from parcelwall.simulation.faults.fuse import Fuse, PowerCut
from parcelwall.simulation.faults.harm import Harm
from parcelwall.simulation.faults.ledger import INSIDE_A_VISIT, Ledger
from parcelwall.simulation.faults.line import Link
from parcelwall.simulation.faults.things import Thing
from parcelwall.simulation.faults.timepiece import Timepiece
from parcelwall.simulation.faults.trace import Notebook, short
from parcelwall.simulation.faults.watched import WatchedDoors
from parcelwall.simulation.town import pretend_profile
from parcelwall.station import house
from parcelwall.station import visit as visits
from parcelwall.station.house import Station
from parcelwall.station.memory import Memory
from parcelwall.station.outage import LEAST, NOTE_EVERY
from parcelwall.station.reserve import UNWRITTEN, CannotWrite

Enrol = Callable[[str, bytes], Awaitable[Enrolment]]  # (claim code, public key)
RESERVE_BYTES = 256 * 1024  # little, so that it is used up too


class Outpost:
    """`station` is None while its computer is down."""

    def __init__(
        self, about: facts.StationConfigured, folder: Path, shelf: Shelf, clock: Timepiece, ids: Ids, luck: Luck,
        ledger: Ledger, hooks: bool = False,
    ) -> None:  # fmt: skip
        self.about, self.name, self.clock, self.ids, self.luck = about, about.station, clock, ids, luck
        self.ledger, self.book = ledger, Notebook(about.station)
        self.fuse = Fuse()
        self.disk = Disk(self.fuse)
        self.disk.waits = self._wait_for_sync
        self.path = folder / f"{self.name}.sqlite"
        shelf.disks[str(self.path)] = self.disk
        self.profile = msgspec.structs.replace(pretend_profile(about.layout), contact="hook" if hooks else "door")
        self.boards = MemoryBoards(PretendBoards(self.profile, ids.chance), clock)
        self.station: Station | None = None
        self.memory: Memory | None = None  # there a moment before the station
        self.link: Link | None = None
        self.told_brake = Brake()
        self.cut_until: datetime | None = None  # the line
        self.healing = False  # the hub has lost what it had of this station, and has not got all of it back
        self.back_at: datetime | None = None  # the computer
        self.worked_at: datetime | None = None  # when it last noted that it does, and what was written then
        self.worked_number = 0
        self.kind_of_stop = ""
        self.starting, self.stops = False, 0
        self.blind_until = clock.true  # boards may have power again later than the computer
        self.looked_blind = False  # they had none when the keeper began its last look
        self.tried_at = clock.true  # when it last came to tell of an outage
        self.told_head = 0  # the newest entry that anybody outside has seen the effect of
        self.starts_badly = False  # the next start is cut short (F13)
        self.aimed = ""  # the state of a visit in which it will stop
        self.waiting: list[tuple[str, Callable[[], None]]] = []  # faults that strike in a state of a visit
        self.struck_in = ""  # the state of the visit in which the power went, before people did anything more
        self.acting = ""  # what somebody is about to do, before anything is written
        self.unwritten = False  # the keeper could not write what it saw
        self.restless = False  # something moved that the keeper has not looked at yet
        self.harm = Harm()  # what was done to its doors
        self.put_aside: set[int] = set()  # doors left open for so long that the screen is the next one's
        self.watched: WatchedDoors | None = None
        self.opened_at = (clock.true, clock.now())  # when its last door opened; and by what it held for the time
        self.shut_at = clock.true  # when they pushed it shut
        self.cut_at_begin = False  # while a visit was being written, whose door nobody has been told
        self.interrupted: dict[int, tuple[str, Thing]] = {}  # door -> what was being done there when it went dark

    @property
    def up(self) -> Station:
        assert self.station is not None, "nobody asks a station that is down"
        return self.station

    # starting and stopping

    async def start(self) -> bool:
        """Power again. Whether the station came up; it may be stopped again while it starts."""
        self.back_at, pulses, self.starting = None, len(self.boards.core.pulses), True
        is_blind = self.is_blind
        try:
            self.fuse.step()  # opening a whole book writes nothing: power may go before it, and before a door is asked
            self.memory = memory = Memory(self.path, self.clock, reserve=PretendReserve(self.disk, RESERVE_BYTES))
            memory.reserve.remake()
            self._learn_what_was_begun(memory)
            self.watched = WatchedDoors(self, connect(self.profile, self.clock, open_port=self.boards.open_port))
            self.fuse.step()
            await self.watched.start()
            self.station = Station(memory, self.watched, self.clock, self.ids)
            if memory.wrote().number < self.told_head:
                self.violated(f"INV-08: number {self.told_head} was written, after the start there are only "
                              f"{memory.wrote().number}")  # fmt: skip
            self._judge_brake(memory)
            await self._even_if_full(self.station.keeper.recover())
            await self.look()
            self._tell_outage()
        except BaseException as failed:
            full = self.disk.full and not self.fuse.blown and isinstance(failed, Trouble | apsw.Error)
            if not (self.fuse.blown or full):
                raise
            self.kind_of_stop = "F09" if full else self.kind_of_stop
            await self.stop()
            return False
        if len(self.boards.core.pulses) != pulses:
            self.violated("INV-06: a door was pulsed by the start alone")
        self._settled(is_blind)
        self.starting = False
        if self.kind_of_stop == "F13":
            self.kind_of_stop = "F08"  # it comes too late to cut the start short
        self.note("starts")
        return True

    def _tell_outage(self) -> None:
        """P03: a computer that was off for long says so, and its parcels are kept so much longer."""
        told, since = self.up.memory.wrote().number, self._sign_of_life()
        off, self.tried_at = since and self.clock.true - since, self.clock.true
        self.up.outage.look()
        if self.fuse.blown:
            raise PowerCut
        kinds = [entry.kind for entry in self.up.memory.since(self.up.memory.writer, told, 1)]
        must = off and off >= LEAST + NOTE_EVERY and not (self.disk.full or self.clock.was_wrong)
        if must and kinds != ["StoodStill"]:
            self.violated(f"P03: the computer was off for {off}, and its book does not say so")
        self.worked_at, self.worked_number = self.clock.true, self.up.memory.wrote().number

    def _sign_of_life(self) -> datetime | None:
        """When it last worked, or told of a hole in a start that was cut short after that."""
        written = self.up.memory.since(self.up.memory.writer, self.worked_number, 1_000)
        return self.tried_at if any(entry.kind == "StoodStill" for entry in written) else self.worked_at

    async def works(self) -> None:
        """It notes that it does, as it would each minute."""
        if self.station is None:
            return
        self.worked_at, self.worked_number = self.clock.true, self.up.memory.wrote().number
        try:
            self.up.memory.note_alive()
        except BaseException as failed:
            if not (self.fuse.blown or isinstance(failed, UNWRITTEN)):
                raise
        if self.fuse.blown:
            await self.stop()

    def _learn_what_was_begun(self, memory: Memory) -> None:
        """A visit may stand in the book whose beginning nobody at the screen has seen. A station cannot know that its
        door was not pulsed: only the file tells which one its case will be of."""
        if self.cut_at_begin:
            begun = [each for each in visits.unfinished(memory.connection) if each.step == "begun"]
            self.harm.ever.update(each.compartment for each in begun)
        self.cut_at_begin = False

    def _judge_brake(self, memory: Memory) -> None:
        """A-01: what was tried before the power went still counts, on that day or, if the hub has set the clock back
        since, on an earlier one."""
        told, kept = self.told_brake, memory.brake("bare")
        if kept.today < told.today and (kept.day or date.min) <= (told.day or date.min):
            self.violated(f"A-01: {told.today} wrong codes were counted on {told.day}, after the start {kept.today}")

    def _settled(self, is_blind: bool) -> None:
        """After a start every visit that is left open belongs to a door that stands open, as far as can be told."""
        for visit in () if self.unwritten or is_blind else self.up.desk.unfinished():
            if visit.step != "opened" or (self.is_shut(visit.compartment) and not self.in_doubt(visit.compartment)):
                self.violated(f"INV-06: after the start the visit at door {visit.compartment} is {visit.step} still",
                              short(visit.parcel))  # fmt: skip

    async def stop(self) -> None:
        """The computer has stopped at this step: what was not synced is lost, unless only the process was killed."""
        self.unwritten = False
        killed = self.kind_of_stop in ("F07", "F09")
        self.stops += 1
        state = self.struck_in or self._starting_state() or self.visit_state()
        if self.kind_of_stop != "F09":
            self.ledger.struck(self.kind_of_stop, [f"{state}, {self.line}", *self._where(state)])
        self.note(f"{self.kind_of_stop}: stops, {state}, line {self.link_state()}")
        if self.watched:
            await self.watched.close()
        self.disk.let_go(self.memory.connection if self.memory else None)
        self.station, self.memory, self.link = None, None, None
        self.acting = self.aimed = self.struck_in = ""
        self.starting = False
        if killed:
            self.disk.settle()
        else:
            self.disk.lose_unsynced(self.luck.chance)
        self.fuse.mend()
        down_s = self.luck.between(2, 30) if killed else self.luck.between(10, 600)
        if not killed:
            slower_s = self.luck.between(1, 30) if self.luck.happens(0.3) else 0.0
            self.boards.lose_power(down_s + slower_s)
            self.blind_until = self.clock.true + timedelta(seconds=down_s + slower_s)
        self.back_at = self.clock.true + timedelta(seconds=down_s)

    def _starting_state(self) -> str:
        """How far a start is; empty if the station has started."""
        return "" if not self.starting else "looking at the doors" if self.station else "opening the book"

    def _where(self, state: str) -> list[str]:
        """What makes a stop worth more than one of an idle computer."""
        writing, self.disk.cut_while_writing = self.disk.cut_while_writing, False
        places = {"inside a visit": state in INSIDE_A_VISIT, "between two writes": writing}
        places["inside a visit or between two writes"] = any(places.values())
        return [name for name, there in places.items() if there]

    def arm(self, kind: str, steps: int) -> None:
        """The computer will stop at the n-th step from now; `kind` is F07, F08 or F13."""
        self.kind_of_stop = kind
        self.fuse.blow_in(steps)

    def reach(self, state: str, within_steps: int = 1) -> None:
        """A visit has come to this state; the computer stops in it if that was aimed at."""
        self.strike_in(state)
        if self.aimed == state:
            self.aimed = ""
            self.fuse.blow_in(self.luck.whole(1, within_steps))

    def strike_in(self, state: str) -> None:
        """What has waited for this state of a visit strikes."""
        due = [strike for when, strike in self.waiting if when == state]
        self.waiting = [each for each in self.waiting if each[0] != state]
        for strike in due:
            strike()

    def calm(self) -> None:
        """No fault is left: power, disk, clock, contacts and doors are as they should be."""
        self.fuse.mend()
        self.starts_badly, self.aimed, self.cut_until = False, "", None
        self.waiting.clear()
        self.disk.make_room()
        self.disk.slow_s = 0.0
        self.clock.set_right()
        core = self.boards.core
        core.flip(0.0)
        for line in self.profile.doors:
            core.mend(line.door)
            self.boards.push_closed(line.door)
        self.harm.clear()
        self.restless = True

    async def look(self) -> None:
        """What the keeper does all day; here whenever something may have changed."""
        self.restless = self.unwritten = False
        self.looked_blind = self.is_blind
        self.up.space.look()
        await self._even_if_full(self.up.keeper.watch())
        if not self.boards.core.line.flip_rate:
            self.harm.looked_clean()

    async def _even_if_full(self, turn: Coroutine[Any, Any, None]) -> None:
        """As the keeper's main loop does: what cannot be written is done at a later turn."""
        try:
            await turn
        except CannotWrite:
            self.unwritten = True
            self.note("F09: the keeper cannot write")
            if not self.disk.used_up:
                self.violated("F09: the keeper cannot write, and there is room in reserve")

    # what is so

    @property
    def is_blind(self) -> bool:
        """Whether no board says anything yet."""
        return self.clock.true <= self.blind_until

    def is_shut(self, door: int) -> bool:
        return self.boards.state(door) == DoorState.CLOSED

    def in_doubt(self, door: int) -> bool:
        """Whether the contact of a door may say what is not so: for as long as that was made so."""
        return self.harm.is_stuck(door) or door in self.harm.flips

    def is_well(self, door: int) -> bool:
        """Whether a door that stands open is seen to: nothing is wrong with its contact or with its board."""
        ill = door in self.harm.doors or door in self.harm.flips or self.is_blind
        return not (ill or self.is_shut(door))

    def link_state(self) -> str:
        if self.link is None:
            return "down"
        return "behind" if self.station and self.station.memory.unsent() > 0 else "live"

    @property
    def line(self) -> str:
        return "live" if self.link else "down"

    def _wait_for_sync(self, seconds: float) -> None:
        """F11: time passes, and nothing else may happen at this station meanwhile."""
        state = self._at_the_door() or ("identified" if self.acting else "idle")
        self.ledger.struck("F11", (state, f"{state}, {self.line}"))
        self.clock.advance(seconds)

    def visit_state(self) -> str:
        """Where the person at the screen stood when the computer stopped; read from the doors and what was known."""
        untold = self.memory is not None and not self.fuse.blown and self.memory.unsent() > 0
        return self._at_the_door() or ("identified" if self.acting else "recorded" if untold else "idle")

    def _at_the_door(self) -> str:
        """How far the visit at the screen is; empty if there is none."""
        watched = self.watched
        if watched is None or watched.visit is None:
            return ""
        if watched.pulses == 0 and not watched.opened:
            return "written"
        if not watched.opened:
            return "pulsed"
        return "shut" if self.is_shut(watched.visit.compartment) else "open"

    # telling

    def note(self, text: str, parcel: str = "") -> None:
        self.book.note(self.clock.true, text, parcel)

    def violated(self, text: str, parcel: str = "") -> None:
        self.book.violated(self.clock.true, text, parcel)

    def seen_outside(self) -> None:
        """Somebody has had an answer: what is written now must never be lost."""
        self.told_head = self.up.memory.wrote().number
        self.told_brake = self.up.memory.brake("bare")


async def enrolled(post: Outpost, claim: str, enrol: Enrol) -> None:
    """The first start: the station makes its key and is given who it is."""
    memory = Memory(post.path, post.clock)
    signer = house.key_of(memory, post.ids)
    given = await enrol(claim, signer.public)
    memory.know({"station": given.station, "secret": given.secret, "hub_writer": given.hub_writer,
                 "hub_key": given.hub_key})  # fmt: skip
    memory.close()
