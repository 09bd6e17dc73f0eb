"""Which time that nobody asked for is told. A station whose power fails eight times a day gives each parcel inside more
time eight times: whoever waits for one hears of it when it has added up, not each time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from parcelwall.hub.followers import Followed, facts_of
from parcelwall.rules import facts

WORTH_TELLING = timedelta(hours=1)  # since the time that was told last
TOLD_AGAIN_AFTER = timedelta(hours=12)
TELL_AT_ONCE = timedelta(hours=6)  # so much more is told sooner

Key = tuple[str, int]  # an entry's writer and number

# Without those that end a case: whoever stood before a door that did not open is told that it was seen to.
_OF_OUTAGES = """
SELECT e.writer, e.number FROM entry e
JOIN unnest($1::text[], $2::bigint[]) AS of (writer, number) USING (writer, number)
WHERE NOT EXISTS (SELECT FROM entry AS closed WHERE closed.tx = e.tx AND closed.kind = 'CaseClosed')"""
_TOLD_LAST = """
SELECT DISTINCT ON (told.parcel) told.parcel, told.kind, told.body, told.recorded_at, purpose FROM notice
JOIN entry AS told USING (writer, number)
WHERE notice.parcel = ANY($1) AND purpose IN ('ready', 'kept_longer') AND told.kind IN ('Deposited', 'Extended')
ORDER BY told.parcel, told.revision DESC"""


async def by_others(connection: asyncpg.Connection, entries: Sequence[Followed]) -> dict[Key, facts.Extended]:
    """What the recipient did not ask for: a station stood still, an operator gave a whole area more time."""
    read = await facts_of(connection, [entry for entry in entries if entry.kind == "Extended"])
    return {key: fact for key, fact in read.items() if isinstance(fact, facts.Extended) and fact.by != "recipient"}


async def too_little(connection: asyncpg.Connection, given: dict[Key, facts.Extended], now: datetime) -> set[Key]:
    """Of these the ones that are not told: what outages gave since the time that was told last is little, or was told
    some hours ago. The page and the next notice say the right time all the same."""
    hubs = [key for key, fact in given.items() if fact.by == "hub"]
    if not hubs:
        return set()
    writers, numbers = map(list, zip(*hubs, strict=True))
    asked = [(row["writer"], row["number"]) for row in await connection.fetch(_OF_OUTAGES, writers, numbers)]
    rows = await connection.fetch(_TOLD_LAST, [given[key].parcel for key in asked])
    told = {row["parcel"]: row for row in rows}
    newest = {fact.parcel: fact.collect_by for fact in sorted(given.values(), key=lambda fact: fact.collect_by)}
    return {
        key for key in asked if given[key].collect_by < newest[given[key].parcel]
        or ((row := told.get(given[key].parcel)) and _is_little(given[key], row, now))
    }  # fmt: skip


def _is_little(given: facts.Extended, told: asyncpg.Record, now: datetime) -> bool:
    until = _until(told)
    if until is None:
        return False
    more = given.collect_by - until
    lately = told["purpose"] == "kept_longer" and now - told["recorded_at"] < TOLD_AGAIN_AFTER
    return more < (TELL_AT_ONCE if lately else WORTH_TELLING)


def _until(told: asyncpg.Record) -> datetime | None:
    """The time that the notice of this entry told; None if it told none."""
    try:
        fact = facts.read(told["kind"], told["body"])
    except msgspec.MsgspecError:
        return None
    return fact.collect_by if isinstance(fact, facts.Deposited | facts.Extended) else None
