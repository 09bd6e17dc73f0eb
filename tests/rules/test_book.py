"""The fold: parcels, rooms and cases as facts make them, and what it is surprised by."""

from datetime import timedelta
from uuid import UUID

import pytest

from parcelwall.rules import facts
from parcelwall.rules.book import Book
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import Stage
from parcelwall.rules.places import Room
from rules.samples import CASE, LAYOUT, NOW, OTHER, PARCEL, RESERVATION, collected, deposited, reserved

SECOND = UUID(int=PARCEL.int + 100)


def configured(columns: str = "SSML SSML", station: str = "S-0001") -> facts.StationConfigured:
    return facts.StationConfigured(
        station=station, name=station, address="", lat=60, lon=25, layout=plain_layout(columns)
    )


@pytest.fixture
def book() -> Book:
    book = Book()
    book.learn(configured(), NOW)
    return book


def case(number: int = 1, compartment: int | None = 3, holds: bool = True) -> facts.CaseOpened:
    return facts.CaseOpened(case=UUID(int=CASE.int + number), about="door_failed", compartment=compartment, holds=holds)


def closing(number: int = 1) -> facts.CaseClosed:
    return facts.CaseClosed(case=UUID(int=CASE.int + number), outcome="seen to")


def test_a_promise_becomes_a_place_becomes_free(book: Book) -> None:
    need = book.plans["S-0001"].need(book.learn(reserved(), NOW).after)
    assert book.rooms["S-0001"] == Room(promised={need: 1})
    assert book.learn(deposited(), NOW).surprise is None
    assert book.rooms["S-0001"] == Room(taken=1)
    assert book.learn(collected(), NOW).surprise is None
    assert book.rooms["S-0001"] == Room()


def test_two_in_one_compartment(book: Book) -> None:
    book.learn(reserved(), NOW)
    book.learn(deposited(), NOW)
    learned = book.learn(deposited(parcel=SECOND, reservation=OTHER), NOW)
    assert learned.surprise == ("two_in_one_compartment", "S-0001", 1, True)
    assert learned.after.contested
    assert not book.parcels[PARCEL].contested
    book.learn(collected(parcel=SECOND, reservation=OTHER), NOW)
    assert book.rooms["S-0001"].taken == 1, "the first is in there still"
    third = book.learn(deposited(parcel=UUID(int=99), reservation=OTHER), NOW)
    assert third.after.contested, "so that the database's one_parcel_per_compartment is never broken by a door"
    book.learn(collected(), NOW)
    book.learn(collected(parcel=UUID(int=99), reservation=OTHER), NOW)
    assert book.rooms["S-0001"] == Room()


def test_a_compartment_that_the_layout_does_not_have(book: Book) -> None:
    for number, parcel in enumerate((PARCEL, SECOND)):
        learned = book.learn(deposited(parcel=parcel, reservation=UUID(int=number), compartment=99), NOW)
        assert learned.surprise == ("no_such_compartment", "S-0001", 99, True)
        assert learned.after.contested
    assert book.rooms["S-0001"] == Room()


def test_deposited_twice(book: Book) -> None:
    book.learn(configured(station="S-0002"), NOW)
    book.learn(reserved(), NOW)
    book.learn(deposited(), NOW)
    learned = book.learn(deposited(station="S-0002", compartment=5), NOW)
    assert learned.surprise == ("deposited_twice", "S-0001", 1, True)
    assert learned.after.contested
    assert (book.rooms["S-0001"].taken, book.rooms["S-0002"].taken) == (0, 1 << 4)


def test_the_same_door_again_is_no_second_parcel(book: Book) -> None:
    book.learn(reserved(), NOW)
    book.learn(deposited(), NOW)
    book.learn(deposited(), NOW)
    assert book.rooms["S-0001"] == Room(taken=1)


@pytest.mark.parametrize(
    ("fact", "about"),
    [
        (deposited(), "unexpected_deposit"),
        (collected(), "unexpected_collection"),
        (facts.TakenBack(parcel=PARCEL, reservation=RESERVATION, station="S-0001", compartment=1, visit=CASE),
         "unexpected_removal"),
    ],
)  # fmt: skip
def test_a_door_that_nobody_expected(book: Book, fact: facts.ParcelFact, about: str) -> None:
    assert book.learn(fact, NOW).surprise == (about, "S-0001", 1, False)
    assert book.parcels[PARCEL].stage in (Stage.READY, Stage.COLLECTED, Stage.TAKEN_BACK)


@pytest.mark.parametrize(
    ("kind", "about"), [(facts.Collected, "unexpected_collection"), (facts.TakenBack, "unexpected_removal")]
)
def test_what_another_station_takes_out_may_lie_where_it_lay(book: Book, kind: type[facts.Fact], about: str) -> None:
    """It is believed, and the compartment behind which the parcel may be all the same is offered to nobody."""
    book.learn(configured(station="S-0002"), NOW)
    book.learn(reserved(), NOW)
    book.learn(deposited(compartment=2), NOW)
    elsewhere = kind(parcel=PARCEL, reservation=RESERVATION, station="S-0002", compartment=1, visit=CASE)
    learned = book.learn(elsewhere, NOW)
    assert learned.after.stage in (Stage.COLLECTED, Stage.TAKEN_BACK)
    assert learned.surprise == (about, "S-0001", 2, True)


def test_a_deposit_elsewhere_under_the_promise_in_force_is_a_surprise(book: Book) -> None:
    book.learn(configured(station="S-0002"), NOW)
    book.learn(reserved(), NOW)
    learned = book.learn(deposited(station="S-0002"), NOW)
    assert learned.surprise == ("unexpected_deposit", "S-0002", 1, False)
    assert (book.rooms["S-0001"], book.rooms["S-0002"].taken) == (Room(), 1)


def test_late_news_of_a_desk_is_no_surprise(book: Book) -> None:
    book.learn(reserved(), NOW)
    book.learn(deposited(), NOW)
    learned = book.learn(facts.Lapsed(parcel=PARCEL, reservation=RESERVATION), NOW)
    assert learned.surprise is None
    assert learned.after == learned.before


def test_a_case_holds_its_compartment_until_the_last_one_is_closed(book: Book) -> None:
    bit = book.plans["S-0001"].bit(3)
    book.learn(case(1), NOW, "S-0001")
    book.learn(case(2), NOW, "S-0001")
    assert book.rooms["S-0001"].held == bit
    book.learn(closing(1), NOW)
    assert book.rooms["S-0001"].held == bit
    book.learn(closing(2), NOW + timedelta(hours=1))
    assert book.rooms["S-0001"].held == 0
    closed = book.cases[UUID(int=CASE.int + 2)]
    assert (closed.closed_at, closed.outcome) == (NOW + timedelta(hours=1), "seen to")


def test_cases_that_hold_nothing(book: Book) -> None:
    book.learn(case(1, holds=False), NOW, "S-0001")
    book.learn(case(2, compartment=None), NOW, "S-0001")
    book.learn(case(3), NOW, "S-0404")
    assert book.rooms["S-0001"] == Room()
    assert len(book.cases) == 3


def test_a_case_is_opened_and_closed_once(book: Book) -> None:
    book.learn(case(), NOW, "S-0001")
    book.learn(closing(), NOW)
    book.learn(closing(), NOW + timedelta(days=1))
    book.learn(case(), NOW, "S-0001")
    assert book.cases[case().case].closed_at == NOW
    assert book.rooms["S-0001"].held == 0
    book.learn(closing(9), NOW)
    assert len(book.cases) == 1


def test_health(book: Book) -> None:
    book.learn(facts.CompartmentHealth(compartment=2, usable=False), NOW, "S-0001")
    assert book.rooms["S-0001"] == Room(broken=2)
    book.learn(facts.CompartmentHealth(compartment=2, usable=True), NOW, "S-0001")
    book.learn(facts.CompartmentHealth(compartment=77, usable=False), NOW, "S-0001")
    assert book.rooms["S-0001"] == Room()


def test_a_new_layout_counts_anew(book: Book) -> None:
    book.learn(reserved(), NOW)
    book.learn(deposited(compartment=5), NOW)
    book.learn(reserved(parcel=SECOND), NOW)
    book.learn(case(compartment=2), NOW, "S-0001")
    book.learn(facts.CompartmentHealth(compartment=6, usable=False), NOW, "S-0001")
    book.learn(configured("L SSSSSSSS"), NOW)
    plan = book.plans["S-0001"]
    assert book.rooms["S-0001"] == Room(
        taken=plan.bit(5), broken=plan.bit(6), held=plan.bit(2), promised={plan.need(book.parcels[SECOND]): 1}
    )
    book.learn(closing(), NOW)
    assert book.rooms["S-0001"].held == 0


def test_facts_of_stations_unknown_here_are_taken_in() -> None:
    book = Book()
    assert book.learn(reserved(), NOW).after.stage == Stage.RESERVED
    assert book.learn(deposited(), NOW).surprise is None
    assert book.rooms == {}


def test_facts_that_concern_no_parcel_change_nothing(book: Book) -> None:
    for fact in (facts.DoorOpened(compartment=1), facts.WrongCode(count=1), facts.Power(status="mains")):
        assert book.learn(fact, NOW, "S-0001") == (None, None, None)
    assert (book.rooms["S-0001"], book.parcels, book.cases) == (Room(), {}, {})


def test_the_layout_of_the_samples_is_the_books(book: Book) -> None:
    assert book.plans["S-0001"].layout == LAYOUT
