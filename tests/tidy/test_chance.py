"""Time comes from clock.py and chance from ids.py, so that a simulation can replay both from a seed."""

import ast
import re
from collections.abc import Iterator

import pytest

from tidy.source import SRC, dotted, imports, place, python_files, tree

# Full names, after imports are resolved.
FORBIDDEN = re.compile(
    r"""datetime\.datetime\.(now|utcnow|today)$ | datetime\.date\.today$
    | time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|sleep|localtime|gmtime|strftime|ctime)$
    | (random|secrets|numpy\.random)(\.|$)
    | uuid\.uuid(1|4|6|7|8)$ | os\.(urandom|getrandom|times)$
    | .*\.generate(_key|_private_key)?$ | cryptography\.fernet\.Fernet\.generate_key$""",
    re.VERBOSE,
)
# The loop's clock, and what a database makes up by itself.
LOOPS = {"get_running_loop", "get_event_loop", "new_event_loop"}
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|WHERE)\b")
IN_SQL = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|gen_random_uuid|uuidv[47]|random)\s*\(\s*\)"
    r"|\bcurrent_(timestamp|date|time)\b",
    re.IGNORECASE,
)

# File -> the names it may use, each with the reason why a simulation need not replay it.
ALLOWED = {
    "clock.py": {"datetime.datetime.now", "time.monotonic"},
    "ids.py": {"random", "random.Random", "os.urandom"},
    "planning/dice.py": {"numpy.random", "numpy.random.default_rng", "numpy.random.Generator"},  # from a seed, told
    "hub/migrate.py": {"now()"},  # when a schema was brought up to date is no part of any story
}
MEASURES = ("bench/",)  # a benchmark measures real time


def uses(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    known = imports(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node, known)) and FORBIDDEN.match(name):
            yield name, node
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((name, node) for a in node.names if FORBIDDEN.match(name := f"{node.module}.{a.name}"))
        if isinstance(node, ast.Attribute) and node.attr == "time" and _is_loop(node.value):
            yield "loop.time", node
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            yield from ((name, node) for name in in_sql(node.value))


def _is_loop(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LOOPS


def in_sql(text: str) -> list[str]:
    return [found[0] for found in IN_SQL.finditer(re.sub(r"--.*", "", text))]


def test_no_clock_and_no_chance_but_in_their_files() -> None:
    found = []
    for path in python_files():
        short = str(path.relative_to(SRC))
        if not short.startswith(MEASURES):
            allowed = ALLOWED.get(short, set())
            found += [f"{place(path, node)} {name}" for name, node in uses(tree(path)) if name not in allowed]
    assert not sorted(set(found))


def test_no_clock_and_no_chance_in_migrations() -> None:
    found = {place(path): bad for path in sorted((SRC / "hub").rglob("*.sql")) if (bad := in_sql(path.read_text()))}
    assert not found


def test_what_is_allowed_is_still_used() -> None:
    for short, names in ALLOWED.items():
        assert names <= {name for name, _ in uses(tree(SRC / short))}, f"{short}: take the rest off the list"


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime as d\nd.date.today()",
        "import time\ntime.monotonic()",
        "from time import time as t\nt()",
        "import random\nrandom.choice([1])",
        "from secrets import token_hex",
        "import uuid\nuuid.uuid4()",
        "import os\nos.urandom(12)",
        "import asyncio\nasyncio.get_running_loop().time()",
        "from cryptography.hazmat.primitives.ciphers.aead import AESGCM\nAESGCM.generate_key(256)",
        "SQL = 'SELECT now()'",
        "SQL = 'INSERT INTO x VALUES (gen_random_uuid())'",
    ],
)
def test_a_clock_can_be_found(code: str) -> None:
    assert list(uses(ast.parse(code)))


def test_what_only_looks_like_a_clock_passes() -> None:
    code = "from uuid import UUID, uuid5\nfrom datetime import datetime\n"
    assert not list(
        uses(ast.parse(code + "self.clock.now()\nrecord.time\nids.new()\nUUID(int=1)\n'`now()` is the clock'"))
    )
    assert in_sql("x timestamptz DEFAULT now()") == ["now()"]
    assert not in_sql("-- not now()")
