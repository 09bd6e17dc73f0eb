"""The hub of a pretend town: two real processes on one real PostgreSQL, each of which may be killed at a statement."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence, Set
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import keys as hub_keys
from parcelwall.hub.commands import Answer, Asked, Command
from parcelwall.hub.followers import PAGE, number_feed, turn
from parcelwall.hub.house import Hub
from parcelwall.hub.lanes import LOST
from parcelwall.hub.sitting import Streams
from parcelwall.hub.sweeps import sweep
from parcelwall.hub.tell import NAME, Channel, Teller
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from parcelwall.simulation.faults.backup import Backup
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.chance import Streams as Chances
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.meeting import meet
from parcelwall.simulation.faults.mortal import Fate, mortal_pool, nothing
from parcelwall.simulation.faults.trace import Notebook

TRIES = 6
ASKED_OF_BOTH = 0.3  # share of batches that both processes have at once
LOOKED_MEANWHILE = 0.1  # of the others: somebody in the office looks for a parcel, at the same process
HELD_AT_MOST = 8  # the statement at which one of them is held
GONE = (Trouble, asyncpg.PostgresError, *LOST)  # what those who run a hub's followers and sweeps wait out
Wish = Callable[[], Command]  # made anew for each try: the desk writes into a command
Reply = Answer | Refusal
Look = Callable[[int | None, str, Set[UUID]], None]  # (compartment, about, what is written off at this station)


class Process:
    """One hub process. Its object is made anew when it has been killed; its database is not."""

    def __init__(self, slot: int, hub: Hub, fate: Fate) -> None:
        self.slot, self.hub, self.fate = slot, hub, fate


class Upstairs:
    """Both processes. `killed` is called with the slot of one that has just died, so that its lines fall."""

    def __init__(
        self, dsn: str, folder: Path, clock: VirtualClock, chances: Chances, ledger: Ledger
    ) -> None:
        self._dsn, self._folder, self.clock, self._chances = dsn, folder, clock, chances
        self.ledger, self.book = ledger, Notebook("hub")
        self.processes: list[Process] = []
        self.eye: asyncpg.Pool  # the simulation's own, to look with
        self.killed: Callable[[int], None] = lambda slot: None
        self.channels: dict[str, Channel] = {}
        self._answers: dict[tuple[str, str], str] = {}
        self._answers_kept: dict[tuple[str, str], str] = {}  # with the backup
        self._turn, self._epoch = 0, 1
        self._is_to_die_following = False
        self.backup = Backup(dsn)
        self.luck = chances.luck("both processes", clock)

    async def open(self) -> None:
        keys = hub_keys.load(self._folder, self._chances.ids("master key", self.clock))
        self._sealing = keys
        self.eye = await asyncpg.create_pool(self._dsn, min_size=0, max_size=2, max_inactive_connection_lifetime=0,
                                             reset=nothing)  # fmt: skip
        for slot in (1, 2):
            fate = Fate()
            pool = await mortal_pool(self._dsn, fate)
            self.processes.append(Process(slot, self._made(pool, slot), fate))
        for process in self.processes:
            await process.hub.refresh()

    def _made(self, pool: asyncpg.Pool, slot: int) -> Hub:
        self._turn += 1
        ids = self._chances.ids(f"hub {slot} life {self._turn}", self.clock)
        hub = Hub(pool, self.clock, ids, self._sealing, Streams(self._epoch, slot), Policy())
        hub.dsn = self._dsn
        return hub

    async def close(self) -> None:
        for process in self.processes:
            process.fate.spared()
            await process.hub.desk.close()
            process.hub.pool.terminate()
        self.eye.terminate()
        if self.backup.taken:
            await self.backup.drop()

    async def back_up(self) -> None:
        """The database is kept as it is now, with the answers that it knows to have given."""
        await self.backup.take()
        self._answers_kept = dict(self._answers)

    async def restore(self) -> None:
        """F28: both processes end, the database is that of the backup, and the operator says so before they start."""
        for process in self.processes:
            process.fate.spared()
            process.fate.lives()
            await process.hub.desk.close()
        await self.backup.bring_back()
        self._answers = dict(self._answers_kept)
        self._epoch = await self.eye.fetchval("SELECT epoch FROM house")
        by_hand = self._made(self.processes[0].hub.pool, 1)
        await by_hand.refresh()
        self._epoch = await by_hand.restored()
        await by_hand.desk.close()
        for process in self.processes:
            process.hub = self._made(process.hub.pool, process.slot)
            await process.hub.refresh()
            self.killed(process.slot)

    @property
    def first(self) -> Hub:
        return self.processes[0].hub

    @property
    def epoch(self) -> int:
        """Which of its lives the hub is in: one more after each restore."""
        return self._epoch

    def process_of(self, slot: int) -> Process:
        return self.processes[slot - 1]

    def dies_following(self, luck: Luck) -> None:
        """F30: the process that follows dies while it does; counted when it has."""
        self._is_to_die_following = True
        at = luck.pick(("", "COMMIT", "COMMIT"))
        self.processes[0].fate.dies_in(luck.whole(1, 5), after=luck.happens(0.5), only_at=at)

    async def bury(self, verb: str) -> None:
        """A process whose connection was cut off has died: another takes its place, knowing nothing but the tables."""
        for process in self.processes:
            while process.fate.died:
                for state in process.fate.died:
                    self.ledger.struck("F25", (state, verb, f"{state}, {verb}"))
                    self.book.note(self.clock.now(), f"F25: hub process {process.slot} killed, {state}, {verb}")
                if verb == "follow" and process.slot == 1 and self._is_to_die_following:
                    self.ledger.struck("F30", (state,))
                    self._is_to_die_following = False
                process.fate.died.clear()
                await process.hub.desk.close()
                process.fate.lives()
                process.hub = self._made(process.hub.pool, process.slot)
                with contextlib.suppress(*GONE):  # killed once more while it starts
                    await process.hub.refresh()
                self.killed(process.slot)
            if process.fate.really_deadlocked:
                process.fate.really_deadlocked = 0
                self.book.violated(self.clock.now(), f"a deadlock at {verb}: locks are taken in two orders")
            for text in process.fate.unlocked:
                self.book.violated(self.clock.now(), f"{text} (at {verb})")
            process.fate.unlocked.clear()
            process.fate.no_deadlock()
            if process.fate.deadlocked:
                self.ledger.struck("F27", (verb,))
                process.fate.deadlocked = 0

    async def adopt(self, policy: Policy) -> None:
        """The policy of this town, told to every station."""
        hub = self.first
        async with hub.pool.acquire() as connection, connection.transaction():
            at = hub.desk.sitting(connection)
            await at.load((), hub.stations.known)
            for stream in (at.streams.slot, *map(at.streams.station, at.here)):
                at.record(facts.PolicyAdopted(policy=policy), stream)
            await at.write()
        for process in self.processes:
            await process.hub.refresh()

    # asking

    async def ask(self, wishes: Sequence[tuple[str, Wish]]) -> list[Reply]:
        """Each wish's answer, asked together; who hears nothing asks again with the same key, at either process.

        A key that has had an answer must have the same one for ever.
        """
        answers: list[Any] = [None] * len(wishes)
        for attempt in range(TRIES):
            left = [place for place, answer in enumerate(answers) if answer is None]
            if not left:
                break
            self._turn += 1
            process, other = self.processes[(self._turn + attempt) % 2], self.processes[(self._turn + attempt + 1) % 2]
            both = attempt == 0 and self.luck.happens(ASKED_OF_BOTH)
            there = {place for place in left if both and self.luck.happens(0.5)}
            here = [place for place in left if place not in there]
            held_at = self.luck.whole(1, HELD_AT_MOST) if there and here else 0
            asked = self._asked(here, process, wishes, answers)
            if attempt == 0 and not there and self.luck.happens(LOOKED_MEANWHILE):
                await self._office_looks(process, asked)
            else:
                await meet(self.eye, process.fate, asked, self._asked(sorted(there), other, wishes, answers), held_at)
            await self.bury("ask")
        for (key, _), answer in zip(wishes, answers, strict=True):
            self._compare(key, answer)
        return [answer or Refusal("not_found") for answer in answers]  # killed at each try

    async def _asked(
        self, places: Sequence[int], process: Process, wishes: Sequence[tuple[str, Wish]], answers: list[Any]
    ) -> None:
        """Some of the wishes, asked of one process together. Only one that was killed may leave some unanswered."""
        commands = [_keyed(*wishes[place]) for place in places]
        got = await asyncio.gather(*map(process.hub.desk.ask, commands), return_exceptions=True)
        for place, answer in zip(places, got, strict=True):
            if isinstance(answer, Answer | Refusal):
                answers[place] = answer
            elif not (isinstance(answer, GONE) and process.fate.dead):
                self.book.violated(self.clock.now(), f"the desk failed: {type(answer).__name__}: {answer}")
                answers[place] = Refusal("not_found")

    async def _office_looks(self, process: Process, asked: Coroutine[Any, Any, None]) -> None:
        """Somebody in the office looks for a parcel while shops ask: both write into the stream of one process, which
        no station's row stands for. Either is held, the other comes meanwhile."""
        looks = self._noted(process)
        first, second = (asked, looks) if self.luck.happens(0.5) else (looks, asked)
        await meet(self.eye, process.fate, first, second, self.luck.whole(1, HELD_AT_MOST))

    async def _noted(self, process: Process) -> None:
        looked = facts.Looked(at="search", actor=process.hub.ids.new())
        await self._waited_out(process, self._as_count(process.hub.note(looked)))

    @staticmethod
    async def _as_count(work: Awaitable[None]) -> int:
        await work
        return 0

    def _compare(self, key: str, answer: Reply | None) -> None:
        if not key or answer is None:
            return
        said = answer.text.decode() if isinstance(answer, Answer) else answer.reason
        before = self._answers.setdefault(("carrier", key), said)
        if before != said:
            self.book.violated(self.clock.now(), f"INV-08: key {key} was answered {before[:600]}, now {said[:600]}")

    # what is due, and what follows

    async def sweep(self, twice: bool) -> None:
        """What is due is done, by one process or by both at once: one has found the same before it waits."""
        if not twice:
            process = self.processes[self._turn % 2]
            await self._guarded("sweep", process, sweep(process.hub))
            return
        self.ledger.struck("F29", ("sweep",))
        await self._both("sweep", lambda process: sweep(process.hub))

    async def follow(self, twice: bool, notices: bool) -> None:
        """Followers read to the end: the feed is numbered, notices are noted. By both processes at once first."""
        if twice:
            self.ledger.struck("F29", ("follow",))
            await self._both("follow", lambda process: turn(process.hub.pool, "feed", number_feed))
            if notices:
                await self._both("follow", lambda each: turn(each.hub.pool, NAME, self.teller(each.hub).note))
        for process in self.processes[: 1 + twice]:
            while await self._guarded("follow", process, turn(process.hub.pool, "feed", number_feed)) >= PAGE:
                pass
            while notices and await self._guarded(
                "follow", process, turn(process.hub.pool, NAME, self.teller(process.hub).note)
            ) >= PAGE:
                pass

    async def _both(self, verb: str, work: Callable[[Process], Awaitable[int]]) -> None:
        """One is held at a statement while the other goes on, until that has to wait for it or has done."""
        first, second = self.processes if self.luck.happens(0.5) else reversed(self.processes)
        held_at = self.luck.whole(1, HELD_AT_MOST)
        await meet(self.eye, first.fate, self._waited_out(first, work(first)), self._waited_out(second, work(second)),
                   held_at)  # fmt: skip
        await self.bury(verb)

    async def hand_over(self) -> None:
        """Notices that are due are handed over, by both processes in turn."""
        for process in self.processes:
            while await self._guarded("follow", process, self.teller(process.hub).hand_over_one()):
                pass

    def teller(self, hub: Hub) -> Teller:
        return Teller(hub, self.channels, "http://127.0.0.1:8600", "parcelwall.invalid")

    async def _guarded(self, verb: str, process: Process, work: Awaitable[int]) -> int:
        try:
            return await self._waited_out(process, work)
        finally:
            await self.bury(verb)

    async def _waited_out(self, process: Process, work: Awaitable[int]) -> int:
        """What it answers; if the process was killed over it, that there is more to do for whoever takes its place."""
        try:
            return await work
        except GONE as failed:
            if not process.fate.dead:
                self.book.violated(self.clock.now(), f"the hub failed: {type(failed).__name__}: {failed}")
            return PAGE if process.fate.dead else 0

    async def with_old_cases(self, until: timedelta) -> set[str]:
        """The stations that have cases which are so old, and which looking can close."""
        return {row["station"] for row in await self.eye.fetch(_OLD_CASES, self.clock.now() - until)}

    async def close_cases(self, station: str, until: timedelta, look: Look) -> None:
        """Somebody looks at the station's cases that are so old, and closes them. If the process dies over it they do
        not know whether they are closed."""
        try:
            await self._close_cases(self.first, station, self.clock.now() - until, look)
        except GONE as failed:
            if not self.processes[0].fate.dead:
                self.book.violated(self.clock.now(), f"the hub failed: {type(failed).__name__}: {failed}")
        finally:
            await self.bury("ask")

    async def _close_cases(self, hub: Hub, station: str, seen: datetime, look: Look) -> None:
        async with hub.pool.acquire() as connection, connection.transaction():
            at = hub.desk.sitting(connection)
            await at.load((), [station])
            await at.load_cases([station], ())
            contested = {row["id"] for row in await connection.fetch("SELECT id FROM parcel WHERE contested")}
            lost = {row["id"] for row in await connection.fetch(_LOST, station)}
            open_cases = [case for case in at.book.cases.values() if case.parcel not in contested]
            looked = [case for case in open_cases if case.opened_at <= seen]
            for case in sorted(looked, key=lambda each: each.id):
                look(case.compartment, case.about, lost)
                at.record(facts.CaseClosed(case=case.id, station=station, outcome="looked at"))
            await at.write()


def _keyed(key: str, wish: Wish) -> Command:
    command = wish()
    if key:
        fields = {name: str(getattr(command, name)) for name in command.__struct_fields__ if name not in _OURS}
        command.asked = Asked("carrier", key, msgspec.json.encode(fields))
    return command


_OURS = ("asked", "tried")
_LOST = "SELECT id FROM parcel WHERE station = $1 AND stage = 'WRITTEN_OFF'"
_OLD_CASES = """
SELECT DISTINCT case_file.station FROM case_file LEFT JOIN parcel ON parcel.id = case_file.parcel
WHERE closed_at IS NULL AND opened_at <= $1 AND contested IS NOT TRUE"""
