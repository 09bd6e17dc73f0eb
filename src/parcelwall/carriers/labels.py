"""Numbers on labels: made the same whoever scans or types them, and their check digits told right from wrong.

A form with a check digit is known by its shape. A shape that is nobody's is neither right nor wrong: most carriers
print numbers that only they can judge. Sources: UPU S10 (13 characters, weights 8 6 4 2 3 5 9 7, modulo 11), GS1
General Specifications (SSCC, 18 digits, weights 3 and 1, modulo 10).
"""

import re

from parcelwall.rules import labels
from parcelwall.rules.labels import gs1_check_digit

_S10 = re.compile(r"[A-Z]{2}([0-9]{8})([0-9])[A-Z]{2}")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_SSCC = re.compile(r"(?:00)?([0-9]{17})([0-9])")  # with or without its application identifier
LONGEST = 64


def normal(read: str) -> str:
    """A label as it is compared, no longer than labels are."""
    return labels.normal(read)[:LONGEST]


def check_digit_fits(read: str) -> bool | None:
    """Whether the check digit is the right one; None for a number of another form."""
    text = normal(read)
    if found := _S10.fullmatch(text):
        return s10_check_digit(found[1]) == int(found[2])
    if found := _SSCC.fullmatch(text):
        return gs1_check_digit(found[1]) == int(found[2])
    return None


def s10_check_digit(serial: str) -> int:
    """The ninth digit of a postal number: `serial` is the eight before it."""
    left = 11 - sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, serial, strict=True)) % 11
    return {10: 0, 11: 5}.get(left, left)
