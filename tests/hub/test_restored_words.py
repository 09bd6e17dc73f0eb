"""A hub that was restored decides anew before it hears what it had decided: the younger word counts, in all books."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.backups import Backups
from hub.test_restored import reserve, whole
from parcelwall.clock import VirtualClock
from parcelwall.hub import reading
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.house import Hub
from parcelwall.hub.lists import Block
from parcelwall.hub.sweeps import sweep
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import seeded
from parcelwall.rules.life import Stage
from parcelwall.simulation.town import Town, a_town
from station.towns import NOW, about, announced, parcel_at, told

DAY_S = 86_400.0


@pytest_asyncio.fixture
async def now() -> VirtualClock:
    return VirtualClock(NOW)


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path, now: VirtualClock) -> AsyncIterator[Town]:
    async with a_town(tmp_path, now, seeded(now, 1), durable=False, dsn=database) as town:
        await town.station(about())
        await town.station(about("S-0002", lat=60.18))
        yield town


async def all_carry(town: Town) -> None:
    for each in [*town.stations.values()] * 2:
        await each.carry()


async def test_a_promise_from_before_is_late_news_to_a_new_computer_too(town: Town, backups: Backups) -> None:
    """It fetches what the hub was given back after what the hub has promised since."""
    parcel = await announced(town.hub, "PW-8")
    backup = await backups.make()
    await reserve(town.hub, parcel, "S-0001")
    await all_carry(town)
    async with backups.restored(backup) as hub:
        await reserve(hub, parcel, "S-0001")
        await all_carry(town)
        new = await town.replace("S-0001", hub)
        await whole(hub, town)
        await new.deposit("PW-8")
        await new.carry()
        assert (await parcel_at(hub, parcel)).stage == Stage.READY


async def test_a_promise_from_before_stays_over_where_a_later_one_is(
    town: Town, backups: Backups, now: VirtualClock
) -> None:
    """Promised in the lost time, promised there once more, and lapsed before the station was heard."""
    parcel = await announced(town.hub, "PW-8")
    backup = await backups.make()
    await reserve(town.hub, parcel, "S-0001")
    await all_carry(town)
    async with backups.restored(backup) as hub:
        await reserve(hub, parcel, "S-0001")
        for _ in range(15):
            now.advance(DAY_S)
            await sweep(hub)
        assert (await parcel_at(hub, parcel)).stage == Stage.ANNOUNCED
        await all_carry(town)
        assert (await parcel_at(hub, parcel)).stage == Stage.ANNOUNCED
        await whole(hub, town)


async def test_a_lapse_that_comes_back_takes_nothing_from_the_promise_since(
    town: Town, backups: Backups, now: VirtualClock
) -> None:
    """And `verify` does not hold the one against the time of the other."""
    parcel = await told(town, "PW-1")
    backup = await backups.make()
    now.advance(30 * DAY_S)
    await all_carry(town)
    await sweep(town.hub)
    await all_carry(town)
    assert (await parcel_at(town.hub, parcel)).stage == Stage.ANNOUNCED
    async with backups.restored(backup) as hub:
        await reserve(hub, parcel, "S-0002")
        await all_carry(town)
        assert (await parcel_at(hub, parcel)).station == "S-0002"
        await whole(hub, town)


@pytest.mark.parametrize(
    ("before", "since", "is_blocked"),
    [
        (["block"], ["move"], True),
        (["block", "move", "lift"], [], False),
        (["block"], ["block", "lift"], False),
        (["move"], ["block"], True),
    ],
)
async def test_who_may_collect_is_what_was_said_last(
    town: Town, backups: Backups, before: list[str], since: list[str], is_blocked: bool
) -> None:
    """At the hub and where the parcel is promised, whichever of the two stations is heard first."""
    parcel = await told(town, "PW-1")
    backup, same = await backups.make(), await backups.make()

    async def say(hub: object, words: list[str]) -> None:
        for word in words:
            town.clock.advance(1.0)  # type: ignore[attr-defined]
            if word == "move":
                await reserve(hub, parcel, "S-0002")  # type: ignore[arg-type]
            else:
                await hub.desk.ask(Block(parcel=parcel, why="a dispute", lifted=word == "lift"))  # type: ignore[attr-defined]

    await say(town.hub, before)
    await all_carry(town)
    for copy, first in ((backup, "S-0001"), (same, "S-0002")):
        async with backups.restored(copy) as hub:
            await say(hub, since)
            await town.stations[first].carry()
            await all_carry(town)
            assert bool((await parcel_at(hub, parcel)).blocked) == is_blocked
            await whole(hub, town)


async def test_a_newer_backup_after_an_older_one(town: Town, backups: Backups) -> None:
    """`verify` knows which of the two the books stand on: what the newer one held was never lost."""
    older = await backups.make()
    await town.hub.configure(about(columns="SSML SSML SS"))
    await told(town, "PW-1")
    newer = await backups.make()
    await told(town, "PW-2")
    async with backups.restored(older):
        await all_carry(town)
    async with backups.restored(newer) as hub:
        await all_carry(town)
        await whole(hub, town)


async def test_a_carrier_who_asks_on_from_a_lost_number_misses_nothing(town: Town, backups: Backups) -> None:
    """Its feed goes on above all numbers that it can have seen, without a gap, as `verify` knows."""

    async def fed(hub: Hub, after: int) -> list[tuple[int, str]]:
        while await turn(hub.pool, "feed", number_feed):
            pass
        return [(row["number"], row["kind"]) for row in await reading.feed(hub, "acme", after, 100)]

    await told(town, "PW-1")
    seen = await fed(town.hub, 0)
    backup = await backups.make()
    await announced(town.hub, "PW-2")
    await announced(town.hub, "PW-3")
    last = (await fed(town.hub, 0))[-1][0]
    async with backups.restored(backup) as hub:
        assert await fed(hub, 0) == seen
        await announced(hub, "PW-4", "S-0002")
        new = await fed(hub, last)
        assert [kind for _, kind in new] == ["Announced", "Reserved"]
        assert new[1][0] == new[0][0] + 1
        await all_carry(town)
        await whole(hub, town)
        await hub.pool.execute("UPDATE feed SET number = number + 1 WHERE number = $1", new[1][0])
        assert await verify_hub(hub.pool) == [f"INV-08: the feed of acme has number {new[1][0] + 1} after {new[0][0]}"]
