"""What `plan admission --data` and `plan nightly` tell: who asked and was refused, what is proposed and why not."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from parcelwall.errors import Trouble
from parcelwall.journal import postgres
from parcelwall.planning import history as past
from parcelwall.planning import wanted as demand
from parcelwall.planning.history import History
from parcelwall.planning.nightly import Night, adopts_itself, plan_all
from parcelwall.planning.report import Report
from parcelwall.planning.wanted import Wanted
from parcelwall.rules.tables import AdmissionRow


class Nightly(msgspec.Struct, frozen=True, kw_only=True):
    """The plan file: rows that an admin may adopt, `ended` for those of earlier nights that are over.
    `by_itself`: of each station, the row by which its rows are adopted without anybody, if there is one. `groups`:
    asked and refused, by carrier, service, size and collector. `adopted`: how many had come into force by then."""

    kind: str = "admission"
    made_at: datetime
    rows: list[AdmissionRow]
    stations: list[Night]
    groups: dict[str, dict[str, tuple[int, int]]]
    by_itself: dict[str, str] = {}
    adopted: int = 0


async def from_journal(
    connection: asyncpg.Connection, now: datetime, worth: dict[str, float], seed: int, only_drift: bool,
    tick: Callable[[str], None],
) -> tuple[Report, Nightly]:  # fmt: skip
    """The plan of every station of a hub. Raises Trouble for a hub without a station."""
    tick("Reading the journal")
    adopted = await postgres.count(connection, "AdmissionAdopted")  # before the rest: what comes between shows
    history = await past.read(connection, now)
    if not history.layouts:
        raise Trouble("the hub has no station yet")
    found = made(history, await demand.read(connection, history, now), now, worth, seed, only_drift, tick)
    return report(found), msgspec.structs.replace(found, adopted=adopted)


def made(
    history: History, wanted: Wanted, now: datetime, worth: dict[str, float], seed: int, only_drift: bool,
    tick: Callable[[str], None],
) -> Nightly:  # fmt: skip
    """The same of what was read."""
    nights = plan_all(history, wanted, now, worth, seed, only_drift, tick)
    rows = [row for night in nights for row in (*night.rows, *(_ended(night.station, name) for name in night.over))]
    words = {name: row for name, row in history.rows.items() if row.rule == "nightly"}  # few of all rows
    itself = {station: adopts_itself(words, station, now) for station in {row.station for row in rows}}
    everyone = [each for of in wanted.asked.values() for each in of if not each.again]
    groups = {"the network": demand.by_group(everyone)}
    groups |= {name: demand.by_group(of) for name, of in sorted(wanted.asked.items())}
    return Nightly(made_at=now, rows=rows, stations=nights, groups=groups,
                   by_itself={station: name for station, name in itself.items() if name})  # fmt: skip


def _ended(station: str, name: str) -> AdmissionRow:
    return AdmissionRow(name=name, rule="ended", station=station)


def report(found: Nightly) -> Report:
    """A page for the operator's analyst."""
    page = Report("Whom to admit in the coming days")
    planned = sum(bool(night.rows) for night in found.stations)
    over = sum(row.rule == "ended" for row in found.rows)
    page.say(
        f"{planned} of {len(found.stations)} stations have something to gain from holding room back; the others keep "
        f"admitting everybody who has room. {len(found.rows) - over} rows are proposed, and {over} of earlier nights "
        "to be ended. Look at whom they refuse first: "
        "nothing is used until an admin adopts it, or a row `nightly` says so for a station."
    )
    even = sum(bool(night.rows) and night.served_levels == night.served_best_fit for night in found.stations)
    if even:
        page.say(f"At {even} of them the levels of the fortnight before served as many as always accepting, no more.")
    page.table(
        "Stations",
        ["station", "asked", "refused", "hidden", "never came", "drift p", "served by best fit", "by levels", "rows",
         "why none"],
        [[each.station, each.asked, each.refused, each.hidden, f"{each.never_came} of {each.settled}",
          f"{each.drift_p:.4f}", _share(each.served_best_fit), _share(each.served_levels), len(each.rows),
          "; ".join([each.reason, *each.told] if each.reason else each.told) or "-"]
         for each in found.stations],
    )  # fmt: skip
    for name, groups in found.groups.items():
        page.table(f"Asked and refused in eight weeks: {name}", ["group", "asked", "refused", "share"],
                   [[group, *counts, _share(counts[1] / counts[0])] for group, counts in groups.items()])  # fmt: skip
    page.table("Proposed rows", ["row", "from", "levels", "expected"], [_told(row) for row in found.rows])
    page.say(
        "Asked: promised there, or refused for want of room where it asked first. A parcel that was refused at one "
        "station and found room at another counts at both, in the network once. Hidden: offers that were "
        "not made, by the share of offers there that are taken. Never came: of the promises of eight weeks that are "
        "over, those whose parcel was not put in (lapsed or cancelled; what was diverted is left out). A collector is "
        "slow if the mean of two or more past stays is above the median stay of all: told here to see whom a rule "
        "refuses, never looked at by a rule."
    )
    return page


def _told(row: AdmissionRow) -> Sequence[Any]:
    if row.rule == "ended":
        return [row.name, "-", "ended: this night's plan does not hold to it", "-"]
    return [row.name, row.first_day or "-", " ".join(f"{n:g}" for n in row.levels),
            " ".join(f"{n:g}" for n in row.expected)]  # fmt: skip


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
