"""What can befall an answer on its way: lost, late, cut, flipped, with junk, doubled. Pure; chance is passed in."""

from collections.abc import Callable

from parcelwall.ids import Chance

JUNK = bytes((0x00, 0xFF, 0x80, 0x13, 0x8A, 0x00, 0x80))  # noise that holds headers, to lead a decoder astray


class Line:
    """The switches of the wire. Each answer goes through `carry`. `flip` makes a frame say something else."""

    def __init__(self, baud: int, chance: Chance | None, flip: Callable[[bytes, int, bool], bytes]) -> None:
        self.byte_s = 10 / baud
        self.echoes = False
        self.echoes_garbled = 0  # of those that come next
        self.late_s = 0.0
        self.junk_bytes = 0
        self.flip_rate, self.flip_keeps_checksum = 0.0, True
        self._chance, self._flip = chance, flip
        self._mute_left = 0
        self._cuts: list[int] = []

    def mute_next(self, answers: int) -> None:
        self._mute_left = answers

    def cut_next(self, bytes_kept: int) -> None:
        """Of the next answer only that many bytes arrive."""
        self._cuts.append(bytes_kept)

    def echo(self, request: bytes) -> list[tuple[float, bytes]]:
        if self.echoes_garbled and request:
            self.echoes_garbled -= 1
            request = bytes((request[0] ^ 0x40,)) + request[1:]
        return [(len(request) * self.byte_s, request)] if self.echoes else []

    def carry(self, request: bytes, answer: bytes, latency_s: float) -> list[tuple[float, bytes]]:
        """(seconds from now until the last byte is there, bytes) of what arrives."""
        if self._mute_left:
            self._mute_left -= 1
            return []
        if answer and self._flips():
            answer = self._flip(answer, self._chance.getrandbits(6) if self._chance else 0, self.flip_keeps_checksum)
        if self._cuts:
            answer = answer[: self._cuts.pop(0)]
        answer = bytes(JUNK[i % len(JUNK)] for i in range(self.junk_bytes)) + answer
        if not answer:
            return []
        return [(latency_s + self.late_s + (len(request) + len(answer)) * self.byte_s, answer)]

    def _flips(self) -> bool:
        if 0 < self.flip_rate < 1:
            assert self._chance is not None, "a rate between 0 and 1 needs a chance"
            return self._chance.random() < self.flip_rate
        return self.flip_rate >= 1
