"""A station as an operator writes it down: TOML with id, name, address, place and layout."""

import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from parcelwall.errors import Trouble
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import Layout, plain_layout


def read_station(path: Path) -> StationConfigured:
    """Reads the file. `columns = "SSML SML"` is short for a plain layout. Raises Trouble that names what is wrong."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as no:
        raise Trouble(f"cannot read {path}: {no}") from no
    try:
        columns, panel_after = table.pop("columns", None), table.pop("panel_after", 1)
        layout = plain_layout(columns, panel_after) if columns else msgspec.convert(table.pop("layout", None), Layout)
        about = msgspec.convert({**table, "layout": msgspec.to_builtins(layout)}, StationConfigured)
        ZoneInfo(about.zone)
    except (msgspec.ValidationError, KeyError, ZoneInfoNotFoundError, TypeError) as no:
        raise Trouble(f"{path}: {no}. docs/operator.md shows a whole station file.") from no
    _check(about, path)
    return about


def _check(about: StationConfigured, path: Path) -> None:
    numbers = [each.number for each in about.layout.compartments]
    sizes = {size.name for size in about.layout.sizes}
    wrong: list[Any] = [each.number for each in about.layout.compartments if each.size not in sizes]
    if not numbers or len(set(numbers)) != len(numbers) or min(numbers) < 1:
        raise Trouble(f"{path}: compartments need numbers from 1, each its own")
    if wrong:
        raise Trouble(f"{path}: compartment {wrong[0]} has a size that is not listed under sizes")
