"""A CSV file as people have it: gzipped or not, with a byte-order mark or a NUL in it, short rows and all.

Light on purpose: also what replays orders without the planning libraries reads its files by this.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from parcelwall.errors import Trouble


def read_table(path: Path, needed: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column. Bytes that are no UTF-8 become U+FFFD; short rows have empty cells.

    Raises Trouble that names the file and the columns it lacks.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError, zlib.error) as no:
        raise Trouble(f"{path} cannot be read: {no}. Give a CSV file, gzipped or not.") from no
    lines = csv.DictReader(io.StringIO(text.replace("\x00", "")), restval="")
    try:
        there = [name.strip() for name in lines.fieldnames or []]
        if missing := [name for name in needed if name not in there]:
            raise Trouble(f"{path} lacks the columns {', '.join(missing)}. It has {', '.join(there) or 'none'}.")
        lines.fieldnames = there
        yield from ({name: value.strip() for name, value in row.items() if isinstance(value, str)} for row in lines)
    except csv.Error as no:
        raise Trouble(f"{path} is no CSV file: {no} near line {lines.line_num}.") from no
