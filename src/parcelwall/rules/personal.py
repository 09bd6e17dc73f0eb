"""Whether the body of an entry speaks of a person: no fact may (INV-11). A net with wide meshes, held by `verify`.

It finds e-mail addresses, international telephone numbers, and fields by the name of such. A bare national number
cannot be told from a parcel number.
"""

import re

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w")
_NUMBER = re.compile(r"\+\d[\d ()/-]{6,}\d")
_FIELD = re.compile(r'"(e_?mail|phone|telephone|mobile|first_name|last_name|recipient)"\s*:', re.IGNORECASE)
_OF_PLACES = ("StationConfigured",)  # a station has an address, and its host may have a telephone


def told_of_people(kind: str, body: str) -> str | None:
    """What a body seems to tell of a person, in words; None for nothing."""
    if kind in _OF_PLACES:
        return None
    if _ADDRESS.search(body):
        return "an e-mail address"
    if _NUMBER.search(body):
        return "a telephone number"
    return "a field about a person" if _FIELD.search(body) else None
