"""One form of each number on a label, whoever scans, prints or types it.

Carriers name what they print, `(00)340123450000000000`; readers send what they read, `]C100340123450000000000`. Both
are one number here, at the hub, at a station and on a courier's phone. Source: GS1 General Specifications (SSCC, 18
digits, application identifier 00, check digit modulo 10; symbology identifiers `]C1` and their like).
"""

import re
from unicodedata import decimal

_SEPARATOR = "\x1d"  # FNC1, which a reader sends between the parts of a GS1 label
_READERS_MARK = re.compile(r"^\](?:C1|C0|D2|Q3)")
_PRINTED = re.compile(r"\(00\)([0-9]{18})")
_READ = re.compile(r"00([0-9]{17})([0-9])")


def normal(read: str) -> str:
    """The label as it is compared: capitals, without white space, without what a GS1 reader puts before or between, and
    an SSCC without its application identifier. What only looks like one (its check digit is wrong) keeps its zeros."""
    text = _READERS_MARK.sub("", "".join(read.replace(_SEPARATOR, "").split()).upper())
    if printed := _PRINTED.fullmatch(text):
        return printed[1]
    found = _READ.fullmatch(text)
    return text[2:] if found and gs1_check_digit(found[1]) == int(found[2]) else text


def plain_digits(typed: str) -> str:
    """What a person typed, with 0 to 9 for the digits of other scripts: an Arabic keyboard writes ٣ for 3."""
    return typed if typed.isascii() else "".join(str(decimal(each)) if each.isdecimal() else each for each in typed)


def forms(read: str) -> tuple[str, ...]:
    """The label as it is compared, first, and the other forms in which versions before compared it."""
    one = normal(read)
    zeros = (f"00{one}", f"(00){one}") if len(one) == 18 and one.isdigit() else ()
    return tuple(dict.fromkeys((one, "".join(read.split()).upper(), *zeros)))


def gs1_check_digit(digits: str) -> int:
    """The last digit of a GS1 key: `digits` are all before it."""
    weighted = (int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -sum(weighted) % 10
