"""What `plan mix --data` tells: at which stations one more column would have saved refusals, and how many a week."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime

import asyncpg
import msgspec

from parcelwall.errors import Trouble
from parcelwall.planning import history as past
from parcelwall.planning import one_column
from parcelwall.planning import wanted as demand
from parcelwall.planning.history import History
from parcelwall.planning.one_column import Column, Saved
from parcelwall.planning.report import INK, LIGHT, Chart, Report, a_chart
from parcelwall.planning.wanted import WEEKS, Wanted

MOST_SHOWN = 12  # in the chart, and by name
NO_BREAK = "\u00a0"
NONE = {
    "nothing_refused": "None: nobody is refused with the compartments that are there.",
    "not_sure": "None: what it would have saved is not surely more than nothing.",
    "no_column": "None of the columns has sizes that stand there.",
    "no_compartment": "It has no compartment.",
    "sizes_are_no_ladder": "Not looked at: a larger size does not take all that a smaller one takes.",
    "no_history": "Not looked at: fewer than four weeks, or fewer than 50 stays, are known.",
    "sizes_changed": "Not looked at: more than one parcel in ten had a size that is not there any more.",
    "silent": "Not looked at: nothing came for two weeks.",
    "failed": "Not looked at: that failed, by a fault of Parcelwall; the log says how.",
}


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The plan file: every station, those first where a column saves most."""

    kind: str = "column"
    made_at: datetime
    columns: list[Column]
    stations: list[Saved]


async def read(connection: asyncpg.Connection, now: datetime) -> tuple[History, Wanted]:
    """What is planned from. Raises Trouble for a hub without a station."""
    history = await past.read(connection, now)
    if not history.layouts:
        raise Trouble("the hub has no station yet")
    return history, await demand.read(connection, history, now)


def made(
    history: History, wanted: Wanted, now: datetime, columns: Sequence[Column], seed: int,
    tick: Callable[[str], None], pool: Executor | None = None,
) -> tuple[Report, Columns]:  # fmt: skip
    """`columns`: those to try; none: those that stand in the network. Raises Trouble for a size that stands nowhere."""
    known = {size.name for layout in history.layouts.values() for size in layout.sizes}
    if unknown := sorted({size for column in columns for size in column} - known):
        raise Trouble(f"no station has a size {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    tried = list(columns) or one_column.standing(history.layouts)
    found = Columns(made_at=now, columns=tried,
                    stations=one_column.plan_all(history, wanted, now, tried, seed, tick, pool))  # fmt: skip
    return report(found), found


def report(found: Columns) -> Report:
    """A page for whoever decides what is built."""
    page = Report("What one more column would have saved")
    better = [each for each in found.stations if not each.reason]
    page.say(_first(better, len(found.stations)))
    page.say(f"Columns that were tried: {'; '.join(map(words, found.columns)) or 'none'}.")
    page.table(f"Parcels a week, of the last {WEEKS} weeks but the first", [
        "station", "add", "refusals fewer", "8 in 10 between", "asked", "refused in the journal", "refused replayed",
    ], [_row(each) for each in better])  # fmt: skip
    if better:
        page.chart(_chart(better[:MOST_SHOWN]), "Refusals a week fewer with one more column; lines hold 8 in 10")
    for reason, text in NONE.items():
        if here := [each.station for each in found.stations if each.reason == reason]:
            more = " ..." if here[MOST_SHOWN:] else ""
            page.say(f"{text} ({len(here)}: {', '.join(here[:MOST_SHOWN])}{more})")
    page.say("Requests of these weeks were replayed, those that were refused among them, always accepting, best fit. "
             "Offers that were not made are not counted. Where the replay refuses other numbers than the journal has, "
             "rows of admission, doors out of order or parcels from before these weeks had a part.")  # fmt: skip
    page.then("Nothing is built by this. Order the column that you chose, and describe it in the station's layout "
              "(parcelwall configure). A whole mix: parcelwall plan mix FILE; another site: parcelwall plan site.")
    return page


def _first(better: Sequence[Saved], stations: int) -> str:
    if not better:
        return f"One more column would have saved no refusals at any of {stations} stations, as far as is known."
    best = better[0]
    return (f"Add {words(best.column)} at {best.station}: {best.fewer:.1f} refusals a week fewer (8 in 10 between "
            f"{best.low:.1f} and {best.high:.1f}). {len(better)} of {stations} stations would have refused fewer with "
            "one column more.")  # fmt: skip


def words(column: Column) -> str:
    return " + ".join(f"{count} {size}" for size, count in column.items())


def _row(each: Saved) -> list[object]:
    numbers = (each.asked, each.refused, each.refused_replayed)
    return [each.station, words(each.column).replace(" ", NO_BREAK), f"{each.fewer:.1f}",
            f"{each.low:.1f} to {each.high:.1f}", *(f"{number:.1f}" for number in numbers)]  # fmt: skip


def _chart(better: Sequence[Saved]) -> Chart:
    chart = a_chart(7, 1 + 0.35 * len(better))
    axes = chart.add_subplot()
    names = [f"{each.station}: {words(each.column)}" for each in better]
    axes.barh(names, [each.fewer for each in better], color=LIGHT)
    axes.hlines(names, [each.low for each in better], [each.high for each in better], color=INK, linewidth=2)
    axes.invert_yaxis()
    axes.set(xlabel="refusals a week fewer", xlim=(0, None))
    return chart
