"""One language: its catalogue, its locale and the direction it is written in.

Texts stand in the code in English and are looked up in `locale/<language>/LC_MESSAGES/parcelwall.po`, read at the
first use and kept. A new language is a new folder; `script/words` fills it with what is to be translated.
"""

import gettext
import io
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locale"
SOURCE = "en"  # the language of the texts in the code: it has no catalogue
EUROPEAN = {"en": "en_GB", "pt": "pt_PT"}  # what a bare language means: days before months, Portugal's words


class Plural(NamedTuple):
    """A text that changes with `count_by`, one of its named values. Catalogues hold all CLDR forms of it."""

    one: str
    other: str
    count_by: str = "n"


Text = str | Plural


def N_(text: str) -> str:
    """Marks a text of a table for the catalogues; it is translated when it is said."""
    return text


class Words:
    """The words of one language, with gettext's names. `language` is the catalogue's code, `locale` also the region."""

    def __init__(self, language: str, locale: Locale, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self.locale = locale
        self.direction: str = locale.text_direction
        self.gettext = catalogue.gettext
        self.ngettext = catalogue.ngettext
        self.pgettext = catalogue.pgettext
        self.npgettext = catalogue.npgettext

    @property
    def tag(self) -> str:
        """As HTML and mail headers want it: `de`, `de-AT`, `en-GB`."""
        return str(self.locale).replace("_", "-")

    def say(self, text: Text, **values: object) -> str:
        """The text in this language, its named places filled. Raises KeyError for a value that is not given."""
        if isinstance(text, Plural):
            chosen = self.ngettext(text.one, text.other, int(str(values[text.count_by])))
        else:
            chosen = self.gettext(text) if text else ""  # gettext("") is the catalogue's header
        return chosen.format_map(values)

    def upright(self, text: str) -> str:
        """Codes, numbers and addresses run left to right also inside right-to-left sentences (faces.md L5)."""
        return f"\u2066{text}\u2069" if text and self.direction == "rtl" else text


@lru_cache(maxsize=64)
def words(language: str) -> Words:
    """The words for a language tag such as `pl`, `de-AT` or `EN_us`: of its region, else its language, else English."""
    plain = language.partition("@")[0]  # what follows may be anything: there would be endlessly many locales
    parts = plain.replace("-", "_").split("_")
    code = parts[0].lower()
    if code not in codes():
        parts = [code := SOURCE]
    return Words(code, _locale(code, parts), _catalogue(code))


@cache
def codes() -> tuple[str, ...]:
    """The languages there are, English first."""
    return (SOURCE, *sorted(path.name for path in LOCALES.iterdir() if path.is_dir()))


def languages() -> dict[str, str]:
    """Code -> the language's own name, for the list that people choose from (faces.md L8)."""
    return {code: _own_name(code) for code in codes()}


def _own_name(code: str) -> str:
    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]


def _locale(code: str, parts: list[str]) -> Locale:
    if len(parts) > 1:
        try:
            return Locale.parse("_".join(parts))
        except (ValueError, UnknownLocaleError):
            pass  # a region that CLDR does not know reads like its language
    return Locale.parse(EUROPEAN.get(code, code))


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    if code == SOURCE:
        return gettext.NullTranslations()
    with (LOCALES / code / "LC_MESSAGES" / "parcelwall.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    for message in [each for each in catalogue if each.id and not all(_strings(each.string))]:
        catalogue.delete(message.id, message.context)  # what is not translated is said in English
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _strings(said: object) -> tuple[str, ...]:
    return tuple(said) if isinstance(said, list | tuple) else (str(said or ""),)
