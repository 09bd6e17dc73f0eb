"""Composes a notice: one letter, written as mail (plain and HTML, equal in content) and as a text message.

Whatever the facts hold, a notice has one link at most, to the configured address and nowhere else (trust.md A-15);
names of stations and carriers lose whatever looks like a link, a line break or a control character.
"""

import io
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from parcelwall.notices import letters, times
from parcelwall.notices.language import Words, words
from parcelwall.notices.letters import Purpose
from parcelwall.notices.saying import Saying, say

QR_CID = "qr@parcelwall"
LONGEST = 120  # characters that a name, an address or a place may have
_LINK = re.compile(r"\S*(?:://|www\.|mailto:)\S*", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")

# Day tokens of faces.md 2.2; the night ones stand in the template's one style block.
TOKENS = {
    "ink": "#0B2420", "ink2": "#3D524D", "paper": "#FBFAF5", "card": "#FFFFFF", "hair": "#D9DBD2", "glow": "#C6F135",
}  # fmt: skip


class NoticeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice may tell. No field for a name, a sender, contents or an amount, so that no text can show one.

    `code` has 8 digits, "" where there is none (a parcel that asks for the QR has none to type); `selector` the last
    4 digits of the parcel number and `reference_end` its end as printed; `qr` what the code image holds, "" for the
    code itself. `zone` is the station's. `link` begins with `public_url`. `place` comes from `places.place_sentence`,
    `way` from `way.way_there`.
    `old_station` and `new_code` belong to `moved`, `carrier` and `pick_up` to `diverted`, `receipt` to
    `received`.
    """

    station: str
    zone: str
    link: str
    public_url: str
    address: str = ""
    way: tuple[str, ...] = ()
    door: int | None = None
    place: str = ""
    code: str = ""
    qr: str = ""
    selector: str = ""
    reference_end: str = ""
    collect_by: datetime | None = None
    old_station: str = ""
    new_code: bool = False
    carrier: str = ""
    pick_up: str = ""
    receipt: str = ""


class Message(msgspec.Struct, frozen=True):
    """A composed notice. `qr_says` is what its picture says, empty if there is no code."""

    subject: str
    text: str
    html: str
    sms: str
    language: str
    qr_says: str = ""

    @property
    def qr(self) -> bytes:
        """A PNG that `html` shows as `cid:QR_CID`, drawn when a channel wants it: that costs more than all the rest."""
        return _qr_png(self.qr_says) if self.qr_says else b""


class Row(NamedTuple):
    label: str
    value: str


class Letter(NamedTuple):
    """Everything that both forms of the mail show, in order."""

    heading: str
    lead: str
    code: Row | None
    rows: list[Row]
    how: list[str]
    button: str
    link: str
    footer: str
    with_qr: bool = False


def compose(purpose: Purpose, language: str, facts: NoticeFacts) -> Message:
    """The notice in the reader's language, or in English where there is none. Never fails for what facts hold.

    Asserts that the link leads to `public_url`, which is ours to keep.
    """
    ours = facts.public_url.rstrip("/") + "/"
    assert facts.link.startswith(ours) and not re.search(r"\s", facts.link), "a notice links to public_url only"
    known = words(language)
    values = _values(purpose, facts, known)
    letter = _letter(purpose, facts, known, values)
    sms = say(letters.TEXT_MESSAGES[purpose], known, {**values, "link": facts.link})
    return Message(
        subject=letter.heading, text=_plain(letter), html=_html(letter, known), sms=str(sms.heading),
        language=known.tag, qr_says=(facts.qr or facts.code) if letter.with_qr else "",
    )  # fmt: skip


def _values(purpose: Purpose, facts: NoticeFacts, known: Words) -> dict[str, object]:
    """The places that sayings may have; None where nothing is known."""
    code = known.upright(_grouped(facts.code)) if purpose in letters.WITH_CODE and facts.code else None
    until = times.moment(facts.collect_by, facts.zone, known) if facts.collect_by else None
    texts = {name: _clean(getattr(facts, name)) or None for name in ("old_station", "carrier", "pick_up", "receipt")}
    return {
        **texts, "station": _clean(facts.station) or "Parcelwall", "door": facts.door, "time": until, "code": code,
        "new_code": code if facts.new_code else None, "selector": known.upright(_clean(facts.selector)) or None,
    }  # fmt: skip


def _letter(purpose: Purpose, facts: NoticeFacts, known: Words, values: dict[str, object]) -> Letter:
    saying: Saying = say(letters.LETTERS[purpose], known, values)
    with_code = values["code"] is not None
    with_qr = with_code or (purpose in letters.WITH_CODE and bool(facts.qr))
    return Letter(
        heading=str(saying.heading),
        lead=str(saying.line),
        code=Row(known.say(letters.LABELS["code"]), str(values["code"])) if with_code else None,
        rows=[Row(known.say(letters.LABELS[name]), value) for name, value in _rows(purpose, facts, known) if value],
        how=[known.say(text) for text in (letters.HOW if with_code else letters.HOW_BY_QR)] if with_qr else [],
        button=known.say(letters.BUTTON),
        link=facts.link,
        footer=known.say(letters.FOOTER), with_qr=with_qr,
    )


def _rows(purpose: Purpose, facts: NoticeFacts, known: Words) -> list[tuple[str, str]]:
    ending = known.upright(_clean(facts.reference_end or facts.selector))
    if purpose == "received":
        receipt = known.upright(_clean(facts.receipt))
        return [("receipt", receipt), ("station", _clean(facts.station)), ("ending", ending)]
    if purpose not in letters.WITH_CODE:
        return [("ending", ending)]
    selector = known.upright(_clean(facts.selector))
    return [
        ("selector", selector if facts.code else ""),
        ("until", times.long_moment(facts.collect_by, facts.zone, known) if facts.collect_by else ""),
        ("door", "" if facts.door is None else str(facts.door)),
        ("place", _clean(facts.place)),
        ("station", _clean(facts.station)),
        ("address", _clean(facts.address)),
        ("way", " ".join(_clean(each) for each in facts.way)),
        ("ending", "" if facts.code and facts.selector and ending.endswith(selector) else ending),
    ]


def _plain(letter: Letter) -> str:
    rows = [f"{row.label}: {row.value}" for row in ([letter.code] if letter.code else []) + letter.rows]
    blocks = [
        [letter.heading], [letter.lead], rows, letter.how, [f"{letter.button}:", letter.link], [letter.footer],
    ]  # fmt: skip
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _html(letter: Letter, known: Words) -> str:
    qr_words = known.say(letters.QR_WORDS)
    return _template().render(
        letter=letter, lang=known.tag, dir=known.direction, cid=QR_CID, qr_words=qr_words, **TOKENS
    )


@cache
def _template() -> Any:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return made.get_template("notice.html")


def _qr_png(content: str) -> bytes:
    """Black on white with four modules of quiet round it, level M, so that it can be printed."""
    out = io.BytesIO()
    segno.make(content, error="m", micro=False).save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def _grouped(code: str) -> str:
    """`4719 0622`, grouped as the pad has its places."""
    return f"{code[:4]} {code[4:]}" if len(code) == 8 else code


def _clean(text: str) -> str:
    """One line of at most LONGEST characters without links, controls or marks that turn the reading direction."""
    seen = _LINK.sub(" ", _UNSEEN.sub(" ", text))
    return " ".join(seen.split())[:LONGEST].rstrip()
