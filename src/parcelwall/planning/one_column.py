"""What one more column would have saved, station by station, from a hub's journal: the last weeks' requests, those that
were refused among them, replayed with the compartments that are there and with a column more.

Weeks are compared with themselves, so what is told is how many refusals a week fewer. Which column is best for a week
is chosen by the other weeks, so that none is praised for what it was chosen by. The interval is Student's t over weeks
(Gosset 1908), wider by how far draws of unknown stays differ. It is of weeks like these, not of other seasons.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import numpy as np
import structlog
from scipy.stats import t

from parcelwall.planning.demand import Array
from parcelwall.planning.history import History, Story
from parcelwall.planning.nightly import Point, as_requests, model, point_of, where_it_failed, why_not
from parcelwall.planning.trial import BestFit, replay
from parcelwall.planning.wanted import Wanted
from parcelwall.rules.layout import Layout

log = structlog.get_logger()

MOST_COLUMNS = 6  # that are tried, of those that stand in the network
DRAWS = 8  # of stays that nobody saw
WARM_UP_WEEKS = 1  # the replay begins with an empty station
LEVEL = 0.9  # of the interval's ends: 8 in 10 lie between them

Column = dict[str, int]  # how many compartments of which size


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """One station. Parcels a week, means over `weeks`: `asked`, `refused` as the journal has it, `refused_replayed`
    with the compartments that are there; `fewer` refusals with `column`, 8 in 10 between `low` and `high`; `others` are
    the columns that were tried. `reason`: why no column is told."""

    station: str
    reason: str
    column: Column = {}
    weeks: int = 0
    asked: float = 0.0
    refused: float = 0.0
    refused_replayed: float = 0.0
    fewer: float = 0.0
    low: float = 0.0
    high: float = 0.0
    others: list[tuple[Column, float]] = []


def standing(layouts: Mapping[str, Layout]) -> list[Column]:
    """The columns that stand in the network, the most frequent first: compartments above one another are one."""
    found: Counter[tuple[tuple[str, int], ...]] = Counter()
    for layout in layouts.values():
        of_x: dict[int, Counter[str]] = defaultdict(Counter)
        for each in layout.compartments:
            of_x[each.x_mm][each.size] += 1
        found.update(tuple(sorted(column.items())) for column in of_x.values())
    return [dict(column) for column, _ in found.most_common(MOST_COLUMNS)]


def plan_all(
    history: History, wanted: Wanted, now: datetime, columns: Sequence[Column], seed: int, tick: Callable[[str], None],
    pool: Executor | None = None,
) -> list[Saved]:  # fmt: skip
    """All stations, those first where a column saves most. `pool` looks at several at a time."""
    stories: dict[str, list[Story]] = defaultdict(list)
    for story in history.stories.values():
        stories[story.station].append(story)
    points = [point_of(history, wanted, each, now, stories[each]) for each in sorted(history.layouts)]
    of_one = partial(_of_any_station, columns=columns, seed=seed)
    found = []
    for done, saved in enumerate((pool.map if pool else map)(of_one, points), start=1):
        tick(f"{done} of {len(points)} stations: {saved.station}")
        found.append(saved)
    return sorted(found, key=lambda each: (bool(each.reason), -each.fewer, each.station))


def _of_any_station(point: Point, columns: Sequence[Column], seed: int) -> Saved:
    """The same; a fault of ours at one station holds up no other."""
    try:
        return of_station(point, columns, seed)
    except Exception as failed:
        log.error("column_not_planned", station=point.station, fault=where_it_failed(failed))
        return Saved(station=point.station, reason="failed")


def of_station(point: Point, columns: Sequence[Column], seed: int) -> Saved:
    """What the best of these columns would have saved at this station."""
    today = point.now.date()
    if reason := why_not(point):
        return Saved(station=point.station, reason=reason)
    asked = [each for each in point.asked if each.size in point.sizes and each.at.date() >= point.since]
    weeks = _whole_weeks(asked[0].at.date(), today) - WARM_UP_WEEKS
    week = np.array([(today - each.at.date()).days - 1 for each in asked]) // 7  # 0 is the last one
    served = np.array([each.served for each in asked])
    mine = [column for column in columns if column.keys() <= set(point.sizes)]
    expected = model(point, today)
    draws = [as_requests(point, asked, expected, seed + draw) for draw in range(DRAWS)]
    built = [_compartments(point, column) for column in ({}, *mine)]
    before = np.array([_refused(~replay(BestFit(), each, built[0]).served, week, weeks) for each in draws])
    known = Saved(station=point.station, reason="no_column" if not mine else "nothing_refused", weeks=weeks,
                  asked=_mean(week < weeks, weeks), refused=_mean(~served & (week < weeks), weeks),
                  refused_replayed=round(float(before.mean()), 2))  # fmt: skip
    if not mine or not before.any():
        return known
    saved = np.array([[before[draw] - _refused(~replay(BestFit(), each, more).served, week, weeks)
                       for draw, each in enumerate(draws)] for more in built[1:]])  # fmt: skip
    return _best(known, mine, saved)


def _best(known: Saved, columns: Sequence[Column], saved: Array) -> Saved:
    """`saved`: [column, draw, week] refusals fewer."""
    of_week = saved.mean(axis=1)
    others = of_week.sum(axis=1, keepdims=True) - of_week
    chosen = others.argmax(axis=0)  # for each week by the others
    weeks = np.arange(known.weeks)
    told, of_draw = of_week[chosen, weeks], saved[chosen, :, weeks].mean(axis=0)
    spread = float(np.sqrt(told.var(ddof=1) / known.weeks + of_draw.var(ddof=1)))
    half = float(t.ppf(LEVEL, known.weeks - 1)) * spread
    fewer, best = float(told.mean()), int(of_week.mean(axis=1).argmax())
    return msgspec.structs.replace(
        known, reason="" if fewer > half else "not_sure", column=columns[best], fewer=round(fewer, 2),
        low=round(max(0.0, fewer - half), 2), high=round(fewer + half, 2),
        others=[(column, round(float(each.mean()), 2)) for column, each in zip(columns, of_week, strict=True)],
    )  # fmt: skip


def _whole_weeks(first: date, today: date) -> int:
    return (today - first) // timedelta(days=7)


def _compartments(point: Point, more: Column) -> list[int]:
    """By size, from the smallest: all that stand there, in order or not, and those of a column more."""
    there = Counter(each.size for each in point.plan.layout.compartments)
    return [there[size] + more.get(size, 0) for size in point.sizes]


def _refused(refused: Array, week: Array, weeks: int) -> Array:
    """Refusals of each of the last weeks."""
    return np.bincount(week[refused & (week < weeks)], minlength=weeks)


def _mean(these: Array, weeks: int) -> float:
    return round(float(these.sum()) / weeks, 2)
