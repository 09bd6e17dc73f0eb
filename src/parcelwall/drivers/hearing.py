"""Makes one answer out of the bytes that arrive during one transaction, and counts what else was among them."""

from collections.abc import Callable

import msgspec

from parcelwall.drivers.frames import Bad, Codec, Echo, Expect, NeedMore, Reply, Spoken


class Counts(msgspec.Struct):
    """What the line went through since start; for metrics."""

    junk_bytes: int = 0
    bad_frames: int = 0
    unanswered: int = 0
    echoes: int = 0
    spoken: int = 0
    late_bytes: int = 0
    reopened: int = 0


class Hearing:
    """Bad frames are skipped, for the good one may follow; spoken frames go their own way; echoes are no answer."""

    def __init__(
        self, codec: Codec, expect: Expect | None, counts: Counts, on_spoken: Callable[[Spoken], None]
    ) -> None:
        self._codec, self._expect, self._counts, self._on_spoken = codec, expect, counts, on_spoken
        self._buffer = bytearray()
        self._noise = False
        self.echoed = False

    @property
    def garbled(self) -> bool:
        """Whether anything came that was neither an answer nor an echo nor spoken."""
        return self._noise or bool(self._buffer)

    def take(self, data: bytes) -> Reply | None:
        """The answer, once it is whole."""
        self._buffer += data
        while True:
            found = self._codec.decode(self._buffer, self._expect)
            self._use(found.used, found.junk)
            if isinstance(found, Reply):
                return found
            if isinstance(found, NeedMore):
                return None
            self._note(found)

    def _use(self, used: int, junk: int) -> None:
        self._counts.junk_bytes += junk
        self._noise = self._noise or junk > 0
        del self._buffer[:used]

    def _note(self, found: Spoken | Echo | Bad) -> None:
        if isinstance(found, Spoken):
            self._counts.spoken += 1
            self._on_spoken(found)
        elif isinstance(found, Bad):
            self._counts.bad_frames += 1
        else:
            self._note_echo()

    def _note_echo(self) -> None:
        self._counts.echoes += 1
        self.echoed = True
        assert self._expect is not None, "only what was sent can echo"
        self._expect = msgspec.structs.replace(self._expect, echo=False)

    def end(self) -> bytes:
        """No more will come. What is left over, without an echo too short to be told from the start of an answer."""
        if self._expect is not None and bytes(self._buffer) == self._expect.sent:
            self._buffer.clear()
            self._note_echo()
        return bytes(self._buffer)
