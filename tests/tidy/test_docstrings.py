"""What is not plain from a name and its types stands in a docstring.

A module says what is in it. A public class says what it is. A public function or method says what it does, in which
units, when it is long or when it raises one of our errors, and then names that it refuses or raises. Short ones whose
name says it all need nothing.
"""

import ast
from collections.abc import Iterator

import pytest

from tidy.source import lines, place, python_files, tree

LONG = 12  # lines
ERRORS = {"Refusal", "Trouble"}
# Bases that give form and say nothing about what a class is for.
FRAMES = {"Struct", "Protocol", "NamedTuple", "StrEnum", "Enum", "IntEnum", "ABC"}
SAYS_NO = ("rais", "refus", "trouble")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def silent(module: ast.Module) -> Iterator[str]:
    if module.body and not ast.get_docstring(module):
        yield "the module says nothing"
    for node in public(module):
        said = ast.get_docstring(node)
        if isinstance(node, ast.ClassDef):
            if not said and not _only_data(node):
                yield f"class {node.name}, line {node.lineno}, says nothing"
        elif not said and (lines(node) > LONG or refuses(node)):
            yield f"{node.name}, line {node.lineno}, says nothing"
        elif said and refuses(node) and not any(word in f"{node.name} {said}".lower() for word in SAYS_NO):
            yield f"{node.name}, line {node.lineno}, does not say what it raises or refuses"


def public(scope: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """What others may use: functions, classes and their methods; not of classes that say what their base says."""
    for node in scope.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _is_one_of_many(node):
            yield node
            yield from public(node)


def _is_one_of_many(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2] not in FRAMES for base in node.bases)


def _only_data(node: ast.ClassDef) -> bool:
    """An enum or a record whose fields speak for themselves: no functions in it."""
    return not any(isinstance(each, Function) for each in node.body)


def refuses(function: Function) -> bool:
    """Whether it raises one of our errors itself, not through a function inside it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _is_ours(node.exc.func):
            return True
        stack += ast.iter_child_nodes(node)
    return False


def _is_ours(error: ast.expr) -> bool:
    return ast.unparse(error).rpartition(".")[2] in ERRORS


def test_what_needs_words_has_them() -> None:
    assert not {place(path): found for path in python_files() if (found := list(silent(tree(path))))}


@pytest.mark.parametrize(
    "code",
    [
        "x = 1",
        "'''M.'''\nclass Desk:\n    def open(self): ...",
        "'''M.'''\ndef long():\n" + "    x = 1\n" * LONG,
        "'''M.'''\ndef door():\n    raise Trouble('gone')",
        "'''M.'''\nclass A:\n    '''D.'''\n    def open(self):\n        '''O.'''\n        raise errors.Refusal('no')",
    ],
)
def test_silence_can_be_found(code: str) -> None:
    assert list(silent(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "",
        "'''M.'''\ndef area_mm2(width_mm, height_mm):\n    return width_mm * height_mm",
        "'''M.'''\nclass Size(Struct):\n    width_mm: int",
        "'''M.'''\ndef door():\n    '''Opens. Raises Trouble if it is gone.'''\n    raise Trouble('gone')",
        "'''M.'''\nclass Cancel(Command):\n    def decide(self): ...",
        "'''M.'''\ndef _inner():\n    raise Trouble('gone')",
    ],
)
def test_what_is_plain_needs_no_words(code: str) -> None:
    assert not list(silent(ast.parse(code)))
