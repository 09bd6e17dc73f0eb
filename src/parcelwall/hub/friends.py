"""Somebody else's own page: the link that is shared with them, and which of those links still lead somewhere.

The right itself is a grant in the journal (hub/delegates.py). Here is only what finds its page: a hash.
"""

from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.hub import reading
from parcelwall.hub.delegates import Delegate, granted
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import link_hash
from parcelwall.rules import facts
from parcelwall.rules.life import INSIDE, Parcel


async def let_collect(hub: Hub, parcel: Parcel) -> UUID:
    """A new grant, with a page of its own. Raises Refusal for a parcel that nobody else may collect."""
    answer = await hub.desk.ask(Delegate(parcel=parcel.id))
    grant = UUID(answer.body["grant"])
    await hub.pool.execute(
        "INSERT INTO friend VALUES ($1, $2, $3, $4)",
        grant, parcel.id, link_hash(hub.keys.link_token("friend", grant)), answer.body["until"],
    )  # fmt: skip
    return grant


def link_of(hub: Hub, grant: UUID) -> str:
    """The whole address of a friend's page."""
    return f"{hub.public_url}/f/{hub.keys.link_token('friend', grant)}"


async def of_parcel(hub: Hub, parcel: Parcel) -> list[facts.Granted]:
    """Who else may collect now: the grants that neither ended nor were taken back, the newest first."""
    if parcel.stage not in INSIDE:
        return []
    rows = await hub.pool.fetch(
        "SELECT granted FROM friend WHERE parcel = $1 AND until > $2 ORDER BY granted DESC", parcel.id, hub.clock.now()
    )
    found = [await granted(hub, parcel, row["granted"]) for row in rows]
    return [each for each in found if each]


async def by_link(hub: Hub, token: str) -> tuple[Parcel, facts.Granted]:
    """The parcel and the grant of a friend's page. Refuses alike what never was, has ended, or was taken back."""
    row = await hub.pool.fetchrow("SELECT granted, parcel FROM friend WHERE hash = $1", link_hash(token))
    parcel = await reading.known_parcel(hub, row["parcel"]) if row else None
    if row is None or parcel is None or parcel.stage not in INSIDE:
        raise Refusal("not_found")
    grant = await granted(hub, parcel, row["granted"])
    if grant is None:
        raise Refusal("not_found")
    return parcel, grant
