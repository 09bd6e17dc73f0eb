"""What the app says inside a view, in the reader's language: samples are written in English, and found in the catalogue
by the text they were made from, so that a gallery in Polish has Polish words of Polish length in it."""

import re
from functools import lru_cache
from typing import Any

import msgspec
from babel.messages.pofile import read_po

from parcelwall.notices.language import LOCALES, SOURCE
from parcelwall.web.render import Words

PLACE = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
LETTERS_OF_ITS_OWN = 5  # a text that is hardly more than its places would fit anything


@lru_cache
def texts(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Texts of the catalogue as patterns with their translations; those with most words of their own first."""
    with (LOCALES / language / "LC_MESSAGES" / "parcelwall.po").open("rb") as file:
        pairs = [(each.id, each.string) for each in read_po(file) if isinstance(each.id, str) and each.string]
    own = sorted(((len(PLACE.sub("", id)), id, said) for id, said in pairs), reverse=True)
    return [(_pattern(id), said) for letters, id, said in own if letters >= LETTERS_OF_ITS_OWN]


def _pattern(id: str) -> re.Pattern[str]:
    parts, at, named = [], 0, set[str]()
    for place in PLACE.finditer(id):
        name = place[1] or place[2]
        parts += [re.escape(id[at : place.start()]), f"(?P={name})" if name in named else f"(?P<{name}>.+?)"]
        named.add(name)
        at = place.end()
    return re.compile("".join([*parts, re.escape(id[at:])]))


@lru_cache(4096)
def said(text: str, language: str) -> str:
    """The text as the app would say it; as it is where no text of the catalogue made it."""
    for pattern, translated in texts(language):
        if found := pattern.fullmatch(text):
            return PLACE.sub(lambda place: found[place[1] or place[2]], translated)
    return text


def in_words(view: Any, words: Words) -> Any:
    """A view whose sentences are in the language of `words`."""
    language = getattr(words, "language", SOURCE)
    return view if language == SOURCE else _turned(view, language)


def _turned(value: Any, language: str) -> Any:
    if isinstance(value, str):
        is_text = (" " in value or value.istitle()) and not value.startswith("<")  # a drawing speaks already
        return said(value, language) if is_text else value
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_turned(each, language) for each in value)
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        changed = {name: _turned(getattr(value, name), language) for name in names}
        return msgspec.structs.replace(value, **{n: v for n, v in changed.items() if v is not getattr(value, n)})
    return value
