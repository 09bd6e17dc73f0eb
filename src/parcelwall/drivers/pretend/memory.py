"""The pretend boards behind a port in memory, for simulation and replay: real driver, real bytes, any clock.

With `clock.VirtualClock` whole station-years pass in no time, for waiting for an answer moves the clock.
"""

import heapq

from parcelwall.clock import Clock
from parcelwall.drivers.port import Port, PortGone
from parcelwall.drivers.pretend.board import Bytes, PretendBoards
from parcelwall.drivers.pretend.hands import Hands
from parcelwall.drivers.profile import Profile


class MemoryBoards(Hands):
    """Give `open_port` to `drivers.connect`, with the same clock."""

    def __init__(self, core: PretendBoards, clock: Clock) -> None:
        super().__init__(core, clock)
        self._plugged = True
        self.wedged = False
        self._port: MemoryPort | None = None

    async def open_port(self, profile: Profile, clock: Clock) -> Port:
        """An OpenPort. Raises PortGone while unplugged, or while another holds it."""
        if not self._plugged or self._port is not None:
            raise PortGone(f"The port {profile.port} is {'taken' if self._plugged else 'not there'}")
        self._port = MemoryPort(self, clock, profile.baud)
        return self._port

    def unplug(self) -> None:
        """The adapter is drawn out: the open port fails, and opening too."""
        self._plugged = False
        if self._port is not None:
            self._port.gone = True

    def replug(self) -> None:
        self._plugged = True

    def wedge(self, on: bool = True) -> None:
        """The adapter takes bytes and sends none; what it holds is lost when its port is closed."""
        self.wedged = on

    def let_go(self) -> None:
        """The port was closed."""
        self._port = None

    def _send(self, out: Bytes) -> None:
        if self._port is not None:
            self._port.arrive(out)


class MemoryPort:
    """The Port over a core."""

    def __init__(self, boards: MemoryBoards, clock: Clock, baud: int) -> None:
        self.gone = False
        self._holds = False  # bytes that never leave
        self._is_heard = baud == boards.core.profile.baud  # at another one boards make nothing of what comes
        self._boards, self._clock = boards, clock
        self._coming: list[tuple[float, int, bytes]] = []
        self._count = 0

    def arrive(self, out: Bytes) -> None:
        """Bytes on their way to the computer."""
        now = self._clock.mono()
        for delay_s, data in out:
            self._count += 1
            heapq.heappush(self._coming, (now + delay_s, self._count, data))

    def _check(self) -> None:
        if self.gone:
            raise PortGone("The port went away")

    def write(self, data: bytes) -> None:
        self._check()
        self._holds = self._boards.wedged
        if self._is_heard and not self._holds:
            self.arrive(self._boards.core.feed(data, self._clock.mono()))

    async def drain(self, until: float) -> None:
        """The core counts the time on the wire into its delays."""
        if self._holds:
            await self._clock.sleep(max(0.0, until - self._clock.mono()))
            raise PortGone("The port takes no more bytes")

    async def read_some(self, until: float) -> bytes:
        due_at = min(self._coming[0][0], until) if self._coming else until
        wait_s = due_at - self._clock.mono()
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        self._check()
        heard = b""
        # Not the clock's word alone: adding up seconds may leave it a hair before the moment waited for.
        now = max(self._clock.mono(), due_at)
        while self._coming and self._coming[0][0] <= now:
            heard += heapq.heappop(self._coming)[2]
        return heard

    async def close(self) -> None:
        self.gone = True
        self._boards.let_go()
