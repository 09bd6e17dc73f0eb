"""Languages are found for any tag; refusals, states, places and the sentence choose the best informed words."""

import gettext

import pytest
from babel import Locale

from parcelwall.errors import REASONS
from parcelwall.notices.language import Words
from parcelwall.notices.places import place_sentence
from parcelwall.notices.saying import Saying
from parcelwall.notices.sentence import BARE, LINKED, reason_text, sentence_text
from parcelwall.notices.states import STATES
from parcelwall.notices.texts import languages, refusal_text, state_text, words
from parcelwall.rules.layout import Layout, plain_layout

LANGUAGES = list(languages())


@pytest.mark.parametrize(
    ("tag", "language", "shown"),
    [
        ("ar-EG", "ar", "ar-EG"), ("pt", "pt", "pt-PT"), ("pt-BR", "pt", "pt-BR"),
        ("de", "de", "de"), ("de-AT", "de", "de-AT"), ("DE_ch", "de", "de-CH"), ("de-XX", "de", "de"),
        ("pl-PL", "pl", "pl-PL"), ("en", "en", "en-GB"), ("en-US", "en", "en-US"), ("fr", "en", "en-GB"),
        ("", "en", "en-GB"), ("../../etc/passwd", "en", "en-GB"), ("de-../..", "de", "de"), ("x" * 999, "en", "en-GB"),
        ("zh-Hant-TW", "en", "en-GB"), ("*", "en", "en-GB"), ("\0", "en", "en-GB"),
    ],
)  # fmt: skip
def test_any_tag_finds_words(tag: str, language: str, shown: str) -> None:
    found = words(tag)
    assert (found.language, found.tag) == (language, shown)


def test_languages_call_themselves_by_their_own_names() -> None:
    assert languages() == {
        "en": "English", "ar": "العربية", "de": "Deutsch", "pl": "Polski", "pt": "Português",
    }  # fmt: skip


def test_unknown_text_is_said_as_it_stands() -> None:
    assert words("de").gettext("A text that nobody has translated") == "A text that nobody has translated"
    assert words("pl").ngettext("{n} thing", "{n} things", 5) == "{n} things"
    assert words("de").pgettext("verb", "Open") == "Open"
    assert words("de").say("") == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_is_said_knowing_nothing_and_everything(reason: str, language: str) -> None:
    everything = {"n": 2, "door": 14, "time": "Tue 10:30", "case": "C-17", "station": "Harju", "distance": "350 m"}
    for face in ("kiosk", "phone"):
        for values in ({}, everything):
            said = refusal_text(reason, words(language), face, **values)
            assert bool(said.heading) == (reason != "stale_screen")
            assert "{" not in said.whole()


def test_better_informed_words_come_first() -> None:
    en = words("en")
    assert refusal_text("wrong_code", en, "kiosk", n=1).line.endswith("1 try left before a short pause.")
    assert refusal_text("wrong_code", en, "kiosk", n=2).line.endswith("2 tries left before a short pause.")
    assert refusal_text("wrong_code", en, "phone").line == "Check the newest message, or show the QR."
    assert refusal_text("station_full", en, "phone", station="Harju").line.startswith("Try another station")
    assert refusal_text("door_failed", en, "kiosk", door=7, case=None).heading == "Door 7 does not open"


def test_values_are_never_read_as_templates() -> None:
    said = refusal_text("not_for_this_station", words("en"), "phone", station="{n.__class__} %(x)s {0}")
    assert said.heading == "It belongs to {n.__class__} %(x)s {0}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", STATES)
def test_every_state_is_said(key: str, language: str) -> None:
    given = dict.fromkeys(("door", "station", "time", "day", "place", "old", "code", "carrier", "case", "reason",
                           "size", "ending"), "x")  # fmt: skip
    assert state_text(key, words(language), n=3, label="Ada", **given).heading


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", sorted(BARE | LINKED))
def test_every_sentence_is_said(key: str, language: str) -> None:
    known = {"day": "Tue 24 Nov", "time": "Tue 10:30", "station": "Harju", "town": "Vantaa", "old": "Kallio"}
    for linked in (False, True):
        if key in (LINKED if linked else BARE):
            assert sentence_text(key, words(language), linked=linked, **known).heading
    assert sentence_text("in_transit", words(language), delayed=True).heading


def test_the_sentences_of_the_rules_all_have_words() -> None:
    keys = {
        "announced", "in_transit", "out_for_delivery", "awaiting_drop_off", "in_compartment", "overdue", "collected",
        "taken_back", "returning", "returned", "diverted", "elsewhere", "not_delivered", "problem", "unknown",
        "cancelled", "cancelled_by_carrier", "delayed",
    }  # fmt: skip
    assert keys <= BARE.keys() and keys <= LINKED.keys()


def test_a_bare_number_says_no_place_whatever_is_given() -> None:
    for key in BARE:
        said = sentence_text(
            key, words("en"), station="Harju", town="Vantaa", place="Hakaniemi", case="C-17", day="Tue"
        )
        assert not any(secret in said.whole() for secret in ("Harju", "Vantaa", "Hakaniemi", "C-17"))


def test_cancelled_looks_like_unknown_to_a_bare_number() -> None:
    unknown = sentence_text("unknown", words("de"))
    assert unknown == sentence_text("cancelled", words("de")) == sentence_text("cancelled_by_carrier", words("de"))


def test_delay_names_its_reason_group_and_the_new_time_or_that_there_is_none() -> None:
    en = words("en")
    why = reason_text("carrier_vehicle_issue", en)
    said = sentence_text("in_transit", en, linked=True, delayed=True, reason=why, time="Tue 10:30")
    assert said == Saying("Later than planned", "The round ran late. New time: about Tue 10:30.")
    assert sentence_text("in_transit", en, linked=True, delayed=True, reason=why).line.endswith("No new time yet.")
    assert reason_text("unknown", en) is None


def test_whole_is_one_line() -> None:
    assert sentence_text("in_transit", words("en"), day="Tue").whole() == "On the way. About Tue."
    assert sentence_text("collected", words("en")).whole() == "Collected"
    assert state_text("alone", words("pl")).whole().count(".") == 2


def test_right_to_left_keeps_codes_in_their_order() -> None:
    arabic = Words("ar", Locale.parse("ar"), gettext.NullTranslations())
    assert arabic.upright("4719 0622") == "\u20664719 0622\u2069"
    assert words("en").upright("4719 0622") == "4719 0622"


def test_where_a_door_is() -> None:
    layout = plain_layout()
    en = words("en")
    said = {place_sentence(layout, each.number, en) for each in layout.compartments}
    assert "Left of the screen, waist height." in said and "Right of the screen, high up." in said
    assert place_sentence(layout, 999, en) == ""
    bare = Layout(layout.sizes, layout.compartments, None)
    last = layout.compartments[-1].number
    assert place_sentence(bare, last, words("de")).startswith("Spalte 4 von links")
