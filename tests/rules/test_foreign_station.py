"""What a station tells of a parcel that lies elsewhere is a case for somebody to look at: it moves nobody's time.

A station may be wrong (restored from an old disk, taken over): what it says about its own doors is believed, and about
others' parcels it has no say.
"""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.rules import decide, facts
from parcelwall.rules.book import Book, CaseFile
from parcelwall.rules.facts import Fact
from rules.samples import COURIER, LATER, NOW, OTHER, PARCEL, RESERVATION, VISIT, collected, deposited, reserved

OWN, FOREIGN = "S-0001", "S-0002"
HOURS = st.integers(-200, 200).map(lambda hours: NOW + timedelta(hours=hours))
IDS = st.integers(100, 10**6).map(lambda number: UUID(int=number))

CASES = st.builds(
    facts.CaseOpened, case=IDS, about=st.sampled_from((*decide.STOPPING, "reported_damaged", "door_left_open")),
    parcel=st.just(PARCEL), station=st.sampled_from((None, FOREIGN)), compartment=st.sampled_from((None, 1, 5)),
    holds=st.booleans(),
)  # fmt: skip
STOOD = st.builds(lambda since, until: facts.StoodStill(since=since, until=until), HOURS, HOURS)
OF_ITS_OWN_DOORS = st.sampled_from((
    facts.DoorFailed(compartment=1, why="stuck", visit=VISIT), facts.DoorOpened(compartment=1, visit=VISIT),
    facts.DoorClosed(compartment=1, visit=VISIT), facts.CompartmentHealth(compartment=1, usable=False),
    facts.OrderAnswered(order=VISIT, outcome="failed", compartment=1), facts.Power(status="low"),
    facts.ClockSet(boot="b", mono_ms=1, utc=NOW), facts.JournalRestored(before=FOREIGN, number=1),
    facts.WrongCode(count=9, paused=True), facts.Measured(probe="p", unit="degC", low=1, mean=1, high=1, since=NOW),
))  # fmt: skip


def a_book() -> Book:
    book = Book()
    for fact in (reserved(), deposited()):
        book.learn(fact, NOW, OWN)
    return book


def due(book: Book, stood: list[facts.StoodStill], teller: str, now: datetime) -> list[Fact | None]:
    """Everything that moves this parcel's time, as the hub asks for it at `now`."""
    parcel, cases = book.parcels[PARCEL], list(book.cases.values())
    return [
        decide.expire(parcel, now, cases), *(decide.keep_longer(parcel, each, teller, now, cases) for each in stood),
        *(decide.give_back(parcel, case, cases, now) for case in cases),
    ]  # fmt: skip


@given(told=st.lists(st.tuples(CASES | STOOD | OF_ITS_OWN_DOORS, HOURS), min_size=1, max_size=8), now=HOURS)
def test_nothing_that_another_station_tells_moves_a_parcels_time(
    told: list[tuple[Fact, datetime]], now: datetime
) -> None:
    book, alone = a_book(), a_book()
    for fact, at in told:
        book.learn(fact, at, FOREIGN)
    stood = [fact for fact, _ in told if isinstance(fact, facts.StoodStill)]
    expired, *longer = due(book, stood, FOREIGN, now)
    assert book.parcels == alone.parcels
    assert [expired] == due(alone, [], FOREIGN, now)
    assert not any(longer)
    assert {fact.case for fact, _ in told if isinstance(fact, facts.CaseOpened)} == set(book.cases), "a case it stays"


@given(others=st.lists(st.tuples(CASES, HOURS), max_size=6))
def test_nor_does_it_take_away_what_its_own_station_gives(others: list[tuple[Fact, datetime]]) -> None:
    book, alone = a_book(), a_book()
    for each in (book, alone):
        each.learn(facts.CaseOpened(case=OTHER, about="door_failed", parcel=PARCEL, compartment=1), NOW, OWN)
    for fact, at in others:
        book.learn(fact, at, FOREIGN)
    end = NOW + timedelta(hours=9)
    parcel, case = book.parcels[PARCEL], book.cases[OTHER]
    assert decide.expire(parcel, LATER, book.cases.values()) is None
    given_back = decide.give_back(parcel, case, book.cases.values(), end)
    assert given_back == decide.give_back(parcel, case, alone.cases.values(), end)
    assert given_back is not None and given_back.collect_by == LATER + timedelta(hours=9)


@given(collect_by=HOURS, at=HOURS)
def test_a_second_deposit_elsewhere_takes_no_time_away(collect_by: datetime, at: datetime) -> None:
    book = a_book()
    second = deposited(station=FOREIGN, compartment=5, collect_by=collect_by, visit=COURIER)
    learned = book.learn(second, at, FOREIGN)
    assert learned.surprise is not None and learned.after is not None and learned.after.contested
    assert learned.after.collect_by == learned.after.due == max(LATER, collect_by)


@pytest.mark.parametrize("fact", [
    collected(station=FOREIGN),
    facts.TakenBack(parcel=PARCEL, reservation=RESERVATION, station=FOREIGN, compartment=1, visit=VISIT),
])  # fmt: skip
def test_what_another_stations_door_saw_of_it_is_a_case(fact: Fact) -> None:
    assert a_book().learn(fact, NOW, FOREIGN).surprise is not None


def test_a_case_of_the_station_that_the_parcel_has_left_stops_its_time_no_longer() -> None:
    book = a_book()
    case = CaseFile(OTHER, "door_failed", NOW, PARCEL, OWN, 1, True)
    assert decide.stops_the_clock(case, book.parcels[PARCEL])
    book.learn(deposited(station=FOREIGN, compartment=5), NOW, FOREIGN)
    assert not decide.stops_the_clock(case, book.parcels[PARCEL])
