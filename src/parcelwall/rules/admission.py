"""Who is admitted where not everybody can be: tables that planning learns, evaluated here. Counts in, a number out.

A class is a size of compartment, 0 the smallest; a parcel of class c uses room of every union "u or larger", u <= c.
The default admits everybody for whom there is room; anything else is an operator's choice
(docs/planning/allocation.md). Such choices are policy rows, `tables.AdmissionRow` (docs/planning/admission.md).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from math import exp
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.errors import Refusal
from parcelwall.rules import places
from parcelwall.rules.life import Parcel
from parcelwall.rules.tables import NIGHT, AdmissionRow

OTHER_DAYS = 7  # how far ahead another day is looked for
A_DAY_H = 24.0


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What one compartment of class u or larger, free at the end of a coming visit, is worth to later parcels:
    `most[u] / (1 + exp((free - at[v][u]) / scale[u]))`, where v is the visit of the period that ends at `ends_h[v]`.

    It is the slope of a value function that is separable and concave in the expected free room. `now` shifts `at` for
    the visit under way, in proportion to what is left of it.
    """

    period_h: float
    ends_h: tuple[float, ...]
    most: tuple[float, ...]
    scale: tuple[float, ...]
    at: tuple[tuple[float, ...], ...]
    now: float


def displaced(
    prices: Prices, free: Sequence[Sequence[float]], stay: Sequence[float], visits: Sequence[int], left: float, cls: int
) -> float:
    """What later parcels are expected to lose if one is put into class `cls`: admit it while it is worth that much.

    `free[u][h]`: expected free compartments of class u or larger at the end of the h-th visit ahead, the one under way
    first; `stay[h]`: the chance that the parcel is there then; `visits[h]`: which visit of the period that is; `left`:
    the share of the visit under way that is still to come.
    """
    lost = 0.0
    for u in range(cls + 1):
        most, scale = prices.most[u], prices.scale[u]
        for h, chance in enumerate(stay):
            at = prices.at[visits[h]][u] * (prices.now * left if h == 0 else 1.0)
            lost += chance * most / (1 + exp(min(50.0, max(-50.0, (free[u][h] - at) / scale))))
    return lost


def within_level(count: int, level: float, expected: float) -> bool:
    """Whether one more of a kind may be admitted: fewer than its level were, or the level does not bind because it
    reaches what is expected."""
    return level >= expected or count < level


def protects(free: Sequence[int], keep: Sequence[int], size: int, cls: int) -> bool:
    """Whether a parcel of `size` may go into class `cls`: above its own only while more than `keep` of it are free."""
    return cls == size or free[cls] > keep[cls]


class Kind(msgspec.Struct, frozen=True):
    """What a row looks at: the smallest size that fits, whose parcel it is, on which day of the station's clock it is
    to arrive, and how many hours ahead that was when it was asked for."""

    size: str
    carrier: str
    service: str
    day: date
    lead_h: float


def arrives(asked_at: datetime, expected_at: datetime | None, deposited_at: datetime | None = None) -> datetime:
    """When a parcel came or is to come, as thresholds count it: plans count its day by this, too."""
    return deposited_at or max(asked_at, expected_at or asked_at)


def kind_of(parcel: Parcel, plan: places.Plan, need: int, asked_at: datetime, zone: ZoneInfo) -> Kind:
    """The parcel as a row looks at it, asked for at this time. `need` is its own at that station, not 0."""
    arrival = arrives(asked_at, parcel.expected_at, parcel.deposited_at)
    lead_h = max(0.0, (arrival - asked_at).total_seconds() / 3600)
    return Kind(plan.smallest(need), parcel.carrier, parcel.service, arrival.astimezone(zone).date(), lead_h)


class Rows(tuple[AdmissionRow, ...]):
    """Rows by name, and quickly those that may say something of one station: its own and the network's."""

    def __init__(self, rows: Iterable[AdmissionRow] = ()) -> None:
        self._own: dict[str, list[int]] = {}
        for place, row in enumerate(self):
            self._own.setdefault(row.station, []).append(place)

    def of_station(self, station: str) -> Iterable[AdmissionRow]:
        network, own = self._own.get("", []), self._own.get(station, []) if station else []
        return [self[place] for place in sorted([*network, *own])]


def _near(rows: Iterable[AdmissionRow], station: str) -> Iterable[AdmissionRow]:
    return rows.of_station(station) if isinstance(rows, Rows) else rows


def binding(rows: Iterable[AdmissionRow], station: str, kind: Kind, now: datetime) -> list[AdmissionRow]:
    """The rows that say something of this parcel there: the station's own, else the network's. Rows of the nightly
    plan may come into force by themselves, so they lift no row that a person chose: the network's bind beside them."""
    mine = [row for row in _near(rows, station) if row.station in ("", station) and _binds(row, kind, now)]
    own = [row for row in mine if row.station]
    return own if any(not row.name.startswith(NIGHT) for row in own) else mine


def _binds(row: AdmissionRow, kind: Kind, now: datetime) -> bool:
    if row.rule in ("ended", "nightly") or (row.good_until is not None and now > row.good_until):
        return False
    return _is_of(row, kind)


def _is_of(row: AdmissionRow, kind: Kind) -> bool:
    """Whether it is one of the parcels that the row is about, whatever the day."""
    return (
        kind.service not in row.spared
        and (not row.sizes or kind.size in row.sizes)
        and (not row.carriers or kind.carrier in row.carriers)
        and (not row.services or kind.service in row.services)
        and row.lead_h[0] <= kind.lead_h < row.lead_h[1]
    )


class Look(msgspec.Struct, frozen=True):
    """A station as rows look at it: its room without this parcel's own promise, and what is promised there or lies
    there (only thresholds ask for those: `counts_heads`)."""

    station: str
    plan: places.Plan
    room: places.Room
    heads: Sequence[Kind] = ()


def counts_heads(rows: Iterable[AdmissionRow], station: str) -> bool:
    """Whether a row asks how many are promised at this station already."""
    return any(row.rule == "threshold" and row.station in ("", station) for row in _near(rows, station))


def stands_against(
    rows: Sequence[AdmissionRow], at: Look, need: int, kind: Kind, overbook: int, now: datetime
) -> AdmissionRow | None:
    """The first row by which this parcel is not admitted there; None if none is, or none says anything."""
    bound = binding(rows, at.station, kind, now) if rows else ()
    return next((row for row in bound if not _admits(row, at, need, kind, overbook)), None)


def _admits(row: AdmissionRow, at: Look, need: int, kind: Kind, overbook: int) -> bool:
    if row.rule == "protect":
        return places.has_room(at.plan, with_kept(at.plan, at.room, row), need, overbook)
    if row.rule == "threshold":
        place = row.place(kind.day, row.levels)
        return place is None or within_level(_heads(row, at, kind.day), row.levels[place], row.expected[place])
    if row.rule == "price":
        place = row.place(kind.day, row.prices)
        return place is None or row.worth.get(kind.service, 1.0) >= row.prices[place]
    return True


def with_kept(plan: places.Plan, room: places.Room, row: AdmissionRow) -> places.Room:
    """The room as if those were promised already for whom the row keeps it. A size that the station has not is
    passed over."""
    promised = dict(room.promised)
    for size, count in row.keep.items():
        need = plan.need_of_size(size)
        if need and count:
            promised[need] = promised.get(need, 0) + count
    return msgspec.structs.replace(room, promised=promised)


def _heads(row: AdmissionRow, at: Look, day: date) -> int:
    return sum(head.day == day and _is_of(row, head) for head in at.heads)


def refuse_unadmitted(
    rows: Sequence[AdmissionRow], at: Look, need: int, kind: Kind, overbook: int, now: datetime
) -> None:
    """Raises the Refusal that names the row, and the next day on which this parcel would be admitted there."""
    row = stands_against(rows, at, need, kind, overbook, now)
    if row is None:
        return
    found = another_day(rows, at, need, kind, overbook, now)
    day = found.isoformat() if found else None
    raise Refusal("held_for_others", what_to_do(day), row=row.name, rule=row.rule, another_day=day)


def another_day(
    rows: Sequence[AdmissionRow], at: Look, need: int, kind: Kind, overbook: int, now: datetime
) -> date | None:
    """The next day within a week on which no row stands against the same parcel; None if there is none."""
    for ahead in range(1, OTHER_DAYS + 1):
        then = msgspec.structs.replace(kind, day=kind.day + timedelta(days=ahead),
                                       lead_h=kind.lead_h + ahead * A_DAY_H)  # fmt: skip
        if stands_against(rows, at, need, then, overbook, now) is None:
            return then.day
    return None


def what_to_do(day: str | None, station: str = "") -> str:
    """The sentence of the refusal: the next station that takes it, and the next day on which this one does."""
    there = f"Reserve at {station}" if station else "Choose one of `alternatives`"
    if day is None:
        return f"Room at this station is kept for other parcels all week. {there}."
    return f"Room at this station is kept for other parcels that day. {there}, or have it brought on {day}."
