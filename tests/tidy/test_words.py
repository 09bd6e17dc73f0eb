"""One word for one thing (docs/glossary.md): the words that were decided against name nothing in the code."""

import ast
import re
from collections.abc import Iterator

import pytest

from tidy.source import SRC, place, python_files, tree

# word -> what we say instead
NEVER = {
    "locker": "station",
    "cell": "compartment",
    "box": "compartment",
    "shipment": "parcel",
    "package": "parcel",
    "booking": "reservation",
    "ticket": "case",
    "incident": "case",
}
# File -> words that mean something else there.
ALLOWED = {
    "web/cabinet.py": {"box"},  # a rectangle of a drawing
}


def words(identifier: str) -> list[str]:
    """`OpenTheDoors_now` -> open, the, door, now."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    return [re.sub(r"(?<=x)es$|(?<!s)s$", "", part.lower()) for part in parts]


def bad_words(identifier: str) -> list[str]:
    return [word for word in words(identifier) if word in NEVER]


def names(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The names that a module gives: of functions, classes, arguments, variables, attributes and keywords."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.arg):
            yield node.arg, node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node


def in_sql(text: str) -> list[str]:
    """Bad words among the names of tables and columns; texts in quotes and comments may say what they like."""
    return [word for name in re.findall(r"\w+", re.sub(r"--.*|'[^']*'", "", text)) for word in bad_words(name)]


def test_never_words_name_nothing_in_the_code() -> None:
    found = []
    for path in python_files():
        allowed = ALLOWED.get(str(path.relative_to(SRC)), set())
        found += [f"{place(path)}: {word}" for word in bad_words(path.stem)]
        for name, node in names(tree(path)):
            found += [f"{place(path, node)}: {name}, say {NEVER[w]}" for w in bad_words(name) if w not in allowed]
    assert not found


def test_never_words_name_nothing_in_the_database() -> None:
    assert not {place(path): bad for path in sorted(SRC.rglob("*.sql")) if (bad := in_sql(path.read_text()))}


def test_what_is_allowed_is_still_used() -> None:
    for short, allowed in ALLOWED.items():
        assert allowed <= {word for name, _ in names(tree(SRC / short)) for word in bad_words(name)}, short


@pytest.mark.parametrize(
    "code",
    [
        "def open_locker(): ...",
        "class Shipment: ...",
        "def f(boxes): ...",
        "x.cells = 1",
        "import a as ticket",
        "BOOKING = 1",
    ],
)
def test_never_words_can_be_found(code: str) -> None:
    assert [word for name, _ in names(ast.parse(code)) for word in bad_words(name)]


def test_other_words_pass() -> None:
    code = (
        "mailbox = cancelled = excellent = 1\nfrom importlib.resources import files\nfiles(package)\ndef unboxed(): ..."
    )
    assert not [word for name, _ in names(ast.parse(code)) for word in bad_words(name)]
    assert in_sql("CREATE TABLE locker_cell (id int)") == ["locker", "cell"]
    assert not in_sql("CREATE TABLE case_file (id int) -- a ticket\n; SELECT 'box'")
