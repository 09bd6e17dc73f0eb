"""What a version of this software reads in a journal. Kinds that a later one adds are stored as they came, and learnt
once the software knows them: stations fold their book anew, a hub learns what it has kept unread."""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from parcelwall.rules.book import CaseFile
from parcelwall.rules.fact import Fact
from parcelwall.rules.life import Parcel

_WORDS = ("title", "description")  # of a schema


def understanding(kinds: Mapping[str, type[Fact]]) -> str:
    """What a version that knows these kinds makes of a book, as a digest in hex: kinds, their fields with all that may
    stand in them, and what is kept of parcels and cases. Another digest, another fold."""
    return _digest(tuple(kinds.values()))


@cache
def _digest(kinds: tuple[type[Fact], ...]) -> str:
    shapes = msgspec.json.schema_components([*kinds, Parcel, CaseFile])
    return hashlib.sha256(msgspec.json.encode(_without_words(shapes), order="deterministic")).hexdigest()


def _without_words(shape: Any) -> Any:
    """A schema without what it says to people: another comment is no other fact."""
    if isinstance(shape, dict):
        kept = {name: each for name, each in shape.items() if name not in _WORDS or isinstance(each, dict)}
        return {name: _without_words(each) for name, each in kept.items()}
    return [_without_words(each) for each in shape] if isinstance(shape, list | tuple) else shape
