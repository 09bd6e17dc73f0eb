"""INV-03 in `verify`: in which order what the hub decided and what came from a station is learnt."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from parcelwall import clock
from parcelwall.hub.verify import invariants
from parcelwall.hub.verify_promises import promises
from parcelwall.hub.verify_reading import Kept, Reading
from parcelwall.journal.chain import Entry
from parcelwall.rules import facts
from parcelwall.rules.book import Book as HubBook
from parcelwall.rules.book import CaseFile
from parcelwall.rules.facts import Fact
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import Room
from rules.samples import NOW, PARCEL, RESERVATION, reserved
from station.towns import about

OLD, NEW = "hub:1/S-0001", "hub:2/S-0001"
SECOND, THIRD = UUID(int=PARCEL.int + 100), UUID(int=PARCEL.int + 101)
LATER = NOW + timedelta(hours=1)


class Book:
    """A journal of one station with one compartment, written line by line."""

    def __init__(self) -> None:
        self.reading, self.numbers = Reading(), dict[str, int]()
        layout = plain_layout("S")
        about = facts.StationConfigured(station="S-0001", name="", address="", lat=60, lon=25, layout=layout)
        self.write(OLD, about, NOW)

    def write(self, writer: str, fact: Fact, at: datetime, revision: int | None = None) -> None:
        self.numbers[writer] = self.numbers.get(writer, 0) + 1
        body = facts.body(fact)
        entry = Entry(writer, self.numbers[writer], type(fact).__name__, clock.text(at), body, b"")
        self.reading.note(Kept(entry, getattr(fact, "parcel", None), revision, at, tx=1), fact, "S-0001")

    def restored(self) -> None:
        """The backup ended here: what stands in the old stream from now on was given back."""
        self.reading.lost_after[OLD] = self.numbers[OLD]

    @property
    def wrong(self) -> list[str]:
        return list(promises(self.reading))


def another(parcel: UUID, number: int) -> facts.Reserved:
    return reserved(parcel=parcel, reservation=UUID(int=RESERVATION.int + number))


def test_room_that_is_promised_twice_is_named() -> None:
    book = Book()
    book.write(OLD, reserved(), NOW, 2)
    book.write(OLD, another(SECOND, 1), LATER, 2)
    assert book.wrong == [f"INV-03: {OLD} number 3 promises room at S-0001 that was not there"]


def test_a_promise_that_was_given_back_and_withdrawn_at_the_same_moment_takes_no_room() -> None:
    book = Book()
    book.restored()
    book.write(OLD, reserved(), NOW, 2)
    book.write(NEW, facts.Withdrawn(parcel=PARCEL, reservation=RESERVATION, station="S-0001"), NOW, 3)
    book.write(NEW, another(SECOND, 1), LATER, 2)
    assert book.wrong == []


def test_one_that_was_given_back_after_the_other_was_promised_is_no_fault_of_that_one() -> None:
    book = Book()
    book.restored()
    book.write(NEW, another(SECOND, 1), NOW, 2)
    book.write(OLD, reserved(), LATER, 2)
    assert book.wrong == []
    book.write(NEW, another(THIRD, 2), LATER + timedelta(hours=1), 2)
    assert len(book.wrong) == 1


def test_what_came_to_the_same_parcel_later_frees_no_room_before() -> None:
    book = Book()
    book.write(OLD, reserved(), NOW, 2)
    book.write(OLD, another(SECOND, 1), LATER, 2)
    book.write(OLD, facts.Lapsed(parcel=PARCEL, reservation=RESERVATION), LATER, 3)
    assert len(book.wrong) == 1, "it lapsed after the second promise, in the same stream"


HELD = CaseFile(id=UUID(int=1), about="door_failed", opened_at=NOW, station="S-0001", compartment=1, holds=True)


@pytest.mark.parametrize(
    ("promised", "cases", "explained"),
    [
        (8, [], True),  # there are eight that fit
        (9, [], False),
        (9, [HELD], True),  # one more than fit beside what a case holds
        (10, [HELD], False),
        (9, [msgspec.structs.replace(HELD, closed_at=NOW + timedelta(minutes=1))], True),  # since then
        (9, [msgspec.structs.replace(HELD, closed_at=NOW - timedelta(days=299))], False),  # long ago
        (9, [msgspec.structs.replace(HELD, holds=False, about="reported_dirty")], False),  # takes no room away
    ],
)
def test_promises_that_do_not_fit_are_explained_only_by_what_took_their_room(
    promised: int, cases: list[CaseFile], explained: bool
) -> None:
    book = HubBook()
    book.learn(about("S-0001"), NOW)
    book.rooms["S-0001"] = Room(promised={book.plans["S-0001"].need_of_size("S"): promised})
    waiting = Parcel(id=PARCEL, stage=Stage.RESERVED, station="S-0001", announced_at=NOW, due=LATER)
    book.parcels[PARCEL] = waiting
    book.cases = {case.id: case for case in cases}
    assert (list(invariants(book)) == []) == explained
