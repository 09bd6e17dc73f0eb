"""What both ends share: sending one's own entries in order, with a window, until the other end has stored them."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from parcelwall.journal.chain import Entry, Head
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame, Frame
from parcelwall.link.identity import Signer, head_bytes, signed_by

Read = Callable[[int, int], Sequence[Entry]]  # (after, limit) -> entries


class Run(NamedTuple):
    """Entries after + 1 .. through of one writer; `sig` is its signature, if it was kept with what it signs."""

    writer: str
    after: int
    through: int
    sig: str = ""


class Returns:
    """What the other end has lost, of several writers, in the order in which it was learnt here.

    One frame at a time: the order must hold, and this happens once in the life of a disk.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs = deque(runs)

    @property
    def next(self) -> Run | None:
        return self._runs[0] if self._runs else None

    def stored(self, writer: str, through: int) -> bool:
        """Whether that was an answer to the run under way; what is left of it, or the run after it, is next."""
        run = self.next
        if run is None or run.writer != writer:
            return False
        self._runs.popleft()
        if through < run.through:
            self._runs.appendleft(run._replace(after=through))
        return True

    def refused(self, writer: str) -> bool:
        """Whether the run under way was of this writer: the other end has another book of it, and takes none of it."""
        run = self.next
        self._runs = deque(each for each in self._runs if each.writer != writer)
        return run is not None and run.writer == writer


def returned(entries: Sequence[Entry], run: Run, signer: Signer) -> Frame:
    """The frame of a run, or of as much of it as a frame holds; with the signature kept, the very frame that came."""
    group = entries if run.sig else frames.bundle(entries)[0]
    last = group[-1]
    sig = run.sig or signer.sign(head_bytes(run.writer, Head(last.number, last.hash)))
    return frames.Entries(run.writer, run.after, last.number, frames.items(group), last.hash.hex(), sig)


class Shipper:
    """One writer's entries on their way out: what was sent, what the other end has."""

    def __init__(self, writer: str, signer: Signer) -> None:
        self.writer, self._signer = writer, signer
        self.acked = 0
        self.sent = 0

    def begin(self, they_have: int) -> None:
        self.acked = self.sent = they_have

    def room(self) -> int:
        """How many more entries may be on their way."""
        return frames.WINDOW - (self.sent - self.acked)

    def ship(self, entries: Sequence[Entry]) -> list[Frame]:
        """Frames for entries that follow what was sent."""
        out: list[Frame] = []
        for group in frames.bundle(entries):
            last = group[-1]
            sig = self._signer.sign(head_bytes(self.writer, Head(last.number, last.hash)))
            out.append(
                frames.Entries(self.writer, self.sent, last.number, frames.items(group), last.hash.hex(), sig)
            )
            self.sent = last.number
        return out

    def acknowledged(self, through: int, wrote: int) -> None:
        """They have everything through this number. Raises BadFrame for a number that was never sent."""
        if through > max(self.sent, wrote):
            raise BadFrame(f"{self.writer} never wrote number {through}")
        self.acked = max(self.acked, through)
        self.sent = max(self.sent, self.acked)

    def gap(self, have: int) -> None:
        """They miss something: go on from there."""
        self.sent = self.acked = min(have, self.acked)


def vouched(frame: frames.Entries, key: bytes) -> bool:
    """Whether the frame's own signature holds, whatever its items are."""
    try:
        head = Head(frame.through, bytes.fromhex(frame.head))
    except ValueError:
        return False
    return signed_by(key, frame.sig, head_bytes(frame.writer, head))


def checked(run: Sequence[frames.Entries], key: bytes, writer: str) -> list[Entry]:
    """The entries of frames that follow each other. Raises BadFrame.

    The last signature vouches for all: the hash that it signs covers every entry before it, and whoever stores them
    computes it anew (`chain.chained`).
    """
    foreign = next((frame.writer for frame in run if frame.writer != writer), None)
    if foreign is not None:
        raise BadFrame(f"entries of {foreign} are not for this line")
    entries = [entry for frame in run for entry in frames.entries_of(frame)]
    last = run[-1]
    if not signed_by(key, last.sig, head_bytes(writer, Head(last.through, entries[-1].hash))):
        raise BadFrame("the signature of the entries does not hold")
    return entries
