"""INV-03 in `verify`: where each promise of room was made there was room for it."""

import heapq
from collections import deque
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from parcelwall import clock
from parcelwall.hub.verify_reading import Kept, Reading
from parcelwall.journal import streams
from parcelwall.rules import facts
from parcelwall.rules.book import Book
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import has_room, room_after
from parcelwall.rules.policy import Policy

AT_ONCE = timedelta(seconds=60)  # no transaction lasts longer: facts farther apart were decided in that order


def promises(reading: Reading) -> Iterator[str]:
    """INV-03 where each promise was made, station by station: room for one more, by some order of what overlapped.

    A station's two streams were written under one lock, each in its own order. How they lay to each other is known
    from the times of recording, but for facts less than AT_ONCE apart: those are taken as favourably as can be.
    """
    for station, (from_hub, from_doors) in sorted(reading.by_station.items()):
        book, doors = Book(), deque(_as_recorded(from_doors))
        for kept, fact in _as_recorded(from_hub):
            while doors and doors[0][0].recorded_at < kept.recorded_at - AT_ONCE:
                _next(book, doors, station)
            while isinstance(fact, facts.Reserved) and not _had_room(book, fact, reading.policies):
                if not doors or doors[0][0].recorded_at > kept.recorded_at + AT_ONCE:
                    yield f"INV-03: {kept.name} promises room at {station} that was not there"
                    break
                _next(book, doors, station)
            book.learn(fact, clock.parse(kept.entry.happened_at), station)


def _as_recorded(told: list[tuple[Kept, Fact]]) -> Iterator[tuple[Kept, Fact]]:
    """Of several streams, one after the other as the hub recorded it; each in its own order."""
    by_stream: dict[str, list[tuple[Kept, Fact]]] = {}
    for each in told:
        by_stream.setdefault(each[0].entry.writer, []).append(each)
    return heapq.merge(*by_stream.values(), key=lambda each: each[0].recorded_at)


def _next(book: Book, doors: deque[tuple[Kept, Fact]], station: str) -> None:
    """What came from the station: what its doors saw, and what it gave back to a restored hub."""
    kept, fact = doors.popleft()
    at = clock.parse(kept.entry.happened_at)
    if streams.is_hubs(kept.entry.writer):
        book.learn_again(fact, at)
    else:
        book.learn(fact, at, station)


def _had_room(book: Book, fact: facts.Reserved, policies: dict[int, Policy]) -> bool:
    if fact.station not in book.plans:
        return False
    plan, room, before = book.plans[fact.station], book.rooms[fact.station], book.parcels.get(fact.parcel)
    if before is not None:
        gone = msgspec.structs.replace(before, stage=Stage.ANNOUNCED, station=None)
        room = room_after(plan, fact.station, room, before, gone)
    names = ("length_mm", "width_mm", "height_mm", "weight_g", "climate", "reach")
    overbook = policies[fact.policy].overbook if fact.policy in policies else 0
    need = plan.need(Parcel(id=fact.parcel, **{name: getattr(fact, name) for name in names}))
    return need != 0 and has_room(plan, room, need, overbook)
