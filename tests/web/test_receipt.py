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
from parcelwall.web.render import full
from parcelwall.web.views import Look

ADDRESS = "Łódź, ul. Żółwia 3 #let x = $1$ *"  # what a markup language would take for its own


def receipt(language: str) -> Receipt:
    known, put_in = words(language), datetime(2026, 11, 28, 8, 30, tzinfo=UTC)
    when = full(put_in, Look(language=language, zone="Europe/Helsinki"))
    put_in_words = re.sub("[\u064b-\u0652]", "", known.gettext("Put in"))  # PDFium says a letter twice that carries one
    rows = ((put_in_words, when), (known.gettext("Number"), str(uuid4())),
            (known.gettext("Station"), "Kruununhaka"), (known.gettext("Address"), ADDRESS))  # fmt: skip
    return Receipt(known.language, known.direction, known.gettext("Your receipt"), "S-0003-4711", rows)


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
