"""Followers: every entry once, also one that commits late; and each carrier's own gapless feed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest_asyncio

from parcelwall.hub.commands import Cancel, Report
from parcelwall.hub.followers import PAGE, Bells, Followed, follow, number_feed, ring, turn
from parcelwall.hub.house import Hub
from parcelwall.journal import chain, postgres
from parcelwall.journal.chain import Draft
from parcelwall.journal.postgres import Row
from station.towns import NOW, Pen, a_hub, about, announced, parcel_at

Place = tuple[str, int]


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about(),)) as hub:
        yield hub


class Reader:
    """Remembers what it was given; fails when told to, after it was given."""

    def __init__(self) -> None:
        self.seen: list[Place] = []
        self.fails = False

    async def handle(self, connection: asyncpg.Connection, entries: Sequence[Followed]) -> None:
        first = entries[0]
        await connection.execute("INSERT INTO dead_letter VALUES ($1, $2, 'seen')", first.writer, first.number)
        if self.fails:
            raise OSError("the world failed")
        self.seen += [(entry.writer, entry.number) for entry in entries]

    async def read(self, hub: Hub) -> list[Place]:
        """What is new."""
        before = len(self.seen)
        while await turn(hub.pool, "reader", self.handle):
            pass
        return self.seen[before:]


async def write(connection: asyncpg.Connection, writer: str, count: int = 1) -> None:
    heads = await postgres.lock_heads(connection, [writer])
    drafts = [Draft("Ticked", "2026-11-22T08:00:00.000000Z", "{}")] * count
    await postgres.store(connection, [Row(entry) for entry in chain.extend(writer, heads[writer], drafts)], NOW)


async def everything(hub: Hub) -> set[Place]:
    return {(row["writer"], row["number"]) for row in await hub.pool.fetch("SELECT writer, number FROM entry")}


async def test_an_entry_that_commits_late_is_not_skipped(hub: Hub) -> None:
    reader = Reader()
    await reader.read(hub)
    async with hub.pool.acquire() as slow, hub.pool.acquire() as quick:
        transaction = slow.transaction()
        await transaction.start()
        await write(slow, "hub:1/slot-8", 2)
        async with quick.transaction():
            await write(quick, "hub:1/slot-9", 3)
        assert await reader.read(hub) == [], "what follows an open transaction waits for it"
        await transaction.commit()
    assert sorted(await reader.read(hub)) == [(f"hub:1/slot-{s}", n) for s, most in ((8, 2), (9, 3))
                                              for n in range(1, most + 1)]  # fmt: skip
    assert set(reader.seen) == await everything(hub)


async def test_one_that_is_rolled_back_is_never_seen(hub: Hub) -> None:
    reader = Reader()
    await reader.read(hub)
    async with hub.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await write(slow, "hub:1/slot-8")
        await transaction.rollback()
    async with hub.pool.acquire() as other, other.transaction():
        await write(other, "hub:1/slot-8")
    assert await reader.read(hub) == [("hub:1/slot-8", 1)]


async def test_all_of_it_once_while_many_write(hub: Hub) -> None:
    """Writers of all lengths, and two followers of the same name: nothing skipped, nothing twice."""
    reader, other = Reader(), Reader()
    done = asyncio.Event()

    async def writer(slot: int) -> None:
        for number in range(12):
            async with hub.pool.acquire() as connection, connection.transaction():
                await write(connection, f"hub:1/slot-{slot}", 1 + number % 3)
                await asyncio.sleep(0.001 * (slot + number) % 5)

    async def follower(one: Reader) -> None:
        while not done.is_set():
            await turn(hub.pool, "reader", one.handle)
            await asyncio.sleep(0.002)

    following = [asyncio.create_task(follower(one)) for one in (reader, other)]
    await asyncio.gather(*(writer(slot) for slot in range(10, 14)))
    done.set()
    await asyncio.gather(*following)
    await reader.read(hub)
    seen = reader.seen + other.seen
    assert len(seen) == len(set(seen))
    assert set(seen) == await everything(hub)


async def test_nothing_falls_between_pages(hub: Hub) -> None:
    async with hub.pool.acquire() as connection, connection.transaction():
        await write(connection, "hub:1/slot-8", PAGE)
        await write(connection, "hub:1/slot-9", PAGE + 44)
    reader = Reader()
    assert len(await reader.read(hub)) == len(await everything(hub))
    assert await hub.pool.fetchval("SELECT count(*) FROM dead_letter") >= 3


async def test_what_failed_is_handled_again_whole(hub: Hub) -> None:
    """The effect and the cursor move together: after a failure neither has."""
    reader = Reader()
    reader.fails = True
    for _ in range(2):
        try:
            await reader.read(hub)
        except OSError:
            pass
        assert await hub.pool.fetchval("SELECT count(*) FROM dead_letter") == 0
    reader.fails = False
    assert set(await reader.read(hub)) == await everything(hub)


async def test_a_parcels_facts_come_in_the_order_of_its_life(hub: Hub) -> None:
    given: list[tuple[str, int | None]] = []

    async def handle(_: asyncpg.Connection, entries: Sequence[Followed]) -> None:
        given.extend((e.kind, e.revision) for e in entries if e.parcel)

    parcel = await announced(hub, "PW-1", "S-0001")
    await hub.desk.ask(Report(carrier="acme", parcel=parcel, mark="departed"))
    await hub.desk.ask(Cancel(carrier="acme", parcel=parcel))
    while await turn(hub.pool, "order", handle):
        pass
    assert given == [("Announced", 1), ("Reserved", 2), ("CarrierReported", 3), ("Cancelled", 4)]


async def test_what_cannot_be_read_is_followed_without_a_parcel(hub: Hub) -> None:
    given: list[Followed] = []

    async def handle(_: asyncpg.Connection, entries: Sequence[Followed]) -> None:
        given.extend(entries)

    pen = Pen("S-0001", hub.clock)  # type: ignore[arg-type]
    await hub.receive("S-0001", pen.raw(("Teleported", "{}"), ("Deposited", "{}")))
    while await turn(hub.pool, "any", handle):
        pass
    assert [(e.kind, e.parcel) for e in given if e.writer == "S-0001"] == [("Teleported", None), ("Deposited", None)]


# the feed


async def test_each_carriers_feed_is_gapless_and_its_own(hub: Hub) -> None:
    carriers = ("acme", "other", "third")
    for number in range(9):
        await announced(hub, f"PW-{number}", "S-0001" if number < 4 else None, carrier=carriers[number % 3])
        if number % 4 == 1:
            while await turn(hub.pool, "feed", number_feed):
                pass
    pen = Pen("S-0001", hub.clock)  # type: ignore[arg-type]
    parcel = await parcel_at(hub, await hub.pool.fetchval("SELECT id FROM parcel WHERE stage = 'RESERVED' LIMIT 1"))
    await hub.receive("S-0001", pen.write(pen.deposited(parcel, 1)))
    while await turn(hub.pool, "feed", number_feed):
        pass
    rows = await hub.pool.fetch(
        """SELECT feed.carrier, feed.number, parcel.carrier AS owner FROM feed
           JOIN entry ON entry.writer = feed.writer AND entry.number = feed.entry_number
           JOIN parcel ON parcel.id = entry.parcel ORDER BY feed.carrier, feed.number"""
    )
    for carrier in carriers:
        assert [row["number"] for row in rows if row["carrier"] == carrier] == list(
            range(1, 1 + sum(row["owner"] == carrier for row in rows))
        )
    assert all(row["carrier"] == row["owner"] for row in rows)
    assert len(rows) == await hub.pool.fetchval("SELECT count(*) FROM entry WHERE parcel IS NOT NULL")


async def test_one_that_cannot_go_on_holds_up_nobody_else(hub: Hub) -> None:
    """A fault of ours at one entry: it says so again and again, and the others follow."""
    reader = Reader()

    async def faulty(connection: asyncpg.Connection, entries: Sequence[Followed]) -> None:
        raise ValueError("we are wrong")

    following = asyncio.create_task(follow(hub.pool, {"faulty": faulty, "reader": reader.handle}))
    try:
        async with asyncio.timeout(20):
            for count in (1, 2):
                async with hub.pool.acquire() as connection, connection.transaction():
                    await write(connection, "S-0001")
                while len([writer for writer, _ in reader.seen if writer == "S-0001"]) < count:
                    await asyncio.sleep(0.05)
        assert not following.done()
    finally:
        following.cancel()


# bells


async def test_whoever_waits_is_rung_for_what_is_theirs(hub: Hub, database: str) -> None:
    bells = Bells()
    parcel = await announced(hub, "PW-1", "S-0001")
    mine, station, foreign = bells.hang(str(parcel)), bells.hang("S-0001"), bells.hang("S-0404")
    listening = asyncio.create_task(bells.listen(database))
    for event in (mine, station):
        event.clear()
    while not mine.is_set():  # it rings once by itself when it begins to listen
        await asyncio.sleep(0.01)
    mine.clear()
    station.clear()
    foreign.clear()
    while await turn(hub.pool, "live", ring):
        pass
    await asyncio.wait_for(asyncio.gather(mine.wait(), station.wait()), 5)
    assert not foreign.is_set()
    bells.take_down(str(parcel), mine)
    mine.clear()
    bells.ring([str(parcel)])
    assert not mine.is_set()
    listening.cancel()
