"""What `verify` reads of the hub's journal: rows as they are stored, and what is learnt of all of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from parcelwall.journal import streams
from parcelwall.journal.chain import Entry
from parcelwall.rules import facts
from parcelwall.rules.book import Book
from parcelwall.rules.facts import Fact
from parcelwall.rules.policy import Policy


class Kept(msgspec.Struct, frozen=True):
    """A stored row: the entry, whose parcel it is of, where in that parcel's life, and when it was recorded."""

    entry: Entry
    parcel: UUID | None
    revision: int | None
    recorded_at: datetime
    tx: int

    @property
    def name(self) -> str:
        return f"{self.entry.writer} number {self.entry.number}"

UNREAD = "SELECT writer, number, learnt_at, parcel, revision FROM unread"


def as_learnt(kept: dict[str, list[Kept]], unread: Sequence[Any]) -> dict[str, list[Kept]]:
    """The streams as the hub has learnt them: what an older version kept unread is not in its place. It comes in a
    stream of its own, when it was learnt; or not at all, as long as it was not."""
    late = {(row["writer"], row["number"]): row for row in unread}
    if not late:
        return kept
    streams_of = {writer: [row for row in rows if (writer, row.entry.number) not in late]
                  for writer, rows in kept.items()}  # fmt: skip
    learnt = [
        msgspec.structs.replace(row, parcel=found["parcel"], revision=found["revision"], recorded_at=found["learnt_at"])
        for writer, rows in kept.items() for row in rows
        if (found := late.get((writer, row.entry.number))) and found["learnt_at"]
    ]  # fmt: skip
    learnt.sort(key=lambda row: (row.recorded_at, streams.life_of(row.entry.writer), row.entry.number))
    return {**streams_of, "learnt late": learnt}


class Reading:
    """What is learnt of the whole journal: the book that follows, and what the checks after it need."""

    def __init__(self) -> None:
        self.book = Book()
        self.revisions: dict[UUID, int] = {}
        self.surprises: list[tuple[Kept, UUID, str]] = []
        self.promised: dict[UUID, tuple[UUID, str, datetime]] = {}  # reservation -> parcel, station, deposit_by
        self.lapsed: set[UUID] = set()
        self.policies: dict[int, Policy] = {}
        self.keys: dict[str, bytes] = {}
        self.configured: dict[str, facts.StationConfigured] = {}
        self.by_station: dict[str, tuple[list[tuple[Kept, Fact]], list[tuple[Kept, Fact]]]] = {}
        self.lost_after: dict[str, int] = {}  # a past stream of the hub -> what a backup held of it
        self.next_streams: dict[str, list[str]] = {}  # a past stream -> what was begun after it, the newest last

    def note_epochs(self, kept: dict[str, list[Kept]]) -> None:
        """Where each past stream ended in the backup from which the hub was restored, and what follows which.

        A backup may be older than an epoch: then that whole epoch was lost, and no later one says where it ended. What
        it said itself of the ends of others is of a backup that counts no longer.
        """
        epochs = {writer: streams.epoch_of(writer) for writer in kept if streams.is_hubs(writer)}
        for writer, rows in sorted(kept.items(), key=lambda each: -streams.epoch_of(each[0])):
            if streams.station_of(writer) and streams.is_hubs(writer) and epochs[writer] < max(epochs.values()):
                self.lost_after.setdefault(writer, 0)
            for row in rows:
                if (fact := _of_an_end(row.entry)) is None:
                    continue
                self.next_streams.setdefault(fact.before, []).insert(0, writer)
                if isinstance(fact, facts.EpochBegan) and not self.was_given_back(row.entry):
                    self.lost_after.setdefault(fact.before, fact.number)

    def was_given_back(self, entry: Entry) -> bool:
        """Whether a station gave it back to a hub that had lost it."""
        return entry.number > self.lost_after.get(entry.writer, entry.number)

    def note(self, kept: Kept, fact: Fact, station: str | None) -> None:
        """Puts a fact where the checks look for it. `station` is whose stream it stands in, if any."""
        if station:
            from_hub, from_doors = self.by_station.setdefault(station, ([], []))
            decided = streams.is_hubs(kept.entry.writer) and not self.was_given_back(kept.entry)
            (from_hub if decided else from_doors).append((kept, fact))
        if isinstance(fact, facts.Reserved):
            self.promised[fact.reservation] = (fact.parcel, fact.station, fact.deposit_by)
        elif isinstance(fact, facts.PolicyAdopted):
            self.policies[fact.policy.version] = fact.policy
        elif isinstance(fact, facts.StationEnrolled):
            self.keys[fact.station] = bytes.fromhex(fact.public_key)
        elif isinstance(fact, facts.StationConfigured):
            self.configured[fact.station] = fact


def _of_an_end(entry: Entry) -> facts.EpochBegan | facts.JournalRestored | None:
    """What an entry says of a stream before its own: the hub of its epochs, a station of its lives."""
    if entry.kind not in ("EpochBegan", "JournalRestored"):
        return None
    try:
        fact = facts.read(entry.kind, entry.body)
    except msgspec.DecodeError:
        return None
    if not isinstance(fact, facts.EpochBegan | facts.JournalRestored) or fact.before == entry.writer:
        return None
    of_hub = isinstance(fact, facts.EpochBegan)
    same = streams.station_of(fact.before) == streams.station_of(entry.writer)
    return fact if same and of_hub == streams.is_hubs(entry.writer) == streams.is_hubs(fact.before) else None
