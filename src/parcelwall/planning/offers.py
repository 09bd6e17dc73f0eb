"""`plan room`: the table of chances of room for every station, from the hub's journal as it stands now.

The raw chance of docs/planning/offers.md; its calibration waits until enough offers have come true. What is unknown is
taken the careful way: without past stays everybody stays, without past leads what is promised comes at once.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import numpy as np

from parcelwall.planning.demand import STEP_H, Array, empirical, survives
from parcelwall.planning.room import count_law, room_chance
from parcelwall.rules import facts
from parcelwall.rules.layout import Layout
from parcelwall.rules.offers import NEVER, SURE, RoomTable

KINDS = ("StationConfigured", "Reserved", "Deposited", "Collected", "TakenBack", "Cancelled", "Diverted", "Lapsed",
         "Withdrawn")  # fmt: skip
DAYS = 8
LONGEST_H = 336.0
ENOUGH = 50  # stays or leads that a station needs to have a law of its own; else that of all stations
RECENT = timedelta(days=28)
LEARNT_FROM = timedelta(days=3_650)  # a layout may be old
MODEL = "room-1"

Told = tuple[str, datetime, UUID | None, str]  # kind, time, parcel and body of an entry


class Promised(msgspec.Struct, frozen=True):
    at: datetime
    station: str
    size: str


class Lying(msgspec.Struct, frozen=True):
    at: datetime
    station: str
    compartment: int


class Seen(msgspec.Struct):
    """What the journal tells: layouts, what is promised and lies there now, past stays, leads and deposits."""

    layouts: dict[str, Layout] = {}
    promised: dict[UUID, Promised] = {}
    lying: dict[UUID, Lying] = {}
    stays_h: dict[str, list[float]] = {}
    leads_h: dict[str, list[float]] = {}
    brought: dict[str, list[tuple[datetime, str]]] = {}


async def read(entries: AsyncIterator[Told]) -> Seen:
    """All of it, entry by entry; what nobody can read is passed over (`verify` tells of it)."""
    seen = Seen()
    async for kind, at, parcel, body in entries:
        try:
            fact = facts.read(kind, body)
        except msgspec.DecodeError:
            continue
        if isinstance(fact, facts.StationConfigured):
            seen.layouts[fact.station] = fact.layout
        elif fact is not None and parcel is not None:
            _note(seen, fact, at, parcel)
    return seen


def _note(seen: Seen, fact: facts.Fact, at: datetime, parcel: UUID) -> None:
    if isinstance(fact, facts.Reserved):
        seen.promised[parcel] = Promised(at, fact.station, fact.size)
    elif isinstance(fact, facts.Withdrawn):
        if parcel in seen.promised and seen.promised[parcel].station == fact.station:
            del seen.promised[parcel]
    elif isinstance(fact, facts.Deposited):
        before = seen.promised.pop(parcel, None)
        seen.lying[parcel] = Lying(at, fact.station, fact.compartment)
        if before is not None and at >= before.at:
            seen.leads_h.setdefault(fact.station, []).append((at - before.at).total_seconds() / 3600)
            seen.brought.setdefault(fact.station, []).append((at, before.size))
    else:
        seen.promised.pop(parcel, None)
        lay = seen.lying.pop(parcel, None)
        if lay is not None and at > lay.at:  # a stay that ends before it began is a clock's fault
            seen.stays_h.setdefault(lay.station, []).append((at - lay.at).total_seconds() / 3600)


def tables(seen: Seen, now: datetime, unusable: Mapping[str, frozenset[int]]) -> list[RoomTable]:
    """One for each station, by its id. A compartment that is `unusable` (broken, or held by a case) is no room, and
    what lies in it takes none."""
    for station, numbers in unusable.items():
        if station in seen.layouts:
            seen.layouts[station] = without(seen.layouts[station], numbers)
    stays, leads = (sorted(h for hours in of.values() for h in hours) for of in (seen.stays_h, seen.leads_h))
    return [_table(seen, station, now, stays, leads) for station in sorted(seen.layouts)]


def without(layout: Layout, numbers: frozenset[int]) -> Layout:
    left = tuple(each for each in layout.compartments if each.number not in numbers)
    return msgspec.structs.replace(layout, compartments=left)


def _table(seen: Seen, station: str, now: datetime, stays: list[float], leads: list[float]) -> RoomTable:
    layout = seen.layouts[station]
    volume = {size.name: size.width_mm * size.height_mm * size.depth_mm for size in layout.sizes}
    names = sorted(volume, key=lambda name: (volume[name], name))
    law = _law(seen.stays_h.get(station, []), stays)
    own = seen.leads_h.get(station, [])
    lead = np.array(own if len(own) >= ENOUGH else leads)
    counts = [sum(each.size == name for each in layout.compartments) for name in names]
    chance: dict[str, list[float]] = {name: [] for name in names}
    for day in range(DAYS):
        laws = _laws(seen, station, names, now, day * 24 + 12.0, law, lead)
        for size, name in enumerate(names):
            chance[name].append(round(min(SURE, max(NEVER, room_chance(laws, counts, size))), 4))
    return RoomTable(station=station, made_at=now, model=MODEL,
                     chance={name: tuple(row) for name, row in chance.items()})  # fmt: skip


def _law(own: list[float], everyone: list[float]) -> Array:
    hours = np.minimum(np.array(own if len(own) >= ENOUGH else everyone), LONGEST_H)
    if not len(hours):
        return np.ones((1, 8))
    return empirical(hours, np.zeros(len(hours), dtype=int), 1, LONGEST_H)


def _laws(
    seen: Seen, station: str, names: list[str], now: datetime, ahead_h: float, law: Array, lead: Array
) -> list[Array]:
    """Of each class, what takes room of it so many hours ahead."""
    size_of = {each.number: each.size for each in seen.layouts[station].compartments}
    there: dict[str, list[float]] = {name: [] for name in names}
    for lies in seen.lying.values():
        if lies.station == station and (size := size_of.get(lies.compartment)) in there:
            age_h = max(0.0, (now - lies.at).total_seconds() / 3600)
            then = float(survives(law, 0, age_h))
            there[size].append(min(1.0, float(survives(law, 0, age_h + ahead_h)) / then) if then > 0 else 1.0)
    coming = 0.0
    for promise in seen.promised.values():
        if promise.station == station and promise.size in there:
            comes = _comes(lead, max(0.0, (now - promise.at).total_seconds() / 3600), ahead_h)
            there[promise.size].append(comes * float(survives(law, 0, ahead_h / 2)))
            coming += comes
    recent = [size for at, size in seen.brought.get(station, []) if now - RECENT <= at <= now and size in there]
    more = max(0.0, len(recent) / RECENT.days * ahead_h / 24 - coming)  # that nobody has promised yet
    more *= float(survives(law, 0, np.arange(0, ahead_h, STEP_H)).mean())
    return [count_law(there[name], more * recent.count(name) / max(1, len(recent))) for name in names]


def _comes(lead: Array, age_h: float, ahead_h: float) -> float:
    """P(it is brought within `ahead_h` more hours, given that it was not within `age_h`)."""
    left = lead[lead > age_h]
    return float((left <= age_h + ahead_h).mean()) if len(left) else 1.0
