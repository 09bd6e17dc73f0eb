"""A station as an operator writes it down: TOML with id, name, address, place and layout."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import msgspec

from parcelwall.errors import Trouble
from parcelwall.notices.language import codes
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import LADDER, Layout, plain_layout

SHORT = ("columns", "panel_after")  # for a plain layout
KNOWN = (*StationConfigured.__struct_fields__, *SHORT)
STATION_ID = r"[A-Za-z0-9][A-Za-z0-9\-]{0,31}"  # of which URLs, file names and carriers' requests are made
OF_NO_PLACE = {"localtime", "Factory"}  # another clock on each machine, and none
LONGEST = 200  # characters of a name or an address
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # what stands beside it
LETTERS = "".join(size.name for size in LADDER if len(size.name) == 1)


def read_station(path: Path) -> StationConfigured:
    """Reads the file. `columns = "SSML SML"` is short for a plain layout. Raises Trouble that names what is wrong."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as no:
        raise Trouble(f"cannot read {path}: {no}") from no
    _refuse_unknown(table, path)
    try:
        columns, panel_after = table.pop("columns", None), table.pop("panel_after", 1)
        layout = plain_layout(columns, panel_after) if columns else msgspec.convert(table.pop("layout", None), Layout)
        about = msgspec.convert({**table, "layout": msgspec.to_builtins(layout)}, StationConfigured)
    except (msgspec.ValidationError, KeyError, TypeError) as no:
        raise Trouble(f"{path}: {no}. docs/operator.md shows a whole station file.") from no
    _check(about, path)
    return about


def _refuse_unknown(table: Mapping[str, Any], path: Path) -> None:
    for name in table:
        if name not in KNOWN:
            near = get_close_matches(name, KNOWN, 1)
            instead = f"Did you mean `{near[0]}`?" if near else "Take it out."
            raise Trouble(f"{path}: `{name}` means nothing here. {instead}")
    wrong = [letter for letter in "".join(str(table.get("columns", "")).split()) if letter not in LETTERS]
    if wrong:
        raise Trouble(f"{path}: `columns`: {wrong[0]} is no size; write {', '.join(LETTERS)}, or the layout itself")


def _check(about: StationConfigured, path: Path) -> None:
    _check_words(about, path)
    if not (-90 <= about.lat <= 90 and -180 <= about.lon <= 180):
        raise Trouble(f"{path}: `lat` is -90 to 90 and `lon` -180 to 180, in degrees")
    if about.zone not in (zones := available_timezones() - OF_NO_PLACE):
        [near] = get_close_matches(about.zone, zones, 1) or ["Europe/Helsinki"]
        raise Trouble(f"{path}: `zone`: {about.zone!r} is no time zone. Write {near}, or another name of IANA's list")
    if about.language not in codes():
        raise Trouble(f"{path}: `language`: there is no {about.language} here; there are {', '.join(codes())}")
    numbers = [each.number for each in about.layout.compartments]
    sizes = {size.name for size in about.layout.sizes}
    wrong: list[Any] = [each.number for each in about.layout.compartments if each.size not in sizes]
    if not numbers or len(set(numbers)) != len(numbers) or min(numbers) < 1:
        raise Trouble(f"{path}: compartments need numbers from 1, each its own")
    if wrong:
        raise Trouble(f"{path}: compartment {wrong[0]} has a size that is not listed under sizes")


def _check_words(about: StationConfigured, path: Path) -> None:
    if not re.fullmatch(STATION_ID, about.station):
        raise Trouble(f"{path}: `station` is 1 to 32 letters a to z, digits and -, such as S-0012")
    for field, text in (("name", about.name), ("address", about.address)):
        if not text.strip() or len(text) > LONGEST:
            raise Trouble(f"{path}: `{field}` has 1 to {LONGEST} characters")
        if TURNS & set(text) or any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in text):
            raise Trouble(f"{path}: `{field}` is one line, without control characters")
