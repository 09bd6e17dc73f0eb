"""Files for spreadsheets: nothing in them runs, everything in them is read as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelwall.web.csv_file import MARK, safe, written


@pytest.mark.parametrize("text", ["=1+1", "+49", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =cmd", "=HYPERLINK(\"x\")"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert str(safe(text)).startswith("'")


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert (safe(-2), safe(0.5), safe(None), safe("Kluuvi")) == (-2, 0.5, "", "Kluuvi")


def test_a_spreadsheet_that_parts_at_semicolons_finds_no_formula() -> None:
    assert written(["Why"], [["x;=1+1", 3]]).decode().splitlines()[1] == '"x;=1+1",3'


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=4))
def test_whatever_is_written_is_read_again_and_begins_harmlessly(row: list[str]) -> None:
    text = written(["A"] * len(row), [row]).decode()
    assert text.startswith(MARK)
    read = list(csv.reader(io.StringIO(text.removeprefix(MARK), newline="")))[1]
    assert all(each in (original, f"'{original}") for each, original in zip(read, row, strict=True))
    assert not any(each.lstrip(" ").startswith(("=", "+", "-", "@")) for each in read)
