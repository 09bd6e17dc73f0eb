"""A text file as people have it: gzipped or not whatever its name, with a byte-order mark, a NUL or old line ends,
columns between commas, semicolons or tabs, short rows and all.

Light on purpose: also what replays orders without the planning libraries reads its files by this.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from parcelwall.errors import Trouble

UTF16 = (b"\xff\xfe", b"\xfe\xff")
SHOWN = 200  # characters of a first line that is not what it should be
LOOKED_AT = 4096
SHORT_HINT = 8  # characters: `"sep=;"`


def read_text(path: Path) -> str:
    r"""The file's text, unpacked if it is gzipped, with \n at the ends of lines. Bytes that are none become U+FFFD.

    Raises Trouble that names the file, also for one that is no text.
    """
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as no:
        why = getattr(no, "strerror", None) or no
        raise Trouble(f"{path} cannot be read: {why}. Give a text file, gzipped or not.") from no
    text = raw.decode("utf-16" if raw[:2] in UTF16 else "utf-8-sig", errors="replace").replace("\x00", "")
    if (start := text[:LOOKED_AT]).count("\ufffd") * 10 > len(start):
        raise Trouble(f"{path} is no text. Give a CSV file, gzipped or not.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_table(path: Path, needed: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column, short ones with empty cells.

    Raises Trouble that names the file and the columns it lacks.
    """
    yield from rows_of(read_text(path), str(path), needed)


def rows_of(text: str, name: str, needed: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """The same of a text that is called `name`. Raises Trouble likewise."""
    text = _without_hint(text.lstrip("\n"))
    lines = csv.DictReader(io.StringIO(text), restval="", delimiter=separator(text))
    try:
        there = [each.strip() for each in lines.fieldnames or []]
        if missing := [each for each in needed if each not in there]:
            raise Trouble(f"{name} lacks the columns {', '.join(missing)}. It has {names(there)}.")
        if twice := sorted({each for each in there if each and there.count(each) > 1}):
            raise Trouble(f"{name} has {names(twice)} more than once among its columns: nobody knows which is meant.")
        lines.fieldnames = there
        at = lines.line_num
        for row in lines:
            if lines.line_num > at + 1:  # some cell goes on below its line, or lines are empty
                _refuse_open_quote(row, len(there), lines.reader.dialect.delimiter, f"{name}, line {at + 1}")
            at = lines.line_num
            yield {key: value.strip() for key, value in row.items() if isinstance(value, str)}
    except csv.Error as no:
        raise Trouble(f"{name} is no CSV file: {no} near line {lines.line_num}. Is a quote left open there?") from no


def _refuse_open_quote(row: dict[str, str], columns: int, between: str, where: str) -> None:
    """Raises Trouble if a cell holds what looks like rows of this file: they would be lost without a word."""
    below = (line for text in row.values() if isinstance(text, str) for line in text.split("\n")[1:])
    if any(line.count(between) >= columns - 1 > 0 for line in below):
        raise Trouble(f"{where}: a quote is left open there or some lines on, and the rows after it would be read as "
                      "its text. Close it, or take it away.")  # fmt: skip


def _without_hint(text: str) -> str:
    """Without the first line `sep=;` by which a spreadsheet says what stands between its columns."""
    first, _, rest = text.partition("\n")
    return rest if first.strip('" ').lower().startswith("sep=") and len(first) <= SHORT_HINT else text


def separator(text: str) -> str:
    """What stands between columns: whichever of comma, semicolon and tab the first line has most of."""
    return max(",;\t", key=text.partition("\n")[0].count)


def names(columns: Sequence[str]) -> str:
    """Column names for a message, not longer than a line or two."""
    told = ", ".join(columns) or "none"
    return told if len(told) <= SHOWN else told[:SHOWN] + " …"
