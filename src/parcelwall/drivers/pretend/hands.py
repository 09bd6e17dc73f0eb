"""The hands of a pretend person, and what both shells share: the core with a clock to say when."""

from parcelwall.clock import Clock
from parcelwall.drivers.pretend.board import Bytes, PretendBoards
from parcelwall.drivers.seen import DoorState


class Hands:
    """The core's hands, and its switches that need a time. The other switches are on `core` itself."""

    def __init__(self, core: PretendBoards, clock: Clock) -> None:
        self.core = core
        self._clock = clock

    def state(self, door: int) -> DoorState:
        """How the leaf really is, whatever the contact says."""
        return self.core.state(door, self._clock.mono())

    def states(self) -> dict[int, DoorState]:
        """How every leaf really is."""
        return {line.door: self.state(line.door) for line in self.core.profile.doors}

    def pull(self, door: int) -> bool:
        """Whether the door is open after it; a latched one stays shut."""
        return self.core.pull(door, self._clock.mono())

    def push_closed(self, door: int, firmly: bool = True) -> bool:
        """Whether the door is shut after it."""
        return self.core.push_closed(door, self._clock.mono(), firmly)

    def push_open(self, door: int) -> None:
        """Opened from outside, with no pulse."""
        self.core.push_open(door, self._clock.mono())

    def button(self, board: int) -> None:
        """Somebody presses the open-all button on the board."""
        self.core.button(board, self._clock.mono())

    def reset(self, board: int) -> None:
        """The board starts anew and is silent for 2 s."""
        self.core.reset(board, self._clock.mono())

    def lose_power(self, seconds: float) -> None:
        """All boards are without power for so long."""
        self.core.lose_power(self._clock.mono(), seconds)

    def speak(self, door: int, variant: int = 0) -> None:
        """The door's board sends a frame nobody asked for, if it is of a kind that does."""
        self._send(self.core.speak(door, self._clock.mono(), variant))

    def _send(self, out: Bytes) -> None:
        raise NotImplementedError
