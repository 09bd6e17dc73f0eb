"""Every view in every look: by day and night, both directions, small, at twice the size, in forced colours.

No violation that axe knows, nothing that scrolls sideways, no word that is cut, no line that the reader's own colours
do not reach. A view of each kind in one look by default; all views in all looks with `-m slow`, a face and a language
at a time: `pytest -m slow tests/web/test_matrix.py -k "kiosk and ar"`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web import axes, looks, samples
from web.gallery import CHROMIUM, Gallery, served, words_of

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell")

NAMES = list(samples.all_views(words_of("en")))
LOOKS = [(theme, language, shape) for theme in looks.THEMES for language in looks.LANGUAGES for shape in looks.SHAPES]
FACES = {
    "tracking": ("track",), "recipient": ("me", "my", "friend"), "courier": ("courier",), "console": ("console",),
    "demo": ("demo",), "kiosk": ("kiosk-",), "kiosk-courier": ("kiosk-courier", "kiosk-send", "kiosk-service"),
}  # fmt: skip

KEY = {
    "tracking": ["track-find", "track-sentence", "track-van", "track-late", "track-waiting", "track-collected"],
    "recipient": ["me-coming", "me-ready", "me-ready-kept", "me-open", "me-still-open", "me-stuck", "me-late",
                  "me-held", "me-collected", "me-person-contact", "me-person-show", "me-send", "my-list",
                  "my-list-passkeys", "my-number", "friend"],
    "courier": ["courier-sign-in", "courier-round", "courier-round-long", "courier-stop", "courier-stop-dark",
                "courier-scan", "courier-problem", "courier-carry", "courier-outbox", "courier-day"],
    "console": ["console-sign-in", "console-map", "console-needs", "console-station", "console-station-fault",
                "console-parcel", "console-longer", "console-policy", "console-numbers"],
    "kiosk": ["kiosk-home", "kiosk-home-alone", "kiosk-home-noted", "kiosk-home-full",
              "kiosk-home-alone-out", "kiosk-selector", "kiosk-wrong", "kiosk-paused",
              "kiosk-opening", "kiosk-open", "kiosk-open-far", "kiosk-still-open", "kiosk-thanks", "kiosk-several",
              "kiosk-stuck", "kiosk-stuck-rests",
              "kiosk-late", "kiosk-report", "kiosk-case", "kiosk-more-time", "kiosk-help", "kiosk-look",
              "kiosk-closed", "kiosk-help-no-number"],
    "kiosk-courier": ["kiosk-send-scan", "kiosk-send-size", "kiosk-send-none", "kiosk-send-done", "kiosk-service",
                      "kiosk-service-sensors", "kiosk-courier-in", "kiosk-courier-home", "kiosk-courier-scan",
                      "kiosk-courier-size", "kiosk-courier-label", "kiosk-courier-open", "kiosk-courier-sync",
                      "kiosk-send-right", "kiosk-courier-out",
                      "kiosk-no-fit", "kiosk-unknown", "kiosk-audit-asks", "kiosk-courier-bye"],
}  # fmt: skip
"""What most people see, and what has most words; in every language, since words differ in length."""


def of_face(face: str) -> list[str]:
    """The views of a face; the kiosk's are two parts, so that each takes a few minutes at most."""
    others = FACES["kiosk-courier"] if face == "kiosk" else ()
    return [name for name in NAMES if name.startswith(FACES[face]) and not (others and name.startswith(others))]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(Gallery({"axe.js": axes.script().encode()})) as where:
        yield where


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        context = browser.new_context(reduced_motion="reduce")
        yield context.new_page()
        browser.close()


def faultless(found: list[str]) -> None:
    """Each fault on a line of its own: there may be many."""
    assert not found, "\n".join([f"{len(found)} faults:", *found])


def test_every_view_is_of_a_face() -> None:
    assert sorted(name for face in FACES for name in of_face(face)) == sorted(NAMES)


def test_each_pair_of_looks_is_asked_of_axe() -> None:
    asked = {(theme, language, shape) for language in looks.LANGUAGES for theme, shape in looks.ASKED[language]}
    assert {(theme, shape) for theme, _, shape in asked} == {(theme, shape) for theme, _, shape in LOOKS}
    assert {(language, shape) for _, language, shape in asked} == {(language, shape) for _, language, shape in LOOKS}
    assert {(theme, language) for theme, language, _ in asked} == {(theme, language) for theme, language, _ in LOOKS}


def test_one_view_in_ten_in_a_look_of_its_own(page: Any, address: str) -> None:
    found = []
    for at, name in enumerate(NAMES[3::10]):
        theme, language, shape = LOOKS[at % len(LOOKS)]
        looks.fetch(page, address, name, language)
        found += [f"{name} {language}: {fault}" for fault in looks.faults(page, name, theme, shape, True)]
    faultless(found)


@pytest.mark.parametrize("language", ["en", "de"])
def test_names_longer_than_a_line_hold_at_twice_the_size(page: Any, address: str, language: str) -> None:
    looks.fetch(page, address, "courier-round-long", language)
    faultless(looks.faults(page, "courier-round-long", "day", "twice", asks_axe=False))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", looks.LANGUAGES)
@pytest.mark.parametrize("face", FACES)
def test_every_view_in_every_look(page: Any, address: str, face: str, language: str) -> None:
    faultless([fault for name in of_face(face) for fault in looks.all_faults(page, address, name, language)])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["de", "pl", "pt"])
@pytest.mark.parametrize("face", KEY)
def test_key_views_in_the_other_languages(page: Any, address: str, face: str, language: str) -> None:
    faultless([fault for name in KEY[face] for fault in looks.all_faults(page, address, name, language)])
