"""The docs are complete: each setting, refusal, kind of fact, room and word stands where a reader looks for it."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from parcelwall import settings
from parcelwall.drivers import DRIVERS, parse_profile
from parcelwall.drivers.profile import BoardLine, DoorLine, Profile
from parcelwall.drivers.reading import REMEDIES
from parcelwall.errors import REASONS
from parcelwall.hub.station_file import read_station
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from parcelwall.rules.sentence import MARKS
from parcelwall.station.running import read_settings
from tidy.source import ROOT, SRC

GLOSSARY = """
station compartment door site host parcel reservation deposit collect depositor collector courier carrier proof visit
case fact entry journal desk policy
""".split()
KINDS = [settings.HubSettings, settings.StationSettings]


def doc(name: str) -> str:
    file = ROOT / "docs" / name
    assert file.is_file(), f"docs/{name} is not written yet"
    return file.read_text(encoding="utf-8")


def missing(text: str, names: Iterable[str]) -> list[str]:
    """The names that stand nowhere in `text` as code: `name` in backquotes, alone or with a little beside it."""
    marked = set(re.findall(r"[\w/.]+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    return sorted(name for name in names if name not in marked)


def listed(text: str) -> list[str]:
    """The names that head the rows of tables: | `name` | ..."""
    return re.findall(r"^\|\s*`([\w/]+)`\s*\|", text, re.MULTILINE)


def kinds(of: type = facts.Fact) -> set[str]:
    """Names of all kinds of fact: the classes below Fact that have no classes below them."""
    below = of.__subclasses__()
    return set().union(*(kinds(each) for each in below)) if below else {of.__name__}


def rooms() -> set[str]:
    """What docs/ARCHITECTURE.md must name: `hub/` and its like, `clock.py` and its like."""
    folders = {f"{path.parent.name}/" for path in SRC.glob("*/__init__.py")}
    return folders | {path.name for path in SRC.glob("*.py") if path.name != "__init__.py"}


@pytest.mark.parametrize("kind", KINDS)
def test_settings(kind: type) -> None:
    names = [field.name for field in msgspec.structs.fields(kind)]
    assert not missing(doc("settings.md"), names)


def test_settings_that_are_gone() -> None:
    known = {field.name for kind in KINDS for field in msgspec.structs.fields(kind)}
    assert not [name for name in listed(doc("settings.md")) if name.lower().removeprefix("parcelwall_") not in known]


def test_refusals() -> None:
    assert not missing(doc("refusals.md"), REASONS)


def test_refusals_that_are_gone() -> None:
    assert not [name for name in listed(doc("refusals.md")) if name not in REASONS]


def test_facts() -> None:
    assert not missing(doc("facts.md"), kinds())


def test_facts_that_are_gone() -> None:
    assert not [name for name in listed(doc("facts.md")) if name[0].isupper() and name not in kinds()]


def test_rooms() -> None:
    assert not missing(doc("ARCHITECTURE.md"), rooms())


def test_glossary() -> None:
    text = doc("glossary.md").lower()
    assert not [word for word in GLOSSARY if not re.search(rf"\b{word}", text)]


def test_links_between_the_docs() -> None:
    assert not [f"{path.name} -> {link}" for path in sorted((ROOT / "docs").rglob("*.md")) for link in dead_links(path)]


def dead_links(path: Path) -> list[str]:
    """Links of a page to files that are not there. Addresses on the web are not followed."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [each for each in targets if ":" not in each and not (path.parent / each).exists()]


def anchors(text: str) -> set[str]:
    """What `#...` may follow a page's address: its headings as GitHub spells them there, and places named by hand."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", head)).lower().replace(" ", "-") for head in heads)
    return {*plain, *re.findall(r'(?:id|name)="([^"]+)"', text)}


def test_links_lead_to_headings() -> None:
    lost = []
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for page, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", path.read_text()):
            there = path.parent / page if page else path
            if there.suffix == ".md" and anchor not in anchors(there.read_text()):
                lost.append(f"{path.name}: {page}#{anchor}")
    assert lost == []


def test_rows_of_tables_have_all_their_cells() -> None:
    ragged = []
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for table in re.findall(r"(?:^\|.*\n)+", path.read_text(), re.MULTILINE):
            rows = [len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", row))) for row in table.splitlines()]
            ragged += [f"{path.name}: {row[:60]}" for row, cells in zip(table.splitlines(), rows, strict=True)
                       if cells != rows[0]]  # fmt: skip
    assert ragged == []


def test_languages_are_named_where_one_is_chosen() -> None:
    told = {name: re.findall(r"language.*", doc(name)) for name in ("operator.md", "api.md")}
    known = {"en", *(folder.name for folder in (SRC / "notices" / "locale").iterdir() if folder.is_dir())}
    for name, lines in told.items():
        assert any(known <= set(re.findall(r"\b[a-z]{2}\b", line)) for line in lines), f"docs/{name} names not all"


def test_what_is_missing_can_be_found(tmp_path: Path) -> None:
    assert missing("Set `port` or `host = 0.0.0.0`, not slot.", ["port", "host", "slot"]) == ["slot"]
    assert missing("`hub/` and `clock.py`", ["hub/", "clock.py", "web/"]) == ["web/"]
    assert listed("| `gone` | was here |\n| word | `no` |") == ["gone"]
    assert {"Deposited", "DoorOpened"} <= kinds()
    assert not {"Fact", "ParcelFact"} & kinds()
    assert {"rules/", "clock.py"} <= rooms()
    page = tmp_path / "page.md"
    page.write_text("[here](page.md) [there](gone.md#x) [web](https://example.org)\n```\n[code](x)\n```")
    assert dead_links(page) == ["gone.md"]


def tables(name: str) -> list[str]:
    """The TOML files that a page shows."""
    return re.findall(r"```toml\n(.*?)```", doc(name), re.DOTALL)


def test_station_files_of_operators_can_be_read(tmp_path: Path) -> None:
    shown = tables("operator.md")
    assert len(shown) == 2, "one with columns, one with a layout written out"
    for text in shown:
        file = tmp_path / "station.toml"
        file.write_text(text, encoding="utf-8")
        assert read_station(file).layout.compartments


def test_the_file_of_a_station_can_be_read(tmp_path: Path) -> None:
    for text in tables("station.md"):
        file = tmp_path / "station.toml"
        file.write_text(text, encoding="utf-8")
        _, [profile] = read_settings(file)
        assert profile.doors


def test_the_profiles_of_drivers_can_be_read() -> None:
    shown = [parse_profile(tomllib.loads(text), "docs/drivers.md").driver for text in tables("drivers.md")]
    assert shown == [name for name in DRIVERS if name != "xor8a"], "that one is in station.md"


def test_drivers_and_the_keys_of_a_bus() -> None:
    assert not missing(doc("drivers.md"), DRIVERS)
    lines = (Profile, BoardLine, DoorLine)
    names = {field.name for kind in lines for field in msgspec.structs.fields(kind)}
    assert not missing(doc("station.md"), names)
    assert REMEDIES.keys() == names, "each key has a word of what to write"


def test_a_driver_is_added_as_the_docs_say() -> None:
    """The record and the line that docs/drivers.md shows are those of WKLY."""
    record, line = re.findall(r"```python\n(.*?)```", doc("drivers.md"), re.DOTALL)
    drivers = SRC / "drivers"
    for shown, place in ((record, "wkly.py"), (line, "makers.py")):
        assert plain(shown) in plain((drivers / place).read_text(encoding="utf-8")), place
    named = re.findall(r"`((?:drivers|tests/drivers)/[\w/]+\.\w+)`", doc("drivers.md"))
    assert "tests/drivers/frames/wkly.txt" in named
    assert not [name for name in named if not any((root / name).is_file() for root in (SRC, ROOT))]


def plain(code: str) -> str:
    return "".join(code.split())


def test_marks() -> None:
    assert not missing(doc("api.md"), MARKS)


def test_policy() -> None:
    knobs = [field.name for field in msgspec.structs.fields(Policy)]
    assert not missing(doc("operator.md"), [name for name in knobs if name != "version"])


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
