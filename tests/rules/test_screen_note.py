"""What a screen says besides: short, in the station's own language at least, for a while, about nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.errors import Refusal
from parcelwall.rules.facts import ScreenNoted
from parcelwall.rules.screen_note import LASTS_AT_MOST, LONGEST, is_shown, note, said_in

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
CODES = ("en", "de", "ar")


@given(st.dictionaries(st.sampled_from(CODES), st.text(max_size=130)), st.sampled_from(CODES),
       st.integers(-3, 40), st.sampled_from(CODES))  # fmt: skip
def test_what_is_taken_can_be_read_by_everybody_until_its_end(
    texts: dict[str, str], own: str, days: int, reader: str
) -> None:
    try:
        noted = note("S-0001", own, texts, NOW + timedelta(days=days), NOW)
    except Refusal:  # for what, stands below
        return
    if not noted.texts:
        assert not any(text.strip() for text in texts.values()) and said_in(noted, reader, own, NOW) == ("", "")
        return
    assert 0 < days <= LASTS_AT_MOST.days
    words, language = said_in(noted, reader, own, NOW)
    assert words == texts[language].strip() and 0 < len(words) <= LONGEST and "\n" not in words
    assert language == (reader if texts.get(reader, "").strip() else own)
    assert noted.until is not None and said_in(noted, reader, own, noted.until) == ("", "")


@pytest.mark.parametrize(
    ("texts", "until", "field"),
    [
        ({"en": "x" * 121}, LATER, "en"), ({"en": "a\nb"}, LATER, "en"), ({"de": "Zu."}, LATER, "en"),
        ({"en": "Ask ann@example.org"}, LATER, "en"), ({"en": "Shut.", "de": "Ruf +49 30 1234567"}, LATER, "de"),
        ({"en": "Shut."}, None, "until"), ({"en": "Shut."}, NOW, "until"),
        ({"en": "Shut."}, NOW + timedelta(days=32), "until"),
    ],
)  # fmt: skip
def test_what_is_refused_names_its_field(texts: dict[str, str], until: datetime | None, field: str) -> None:
    with pytest.raises(Refusal) as no:
        note("S-0001", "en", texts, until, NOW)
    assert (no.value.reason, no.value.details["field"]) == ("bad_field", field)


def test_nothing_is_shown_of_no_note_or_one_that_was_taken_off() -> None:
    assert not is_shown(None, NOW) and not is_shown(ScreenNoted(station="S-0001"), NOW)
