"""Whose folder a demo's is while it runs: two demos on one folder would be two hubs, and two stations with one book.

A demo holds a lock on the file `lock` in its folder; the kernel lets go of it when the process ends, however it ends.
"""

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from parcelwall.errors import Trouble
from parcelwall.settings import open_folder

LOCK = "lock"


class Taken(Trouble):
    """Another demo runs on this folder."""


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """The folder, made if it is missing, for this demo alone. Raises Taken while another one runs on it."""
    open_folder(folder)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Taken(f"a demo runs on {folder} already: look at that one, end it first, or name another folder with "
                    "--data") from None  # fmt: skip
    try:
        yield folder
    finally:
        os.close(descriptor)


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """`folder`, or the first of `folder`-2, `folder`-3 … on which no demo runs; emptied of what an earlier run left."""
    with ExitStack() as stack:
        for number in itertools.count(1):
            with suppress(Taken):
                own = stack.enter_context(held(folder if number == 1 else folder.with_name(f"{folder.name}-{number}")))
                break
        _empty(own)
        yield own


def _empty(folder: Path) -> None:
    """All but the lock: another run may wait at it, and would hold one that is gone."""
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        elif each.name != LOCK:
            each.unlink(missing_ok=True)
