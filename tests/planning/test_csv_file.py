"""Files as people have them: whoever saved a table with what was at hand gets the same answer, or what to do."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from parcelwall.errors import Trouble
from parcelwall.planning import past
from parcelwall.planning.csv_file import read_table
from parcelwall.planning.records import read_pickups
from parcelwall.planning.site_files import read_problem
from planning.pretend_point import HEAD

TABLE = "id,lat,lon\na,60.1,24.9\nb,60.2,25.0\n"
ROWS = [{"id": "a", "lat": "60.1", "lon": "24.9"}, {"id": "b", "lat": "60.2", "lon": "25.0"}]
SAVED: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "gzipped": lambda text: gzip.compress(text.encode()),
    "DOS line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "old Mac line ends": lambda text: text.replace("\n", "\r").encode(),
    "byte-order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "semicolons": lambda text: text.replace(",", ";").encode(),
    "tabs": lambda text: text.replace(",", "\t").encode(),
    "spaces": lambda text: text.replace(",", " , ").encode(),
    "quotes": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.split()).encode(),
    "empty lines": lambda text: ("\n\n" + text.replace("\n", "\n\n")).encode(),
    "a NUL": lambda text: text.replace("60.1", "60\x00.1").encode(),
    "a spreadsheet's hint": lambda text: ("sep=;\n" + text.replace(",", ";")).encode(),
    "cells too many": lambda text: text.replace("24.9", "24.9,x,y").encode(),
}  # fmt: skip


@pytest.mark.parametrize("way", SAVED)
def test_the_same_table_however_it_was_saved(way: str, tmp_path: Path) -> None:
    for name in ("table.csv", "table.csv.gz"):
        (tmp_path / name).write_bytes(SAVED[way](TABLE))
        assert list(read_table(tmp_path / name, ("lat", "lon"))) == ROWS


@pytest.mark.parametrize(("content", "told"), [
    (b"", "lacks the columns lat, lon. It has none"), (b"\n\n", "lacks the columns"),
    (b"LAT,LON\n1,2\n", "It has LAT, LON"), (b"lat,lon,lat\n1,2,3\n", "has lat more than once"),
    (bytes(range(128, 256)) * 90, "is no text"),
    (b"lat,lon,x\n1,2,3\n" + b'"' + b"x" * 200_000, "Is a quote left open"),
    (b'lat,lon,x\n1,2,3\n4,5,"6\n7,8,9\n', "line 3: a quote is left open"),
    (b'lat,lon,x\n1,"2,3\n7,8,9\n4,5",6\n7,8,9\n', "line 2: a quote is left open"),
    (b"c" * 5_000 + b"\n1\n", "…"),
], ids=["empty", "only line ends", "other letters", "twice", "a picture", "an open quote over all",
        "an open quote that eats rows", "two quotes with rows in between",
        "an endless head"])  # fmt: skip
def test_what_is_no_such_table_is_told_in_a_sentence(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(Trouble, match=told):
        list(read_table(tmp_path / "table.csv", ("lat", "lon")))


def test_a_cell_of_several_lines_is_one(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text('lat,lon,note\n1,2,"two\n\nlines, yes"\n3,4,\n')
    assert [row["note"] for row in read_table(tmp_path / "table.csv")] == ["two\n\nlines, yes", ""]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"Is a directory\. Give a text file"):
        list(read_table(tmp_path))


def test_one_row_of_a_wrong_year_is_not_the_day_that_everything_is_told_for(tmp_path: Path) -> None:
    days = [f"{k},2024-01-{k:02},2024-01-{k:02} 15:00,2024-01-{k:02} 16:00,2024-01-{k:02} 17:00,A"
            for k in range(1, 31)]  # fmt: skip
    wrong = "99,2098-01-01,2098-01-01 15:00,2098-01-02 09:00,2098-01-03 10:00,A"
    (tmp_path / "point.csv").write_text("\n".join([HEAD, wrong, *days]))
    found = read_pickups([tmp_path / "point.csv"])
    assert (len(found), found.bad) == (30, {"far_from_all_others": 1})
    assert past.read([tmp_path / "point.csv"]).dropped == {"more than a year from nearly all others": 1}


@pytest.mark.parametrize(("text", "told"), [
    ("7\n", "begins with two numbers"),
    ("2 1 3\n1 2 5\n", "to open 3 of 2 points"), ("0 0 0\n", "is no problem"), ("2 1 1\n1 9 5\n", "is none of 1 to 2"),
    ("2 1 1\n1 2 -5\n", "shorter than nothing"), ("3 1 1\n1 2 5\n", "cannot be reached"),
    ("1000000 1 1\n1 2 5\n", "1 to 5000"), ("2 5 1\n1 2 5\n", "announces 5 edges"), ("1 1\n5 5\n1\n", "should hold 4"),
    ("0 0\n", "at least one"), ("1 1\n5 5\n1 -3\n", "below 0"), ("1 1\n5 5\nx 3\n", "line 3: 'x' is no number"),
])  # fmt: skip
def test_a_problem_that_cannot_be_is_told(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "pmed99.txt").write_text(text)
    with pytest.raises(Trouble, match=told):
        read_problem(tmp_path / "pmed99.txt")
