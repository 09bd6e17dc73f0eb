"""A hub that was restored to an older point: a new epoch begins, and what was lost comes back from the stations.

Nothing that was lost is written anew: what a station gives back stands under its old number, signed by this hub.
"""

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from asyncpg import Connection

from parcelwall import clock
from parcelwall.hub.ingest import Ingest
from parcelwall.hub.sitting import Sitting
from parcelwall.journal import chain, streams
from parcelwall.journal.chain import Entry
from parcelwall.link.frames import MOST_ITEMS
from parcelwall.link.shipping import Run
from parcelwall.rules import facts
from parcelwall.rules.book import Learned
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import Stage
from parcelwall.rules.places import promises_fit

_OURS = frozenset(kind.__name__ for kind in facts.HUB_KINDS)
_NOW_PAST = """
INSERT INTO past_stream (name, station) SELECT writer.name, station.id FROM writer
JOIN station ON writer.name = $1 || station.id
ON CONFLICT DO NOTHING"""
_END = "UPDATE writer SET ended_with = number WHERE name LIKE 'hub:%' AND ended_with IS NULL"
_IS_PAST = "INSERT INTO past_stream (name, station) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_RAISE = "UPDATE writer SET ended_with = greatest(ended_with, $2) WHERE name = $1"
_DIFFERS = """
INSERT INTO dead_letter VALUES ($1, 0, 'the station has another book of this stream') ON CONFLICT DO NOTHING"""
_SAID = """
SELECT parcel, kind, writer, number, happened_at FROM entry WHERE parcel = ANY($1::uuid[])
  AND kind IN ('Reserved', 'Blocked', 'Unblocked') AND left(writer, 4) = 'hub:'"""
_MARKS = """
SELECT writer, number, recorded_at, parcel, revision FROM entry WHERE writer = $1 AND number > $2 ORDER BY number"""


async def begin_epoch(connection: Connection, epoch: int, before: int) -> None:
    """Ends every stream of the hub where the backup ends, and raises the epoch. Inside the caller's transaction."""
    await connection.execute(_NOW_PAST, f"hub:{before}/")
    await connection.execute(_END)
    await connection.execute("UPDATE house SET epoch = $1", epoch)


async def tell_stations(at: Sitting, before: int) -> None:
    """The first entry of each station's new stream says where the one before ended."""
    for station in sorted(at.here):
        old = streams.of_hub(before, station)
        number = await at.connection.fetchval("SELECT number FROM writer WHERE name = $1", old)
        at.record(facts.EpochBegan(station=station, epoch=at.streams.epoch, before=old, number=number or 0))


_BLOCKS: dict[str, type[facts.Blocked | facts.Unblocked]] = {"Blocked": facts.Blocked, "Unblocked": facts.Unblocked}
_ANSWERED = (facts.Reserved, facts.Blocked, facts.Unblocked)  # what was said since may have to be said again


class Said(NamedTuple):
    """What the hub has said of a parcel, of its promises and of who may collect it, and knows."""

    at: datetime
    place: tuple[int, int]
    kind: str
    writer: str

    @classmethod
    def by(cls, kind: str, writer: str, number: int, at: datetime) -> "Said":
        return cls(at, streams.place_of(writer, number), kind, writer)


class GivenBack(Ingest):
    """Entries that this hub wrote for a station once, and has lost since. Their signature was checked: our own."""

    said: dict[UUID, list[Said]] = msgspec.field(default_factory=dict)  # of parcels with _ANSWERED among these

    def __post_init__(self) -> None:
        for entry in self.entries:
            self.read.append(_read(entry))
            self.why_not.append("")

    async def decide(self, at: Sitting) -> int:
        """The number through which everything of this stream is here. Raises Broken, Fork as Ingest does."""
        head = at.heads[self.writer]
        await self._refuse_forks(at, head.number)
        new = [(entry, fact) for entry, fact in zip(self.entries, self.read, strict=True) if entry.number > head.number]
        made = chain.chained(head, [entry for entry, _ in new])
        if not made:
            return head.number
        await self._ask_what_was_said(at, [fact for _, fact in new])
        for entry, (_, fact) in zip(made, new, strict=True):
            self._learn(at, entry, fact)
        self._look_for_room(at)
        at.heads[self.writer] = chain.Head(made[-1].number, made[-1].hash)
        await _keep_past(at, self.writer, self.station, made[-1].number)
        return made[-1].number

    def _learn(self, at: Sitting, entry: Entry, fact: Fact | None) -> None:
        learned = at.receive_again(entry, fact)
        if isinstance(fact, facts.StationConfigured):
            self._case(at, "layout_given_back", None)
        if isinstance(fact, _ANSWERED):
            self._say_who_may_collect(at, entry, learned)
        if not isinstance(fact, facts.Reserved):
            return
        before = learned.before
        if learned.after is None or learned.after.reservation != fact.reservation or self._is_over(fact):
            self._withdraw(at, fact.parcel, fact.reservation, self.station)
        elif before and before.stage == Stage.RESERVED and before.station not in (None, self.station):
            self._withdraw(at, fact.parcel, before.reservation, before.station)
        if learned.after and learned.after.reservation == fact.reservation and not learned.after.reference:
            # announced in the time that is lost: nobody knows under which number, or for whom
            self._case(at, "announcement_lost", fact.parcel)

    async def _ask_what_was_said(self, at: Sitting, told: Sequence[Fact | None]) -> None:
        """Also in this very transaction, by another station."""
        self.said = {fact.parcel: [] for fact in told if isinstance(fact, _ANSWERED)}
        if not self.said:
            return
        for parcel, *said in await at.connection.fetch(_SAID, list(self.said)):
            self.said[parcel].append(Said.by(*said))
        for parcel, entry in at.taken_in():
            if parcel in self.said and streams.is_hubs(entry.writer):
                self.said[parcel].append(
                    Said.by(entry.kind, entry.writer, entry.number, clock.parse(entry.happened_at))
                )

    def _is_over(self, fact: facts.Reserved) -> bool:
        """Whether this station was promised the parcel anew in a later epoch: that promise is over by now, or it would
        be in force, and the station, which hears of both, does not go back to this one."""
        epoch = streams.epoch_of(self.writer)
        return any(
            said.kind == "Reserved" and streams.station_of(said.writer) == self.station
            and streams.epoch_of(said.writer) > epoch for said in self.said.get(fact.parcel, ())
        )  # fmt: skip

    def _say_who_may_collect(self, at: Sitting, entry: Entry, learned: Learned) -> None:
        """What was said last of who may collect it counts. The station where it is by now is told, if it is another or
        hears more after this: a promise, too, says whether anybody may."""
        before, after = learned.before, learned.after
        if before is None or after is None or before.blocked == after.blocked:
            return
        then = clock.parse(entry.happened_at)
        since = sorted(said for said in self.said[after.id] if said.at > then)
        last = [entry.kind, *(said.kind for said in since if said.kind in _BLOCKS)][-1]
        if last in _BLOCKS and (since or after.station != self.station):
            at.record(_BLOCKS[last](parcel=after.id, by="hub"))

    def _withdraw(self, at: Sitting, parcel: UUID, reservation: UUID | None, station: str | None) -> None:
        """Of two promises the newer counts: the station of the older one is told, as it may never have been."""
        if reservation and station:
            at.record(facts.Withdrawn(parcel=parcel, reservation=reservation, station=station))

    def _look_for_room(self, at: Sitting) -> None:
        """Room may have been promised twice: once in the time that is lost, once since."""
        plan, room = at.book.plans[self.station], at.book.rooms[self.station]
        if not promises_fit(plan, room, at.policy.overbook):
            self._case(at, "short_of_room", None)

    def _case(self, at: Sitting, about: str, parcel: UUID | None) -> None:
        known = (case for case in at.book.cases.values() if case.about == about and case.station == self.station)
        if not any(case.parcel == parcel and case.closed_at is None for case in known):
            at.open_case(about, parcel, self.station, None, False)


class OfAFormerLife(Ingest):
    """What a computer that is gone had written, which the hub had signed for its successor and has lost since."""

    async def decide(self, at: Sitting) -> int:
        through = await super().decide(at)
        await _keep_past(at, self.writer, self.station, through)
        return through


async def _keep_past(at: Sitting, writer: str, station: str, through: int) -> None:
    await at.connection.execute(_IS_PAST, writer, station)
    await at.connection.execute(_RAISE, writer, through)


def _read(entry: Entry) -> Fact | None:
    """The fact; None for one that this version cannot read, or that is no fact of a hub."""
    try:
        return facts.read(entry.kind, entry.body) if entry.kind in _OURS else None
    except msgspec.DecodeError:
        return None


async def differs(at: Sitting, station: str, writer: str) -> None:
    """Notes once that a station has another book of a past stream than the hub: a case, nothing is overwritten."""
    new = await at.connection.execute(_DIFFERS, writer)
    if new.endswith(" 1"):
        await at.load((), [station])
        at.open_case("books_differ", None, station, None, False)
        await at.write()


async def learnt(connection: Connection, after: Mapping[str, int]) -> list[Run]:
    """What stands in these streams after these numbers, in an order in which it can be learnt once more: each stream
    by its numbers, each parcel by its revisions, and the rest by the time of recording."""
    queues = {name: deque(await connection.fetch(_MARKS, name, number)) for name, number in after.items()}
    waiting: dict[UUID, list[int]] = {}
    for row in (row for queue in queues.values() for row in queue if row["parcel"]):
        heapq.heappush(waiting.setdefault(row["parcel"], []), row["revision"])
    runs: list[Run] = []
    while any(queues.values()):
        row = min((queue[0] for queue in queues.values() if queue and _is_next(queue[0], waiting)), key=_when)
        queues[row["writer"]].popleft()
        if row["parcel"]:
            heapq.heappop(waiting[row["parcel"]])
        _add(runs, row["writer"], row["number"])
    return runs


def _is_next(row: Any, waiting: Mapping[UUID, Sequence[int]]) -> bool:
    return not row["parcel"] or waiting[row["parcel"]][0] == row["revision"]


def _when(row: Any) -> Any:
    return row["recorded_at"]


def _add(runs: list[Run], writer: str, number: int) -> None:
    if runs and runs[-1].writer == writer and number - runs[-1].after <= MOST_ITEMS:
        runs[-1] = runs[-1]._replace(through=number)
    else:
        runs.append(Run(writer, number - 1, number))
