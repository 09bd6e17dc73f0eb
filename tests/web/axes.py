"""What axe finds wrong with a page, in sentences.

It is asked for violations alone: its whole answer names every element that it passed, half a megabyte that costs as
much as the asking.
"""

from typing import Any

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = """async (options) => {
  const found = (await axe.run(document, options)).violations;
  return found.map((each) => `axe ${each.id}: ${each.nodes.length} times: ${each.nodes[0].html.slice(0, 160)}`);
}"""


def script() -> str:
    """axe itself, for those who serve it as a file."""
    return str(axe.Axe().axe_script)


def violations(page: Any, **options: Any) -> list[str]:
    """Of the page as it is now. `options`: axe's own, beside which rules are asked."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(script())
    found: list[str] = page.evaluate(ASK, {"runOnly": TAGS, "resultTypes": ["violations"], **options})
    return found
