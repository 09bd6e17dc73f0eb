"""Every text of the code and the templates, as they are now, is said in every language, and well formed."""

import re
import runpy
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from parcelwall.errors import REASONS
from parcelwall.notices import letters, sentence
from parcelwall.notices.language import SOURCE, Plural, codes, words
from parcelwall.notices.refusals import REFUSALS
from parcelwall.notices.states import STATES

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "script" / "words"))
TRANSLATED = [code for code in codes() if code != SOURCE]
NEVER = re.compile(
    r"!|\b(lockers?|bookings?|please wait|invalid|errors?|oops|unauthori[sz]ed|shipments?|packages?)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return SCRIPT["texts"]()


def strings(message: Message) -> tuple[str, ...]:
    said = message.string
    return tuple(said) if isinstance(said, list | tuple) else (str(said),)


def ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def places(text: str) -> set[str]:
    """The named places of a text, written {so} or %(so)s."""
    braces = {name for _, name, _, _ in string.Formatter().parse(re.sub(r"%\(\w+\)s", "", text)) if name}
    return braces | set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_missing(language: str, texts: Catalog) -> None:
    assert SCRIPT["missing"](language, texts) == [], "run script/words, then translate"


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_over(language: str, texts: Catalog) -> None:
    known = {message.id for message in SCRIPT["catalogue"](language)}
    assert known - {message.id for message in texts} == set(), "run script/words"


def test_the_script_writes_what_it_reads() -> None:
    """A catalogue that is in step is written again byte by byte, so that a change shows only what was changed."""
    for language in TRANSLATED:
        known = SCRIPT["catalogue"](language)
        once = SCRIPT["updated"](language, known)
        assert once == SCRIPT["path"](language).read_bytes()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_same_places_and_no_loose_ends(language: str) -> None:
    for message in SCRIPT["catalogue"](language):
        for said in strings(message) if message.id else ():
            assert not said or places(said) == places(ids(message)[-1]), said
            assert said == said.strip() and "  " not in said, said
            assert "!" not in said, said


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_end_like_the_text(language: str) -> None:
    """A heading has no full stop in any language, a sentence has one in each."""
    for message in SCRIPT["catalogue"](language):
        for said in strings(message) if message.id else ():
            assert not said or said.endswith(".") == ids(message)[-1].endswith("."), said


def test_the_voice(texts: Catalog) -> None:
    for message in texts:
        for text in ids(message) if message.id else ():
            assert not NEVER.search(text), text
            assert text == text.strip(), text


def test_german_and_polish_say_the_station_in_one_way() -> None:
    for language, never in (("de", r"Packstation|Paketstation|Paketautomat|Schließfach"), ("pl", r"paczkomat|InPost")):
        for message in SCRIPT["catalogue"](language):
            for said in strings(message) if message.id else ():
                assert not re.search(never, said, re.IGNORECASE), said


def test_every_refusal_reason_has_words_for_people() -> None:
    assert REFUSALS.keys() == REASONS.keys()


@pytest.mark.parametrize("table", [STATES, sentence.BARE, sentence.LINKED, letters.LETTERS])
def test_headings_have_no_full_stop(table: dict[str, tuple]) -> None:
    for sayings in [*table.values(), *(each for faces in REFUSALS.values() for each in faces.values())]:
        for saying in sayings:
            heading = saying.heading.other if isinstance(saying.heading, Plural) else saying.heading
            assert not heading.endswith("."), heading


def test_polish_has_three_forms() -> None:
    text = Plural("You have {n} parcel here", "You have {n} parcels here")
    said = [words("pl").say(text, n=n) for n in (1, 2, 5, 12, 22, 25)]
    assert said == [
        "Masz tu 1 paczkę", "Masz tu 2 paczki", "Masz tu 5 paczek", "Masz tu 12 paczek", "Masz tu 22 paczki",
        "Masz tu 25 paczek",
    ]  # fmt: skip
    assert [words(code).say(text, n=0) for code in ("en", "de")] == [
        "You have 0 parcels here", "Hier liegen 0 Pakete für Sie",
    ]  # fmt: skip
