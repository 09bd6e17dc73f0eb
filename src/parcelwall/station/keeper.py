"""The station's main loop: recovers what a power cut left open, watches doors, ends visits, sees what was not asked."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine
from typing import Any
from uuid import UUID

import apsw
import structlog

from parcelwall.clock import Clock
from parcelwall.drivers import Doors, DoorState, Seen
from parcelwall.errors import Trouble, places_of
from parcelwall.rules import facts
from parcelwall.station import left_open, no_port
from parcelwall.station.desk import ANOTHER, KIOSK, StationDesk
from parcelwall.station.opening import Opening, open_door
from parcelwall.station.reserve import UNWRITTEN, CannotWrite
from parcelwall.station.visit import Visit

SWEEP_EVERY_S, WATCH_EVERY_S = 0.5, 0.02
LEFT_OPEN_S = 120.0
SWINGS_S, STAYS_SHUT_S = 1.0, 0.3  # a leaf that springs open may swing back onto its contact, and out again
UNASKED_SWEEPS = 2  # a door is believed open without a visit after this many looks
UNASKED_AGAIN_S = 600.0  # how often at most it is told of a door once more, while nobody has looked at it

UNASKED = "opened_unasked"
NOT_ASKED_FOR = (UNASKED, ANOTHER)  # cases of a door that opened and should not have
IN_DOUBT = (*NOT_ASKED_FOR, "door_unclear")  # cases of doors that say nothing, or that nobody asked to open

log = structlog.get_logger()


class Keeper:
    """Owns the doors. `on_change` is called with a visit whenever one has moved a step."""

    def __init__(self, desk: StationDesk, doors: Doors, clock: Clock, on_change: Callable[[Visit], None]) -> None:
        self.desk, self.doors, self.clock, self._tell = desk, doors, clock, on_change
        self._opened = asyncio.Event()  # somebody may stand before an open door
        self.seen: dict[int, Seen] = {}
        self._unasked: dict[int, int] = {}  # door -> looks in a row that found it open, but for silent ones
        self._unasked_told_s: dict[int, float] = {}
        self._opening: set[UUID] = set()
        self._open_s: dict[UUID, float] = {}  # visit -> since when this run knows its door to be open
        self._sprang_s: dict[UUID, float] = {}  # visit -> when this run saw its door spring open
        self._shut_s: dict[UUID, float] = {}  # visit -> since when its door is seen shut
        self._unread: set[UUID] = set()  # visits that were open at the start, and whose doors have said nothing since

    def _on_change(self, visit: Visit) -> None:
        if visit.step == "ended":
            self._open_s.pop(visit.id, None)
            self._sprang_s.pop(visit.id, None)
            self._shut_s.pop(visit.id, None)
            self._unread.discard(visit.id)
        elif visit.step == "opened":
            self.open_for_s(visit)
        self._opened.set()
        try:
            self._tell(visit)
        except Exception as failed:  # the book is whole, and doors are watched whatever a screen makes of it
            log.error("screen_failed", station=self.desk.memory.station, places=list(places_of(failed)))

    async def recover(self) -> None:
        """After any start: look at the door of each unfinished visit, then record or open a case. Never a pulse.

        A door that was open and says nothing yet is watched like any other: boards may be up later than their computer.
        """
        for visit in self.desk.unfinished():
            state = await self._state(visit.compartment)
            self._settle(visit, state)

    def _settle(self, visit: Visit, state: DoorState) -> None:
        """By what its contact says. One of doors that are wired otherwise than they were walked says nothing: it may be
        another's, and what follows from it is written for good."""
        state = DoorState.UNKNOWN if self.desk.doors_changed else state
        if visit.step == "opened":
            if state == DoorState.CLOSED:
                self._on_change(self.desk.closed(visit, recovered=True))
            elif state == DoorState.UNKNOWN:
                self._unread.add(visit.id)
        elif state == DoorState.OPEN and not visit.stood_open:
            self._open_s.pop(visit.id, None)
            self._on_change(self._said_open(visit, recovered=True))
        elif state == DoorState.UNKNOWN and self.open_for_s(visit) <= LEFT_OPEN_S:
            pass  # its board may be up later than this computer
        else:  # begun, and shut now or open before: without an item sensor nobody can tell whether we have opened it
            self._on_change(self.desk.failed(visit, "unclear"))

    async def _state(self, door: int) -> DoorState:
        with contextlib.suppress(Trouble):
            return (await self.doors.state(door)).state
        return DoorState.UNKNOWN

    async def take_stock(self) -> None:
        """A computer that took over looks at each door once: one that is open, or that says nothing, is a case, since
        no entry explains it. What lies behind a shut door nobody can see: `journal_restored` asks a person to look."""
        if not self.desk.memory.unlooked:
            return
        told = self._doors_with(IN_DOUBT)  # by a turn before this one that the disk broke off
        for door in sorted(set(self.desk.plan.place) - told):
            state = await self._state(door)
            if any(visit.compartment == door for visit in self.desk.unfinished()):
                continue  # somebody was let in by it meanwhile
            if state == DoorState.OPEN:
                self.desk.unasked(door)
                self._unasked[door] = UNASKED_SWEEPS
            elif state == DoorState.UNKNOWN:
                self.desk.memory.tell(self.desk.case("door_unclear", None, door, holds=True))
        self.desk.memory.know({"unlooked": ""})

    def _doors_with(self, about: Collection[str]) -> set[int]:
        """Doors of which such a case is open, for nobody has looked at them yet."""
        cases = (case for case in self.desk.memory.book.cases.values() if case.closed_at is None)
        return {case.compartment for case in cases if case.about in about and case.compartment}

    async def serve(self, visit: Visit) -> Visit:
        """Opens the visit's door. Answers the visit as it stands then: opened, or ended because it would not.

        Who asked may go away meanwhile (a page that is closed): the door is seen to all the same.
        """
        self._opening.add(visit.id)
        return await asyncio.shield(asyncio.create_task(self._serve(visit)))

    async def _serve(self, visit: Visit) -> Visit:
        try:
            verdict, visit, others = await self._open(visit)
            if verdict == "opened":
                self._sprang_s[visit.id] = self.clock.mono()
            visit = self._said_open(visit) if verdict == "opened" else self._not_opened(visit, verdict, others)
        except CannotWrite as full:  # the visit stands as begun; the next turn looks at its door, as after a power cut
            log.error("disk_full", station=self.desk.memory.station, reason=str(full))
            return visit
        finally:
            self._opening.discard(visit.id)
        self._on_change(visit)
        return visit

    def _said_open(self, visit: Visit, recovered: bool = False) -> Visit:
        """An opening that the file's own laws refuse to hold is a case, for the door did open, and ends no process."""
        try:
            return self.desk.opened(visit, recovered)
        except apsw.ConstraintError as no:
            log.error("opening_refused_by_book", station=self.desk.memory.station, reason=str(no))
            return self.desk.failed(visit, "unclear")

    def _not_opened(self, visit: Visit, verdict: Opening, others: Collection[int]) -> Visit:
        """An order that reached the boards too late has moved nothing, nor was a coil that rests asked: no fault of the
        door."""
        if verdict == "another":
            ended = self.desk.another_opened(visit, others)
            self._unasked.update(dict.fromkeys(others, UNASKED_SWEEPS))  # told
            return ended
        if verdict == "dead" and no_port.ends_nothing(visit):
            return no_port.end(self.desk, visit)
        too_late = verdict == "late" and visit.until_mono_s is not None and visit.pulses == 1
        return self.desk.void(visit) if too_late or verdict == "rests" else self.desk.failed(visit, verdict)

    async def _open(self, visit: Visit) -> tuple[Opening, Visit, set[int]]:
        """And the doors that have opened instead."""
        shut = {door for door, seen in self.seen.items() if seen.state == DoorState.CLOSED}
        others: set[int] = set()

        async def another_opened() -> bool:
            others.update(await self._opened_of(shut))
            return bool(others)

        try:
            return *await open_door(visit, self.doors, self.desk, self.clock, another_opened), others
        except Trouble:  # no such door on the boards: the map does not fit the layout
            return "dead", visit, others

    async def _opened_of(self, doors: Collection[int]) -> set[int]:
        """Those of these doors that stand open now, and that nobody has asked for."""
        with contextlib.suppress(Trouble):
            self.seen = await self.doors.sweep()
        asked = {visit.compartment for visit in self.desk.unfinished()}
        found = {door for door, seen in self.seen.items() if seen.state == DoorState.OPEN}
        return found & set(doors) - asked

    async def watch(self) -> None:
        """One turn: ends visits whose doors are shut, notices doors that are open unasked or for too long."""
        asked = await self._look_round()
        await self.watch_closely()
        await self._see_to_the_rest(asked)

    async def _look_round(self) -> set[int]:
        """A look at all doors; those that somebody has asked for."""
        with contextlib.suppress(Trouble):
            self.seen = await self.doors.sweep()
        return {visit.compartment for visit in self.desk.unfinished()}

    async def _see_to_the_rest(self, asked: set[int]) -> None:
        """Doors that nobody stands before at this screen."""
        for visit in self._left_alone():
            if visit.step == "opened" and visit.screen != KIOSK:
                self._watch_open(visit)
                self._give_up(visit)
            elif visit.step == "begun":  # and nobody is opening its door any more: that failed half-way
                state = await self._state(visit.compartment)
                if visit in self._left_alone():
                    self._settle(visit, state)
        self._watch_unasked(asked | {visit.compartment for visit in self.desk.unfinished()})

    async def watch_closely(self) -> None:
        """A door that somebody stands before is asked by itself: a sweep waits for its turn on the line, people do
        not. What was seen before the door opened says nothing of it: only who was looked at now can have gone."""
        for visit in self._before_people():
            try:
                seen = await self.doors.follow(visit.compartment)
            except Trouble:  # of the boards alone: what cannot be written is the caller's to say
                continue
            self.seen = {**self.seen, visit.compartment: seen}
            if visit in self._before_people():
                self._watch_open(visit)

    def _left_alone(self) -> list[Visit]:
        """Visits as they stand now, but for those whose door is being opened."""
        return [visit for visit in self.desk.unfinished() if visit.id not in self._opening]

    def _before_people(self) -> list[Visit]:
        return [visit for visit in self._left_alone() if visit.step == "opened" and visit.screen == KIOSK]

    def _watch_open(self, visit: Visit) -> None:
        seen = self.seen.get(visit.compartment)
        if self._is_shut(visit, seen):
            self._on_change(self.desk.closed(visit, recovered=visit.id in self._unread))
            return
        if seen and seen.state == DoorState.OPEN:
            self._unread.discard(visit.id)
        if visit.screen == KIOSK and self.open_for_s(visit) > LEFT_OPEN_S:
            self._on_change(self.desk.left_open(visit))

    def _give_up(self, visit: Visit) -> None:
        """A door that its contact never calls shut must not keep its compartment for ever, nor the hub from believing
        that it has heard everything: a day after it was opened its visit ends as unclear."""
        if left_open.is_old(self.desk, visit) and any(each.id == visit.id for each in self.desk.unfinished()):
            self._on_change(left_open.give_up(self.desk, visit))

    def _is_shut(self, visit: Visit, seen: Seen | None) -> bool:
        """Whether its leaf was pushed shut. One that is seen shut in the first moment must stay so: what follows from a
        shut door is written for good, and nobody has put anything in or taken it out so soon."""
        if seen is None or seen.state != DoorState.CLOSED or self.desk.doors_changed:
            self._shut_s.pop(visit.id, None)
            return False
        shut_s = self._shut_s.setdefault(visit.id, self.clock.mono())
        sprang_s = self._sprang_s.get(visit.id, float("-inf"))
        return shut_s - sprang_s >= SWINGS_S or self.clock.mono() - shut_s >= STAYS_SHUT_S

    def open_for_s(self, visit: Visit) -> float:
        """In this run, and by our own count of seconds: whoever stands there after a start has all the time there is,
        and a clock that is put right sends nobody away."""
        now_s = self.clock.mono()
        return now_s - self._open_s.setdefault(visit.id, now_s)

    def give_time(self, visit: Visit) -> None:
        """Somebody stands before an open door who needs all the time there is, from now on."""
        self._open_s[visit.id] = self.clock.mono()
        self._opened.set()

    def _watch_unasked(self, asked: set[int]) -> None:
        """A door that says nothing for a while is what it was before: a bad line opens no door anew."""
        shut = {door for door, seen in self.seen.items() if seen.state == DoorState.CLOSED}
        self._unasked = {door: turns for door, turns in self._unasked.items() if door not in asked | shut}
        found = [door for door, seen in self.seen.items() if seen.state == DoorState.OPEN and door not in asked]
        self.desk.standing_open = {*self._unasked, *found}
        for door in found:
            turns = self._unasked.get(door, 0) + 1
            if self._opening:  # who is being served may be its cause: that is told by the opening itself
                turns = min(turns, max(self._unasked.get(door, 0), UNASKED_SWEEPS - 1))
            elif turns == UNASKED_SWEEPS:
                self._tell_unasked(door)
            self._unasked[door] = turns

    def _tell_unasked(self, door: int) -> None:
        """One case until somebody has looked; meanwhile only now and then that it was opened again, for a contact may
        flap for weeks."""
        now_s = self.clock.mono()
        told_s = self._unasked_told_s.setdefault(door, now_s)
        if door not in self._doors_with(NOT_ASKED_FOR):
            self.desk.unasked(door)
        elif now_s - told_s >= UNASKED_AGAIN_S:
            self.desk.memory.tell(facts.DoorOpened(compartment=door))
        else:
            return
        self._unasked_told_s[door] = now_s

    async def _even_if_full(self, turn: Coroutine[Any, Any, None], said: str = "") -> str:
        """Why what was seen could not be written, or "". `said` is what the turn before answered: that is not logged
        again."""
        try:
            await turn
        except UNWRITTEN as no:
            if (why := str(no)) != said:
                log.error("cannot_write", station=self.desk.memory.station, reason=why)
            return why
        return ""

    async def run(self) -> None:
        """Recovers, then watches for ever: all doors twice a second, and one that stands open before somebody without a
        pause, so that its screen knows within 200 ms.

        What cannot be written is done at a later turn: a visit stays open, and no door is pulsed meanwhile.
        """
        await self._even_if_full(self.recover())
        await self._even_if_full(self.take_stock())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_all())
            tasks.create_task(self._watch_those_before_people())

    async def _watch_all(self) -> None:
        no = ""
        while True:
            no = await self._even_if_full(self._watch_all_once(), no)
            await asyncio.sleep(0)
            await self.clock.sleep(SWEEP_EVERY_S)

    async def _watch_all_once(self) -> None:
        """Without those before people: they have a loop of their own, and the line is theirs first."""
        await self._see_to_the_rest(await self._look_round())

    async def _watch_those_before_people(self) -> None:
        no = ""
        while True:
            self._opened.clear()
            no = await self._even_if_full(self.watch_closely(), no)
            if not self._before_people():
                await self._opened.wait()
            await asyncio.sleep(0)
            await self.clock.sleep(SWEEP_EVERY_S if no else WATCH_EVERY_S)
