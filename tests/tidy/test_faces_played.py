"""docs/faces.md says which test plays which flow: what it names is there, and what plays a face is named."""

import re

from tidy.source import ROOT

PLAYS = re.compile(r"playwright|acceptance\.browsing|web\.live_kiosk")


def test_the_table_of_flows_names_what_is_there_and_all_of_it() -> None:
    text = (ROOT / "docs" / "faces.md").read_text(encoding="utf-8")
    table = text.split("## Which test plays what")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    files = {path.stem.removeprefix("test_"): path for path in (ROOT / "tests" / "acceptance").glob("test_*.py")}
    assert sorted(named - set(files)) == []
    playing = {name for name, path in files.items() if PLAYS.search(path.read_text(encoding="utf-8"))}
    assert sorted(playing - named) == []
