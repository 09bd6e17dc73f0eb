"""`plan room`: the table of chances of room for every station, from the hub's journal as it stands now.

The formula of docs/planning/offers.md, mended by what was learnt of the station's own past. What is unknown is taken
the careful way: without past stays everybody stays, without past leads what is promised comes with the next visit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import product
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from parcelwall.planning.demand import Array
from parcelwall.planning.forecast_plan import unlike
from parcelwall.planning.history import History, Story, zone_of
from parcelwall.planning.learnt_room import WINDOW_H
from parcelwall.planning.looking import DAYS, NEVER_H, Point, Week, known_by
from parcelwall.planning.room_mending import CARRIER, Mend, learnt, tell
from parcelwall.planning.room_past import NOBODY, look, pasts
from parcelwall.rules.layout import Layout
from parcelwall.rules.offers import NEVER, SURE, RoomTable

START = datetime(1970, 1, 5)  # noqa: DTZ001, a Monday of the station's own clock
LONGEST_H = 336.0
ENOUGH = 50  # stays that a station needs to have laws of its own; else those of all stations
LEARNT_FOR = timedelta(days=7)  # then it is learnt anew
WORTH_A_ROW = 0.02  # of what was brought of late: a carrier of less is told what all are told on average


class Place(msgspec.Struct):
    """One station as chances look at it: its parcels, the class that each lay or lies in (-1: in none), the names of
    the carriers by number and of the classes from the smallest, and how many compartments each class has; what is
    `usable` now (`put_now`: in those), and when it was last rebuilt, in hours of its clock."""

    point: Point
    put: Array
    carriers: tuple[str, ...]
    names: tuple[str, ...]
    compartments: tuple[int, ...]
    usable: tuple[int, ...]
    put_now: Array
    zone: ZoneInfo
    since_h: float


def tables(
    every: Mapping[str, Place], now: datetime, mends: Mapping[str, Mend],
    refused: Mapping[str, Sequence[datetime]] | None = None,
) -> list[RoomTable]:  # fmt: skip
    """One for each station, by its id; `mends` by station, those that are missing tell the formula's chance. A
    compartment that cannot be used is no room, and what lies in it takes none. `refused` by station: when parcels that
    found no room were to come, on its clock."""
    of_all = cache(partial(known_by, _together([each.point for each in every.values()])))  # once for each zone's clock
    made = [_table(name, place, of_all, now, mends.get(name)) for name, place in sorted(every.items())]
    return [_drifted(table, every[table.station], now, (refused or {}).get(table.station, ())) for table in made]


def places(history: History) -> dict[str, Place]:
    """Every station that the journal tells the layout of."""
    carriers = sorted({story.carrier for story in history.stories.values()})
    of: dict[str, list[Story]] = {name: [] for name in history.layouts}
    for story in history.stories.values():
        if story.station in of and (story.reserved or story.deposited):
            of[story.station].append(story)
    return {name: _place(history, name, stories, carriers) for name, stories in of.items()}


def mend(station: str, place: Place, now: datetime) -> Mend:
    """What its past teaches: looks of the last 400 days, not before it was last rebuilt."""
    now_h = _hours(now, place.zone)
    first = float(np.min(place.point.handed_h, initial=now_h))
    since = max(now_h - WINDOW_H, place.since_h, first)
    past = pasts(place.point, place.put, place.compartments, since, now_h)
    found = learnt(station, now, place.compartments, past, now_h)
    return msgspec.structs.replace(found, carriers=place.carriers)


def still_good(mend: Mend | None, place: Place, now: datetime) -> bool:
    """Whether what was learnt may still be used: of the station as it is built now, by carriers, not older than a
    week."""
    return (mend is not None and timedelta(0) <= now - mend.learnt_at <= LEARNT_FOR
            and mend.compartments == place.compartments and bool(mend.carriers) == bool(place.carriers))  # fmt: skip


def _place(history: History, name: str, stories: list[Story], carriers: Sequence[str]) -> Place:
    layout, zone = history.layouts[name], zone_of(name, history.zones)
    names, broken = _ladder(layout), history.unusable.get(name, frozenset())
    class_of = {each.number: names.index(each.size) for each in layout.compartments}
    sized = [(story, size) for story in stories if (size := _size(story, names, class_of)) is not None]
    point = _point(sized, carriers, zone)
    inorder = np.argsort(point.came_h, kind="stable")
    numbers = np.array([story.compartment if story.deposited else 0 for story, _ in sized], dtype=int)[inorder]
    put = np.array([class_of.get(number, -1) for number in numbers.tolist()], dtype=int)
    rebuilt = history.laid_out.get(name)
    return Place(
        point=_sorted(point, inorder), put=put, carriers=tuple(carriers), names=names,
        compartments=_counts(layout, names, frozenset()),
        usable=_counts(layout, names, broken), put_now=np.where(np.isin(numbers, list(broken)), -1, put), zone=zone,
        since_h=_hours(rebuilt, zone) if rebuilt else 0.0,
    )  # fmt: skip


def _counts(layout: Layout, names: Sequence[str], broken: frozenset[int]) -> tuple[int, ...]:
    left = [each.size for each in layout.compartments if each.number not in broken]
    return tuple(left.count(name) for name in names)


def _ladder(layout: Layout) -> tuple[str, ...]:
    """Names of its sizes, the smallest first."""
    volume = {size.name: size.width_mm * size.height_mm * size.depth_mm for size in layout.sizes}
    return tuple(sorted(volume, key=lambda name: (volume[name], name)))


def _size(story: Story, names: Sequence[str], class_of: Mapping[int, int]) -> int | None:
    """The class it was promised; that of its compartment if nobody promised; None for one that is not here, or whose
    stay ended before it began, which is a clock's fault."""
    if story.deposited and story.ended and story.ended <= story.deposited:
        return None
    return names.index(story.size) if story.size in names else class_of.get(story.compartment)


def _point(sized: Sequence[tuple[Story, int]], carriers: Sequence[str], zone: ZoneInfo) -> Point:
    def hours(times: Iterable[datetime | None]) -> Array:
        return np.array([NEVER_H if at is None else _hours(at, zone) for at in times], dtype=float)

    stories = [story for story, _ in sized]
    place = {name: number for number, name in enumerate(carriers)}
    return Point(
        START, handed_h=hours(story.reserved or story.deposited for story in stories),
        came_h=hours(story.deposited for story in stories),
        left_h=hours(story.ended if story.deposited else None for story in stories),
        size=np.array([size for _, size in sized], dtype=int),
        carrier=np.array([place[story.carrier] for story in stories], dtype=int),
        gone_h=hours(None if story.deposited else story.ended or story.lapsed for story in stories),
        carriers=len(carriers), longest_h=LONGEST_H,
    )  # fmt: skip


_COLUMNS = ("handed_h", "came_h", "left_h", "size", "carrier", "gone_h")


def _sorted(point: Point, order: Array) -> Point:
    return msgspec.structs.replace(point, **{name: getattr(point, name)[order] for name in _COLUMNS})


def _together(points: Sequence[Point]) -> Point:
    """The parcels of all stations, each in its own clock."""
    columns = {name: np.concatenate([getattr(point, name) for point in points]) for name in _COLUMNS}
    whole = msgspec.structs.replace(points[0], **columns)
    return _sorted(whole, np.argsort(whole.came_h, kind="stable"))


def _hours(at: datetime, zone: ZoneInfo) -> float:
    """Hours since START on the station's clock."""
    return (at.astimezone(zone).replace(tzinfo=None) - START).total_seconds() / 3600


def _table(
    name: str, place: Place, of_all: Callable[[float], Week], now: datetime, mended: Mend | None
) -> RoomTable:  # fmt: skip
    now_h = _hours(now, place.zone)
    settled = int((place.point.came_h < now_h - LONGEST_H).sum())
    week = known_by(place.point, now_h) if settled >= ENOUGH else of_all(now_h)
    who = [c for c in range(len(place.carriers)) if week.share[c] >= WORTH_A_ROW] or [NOBODY]
    every = list(product(who, range(DAYS)))
    looks = look(place.point, place.put_now, place.usable, now_h, week, every)
    raw, rows = np.array([each.chances for each in looks]), np.array([each.rows for each in looks])
    told, way = raw, "formula"
    if mended is not None and still_good(mended, place, now):
        rows[..., CARRIER] = [[_number(mended, place, c)] for c, _ in every]
        way = mended.way
        told = tell(mended, raw.ravel(), rows.reshape(raw.size, -1)).reshape(raw.shape)
    told = np.where(_no_room(place.usable), NEVER, told).reshape(len(who), DAYS, len(place.names))
    share = np.ones(1) if who == [NOBODY] else week.share[who]
    return RoomTable(
        station=name, made_at=now, model=f"room-3/{way}", why=_why(place.point, now_h, settled),
        chance=_by_size(place, np.average(told, axis=0, weights=share)),
        by_carrier={place.carriers[c]: _by_size(place, told[at]) for at, c in enumerate(who)
                    if c != NOBODY and place.carriers[c]},
    )  # fmt: skip


def _why(point: Point, now_h: float, settled: int) -> str:
    """What is unlike the usual about this past, by the words of forecasts: told all the same, and said so."""
    if settled < ENOUGH:
        return "no_history"
    today = int(now_h // 24)
    days = (point.came_h // 24).astype(np.int64)
    return unlike(days[days < today], today - 1)


def _drifted(table: RoomTable, place: Place, now: datetime, refused: Sequence[datetime]) -> RoomTable:
    """The same, saying so where what was asked for is unlike before, though what was brought is not: a full station
    brings no more than fits, whatever comes."""
    if table.why or not refused:
        return table
    today = int(_hours(now, place.zone) // 24)
    days = np.concatenate([place.point.came_h // 24, [(at - START).days for at in refused]]).astype(np.int64)
    why = unlike(np.sort(days[days < today]), today - 1)
    return msgspec.structs.replace(table, why=why)


def _number(mended: Mend, place: Place, carrier: int) -> int:
    """The number that this carrier had when it was learnt; NOBODY for one who is new since."""
    name = "" if carrier == NOBODY else place.carriers[carrier]
    return mended.carriers.index(name) if name in mended.carriers else NOBODY


def _by_size(place: Place, told: Array) -> dict[str, tuple[float, ...]]:
    """Of (days, sizes) chances those of each size, to four digits."""
    return {size: tuple(np.clip(told[:, c], NEVER, SURE).round(4).tolist()) for c, size in enumerate(place.names)}


def _no_room(usable: Sequence[int]) -> Array:
    """Sizes that no usable compartment fits."""
    return np.cumsum(np.array(usable)[::-1])[::-1] == 0
