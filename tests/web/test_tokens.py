"""The look's own laws: contrast of the tokens, files of others, style sheets without left and right."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from parcelwall.web.render import STATIC, TEMPLATES

SHEETS = sorted((STATIC / "css").glob("*.css"))
TOKENS = (STATIC / "css/tokens.css").read_text()


def table(selector: str) -> dict[str, str]:
    """The colours set by the first block of that selector."""
    block = TOKENS[TOKENS.index(selector) :]
    block = block[: block.index("}")]
    return dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6});", block))


DAY, NIGHT, AUTO_NIGHT = table('[data-theme="day"]'), table('\n[data-theme="night"]'), table('[data-theme="auto"]')
MORE_DAY = {**DAY, **table('[data-contrast="more"]')}
MORE_NIGHT = {**NIGHT, **table('[data-contrast="more"]'), **table('[data-contrast="more"][data-theme="night"]')}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


NEEDED = [
    ("ink", "paper", 7), ("ink", "card", 7), ("ink", "paper2", 7), ("ink2", "paper", 7), ("ink2", "card", 7),
    ("ink2", "paper2", 7), ("ink3", "paper", 4.5), ("ink3", "card", 4.5), ("ink3", "paper2", 4.5),
    ("on-glow", "glow", 4.5), ("on-glow", "glow-hi", 4.5), ("line", "paper", 3), ("line", "card", 3),
    ("line", "paper2", 3), ("good", "paper", 4.5), ("good", "card", 4.5), ("sky", "paper", 4.5), ("sky", "card", 4.5),
    ("amber-text", "paper", 4.5), ("amber-text", "card", 4.5), ("red", "paper", 4.5), ("red", "card", 4.5),
    ("red", "red-soft", 4.5), ("on-red", "red", 4.5), ("ink", "red-soft", 7), ("ink2", "map-bg", 4.5),
    ("ink2", "map-house", 4.5), ("rim", "paper", 3), ("on-body", "body", 7), ("glow-line", "paper", 3),
    ("ink", "door", 4.5), ("ink", "door-used", 4.5), ("paper", "ink", 7),
]  # fmt: skip


THEMES = [("day", DAY), ("night", NIGHT), ("more", MORE_DAY), ("more night", MORE_NIGHT)]


@pytest.mark.parametrize(("name", "colours"), THEMES)
def test_every_pair_that_is_read_can_be_read(name: str, colours: dict[str, str]) -> None:
    weak = [
        f"{name}: {one} on {other} is {contrast(colours[one], colours[other]):.2f}, needed {least}"
        for one, other, least in NEEDED
        if contrast(colours[one], colours[other]) < least
    ]
    assert weak == []


def test_figures_of_the_design_page() -> None:
    computed = [
        contrast(DAY["ink"], DAY["paper"]), contrast(NIGHT["ink"], NIGHT["paper"]), contrast(DAY["glow"], DAY["paper"]),
        contrast(DAY["line"], DAY["paper2"]), contrast(DAY["ink"], DAY["amber"]), contrast(DAY["body"], DAY["paper"]),
    ]  # fmt: skip
    assert [round(value, 2) for value in computed] == pytest.approx([15.6, 17.5, 1.25, 3.06, 9.05, 15.6], abs=0.06)


def test_the_two_nights_are_one() -> None:
    assert NIGHT == AUTO_NIGHT
    assert set(NIGHT) == set(DAY)


def test_no_sheet_says_left_or_right_but_the_drawing() -> None:
    said = {
        f"{sheet.name}: {line.strip()}"
        for sheet in SHEETS
        if sheet.name != "cabinet.css"
        for line in sheet.read_text().splitlines()
        if re.search(r"\b(left|right)\b\s*[:-]|:\s*(left|right)\b", line)
    }
    assert said == set()


def test_every_colour_stands_in_the_tokens() -> None:
    """#0B2420 and #FFFFFF may stand elsewhere only for what does not change at night: ink on a lit thing, QR."""
    fixed = {"#0B2420", "#FFFFFF", "#02100B", "#000000"}
    for sheet in SHEETS:
        if sheet.name != "tokens.css":
            assert set(re.findall(r"#[0-9A-Fa-f]{6}\b", sheet.read_text())) <= fixed, sheet.name


def test_tokens_used_are_tokens_set() -> None:
    used = {name for sheet in SHEETS for name in re.findall(r"var\(--([\w-]+)\)", sheet.read_text())}
    names = set(re.findall(r"--([\w-]+):", "".join(sheet.read_text() for sheet in SHEETS)))
    assert used <= names


def test_files_of_others_are_as_listed() -> None:
    listed = tomllib.loads((STATIC / "vendor.toml").read_text())["package"]
    files = {file["to"]: file["sha256"] for package in listed for file in package["file"]}
    found = {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in files}
    assert found == files
    ours = {path.relative_to(STATIC).as_posix() for kind in ("icons", "fonts") for path in (STATIC / kind).iterdir()}
    assert ours <= set(files), "a file of others that vendor.toml does not list"


def test_no_file_of_ours_names_a_foreign_host() -> None:
    """The licence credit of the map is the one link that leaves the house, and only when it is followed."""
    ours = [*TEMPLATES.rglob("*.html"), *SHEETS, STATIC / "beat.js", STATIC / "pad.js", STATIC / "voice.js"]
    named = {address for path in ours for address in re.findall(r"https?://[\w.-]+", path.read_text())}
    assert named == {"https://www.openstreetmap.org"}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_sheets_are_short(sheet: Path) -> None:
    assert len(sheet.read_text().splitlines()) <= 400
