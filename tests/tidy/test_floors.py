"""Imports go down only, rules are pure, and a station needs no package of the hub's."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tidy.source import ROOT, SRC, place, python_files, tree

# What rules may import beside each other and parcelwall.errors. All of it computes and none of it reads or writes.
PURE = """
msgspec __future__ abc base64 bisect collections dataclasses datetime decimal enum fractions functools hashlib heapq
hmac itertools json math operator re statistics string struct types typing unicodedata uuid zoneinfo
""".split()
MODULES = {"pyserial-asyncio-fast": "serial_asyncio_fast", "prometheus-client": "prometheus_client"}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter with our contracts over the package `parcelwall` in `folder`."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from importlinter.cli import lint_imports; "
    code += "sys.exit(lint_imports(config_filename=sys.argv[2], no_cache=True))"
    command = [sys.executable, "-P", "-c", code, str(folder), str(ROOT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_floors() -> None:
    done = lint(SRC.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("hub/bad.py", "import parcelwall.station", "Imports go down only"),
        ("journal/bad.py", "import parcelwall.hub", "Imports go down only"),
        ("attic/__init__.py", "", "Imports go down only"),  # a room that the plan does not know
        ("rules/bad.py", "import random", "Rules are pure"),
        ("rules/bad.py", "import parcelwall.clock", "Rules are pure"),
    ],
)
def test_floors_can_fail(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copytree(
        SRC, tmp_path / "parcelwall", ignore=lambda folder, names: [n for n in names if not keep(folder, n)]
    )
    (tmp_path / "parcelwall" / file).parent.mkdir(exist_ok=True)
    (tmp_path / "parcelwall" / file).write_text(line)
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(rf"{contract}.*BROKEN", done.stdout), done.stdout


def keep(folder: str, name: str) -> bool:
    """The bare plan of the house: folders, their __init__ and the ground floor."""
    path = Path(folder, name)
    return path.is_dir() or path.parent == SRC or (name == "__init__.py" and path.parent.parent == SRC)


def impure(module: ast.Module) -> list[str]:
    named = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named += [node.module or "a relative import"]
    ours = re.compile(r"parcelwall\.(rules|errors)(\.|$)")
    return [name for name in named if name.split(".")[0] not in PURE and not ours.match(name)]


def test_rules_import_nothing_but_msgspec_and_what_computes() -> None:
    found = {place(path): bad for path in python_files(SRC / "rules") if (bad := impure(tree(path)))}
    assert not found


@pytest.mark.parametrize("line", ["import os", "from time import sleep", "import parcelwall.clock", "from . import x"])
def test_impure_rules_can_be_found(line: str) -> None:
    assert impure(ast.parse(line))
    assert not impure(ast.parse("import msgspec\nfrom parcelwall.rules import facts\nfrom datetime import datetime"))


def only_in(extra: str, other: str) -> list[str]:
    """Modules of the packages that one extra of pyproject.toml has and the other has not."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = [{re.split(r"[<>=\[ ]", need)[0] for need in extras[each]} for each in (extra, other)]
    return sorted(MODULES.get(name, name.replace("-", "_")) for name in names[0] - names[1])


def imported_without(absent: list[str], wanted: list[str]) -> subprocess.CompletedProcess[str]:
    """Imports modules in a Python that does not have the packages `absent`."""
    code = "import sys, importlib\n"
    code += f"sys.modules.update(dict.fromkeys({absent!r}))\n"  # None in sys.modules: import fails
    code += f"for name in {wanted!r}: importlib.import_module(name)\n"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def modules(*places: str) -> list[str]:
    """The modules at those places of the house, as far as they are built."""
    files = [file for each in places for file in (python_files(SRC / each) or [SRC / f"{each}.py"]) if file.exists()]
    names = (".".join(("parcelwall", *file.relative_to(SRC).with_suffix("").parts)) for file in files)
    return [name.removesuffix(".__init__") for name in names]


def test_a_station_needs_no_package_of_the_hub() -> None:
    wanted = [*modules("station", "drivers", "link", "web/kiosk", "__main__"), "parcelwall.web"]
    done = imported_without(only_in("hub", "station"), wanted)
    assert done.returncode == 0, done.stderr


def test_a_hub_needs_no_package_of_the_station() -> None:
    done = imported_without(only_in("station", "hub"), modules("hub", "link", "notices", "carriers", "__main__"))
    assert done.returncode == 0, done.stderr


def test_a_missing_package_can_be_found() -> None:
    assert "asyncpg" in only_in("hub", "station")
    assert "apsw" in only_in("station", "hub")
    assert imported_without(["asyncpg"], ["parcelwall.hub.migrate"]).returncode == 1
