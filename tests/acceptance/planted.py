"""Bugs to plant: each a small wrong replacement of one function (trust.md 2.6). Run in a process of its own:

    PYTHONPATH=src:tests python -m acceptance.planted NAME FILE.csv DATA_DIR

replays the file in a town where much goes wrong, with the bug (or none, for `control`) in the code. Bugs that the fault
simulation has too are written there.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from parcelwall.hub import commands, followers
from parcelwall.journal import postgres
from parcelwall.journal.chain import Head
from parcelwall.rules import places
from parcelwall.simulation import traffic
from parcelwall.simulation.replay import replay
from parcelwall.simulation.stories import Realism
from parcelwall.station import visit as visits
from simulation import plants_hub as hub
from simulation import plants_station as station
from simulation.planting import Plant

BUSY = Realism(
    cut_every_days=1.0, cut_hours=(4.0, 24.0), long_cut_rate=0.3, long_cut_hours=(24.0, 72.0), wrong_code_rate=0.1,
    jam_rate=0.06, forgets_to_shut_rate=0.08, extend_rate=0.5, move_rate=0.4, take_back_after_h=24.0,
)  # fmt: skip
TOWN: dict[str, Any] = {"stations": 3, "compartments": 14, "seed": 5, "realism": BUSY}

PLANTS: dict[str, Plant] = {"control": lambda: None}


def plant(function: Plant) -> Plant:
    PLANTS[function.__name__] = function
    return function


for shared in (
    station.p05_code_not_spent, hub.p14_hub_overwrites_happened_at, hub.p20_learn_reads_the_clock,
    hub.p22_second_place_silently_replaces_the_first, hub.p23_lapsed_without_hearing,
    station.p26_compartment_freed_when_the_door_opens, station.p27_deposit_into_a_compartment_with_an_open_case,
    station.p29_deposited_names_another_reservation, hub.p31_two_sweeps_record_expired_twice,
):  # fmt: skip
    plant(shared)


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
def p16_feed_cursor_moves_without_the_feed() -> None:
    right = followers.number_feed

    async def number_feed(connection: Any, entries: Any) -> None:
        await right(connection, entries[:-1])

    traffic.number_feed = number_feed  # type: ignore[attr-defined]


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
def p25_capacity_counts_held_compartments() -> None:
    right = places._hall

    def hall(plan: Any, room: Any, promised: Any, unions: Any, overbook: int) -> bool:
        return right(plan, msgspec.structs.replace(room, held=0, broken=0), promised, unions, overbook)

    places._hall = hall


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
