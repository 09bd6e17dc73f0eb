"""A serial port, as little of one as the bus owner needs. The real one is in serial_port.py."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from parcelwall.clock import Clock
from parcelwall.drivers.profile import Profile
from parcelwall.errors import Trouble


class PortGone(Trouble):
    """The port is not there, or went away, or somebody else holds it. Trying again later may help."""


class PortForbidden(PortGone):
    """We may not open the port. Somebody has to give us the right."""


class Port(Protocol):
    """Bytes out, bytes in. Every method may raise PortGone."""

    def write(self, data: bytes) -> None:
        """Send in one call; returns at once."""
        ...

    async def drain(self, until: float) -> None:
        """Returns when the last byte has left. Raises PortGone if that is not so at `until` (monotonic seconds)."""
        ...

    async def read_some(self, until: float) -> bytes:
        """Bytes as soon as there are any, or b"" when `until` (monotonic seconds) has come.

        With `until` in the past: what lies there already.
        """
        ...

    async def close(self) -> None:
        """Lets go of the port; when it returns, it can be opened again. Never raises."""
        ...


OpenPort = Callable[[Profile, Clock], Awaitable[Port]]
