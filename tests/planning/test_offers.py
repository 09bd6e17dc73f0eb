"""Tables of chances from the journal: fuller stations have less, what is not known is taken the careful way."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from parcelwall.planning import offers
from parcelwall.planning.history import History, note
from parcelwall.planning.looking import DAYS
from parcelwall.rules import facts
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.offers import NEVER, SURE, RoomTable

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
ABOUT = facts.StationConfigured(station="S-0001", name="One", address="Here 1", lat=60.0, lon=25.0, zone="UTC",
                                layout=plain_layout("SSML"))  # fmt: skip
Entry = tuple[str, datetime, UUID | None, str]


def entry(fact: facts.Fact, at: datetime) -> Entry:
    return fact.kind, at, getattr(fact, "parcel", None), facts.body(fact)


def reserved(number: int, at: datetime, size: str = "S") -> Entry:
    return entry(facts.Reserved(
        parcel=UUID(int=number), reservation=UUID(int=number), station="S-0001", size=size, hold_hours=48,
        deposit_by=at + timedelta(days=3), length_mm=1, width_mm=1, height_mm=1, weight_g=1), at)  # fmt: skip


def deposited(number: int, at: datetime, compartment: int) -> Entry:
    return entry(facts.Deposited(
        parcel=UUID(int=number), reservation=UUID(int=number), station="S-0001", compartment=compartment,
        collect_by=at + timedelta(days=2), visit=UUID(int=number)), at)  # fmt: skip


def collected(number: int, at: datetime, compartment: int) -> Entry:
    return entry(facts.Collected(
        parcel=UUID(int=number), reservation=UUID(int=number), station="S-0001", compartment=compartment,
        visit=UUID(int=number)), at)  # fmt: skip


def told(*entries: Entry, broken: frozenset[int] = frozenset()) -> History:
    history = History({}, {}, unusable={"S-0001": broken, "S-9999": broken})
    for each in (entry(ABOUT, NOW - timedelta(days=90)), *entries):
        note(history, *each)
    return history


def table(*entries: Entry, broken: frozenset[int] = frozenset()) -> RoomTable:
    (only,) = offers.tables(offers.places(told(*entries, broken=broken)), NOW, {})
    return only


def test_an_empty_station_without_history_has_room() -> None:
    made = table()
    assert made.chance == dict.fromkeys("SML", (SURE,) * DAYS)


def test_without_history_who_lies_there_is_taken_to_stay() -> None:
    full = [each for n in range(1, 5) for each in (reserved(n, NOW), deposited(n, NOW, n))]
    made = table(*full)
    assert made.chance == dict.fromkeys("SML", (NEVER,) * DAYS)
    made = table(*full[:4])  # both S are taken: S may still go up
    assert min(made.chance["S"]) > 0.8


def test_past_stays_tell_that_the_station_empties() -> None:
    then = NOW - timedelta(days=60)
    past = [each for n in range(10, 90) for each in (
        reserved(n, then), deposited(n, then + timedelta(hours=1), 1),
        collected(n, then + timedelta(hours=1 + n), 1))]  # fmt: skip
    full = [each for n in range(1, 5) for each in (reserved(n, NOW), deposited(n, NOW, n))]
    chance = (table(*past, *full)).chance["S"]
    assert all(a <= b for a, b in pairwise(chance))
    assert chance[0] < 0.9 < chance[5]


def test_who_comes_before_the_station_empties_is_told_less_than_who_comes_after_it() -> None:
    """Each evening the carrier Late fills the only L until noon; Early comes in the morning, with small ones."""
    past, fits = list[Entry](), dict.fromkeys(("length_mm", "width_mm", "height_mm", "weight_g"), 1)
    for day in range(1, 61):
        for number, carrier, size, came, door, left in (
            (day, "Late", "L", NOW - timedelta(days=day, hours=-10), 4, NOW - timedelta(days=day - 1, hours=-4)),
            (100 + day, "Early", "S", NOW - timedelta(days=day, hours=-1), 1, NOW - timedelta(days=day, hours=-3)),
        ):
            told = facts.Announced(parcel=UUID(int=number), carrier=carrier, reference=str(number), **fits)
            past += [entry(told, came - timedelta(hours=2)), reserved(number, came - timedelta(hours=2), size),
                     deposited(number, came, door)]  # fmt: skip
            past += [collected(number, left, door)] if left < NOW else []
    made = table(*past)
    early, late = made.by_carrier["Early"]["L"], made.by_carrier["Late"]["L"]
    assert early[0] < 0.1 and late[0] > 0.4, "today"
    assert early[0] < made.chance["L"][0] < late[0], "of a carrier who was never here"
    assert made.at("L", NOW, "Late") == late[0] and made.at("L", NOW, "Other") == made.chance["L"][0]


def test_what_is_promised_counts_until_it_is_gone() -> None:
    promised = [reserved(n, NOW, "L") for n in (1, 2)]
    today, tomorrow = (table(*promised)).chance["L"][:2]
    assert today < 0.5, "who of the three in the visit is first, nobody knows"
    assert tomorrow == NEVER
    lapsed = [entry(facts.Lapsed(parcel=UUID(int=n), reservation=UUID(int=n)), NOW) for n in (1, 2)]
    assert (table(*promised, *lapsed)).chance["L"][0] == SURE


def test_a_stay_that_ends_before_it_began_and_an_unreadable_entry_teach_nothing() -> None:
    odd = [deposited(1, NOW, 1), collected(1, NOW - timedelta(days=1), 1), ("Deposited", NOW, UUID(int=2), "{}")]
    made = table(*odd)
    assert made.chance["L"] == (SURE,) * DAYS


def test_a_broken_door_is_no_room_and_what_lies_behind_it_takes_none() -> None:
    """As promises count: rules/places.py leaves unusable compartments out."""
    assert (table(broken=frozenset({1, 2, 3}))).chance["S"] == (SURE,) * DAYS
    assert (table(broken=frozenset({4}))).chance == {
        "S": (SURE,) * DAYS, "M": (SURE,) * DAYS, "L": (NEVER,) * DAYS}  # fmt: skip
    assert (table(broken=frozenset({1, 2, 3, 4}))).chance == dict.fromkeys("SML", (NEVER,) * DAYS)
    inside = [reserved(1, NOW, "L"), deposited(1, NOW, 4)]
    assert (table(*inside, broken=frozenset({4}))).chance == (table(broken=frozenset({4}))).chance
