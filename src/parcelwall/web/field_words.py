"""Forms of fields, and what is wrong with one in words for whoever has sent it: lists, and no regular expressions."""

import re
from typing import get_args

from parcelwall.hub.station_file import STATION_ID
from parcelwall.rules.facts import Direction, Proof
from parcelwall.rules.layout import Climate

END = r"$(?!\n)"  # `$` alone matches before a last line break, too: in Python, not in JavaScript
REFERENCE = r"^[A-Za-z0-9][A-Za-z0-9 ._/+\-]{0,63}" + END
WORDS = r"^[^\x00-\x1f\x7f]*" + END
EMAIL = r"^[^@\s\x00-\x1f\x7f,;<>]+@[^@\s\x00-\x1f\x7f,;<>]+" + END
PHONE = r"^\+?[0-9][0-9 ()./\-]{4,24}" + END
LANGUAGE = r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})?" + END
AMOUNT = r"^[0-9]{1,12}(\.[0-9]{1,4})?" + END
CURRENCY = r"^[A-Z]{3}" + END
SERVICE = r"^[a-z0-9_-]{0,32}" + END
STATION = "^" + STATION_ID + END
SMALL_WORDS = r"^[a-z_]*" + END

PATTERNS: dict[str, str] = {
    REFERENCE: "1 to 64 characters: letters, digits, spaces and . _ / + -, and first a letter or a digit",
    WORDS: "Text without line breaks and control characters",
    EMAIL: "One e-mail address, such as ada@example.org",
    PHONE: "One telephone number with its country, such as +358 40 123 4567",
    LANGUAGE: "A language code, such as en or pt-BR",
    AMOUNT: "A decimal number as text, such as 49.90",
    CURRENCY: "Three capital letters, such as EUR",
    SERVICE: "At most 32 characters: small letters, digits, _ and -",
    STATION: "The id of a station, such as S-0012",
    SMALL_WORDS: "At most 64 small letters and _",
}
LISTS: dict[str, tuple[str, ...]] = {
    "climate": get_args(Climate), "proof": get_args(Proof), "direction": get_args(Direction),
}  # fmt: skip
_SENTENCES = {f"Expected `str` matching regex {pattern!r}": words for pattern, words in PATTERNS.items()}
_PLACE = re.compile(r" - at `\$[^`]{0,200}`$")
_VALUE = re.compile(r"Invalid enum value ")


def in_words(said: str, field: str) -> str:
    """What msgspec says of `field`, without the place, which stands in `field` itself."""
    said = _PLACE.sub("", said)
    known = LISTS.get(field.rpartition(".")[2])
    if known and _VALUE.match(said):
        return f"{said}: one of {', '.join(known)}"
    return _SENTENCES.get(said, said)
