"""Real demand from files: a pick-up point's record, or orders of a shop. Bad rows are dropped and counted by reason."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import names, read_table
from parcelwall.planning.demand import SHARES, Array, Requests, empirical
from parcelwall.planning.dice import dice
from parcelwall.planning.records import Bad, far_from_others, moment, true_hours

LONGEST_H = 168.0
POINT_FILE, ORDER_FILE = "pick-up point", "orders"
POINT = ("DateR", "DateE", "DateD", "DateP", "Carrier")
ORDERS = ("purchased_at", "delivered_at", "length_cm", "width_cm", "height_cm", "weight_g")
ALIKE = ("Id_parcel", "parcel_id", *POINT, *ORDERS)  # rows that have all of these in common are one
SHELF_CM = ((8.0, 38.0, 64.0), (19.0, 38.0, 64.0), (41.0, 38.0, 64.0))  # the default ladder's S, M, L
LIMIT_G = 25_000
FEWEST = 20  # usable rows below which nothing can be learnt and judged
LONG_GAP, DRIFT = timedelta(days=60), 3.0
SHRUNK_BY = 20  # parcels
MONTH_DAYS = 30
JUDGED_DAYS = timedelta(days=90)
SLOT_H = 3  # strata: weekday x so many hours of the deposit


class Stay(msgspec.Struct, frozen=True):
    """One parcel that was deposited: local times, size class, whose it was. `left` None: nobody knows."""

    came: datetime
    left: datetime | None
    size: int | None  # None: the file does not tell
    group: str
    row: int = 0
    handed: datetime | None = None  # to the carrier


class Record(msgspec.Struct):
    """What files hold: stays in the order of deposit (each knows its row), and rows that were dropped, by reason."""

    stays: list[Stay]
    dropped: Counter[str]
    kind: str


def read(files: Sequence[Path]) -> Record:
    """Stays of all files together; what an earlier file told already (the same file again, a part and the whole) counts
    once. Raises Trouble for a file of neither form or of several stations, or with fewer than FEWEST usable rows."""
    dropped: Counter[str] = Counter()
    rows: list[Stay] = []
    kinds, before = set(), Counter[tuple[str, ...]]()
    for path in files:
        table = list(read_table(path))
        if not table:
            raise Trouble(f"{path} has no row below its first line")
        kinds.add(kind := _form(table[0]))
        fresh = _not_told_before(table, before, dropped)
        if kind == POINT_FILE:
            _refuse_several_stations(path, table)
            rows += _of_point(fresh, dropped)
        elif kind == ORDER_FILE:
            rows += _of_orders(fresh, dropped)
        else:
            raise Trouble(f"{path} has neither {', '.join(POINT[2:4])} nor {', '.join(ORDERS)} among its columns. "
                          f"It has {names(list(table[0]))}.")
    rows = [msgspec.structs.replace(each, row=place) for place, each in enumerate(rows)]
    stays = _near_others(sorted(rows, key=lambda each: each.came), dropped)
    if len(stays) < FEWEST:
        why = ", ".join(f"{reason} {count}" for reason, count in (+dropped).items()) or "none"
        raise Trouble(f"{len(stays)} rows of {', '.join(map(str, files))} can be used, {FEWEST} are needed to learn "
                      f"from some and judge by others. Left out: {why}. Times are read as 2018-01-31 09:30:00.")
    return Record(stays, +dropped, " and ".join(sorted(kinds)))


def files_of(given: Sequence[Path]) -> list[Path]:
    """The files themselves; of a folder those of a pick-up point, or of orders if it has none. Raises Trouble for a
    folder without either."""
    found: list[Path] = []
    for path in given:
        if not path.is_dir():
            found.append(path)
            continue
        forms = {each: _form(next(read_table(each), {})) for each in sorted(path.glob("*.csv*"))}
        inside = [[each for each, form in forms.items() if form == kind] for kind in (POINT_FILE, ORDER_FILE)]
        if not any(inside):
            raise Trouble(f"{path} holds no CSV file of a pick-up point ({', '.join(POINT[2:4])}) nor of orders.")
        found += inside[0] or inside[1]
    return found


def _form(columns: Collection[str]) -> str:
    """What a table with these columns is of; nothing if it is of neither."""
    there = set(columns)
    return POINT_FILE if there.issuperset(POINT[2:4]) else ORDER_FILE if there.issuperset(ORDERS) else ""


def _not_told_before(
    table: list[dict[str, str]], before: Counter[tuple[str, ...]], dropped: Counter[str]
) -> list[dict[str, str]]:
    """Its rows without those that an earlier file had; adds them to `before`. Rows without a name of their own may be
    alike within a file: each counts as often as the file that has it most often."""
    here: Counter[tuple[str, ...]] = Counter()
    fresh = []
    for row in table:
        key = tuple(row.get(name, "") for name in ALIKE)
        here[key] += 1
        if here[key] > before[key]:
            fresh.append(row)
    dropped["the same parcel again"] += len(table) - len(fresh)
    before |= here
    return fresh


def _refuse_several_stations(path: Path, table: list[dict[str, str]]) -> None:
    stations = sorted({row.get("Station", "") for row in table} - {""})
    if len(stations) > 1:
        raise Trouble(f"{path} tells of {len(stations)} stations ({names(stations)}): this looks at one. Give a file "
                      "of one station.")  # fmt: skip


def _near_others(stays: list[Stay], dropped: Counter[str]) -> list[Stay]:
    """Without those of a wrong year, which would be judged alone."""
    far = far_from_others([each.came for each in stays])
    if far:
        dropped["more than a year from nearly all others"] += len(far)
    return [each for place, each in enumerate(stays) if place not in far]


def _of_point(table: list[dict[str, str]], dropped: Counter[str]) -> Iterator[Stay]:
    seen: set[str] = set()
    for row in table:
        came, name = _time(row.get("DateD", "")), row.get("Id_parcel", "")
        left = _left(row, came)
        if name and name in seen:
            dropped["the same parcel again"] += 1
            continue
        seen.add(name)
        if came is None:
            dropped["no deposit time"] += 1
        elif left is None:
            dropped["no collection time"] += 1
        elif left <= came:
            dropped["collected before it was deposited"] += 1
        else:
            yield Stay(came, left, None, row.get("Carrier") or "unknown",
                       handed=_time(row.get("DateE", "")))


def _left(row: dict[str, str], came: datetime | None) -> datetime | None:
    """When it was collected, on the clock of its deposit: a clock that changed meanwhile makes no stay longer or
    shorter, where both times are written with their zone."""
    hours = true_hours(row)
    return _time(row.get("DateP", "")) if hours is None or came is None else came + timedelta(hours=hours)


def _of_orders(table: list[dict[str, str]], dropped: Counter[str]) -> Iterator[Stay]:
    for row in table:
        came = _time(row.get("delivered_at", ""))
        sides = [_number(row.get(name, "")) for name in ("length_cm", "width_cm", "height_cm", "weight_g")]
        if came is None:
            dropped["never delivered"] += 1
        elif any(side is None or side <= 0 for side in sides):
            dropped["no size or weight"] += 1
        else:
            size = _fits(sorted(side for side in sides[:3] if side), sides[3] or 0)
            if size is None:
                dropped["fits no compartment"] += 1
            else:
                yield Stay(came, None, size, row.get("category") or "unknown")


def _fits(sides_cm: list[float], weight_g: float) -> int | None:
    if weight_g > LIMIT_G:
        return None
    fitting = (c for c, shelf in enumerate(SHELF_CM)
               if all(a <= b for a, b in zip(sides_cm, sorted(shelf), strict=True)))  # fmt: skip
    return next(fitting, None)


def _time(text: str) -> datetime | None:
    """A time as `records.moment` reads it; None also where that is none of ours."""
    try:
        return moment(text)
    except Bad:
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def drawn(stays: Sequence[Stay], seed: int, hours: Array | None = None) -> list[Stay]:
    """The same stays with sizes drawn by the generator's shares, and stays from `hours`, where the file tells of none:
    in the order of its rows, so that the draw does not depend on how we sort."""
    rng = dice(seed)
    order = sorted(range(len(stays)), key=lambda place: stays[place].row)
    sizes = rng.choice(3, size=len(stays), p=SHARES)
    lengths = rng.choice(hours, size=len(stays)) if hours is not None else np.zeros(len(stays))
    found = list(stays)
    for place, size, length in zip(order, sizes.tolist(), lengths.tolist(), strict=True):
        stay = stays[place]
        found[place] = Stay(
            stay.came, stay.left or stay.came + timedelta(hours=length), size if stay.size is None else stay.size,
            stay.group, stay.row, stay.handed,
        )  # fmt: skip
    return found


def odd(stays: Sequence[Stay]) -> list[str]:
    """What of a past should make its reader doubt a plan, in words: a long gap, or a last week that is unlike those
    before it. The plan is made all the same, of all of it."""
    found = []
    gap = max((b.came - a.came for a, b in pairwise(stays)), default=timedelta(0))
    if gap > LONG_GAP:
        found.append(f"gap: nothing came for {gap.days} days; what was before is learnt from as if it were now.")
    last = stays[-1].came - timedelta(days=7)
    week = sum(stay.came > last for stay in stays)
    before_days = (last - stays[0].came).days
    usual = 7 * (len(stays) - week) / before_days if before_days >= 28 else 0.0
    if usual and not usual / DRIFT <= week <= usual * DRIFT:
        found.append(f"demand_drift: {week} came in the last week, {usual:.0f} in a usual one before; what follows is "
                     "of the past, not of what comes.")  # fmt: skip
    return found


def split(record: Record) -> tuple[list[Stay], list[Stay]]:
    """Past and judged, cut at the start of a calendar year: the last one that leaves enough on both sides, a quarter of
    all before it, a quarter of all or JUDGED_DAYS from it on. If there is none, the last two thirds are judged."""
    for year in sorted({stay.came.year for stay in record.stays}, reverse=True):
        before = [stay for stay in record.stays if stay.came.year < year]
        later = record.stays[len(before) :]
        long = later[-1].came - later[0].came >= JUDGED_DAYS
        if len(before) * 4 >= len(record.stays) and (long or len(later) * 4 >= len(record.stays)):
            return before, later
    cut = len(record.stays) // 3
    return record.stays[:cut], record.stays[cut:]


def requests(stays: Sequence[Stay], learnt_from: Sequence[Stay], slot_h: int = SLOT_H) -> Requests:
    """Stays as requests: hours from the first day's midnight, S by weekday and slot of `slot_h` hours of the deposit,
    from the outcomes of `learnt_from` only; groups are carriers."""
    start = stays[0].came.replace(hour=0, minute=0, second=0, microsecond=0)
    comes = np.array([(stay.came - start).total_seconds() / 3600 for stay in stays])
    hours = stay_hours(stays)
    names = tuple(sorted({stay.group for stay in stays}))
    group = np.array([names.index(stay.group) for stay in stays])
    slots = 24 // slot_h
    survival = empirical(stay_hours(learnt_from), _slots(learnt_from, slot_h), 7 * slots, LONGEST_H)
    size = np.array([stay.size or 0 for stay in stays])
    return Requests(comes, comes + hours, size, _slots(stays, slot_h), group, names, survival)


def predicted(stays: Sequence[Stay], learnt_from: Sequence[Stay]) -> Requests:
    """The same for a rule to look at: two strata, predicted quick and slow, by the mean stay of the weekday and slot in
    the past, shrunk to the mean of all."""
    seen, hours = _slots(learnt_from, SLOT_H), stay_hours(learnt_from)
    n = 7 * 24 // SLOT_H
    count, total = np.bincount(seen, minlength=n), np.bincount(seen, hours, minlength=n)
    slow = (total + SHRUNK_BY * hours.mean()) / (count + SHRUNK_BY) > hours.mean()
    fine = requests(stays, learnt_from)
    survival = empirical(hours, slow[seen].astype(int), 2, LONGEST_H)
    return msgspec.structs.replace(fine, stratum=slow[fine.stratum].astype(int), survival=survival)


def months(stays: Sequence[Stay], learnt_from: Sequence[Stay]) -> list[Requests]:
    """The past in periods of MONTH_DAYS, to try rules on; periods without a parcel are left out."""
    return [predicted(part, learnt_from) for part in _by_month(stays)]


def held_back(stays: Sequence[Stay]) -> tuple[list[Requests], list[Requests], tuple[float, float]]:
    """The first two thirds of the past's months to fit a rule on, the others to try it on, and the clock hours by which
    visits end. All of it is learnt from the first part alone: what is held back must not have a part in what it judges.
    """
    parts = _by_month(stays)
    cut = max(1, len(parts) * 2 // 3)
    early = [stay for part in parts[:cut] for stay in part]
    told = [predicted(part, early) for part in parts]
    return told[:cut], told[cut:], visit_ends_h(early)


def _by_month(stays: Sequence[Stay]) -> list[list[Stay]]:
    parts: dict[int, list[Stay]] = {}
    for stay in stays:
        parts.setdefault((stay.came - stays[0].came).days // MONTH_DAYS, []).append(stay)
    return list(parts.values())


def visit_ends_h(stays: Sequence[Stay]) -> tuple[float, float]:
    """The clock hours by which the earlier and the later half of a day's deposits are mostly done."""
    hours = np.sort(np.array([stay.came.hour + stay.came.minute / 60 for stay in stays]))
    early, late = np.quantile(hours[: len(hours) // 2 + 1], 0.9), np.quantile(hours[len(hours) // 2 :], 0.9)
    return float(early), float(max(late, early + 0.5))


def stay_hours(stays: Sequence[Stay]) -> Array:
    """Hours that each lay there, at most `LONGEST_H`; those of whom nobody knows: the longest."""
    raw = [(stay.left - stay.came).total_seconds() / 3600 if stay.left else LONGEST_H for stay in stays]
    return np.minimum(np.array(raw), LONGEST_H)


def _slots(stays: Sequence[Stay], slot_h: int) -> Array:
    return np.array([stay.came.weekday() * (24 // slot_h) + stay.came.hour // slot_h for stay in stays])
