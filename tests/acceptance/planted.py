"""Bugs to plant: each a small wrong replacement of one function (trust.md 2.6). Run in a process of its own:

    python tests/acceptance/planted.py NAME FILE.csv DATA_DIR

replays the file in a town where much goes wrong, with the bug (or none, for `control`) in the code.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from parcelwall import clock
from parcelwall.hub import commands, followers, sitting, sweeps
from parcelwall.hub.ingest import Ingest
from parcelwall.journal import postgres
from parcelwall.journal.chain import Head
from parcelwall.rules import facts, life, places
from parcelwall.simulation import traffic
from parcelwall.simulation.replay import replay
from parcelwall.simulation.stories import Realism
from parcelwall.station import outcomes
from parcelwall.station import visit as visits
from parcelwall.station.desk import StationDesk

BUSY = Realism(
    cut_every_days=1.0, cut_hours=(4.0, 24.0), long_cut_rate=0.3, long_cut_hours=(24.0, 72.0), wrong_code_rate=0.1,
    jam_rate=0.06, forgets_to_shut_rate=0.08, extend_rate=0.5, move_rate=0.4, take_back_after_h=24.0,
)  # fmt: skip
TOWN: dict[str, Any] = {"stations": 3, "compartments": 14, "seed": 5, "realism": BUSY}

Plant = Callable[[], None]
PLANTS: dict[str, Plant] = {"control": lambda: None}


def plant(function: Plant) -> Plant:
    PLANTS[function.__name__] = function
    return function


@plant
def p05_code_not_spent() -> None:
    right = visits._WRITE
    visits._WRITE = right.replace("opened = excluded.opened, ", "")
    assert right != visits._WRITE


@plant
def p06_spent_mark_is_lost_when_the_visit_ends() -> None:
    right = visits.write

    def write(connection: Any, visit: visits.Visit) -> None:
        right(connection, msgspec.structs.replace(visit, opened_at=None) if visit.step == "ended" else visit)

    visits.write = write  # type: ignore[assignment]


@plant
def p13_gap_after_rollback() -> None:
    right, calls = postgres.lock_heads, iter(range(1, 10**9))

    async def lock_heads(connection: Any, writers: Any) -> dict[str, Head]:
        heads = await right(connection, writers)
        skip = next(calls) % 10 == 0
        return {name: Head(h.number + 1, h.hash) if skip and "/slot-" in name else h for name, h in heads.items()}

    postgres.lock_heads = lock_heads  # type: ignore[assignment]


@plant
def p14_hub_overwrites_happened_at() -> None:
    right = sitting.Sitting.receive

    def receive(self: Any, entry: Any, fact: Any, station: str) -> Any:
        return right(self, msgspec.structs.replace(entry, happened_at=clock.text(self.now)), fact, station)

    sitting.Sitting.receive = receive  # type: ignore[method-assign]


@plant
def p16_feed_cursor_moves_without_the_feed() -> None:
    right = followers.number_feed

    async def number_feed(connection: Any, entries: Any) -> None:
        await right(connection, entries[:-1])

    traffic.number_feed = number_feed  # type: ignore[attr-defined]


@plant
def p20_learn_reads_the_clock() -> None:
    right = life._announced

    def announced(parcel: Any, fact: Any, at: datetime) -> Any:
        return right(parcel, fact, datetime.now(UTC))

    life._announced = announced  # type: ignore[assignment]


@plant
def p21_row_changed_without_an_entry() -> None:
    def decide(self: Any, at: Any) -> Any:
        parcel = commands.own(at, self.parcel, self.carrier)
        later = parcel.collect_by + timedelta(hours=24)
        at.book.parcels[parcel.id] = msgspec.structs.replace(parcel, collect_by=later, due=later)
        at._changed[parcel.id] = at.revisions[parcel.id]
        return commands.Answer(200, commands.view(at, parcel.id))

    commands.Extend.decide = decide  # type: ignore[method-assign]


@plant
def p22_second_place_silently_replaces_the_first() -> None:
    Ingest._follow_up = lambda self, at, fact, learned: None  # type: ignore[method-assign]


@plant
def p23_lapsed_without_hearing() -> None:
    right = sweeps.decide.lapse

    def lapse(parcel: Any, heard_until: Any, now: datetime, policy: Any) -> Any:
        return right(parcel, now, now, policy)

    sweeps.decide.lapse = lapse  # type: ignore[assignment]
    sweeps._LAPSING = """SELECT id, $1::timestamptz AS heard_until FROM parcel
        WHERE stage = 'RESERVED' AND due < $1 AND ($2::timestamptz IS NOT NULL) ORDER BY due LIMIT $3"""


@plant
def p25_capacity_counts_held_compartments() -> None:
    right = places._hall

    def hall(plan: Any, room: Any, promised: Any, unions: Any, overbook: int) -> bool:
        return right(plan, msgspec.structs.replace(room, held=0, broken=0), promised, unions, overbook)

    places._hall = hall


@plant
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
        self.memory.tell(facts.DoorClosed(compartment=visit.compartment, visit=visit.id), visit_after=done)
        return done

    StationDesk.opened, StationDesk.closed = opened, closed  # type: ignore[method-assign]


@plant
def p27_deposit_into_a_compartment_with_an_open_case() -> None:
    right = places.choose_compartment
    places.choose_compartment = lambda plan, room, *more: right(plan, msgspec.structs.replace(room, held=0), *more)


@plant
def p29_deposited_names_another_reservation() -> None:
    right = outcomes.fact_of

    def fact_of(visit: Any, station: str, now: datetime) -> Any:
        fact = right(visit, station, now)
        wrong = isinstance(fact, facts.Deposited)
        return msgspec.structs.replace(fact, reservation=visit.id) if wrong else fact

    outcomes.fact_of = fact_of


@plant
def p31_two_sweeps_record_expired_twice() -> None:
    def decide(self: Any, at: Any) -> Any:
        at.record(facts.Expired(parcel=self.parcel))
        return commands.Answer(200, commands.view(at, self.parcel))

    sweeps.Expire.decide = decide  # type: ignore[method-assign]


@plant
def p34_telephone_number_in_a_body() -> None:
    right = commands.Report.decide

    def decide(self: Any, at: Any) -> Any:
        self.reason = "call +55 11 90000-0000"
        return right(self, at)

    commands.Report.decide = decide  # type: ignore[method-assign]


def main() -> int:
    """Plants, replays, prints the report. Answers 1 if the replay itself saw a violation."""
    name, file, data = sys.argv[1:4]
    PLANTS[name]()
    report = asyncio.run(replay(Path(file), data=Path(data), **TOWN))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
