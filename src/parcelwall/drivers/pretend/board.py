"""The core of the pretend boards of one bus: bytes and a time in, bytes and delays out.

No clock and no chance of its own: `now` is in monotonic seconds and never runs back. Switches take effect at once;
their names are those of hardware.md 2.12. A door is named by its number in the profile.
"""

from collections import deque
from itertools import pairwise
from typing import NamedTuple

from parcelwall.drivers.pretend.dialect import Asked, Contacts, dialect_of
from parcelwall.drivers.pretend.leaf import SOFT_PUSH_CATCHES, Leaf
from parcelwall.drivers.pretend.line import Line
from parcelwall.drivers.profile import DoorLine, Profile
from parcelwall.drivers.seen import DoorState
from parcelwall.ids import Chance

FOR_EVER = float("inf")
HALF_A_FRAME_LIVES_S = 0.1
RESET_S = 2.0
LATENCY_S = 0.020

Bytes = list[tuple[float, bytes]]  # (seconds from now until the last byte has arrived, bytes)


class CoilPulse(NamedTuple):
    """One driving of one coil, in monotonic seconds. `asked`: by the computer, not by the button on the board."""

    door: int
    start_at: float
    end_at: float
    asked: bool = True


class Request(NamedTuple):
    """A frame that reached the boards, and what they take it for."""

    at: float
    frame: bytes
    asked: Asked


class PretendBoards:
    """All boards of one profile, their doors shut. `remembers`: how many pulses and requests the logs keep."""

    def __init__(
        self, profile: Profile, chance: Chance | None = None, latency_s: float = LATENCY_S, remembers: int = 10_000
    ) -> None:
        self.profile = profile
        self.pulses: deque[CoilPulse] = deque(maxlen=remembers)
        self.requests: deque[Request] = deque(maxlen=remembers)
        self.sags: deque[float] = deque(maxlen=remembers)
        self.dialect = dialect_of(profile)
        self.line = Line(profile.baud, chance, self.dialect.flip)
        self._chance, self._latency_s = chance, latency_s
        self._leaves = {line.door: Leaf(profile.contact) for line in profile.doors}
        self._places = {line.door: line for line in profile.doors}
        self._door_at = {(line.board, line.lock): line.door for line in profile.doors}
        self._input_at = {  # of each contact: its door, its leaf, and what it reads when that is shut
            (line.board, line.contact): (line.door, self._leaves[line.door], profile.closed_value_of(line))
            for line in profile.doors
        }
        self._wired: dict[int, list[int]] = {board.address: [] for board in profile.boards}  # inputs with a contact
        self._on_board: dict[int, list[DoorLine]] = {board.address: [] for board in profile.boards}
        for line in profile.doors:
            self._on_board[line.board].append(line)
            self._wired[line.board].append(line.contact)
        self._channels = {board.address: board.channels for board in profile.boards}
        self._coil_of = {line.door: line.door for line in profile.doors}  # which door a channel's coil really moves
        self._off_until = dict.fromkeys(self._on_board, -FOR_EVER)
        self._twins: set[int] = set()
        self._refusing: set[int] = set()
        self._cannot_tell: set[int] = set()
        self._sags = False
        self._driven_until = -FOR_EVER
        self._half = bytearray()
        self._half_at = -FOR_EVER

    # the wire

    def feed(self, data: bytes, now: float) -> Bytes:
        """What the boards answer to these bytes."""
        if now - self._half_at > HALF_A_FRAME_LIVES_S:
            self._half.clear()
        self._half += data
        self._half_at = now
        out: Bytes = []
        while (asked := self.dialect.take(self._half)) is not None:
            self.requests.append(Request(now, asked.frame, asked))
            out += self.line.echo(asked.frame) + self._serve(asked, now)
        return out

    def _serve(self, asked: Asked, now: float) -> Bytes:
        if now < self._off_until.get(asked.board, FOR_EVER):
            return []
        answer = self.dialect.refuse(asked) if asked.board in self._refusing else self._obey(asked, now)
        if asked.board in self._twins:
            answer = bytes(byte & 0x5A for byte in answer)  # two answers at once garble each other
        return self.line.carry(asked.frame, answer, self._latency_s)

    def _obey(self, asked: Asked, now: float) -> bytes:
        board = asked.board
        contacts = Contacts(self._channels[board], lambda number: self._contact(board, number, now), self._wired[board])
        answer = self.dialect.answer(asked, contacts)  # before the coil is driven: an early look
        if asked.what == "open" and asked.lock == 0:
            # The board would do it, so the pretend one does: the driver must never ask.
            self._drive_all(asked.board, now, asked=True)
        elif asked.what == "open" and (asked.board, asked.lock) in self._door_at:
            self._pulse(self._coil_of[self._door_at[asked.board, asked.lock]], now)
        return answer

    def _drive_all(self, board: int, now: float, asked: bool) -> None:
        for line in self._on_board[board]:
            self._pulse(self._coil_of[line.door], now, asked)

    def _pulse(self, door: int, now: float, asked: bool = True) -> None:
        leaf = self._leaves[door]
        if leaf.lies:
            return
        if self._sags and now < self._driven_until:
            self.sags.append(now)
            for board in self._on_board:
                self.reset(board, now)
        end_at = leaf.pulse(now, self.profile.pulse_ms / 1000, self._chance.random() if self._chance else 0.5)
        self._driven_until = max(self._driven_until, end_at)
        self.pulses.append(CoilPulse(door, now, end_at, asked))

    def _contact(self, board: int, number: int, now: float) -> int | None:
        there = self._input_at.get((board, number))
        if there is None:
            return 0  # unwired channels read 0
        door, leaf, closed = there
        if door in self._cannot_tell:
            return None
        if leaf.stuck_at is not None:
            return leaf.stuck_at
        return closed if leaf.contact_closed(now) else 1 - closed

    def overlaps(self) -> list[tuple[CoilPulse, CoilPulse]]:
        """Pulses asked for that ran at the same time, among those remembered. Should be empty."""
        asked = [pulse for pulse in self.pulses if pulse.asked]
        return [(a, b) for a, b in pairwise(asked) if b.start_at < a.end_at]

    # hands

    def state(self, door: int, now: float) -> DoorState:
        """How the leaf really is, whatever the contact says."""
        self._leaves[door].settle(now)
        return DoorState.OPEN if self._leaves[door].is_open else DoorState.CLOSED

    def pull(self, door: int, now: float) -> bool:
        """Whether the door is open after it; a latched one stays shut."""
        return self._leaves[door].pull(now)

    def push_closed(self, door: int, now: float, firmly: bool = True) -> bool:
        """Whether the door is shut after it. A soft push catches in 90 % of cases."""
        catches = firmly or self._chance is None or self._chance.random() < SOFT_PUSH_CATCHES
        return self._leaves[door].push_closed(now, catches)

    def push_open(self, door: int, now: float) -> None:
        """Opened from outside, with no pulse."""
        self._leaves[door].push_open(now)

    # switches of a door

    def jam(self, door: int, on: bool = True) -> None:
        self._leaves[door].jammed = on

    def weaken(self, door: int, on: bool = True) -> None:
        self._leaves[door].spring_is_weak = on

    def lie(self, board: int, on: bool = True) -> None:
        for line in self._on_board[board]:
            self._leaves[line.door].lies = on

    def hold_open(self, door: int, on: bool = True) -> None:
        self._leaves[door].held_open = on

    def blocked(self, door: int, on: bool = True) -> None:
        self._leaves[door].blocked = on

    def bounce(self, door: int, ms: float, flips: int) -> None:
        self._leaves[door].bounce_s, self._leaves[door].bounce_flips = ms / 1000, flips

    def stick(self, door: int, value: int | None) -> None:
        """The sensor reads this raw value whatever happens; None mends it."""
        self._leaves[door].stuck_at = value

    def hook_falls(self, door: int, on: bool = True) -> None:
        self._leaves[door].hook_falls = on

    def weld(self, door: int, on: bool = True) -> None:
        self._leaves[door].welded = on

    def mend(self, door: int) -> None:
        """Somebody has freed its latch, and seen to its spring and its contact."""
        self.jam(door, False)
        self.weaken(door, False)
        self.bounce(door, 0, 0)
        self.stick(door, None)

    def cannot_tell(self, door: int, on: bool = True) -> None:
        """The board says of the contact that it cannot tell; boards without a word for it read 0."""
        (self._cannot_tell.add if on else self._cannot_tell.discard)(door)

    def swap(self, a: int, b: int) -> None:
        """The coils of two doors are wired to each other's channels; their contacts are not."""
        self._coil_of[a], self._coil_of[b] = self._coil_of[b], self._coil_of[a]

    # switches of the wire

    def mute_next(self, answers: int) -> None:
        self.line.mute_next(answers)

    def answer_late(self, ms: float) -> None:
        self.line.late_s = ms / 1000

    def cut(self, bytes_kept: int) -> None:
        self.line.cut_next(bytes_kept)

    def flip(self, rate: float, keep_checksum: bool = True) -> None:
        self.line.flip_rate, self.line.flip_keeps_checksum = rate, keep_checksum

    def junk(self, size_bytes: int) -> None:
        self.line.junk_bytes = size_bytes

    def echo(self, on: bool = True) -> None:
        self.line.echoes = on

    def garble_echoes(self, count: int) -> None:
        self.line.echoes_garbled = count

    def speak(self, door: int, now: float, variant: int = 0) -> Bytes:
        """The board says by itself what a contact reads. Empty for boards that never do."""
        place = self._places[door]
        contact = self._contact(place.board, place.contact, now)
        said = self.dialect.speak(place.board, place.contact, contact or 0, variant)
        return [(0.0, said)] if said else []

    # switches of a board

    def twin(self, board: int, on: bool = True) -> None:
        (self._twins.add if on else self._twins.discard)(board)

    def refuse(self, board: int, on: bool = True) -> None:
        """The board says no to whatever it is asked; boards without a word for it are silent."""
        (self._refusing.add if on else self._refusing.discard)(board)

    def sag(self, on: bool = True) -> None:
        self._sags = on

    def reset(self, board: int, now: float, seconds: float = RESET_S) -> None:
        self._off_until[board] = max(self._off_until[board], now + seconds)

    def lose_power(self, now: float, seconds: float) -> None:
        for board in self._on_board:
            self.reset(board, now, seconds)

    def die(self, board: int) -> None:
        self._off_until[board] = FOR_EVER

    def button(self, board: int, now: float) -> None:
        """Somebody presses the open-all button on the board."""
        self._drive_all(board, now, asked=False)
