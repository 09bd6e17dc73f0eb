"""What doors saw comes in: a station's entries are checked, stored and learnt in one transaction. Never refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from parcelwall import clock
from parcelwall.hub.sitting import Sitting
from parcelwall.journal import chain
from parcelwall.journal.chain import Entry, Fork
from parcelwall.rules import decide, facts
from parcelwall.rules.book import Learned
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import Stage
from parcelwall.rules.understanding import understanding

_OURS = frozenset(kind.__name__ for kind in facts.STATION_KINDS)
_UNREADABLE = "unreadable"
_UNREAD = """
INSERT INTO unread (writer, number, station, understanding) SELECT $1, unnest($2::bigint[]), $3, $4
ON CONFLICT DO NOTHING"""


class Ingest(msgspec.Struct, kw_only=True):
    """Entries of one station, as they came by the link; `read` beside them, None where one cannot be read."""

    kinds: ClassVar[Mapping[str, type[Fact]]] = facts.KINDS  # what this version knows
    station: str
    writer: str
    entries: Sequence[Entry]
    read: list[Fact | None] = []
    why_not: list[str] = []
    known: int = 0  # through this number all was here before

    def __post_init__(self) -> None:
        for entry in self.entries:
            fact, why = _read(entry, self.station, self.kinds)
            self.read.append(fact)
            self.why_not.append(why)

    def parcels(self) -> list[UUID]:
        return [fact.parcel for fact in self.read if facts.is_of_parcel(fact)]

    def tells_of(self, kind: type[Fact]) -> bool:
        return any(type(fact) is kind for fact in self.read)

    def cases(self) -> list[UUID]:
        return [fact.case for fact in self.read if type(fact) is facts.CaseOpened]

    def last_collected(self) -> tuple[facts.Collected, datetime] | None:
        """The last collection that was news, and when it happened."""
        for entry, fact in zip(reversed(self.entries), reversed(self.read), strict=True):
            if type(fact) is facts.Collected and entry.number > self.known:
                return fact, clock.parse(entry.happened_at)
        return None

    async def decide(self, at: Sitting) -> int:
        """The number through which everything of this writer is stored. Raises Broken for a hole, Fork for a lie."""
        head = at.heads[self.writer]
        self.known = head.number
        new = [(entry, fact, why) for entry, fact, why in zip(self.entries, self.read, self.why_not, strict=True)
               if entry.number > head.number]  # fmt: skip
        await self._refuse_forks(at, head.number)
        made = chain.chained(head, [entry for entry, _, _ in new])
        for entry, (_, fact, why) in zip(made, new, strict=True):
            learned = at.receive(entry, fact, self.station)
            if why:
                await self._set_aside(at, entry, why)
            self._follow(at, fact, learned)
        if unread := [entry.number for entry, fact, why in new if fact is None and is_of_later(why)]:
            await at.connection.execute(_UNREAD, self.writer, unread, self.station, understanding(self.kinds))
        if made:
            at.heads[self.writer] = chain.Head(made[-1].number, made[-1].hash)
        return max(head.number, made[-1].number if made else 0)

    async def _refuse_forks(self, at: Sitting, known_through: int) -> None:
        known = [entry for entry in self.entries if entry.number <= known_through]
        if not known:
            return
        rows = await at.connection.fetch(
            "SELECT number, kind, happened_at, body FROM entry WHERE writer = $1 AND number = ANY($2::bigint[])",
            self.writer, [entry.number for entry in known],
        )  # fmt: skip
        stored = {row["number"]: (row["kind"], clock.text(row["happened_at"]), row["body"]) for row in rows}
        for entry in known:
            if stored.get(entry.number) != (entry.kind, entry.happened_at, entry.body):
                raise Fork(self.writer, entry.number, "known here with other content")

    def _follow(self, at: Sitting, fact: Fact | None, learned: Learned) -> None:
        """What the hub itself writes, after what a station has told."""
        if facts.is_of_parcel(fact):
            self._follow_up(at, fact, learned)
        elif type(fact) is facts.StoodStill:
            self._keep_longer(at, fact)

    async def _set_aside(self, at: Sitting, entry: Entry, why: str) -> None:
        await at.connection.execute(
            "INSERT INTO dead_letter VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", entry.writer, entry.number, why
        )
        at.open_case("unreadable_entry", None, self.station, None, False)

    def _keep_longer(self, at: Sitting, stood: facts.StoodStill) -> None:
        for parcel in list(at.book.parcels.values()):
            if longer := decide.keep_longer(parcel, stood, self.station, at.now, at.book.cases.values()):
                at.record(longer)

    def _follow_up(self, at: Sitting, fact: facts.ParcelFact, learned: Learned) -> None:
        if learned.surprise:
            about, station, compartment, holds = learned.surprise
            at.open_case(about, fact.parcel, station, compartment, holds)
        before = learned.before
        if before and before.blocked is not None and before.station != self.station and type(fact) is facts.Deposited:
            kind = facts.Blocked if before.blocked else facts.Unblocked  # it lies where nobody was told
            at.record(kind(parcel=fact.parcel, by="hub"))
        moved = before is not None and before.stage == Stage.RESERVED and before.station not in (None, self.station)
        if moved and before and before.station and before.reservation and isinstance(fact, facts.Deposited):
            at.record(facts.Withdrawn(parcel=before.id, reservation=before.reservation, station=before.station))


def is_of_later(why_not: str) -> bool:
    """Whether a later version may read what this one does not: a kind that is new, a body that does not fit."""
    return not why_not or why_not.startswith(_UNREADABLE)


def _read(entry: Entry, station: str, kinds: Mapping[str, type[Fact]]) -> tuple[Fact | None, str]:
    """The fact of a station's entry, or None and why it is only kept and not understood."""
    if entry.kind not in kinds:
        return None, ""  # a newer station's kind: stored, chained, passed on
    if entry.kind not in _OURS:
        return None, f"{entry.kind} is not for a station to write"
    try:
        fact = facts.read(entry.kind, entry.body)
    except (msgspec.DecodeError, UnicodeError) as no:
        return None, f"{_UNREADABLE}: {no}"
    if getattr(fact, "station", None) not in (None, station):
        return None, "it speaks of another station"
    return fact, ""
