"""docs/facts.md and docs/refusals.md say what the code does: examples that are read, codes that are answered."""

import re
from pathlib import Path

import pytest

from parcelwall.errors import REASONS
from parcelwall.rules import facts
from parcelwall.web.problems import STATUS

DOCS = Path(__file__).resolve().parents[2] / "docs"
FACTS, REFUSALS = ((DOCS / name).read_text(encoding="utf-8") for name in ("facts.md", "refusals.md"))
EXAMPLES = dict(re.findall(r"^(\w+) (\{.*\})$", FACTS, re.MULTILINE))
WRITERS = dict(re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", FACTS, re.MULTILINE))
CODES = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", REFUSALS, re.MULTILINE)


@pytest.mark.parametrize("kind", facts.KINDS)
def test_every_kind_has_an_example_that_is_read(kind: str) -> None:
    fact = facts.read(kind, EXAMPLES[kind])
    assert fact is not None
    assert facts.body(fact) == EXAMPLES[kind]


def test_who_writes_what() -> None:
    hub, station = ({kind.__name__ for kind in kinds} for kinds in (facts.HUB_KINDS, facts.STATION_KINDS))
    assert {kind for kind, who in WRITERS.items() if "hub" in who} == hub
    assert {kind for kind, who in WRITERS.items() if "station" in who} == station


def test_every_reason_with_its_code_and_its_sentence() -> None:
    assert {reason: int(code) for reason, code, _ in CODES} == STATUS
    assert {reason: sentence for reason, _, sentence in CODES} == REASONS
