"""Sites: who hosts a station, by whose leave, until when. The newest `SiteNoted` of a station counts; older ones are
its history, read from the journal by an index of its own. The newest stands in the row of its station too
(`Station.site`), since each promise of room asks whether its permit holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from uuid import UUID

import msgspec
from asyncpg import Connection

from parcelwall.errors import Refusal
from parcelwall.hub.beside_newer import to_write_anew
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import OF_HUB
from parcelwall.rules import facts
from parcelwall.rules.personal import told_of_people

LONGEST = 200
TEXTS = ("host", "authority", "permit", "conditions", "access", "way", "step_free_way")
_NEWEST = f"""
SELECT DISTINCT ON (body::jsonb->>'station') body, happened_at FROM entry WHERE kind = 'SiteNoted' AND {OF_HUB}
ORDER BY body::jsonb->>'station', happened_at DESC, number DESC"""  # noqa: S608 - a text of our own
_OF_ONE = f"""
SELECT body, happened_at FROM entry WHERE kind = 'SiteNoted' AND {OF_HUB} AND body::jsonb->>'station' = $1
ORDER BY happened_at DESC, number DESC LIMIT 20"""  # noqa: S608 - the same


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What a `SiteNoted` says of a station's place, and when it was noted."""

    station: str
    host: str = ""
    authority: str = ""
    permit: str = ""
    valid_until: date | None = None
    access: str = ""
    actor: UUID | None = None
    ground: str = ""
    valid_from: date | None = None
    conditions: str = ""
    way: str = ""
    step_free: bool | None = None
    step_free_way: str = ""
    lit: bool | None = None
    kerb: str = ""
    photo: str = ""
    papers: tuple[str, ...] = ()
    noted_at: datetime


async def newest(hub: Hub) -> list[Site]:
    """Of each station that has one, the newest."""
    return [_site(row["body"], row["happened_at"]) for row in await hub.pool.fetch(_NEWEST)]


async def history(hub: Hub, station: str) -> list[Site]:
    """What was noted of one station, newest first."""
    return [_site(row["body"], row["happened_at"]) for row in await hub.pool.fetch(_OF_ONE, station)]


@asynccontextmanager
async def changing(hub: Hub, station: str) -> AsyncIterator[tuple[Connection, facts.SiteNoted]]:
    """A transaction in which nobody else notes anything of this station, and what is on paper of it now: of one that
    has nothing, nothing. Raises Trouble if a later version has noted what this one would lose."""
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM station WHERE id = $1 FOR UPDATE", station)
        body = await connection.fetchval(_OF_ONE, station)
        yield connection, to_write_anew(body, facts.SiteNoted) if body else facts.SiteNoted(station=station)


def _site(body: str, noted_at: datetime) -> Site:
    noted = msgspec.json.decode(body, type=facts.SiteNoted)
    return Site(**msgspec.structs.asdict(noted), noted_at=noted_at)


async def note(hub: Hub, site: facts.SiteNoted, connection: Connection | None = None) -> None:
    """Writes down what is on paper now, in a transaction of `changing` if one is given: whoever gave it has this
    process know of it afterwards (`hub.refresh`). Refuses an unknown station, long texts, what tells of a person."""
    if site.station not in hub.stations.known:
        raise Refusal("station_unknown", station=site.station)
    for field in TEXTS:
        text = getattr(site, field)
        if len(text) > LONGEST or (text and not text.isprintable()):
            raise Refusal("bad_field", f"At most {LONGEST} characters on one line.", field=field)
        if told_of_people("SiteNoted", text):
            raise Refusal("bad_field", "Offices and companies, without anybody's address or number.", field=field)
    if site.valid_from and site.valid_until and site.valid_from > site.valid_until:
        raise Refusal("bad_field", "It begins after it has ended.", field="valid_from")
    await hub.note(site, connection)
    if connection is None:
        await hub.refresh()
