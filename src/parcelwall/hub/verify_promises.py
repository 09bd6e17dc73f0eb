"""INV-03 in `verify`: where each promise of room was made there was room for it."""

from bisect import insort
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

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


class _Told:
    """What several streams of one station tell, each in its own order. `left` holds of each parcel the revisions that
    nobody has taken yet, of all such objects of the station."""

    def __init__(self, told: list[tuple[Kept, Fact]], left: dict[UUID, list[int]]) -> None:
        self._streams: dict[str, deque[tuple[Kept, Fact]]] = {}
        self._left = left
        for kept, fact in told:
            self._streams.setdefault(kept.entry.writer, deque()).append((kept, fact))
            if kept.parcel:
                insort(left.setdefault(kept.parcel, []), kept.revision or 0)

    def first(self) -> tuple[Kept, Fact] | None:
        """What was recorded first."""
        heads = (stream[0] for stream in self._streams.values() if stream)
        return min(heads, key=_recorded, default=None)

    def first_ripe(self, until: datetime | None = None) -> tuple[Kept, Fact] | None:
        """What was recorded first of that which can be learnt now."""
        heads = (stream[0] for stream in self._streams.values() if stream)
        ripe = (each for each in heads if self.is_ripe(each[0]) and (until is None or each[0].recorded_at <= until))
        return min(ripe, key=_recorded, default=None)

    def is_ripe(self, kept: Kept) -> bool:
        """Whether nothing is left of its parcel that was learnt before it."""
        return not kept.parcel or self._left[kept.parcel][0] >= (kept.revision or 0)

    def take(self, kept: Kept) -> None:
        self._streams[kept.entry.writer].popleft()
        if kept.parcel:
            self._left[kept.parcel].remove(kept.revision or 0)


def promises(reading: Reading) -> Iterator[str]:
    """INV-03 where each promise was made, station by station: room for one more, by some order of what overlapped.

    What the hub decided and what came from the station was written under one lock, each in its own order. How they lay
    to each other is known of each parcel by its revisions, and else from the times of recording, but for facts less
    than AT_ONCE apart: those are taken as favourably as can be.
    """
    for station, (from_hub, from_doors) in sorted(reading.by_station.items()):
        left: dict[UUID, list[int]] = {}
        decided, doors, book = _Told(from_hub, left), _Told(from_doors, left), Book()
        while head := decided.first():
            kept, fact = head
            while door := doors.first_ripe(kept.recorded_at - AT_ONCE):
                _next(book, doors, door, station)
            while not decided.is_ripe(kept) and (door := doors.first_ripe()):
                _next(book, doors, door, station)
            while isinstance(fact, facts.Reserved) and not _had_room(book, fact, reading.policies):
                if not (door := doors.first_ripe(kept.recorded_at + AT_ONCE)):
                    yield f"INV-03: {kept.name} promises room at {station} that was not there"
                    break
                _next(book, doors, door, station)
            decided.take(kept)
            book.learn(fact, clock.parse(kept.entry.happened_at), station)


def _recorded(each: tuple[Kept, Fact]) -> datetime:
    return each[0].recorded_at


def _next(book: Book, doors: _Told, door: tuple[Kept, Fact], station: str) -> None:
    """What came from the station: what its doors saw, and what it gave back to a restored hub."""
    kept, fact = door
    doors.take(kept)
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
