"""A station's disk in memory, which forgets at a power cut what was not synced: an apsw VFS below the real SQLite.

Of the 512-byte sectors written since the last sync each is kept or thrown away by chance, so writes are lost,
reordered and torn. A process that is killed loses nothing: what it wrote is in the system's cache.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apsw

from parcelwall.ids import Chance
from parcelwall.simulation.faults.fuse import Fuse, PowerCut

SECTOR_BYTES = 512
NEED_BYTES = 64 * 1024
CHECKPOINT_PAGES = 1_000  # after so many in the side file SQLite moves them into the book, unless told otherwise
VFS_NAME = "parcelwall-pretend"


class Disk:
    """The files of one station. `lives`: how many processes have had it; what one that
    is no more still writes goes nowhere."""

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.files: dict[str, Content] = {}
        self._full_from: int | None = None  # step of the fuse
        self.worth_bytes = 0  # of what is kept back
        self.spare = 0  # bytes that a reserve gave up, and nobody has taken yet
        self.reserved = False
        self.lives = 0
        self.read_only = False
        self.slow_s = 0.0  # how long a sync takes
        self.lies = False  # says that it has synced, and has not
        self.waits: Callable[[float], None] = lambda seconds: None  # is told of each slow sync
        self.cut_while_writing = False  # the power went after a write and before its sync

    def step(self) -> None:
        """One more step of the disk. Without power it fails as disks do: SQLite passes no other exception on."""
        try:
            self.fuse.step()
        except PowerCut as gone:
            self.cut_while_writing = self.cut_while_writing or not self.all_synced
            raise apsw.IOError("the power is gone") from gone
        if self.read_only:
            raise apsw.ReadOnlyError("the pretend disk is read-only")

    def fill_up_in(self, steps: int) -> None:
        """No byte more is taken from the n-th step from now on; on a disk that is full already nothing changes."""
        full_from = self.fuse.steps + steps
        self._full_from = full_from if self._full_from is None else min(self._full_from, full_from)

    def make_room(self) -> None:
        self._full_from, self.read_only = None, False

    def grow(self, amount: int) -> None:
        """Some bytes more. Raises apsw.FullError when there are none."""
        if self.full and amount > self.spare:
            raise apsw.FullError("no space is left on the pretend disk")
        self.spare -= amount if self.full else 0

    @property
    def full(self) -> bool:
        """Whether no byte more is taken."""
        return self.read_only or (self._full_from is not None and self.fuse.steps >= self._full_from)

    @property
    def used_up(self) -> bool:
        """Whether hardly a write of a station finds room any more, nor in what was kept back for it."""
        return self.read_only or (self.full and not self.reserved and self.spare < NEED_BYTES)

    @property
    def fault(self) -> str:
        """Why nothing can be written."""
        return "F10" if self.read_only else "F09"

    @property
    def all_synced(self) -> bool:
        """Whether a power cut now would lose nothing, as far as the disk says."""
        return self.lies or not any(content.unsynced for content in self.files.values())

    @property
    def written_is_safe(self) -> bool:
        """Whether a power cut now would lose nothing that was written: it stands in the side file until the book it is
        moved into was synced, too. A disk that is full leaves such a move half done, and nothing is lost by it."""
        return self.lies or not any(each.unsynced for name, each in self.files.items() if name.endswith("-wal"))

    def let_go(self, connection: apsw.Connection | None) -> None:
        """The process is no more, and neither is its connection: it writes nothing while it is closed."""
        self.lives += 1
        if connection:
            connection.close(True)

    def lose_unsynced(self, chance: Chance) -> int:
        """The power was cut. Answers how many sectors were thrown away."""
        return sum(content.lose(chance) for content in self.files.values())

    def settle(self) -> None:
        """The process was killed and the computer lives on: its cache is written out."""
        for content in self.files.values():
            content.sync()


class PretendReserve:
    """What a station keeps back of a pretend disk."""

    def __init__(self, disk: Disk, size_bytes: int) -> None:
        self._disk = disk
        disk.worth_bytes = size_bytes

    @property
    def is_low(self) -> bool:
        return not self._disk.reserved

    def release(self) -> bool:
        given, self._disk.reserved = self._disk.reserved, False
        self._disk.spare = self._disk.worth_bytes if given else self._disk.spare
        return given

    def remake(self) -> None:
        self._disk.reserved = self._disk.reserved or not self._disk.full


class Content:
    """One file: its bytes now, and what stood where something was written since the last sync."""

    def __init__(self) -> None:
        self.now = bytearray()
        self.unsynced: list[tuple[int, int, bytes]] = []  # (first sector, sector after the last, what stood there)
        self._safe_length = 0
        self.closed_in = -1  # the life of the process that closed it last

    def _remember(self, start: int, end: int) -> None:
        first, after = start // SECTOR_BYTES, -(-end // SECTOR_BYTES)
        if first < after:
            self.unsynced.append((first, after, bytes(self.now[first * SECTOR_BYTES : after * SECTOR_BYTES])))

    def write(self, data: bytes, offset: int) -> None:
        self._remember(min(offset, len(self.now)), offset + len(data))
        if offset > len(self.now):
            self.now.extend(bytes(offset - len(self.now)))
        self.now[offset : offset + len(data)] = data

    def truncate(self, length: int) -> None:
        self._remember(length, len(self.now))
        del self.now[length:]

    def sync(self) -> None:
        self.unsynced.clear()
        self._safe_length = len(self.now)

    def _before(self) -> dict[int, bytes]:
        """What stood in each sector at the last sync, of those written since."""
        before: dict[int, bytes] = {}
        for first, after, old in self.unsynced:
            for sector in range(first, after):
                at = (sector - first) * SECTOR_BYTES
                before.setdefault(sector, old[at : at + SECTOR_BYTES])
        return before

    def lose(self, chance: Chance) -> int:
        """Each unsynced sector is as it was or as it is now; the file is as long as its last kept byte needs."""
        length = self._safe_length if self.unsynced else len(self.now)
        lost = 0
        for sector, old in sorted(self._before().items()):
            at = sector * SECTOR_BYTES
            if chance.random() < 0.5:
                lost += 1
                self._put_back(at, old)
            else:
                length = max(length, min(len(self.now), at + SECTOR_BYTES))
        del self.now[length:]
        self.sync()
        return lost

    def _put_back(self, at: int, old: bytes) -> None:
        missing = at + len(old) - len(self.now)
        if missing > 0:
            self.now.extend(bytes(missing))
        self.now[at : at + SECTOR_BYTES] = old + bytes(max(0, min(SECTOR_BYTES, len(self.now) - at) - len(old)))


class OpenFile:
    """What SQLite holds in its hand. The names are SQLite's."""

    def __init__(self, disk: Disk, content: Content) -> None:
        self._disk, self._content, self._life = disk, content, disk.lives

    @property
    def _is_over(self) -> bool:
        return self._life != self._disk.lives

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._content.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._is_over:
            return
        self._disk.step()
        self._disk.grow(max(0, offset + len(data) - len(self._content.now)))
        self._content.write(data, offset)

    def xTruncate(self, length: int) -> None:
        if self._is_over:
            return
        self._disk.step()
        self._content.truncate(length)

    def xSync(self, flags: int) -> None:
        if self._is_over:
            return
        self._disk.step()
        if self._disk.slow_s:
            self._disk.waits(self._disk.slow_s)
        if not self._disk.lies:
            self._content.sync()

    def xFileSize(self) -> int:
        return len(self._content.now)

    def xLock(self, level: int) -> None:
        return None

    def xUnlock(self, level: int) -> None:
        return None

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:
        """A write leaves its neighbours alone, as SQLite supposes of every disk unless told otherwise."""
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)

    def xClose(self) -> None:
        self._content.closed_in = self._life


class Shelf(apsw.VFS):
    """The default VFS while a simulation runs: pretend disks by the path of a station's file, real ones for others."""

    def __init__(self) -> None:
        self.disks: dict[str, Disk] = {}
        super().__init__(VFS_NAME, base="unix", makedefault=True)

    def _disk_of(self, name: str) -> Disk | None:
        return next((disk for path, disk in self.disks.items() if name.startswith(path)), None)

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        disk = self._disk_of(path) if path else None
        if disk is None or path is None:
            return super().xOpen(name, flags)
        if path not in disk.files:
            disk.step()
            disk.files[path] = Content()
        flags[1] = flags[0]
        return OpenFile(disk, disk.files[path])

    def xAccess(self, path: str, flags: int) -> bool:
        disk = self._disk_of(path)
        return path in disk.files if disk else super().xAccess(path, flags)

    def xDelete(self, path: str, sync: bool) -> None:
        disk = self._disk_of(path)
        if disk is None:
            return super().xDelete(path, sync)
        if path in disk.files and disk.files[path].closed_in == disk.lives:  # else it is a dead process that tidies up
            disk.step()
            del disk.files[path]
        return None

    def xFullPathname(self, name: str) -> str:
        return name if self._disk_of(name) else super().xFullPathname(name)

    def moves_silently(self, connection: apsw.Connection) -> None:
        """What fails when SQLite moves pages from the side file into the book by itself it says to nobody: what was
        written is written. Pretend disks fail by exceptions of Python, which would come out of that write."""
        if connection.filename and self._disk_of(connection.filename):
            connection.set_wal_hook(_move)


def _move(connection: apsw.Connection, database: str, pages: int) -> int:
    if pages >= CHECKPOINT_PAGES:
        with contextlib.suppress(apsw.Error):
            connection.wal_checkpoint(database, apsw.SQLITE_CHECKPOINT_PASSIVE)
    return int(apsw.SQLITE_OK)


@contextmanager
def a_shelf() -> Iterator[Shelf]:
    """Pretend disks for as long as it is open."""
    shelf = Shelf()
    apsw.connection_hooks.append(shelf.moves_silently)
    try:
        yield shelf
    finally:
        apsw.connection_hooks.remove(shelf.moves_silently)
        shelf.unregister()
