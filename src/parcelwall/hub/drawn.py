"""A code that one of the operator's people draws: an act that can open a door, and counts as a door opened alone.

Whoever it is passed to opens with it, so that it has a reason and an end, there are few of them, the journal says who
drew it (`Granted`), and the recipient's page shows that it was drawn.
"""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub import acts, lists, reading
from parcelwall.hub.house import Hub
from parcelwall.hub.lists import CODE_LASTS, Drawn
from parcelwall.hub.staff import Person

MOST_OF_PARCEL, MOST_AT_STATION = 3, 20  # in a day; with many about, a code alone is taken no more (docs/codes.md)
DAY = timedelta(days=1)

_TODAY = """
SELECT count(*) FILTER (WHERE body LIKE '%"parcel":"' || $2 || '"%') AS parcel, count(*) AS station FROM act
WHERE kind = 'draw_code' AND station = $1 AND asked_at > $3"""
_NOTE = """
INSERT INTO act (id, kind, station, body, asked_by, asked_at, until, state, due_at, outcome)
VALUES ($1, 'draw_code', $2, $3, $4, $5, $6, 'done', $5, 'drawn')"""


class NewCode(msgspec.Struct, frozen=True):
    """The body of an act that draws a code. `compartment` is where the parcel lies."""

    parcel: UUID
    compartment: int
    reason: str
    until: datetime | None = None
    not_before: datetime | None = None


async def draw(hub: Hub, who: Person, wanted: NewCode) -> Drawn:
    """Draws it, and notes the act. Refuses whoever may not, a reason that is missing or tells of a person, a time past
    seven days, the third door or code of one person in ten minutes, and more of them in a day than may be."""
    station = await reading.station_of_parcel(hub, wanted.parcel)
    if not who.may("codes", station):
        raise Refusal("no_right")
    acts.refuse_bad_reason(wanted.reason)
    now = hub.clock.now()
    if wanted.until and wanted.until > now + CODE_LASTS:
        raise Refusal("bad_field", "A code is good for seven days at most.", field="until")
    async with hub.pool.acquire() as connection, connection.transaction():
        if not await acts.may_alone(connection, who.id, now, hub.policy.doors_alone):
            raise Refusal("second_person_needed")
        drawn = await lists.draw_code(
            hub, connection, wanted.parcel, wanted.until, wanted.not_before, who.actor, wanted.reason
        )
        await _refuse_too_many(connection, drawn.station, wanted.parcel, now)
        body = msgspec.json.encode(msgspec.structs.replace(wanted, compartment=drawn.compartment)).decode()
        await connection.execute(_NOTE, drawn.grant, drawn.station, body, who.id, now, drawn.until)
    hub.bells.ring([str(wanted.parcel)])
    return drawn


async def _refuse_too_many(connection: asyncpg.Connection, station: str, parcel: UUID, now: datetime) -> None:
    """With the station's row locked, so that two at once are counted one after the other."""
    today = await connection.fetchrow(_TODAY, station, str(parcel), now - DAY)
    if today["parcel"] >= MOST_OF_PARCEL or today["station"] >= MOST_AT_STATION:
        raise Refusal("too_many_codes")
