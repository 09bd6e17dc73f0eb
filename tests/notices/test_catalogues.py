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
from parcelwall.web import render

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


def spared(language: str, message: Message, said: str) -> set[str]:
    """The places of an Arabic form for none, one or two: the noun itself says the number, a figure would double it."""
    countless = language == "ar" and isinstance(message.id, tuple) and said in strings(message)[:3]
    return places(ids(message)[-1]) - ({"n", "num"} if countless else set())


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
            assert not said or places(said) in (places(ids(message)[-1]), spared(language, message, said)), said
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


# Per language: other people's words for a station, Brazil's words, words that speak to men only; and in German and
# Polish the second word for a thing that has one: Scanner, Zusteller, Fall, Fach; automat, sprawa, czytnik, skrytka.
ONE_WORD = {
    "de": r"Packstation|Paketstation|Paketautomat|Schließfach|\bLesers?\b|\bKurier|\bVorg[aä]ng|\bTür(en)? [%{]",
    "pl": r"paczkomat|InPost|\bstacj|\bzgłosze|\bskaner|\bdrzwi\b|\bdrzwiczk\w+ [%{]",
    "pt": r"cacifo|armário|terminal|\btela\b|celular|usuário|\bvocê\b(?! ?\?)|endereço|entregador|\bobrigad",
    "ar": r"(?<![\u0640-\u0652])\b(اضغط|ادفع|خذ|اكتب|أدخل|انتظر|افتح|اختر|المس|امسح|اتصل)\b|خزانة|لوكر",
}


def test_every_language_has_its_way_of_speaking() -> None:
    """One word for a station; in Arabic no command that has a gender: nouns of doing, or "please" before them."""
    for language, never in ONE_WORD.items():
        for message in SCRIPT["catalogue"](language):
            for said in strings(message) if message.id else ():
                assert not re.search(never, said, re.IGNORECASE), said


OF_STAFF = ("web/console", "web/templates/console", "web/charts")
LEAF = {"de": r"\bTür", "pl": r"\bdrzwicz"}
OF_A_LEAF = re.compile(r"shut|behind|fuse", re.IGNORECASE)  # to the fuse: a building's door


@pytest.mark.parametrize("language", sorted(LEAF))
def test_what_opens_for_people_has_one_name_and_what_they_push_shut_another(language: str) -> None:
    for message in SCRIPT["catalogue"](language):
        for said in strings(message) if message.id and not OF_A_LEAF.search(ids(message)[0]) else ():
            assert not re.search(LEAF[language], said, re.IGNORECASE), said


def test_a_german_station_is_an_abholstation_to_everybody_but_staff() -> None:
    for message in SCRIPT["catalogue"]("de"):
        of_staff = all(name.startswith(OF_STAFF) for name, _ in message.locations)
        for said in strings(message) if message.id else ():
            assert not re.search("Abholstation" if of_staff else r"\bStation", said), said


def test_an_arabic_noun_has_the_case_of_its_number() -> None:
    """After 11 to 99 (the last form) the accusative, which ends in two strokes; after 100 (the one before) the
    genitive."""
    for message in SCRIPT["catalogue"]("ar"):
        if message.id and len(strings(message)) == 6:
            after_100, after_11 = strings(message)[4:]
            assert after_100.count("\u064b") <= after_11.count("\u064b"), after_11


def test_every_refusal_reason_has_words_for_people() -> None:
    assert REFUSALS.keys() == REASONS.keys()


@pytest.mark.parametrize("table", [STATES, sentence.BARE, sentence.LINKED, letters.LETTERS])
def test_headings_have_no_full_stop(table: dict[str, tuple]) -> None:
    for sayings in [*table.values(), *(each for faces in REFUSALS.values() for each in faces.values())]:
        for saying in sayings:
            heading = saying.heading.other if isinstance(saying.heading, Plural) else saying.heading
            assert not heading.endswith("."), heading


def test_arabic_has_six_forms_and_keeps_the_figures_of_its_numbers() -> None:
    text = Plural("You have {n} parcel here", "You have {n} parcels here")
    assert [words("ar").say(text, n=n) for n in (0, 1, 2, 3, 10, 11, 100, 103)] == [
        "لا طرود لك هنا", "لك طرد واحد هنا", "لك طردان هنا", "لك 3 طرود هنا", "لك 10 طرود هنا", "لك 11 طردًا هنا",
        "لك 100 طرد هنا", "لك 103 طرود هنا",
    ]  # fmt: skip
    assert [words("pt").say(text, n=n) for n in (1, 2)] == ["Tem 1 encomenda aqui", "Tem 2 encomendas aqui"]


def test_a_page_has_a_letter_for_every_letter_that_is_written() -> None:
    """Each character of each catalogue lies in the range of one of the vendored fonts (faces.md L12)."""
    sheet = (Path(render.__file__).parent / "static/css/base.css").read_text()
    ranges = [
        (int(first, 16), int(last or first, 16))
        for line in re.findall(r"unicode-range: ([^;]+);", sheet)
        for first, last in re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", line)
    ]
    for language in TRANSLATED:
        said = "".join("".join(strings(message)) for message in SCRIPT["catalogue"](language) if message.id)
        assert {char for char in said if not any(low <= ord(char) <= high for low, high in ranges)} == set(), language


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
