"""What a station knows by now: parcels, room and cases, its layout, the policy, who may act here. Folded from the facts
it has learnt, kept in memory, and in tables that are a cache: replay rebuilds them, so they have no migrations.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

import apsw
import msgspec

from parcelwall import clock
from parcelwall.clock import Clock
from parcelwall.journal import streams
from parcelwall.journal.chain import Entry
from parcelwall.rules import facts
from parcelwall.rules.book import Book, CaseFile, Learned
from parcelwall.rules.facts import Fact
from parcelwall.rules.life import ENDED, Parcel
from parcelwall.rules.places import Room, read_room, write_room
from parcelwall.rules.policy import DEFAULT, Policy
from parcelwall.station.timekeeper import in_a_known_zone

CACHE = """
CREATE TABLE IF NOT EXISTS parcel (id TEXT PRIMARY KEY, ended INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS room (one INTEGER PRIMARY KEY CHECK (one = 1), record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS case_file (id TEXT PRIMARY KEY, open INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standing (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS newest (
  kind TEXT PRIMARY KEY, epoch INTEGER NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;
"""

NEWEST_COUNTS = (facts.StationConfigured, facts.PolicyAdopted, facts.ScreenNoted)  # by its place in the hub's streams

_FORGET = """
DELETE FROM parcel; DELETE FROM room; DELETE FROM case_file; DELETE FROM standing; DELETE FROM newest;"""
_PROMISED = "SELECT writer FROM entry WHERE kind = 'Reserved' AND body LIKE ?"
_REVOKED = "SELECT body FROM entry WHERE kind = 'Revoked'"  # in whatever stream the hub wrote it


class Fold:
    """What `Memory` learns with. Its writes belong to the transaction in which the fact itself is stored."""

    connection: apsw.Connection
    clock: Clock
    station: str
    kinds: Mapping[str, type[Fact]] = facts.KINDS  # what this version can read; the rest is kept, and no more

    def _remember(self) -> None:
        """Reads the cache of the fold; what is over here stays on the disk until somebody asks."""
        self.book = Book()
        self.about: facts.StationConfigured | None = None
        self.grants: dict[UUID, facts.Granted] = {}
        self.revoked: set[UUID] = set()  # a delegate's token names its grant, and may be shown before the hub is heard
        self.policy: Policy = DEFAULT
        self.noted: facts.ScreenNoted | None = None  # what the screen says besides
        newest = self.connection.execute("SELECT kind, epoch, number FROM newest")
        self._newest = {kind: (epoch, number) for kind, epoch, number in newest}
        for (body,) in self.connection.execute(_REVOKED):
            self._stand(_understood("Revoked", body))
        standing = self.connection.execute("SELECT name, record FROM standing")
        for name, record in standing:
            self._stand(facts.read(name.split("/")[0], record))
        for (record,) in self.connection.execute("SELECT record FROM parcel WHERE NOT ended"):
            parcel = msgspec.json.decode(record, type=Parcel)
            if not self._is_over_here(parcel):
                self.book.parcels[parcel.id] = parcel
        for (record,) in self.connection.execute("SELECT record FROM case_file WHERE open"):
            case = msgspec.json.decode(record, type=CaseFile)
            self.book.take_case(case)
        row = self.connection.execute("SELECT record FROM room").fetchone()
        if row and self.station in self.book.plans:
            self.book.rooms[self.station] = read_room(row[0])

    def _stand(self, fact: Fact | None) -> None:
        """Facts whose newest of a kind is what counts: layout, policy, grants, what the screen says besides."""
        if isinstance(fact, facts.StationConfigured):
            self.about = in_a_known_zone(fact)
            self.book.learn(fact, self.clock.now())
        elif isinstance(fact, facts.PolicyAdopted):
            self.policy = fact.policy
        elif isinstance(fact, facts.ScreenNoted):
            self.noted = fact
        elif isinstance(fact, facts.Granted) and fact.stands and fact.grant not in self.revoked:
            self.grants[fact.grant] = fact
        elif isinstance(fact, facts.Revoked):
            self.grants.pop(fact.grant, None)
            self.revoked.add(fact.grant)

    def _learn_entry(self, entry: Entry) -> None:
        fact = _understood(entry.kind, entry.body) if entry.kind in self.kinds else None
        if fact and not self._is_outdone(entry, fact):
            self._learn(fact, entry.happened_at)

    def _is_outdone(self, entry: Entry, fact: Fact) -> bool:
        """Whether what counts by being the newest is older than what stands: what a hub that was restored had lost, and
        is given back, comes to a new computer after what it has said since."""
        if isinstance(fact, facts.Reserved):
            return self._is_late(entry, fact)
        if not isinstance(fact, NEWEST_COUNTS):
            return False
        place = streams.place_of(entry.writer, entry.number)
        if place < self._newest.get(fact.kind, place):
            return True
        self._newest[fact.kind] = place
        self.connection.execute("INSERT OR REPLACE INTO newest VALUES (?, ?, ?)", (fact.kind, *place))
        return False

    def _is_late(self, entry: Entry, fact: facts.Reserved) -> bool:
        """Whether the promise in force is younger, and of a later epoch: then this one is late news, as at the hub
        (`Book.learn_again`)."""
        known = self.parcel(fact.parcel)
        if known is None or known.reservation is None or known.reservation <= fact.reservation:
            return False
        promised = self.connection.execute(_PROMISED, (f'%"reservation":"{known.reservation}"%',))
        return any(streams.epoch_of(writer) > streams.epoch_of(entry.writer) for (writer,) in promised)

    def _fold_anew(self, entries: Iterator[Entry]) -> None:
        """The cache as it follows from these entries, and from nothing that was cached before."""
        self.connection.execute(_FORGET)
        self._remember()
        for entry in entries:
            self._learn_entry(entry)
        self._remember()

    def _learn(self, fact: Fact, at: str) -> Learned:
        if isinstance(fact, facts.ParcelFact) and fact.parcel not in self.book.parcels:
            self._recall(fact.parcel)
        learned = self.book.learn(fact, clock.parse(at), self.station)
        self._stand_durably(fact)
        self._cache(fact)
        if learned.after and self._is_over_here(learned.after):
            self.book.parcels.pop(learned.after.id, None)
        return learned

    def _is_over_here(self, parcel: Parcel) -> bool:
        """Its life has ended, or its room here was given up. The file keeps it, the memory need not."""
        return parcel.stage in ENDED or parcel.station != self.station

    def _recall(self, parcel: UUID) -> None:
        if known := self.parcel(parcel):
            self.book.parcels[parcel] = known

    def parcel(self, parcel: UUID | None) -> Parcel | None:
        """A parcel that this station knows, ended or not."""
        if parcel in self.book.parcels:
            return self.book.parcels[parcel]
        row = self.connection.execute("SELECT record FROM parcel WHERE id = ?", (str(parcel),)).fetchone()
        return msgspec.json.decode(row[0], type=Parcel) if row else None

    def _stand_durably(self, fact: Fact) -> None:
        standing = (facts.Granted, *NEWEST_COUNTS)
        if isinstance(fact, facts.Revoked):
            self.connection.execute("DELETE FROM standing WHERE name = ?", (f"Granted/{fact.grant}",))
        elif isinstance(fact, standing) and not self._stands_no_longer(fact):
            name = f"Granted/{fact.grant}" if isinstance(fact, facts.Granted) else fact.kind
            self.connection.execute("INSERT OR REPLACE INTO standing VALUES (?, ?)", (name, facts.body(fact)))
        if isinstance(fact, facts.StationConfigured):  # the book has learnt it
            self.about = in_a_known_zone(fact)
        else:
            self._stand(fact)

    def _stands_no_longer(self, fact: Fact) -> bool:
        """What was taken back stays so, in whatever order it is heard: blocked beats allowed."""
        return isinstance(fact, facts.Granted) and (not fact.stands or fact.grant in self.revoked)

    def _cache(self, fact: Fact) -> None:
        if isinstance(fact, facts.ParcelFact):
            parcel = self.book.parcels[fact.parcel]
            self.connection.execute(
                "INSERT OR REPLACE INTO parcel VALUES (?, ?, ?)",
                (str(parcel.id), parcel.stage in ENDED, msgspec.json.encode(parcel).decode()),
            )
        if isinstance(fact, facts.CaseOpened | facts.CaseClosed) and fact.case in self.book.cases:
            case = self.book.cases[fact.case]
            record = msgspec.json.encode(case).decode()
            self.connection.execute(
                "INSERT OR REPLACE INTO case_file VALUES (?, ?, ?)", (str(case.id), case.closed_at is None, record)
            )
        if self.station in self.book.rooms:
            record = write_room(self.book.rooms[self.station])
            self.connection.execute("INSERT OR REPLACE INTO room VALUES (1, ?)", (record,))

    def forget_ended(self) -> None:
        """Frees the memory of parcels that are over here; the file keeps them. `_learn` has done so already."""
        self.book.parcels = {key: each for key, each in self.book.parcels.items() if not self._is_over_here(each)}

    def room(self) -> Room:
        """What is taken, promised and held here."""
        return self.book.rooms.get(self.station, Room())

    def parcels(self) -> Iterator[Parcel]:
        """Those that lie here or are promised room here."""
        yield from self.book.parcels.values()


def _understood(kind: str, body: str) -> Fact | None:
    """None for what this version cannot read: it is kept, and no more."""
    try:
        return facts.read(kind, body)
    except (msgspec.DecodeError, UnicodeError):
        return None
