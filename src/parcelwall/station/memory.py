"""What a station remembers, in one SQLite file. Journal, visits, brake and identity are durable and only grow columns;
what follows from the facts is a cache (`fold.py`).
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import apsw
import msgspec

from parcelwall import clock as clocks
from parcelwall.clock import Clock
from parcelwall.errors import Trouble
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.journal.sqlite import SqliteJournal, connect
from parcelwall.link.shipping import Run
from parcelwall.rules import facts
from parcelwall.rules.access import Brake
from parcelwall.rules.book import Learned
from parcelwall.rules.facts import Fact
from parcelwall.rules.understanding import understanding
from parcelwall.station import restoring, visit
from parcelwall.station.fold import CACHE, Fold
from parcelwall.station.reserve import UNWRITTEN, CannotWrite, NoReserve, Reserve
from parcelwall.station.timekeeper import Timekeeper, earlier
from parcelwall.station.wear import Wear

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS brake (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_ALIVE = "INSERT OR REPLACE INTO identity VALUES ('alive', ?)"
_NOT_AHEAD = "UPDATE identity SET value = ?1 WHERE name = 'alive' AND value > ?1"
_WELCOMED = "INSERT OR REPLACE INTO identity VALUES ('welcomed_at', ?)"
_UNDERSTANDS = "INSERT OR REPLACE INTO identity VALUES ('understands', ?)"

_NEWEST = """
SELECT max(happened_at) FROM entry WHERE writer = ? AND number >=
  coalesce((SELECT max(number) FROM entry WHERE writer = ? AND kind = 'ClockSet'), 0)"""


class Memory(Fold):
    """The file, and in memory the book of what is open now. All writing goes through `tell` and `receive`."""

    def __init__(
        self, path: Path | str, clock: Clock, durable: bool = True, reserve: Reserve | None = None
    ) -> None:
        self.reserve, self.wear = reserve or NoReserve(), Wear()
        self.connection = self._opened(path, durable)
        self._safely(lambda: self.connection.execute(SCHEMA + CACHE + visit.SCHEMA))
        self.journal = SqliteJournal(self.connection)
        self.clock = clock
        self._know_oneself()
        self._brake: tuple[str, Brake] | None = None  # the one that was asked for last
        self._unfinished: list[visit.Visit] | None = None  # as they stand in the file, once somebody has asked
        [(newest,)] = self.connection.execute(_NEWEST, (self.writer, self.writer))
        self.time = Timekeeper(clock, newest or "", max(self._heard_last(), self.identity("alive") or ""))
        self.heard_at = max(self._heard_last(), self.identity("hub_heard") or "")  # the hub, as text; "" if never
        self._remember()

    def _heard_last(self) -> str:
        """When the hub wrote what was heard of it last; "" for a new computer."""
        number = self.has().number
        return self.since(self.hub_writer, number - 1, 1)[0].happened_at if number else ""

    def close(self) -> None:
        self.connection.close()

    def _opened(self, path: Path | str, durable: bool) -> apsw.Connection:
        """The file. On a full disk its side file needs the reserve."""
        try:
            return connect(path, durable)
        except Trouble:
            if not self.reserve.release():
                raise
        return connect(path, durable)

    def _safely(self, write: Callable[[], T]) -> T:
        """Does one transaction; on a full disk once more with the reserve. Raises CannotWrite if that is used up, or
        if the disk is read-only."""
        try:
            return write()
        except apsw.ReadOnlyError as no:
            raise CannotWrite("the station's disk is read-only: look for what its system says of it") from no
        except apsw.FullError as full:
            if not self.reserve.release():
                raise CannotWrite from full
        try:
            return write()
        except apsw.FullError as full:
            raise CannotWrite from full

    # identity

    def identity(self, name: str) -> str | None:
        row = self.connection.execute("SELECT value FROM identity WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def know(self, values: dict[str, str]) -> None:
        """Keeps what the station was given at enrolment. Raises CannotWrite."""
        self._safely(lambda: self._know(values))

    def note_alive(self) -> None:
        """Notes that the station works now, which is not worth the reserve. Raises what the disk raises."""
        with self.connection:
            self.connection.execute(_ALIVE, (self.now_text(),))

    def _know(self, values: Mapping[str, str]) -> None:
        with self.connection:
            rows = list(values.items())
            self.connection.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?)", rows)
        self._know_oneself()

    def _know_oneself(self) -> None:
        self.station = self.identity("station") or ""
        self.writer = self.identity("writer") or self.station
        self.hub_writer = self.identity("hub_writer") or ""
        self.restoring = self.identity("restoring") == "yes"  # this computer fetches what its station knew before it

    def now_text(self) -> str:
        """Now, but never behind the newest entry since the clock was set."""
        return self.time.text()

    def told_time(self, at: datetime, boot: str) -> None:
        """The hub's time, fresh. If we have written with a time that lies far ahead of it, `ClockSet` goes back to it:
        what follows is right again, what was written meanwhile keeps its time."""
        self._note_heard(clocks.text(at))
        ahead, mark = self.time.told(at), self.time.mark
        if ahead:
            self.time.mark = ""
            try:
                self._safely(lambda: self._set_clock(at, boot, ahead))
            except BaseException as failed:
                self.time.mark = mark
                if not isinstance(failed, CannotWrite):
                    raise

    def _note_heard(self, at: str) -> None:
        """That the hub was heard then: on the disk once a day, which is exact enough for what asks for it."""
        noted = self.identity("hub_heard") or ""
        self.heard_at = at
        if at[:10] != noted[:10]:
            with contextlib.suppress(*UNWRITTEN):
                self.know({"hub_heard": at})

    def _set_clock(self, at: datetime, boot: str, ahead: timedelta) -> None:
        with self._together():
            today = at.astimezone(ZoneInfo(self.about.zone if self.about else "UTC")).date()
            self._tell((facts.ClockSet(boot=boot, mono_ms=int(self.clock.mono() * 1000), utc=at),), None)
            self.connection.execute(_NOT_AHEAD, (clocks.text(at),))
            self._brake = None
            for name, record in self.connection.execute("SELECT name, record FROM brake").fetchall():
                brake = earlier(msgspec.json.decode(str(record), type=Brake), ahead, today)
                self.connection.execute("INSERT OR REPLACE INTO brake VALUES (?, ?)", (name, _written(brake)))

    @contextmanager
    def _together(self) -> Iterator[None]:
        """All of it or nothing, in the file and in the book: what could not be written is not remembered either."""
        try:
            with self.connection:
                yield
        except BaseException:
            with contextlib.suppress(apsw.Error):
                self._brake = None
                self._know_oneself()
                self._remember()
            raise

    def tell(
        self, *told: Fact, visit_after: visit.Visit | None = None, note_alive: bool = False
    ) -> list[Learned]:
        """Writes facts of this station's own, learns them, and moves the visit, in one synced transaction; with
        `note_alive` also the note that the station works now.

        Raises CannotWrite, and nothing is remembered.
        """
        return self._safely(lambda: self._tell(told, visit_after, note_alive))

    def _tell(
        self, told: Sequence[Fact], visit_after: visit.Visit | None, note_alive: bool = False
    ) -> list[Learned]:
        at = self.now_text()
        drafts = [Draft(fact.kind, at, facts.body(fact)) for fact in told]
        with self._together():
            self.journal.write(self.writer, drafts, at)
            learned = [self._learn(fact, at) for fact in told]
            if visit_after:
                self._unfinished = None
                visit.write(self.connection, visit_after)
            if note_alive:
                self.connection.execute(_ALIVE, (at,))
        return learned

    def receive(self, entries: Sequence[Entry], sig: str = "") -> int:
        """Stores and learns entries of one stream in one transaction; answers the number through which all is stored.

        Stored, not understood: what a newer hub wrote and we cannot read is kept, and the rest goes on. While this
        computer fetches its station's book nothing is learnt: doors wait until it is whole. `sig` is the hub's.
        """
        return self._safely(lambda: self._receive(entries, sig))

    def _receive(self, entries: Sequence[Entry], sig: str) -> int:
        writer = entries[0].writer
        with self._together():
            new = self.journal.receive(writer, entries, self.now_text())
            if new and sig:
                self.journal.vouch(writer, new[-1].number, sig)
            for entry in () if self.restoring else new:
                self._learn_entry(entry)
        if new and writer == self.hub_writer:
            self.heard_at = max(self.heard_at, new[-1].happened_at)
        return self.journal.head(writer).number

    def restored(self) -> None:
        """Everything that the hub keeps of this station is here: it is learnt in its order, and doors may be looked at.

        What the computer before had not shipped is gone for good, so a case says so. Raises CannotWrite, and all of it
        is still to do.
        """
        if self.restoring:
            self._safely(self._restore)

    def _restore(self) -> None:
        with self._together():
            for entry in self.journal.in_order_learnt():
                self._learn_entry(entry)
            self._know({"restoring": "", "unlooked": "yes"})
            gone = restoring.what_is_gone(self.journal, self.station, self.writer, self.identity("case") or "")
            self._tell(gone, None)

    def learn_anew(self) -> bool:
        """Folds the book anew if the version that did so last read less in it, or something else: what was kept unread
        is learnt where it stands among all that came, so that nothing later is undone. Whether there was any book.

        It moves no door and writes no entry. All or nothing: broken off, it is done at the next start. It is not worth
        the reserve, so it raises what the disk raises, and the cache stands as it was.
        """
        now = understanding(self.kinds)
        if self.identity("understands") == now:
            return False
        with self._together():
            if not self.restoring:  # else nothing is learnt yet, and then all of it
                self._fold_anew(self.journal.in_order_learnt())
            self.connection.execute(_UNDERSTANDS, (now,))
        return self.journal.writers() != []

    # brake

    def brake(self, name: str) -> Brake:
        """How wrong tries have slowed down what is so named; what has had none has the brake at rest."""
        if self._brake is None or self._brake[0] != name:
            row = self.connection.execute("SELECT record FROM brake WHERE name = ?", (name,)).fetchone()
            self._brake = name, msgspec.json.decode(row[0], type=Brake) if row else Brake()
        return self._brake[1]

    def set_brake(self, name: str, brake: Brake) -> None:
        """Durable before the person hears the answer."""
        row, self._brake = (name, _written(brake)), None
        self._safely(lambda: self.connection.execute("INSERT OR REPLACE INTO brake VALUES (?, ?)", row))

    def keep(self, one: visit.Visit) -> None:
        """Writes a visit, in a transaction of its own. Raises CannotWrite, and ConstraintError for a busy screen."""
        self._unfinished = None
        self._safely(lambda: visit.write(self.connection, one))

    def unfinished(self) -> list[visit.Visit]:
        """Visits that have not ended, oldest first. Asked for many times in each, so the file is read once."""
        if self._unfinished is None:
            self._unfinished = visit.unfinished(self.connection)
        return list(self._unfinished)

    # what the link asks (link.station_end.StationBook)

    def wrote(self) -> Head:
        return self.journal.head(self.writer)

    def has(self) -> Head:
        return self.journal.head(self.hub_writer)

    def heads(self) -> Mapping[str, Head]:
        names = {*self.journal.writers(), self.hub_writer} - {self.writer}
        return {name: self.journal.head(name) for name in names}

    def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]:
        return self.journal.since(writer, after, limit)

    @property
    def unlooked(self) -> bool:
        """Whether this computer took over from another and has not yet looked at all doors."""
        return self.identity("unlooked") == "yes"

    def begin_epoch(self, hub_writer: str) -> None:
        self.know({"hub_writer": hub_writer})

    def lost(self, they_have: Mapping[str, int]) -> Sequence[Run]:
        return restoring.lost(self.journal, self.writer, they_have)

    def acknowledged(self, through: int, welcomed_at: str = "") -> None:
        """How far the hub is said to have read. On a full disk it is told once more after the next hello."""
        with contextlib.suppress(CannotWrite):
            self._safely(lambda: self._acknowledge(through, welcomed_at))

    def _acknowledge(self, through: int, welcomed_at: str) -> None:
        with self.connection:
            if welcomed_at:
                self.connection.execute(_WELCOMED, (welcomed_at,))
            self.journal.move("acknowledged", through, also_back=bool(welcomed_at))

    def unsent(self) -> int:
        """How many entries the hub has not acknowledged yet."""
        return self.wrote().number - self.journal.cursor("acknowledged")


def _written(brake: Brake) -> str:
    return msgspec.json.encode(brake).decode()
