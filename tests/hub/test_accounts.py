"""What a list forgets by itself: parcels whose life ended long ago, and accounts that nobody can come back to."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from parcelwall.clock import VirtualClock
from parcelwall.hub import accounts, signed_in
from parcelwall.hub.commands import Cancel
from parcelwall.hub.house import Hub
from station.towns import NOW, a_hub, about, announced

DAY = timedelta(days=1)


async def forget(hub: Hub) -> None:
    async with hub.pool.acquire() as connection, connection.transaction():
        await accounts.forget_old(connection, hub.clock.now())


async def listed(hub: Hub) -> set[UUID]:
    return {row["parcel"] for row in await hub.pool.fetch("SELECT parcel FROM account_parcel")}


async def test_an_account_whose_browser_is_signed_in_a_moment_later_is_there(database: str, tmp_path: Path) -> None:
    """A sweep between the two steps of a first sign-in takes nothing away."""
    now = VirtualClock(NOW)
    async with a_hub(database, tmp_path, now, stations=(about(),)) as hub:
        account = await accounts.open_account(hub)
        now.advance(2.0)
        await forget(hub)
        secret = await signed_in.begin(hub, "recipient", account)
        await accounts.join(hub, account, await announced(hub, "PW-1"))
        assert await accounts.find(hub, account)
        left = await accounts.open_account(hub)
        now.advance(2 * DAY.total_seconds())
        await forget(hub)
        assert await accounts.find(hub, account) and await accounts.find(hub, left) is None
        await signed_in.end(hub, secret)
        await forget(hub)
        assert await accounts.find(hub, account) is None


async def test_a_parcel_leaves_the_list_long_after_it_ended(database: str, tmp_path: Path) -> None:
    """However long it had stood there before: who had to wait for it sees how it ended."""
    now = VirtualClock(NOW)
    async with a_hub(database, tmp_path, now, stations=(about(),)) as hub:
        account = await accounts.open_account(hub)
        await signed_in.begin(hub, "recipient", account)
        slow, waiting = await announced(hub, "PW-1"), await announced(hub, "PW-2")
        for each in (slow, waiting):
            await accounts.join(hub, account, each)
        now.advance(70 * DAY.total_seconds())
        await signed_in.begin(hub, "recipient", account)
        await hub.desk.ask(Cancel(parcel=slow, carrier="acme"))
        await forget(hub)
        assert await listed(hub) == {slow, waiting}
        now.advance(61 * DAY.total_seconds())
        await forget(hub)
        assert await listed(hub) == {waiting}
