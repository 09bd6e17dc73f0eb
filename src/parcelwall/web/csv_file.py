"""Tables as files for spreadsheets: UTF-8 with its mark, commas, and no value that a spreadsheet would run.

A text that begins with one of `= + - @` or a tab or line break is a formula to a spreadsheet. Such a text gets an
apostrophe before it (OWASP, CSV injection). Numbers stay numbers; all texts
stand in quotes, for some spreadsheets part columns at semicolons or tabs as well.
"""

import csv
import io
from collections.abc import Iterable, Sequence

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
MARK = "\ufeff"  # without it some spreadsheets read UTF-8 as something else

Value = str | int | float | None


def written(head: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """The file's bytes."""
    out = io.StringIO()
    out.write(MARK)
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([safe(each) for each in head])
    writer.writerows([safe(each) for each in row] for row in rows)
    return out.getvalue().encode()


def safe(value: Value) -> Value:
    """The value as a spreadsheet may read it."""
    if isinstance(value, str) and value.lstrip(" ").startswith(RISKY):
        return "'" + value
    return "" if value is None else value
