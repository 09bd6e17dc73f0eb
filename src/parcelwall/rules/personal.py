"""Whether the body of an entry speaks of a person: no fact may (INV-11). A net with wide meshes, held by `verify`.

It finds e-mail addresses, international telephone numbers, and fields by the name of such. A bare national number
cannot be told from a parcel number.
"""

import re

from parcelwall.errors import Refusal

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w")
_NUMBER = re.compile(r"\+\d[\d ()/-]{6,}\d")
_FIELD = re.compile(r'"(e_?mail|phone|telephone|mobile|first_name|last_name|recipient)"\s*:', re.IGNORECASE)
_IN_FIELDS = ("mail", "phone", "mobile", "_name", "recipient")  # one of them is in every name that _FIELD finds
_OF_NOBODY = ("StationConfigured", "PolicyAdopted")  # a station has an address, an operator a number for help


def told_of_people(kind: str, body: str) -> str | None:
    """What a body seems to tell of a person, in words; None for nothing."""
    if kind in _OF_NOBODY:
        return None
    if "@" in body and _ADDRESS.search(body):
        return "an e-mail address"
    if "+" in body and _NUMBER.search(body):
        return "a telephone number"
    lowered = body.lower()
    named = any(part in lowered for part in _IN_FIELDS)  # hardly ever, and much quicker than the pattern
    return "a field about a person" if named and _FIELD.search(body) else None


def refuse_personal(text: str, field: str) -> None:
    """What is written into the journal stays there. Refuses a text that seems to tell of a person."""
    if ("@" in text or "+" in text) and told_of_people("", text):
        raise Refusal("bad_field", "Write this without anybody's address or telephone number.", field=field)
