"""Frames on a screen: lost, doubled, shuffled, misread, mixed with another set."""

import random

from hypothesis import given
from hypothesis import strategies as st

from parcelwall.link.paper import TO_PHONE_BYTES, TO_READER_BYTES, Gathering, sheets
from parcelwall.rules.token import base45, from_base45

DATA = st.binary(max_size=6000)
SIZES = st.sampled_from([40, TO_READER_BYTES, TO_PHONE_BYTES])


def gathered(shown: list[str]) -> list[bytes]:
    gathering = Gathering()
    return [whole for text in shown if (whole := gathering.take(text)) is not None]


@given(DATA, SIZES, st.randoms(use_true_random=False))
def test_any_order_and_any_frame_twice_gives_the_whole_once(data: bytes, size: int, chance: random.Random) -> None:
    shown = sheets(data, size)
    again = chance.sample(shown, len(shown) // 2)
    seen = [*shown, *(text for text in again if text != shown[-1])]
    last = seen.pop(seen.index(shown[-1]))
    chance.shuffle(seen)
    assert gathered([*seen, last]) == [data]


@given(DATA, SIZES, st.integers(0, 400))
def test_a_missed_frame_comes_round_again(data: bytes, size: int, missed: int) -> None:
    shown = sheets(data, size)
    at = missed % len(shown)
    assert gathered(shown[:at] + shown[at + 1 :]) == []
    assert gathered(shown[:at] + shown[at + 1 :] + shown)[:1] == [data]


@given(DATA, DATA, SIZES)
def test_two_sets_side_by_side_are_not_mixed(one: bytes, other: bytes, size: int) -> None:
    first, second = sheets(one, size), sheets(other, size)
    longest = max(len(first), len(second))
    mixed = [each[at] for at in range(longest) for each in (first, second) if at < len(each)]
    assert sorted(set(gathered(mixed))) == sorted({one, other})


@given(st.binary(min_size=1, max_size=3000), SIZES, st.data())
def test_a_misread_frame_never_gives_other_bytes(data: bytes, size: int, draw: st.DataObject) -> None:
    shown = sheets(data, size)
    at = draw.draw(st.integers(0, len(shown) - 1))
    raw = bytearray(from_base45(shown[at].removeprefix("PWB:")) or b"")
    raw[draw.draw(st.integers(0, len(raw) - 1))] ^= draw.draw(st.integers(1, 255))
    misread = [*shown[:at], "PWB:" + base45(bytes(raw)), *shown[at + 1 :]]
    assert gathered([*misread, *shown])[-1:] in ([data], [])
    assert set(gathered([*misread, *shown, *shown])) == {data}


@given(st.lists(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: "PWB:" + base45(raw)), max_size=30))
def test_no_text_does_harm(seen: list[str]) -> None:
    gathered(seen)


def test_the_texts_fit_the_scanner_and_the_qr_codes_that_are_planned() -> None:
    assert max(map(len, sheets(bytes(40_000), TO_READER_BYTES))) == 4 + 312, "version 11 at level M"
    assert max(map(len, sheets(bytes(40_000), TO_PHONE_BYTES))) == 4 + 612, "version 16 at level M"
