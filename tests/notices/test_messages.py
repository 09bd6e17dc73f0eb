"""Notices in all languages: whole, honest, and the same in both forms of a mail."""

import html
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import get_args

import msgspec
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from parcelwall.notices.language import codes
from parcelwall.notices.letters import LETTERS, TEXT_MESSAGES, WITH_CODE, Purpose
from parcelwall.notices.messages import QR_CID, Message, NoticeFacts, compose

PURPOSES = get_args(Purpose)
EVERY = pytest.mark.parametrize(("purpose", "language"), [(p, c) for p in PURPOSES for c in codes()])
MONEY = re.compile(
    r"[€$£]|\b(pay\w*|fees?|prices?|costs?|charges?|eur|pln|usd|card|bank|invoice|refund|customs"
    r"|zahl\w*|bezahl\w*|gebühr\w*|preis\w*|kosten\w*|rechnung\w*|euro|überweis\w*|nachnahme"
    r"|płat\w*|zapła\w*|dopła\w*|opła\w*|cen[aęy]|koszt\w*|zł|złot\w*|przelew\w*|kart[ąęy]|bank\w*)\b",
    re.IGNORECASE,
)
LINKS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


class Seen(HTMLParser):
    """What a reader of the HTML form sees, and all addresses in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "title")
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "background")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.words.append(data.strip())


@EVERY
def test_composes_in_every_language(purpose: Purpose, language: str, facts: NoticeFacts) -> None:
    made = compose(purpose, language, facts)
    assert all((made.subject, made.text, made.html, made.sms))
    assert not re.search(r"[{}]", made.text + made.sms + made.subject)
    assert f'lang="{made.language}"' in made.html and made.language.startswith(language)
    assert not re.search(r"[\r\n]", made.subject + made.sms)


@EVERY
def test_one_link_and_no_word_of_money(purpose: Purpose, language: str, facts: NoticeFacts) -> None:
    made = compose(purpose, language, facts)
    assert LINKS.findall(made.text) == LINKS.findall(made.sms) == [facts.link]
    allowed = {facts.link, f"cid:{QR_CID}"}
    assert set(Seen(made.html).addresses) <= allowed and made.html.count("href=") == 1
    assert not re.search(r"url\(|@import|<script|<form|<link|http-equiv", made.html, re.IGNORECASE)
    for form in (made.subject, made.text, made.sms, " ".join(Seen(made.html).words)):
        assert not MONEY.search(form), form


@EVERY
def test_both_forms_of_the_mail_say_the_same(purpose: Purpose, language: str, facts: NoticeFacts) -> None:
    made = compose(purpose, language, facts)
    seen = [word for word in Seen(made.html).words if word != "Parcelwall"]
    lines = [part.removesuffix(":") for line in made.text.split("\n") for part in (line, *line.split(": ", 1)) if part]
    assert all(word in lines for word in seen), set(seen) - set(lines)
    flat = " ".join(seen)
    for line in filter(None, made.text.split("\n")):
        assert line == facts.link or all(part.removesuffix(":") in flat for part in line.split(": ", 1)), line


@EVERY
def test_the_code_is_where_it_belongs(purpose: Purpose, language: str, facts: NoticeFacts) -> None:
    made = compose(purpose, language, facts)
    shown = "4719 0622"
    assert shown not in made.subject and "4719" not in made.subject
    assert all((shown in form) == (purpose in WITH_CODE) for form in (made.text, made.html, made.sms))
    assert bool(made.qr) == (f"cid:{QR_CID}" in made.html) == (purpose in WITH_CODE)


def test_ready_has_all_that_is_needed_at_the_door(facts: NoticeFacts) -> None:
    made = compose("ready", "de", facts)
    for needed in ("Fach 14", "4719 0622", "2917", "Dienstag, 24. November, 10:30", facts.address, facts.place):
        assert needed in made.text
    assert "Fach 14" in made.sms and "2917" in made.sms and "Di., 24. Nov., 10:30" in made.sms


def test_qr_can_be_read_off_the_picture(facts: NoticeFacts) -> None:
    made = compose("ready", "en", msgspec.structs.replace(facts, qr="PW1:4QC9K0T7"))
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(made.qr)))
    assert found.text == "PW1:4QC9K0T7"
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(compose("ready", "en", facts).qr)))
    assert found.text == "47190622"


@pytest.mark.parametrize("language", ["en", "de", "pl"])
def test_a_parcel_that_asks_for_the_qr_has_no_code_to_type(language: str, facts: NoticeFacts) -> None:
    made = compose("ready", language, msgspec.structs.replace(facts, qr="PW1:4QC9K0T7", code=""))
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(made.qr)))
    assert found.text == "PW1:4QC9K0T7" and f"cid:{QR_CID}" in made.html
    assert "4719" not in made.text + made.html + made.sms
    assert "QR" in made.text


def test_moved_says_whether_the_code_is_new(facts: NoticeFacts) -> None:
    same = compose("moved", "en", facts)
    new = compose("moved", "en", msgspec.structs.replace(facts, new_code=True))
    coming = compose("moved", "en", msgspec.structs.replace(facts, code="", door=None, place=""))
    assert "Your code stays the same: 4719 0622." in same.text and "Your code stays 4719 0622." in same.sms
    assert "You have a new code: 4719 0622." in new.text and "Your new code: 4719 0622." in new.sms
    assert coming.subject.startswith("Now going to") and not coming.qr


def test_there_is_no_field_for_what_must_never_be_told() -> None:
    names = set(NoticeFacts.__struct_fields__)
    assert not names & {"sender", "shop", "name", "recipient", "contents", "value", "amount", "price", "size"}


def test_names_with_tags_cannot_break_the_page(facts: NoticeFacts) -> None:
    made = compose("ready", "en", msgspec.structs.replace(facts, station="<script>alert(1)</script>", place='"><img>'))
    assert "<script" not in made.html and "<img>" not in made.html
    assert html.escape("<script>alert(1)</script>") in made.html


@pytest.mark.parametrize(
    "bad", ["Kallio https://evil.example/x", "www.evil.example Kallio", "Kallio MAILTO:a@evil.example"]
)
def test_foreign_links_in_names_are_dropped(bad: str, facts: NoticeFacts) -> None:
    made = compose("ready", "en", msgspec.structs.replace(facts, station=bad, address=bad, place=bad))
    assert "evil" not in made.text + made.html + made.sms + made.subject
    assert "Kallio" in made.subject


@pytest.mark.parametrize(
    "link", ["https://evil.example/p/x", "https://parcels.example.evil/p/x", "https://parcels.example/ x"]
)
def test_a_foreign_link_is_our_mistake(link: str, facts: NoticeFacts) -> None:
    with pytest.raises(AssertionError):
        compose("ready", "en", msgspec.structs.replace(facts, link=link))


anything = st.text(max_size=40)
odd_facts = st.builds(
    NoticeFacts, station=anything, zone=st.just("Europe/Berlin"), link=st.just("https://parcels.example/p/1"),
    public_url=st.just("https://parcels.example"), address=anything, door=st.none() | st.integers(1, 400),
    place=anything, code=st.sampled_from(["", "47190622"]), selector=st.sampled_from(["", "2917"]),
    reference_end=anything, old_station=anything, new_code=st.booleans(), carrier=anything, pick_up=anything,
    collect_by=st.none() | st.just(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)), qr=st.just(""),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(purpose=st.sampled_from(PURPOSES), language=st.sampled_from([*codes(), "xx"]), odd=odd_facts)
def test_whatever_is_missing_or_odd_a_notice_is_composed(purpose: Purpose, language: str, odd: NoticeFacts) -> None:
    made = compose(purpose, language, odd)
    assert LINKS.findall(made.text) == ["https://parcels.example/p/1"]
    assert "\n" not in made.subject and "\r" not in made.subject


def test_every_purpose_has_a_letter_and_a_text_message() -> None:
    assert set(PURPOSES) == LETTERS.keys() == TEXT_MESSAGES.keys()


def test_a_text_message_fits_two_parts(facts: NoticeFacts) -> None:
    """160 characters of GSM 03.38 in one part, 306 in two; Polish letters need UCS-2: 70 in one part, 201 in three."""
    long = msgspec.structs.replace(facts, link="https://parcels.example/p/" + "x" * 22, station="Kallio Square")
    made: list[Message] = [compose("ready", language, long) for language in ("en", "de", "pl")]
    assert [len(each.sms) <= limit for each, limit in zip(made, (306, 306, 201), strict=True)] == [True] * 3
