"""Whose list of time zones counts, and from when until when clocks are how far ahead by it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from parcelwall.clock import shifts, take_newest_zones
from station.zones import add_zone, other_zones

SUMMER = datetime(2026, 7, 1)


def a_machine(folder: Path, version: str) -> str:
    """One whose list says that Berlin goes by UTC."""
    add_zone(folder, "Europe/Berlin", like="UTC")
    if version:
        (folder / "tzdata.zi").write_text(f"# version {version}\n# This zic input file is in the public domain.\n")
    return str(folder)


@pytest.mark.parametrize(("its", "ours", "hours"), [
    ("2025b", "2026f", 2), ("2026f", "2026f", 0), ("2026g", "2026f", 0), ("2027a", "2026f", 0), ("", "2026f", 2),
])  # fmt: skip
def test_the_newest_list_counts(tmp_path: Path, its: str, ours: str, hours: int) -> None:
    with other_zones():
        take_newest_zones([a_machine(tmp_path, its), str(tmp_path / "nowhere")], ours)
        assert SUMMER.replace(tzinfo=ZoneInfo("Europe/Berlin")).utcoffset() == timedelta(hours=hours)
        assert SUMMER.replace(tzinfo=ZoneInfo("Asia/Kolkata")).utcoffset() == timedelta(hours=5.5)


@pytest.mark.parametrize(("zone", "changes"), [
    ("Europe/Berlin", 4), ("Europe/Lisbon", 4), ("Atlantic/Azores", 4), ("Asia/Kolkata", 0), ("UTC", 0),
    ("Australia/Lord_Howe", 4), ("Africa/Cairo", 4),
])  # fmt: skip
def test_how_far_ahead_clocks_are_is_told_without_a_gap(zone: str, changes: int) -> None:
    since, until = datetime(2025, 12, 31, 7, 20, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)
    rows = shifts(ZoneInfo(zone), since, until)
    assert len(rows) == changes + 1 and rows[0][0] == since and rows[-1][1] > until
    assert [end for _, end, _ in rows[:-1]] == [begin for begin, _, _ in rows[1:]]
    for begin, end, ahead in rows:
        for moment in (begin, begin + (end - begin) / 2, end - timedelta(seconds=1)):
            assert moment.astimezone(ZoneInfo(zone)).utcoffset() == ahead
