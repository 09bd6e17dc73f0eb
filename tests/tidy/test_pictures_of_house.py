"""The pictures in docs/ARCHITECTURE.md are the house: floors as import-linter and the folders, life as `LIFE`."""

import re
import tomllib

import pytest

from parcelwall.rules.life import LIFE
from tidy.source import ROOT, SRC

PAGE = ROOT / "docs" / "ARCHITECTURE.md"
MOST_LINES = 150
STEP = re.compile(r"^ *(?P<stage>[A-Z_]+)? *[─┬├└]+ (?P<fact>\w+) ─+▶ (?P<after>[A-Z_]+)")


def picture(name: str, text: str) -> list[str]:
    """The lines of the block that stands below the mark `<!-- name -->`."""
    found = re.search(rf"<!-- {name} -->\n```\n(.*?)\n```", text, re.DOTALL)
    assert found, f"docs/ARCHITECTURE.md has no picture marked {name}"
    return found[1].splitlines()


def floors(lines: list[str]) -> list[set[str]]:
    """The rooms on each floor, top first. A room with a star is not built yet."""
    return [set(re.findall(r"\w+\*?", re.split(r" {3,}", line.strip())[0])) for line in lines]


def steps(lines: list[str]) -> list[tuple[str, str, str]]:
    """(stage, fact, stage after) of each line; a line without a stage goes on from the one above."""
    found, stage = [], ""
    for line in lines:
        step = STEP.match(line)
        assert step, f"no step in: {line}"
        stage = step["stage"] or stage
        found.append((stage, step["fact"], step["after"]))
    return found


def linted() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["id"] == "floors")
    return [set(re.findall(r"\w+", layer)) for layer in layers]


def test_the_floors() -> None:
    drawn = floors(picture("floors", PAGE.read_text(encoding="utf-8")))
    assert [{room.rstrip("*") for room in floor} for floor in drawn] == linted()
    built = {room for floor in drawn for room in floor if not room.endswith("*")}
    folders = {path.parent.name for path in SRC.glob("*/__init__.py")}
    assert built == folders | {path.stem for path in SRC.glob("*.py") if path.name != "__init__.py"}


def test_the_life() -> None:
    drawn = steps(picture("life", PAGE.read_text(encoding="utf-8")))
    assert drawn == [(before.value, fact.__name__, after.value) for (before, fact), after in LIFE.items()]


def test_it_can_be_read_in_one_sitting() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_pictures_can_be_read() -> None:
    text = "<!-- life -->\n```\n A ─┬─ Went ─▶ B   said so\n    └─ Came ───▶ A\n```"
    assert steps(picture("life", text)) == [("A", "Went", "B"), ("A", "Came", "A")]
    assert floors([" web | planning*      the faces | (not yet)"]) == [{"web", "planning*"}]
    with pytest.raises(AssertionError, match="no picture"):
        picture("floors", text)
