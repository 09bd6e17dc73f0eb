"""What planning learns from: when each parcel was ready, handed over, deposited and collected, as columns.

Times are days since 1970-01-01 as floats on the station's own wall clock, so that weekday and hour can be read off
them; a dwell is kept in hours of true time beside them, so that a clock change makes none negative. What did not
happen yet is infinity.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import read_table as read_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001, a wall clock that is of no zone
PICKUP_COLUMNS = ("DateR", "DateE", "DateD", "DateP", "Carrier")
DAYS_BACK = 240  # of past forecasts that are looked at to choose a model and a band
FEW, APART_DAYS = 5, 366  # so few that stand so far from all others are of a wrong year
LONGEST_DAYS = 400  # a step that takes longer than this tells of a wrong year
OPEN_DAYS = 45  # a parcel of which nothing was heard for longer is in no station any more: its end was not written down
LOST_ENDS = 0.02  # of the parcels so old. With more, who lies there longer than nearly all others is not believed
LONGEST_USUAL = 0.99  # of the stays whose end is known


class Records(msgspec.Struct, kw_only=True):
    """Parcels in the order of their deposit (those without one last), and how many rows were bad, by reason.

    `carrier` and `station` are indices into `carriers` and `stations`.
    """

    ready: Floats
    handed: Floats
    deposited: Floats
    collected: Floats
    dwell_h: Floats
    carrier: Ints
    station: Ints
    carriers: tuple[str, ...]
    stations: tuple[str, ...]
    bad: Counter[str]

    def __len__(self) -> int:
        return len(self.ready)

    def only(self, keep: NDArray[np.bool_] | Ints) -> "Records":
        """Those of the rows; the names of carriers and stations stay what they were."""
        columns = {name: getattr(self, name)[keep] for name in COLUMNS}
        return msgspec.structs.replace(self, **columns)

    def by_station(self) -> dict[str, Ints]:
        """Which rows are of each station, in their order: one look at all of them instead of one for each station."""
        inorder = np.argsort(self.station, kind="stable")
        ends = np.searchsorted(self.station[inorder], np.arange(1, len(self.stations)))
        return dict(zip(self.stations, np.split(inorder, ends), strict=False))  # without a station there is one part


COLUMNS = ("ready", "handed", "deposited", "collected", "dwell_h", "carrier", "station")


class Row(msgspec.Struct, frozen=True):
    """One parcel as it was read: wall-clock times, and its dwell in hours of true time where both ends are known."""

    ready: datetime
    handed: datetime | None
    deposited: datetime | None
    collected: datetime | None
    carrier: str
    station: str = "station"
    dwell_h: float | None = None


class Bad(Exception):
    """This row cannot be learnt from. `str()` is the reason."""


def read_pickups(paths: Sequence[Path], with_open: bool = False) -> Records:
    """The parcels of pick-up point files: CSV, gzipped or not, with the columns DateR, DateE, DateD, DateP, Carrier
    and, if they tell of several, Station. Rows that cannot be are left out and counted by their reason.

    `with_open`: also the parcels that are not collected, deposited or handed over yet (that cell and all after it are
    blank), but not those of which nothing was heard for OPEN_DAYS before the last deposit.

    Raises Trouble for a file that cannot be read, lacks a column, or has no row that can be used.
    """
    rows: list[Row] = []
    bad: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        named: set[tuple[str, str]] = set()  # of this file, as far as they could be used
        for row in read_table(path, PICKUP_COLUMNS):
            try:
                name = _refuse_double(row, seen, named)
                rows.append(_row(row, with_open))
                named.add(name)
            except Bad as why:
                bad[str(why)] += 1
    rows = _without_forgotten(_without_wrong_years(rows, bad), bad)
    if not rows:
        told = ", ".join(f"{reason} {count}" for reason, count in bad.items()) or "it is empty"
        raise Trouble(f"{', '.join(map(str, paths))} has no row that can be used: {told}. "
                      "Times are read as 2018-01-31 09:30:00.")  # fmt: skip
    return from_rows(rows, bad)


def _without_wrong_years(rows: Sequence[Row], bad: Counter[str]) -> list[Row]:
    """Those rows that stand near others: one of 2098 would be the day that everything is told for."""
    inorder = sorted(rows, key=lambda row: (row.ready, row.carrier))
    far = far_from_others([row.ready for row in inorder])
    if far:
        bad["far_from_all_others"] += len(far)
    return [row for place, row in enumerate(inorder) if place not in far]


def _without_forgotten(rows: list[Row], bad: Counter[str]) -> list[Row]:
    """Those rows that are over, or of which something was heard of late. Of a file in which ends are lost, what was
    deposited longer ago than nearly all stays take is left out, too: it would lie there in each forecast."""
    last = max((row.deposited for row in rows if row.deposited), default=EPOCH)
    since = last - timedelta(days=OPEN_DAYS)
    kept = [row for row in rows if row.collected or (row.deposited or row.handed or row.ready) >= since]
    forgotten = len(rows) - len(kept)
    stays_s = [(row.collected - row.deposited).total_seconds() for row in kept if row.collected and row.deposited]
    if stays_s and forgotten > LOST_ENDS * sum((row.deposited or row.ready) < since for row in rows):
        usual = last - timedelta(seconds=float(np.quantile(stays_s, LONGEST_USUAL)))
        kept = [row for row in kept if row.collected or row.deposited is None or row.deposited >= usual]
    if len(kept) < len(rows):
        bad["open_for_too_long"] += len(rows) - len(kept)
    return kept


def far_from_others(times: Sequence[datetime]) -> set[int]:
    """The places in sorted times that have fewer than FEW others within a year before and a year after. None of fewer
    than 4 * FEW times: nobody knows then which are the wrong ones."""
    if len(times) < 4 * FEW:
        return set()
    days = _days(times)
    endless = np.full(FEW, np.inf)
    back = np.append(endless, days[FEW:] - days[:-FEW])
    ahead = np.append(days[FEW:] - days[:-FEW], endless)
    return set(np.flatnonzero(np.minimum(back, ahead) > APART_DAYS).tolist())


def _refuse_double(row: Mapping[str, str], seen: set[tuple[str, ...]], named: set[tuple[str, str]]) -> tuple[str, str]:
    """The station and the name of a parcel, which may be empty. Raises Bad for one that was read before: the same row,
    from this file or another, or one of a name that this file has already."""
    name = row.get("Station", ""), row.get("Id_parcel", "")
    key = (name[1], *(row[column] for column in PICKUP_COLUMNS))
    if key in seen or (name[1] and name in named):
        raise Bad("double")
    seen.add(key)
    return name


def _row(row: Mapping[str, str], with_open: bool) -> Row:
    ready, handed, deposited, collected = steps = [moment(row[name]) for name in PICKUP_COLUMNS[:4]]
    known = [at for at in steps if at is not None]
    if ready is None or len(known) < (1 if with_open else 4) or any(steps[len(known) :]):
        raise Bad("no_time")
    dwell_h = true_hours(row)
    if deposited and collected and (collected <= deposited if dwell_h is None else dwell_h <= 0):
        raise Bad("negative_dwell")
    if handed and deposited and deposited < handed:
        raise Bad("deposited_before_hand_over")
    if any(abs((b - a).days) > LONGEST_DAYS for a, b in pairwise(known)):
        raise Bad("times_too_far_apart")
    if not row["Carrier"]:
        raise Bad("no_carrier")
    ready = min(ready, handed or ready)
    return Row(ready, handed, deposited, collected, row["Carrier"], row.get("Station") or "station", dwell_h)


def moment(text: str) -> datetime | None:
    """A wall-clock time of a file; None where there is none. Raises Bad for what is no time of ours."""
    if text.lower() in ("", "nan", "nat", "null", "none", "na"):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Bad("unreadable_time") from None
    if not 1990 <= when.year <= 2100:
        raise Bad("unreadable_time")
    return when.replace(tzinfo=None)  # of one written with its zone: weekday and hour are the file's own clock's


def true_hours(row: Mapping[str, str]) -> float | None:
    """The hours that it lay there, where both times are written with their zone: a clock may have changed meanwhile."""
    try:
        deposited, collected = (datetime.fromisoformat(row.get(name, "")) for name in PICKUP_COLUMNS[2:4])
    except ValueError:
        return None
    both = deposited.tzinfo and collected.tzinfo
    return (collected - deposited).total_seconds() / 3600 if both else None


def from_rows(rows: Iterable[Row], bad: Counter[str] | None = None) -> Records:
    """Columns of rows, in the order of their deposit whatever order they came in."""
    inorder = sorted(rows, key=lambda row: (row.deposited or datetime.max, row.ready, row.carrier))  # noqa: DTZ901
    carriers, stations = sorted({row.carrier for row in inorder}), sorted({row.station for row in inorder})
    deposited, collected = (_days(getattr(row, name) for row in inorder) for name in ("deposited", "collected"))
    told = np.array([np.nan if row.dwell_h is None else row.dwell_h for row in inorder], float)
    with np.errstate(invalid="ignore"):
        between = np.where(np.isfinite(deposited), (collected - deposited) * 24, np.inf)
    return Records(
        ready=_days(row.ready for row in inorder), handed=_days(row.handed for row in inorder),
        deposited=deposited, collected=collected, dwell_h=np.where(np.isnan(told), between, told),
        carrier=_indices([row.carrier for row in inorder], carriers),
        station=_indices([row.station for row in inorder], stations),
        carriers=tuple(carriers), stations=tuple(stations), bad=bad or Counter(),
    )  # fmt: skip


def _days(times: Iterable[datetime | None]) -> Floats:
    return np.array([np.inf if when is None else (when - EPOCH).total_seconds() / 86400 for when in times], float)


def _indices(names: Sequence[str], known: Sequence[str]) -> Ints:
    place = {name: index for index, name in enumerate(known)}
    return np.array([place[name] for name in names], np.int64)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH.date()).days


def day_of(number: int) -> date:
    return date.fromordinal(EPOCH.toordinal() + int(number))


def weekday(days: Ints) -> Ints:
    """0 is Monday, of whole days since 1970-01-01, which was a Thursday."""
    return (days + 3) % 7


def whole(days: Floats) -> Ints:
    """The day of each time. What did not happen is far in the future."""
    return np.floor(np.where(np.isfinite(days), days, NEVER)).astype(np.int64)


NEVER = 10.0**6
