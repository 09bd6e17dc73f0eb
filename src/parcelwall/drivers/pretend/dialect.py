"""What pretend boards of one kind must be able to say. Each kind is a file dialect_<driver>.py beside this one.

Written apart from the driver's codec, so that one can catch the other out. The file has a class `Boards`, and says in
LEARNED what commissioning would find of boards that are wired as usual, and in CHANNELS how many locks one has.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from parcelwall.drivers.profile import Profile


class Asked(NamedTuple):
    """What the computer wants: open, one, all, rest, or forbidden. `lock` counts from 1; 0 means all."""

    what: str
    board: int
    lock: int
    frame: bytes


class Contacts:
    """What the contacts of one board read now, raw. `read` answers None for one that the board cannot tell."""

    def __init__(self, channels: int, read: Callable[[int], int | None], wired: Sequence[int] | None = None) -> None:
        self.channels, self.read = channels, read
        self._wired = range(1, channels + 1) if wired is None else wired  # the inputs that may read anything but 0

    def all(self) -> int:
        """Contact of input n at bit n - 1; what cannot be told reads 0, as an unwired one does."""
        bits = 0
        for number in self._wired:
            if self.read(number):
                bits |= 1 << (number - 1)
        return bits


class Dialect(Protocol):
    """One maker's protocol, from the board's side."""

    def take(self, buffer: bytearray) -> Asked | None:
        """Takes the first whole frame out of the buffer, dropping what leads to none."""
        ...

    def answer(self, asked: Asked, contacts: Contacts) -> bytes:
        """What the board says; b"" if nothing."""
        ...

    def refuse(self, asked: Asked) -> bytes:
        """The board's no; b"" where it has no word for it."""
        ...

    def speak(self, board: int, lock: int, contact: int, variant: int = 0) -> bytes:
        """What the board says unasked of one contact; b"" where it never does. Some have variants."""
        ...

    def flip(self, frame: bytes, bit: int, keep_checksum: bool) -> bytes:
        """Another contact than the true one; plausible if the checksum is put right, else a broken frame."""
        ...


def dialect_of(profile: Profile) -> Dialect:
    """The dialect that boards of this profile speak."""
    return cast(Dialect, import_module(f"{__package__}.dialect_{profile.driver}").Boards(profile))
