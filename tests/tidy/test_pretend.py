"""Tests use pretend things that work, never mocks or patches: those test what we believe, not what is."""

import ast
import re

import pytest

from tidy.source import ROOT, imports, place, python_files, tree

FORBIDDEN_MODULES = re.compile(r"(unittest\.mock|mock|pytest_mock|flexmock)(\.|$)")
FORBIDDEN_NAMES = {"monkeypatch", "MonkeyPatch", "mocker", "MagicMock", "AsyncMock", "Mock", "create_autospec"}


def mocks(module: ast.Module) -> list[str]:
    found = [name for name in imports(module).values() if FORBIDDEN_MODULES.match(name)]
    found += [
        a.name
        for n in ast.walk(module)
        if isinstance(n, ast.Import)
        for a in n.names
        if FORBIDDEN_MODULES.match(a.name)
    ]
    for node in ast.walk(module):
        name = {ast.arg: "arg", ast.Name: "id", ast.Attribute: "attr"}.get(type(node))
        if name and (word := getattr(node, name)) in FORBIDDEN_NAMES:
            found.append(f"{word}, line {node.lineno}")
        called = node.func if isinstance(node, ast.Call) else None
        if getattr(called, "attr", getattr(called, "id", "")) == "patch" and not _is_http(node):
            found.append(f"patch(), line {node.lineno}")
    return found


def _is_http(call: ast.Call) -> bool:
    """`client.patch("/path")` is a request."""
    return isinstance(call.func, ast.Attribute) and "client" in ast.unparse(call.func.value).lower()


def test_no_mocks_in_tests() -> None:
    assert not {place(path): found for path in python_files(ROOT / "tests") if (found := mocks(tree(path)))}


@pytest.mark.parametrize(
    "code",
    [
        "from unittest.mock import Mock",
        "from unittest import mock",
        "import unittest.mock as m",
        "def test_it(monkeypatch): ...",
        "with patch('x.y'): ...",
        "with mock.patch.object(x, 'y'), x.patch('z'): ...",
    ],
)
def test_mocks_can_be_found(code: str) -> None:
    assert mocks(ast.parse(code))


def test_a_request_is_no_mock() -> None:
    assert not mocks(ast.parse("client.patch('/api/v1/parcels/1')\npatched = 1"))
