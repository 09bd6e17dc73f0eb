"""Codes, tags and the brake: the vectors of hardware.md 6.3, fairness, and the arithmetic of guessing."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.rules import access
from parcelwall.rules.access import BARE, WITH_SELECTOR, Brake, Limits
from rules.samples import COURIER, NOW, RESERVATION

SECRET = bytes(range(32))
KEY = access.subkey(SECRET, "pickup-code")
TODAY = NOW.date()


def reservation(last: int) -> UUID:
    return UUID(f"0198f000-0000-7000-8000-{last:012x}")


def test_the_key_of_codes() -> None:
    assert KEY.hex() == "ec675c057ee6ccfc48a2522def2dff710ebd4bfefac6bd53239431431eeac38b"


@pytest.mark.parametrize(
    ("last", "station", "generation", "code"),
    [
        (0x001, "S-0012", 0, "04067132"),
        (0x001, "S-0012", 1, "79756569"),
        (0x001, "S-0012", 2, "63270861"),
        (0x00F, "S-0012", 0, "87900099"),  # the first word is rejected
        (0x69A, "S-0012", 0, "95790785"),  # two words are rejected
        (0x05B, "S-0012", 0, "00047481"),  # leading zeros
        (0x001, "S-0013", 0, "67653677"),
    ],
)
def test_vectors(last: int, station: str, generation: int, code: str) -> None:
    assert access.pickup_code(KEY, station, reservation(last), generation) == code


def test_codes_are_uniform() -> None:
    """20,000 codes by their first two and last two digits; 99 degrees of freedom, p = 1e-6 at 184."""
    codes = [access.pickup_code(KEY, "S-0012", UUID(int=number), 0) for number in range(20_000)]
    assert all(len(code) == 8 and code.isdigit() for code in codes)
    for part in (slice(0, 2), slice(6, 8)):
        counts = Counter(code[part] for code in codes)
        assert sum((counts[f"{n:02d}"] - 200) ** 2 / 200 for n in range(100)) < 184


def test_every_input_makes_another_code() -> None:
    base = access.pickup_code(KEY, "S-0012", RESERVATION, 0)
    other_key = access.subkey(bytes(32), "pickup-code")
    others = [
        access.pickup_code(other_key, "S-0012", RESERVATION, 0), access.pickup_code(KEY, "S-001", RESERVATION, 0),
        access.pickup_code(KEY, "S-0012", reservation(0x999), 0), access.pickup_code(KEY, "S-0012", RESERVATION, 1),
    ]  # fmt: skip
    assert len({base, *others}) == 5


def test_keys_are_for_one_use() -> None:
    assert len({access.subkey(SECRET, use) for use in ("pickup-code", "label-tag", "courier-code")}) == 3


def test_a_courier_has_a_code_a_day_and_a_station() -> None:
    key = access.subkey(SECRET, "courier-code")
    days = [access.courier_code(key, "S-0012", COURIER, TODAY + timedelta(days=n)) for n in range(300)]
    assert len(set(days)) == 300
    assert access.courier_code(key, "S-0013", COURIER, TODAY) != days[0]
    assert all(len(code) == 8 and code.isdigit() for code in days)


def test_a_label_is_known_however_it_is_printed() -> None:
    key = access.subkey(SECRET, "label-tag")
    assert access.label_tag(key, "pw-7f3 2917") == access.label_tag(key, " PW-7F3\t2917\n")
    assert access.label_tag(key, "PW-7F3-2917") != access.label_tag(key, "PW-7F3-2918")
    assert len(access.label_tag(key, "x")) == 32


@pytest.mark.parametrize(
    ("reference", "selector"),
    [("PW-7F3-2917", "2917"), ("00340434161094042557", "2557"), ("1234-AB", "1234"), ("1A2B3C4D", "1234")],
)
def test_the_selector_is_the_last_four_digits(reference: str, selector: str) -> None:
    assert access.selector(reference) == selector


@pytest.mark.parametrize("reference", ["GIFT", "A1", "123", "", "\u0664\u0665\u0666\u0667"])
def test_a_number_without_four_digits_has_a_selector_of_its_own(reference: str) -> None:
    """Above 100 parcels the screen asks for it; without one such a parcel could never be collected."""
    made = access.selector(reference)
    assert len(made) == 4
    assert made.isascii()
    assert made.isdigit()
    assert made == access.selector(reference)


def test_such_selectors_differ() -> None:
    assert len({access.selector("GIFT" + "X" * n) for n in range(50)}) > 45


def test_matches_compares_them_all() -> None:
    ids = [UUID(int=n) for n in range(3)]
    assert access.matches("11", [("11", ids[0]), ("12", ids[1]), ("11", ids[2])]) == [ids[0], ids[2]]
    assert access.matches("", [("11", ids[0])]) == []


# the brake


def attack(limits: Limits, start: datetime, until: datetime, brake: Brake | None = None) -> Iterator[datetime]:
    """A guesser who types again the moment it is allowed, and at most once a second."""
    brake, now = brake or Brake(), start
    while now < until:
        left = access.pause_left_s(brake, now, now.date(), limits)
        if left == 0:
            yield now
            brake = access.wrong_try(brake, now, now.date(), limits)
            brake = msgspec.json.decode(msgspec.json.encode(brake), type=Brake)  # a restart in between
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        now = midnight if left == float("inf") else now + timedelta(seconds=max(1.0, left))


MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


def test_five_tries_and_then_pauses_that_double_to_15_minutes() -> None:
    tries = list(attack(BARE, MIDNIGHT, MIDNIGHT + timedelta(hours=3)))
    waits = [round((b - a).total_seconds()) for a, b in pairwise(tries)]
    assert waits[:4] == [1, 1, 1, 1]
    assert waits[4:9] == [30, 60, 120, 240, 480]
    assert set(waits[9:]) == {900}


def test_at_most_60_a_day_however_long_it_goes_on() -> None:
    tries = Counter(when.date() for when in attack(BARE, MIDNIGHT, MIDNIGHT + timedelta(days=4)))
    assert len(tries) == 4
    assert all(count <= 60 for count in tries.values())
    assert max(tries.values()) == 60, "the cap is reached, so it is tested"
    assert tries[MIDNIGHT.date()] == 60


def test_60_take_an_attacker_12_8_hours() -> None:
    """A pause that is longer than the window must not give five tries back at its end."""
    tries = list(attack(BARE, MIDNIGHT, MIDNIGHT + timedelta(days=1)))
    assert len(tries) == 60
    assert timedelta(hours=12.5) < tries[-1] - tries[0] < timedelta(hours=13)


def test_closed_until_midnight() -> None:
    brake = Brake(day=TODAY, today=60, last_wrong=NOW)
    assert access.pause_left_s(brake, NOW + timedelta(hours=3), TODAY) == float("inf")
    assert access.pause_left_s(brake, NOW + timedelta(days=1), TODAY + timedelta(days=1)) == 0


@pytest.mark.parametrize(("zone", "now", "hours"), [
    ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    ("Europe/Berlin", datetime(2027, 3, 27, 23, tzinfo=UTC), 23),
    ("Europe/Berlin", datetime(2026, 10, 17, 22, tzinfo=UTC), 24),
    ("Europe/Lisbon", datetime(2026, 10, 25, 0, tzinfo=UTC), 24),
    ("Atlantic/Azores", datetime(2027, 3, 28, 0, 30, tzinfo=UTC), 0.5),  # there midnight itself is left out
    ("Atlantic/Azores", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 24.5), ("Asia/Kolkata", NOW, 10.5),
])  # fmt: skip
def test_until_midnight_is_as_long_as_it_takes(zone: str, now: datetime, hours: float) -> None:
    """Also on the days on which the clocks are moved."""
    assert access.pause_in_s(float("inf"), now, zone) == hours * 3600 + 1


def test_with_the_number_14_on_day_one_and_6_a_day_after() -> None:
    tries = Counter(when.date() for when in attack(WITH_SELECTOR, MIDNIGHT, MIDNIGHT + timedelta(days=3)))
    by_day = [tries[MIDNIGHT.date() + timedelta(days=n)] for n in range(3)]
    assert by_day[0] <= 14
    assert by_day[1] <= 6
    assert by_day[2] <= 6
    assert sum(by_day) <= 26


def test_the_guess_bound_of_0_03_a_year() -> None:
    """60 tries a day against 100 codes, and 26 tries at each of 60 parcels a day with their number (trust.md 3.1)."""
    bare = 60 * 365 * 100 / 10**access.CODE_DIGITS
    with_number = 60 * 365 * 26 / 10**access.CODE_DIGITS
    assert BARE.daily_cap == 60
    assert bare + with_number < 0.03


def test_a_pause_sinks_with_quiet() -> None:
    brake = Brake()
    for second in range(5):
        brake = access.wrong_try(brake, NOW + timedelta(seconds=second), TODAY)
    assert brake.step == 1
    quiet = NOW + timedelta(minutes=25)
    for second in range(5):
        brake = access.wrong_try(brake, quiet + timedelta(seconds=second), TODAY)
    assert access.pause_left_s(brake, quiet + timedelta(seconds=4), TODAY) == 30, "sunk to the first pause again"


def test_tries_left_are_told() -> None:
    brake, left = Brake(), []
    for second in range(4):
        left.append(access.tries_left(brake, NOW + timedelta(seconds=second)))
        brake = access.wrong_try(brake, NOW + timedelta(seconds=second), TODAY)
    assert left == [5, 4, 3, 2]
    assert access.tries_left(brake, NOW + timedelta(minutes=11)) == 5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4000), max_size=40))
def test_the_brake_survives_being_written(gaps: list[int]) -> None:
    brake, now = Brake(), NOW
    for gap in gaps:
        now += timedelta(seconds=gap)
        brake = access.wrong_try(brake, now, now.date())
        read = msgspec.json.decode(msgspec.json.encode(brake), type=Brake)
        assert read == brake
        later = now + timedelta(seconds=17)
        assert access.pause_left_s(read, later, later.date()) == access.pause_left_s(brake, later, later.date())
        assert len(brake.recent) <= BARE.tries


def test_the_day_is_the_stations() -> None:
    brake = Brake(day=date(2026, 11, 22), today=60)
    assert access.wrong_try(brake, NOW, date(2026, 11, 23)).today == 1
    assert access.wrong_try(brake, NOW, date(2026, 11, 22)).today == 61


def test_the_tag_of_a_drawn_code() -> None:
    """The vector of the design, for a secret of the bytes 00 to 1F."""
    key = access.subkey(bytes(range(32)), "code-tag")
    assert access.code_tag(key, "00732908") == "101639ac17c4ee8f1b35995fa302351b"
    assert access.code_tag(key, "00732909") != access.code_tag(key, "00732908")
