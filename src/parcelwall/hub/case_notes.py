"""What was done about a case that stays open: somebody was sent there, its recipient was told. Facts, newest last.

Without it two people send a technician to one door each, and whoever comes on duty asks who has done what.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub import acts, people
from parcelwall.hub.house import Hub
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.staff import Person
from parcelwall.hub.stations import OF_HUB
from parcelwall.rules.facts_office import CaseNoted
from parcelwall.rules.life import INSIDE, Parcel
from parcelwall.rules.rights import Right

What = Literal["sent", "told"]
CLOCKS = timedelta(days=1)  # a case may have been opened by a clock that goes before ours
RIGHTS: Mapping[What, Right] = {"sent": "hold", "told": "extend"}

# What a station writes under this name is no note, and may be anything: it is not read at all.
_SINCE = f"""
SELECT body, happened_at FROM entry
WHERE kind = 'CaseNoted' AND {OF_HUB} AND happened_at >= $1 ORDER BY happened_at, number"""  # noqa: S608 - our own
_CASE = "SELECT station, parcel, opened_at, closed_at FROM case_file WHERE id = $1 FOR UPDATE"
_PARCEL = "SELECT record FROM parcel WHERE id = $1"


class Note(msgspec.Struct, frozen=True):
    """One of them. `actor` is who did it."""

    what: What
    at: datetime
    words: str
    actor: UUID | None


async def of_cases(at: Any, opened: Mapping[UUID, datetime]) -> dict[UUID, list[Note]]:
    """What was done about each of these cases, by when they were opened; oldest first. `at`: a pool, or the connection
    that its asker holds already, for whoever holds one while waiting for another may wait for ever."""
    found: dict[UUID, list[Note]] = {}
    if opened:
        for row in await at.fetch(_SINCE, min(opened.values()) - CLOCKS):
            fact = msgspec.json.decode(row["body"], type=CaseNoted)
            if fact.case in opened:
                found.setdefault(fact.case, []).append(Note(fact.what, row["happened_at"], fact.note, fact.actor))
    return found


async def send(hub: Hub, who: Person, case: UUID, words: str) -> None:
    """Writes down that somebody was sent. Raises Refusal for an unknown case, for no right, for one that is closed by
    now, and for words that are missing or tell of a person."""
    async with hub.pool.acquire() as connection, connection.transaction():
        row = await _open_case(connection, who, case, "sent")
        acts.refuse_bad_reason(words)
        await hub.note(
            CaseNoted(case=case, what="sent", station=row["station"], parcel=row["parcel"], note=words.strip(),
                      actor=who.actor), connection,
        )  # fmt: skip


async def tell(hub: Hub, who: Person, case: UUID) -> bool:
    """Has the recipient of the case's parcel told that it is looked after; once. False if there is nobody who can be
    told: it is not inside any more, or no address of theirs is known. Raises Refusal as `send` does, and if they were
    told already."""
    async with hub.pool.acquire() as connection, connection.transaction():
        row = await _open_case(connection, who, case, "told")
        known = await of_cases(connection, {case: row["opened_at"]})
        if any(note.what == "told" for note in known.get(case, ())):
            raise Refusal("stale_screen")
        record = await connection.fetchval(_PARCEL, row["parcel"])
        parcel = read_parcel(record) if record else None
        if parcel is None or not may_be_told(parcel):
            return False
        person = await people.find(connection, parcel.person, hub.keys)
        if person is None or not any(_ways(person).get(channel) for channel in hub.channels):
            return False
        await hub.note(
            CaseNoted(case=case, what="told", station=row["station"], parcel=parcel.id, actor=who.actor), connection
        )
    return True


def may_be_told(parcel: Parcel) -> bool:
    """Whether anybody waits for it: of a return nobody does, and what is blocked is nobody's to collect."""
    return parcel.stage in INSIDE and parcel.direction == "delivery" and not parcel.blocked


def _ways(person: people.Person) -> dict[str, str | None]:
    return {"email": person.email, "sms": person.phone}


async def _open_case(connection: Any, who: Person, case: UUID, what: What) -> Any:
    """The case's row, held until the note is written: two who do the same at once are told apart."""
    row = await connection.fetchrow(_CASE, case)
    if row is None:
        raise Refusal("not_found")
    if not who.may(RIGHTS[what], row["station"]):
        raise Refusal("no_right")
    if row["closed_at"] is not None:
        raise Refusal("stale_screen")
    return row
