"""The pretend disk forgets what was not synced and nothing else: commits survive cuts with FULL, not with NORMAL."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from parcelwall.clock import VirtualClock
from parcelwall.journal.sqlite import connect
from parcelwall.simulation.faults.chance import Luck, Streams
from parcelwall.simulation.faults.disk import CHECKPOINT_PAGES, Disk, Shelf, a_shelf
from parcelwall.simulation.faults.fuse import Fuse
from station.towns import NOW

CUTS = 120


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with a_shelf() as shelf:
        yield shelf


def fill(connection: apsw.Connection, after: int) -> int:
    """Commits pairs of rows until the power goes; answers the last one that was acknowledged."""
    number = after
    try:
        while True:
            with connection:
                connection.execute("INSERT INTO pair VALUES (?, ?)", (number + 1, "x" * 300))
                connection.execute("INSERT INTO pair VALUES (?, ?)", (number + 1, "y" * 700))
            number += 1
    except apsw.Error:
        return number


def cut_often(path: Path, disk: Disk, luck: Luck, synchronous: str) -> int:
    """How many cuts lost what was acknowledged. Raises AssertionError for half a transaction or a broken file."""
    connection = connect(path)
    connection.execute("CREATE TABLE pair (number INTEGER, text TEXT)")
    lost, newest = 0, 0
    for _ in range(CUTS):
        connection.pragma("synchronous", synchronous)
        disk.fuse.blow_in(luck.whole(1, 60))
        acknowledged = fill(connection, newest)
        disk.let_go(connection)
        disk.lose_unsynced(luck.chance)
        disk.fuse.mend()
        connection = connect(path)
        assert connection.pragma("integrity_check") == "ok"
        counted = connection.execute("SELECT number, count(*) FROM pair GROUP BY number ORDER BY number").fetchall()
        assert all(count == 2 for _, count in counted), "no half transaction"
        newest = int(counted[-1][0]) if counted else 0
        lost += newest < acknowledged
    connection.close()
    return lost


def test_full_keeps_every_commit_and_normal_does_not(shelf: Shelf, tmp_path: Path) -> None:
    luck = Streams("disk").luck("cuts", VirtualClock(NOW))
    for synchronous in ("FULL", "NORMAL"):
        path, disk = tmp_path / f"{synchronous}.sqlite", Disk(Fuse())
        shelf.disks[str(path)] = disk
        lost = cut_often(path, disk, luck, synchronous)
        assert (lost == 0) == (synchronous == "FULL"), f"{synchronous} lost {lost} times"


def test_a_killed_process_loses_nothing(shelf: Shelf, tmp_path: Path) -> None:
    path, disk = tmp_path / "killed.sqlite", Disk(Fuse())
    shelf.disks[str(path)] = disk
    connection = connect(path)
    connection.pragma("synchronous", "OFF")
    connection.execute("CREATE TABLE pair (number INTEGER, text TEXT)")
    connection.execute("INSERT INTO pair VALUES (1, 'x')")
    assert not disk.all_synced and not disk.written_is_safe
    disk.fuse.blow_in(1)
    with pytest.raises(apsw.Error):
        connection.execute("INSERT INTO pair VALUES (2, 'x')")
    disk.let_go(connection)
    disk.settle()
    disk.fuse.mend()
    assert connect(path).execute("SELECT number FROM pair").fetchall() == [(1,)]


def test_a_full_disk_takes_nothing_more_and_breaks_nothing(shelf: Shelf, tmp_path: Path) -> None:
    path, disk = tmp_path / "full.sqlite", Disk(Fuse())
    shelf.disks[str(path)] = disk
    connection = connect(path)
    connection.execute("CREATE TABLE pair (number INTEGER, text TEXT)")
    disk.fill_up_in(0)
    with pytest.raises(apsw.FullError):
        connection.execute("INSERT INTO pair VALUES (1, ?)", ("x" * 90_000,))
    disk.make_room()
    connection.execute("INSERT INTO pair VALUES (2, 'x')")
    assert connection.execute("SELECT number FROM pair").fetchall() == [(2,)]


def test_a_full_disk_that_fills_up_once_more_has_no_room_meanwhile(shelf: Shelf, tmp_path: Path) -> None:
    disk = shelf.disks[str(tmp_path / "book.sqlite")] = Disk(Fuse())
    disk.fill_up_in(0)
    disk.fill_up_in(30)
    assert disk.full
    disk.make_room()
    disk.fill_up_in(30)
    assert not disk.full


def test_what_fails_when_the_book_is_tidied_is_no_failure_of_the_write(shelf: Shelf, tmp_path: Path) -> None:
    """Moving pages from the side file into the book needs room that a full disk has not: SQLite says so to nobody,
    for what was to be written is written."""
    path, disk = tmp_path / "book.sqlite", Disk(Fuse())
    shelf.disks[str(path)] = disk
    connection = connect(path)
    connection.execute("CREATE TABLE page (n INTEGER, x BLOB)")
    disk.fill_up_in(0)
    for number in range(CHECKPOINT_PAGES):
        disk.spare = 40_000  # for the side file alone
        connection.execute("INSERT INTO page VALUES (?, zeroblob(3900))", (number,))
    assert len(disk.files[str(path)].now) < CHECKPOINT_PAGES * 3_900, "the book has not been given all its pages"
    disk.spare = 0
    with pytest.raises(apsw.FullError):
        connection.wal_checkpoint()
    assert connection.execute("SELECT count(*) FROM page").fetchall() == [(CHECKPOINT_PAGES,)]
    disk.make_room()
    connection.close()
