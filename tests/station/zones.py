"""Lists of time zones that a machine may have: tests make their own, and leave the machine's as it was."""

import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tzdata

THEIRS = Path(tzdata.__file__).parent / "zoneinfo"


def add_zone(folder: Path, name: str, like: str) -> None:
    """A zone whose clocks go as another's."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes((THEIRS / like).read_bytes())


@contextmanager
def other_zones(*folders: Path) -> Iterator[None]:
    """These count before the package, as long as the block lasts; none: whatever the block takes."""
    before = zoneinfo.TZPATH
    if folders:
        zoneinfo.reset_tzpath(folders)
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(before)
        zoneinfo.ZoneInfo.clear_cache()
