"""One contract for both forms of the journal: gapless, chained, never changed; known entries skipped, lies refused."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from journal.books import Book, PostgresBook, SqliteBook
from parcelwall.clock import VirtualClock
from parcelwall.errors import Trouble
from parcelwall.hub.database import open_pool
from parcelwall.journal import chain, postgres
from parcelwall.journal.chain import Broken, Draft, Entry, Fork, Head
from parcelwall.journal.postgres import Row
from parcelwall.journal.sqlite import SqliteJournal, connect

WRITER, OTHER = "S-0012", "S-0013"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def drafts(count: int, word: str = "tick") -> list[Draft]:
    """Of a kind that no version knows: journals keep whatever comes."""
    return [Draft("Ticked", "2026-11-22T08:00:00.000000Z", f'{{"{word}": {n}}}') for n in range(count)]


def made_elsewhere(count: int, writer: str = WRITER, word: str = "tick") -> list[Entry]:
    return chain.extend(writer, chain.start(writer), drafts(count, word))


class Contract:
    """What both journals keep."""

    async def test_a_writer_that_never_wrote(self, book: Book) -> None:
        assert await book.head(WRITER) == chain.start(WRITER)
        assert await book.since(WRITER, 0) == []

    async def test_numbers_are_gapless_and_each_writers_own(self, book: Book) -> None:
        await book.write(WRITER, drafts(3))
        await book.write(OTHER, drafts(1, "tock"))
        await book.write(WRITER, drafts(2, "tock"))
        assert [entry.number for entry in await book.since(WRITER, 0)] == [1, 2, 3, 4, 5]
        assert [entry.number for entry in await book.since(OTHER, 0)] == [1]

    async def test_what_is_read_is_what_was_written_and_its_chain_holds(self, book: Book) -> None:
        odd = [Draft("Ticked", "2026-11-22T08:00:00.000001Z", '{"b":1, "a":  "\u00e4\u4e16\U0001f4e6\\n"}')]
        written = await book.write(WRITER, [*drafts(2), *odd])
        read = await book.since(WRITER, 0)
        assert read == written
        assert chain.follow(chain.start(WRITER), read) == await book.head(WRITER)

    async def test_times_are_given_back_as_they_are_hashed(self, book: Book) -> None:
        times = ["1970-01-01T00:00:00.000000Z", "2026-03-29T01:59:59.000001Z", "2026-11-22T08:00:00.100000Z",
                 "2999-12-31T23:59:59.999999Z"]  # fmt: skip
        await book.write(WRITER, [Draft("Ticked", at, "{}") for at in times])
        assert [entry.happened_at for entry in await book.since(WRITER, 0)] == times

    async def test_since_pages(self, book: Book) -> None:
        await book.write(WRITER, drafts(7))
        pages, after = [], 0
        while page := await book.since(WRITER, after, limit=3):
            pages.append([entry.number for entry in page])
            after = page[-1].number
        assert pages == [[1, 2, 3], [4, 5, 6], [7]]
        assert await book.since(WRITER, 99) == []

    async def test_what_is_rolled_back_leaves_no_gap(self, book: Book) -> None:
        await book.write(WRITER, drafts(2))
        before = await book.head(WRITER)
        await book.write(WRITER, drafts(3, "never"), fail=True)
        assert await book.head(WRITER) == before
        await book.write(WRITER, drafts(1, "after"))
        read = await book.since(WRITER, 0)
        assert [entry.number for entry in read] == [1, 2, 3]
        assert chain.follow(chain.start(WRITER), read) == await book.head(WRITER)

    async def test_nothing_written_is_nothing_stored(self, book: Book) -> None:
        assert await book.write(WRITER, []) == []
        assert (await book.head(WRITER)).number == 0

    async def test_an_entry_is_never_changed_or_deleted(self, book: Book) -> None:
        await book.write(WRITER, drafts(2))
        before = await book.since(WRITER, 0)
        for sql in ("UPDATE entry SET body = '{}'", "UPDATE entry SET number = 9 WHERE number = 1",
                    "DELETE FROM entry", "DELETE FROM entry WHERE number = 2"):  # fmt: skip
            assert "never" in await book.tamper(sql)
        assert await book.since(WRITER, 0) == before

    async def test_receiving_stores_and_checks(self, book: Book) -> None:
        entries = made_elsewhere(3)
        assert await book.receive(WRITER, entries) == 3
        assert await book.since(WRITER, 0) == entries
        assert await book.head(WRITER) == Head(3, entries[-1].hash)

    async def test_what_is_known_is_skipped(self, book: Book) -> None:
        entries = made_elsewhere(4)
        assert await book.receive(WRITER, entries[:2]) == 2
        assert await book.receive(WRITER, entries[:2]) == 2
        assert await book.receive(WRITER, entries[:1]) == 2
        assert await book.receive(WRITER, entries[1:]) == 4
        assert await book.receive(WRITER, []) == 4
        assert await book.since(WRITER, 0) == entries

    async def test_a_gap_is_refused_and_nothing_stored(self, book: Book) -> None:
        entries = made_elsewhere(4)
        await book.receive(WRITER, entries[:1])
        for holed in (entries[2:], [entries[1], entries[3]]):
            with pytest.raises(Broken):
                await book.receive(WRITER, holed)
        assert (await book.head(WRITER)).number == 1
        assert await book.receive(WRITER, entries) == 4

    @pytest.mark.parametrize("how", ["kind", "body", "happened_at"])
    async def test_a_known_number_with_other_content_is_a_fork(self, book: Book, how: str) -> None:
        entries = made_elsewhere(2)
        await book.receive(WRITER, entries)
        other = {"kind": "Tocked", "body": "{}", "happened_at": "2026-11-22T08:00:00.000001Z"}
        with pytest.raises(Fork) as fork:
            await book.receive(WRITER, [msgspec.structs.replace(entries[0], hash=b"", **{how: other[how]})])
        assert fork.value.number == 1
        assert await book.since(WRITER, 0) == entries, "nothing is overwritten"

    async def test_another_story_after_a_known_head_is_refused(self, book: Book) -> None:
        await book.receive(WRITER, made_elsewhere(2))
        with pytest.raises(Broken):
            await book.receive(WRITER, made_elsewhere(3, word="lie")[2:])
        with pytest.raises(Fork):
            await book.receive(WRITER, made_elsewhere(3, word="lie"))
        assert (await book.head(WRITER)).number == 2


class TestSqlite(Contract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "book.sqlite"

    @pytest.fixture
    def book(self, path: Path) -> SqliteBook:
        return SqliteBook(SqliteJournal(connect(path, durable=False)), VirtualClock(NOW))

    async def test_cursors_only_rise(self, book: SqliteBook) -> None:
        assert book.journal.cursor("acknowledged") == 0
        for number in (3, 1, 7, 5):
            book.journal.move("acknowledged", number)
        assert book.journal.cursor("acknowledged") == 7
        book.journal.move("acknowledged", 4, also_back=True)
        assert book.journal.cursor("acknowledged") == 4
        assert book.journal.cursor("other") == 0

    async def test_the_order_learnt_is_kept_over_all_writers(self, book: SqliteBook) -> None:
        await book.write(WRITER, drafts(1))
        await book.receive(OTHER, made_elsewhere(2, OTHER))
        await book.write(WRITER, drafts(2, "tock"))
        order = [(entry.writer, entry.number) for entry in book.journal.in_order_learnt()]
        assert order == [(WRITER, 1), (OTHER, 1), (OTHER, 2), (WRITER, 2), (WRITER, 3)]
        assert book.journal.writers() == [WRITER, OTHER]

    async def test_long_journals_are_read_in_pages(self, book: SqliteBook) -> None:
        await book.write(WRITER, drafts(2_345))
        assert [entry.number for entry in book.journal.everything(WRITER)] == list(range(1, 2_346))
        assert sum(1 for _ in book.journal.in_order_learnt()) == 2_345

    async def test_it_is_there_after_closing_and_opening(self, book: SqliteBook, path: Path) -> None:
        written = await book.write(WRITER, drafts(3))
        book.journal.connection.close()
        again = SqliteJournal(connect(path))
        assert again.since(WRITER, 0) == written
        assert again.head(WRITER) == Head(3, written[-1].hash)
        assert again.connection.pragma("synchronous") == 2, "FULL"
        assert again.connection.pragma("journal_mode") == "wal"

    async def test_a_second_process_may_not_open_it(self, book: SqliteBook, path: Path) -> None:
        await book.write(WRITER, drafts(1))
        with pytest.raises(Trouble, match=r"another process has .* probably the station itself: stop it first"):
            connect(path)

    async def test_a_file_that_is_no_book_is_trouble(self, tmp_path: Path) -> None:
        (tmp_path / "no-book").write_bytes(b"This is not a database, and it is long enough to be looked at." * 40)
        with pytest.raises(Trouble):
            connect(tmp_path / "no-book")
        with pytest.raises(Trouble):
            connect(tmp_path / "no folder" / "book")


class TestPostgres(Contract):
    @pytest_asyncio.fixture
    async def book(self, database: str) -> AsyncIterator[PostgresBook]:
        pool = await open_pool(database, size=10)
        yield PostgresBook(pool, VirtualClock(NOW))
        pool.terminate()

    async def test_many_writers_at_once_stay_gapless(self, book: PostgresBook) -> None:
        """Each task writes some of the writers' streams in one transaction, and now and then changes its mind."""
        writers = [f"S-{n:04d}" for n in range(6)]
        kept = dict.fromkeys(writers, 0)

        async def work(seed: int) -> None:
            chance = random.Random(seed)
            for turn in range(12):
                mine = chance.sample(writers, chance.randint(1, 4))
                async with book.pool.acquire() as connection:
                    transaction = connection.transaction()
                    await transaction.start()
                    heads = await postgres.lock_heads(connection, mine)
                    rows = [Row(e) for w in mine for e in chain.extend(w, heads[w], drafts(2, f"t{seed}-{turn}"))]
                    await postgres.store(connection, rows, NOW)
                    if chance.random() < 0.25:
                        await transaction.rollback()
                        continue
                    await transaction.commit()
                for writer in mine:
                    kept[writer] += 2

        await asyncio.gather(*map(work, range(8)))
        assert sum(kept.values()) > 100
        for writer in writers:
            entries = await book.since(writer, 0)
            assert len(entries) == kept[writer]
            assert chain.follow(chain.start(writer), entries) == await book.head(writer)

    async def test_heads_are_locked_until_the_end(self, book: PostgresBook) -> None:
        await book.write(WRITER, drafts(1))
        async with book.pool.acquire() as connection, connection.transaction():
            await postgres.lock_heads(connection, [WRITER, OTHER])
            waiting = asyncio.create_task(book.write(WRITER, drafts(1, "later")))
            await asyncio.sleep(0.1)
            assert not waiting.done()
        assert [entry.number for entry in await waiting] == [2]

    async def test_a_number_is_given_once(self, book: PostgresBook) -> None:
        entries = await book.write(WRITER, drafts(1))
        async with book.pool.acquire() as connection:
            with pytest.raises(asyncpg.UniqueViolationError):
                await postgres.store(connection, [Row(entries[0])], NOW)

    async def test_the_table_cannot_be_emptied(self, book: PostgresBook) -> None:
        await book.write(WRITER, drafts(1))
        assert "never" in await book.tamper("TRUNCATE entry CASCADE")

    async def test_a_head_never_goes_back(self, book: PostgresBook) -> None:
        old = await book.write(WRITER, drafts(1))
        newest = await book.write(WRITER, drafts(1, "newer"))
        async with book.pool.acquire() as connection:
            await connection.execute(postgres._MOVE, [WRITER], [1], [old[0].hash])
        assert await book.head(WRITER) == Head(2, newest[0].hash)
