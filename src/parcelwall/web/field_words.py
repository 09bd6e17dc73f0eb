"""What is wrong with a field, in words for whoever has sent it: no regular expressions, and lists where there are."""

import re
from typing import get_args

from parcelwall.rules.facts import Direction, Proof
from parcelwall.rules.layout import Climate
from parcelwall.web import bodies

PATTERNS: dict[str, str] = {
    bodies.REFERENCE: "1 to 64 characters: letters, digits, spaces and . _ / + -, and first a letter or a digit",
    bodies.WORDS: "Text without line breaks and control characters",
    bodies.EMAIL: "One e-mail address, such as ada@example.org",
    bodies.PHONE: "One telephone number with its country, such as +358 40 123 4567",
    bodies.LANGUAGE: "A language code, such as en or pt-BR",
    bodies.AMOUNT: "A decimal number as text, such as 49.90",
    bodies.CURRENCY: "Three capital letters, such as EUR",
    bodies.SERVICE: "At most 32 characters: small letters, digits, _ and -",
    bodies.STATION: "The id of a station, such as S-0012",
    bodies.SMALL_WORDS: "At most 64 small letters and _",
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
