"""Files of at most 400 lines, functions of at most 60, and most of them under 10."""

import ast
from pathlib import Path
from statistics import median

from tidy.source import functions, lines, place, python_files, tree

FILE_LIMIT = 400
FUNCTION_LIMIT = 60
MEDIAN_LIMIT = 10


def long_files(files: list[Path]) -> dict[str, int]:
    counted = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    return {name: count for name, count in counted.items() if count > FILE_LIMIT}


def long_functions(module: ast.Module) -> dict[str, int]:
    return {
        f"{node.name}, line {node.lineno}": lines(node) for node in functions(module) if lines(node) > FUNCTION_LIMIT
    }


def test_files_are_short() -> None:
    assert not long_files(python_files())


def test_functions_are_short() -> None:
    assert not {place(path): found for path in python_files() if (found := long_functions(tree(path)))}


def test_most_functions_are_very_short() -> None:
    assert median(lines(node) for path in python_files() for node in functions(tree(path))) < MEDIAN_LIMIT


def test_long_ones_can_be_found(tmp_path: Path) -> None:
    sample = tmp_path / "long.py"
    sample.write_text("def long():\n" + "    pass\n" * FUNCTION_LIMIT + "#\n" * FILE_LIMIT)
    assert list(long_files([sample]).values()) == [FILE_LIMIT + FUNCTION_LIMIT + 1]
    assert long_functions(tree(sample)) == {"long, line 1": FUNCTION_LIMIT + 1}
    sample.write_text("def fits():\n" + "    pass\n" * (FUNCTION_LIMIT - 1))
    assert not long_files([sample])
    assert not long_functions(ast.parse(sample.read_text()))
