"""What the operator has a station's screen say besides. The newest `ScreenNoted` of a station counts, older ones are
its history; there is no table."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import OF_HUB
from parcelwall.rules import facts, screen_note

# In the order of streams.place_of: a restored hub is given back what it had said before, and its clock may go back.
# What a station itself writes under this name is no note, and may be anything: it is not read at all.
_OF_ONE = f"""
SELECT body, happened_at FROM entry
WHERE kind = 'ScreenNoted' AND CASE WHEN {OF_HUB} THEN body::jsonb->>'station' = $1 END
ORDER BY substring(writer from 'hub:(\\d+)/')::bigint DESC, number DESC LIMIT 10"""  # noqa: S608 - a text of our own


class Said(msgspec.Struct, frozen=True):
    """One such note, and when it was written."""

    noted: facts.ScreenNoted
    at: datetime


async def history(hub: Hub, station: str) -> list[Said]:
    """What its screen was told to say, newest first: at most ten."""
    rows = await hub.pool.fetch(_OF_ONE, station)
    return [Said(msgspec.json.decode(row["body"], type=facts.ScreenNoted), row["happened_at"]) for row in rows]


async def say(
    hub: Hub, station: str, texts: Mapping[str, str], until: datetime | None, actor: UUID | None
) -> facts.ScreenNoted:
    """Tells the station by its stream, which keeps it and shows it also without a line. Without words it says nothing
    more. Raises Refusal for an unknown station, and what `screen_note.note` raises."""
    known = hub.stations.known.get(station)
    if known is None:
        raise Refusal("station_unknown", station=station)
    told = screen_note.note(station, known.about.language, texts, until, hub.clock.now(), actor)
    async with hub.pool.acquire() as connection, connection.transaction():
        at = hub.desk.sitting(connection)
        await at.load((), [station])
        at.record(told)
        await at.write()
    return told
