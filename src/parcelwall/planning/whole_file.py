"""Files that others read while we write: whole or not at all."""

from contextlib import suppress
from pathlib import Path

from parcelwall.errors import Trouble


def refuse_unwritable(file: Path) -> None:
    """Raises Trouble where no file of that name can be made, before hours are spent on what would go into it."""
    new = _beside(file)
    try:
        new.touch()
        new.unlink()
    except OSError as no:
        raise Trouble(f"{file} cannot be written: {no.strerror}. Name a file in a folder that is there.") from no


def refuse_unwritable_folder(folder: Path) -> None:
    """Raises Trouble where no folder of that name can be made, or no file in it. Leaves nothing behind."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        refuse_unwritable(folder / "plan.json")
    except OSError as no:
        raise Trouble(f"the report cannot be written to {folder}: {no.strerror}") from no
    finally:
        for each in new:
            with suppress(OSError):
                each.rmdir()


def write_whole(file: Path, content: bytes) -> None:
    """Puts it in the place of what was there; a run that is stopped in the middle, or finds a full disk, leaves the old
    file. Raises Trouble if it cannot be written."""
    new = _beside(file)
    try:
        new.write_bytes(content)
        new.replace(file)
    except OSError as no:
        with suppress(OSError):
            new.unlink()
        raise Trouble(f"{file} cannot be written: {no.strerror}.") from no


def _beside(file: Path) -> Path:
    return file.with_name(file.name + ".new")
