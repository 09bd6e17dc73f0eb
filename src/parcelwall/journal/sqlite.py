"""The journal on SQLite, for a station: one process owns the file, every commit is on the disk before it returns."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from parcelwall.errors import Trouble
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry, Fork, Head

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
  arrival INTEGER PRIMARY KEY,  -- the order in which this station learnt, of both writers
  writer TEXT NOT NULL, number INTEGER NOT NULL CHECK (number > 0), kind TEXT NOT NULL, happened_at TEXT NOT NULL,
  body TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32), recorded_at TEXT NOT NULL,
  UNIQUE (writer, number));
CREATE TABLE IF NOT EXISTS writer (name TEXT PRIMARY KEY, number INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vouched (  -- the hub's signature over the last entry of each frame that came from it
  writer TEXT NOT NULL, number INTEGER NOT NULL, sig TEXT NOT NULL, PRIMARY KEY (writer, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER IF NOT EXISTS entry_kept BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;
"""


def connect(path: Path | str, durable: bool = True) -> apsw.Connection:
    """Opens a station's file: WAL, synchronous FULL, exclusive. `durable=False` is for simulation only.

    Raises Trouble for a file that cannot be opened, is no book, or belongs to another process.
    """
    try:
        _only_for_us(path)
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(2000)
        for name, value in (("locking_mode", "EXCLUSIVE"), ("journal_mode", "WAL"), ("foreign_keys", 1)):
            connection.pragma(name, value)
        connection.pragma("synchronous", "FULL" if durable else "OFF")
        connection.execute(SCHEMA)
    except apsw.BusyError as busy:
        raise Trouble(f"another process has the station's book {path} open, probably the station itself: stop it "
                      "first.") from busy  # fmt: skip
    except (apsw.Error, OSError) as failed:
        raise Trouble(f"cannot open the station's book {path}: {failed}") from failed
    return connection


def _only_for_us(path: Path | str) -> None:
    """The file holds the station's key: nobody else on the computer may read it. SQLite's side files follow it."""
    if str(path) != ":memory:":
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)


class SqliteJournal:
    """Append, receive, read: inside the caller's transaction (`with journal.connection:`) or in one of its own."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    def head(self, writer: str) -> Head:
        row = self.connection.execute("SELECT number, hash FROM writer WHERE name = ?", (writer,)).fetchone()
        return Head(*row) if row else chain.start(writer)

    def writers(self) -> list[str]:
        return [name for (name,) in self.connection.execute("SELECT name FROM writer ORDER BY name")]

    def write(self, writer: str, drafts: Sequence[Draft], recorded_at: str) -> list[Entry]:
        """The drafts as the writer's next entries, stored."""
        entries = chain.extend(writer, self.head(writer), drafts)
        self._store(entries, recorded_at)
        return entries

    def receive(self, writer: str, entries: Sequence[Entry], recorded_at: str) -> list[Entry]:
        """Stores what is new of another writer's entries and returns it. What is known is checked and skipped.

        Raises Broken for a hole, Fork for a known number with other content; nothing is stored then.
        """
        head = self.head(writer)
        for known in (entry for entry in entries if entry.number <= head.number):
            self._refuse_fork(known)
        new = chain.chained(head, [entry for entry in entries if entry.number > head.number])
        self._store(new, recorded_at)
        return new

    def _refuse_fork(self, entry: Entry) -> None:
        row = self.connection.execute(
            "SELECT kind, happened_at, body FROM entry WHERE writer = ? AND number = ?", (entry.writer, entry.number)
        ).fetchone()
        if row != (entry.kind, entry.happened_at, entry.body):
            raise Fork(entry.writer, entry.number, "known here with other content")

    def _store(self, entries: Sequence[Entry], recorded_at: str) -> None:
        if not entries:
            return
        with self.connection:
            self.connection.executemany(
                "INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                [(e.writer, e.number, e.kind, e.happened_at, e.body, e.hash, recorded_at) for e in entries],
            )
            last = entries[-1]
            self.connection.execute(
                "INSERT INTO writer VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                "SET number = excluded.number, hash = excluded.hash",
                (last.writer, last.number, last.hash),
            )

    def since(self, writer: str, after: int, limit: int = 1000) -> list[Entry]:
        rows = self.connection.execute(
            "SELECT writer, number, kind, happened_at, body, hash FROM entry "
            "WHERE writer = ? AND number > ? ORDER BY number LIMIT ?", (writer, after, limit),
        )  # fmt: skip
        return [Entry(*row) for row in rows]

    def everything(self, writer: str) -> Iterator[Entry]:
        """All entries of a writer, in pages, so that a long journal does not fill the memory."""
        after = 0
        while page := self.since(writer, after):
            yield from page
            after = page[-1].number

    def in_order_learnt(self) -> Iterator[Entry]:
        """All entries of all writers, in the order in which they were stored here."""
        arrival = 0
        query = (
            "SELECT arrival, writer, number, kind, happened_at, body, hash FROM entry "
            "WHERE arrival > ? ORDER BY arrival LIMIT 1000"
        )
        rows: list[tuple[Any, ...]]
        while rows := self.connection.execute(query, (arrival,)).fetchall():
            yield from (Entry(*row[1:]) for row in rows)
            arrival = rows[-1][0]

    def marks(self, after_arrival: int) -> Iterator[tuple[int, str, int]]:
        """Arrival, writer and number of all entries that were stored after this arrival, in that order."""
        query = "SELECT arrival, writer, number FROM entry WHERE arrival > ? ORDER BY arrival"
        yield from self.connection.execute(query, (after_arrival,))

    def arrival(self, writer: str, number: int) -> int:
        """When an entry was stored here, in the order of all; 0 for one that is not here."""
        query = "SELECT arrival FROM entry WHERE writer = ? AND number = ?"
        row = self.connection.execute(query, (writer, number)).fetchone()
        return row[0] if row else 0

    def vouch(self, writer: str, number: int, sig: str) -> None:
        """Keeps the hub's signature over an entry that is stored here."""
        self.connection.execute("INSERT OR REPLACE INTO vouched VALUES (?, ?, ?)", (writer, number, sig))

    def vouched(self, writer: str, after: int) -> dict[int, str]:
        """Signatures of the hub over entries of this stream after a number."""
        query = "SELECT number, sig FROM vouched WHERE writer = ? AND number > ?"
        return dict(self.connection.execute(query, (writer, after)))

    def cursor(self, name: str) -> int:
        row = self.connection.execute("SELECT number FROM cursor WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def move(self, name: str, number: int, also_back: bool = False) -> None:
        """Cursors only rise, but for one that is said to go `also_back`."""
        self.connection.execute(
            "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
            "SET number = iif(?, excluded.number, max(number, excluded.number))",
            (name, number, also_back),
        )
