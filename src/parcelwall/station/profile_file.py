"""Writes a corrected bus profile into a station's file: only the keys that changed, so that comments stay.

The file as it was is kept beside it. What was written is read back before it takes the old one's place.
"""

import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers.profile import Profile
from parcelwall.errors import Trouble

# that commissioning may change
KEYS = ("baud", "timeout_ms", "status_order", "closed_value", "echo", "boards", "doors")
TABLE = re.compile(r"^[ \t]*(?:\[bus\]|\[\[bus\]\])[ \t]*(#.*)?$", re.MULTILINE)
ANY_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def corrections(before: Profile, after: Profile) -> dict[str, Any]:
    """What differs, as it stands in TOML."""
    was, now = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return {key: now[key] for key in KEYS if now[key] != was[key]}


def as_toml(changed: Mapping[str, Any]) -> str:
    """The keys as they stand below [bus]."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in changed.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_line(each)},\n" for each in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _line(door: Mapping[str, int]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in door.items()) + " }"


def rewritten(text: str, changed: Mapping[str, Any], nth: int = 0) -> str:
    """The text of a file with other values under [bus], or under the nth [[bus]] counted from 0.

    Raises Trouble that says what to write by hand, if the file is written in a way that cannot be changed so.
    """
    wanted = tomllib.loads(text)
    buses = wanted["bus"] if isinstance(wanted["bus"], list) else [wanted["bus"]]
    buses[nth] |= changed
    for key, value in changed.items():
        text = _with_key(text, key, _value(value), nth)
    if not _reads_as(text, wanted):
        raise Trouble(f"The file is written in a way that cannot be changed here. Write this below [bus] by hand:\n"
                      f"{as_toml(changed)}")  # fmt: skip
    return text


def _reads_as(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _with_key(text: str, key: str, value: str, nth: int) -> str:
    tables = list(TABLE.finditer(text))
    if len(tables) <= nth:
        return text
    table = tables[nth]
    end = other.start() if (other := _next_table(text, table.end())) else len(text)
    if found := re.compile(rf"^[ \t]*{key}[ \t]*=[ \t]*", re.MULTILINE).search(text, table.end(), end):
        return text[: found.end()] + value + text[_value_end(text, found.end()) :]
    return f"{text[: table.end()]}\n{key} = {value}{text[table.end() :]}"


def _next_table(text: str, start: int) -> re.Match[str] | None:
    """The next line that begins with a bracket and is not within a list."""
    return next((found for found in ANY_TABLE.finditer(text, start) if not _depth(text[start : found.start()])), None)


def _depth(text: str) -> int:
    return sum({"[": 1, "]": -1}.get(mark, 0) for mark in _marks(text))


def _marks(text: str) -> str:
    """The text without what stands in quotes and comments."""
    return re.sub(r'"(\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', lambda found: " " * len(found[0]), text)


def _value_end(text: str, start: int) -> int:
    """Where a value ends: a list with its last bracket, anything else before a comment or the end of its line."""
    marks = _marks(text[start:])
    if not marks.startswith("["):
        line = re.match(r'"[^"\n]*"|\'[^\'\n]*\'|[^\s#]+', text[start:])
        return start + (line.end() if line else 0)
    depth = 0
    for place, mark in enumerate(marks):
        depth += {"[": 1, "]": -1}.get(mark, 0)
        if depth == 0:
            return start + place + 1
    return len(text)


def write_profile(path: Path, changed: Mapping[int, Mapping[str, Any]], clock: Clock) -> Path:
    """Writes the keys that changed below each bus, counted from 0. Answers where the file as it was is kept.

    Raises Trouble.
    """
    try:
        text = path.read_text(encoding="utf-8")
        for nth, keys in changed.items():
            text = rewritten(text, keys, nth)
        kept = path.with_name(f"{path.name}.{clock.now():%Y%m%dT%H%M%SZ}")
        shutil.copy2(path, kept)
        _replace(path, text)
    except OSError as problem:
        by_hand = "\n".join(as_toml(keys) for keys in changed.values())
        raise Trouble(f"{path} cannot be written: {problem.strerror}. Write this below [bus] by hand:\n"
                      f"{by_hand}") from problem  # fmt: skip
    return kept


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".new")
    beside.touch(mode=0o600)
    shutil.copymode(path, beside)
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
