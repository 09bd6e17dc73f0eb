"""Space kept back on the station's disk, so that whoever comes for a parcel is served when the disk is full.

A file beside the book is given up for the first write that finds no room, and made anew when there is room again. From
then until then space is low: nothing new is put in, and what is inside goes out.
"""

import contextlib
import os
from pathlib import Path
from typing import Protocol

import apsw

from parcelwall.errors import Trouble

RESERVE_BYTES = 16 * 2**20  # SQLite's side file takes 4 MiB of it; the rest is a thousand collections
LOW_BYTES = 32 * 2**20  # less than this free, beside the reserve, is low already


class CannotWrite(Trouble):
    """The disk is full and the reserve used up, or it is read-only. Nothing was written; nothing must be begun."""

    def __init__(self, why: str = "the station's disk is full, and so is its reserve: make room on it") -> None:
        super().__init__(why)


UNWRITTEN = (CannotWrite, apsw.FullError, apsw.IOError, apsw.ReadOnlyError)  # what main loops live on after


class Reserve(Protocol):
    """What a station keeps back of its disk."""

    @property
    def is_low(self) -> bool:
        """Whether nothing new may be put in."""
        ...

    def release(self) -> bool:
        """Gives the space up; whether there was any to give."""
        ...

    def remake(self) -> None:
        """Keeps the space back again, if there is room for it."""
        ...


class NoReserve:
    """Nothing is kept back, and nothing is low: for books that are only read, and for towns in a simulation."""

    is_low = False

    def release(self) -> bool:
        return False

    def remake(self) -> None:
        return


class FileReserve:
    """A file of `size_bytes` beside the book. `low_bytes` of free space beside it are low."""

    def __init__(self, book: Path, size_bytes: int = RESERVE_BYTES, low_bytes: int = LOW_BYTES) -> None:
        self._path = book.with_name(book.name + "-reserve")
        self._size_bytes, self._low_bytes = size_bytes, low_bytes

    @property
    def is_low(self) -> bool:
        return not self._is_whole() or self._free_bytes() < self._low_bytes

    def _is_whole(self) -> bool:
        try:
            return self._path.stat().st_size >= self._size_bytes
        except OSError:
            return False

    def _free_bytes(self) -> int:
        """None at all on a disk that is gone."""
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize

    def release(self) -> bool:
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def remake(self) -> None:
        """Real blocks, not a hole: a hole would be full when it is needed."""
        if self._is_whole() or self._free_bytes() < self._size_bytes + self._low_bytes:
            return
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size_bytes)
        except OSError:  # somebody else was quicker: half a reserve is none
            with contextlib.suppress(OSError):
                self._path.unlink()
