"""Bugs to plant for the fault simulation: each a small wrong replacement of one function. In a process of its own:

    python tests/simulation/plants.py NAME [SEED]

simulates a town in a storm of the faults that the bug needs, with the bug (or none, for `control`) in the code, and
prints the report. Numbers are those of the design's list of bugs; those above 40 were added here.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from parcelwall import clock
from parcelwall.drivers import BoardDoors, Pulse
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import commands, desk, followers, house, sitting, sweeps, tell
from parcelwall.hub import road as hub_road
from parcelwall.hub.ingest import Ingest
from parcelwall.notices.failures import Undeliverable
from parcelwall.rules import access, life, places
from parcelwall.simulation.faults.run import hush, simulate
from parcelwall.station import keeper, opening, outcomes
from parcelwall.station import visit as visits
from parcelwall.station.codes import Codes
from parcelwall.station.desk import StationDesk
from parcelwall.station.memory import Memory
from parcelwall.station.road import Road
from parcelwall.station.timekeeper import Timekeeper

STATIONS, DAYS = 6, 5
SEEDS = {"p23_lapsed_without_hearing": 2, "p37_clock_set_back_is_believed": 3}  # by chance not within DAYS of seed 1

Plant = Callable[[], None]
PLANTS: dict[str, tuple[str, Plant]] = {"control": ("storm", lambda: None)}


def plant(faults: str) -> Callable[[Plant], Plant]:
    """`faults`: the weather in which it can show."""

    def remember(function: Plant) -> Plant:
        PLANTS[function.__name__] = (faults, function)
        return function

    return remember


@plant("F25")
def p01_hub_acknowledges_before_its_commit() -> None:
    right = desk.Desk.receive

    async def receive(self: Any, news: Ingest) -> int:
        try:
            return await right(self, news)
        except Exception:
            return news.entries[-1].number

    desk.Desk.receive = receive  # type: ignore[method-assign]


@plant("F08")
def p02_station_store_does_not_sync() -> None:
    right = Memory._remember

    def remember(self: Any) -> None:
        self.connection.pragma("synchronous", "NORMAL")
        right(self)

    Memory._remember = remember  # type: ignore[method-assign]


@plant("F08")
def p03_pulse_before_the_visit_is_written() -> None:
    right = StationDesk._write

    def write(self: Any, visit: visits.Visit) -> None:
        if visit.step != "begun" or visit.pulses:
            right(self, visit)

    StationDesk._write = write  # type: ignore[method-assign]


@plant("F20,F24")
def p05_code_not_spent() -> None:
    right = visits._WRITE
    visits._WRITE = right.replace("opened = excluded.opened, ", "")
    assert right != visits._WRITE


@plant("F24")
def p09_couriers_code_opens_for_collecting() -> None:
    right = Codes.of_parcels

    def of_parcels(self: Any, digits: str, selector: Any, drawn: Any) -> Any:
        if self.of_staff(digits) and self._desk.inside():
            return [(self._desk.inside()[0], 0, "unknown")]
        return right(self, digits, selector, drawn)

    Codes.of_parcels = of_parcels  # type: ignore[method-assign]


@plant("F14")
def p11_missing_reply_answered_by_a_second_pulse() -> None:
    async def open_door(visit: Any, doors: Any, desk: Any, clock: Any) -> Any:
        visit = desk.pulsing(visit)
        pulse = await doors.open(visit.compartment, not_after=clock.mono() + 5)
        if pulse == Pulse.SILENT:
            visit = desk.pulsing(visit)
            await doors.open(visit.compartment, not_after=clock.mono() + 5)
        await clock.sleep(0.5)
        seen = await doors.state(visit.compartment)
        return ("opened" if seen.state == "open" else "unclear"), visit

    keeper.open_door = open_door  # type: ignore[assignment]


@plant("F15")
def p12_board_reply_taken_for_a_door_reading() -> None:
    right = opening._watch

    async def watch(visit: Any, doors: Any, clock: Any) -> Any:
        await right(visit, doors, clock)
        return "open", False

    opening._watch = watch  # type: ignore[assignment]


@plant("F22")
def p14_hub_overwrites_happened_at() -> None:
    right = sitting.Sitting.receive

    def receive(self: Any, entry: Any, fact: Any, station: str) -> Any:
        return right(self, msgspec.structs.replace(entry, happened_at=clock.text(self.now)), fact, station)

    sitting.Sitting.receive = receive  # type: ignore[method-assign]


@plant("F28")
def p15_a_restored_hub_goes_on_under_the_old_name() -> None:
    async def restored(self: Any) -> int:
        return self.streams.epoch

    house.Hub.restored = restored  # type: ignore[method-assign]


@plant("F30")
def p18_follower_passes_what_it_did_not_tell() -> None:
    right = tell.Teller.note
    tell.Teller.note = lambda self, at, entries: right(self, at, entries[: len(entries) // 2])  # type: ignore[method-assign]


@plant("F01")
def p20_learn_reads_the_clock() -> None:
    right = life._announced
    life._announced = lambda parcel, fact, at: right(parcel, fact, datetime.now(UTC))  # type: ignore[assignment]


@plant("F01")
def p21_row_changed_without_an_entry() -> None:
    def decide(self: Any, at: Any) -> Any:
        parcel = commands.own(at, self.parcel, self.carrier)
        at.book.parcels[parcel.id] = msgspec.structs.replace(parcel, mark="departed")
        at._changed[parcel.id] = at.revisions[parcel.id]
        return commands.Answer(200, commands.view(at, parcel.id))

    commands.Report.decide = decide  # type: ignore[method-assign]


@plant("F01")
def p22_second_place_silently_replaces_the_first() -> None:
    Ingest._follow_up = lambda self, at, fact, learned: None  # type: ignore[method-assign]


@plant("F01")
def p23_lapsed_without_hearing() -> None:
    right = sweeps.decide.lapse
    sweeps.decide.lapse = lambda parcel, heard, now, policy: right(parcel, now, now, policy)  # type: ignore[assignment]
    sweeps._LAPSING = """SELECT id, $1::timestamptz AS heard_until FROM parcel
        WHERE stage = 'RESERVED' AND due < $1 AND ($2::timestamptz IS NOT NULL) ORDER BY due LIMIT $3"""


@plant("F08,F20")
def p26_compartment_freed_when_the_door_opens() -> None:
    right_opened, right_closed = StationDesk.opened, StationDesk.closed

    def opened(self: Any, visit: Any, recovered: bool = False) -> Any:
        visit = right_opened(self, visit, recovered)
        collect = visit.purpose == "collect"
        outcome = outcomes.fact_of(visit, self.memory.station, self.now()) if collect else None
        if outcome:
            self.memory.tell(outcome)
        return visit

    def closed(self: Any, visit: Any, recovered: bool = False) -> Any:
        if visit.purpose != "collect":
            return right_closed(self, visit, recovered)
        done = msgspec.structs.replace(visit, step="ended", outcome="done")
        self.memory.tell(commands.facts.DoorClosed(compartment=visit.compartment, visit=visit.id), visit_after=done)
        return done

    StationDesk.opened, StationDesk.closed = opened, closed  # type: ignore[method-assign]


@plant("F08,F14")
def p27_deposit_into_a_compartment_with_an_open_case() -> None:
    right = places.choose_compartment
    places.choose_compartment = lambda plan, room, *more: right(plan, msgspec.structs.replace(room, held=0), *more)


@plant("F01")
def p29_deposited_names_another_reservation() -> None:
    right = outcomes.fact_of

    def fact_of(visit: Any, station: str, now: datetime) -> Any:
        fact = right(visit, station, now)
        wrong = isinstance(fact, commands.facts.Deposited)
        return msgspec.structs.replace(fact, reservation=visit.id) if wrong else fact

    outcomes.fact_of = fact_of


@plant("F29")
def p31_two_sweeps_record_expired_twice() -> None:
    def decide(self: Any, at: Any) -> Any:
        at.record(commands.facts.Expired(parcel=self.parcel))
        return commands.Answer(200, commands.view(at, self.parcel))

    sweeps.Expire.decide = decide  # type: ignore[method-assign]


@plant("F01,F07,F21")
def p37_clock_set_back_is_believed() -> None:
    Timekeeper.text = lambda self: clock.text(self._believed())  # type: ignore[method-assign]


@plant("F21")
def p45_hub_time_is_not_believed() -> None:
    Timekeeper.told = lambda self, at: timedelta(0)  # type: ignore[method-assign]


@plant("F25,F31")
def p39_answers_are_not_kept_with_what_they_answer() -> None:
    async def forget(self: Any, at: Any, fresh: Any) -> None:
        return None

    desk.Desk._note_answers = forget  # type: ignore[method-assign]


@plant("F07,F08")
def p41_a_start_pulses_the_door_again() -> None:
    right = keeper.Keeper.recover

    async def recover(self: Any) -> None:
        for visit in self.desk.unfinished():
            await self.doors.open(visit.compartment, not_after=self.clock.mono() + 5)
        await right(self)

    keeper.Keeper.recover = recover  # type: ignore[method-assign]


@plant("F07,F08")
def p42_an_unclear_visit_is_forgotten() -> None:
    """Begun, and the door is shut after the start: nothing happened, it is supposed."""
    right = keeper.Keeper._settle

    def settle(self: Any, visit: Any, state: Any) -> None:
        if visit.step == "begun" and state == "closed":
            self.desk.void(visit)
        else:
            right(self, visit, state)

    keeper.Keeper._settle = settle  # type: ignore[method-assign]


@plant("F07,F08,F37")
def p43_wrong_codes_are_counted_in_memory_only() -> None:
    kept: dict[tuple[int, str], Any] = {}
    Memory.brake = lambda self, name: kept.get((id(self), name), access.Brake())  # type: ignore[method-assign]
    Memory.set_brake = lambda self, name, brake: kept.__setitem__((id(self), name), brake)  # type: ignore[method-assign]


@plant("F03,F04")
def p44_a_frame_that_comes_twice_is_stored_twice() -> None:
    right = Ingest.decide

    async def decide(self: Any, at: Any) -> int:
        head = at.heads[self.writer]
        if self.entries and self.entries[-1].number <= head.number:
            self.entries = [msgspec.structs.replace(each, number=each.number + len(self.entries), hash=b"")
                            for each in self.entries]  # fmt: skip
        return await right(self, at)

    Ingest.decide = decide  # type: ignore[method-assign]


@plant("F07,F08")
def p46_what_was_done_in_the_dark_is_void() -> None:
    """Opened, and shut after the start: nobody has come, it is supposed."""
    right = keeper.Keeper._settle

    def settle(self: Any, visit: Any, state: Any) -> None:
        if visit.step == "opened" and state == "closed":
            self.desk.void(visit)
        else:
            right(self, visit, state)

    keeper.Keeper._settle = settle  # type: ignore[method-assign]


@plant("F09")
def p48_a_full_disk_takes_parcels_in() -> None:
    def begin_deposit(self: Any, parcel: Any, courier: Any, size: Any = None) -> Any:
        self._refuse_busy()
        compartment = places.choose_compartment(self.plan, self.memory.room(), parcel)
        return self._begin("deposit", parcel, compartment, courier=courier)

    StationDesk.begin_deposit = begin_deposit  # type: ignore[method-assign]


@plant("F18")
def p49_a_contact_that_reads_open_counts_as_opened() -> None:
    right = opening.open_door

    async def open_door(visit: Any, doors: Any, desk: Any, clock: Any) -> Any:
        if (await doors.state(visit.compartment)).state == "open":
            return "opened", visit
        return await right(visit, doors, desk, clock)

    keeper.open_door = open_door  # type: ignore[assignment]


@plant("F15")
def p50_no_rest_between_two_pulses() -> None:
    opening.BETWEEN_PULSES_S = 0.1
    opening.WATCH_S = 0.5


@plant("F15")
def p51_a_stuck_door_is_pulsed_on_and_on() -> None:
    opening.MOST_PULSES = 8


@plant("F20")
def p52_a_door_opened_by_hand_is_not_seen() -> None:
    keeper.Keeper._watch_unasked = lambda self, asked: None  # type: ignore[method-assign]


@plant("F01")
def p54_what_a_phone_was_shown_counts_as_heard() -> None:
    right = Road.show

    def show(self: Any, next_part: bool = False) -> None:
        right(self, next_part)
        self._memory.acknowledged(self.shown_through)

    Road.show = show  # type: ignore[method-assign]


@plant("F01")
def p55_the_hub_answers_a_phone_and_has_not_stored() -> None:
    right = hub_road._answer

    async def store(hub: Any, bundle: Any, known: Any) -> int:
        return bundle.entries[-1].through if bundle.entries else (await hub.head(known.writer)).number

    hub_road._store = store  # type: ignore[assignment]
    hub_road._answer = lambda hub, header, writer, through: right(hub, header, writer, 0)  # type: ignore[assignment]


@plant("F08")
def p56_a_computer_that_was_off_forgets_how_long() -> None:
    right = Memory.identity
    Memory.identity = lambda self, name: None if name == "alive" else right(self, name)  # type: ignore[method-assign]


@plant("F38")
def p57_a_hook_that_its_coil_holds_is_an_open_door() -> None:
    BoardDoors._is_held = lambda self, door, since: False  # type: ignore[method-assign]


def without_lock(module: Any, name: str) -> None:
    right = getattr(module, name)
    setattr(module, name, right.replace("FOR NO KEY UPDATE", "").replace("SKIP LOCKED", ""))
    assert right != getattr(module, name)


@plant("F29")
def p65_no_lock_on_stations() -> None:
    without_lock(sitting, "_LOCK_STATIONS")
    without_lock(sitting, "_LOCK_FREE_STATIONS")


@plant("F29")
def p68_two_processes_follow_at_once() -> None:
    right = followers._MINE
    followers._MINE = right.replace("pg_try_advisory_xact_lock(hashtext('parcelwall follower ' || name))", "name <> ''")
    assert right != followers._MINE


@plant("calm")
def p70_the_desk_fails_whoever_asks_for_more_time() -> None:
    def decide(self: Any, at: Any) -> Any:
        raise Trouble("the pretend database is gone")

    commands.Extend.decide = decide  # type: ignore[method-assign]


@plant("F32")
def p72_each_notice_goes_out_twice() -> None:
    right = tell.Teller._hand_over

    async def hand_over(self: Any, row: Any) -> None:
        with contextlib.suppress(Trouble, Undeliverable):
            await self._try(row)
        await right(self, row)

    tell.Teller._hand_over = hand_over  # type: ignore[method-assign]


@plant("F32")
def p73_a_notice_is_given_up_and_no_case_tells() -> None:
    async def for_good(self: Any, row: Any, why: str) -> tuple[str, str, None]:
        return "failed", why, None

    tell.Teller._for_good = for_good  # type: ignore[method-assign]


def refused_after_all(name: str, reason: str) -> None:
    """The rules say yes, and the screen says no."""

    def no(self: Any, *asked: Any, **more: Any) -> Any:
        raise Refusal(reason, door=1, wait_s=5.0)

    setattr(StationDesk, name, no)


@plant("storm")
def p60_nobody_ever_collects() -> None:
    refused_after_all("collect_by_code", "codes_paused")
    refused_after_all("collect_by_token", "codes_paused")


@plant("calm")
def p61_a_screen_that_is_always_busy() -> None:
    refused_after_all("collect_by_code", "door_busy")
    refused_after_all("collect_by_token", "door_busy")


@plant("calm")
def p62_nothing_is_ever_taken_back() -> None:
    refused_after_all("take_back", "door_busy")


@plant("calm")
def p63_every_qr_is_a_wrong_one() -> None:
    refused_after_all("collect_by_token", "wrong_code")


@plant("F08")
def p64_a_label_that_is_expected_is_not_for_here() -> None:
    refused_after_all("by_label", "not_for_this_station")


def main() -> int:
    """Plants, simulates, prints the report. Answers 1 if a violation was found."""
    name = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS.get(name, 1)
    hush()
    faults, function = PLANTS[name]
    function()
    years = STATIONS * DAYS / 365
    report = asyncio.run(simulate(seed, years, faults, stations=STATIONS, days=DAYS))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
