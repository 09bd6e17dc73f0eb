"""What waits to be told, for whoever wants to look at it without anybody being told: examples, simulation, tests."""

from parcelwall.hub import people
from parcelwall.hub.followers import turn
from parcelwall.hub.house import Hub
from parcelwall.hub.tell import NAME, Teller
from parcelwall.notices.messages import Message, NoticeFacts


class Nowhere:
    """A channel that takes everything and tells nobody; for examples that look at what would be said."""

    async def hand_over(self, person: people.Person, message: Message, message_id: str) -> None:
        return None


async def outbox(hub: Hub, public_url: str = "http://127.0.0.1:8600") -> list[NoticeFacts]:
    """What waits to be told, after the follower has read all there is. Hands nothing over."""
    teller = Teller(hub, {"email": Nowhere()}, public_url, "parcelwall.invalid")
    while await turn(hub.pool, NAME, teller.note):
        pass
    async with hub.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT notice.*, record FROM notice JOIN parcel ON id = parcel WHERE state = 'waiting'"
        )
        prepared = [await teller.prepare(connection, row) for row in rows]
    return [each.told for each in prepared if each]
