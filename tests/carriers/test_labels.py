"""Check digits of labels: the samples of others, and that one wrong digit never passes for right."""

import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.carriers import labels
from parcelwall.rules import access

S10 = json.loads((Path(__file__).parent / "golden/s10.json").read_text())
SERIALS = st.from_regex(r"[0-9]{8}", fullmatch=True)


@pytest.mark.parametrize("number", S10["valid"])
def test_numbers_of_the_post_are_right(number: str) -> None:
    assert labels.check_digit_fits(number) is True
    assert labels.check_digit_fits(f" {number[:2].lower()} {number[2:]}") is True, "as people type it"


@pytest.mark.parametrize("number", S10["invalid"])
def test_a_wrong_check_digit_is_told(number: str) -> None:
    assert labels.check_digit_fits(number) is False


@given(SERIALS)
def test_of_ten_check_digits_one_is_right(serial: str) -> None:
    assert sum(labels.check_digit_fits(f"RB{serial}{digit}FI") is True for digit in range(10)) == 1


@given(SERIALS, st.integers(0, 7), st.integers(1, 9))
def test_one_mistyped_digit_is_noticed(serial: str, place: int, by: int) -> None:
    right = f"RB{serial}{labels.s10_check_digit(serial)}FI"
    other = str((int(serial[place]) + by) % 10)
    typed = right[: 2 + place] + other + right[3 + place :]
    left = {labels.s10_check_digit(each[2:10]) for each in (right, typed)}
    assert labels.check_digit_fits(typed) is (len(left) == 1), "remainders 0 and 6 share the digit 5, as S10 has it"


@pytest.mark.parametrize(
    ("read", "fits"),
    [("340123450000000000", True), ("00340123450000000000", True), ("(00)340123450000000000", True),
     ("]C100340123450000000000", True), ("340123450000000001", False), ("PW-7F3-2917", None), ("", None),
     ("RB12345678GB", None), ("123456789012", None)],
)  # fmt: skip
def test_forms(read: str, fits: bool | None) -> None:
    assert labels.check_digit_fits(read) is fits


SSCC = st.from_regex(r"[0-9]{17}", fullmatch=True).map(lambda digits: f"{digits}{labels.gs1_check_digit(digits)}")


@given(SSCC, st.sampled_from(["{}", "00{}", "(00){}", "]C100{}", "]C1(00){}", "]C100{}\x1d", " (00) {} "]))
def test_a_number_is_the_same_printed_read_and_typed(number: str, form: str) -> None:
    key, read = b"k" * 32, form.format(number)
    assert labels.normal(read) == number
    assert access.label_tag(key, read) == access.label_tag(key, number)


@given(SSCC)
def test_what_was_promised_under_an_older_form_is_found(number: str) -> None:
    for old in (f"00{number}", f"(00){number}", number):
        told = hmac.digest(b"k" * 32, b"parcelwall/label-tag/1\x00" + old.encode(), "sha256")[:16].hex()
        assert all(told in access.label_tags(b"k" * 32, read) for read in (number, f"(00){number}", f"]C100{number}"))


def test_what_only_looks_like_a_shipping_number_keeps_its_zeros() -> None:
    assert labels.normal("00340123450000000001") == "00340123450000000001"
    assert labels.normal("0012345") == "0012345"


@given(st.text(max_size=100))
def test_no_text_does_harm(read: str) -> None:
    assert labels.check_digit_fits(read) in (True, False, None)
    assert labels.normal(labels.normal(read)) == labels.normal(read)
