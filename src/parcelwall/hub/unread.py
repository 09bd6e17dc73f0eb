"""What stations of a later version told an older hub is learnt, once the hub's software reads it.

At each start: what stands in `unread` and another version could not read is tried, in the order of each station's
numbers, in the transaction that notes it as learnt. Nothing is told twice, and nothing later is undone: where the same
station has told more of the parcel since, or nobody was told in time, a case asks somebody to look.
"""

from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from parcelwall import clock
from parcelwall.errors import ParcelwallError
from parcelwall.hub.desk import Desk
from parcelwall.hub.ingest import Ingest, is_of_later
from parcelwall.hub.sitting import Sitting
from parcelwall.journal import streams
from parcelwall.journal.chain import Entry
from parcelwall.rules import facts
from parcelwall.rules.facts import Fact
from parcelwall.rules.understanding import understanding

AT_ONCE = 500
LEARNT_LATE = "learnt_late"

_OF_OTHERS = """
SELECT unread.station, writer, number, kind, happened_at, body, hash FROM unread JOIN entry USING (writer, number)
WHERE learnt_at IS NULL AND understanding <> $1 ORDER BY unread.station, writer, number LIMIT $2"""
_LEFT = "SELECT number FROM unread WHERE writer = $1 AND number = ANY($2::bigint[]) AND learnt_at IS NULL FOR UPDATE"
_LEARNT = "UPDATE unread SET learnt_at = $3, parcel = $4, revision = $5 WHERE writer = $1 AND number = $2"
_NOT_YET = "UPDATE unread SET understanding = $3 WHERE writer = $1 AND number = $2"
_OVER = "DELETE FROM unread WHERE writer = $1 AND number = $2"
_SINCE = "SELECT EXISTS (SELECT FROM entry WHERE parcel = $3 AND writer = $1 AND number > $2)"

log = structlog.get_logger()


class Late(Ingest):
    """Entries that stand here already, and that an older version could not read."""

    async def decide(self, at: Sitting) -> int:
        """How many of them are learnt now."""
        numbers = [entry.number for entry in self.entries]
        left = {row["number"] for row in await at.connection.fetch(_LEFT, self.writer, numbers)}
        learnt = 0
        for entry, fact, why in zip(self.entries, self.read, self.why_not, strict=True):
            if entry.number in left:
                learnt += await self._learn(at, entry, fact, why)
        return learnt

    async def _learn(self, at: Sitting, entry: Entry, fact: Fact | None, why: str) -> bool:
        place = (entry.writer, entry.number)
        if fact is None and is_of_later(why):
            await at.connection.execute(_NOT_YET, *place, understanding(self.kinds))
            return False
        if fact is None:  # known by now, and not for this station to write
            await at.connection.execute(_OVER, *place)
            await self._set_aside(at, entry, why)
            return False
        parcel = fact.parcel if facts.is_of_parcel(fact) else None
        if parcel:
            self._ask_to_look(at, parcel)
        if parcel and await at.connection.fetchval(_SINCE, *place, parcel):
            await at.connection.execute(_NOT_YET, *place, understanding(self.kinds))
            return False
        learned, revision = at.learn_late(entry, fact, self.station)
        await at.connection.execute(_LEARNT, *place, at.now, parcel, revision)
        self._follow(at, fact, learned)
        return True

    def _ask_to_look(self, at: Sitting, parcel: UUID) -> None:
        """Nobody was told of it when it happened."""
        open_now = {(case.about, case.parcel) for case in at.book.cases.values() if case.closed_at is None}
        if (LEARNT_LATE, parcel) not in open_now:
            at.open_case(LEARNT_LATE, parcel, self.station, None, False)


async def learn(pool: asyncpg.Pool, desk: Desk, kind: type[Late] = Late) -> int:
    """How many entries are learnt now that were kept unread. Other processes may do the same: each is learnt once."""
    learnt = 0
    while rows := await pool.fetch(_OF_OTHERS, understanding(kind.kinds), AT_ONCE):
        of_later_lives = sorted(rows, key=lambda row: (row["station"], streams.life_of(row["writer"]), row["number"]))
        for (station, writer), some in groupby(of_later_lives, lambda row: (row["station"], row["writer"])):
            late = kind(station=station, writer=writer, entries=[_entry(row) for row in some])
            try:
                learnt += await desk.receive(late)
            except ParcelwallError as no:
                log.error("not_learnt_late", station=station, reason=str(no))
                return learnt
    if learnt:
        log.info("learnt_late", entries=learnt, reason="this version reads what the one before had kept unread")
    return learnt


def _entry(row: Any) -> Entry:
    return Entry(row["writer"], row["number"], row["kind"], clock.text(row["happened_at"]), row["body"], row["hash"])
