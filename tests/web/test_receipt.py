"""The receipt as a paper: it opens, is read aloud in its language, and says what the page says and nothing else."""

import re
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pypdfium2
import pytest

from parcelwall.notices.language import words
from parcelwall.web import paper
from parcelwall.web.receipt import Receipt
from parcelwall.web.render import dated
from parcelwall.web.views import Look

ADDRESS = "Łódź, ul. Żółwia 3 #let x = $1$ *"  # what a markup language would take for its own


def receipt(language: str) -> Receipt:
    known, put_in = words(language), datetime(2026, 11, 28, 8, 30, tzinfo=UTC)
    when = dated(put_in, Look(language=language, zone="Europe/Helsinki"))
    put_in_words = re.sub("[\u064b-\u0652]", "", known.gettext("Put in"))  # PDFium says a letter twice that carries one
    rows = ((put_in_words, when), (known.gettext("Number"), str(uuid4())),
            (known.gettext("Station"), "Kruununhaka"), (known.gettext("Address"), ADDRESS))  # fmt: skip
    return Receipt(known.language, known.direction, known.gettext("Your receipt"), "S-0003-4711", rows)


def odd(language: str, station: str, address: str = ADDRESS, number: str = "S-0003-4711") -> Receipt:
    """The same with other contents."""
    known = receipt(language)
    rows = (*known.rows[:2], (known.rows[2][0], station), (known.rows[3][0], address))
    return msgspec.structs.replace(known, number=number, rows=rows)


def drawn(wanted: Receipt) -> bytes:
    return paper.drawn(msgspec.json.encode(wanted))


def said(pdf: bytes) -> list[str]:
    """The lines of a paper of one page."""
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    return str(document[0].get_textpage().get_text_range()).splitlines()


def letters(lines: list[str]) -> Counter[str]:
    """In any order: lines of two directions are read in an order that each reader makes up."""
    return Counter(re.sub(r"\s", "", "".join(lines)))


def lines_of(wanted: Receipt) -> list[str]:
    return ["Parcelwall", wanted.title, wanted.number, *(each for row in wanted.rows for each in row)]


def test_it_says_in_german_what_it_was_told_and_nothing_else() -> None:
    wanted = receipt("de")
    assert said(drawn(wanted)) == lines_of(wanted)


@pytest.mark.parametrize("language", ["pl", "ar"])
def test_no_letter_is_lost_in_any_script(language: str) -> None:
    wanted = receipt(language)
    pdf = drawn(wanted)
    assert letters(said(pdf)) == letters(lines_of(wanted))
    assert f"/Lang({language})".encode() in pdf.replace(b"/Lang (", b"/Lang("), "read aloud in its own language"
    assert b"/StructTreeRoot" in pdf


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_letter_that_no_font_has_costs_nobody_their_receipt(language: str) -> None:
    pdf = drawn(odd(language, "東京 North"))
    assert "North" in "".join(said(pdf)) and b"/StructTreeRoot" in pdf


@pytest.mark.parametrize("language", ["en", "ar"])
def test_what_is_longer_than_a_line_stands_on_the_paper(language: str) -> None:
    pdf = drawn(odd(language, "x" * 120, "Aleksanterinkatu" * 4, "S-0003:1795707783-" + "4711" * 8))
    page = pypdfium2.PdfDocument(pdf)[0]
    text, (width_pt, _) = page.get_textpage(), page.get_size()
    boxes = [text.get_charbox(each) for each in range(text.count_chars())]
    assert min(left for left, *_ in boxes if left) > 0 and max(right for *_, right, _ in boxes) < width_pt


def test_a_latin_address_keeps_its_order_on_an_arabic_paper() -> None:
    text = pypdfium2.PdfDocument(drawn(odd("ar", "Kluuvi", "Zoo 19, Quay.")))[0].get_textpage()
    at = [(text.get_text_range(each, 1), text.get_charbox(each)[0]) for each in range(text.count_chars())]
    first = min(left for letter, left in at if letter == "Z")
    assert min(left for letter, left in at if letter == ".") > first, "its end is not at the other end of the line"


def test_it_says_in_which_year_it_was_put_in() -> None:
    put_in = datetime(2026, 11, 28, 8, 30, tzinfo=UTC)
    assert dated(put_in, Look(language="en", zone="Europe/Helsinki")) == "Sat, 28 Nov 2026, 10:30"
    assert "2026" in dated(put_in, Look(language="ar"))
