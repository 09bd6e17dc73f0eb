"""Every page and screen: renders in any language, escapes, keeps the strict policy, tells no more than it may."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from parcelwall.notices import times
from parcelwall.notices.language import words
from parcelwall.web import views
from parcelwall.web.render import HEADERS, TEMPLATES, Files, Renderer, clock, linked, no_words, qr
from parcelwall.web.views import KioskScreen, Look, ScreenId
from web import samples
from web.gallery import LongWords, words_of

ALL = samples.all_views(no_words("en"))
RENDERER = Renderer(words_of)
PUBLIC = (views.FindView, views.SentenceView, views.TrackView, views.NotFoundView, views.SlowDownView)


@pytest.mark.parametrize("language", ["en", "de", "ar", "en-x-long"])
def test_every_view_renders_whole_and_as_a_fragment(language: str) -> None:
    look = Look(language=language)
    for name, view in samples.all_views(words_of(language)).items():
        page, part = RENDERER.page(view, look), RENDERER.fragment(view, look)
        assert page.startswith("<!doctype html>") and part.startswith("<title>"), name
        assert part.split("</title>")[1].strip() in page, f"{name}: the fragment is not the inside of the page"
        assert page.count("<h1") == page.count("<main") == 1, name
        assert f'lang="{language}"' in page and f'dir="{"rtl" if language == "ar" else "ltr"}"' in page


@pytest.mark.parametrize("name", ALL)
def test_pages_keep_the_policy(name: str) -> None:
    page = RENDERER.page(ALL[name])
    assert " style=" not in page and "<style" not in page and not re.search(r"\son[a-z]+=", page)
    assert all(re.search(r'\bsrc="/static/', script) for script in re.findall(r"<script[^>]*>", page))
    foreign = set(re.findall(r'(?:src|href|action)="(https?://[^/"]+)', page))
    assert foreign <= {"https://www.openstreetmap.org", "http://127.0.0.1:8600", "http://127.0.0.1:8601",
                       "http://localhost:8600"}  # fmt: skip
    assert not re.search(r"\b(locker|booking|invalid|error|oops|please wait)\b", _text(page), re.IGNORECASE)


def _text(page: str) -> str:
    return re.sub(r"<[^>]*>", " ", page)


def test_the_map_is_never_without_its_credit() -> None:
    for name, view in ALL.items():
        page = RENDERER.page(view)
        assert ("map-drawing" in page) == ("© OpenStreetMap contributors" in page), name


@pytest.mark.parametrize("name", ALL)
def test_text_from_outside_is_escaped(name: str) -> None:
    rude = "<script>alert(1)</script>"
    page = RENDERER.page(_with_every_text(ALL[name], rude))
    assert rude not in page


def _with_every_text(view: msgspec.Struct, text: str) -> msgspec.Struct:
    """The view with each plain text field replaced; drawings, addresses and closed vocabularies stay."""
    kept = {"id", "stage", "state", "here", "events", "base", "url", "back", "kiosk", "line", "icon", "result", "name",
            "what", "step", "kind"}
    changed: dict[str, object] = {}
    for field in msgspec.structs.fields(view):
        value = getattr(view, field.name)
        if isinstance(value, str) and field.name not in kept and not field.name.endswith("_svg"):
            changed[field.name] = text if field.name not in ("reader", "theme") else value
        elif isinstance(value, tuple) and value and all(isinstance(each, msgspec.Struct) for each in value):
            changed[field.name] = tuple(_with_every_text(each, text) for each in value)
        elif isinstance(value, msgspec.Struct) and not isinstance(value, Look | views.Pad):
            changed[field.name] = _with_every_text(value, text)
    return msgspec.structs.replace(view, **changed)


def test_every_screen_has_a_template_and_a_sample() -> None:
    shown = {view.id for view in ALL.values() if isinstance(view, KioskScreen)}
    ids = set(get_args(ScreenId))
    frames = {"frame", "door", "parts", "courier-parts", "size-parts"}
    assert {path.stem for path in (TEMPLATES / "kiosk").glob("*.html")} - frames == ids
    assert ids - shown == set()
    assert {type(view) for view in ALL.values() if not hasattr(view, "template")} == set(views.TEMPLATES)
    console = {path.stem for path in (TEMPLATES / "console").glob("*.html")} - {"parts", "hours", "api"}
    named = [view.template for view in ALL.values() if hasattr(view, "template")]
    assert console == {Path(name).stem for name in named if name.startswith("console/")}


@pytest.mark.parametrize("kind", [*PUBLIC, KioskScreen])
def test_public_views_have_no_field_for_a_person(kind: type) -> None:
    fields = {field.name for field in msgspec.structs.fields(kind)}
    assert not fields & {"recipient", "person", "email", "code", "qr", "sender", "contents", "value", "names"}
    if kind in PUBLIC:
        assert not fields & {"door", "doors", "size", "sizes"}


def test_a_title_never_holds_a_code() -> None:
    page = RENDERER.page(ALL["me-ready"])
    assert "4719" in page and "4719" not in page.split("</title>")[0]


def test_the_wrong_screen_differs_from_home_in_words() -> None:
    home, wrong = _text(RENDERER.page(ALL["kiosk-home"])), _text(RENDERER.page(ALL["kiosk-wrong"]))
    assert "Type your code" not in wrong and "That code opens no door here" in wrong and "tries left" in wrong
    assert "That code" not in home


def test_the_stations_picture_explains_each_state_that_it_draws() -> None:
    shown, states = ALL["console-station"], ("free", "used", "open", "fault", "unknown")
    some = shown.doors  # type: ignore[attr-defined]
    for doors in (some, tuple(each for each in some if each.state != "unknown")):
        keys = re.findall(r'class="key key-(\w+)"', RENDERER.fragment(msgspec.structs.replace(shown, doors=doors)))
        assert keys == [each for each in states if each != "unknown" or doors is some]
    pretend = re.findall(r'class="key key-(\w+)">(\w+)<', RENDERER.fragment(ALL["demo-pretend"]))
    assert pretend == [("free", "shut"), ("open", "open"), ("fault", "jammed")], "all that its wall draws"


def test_in_arabic_a_list_has_its_own_comma() -> None:
    """Between two names of a sentence from right to left the comma of the Latin script stands upside down."""
    shown = ALL["console-needs"]
    page = Renderer(words_of).fragment(shown, Look(language="ar"))
    assert "Simonkatu، الباب" in page and "Simonkatu, " not in page
    station = Renderer(words_of).fragment(ALL["console-station"], Look(language="ar"))
    assert "<bdi>S-0013</bdi> · <bdi>Aleksanterinkatu 19</bdi>" in station, "and the number of a station comes first"
    sites = Renderer(words_of).fragment(ALL["console-sites"], Look(language="ar"))
    assert "<bdi>Noor</bdi>: <bdi>Hosting Ltd</bdi>، <bdi>City of Helsinki</bdi>، " in sites


def test_a_permit_that_ends_leads_to_its_site() -> None:
    page = RENDERER.fragment(ALL["console-needs"])
    permit = page[page.index('id="permit-') :]
    assert "Have it renewed, then note the new date." in permit and "technician" not in permit
    assert "To its site and permit" in permit and "Close the case" not in permit


def test_static_files_have_the_hash_of_all_of_them() -> None:
    files = Files()
    path = files.url("kiosk.css").split("/")
    assert path[:2] == ["", "static"] and path[2] == files.build
    data, kind = files.get(files.build, "kiosk.css") or (b"", "")
    assert kind == "text/css; charset=utf-8" and b"--glow" in data and b"/*" not in data
    assert files.get("x", "kiosk.css") is None and files.get(files.build, "../render.py") is None
    for font in re.findall(rb'url\("([^"]+)"\)', data):
        assert files.get(files.build, font.decode()), font


def test_nothing_may_be_framed_or_stored() -> None:
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert HEADERS["Referrer-Policy"] == "no-referrer" and HEADERS["Cache-Control"] == "no-store"


def test_a_qr_code_is_black_on_white_with_a_quiet_zone() -> None:
    drawn = str(qr(samples.TOKEN))
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', drawn)[1])  # type: ignore[index]
    assert "#000" in drawn and "#fff" in drawn and samples.TOKEN not in drawn
    assert (side - 8 - 17) % 4 == 0, "modules and four of quiet zone on each side"


def test_links_in_a_mail_are_links_and_nothing_else_is() -> None:
    shown = str(linked('See http://127.0.0.1:8600/p/a?b=1. <img src="x">'))
    assert '<a href="http://127.0.0.1:8600/p/a?b=1">' in shown and "<img" not in shown


def test_the_pseudo_language_keeps_placeholders() -> None:
    assert "%(door)s" in LongWords().gettext("Door %(door)s is open")


def test_a_reader_may_name_as_many_tags_as_they_like() -> None:
    renderer = Renderer(words)
    for tag in ("en", "en-US", *(f"en-GB@{number}" for number in range(20))):
        assert "link in your message shows more" in renderer.page(views.FindView(), Look(words(tag).tag))
    assert len(renderer._environments) == 1
    assert {words(f"de-AT@{number}").tag for number in range(20)} == {"de-AT"}


@pytest.mark.parametrize("language", ["en", "en-US", "de", "pl", "pt", "pt-BR", "ar"])
def test_a_page_and_its_sentences_have_one_clock(language: str) -> None:
    """Of twelve hours where the region's is; a sentence in Arabic keeps the time upright by marks that are not seen."""
    at = datetime(2026, 11, 24, 15, 14, tzinfo=UTC)
    said = times.hour(at, "Europe/Helsinki", words(language)).strip("\u2066\u2069")
    assert clock(at, views.Look(language=language, zone="Europe/Helsinki")) == said


def test_who_has_a_page_read_aloud_hears_a_code_digit_by_digit() -> None:
    page = RENDERER.fragment(ALL["me-ready"])
    heard = re.sub(r"<(\w+)[^>]*aria-hidden=\"true\"[^>]*>.*?</\1>", "", page)
    assert "<span>4719</span><span>0622</span>" in page and "4719" not in heard and "7329" not in heard
    assert ">4 7 1 9, 0 6 2 2<" in heard and ">7 3 2 9<" in heard
    assert _text(RENDERER.fragment(ALL["track-sentence"])).count("Step 2 of 5") == 1
    assert "Number  PW-7F3-29Q" in _text(page)


def test_among_arabic_words_addresses_numbers_and_sizes_keep_their_order() -> None:
    """Else a masked number ends with the dots that it begins with, and 60 mm come before 300."""
    seen = samples.all_views(words_of("ar"))
    parcel, list_, person = (
        RENDERER.fragment(seen[name], Look("ar")) for name in ("console-parcel", "my-list", "me-person-contact")
    )
    for text in ("300 × 200 × 60 mm, 900 g", "a…@e….org", "…97"):
        assert f'<bdi dir="ltr">{text}</bdi>' in parcel
    assert '<bdi dir="ltr">...67</bdi>' in list_ and '<bdi dir="ltr">a...@example.org</bdi>' in person
    assert "<bdi>In the passage, behind the flower shop.</bdi>" in person


def test_a_closed_station_does_not_say_that_collecting_works() -> None:
    assert "Collecting works" in RENDERER.page(ALL["kiosk-home-alone"])
    closed = RENDERER.page(ALL["kiosk-closed-alone"])
    assert "Works on its own now." in closed and "Collecting works" not in closed


def test_a_case_number_is_never_parted() -> None:
    for name in ("kiosk-stuck", "kiosk-case", "me-stuck"):
        assert 'We have noted it: <span class="figures">C-2041</span>' in RENDERER.page(ALL[name]), name


@pytest.mark.parametrize(("name", "way"), [
    ("courier-round", "/courier"), ("courier-carry", "/courier/carry"), ("courier-problem", "/courier/problem"),
    ("courier-day", "/courier/day"), ("courier-stop", ""), ("courier-scan", ""), ("courier-outbox", ""),
])  # fmt: skip
def test_a_couriers_foot_marks_where_one_is(name: str, way: str) -> None:
    marked = re.findall(r'class="button" href="([^"?]*)[^"]*" aria-current="page"', RENDERER.page(ALL[name]))
    assert marked == ([way] if way else [])
