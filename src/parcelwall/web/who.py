"""Who asks: API keys, and a brake on those who guess numbers."""

from collections import OrderedDict
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request

from parcelwall.clock import Clock
from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import key_hash
from parcelwall.rules.rights import Right, may

REMEMBERED_S = 10.0  # how long a key that was looked up is believed; a key that is withdrawn dies within this


class Who(msgspec.Struct, frozen=True):
    """A carrier or one of the operator's people, by their key."""

    carrier: str
    role: str
    area: frozenset[str] = frozenset()
    actor: UUID | None = None

    def must(self, right: Right, station: str | None = None) -> None:
        """Raises Refusal for whoever may not do this there: a carrier, another role, another area."""
        if not may(self.role, self.area, right, station):
            raise Refusal("no_right")

    def sees(self, station: str | None) -> bool:
        """Whether the station lies in the area of this key."""
        return not self.area or station in self.area


class Doorman:
    """Looks keys up, and remembers them for some seconds."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[bytes, tuple[float, Who]] = {}

    def remembered(self, authorization: str | None) -> Who | None:
        """Whose key it is, if that was looked up a moment ago. Raises Refusal without a key."""
        known = self._known.get(_hashed(authorization))
        return known[1] if known and known[0] >= self._hub.clock.mono() else None

    async def who(self, authorization: str | None) -> Who:
        """The carrier or operator of a key. Raises Refusal without one, and for an unknown one."""
        hashed = _hashed(authorization)
        known = self._known.get(hashed)
        if known is None or known[0] < self._hub.clock.mono():
            row = await self._hub.pool.fetchrow("SELECT id, role, area, actor FROM carrier WHERE key_hash = $1", hashed)
            if row is None:
                raise Refusal("sign_in", "This API key is unknown. Ask the operator for one.")
            found = Who(row["id"], row["role"], frozenset(row["area"]), row["actor"])
            known = (self._hub.clock.mono() + REMEMBERED_S, found)
            self._known = {**self._known, hashed: known} if len(self._known) < 10_000 else {hashed: known}
        return known[1]


def _hashed(authorization: str | None) -> bytes:
    """What is stored of the key in the header `Authorization`. Raises Refusal without one."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Refusal("sign_in")
    return key_hash(key)


class Brake:
    """Counts misses per address block (/24, /48): some typing slips are free, guessing is not."""

    def __init__(self, clock: Clock, free: int = 20, window_s: float = 600.0) -> None:
        self._clock, self._free, self._window_s = clock, free, window_s
        self._misses: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Seconds until this block is listened to again; 0 when it is."""
        since, misses = self._misses.get(block(address), (0.0, 0))
        left = since + self._window_s - self._clock.mono()
        return int(left) + 1 if misses >= self._free and left > 0 else 0

    def miss(self, address: str) -> None:
        key = block(address)
        since, misses = self._misses.pop(key, (self._clock.mono(), 0))
        if self._clock.mono() - since > self._window_s:
            since, misses = self._clock.mono(), 0
        self._misses[key] = (since, misses + 1)
        if len(self._misses) > 50_000:
            self._misses.popitem(last=False)

    def forgive(self, address: str) -> None:
        """One that was counted beforehand was no miss."""
        since, misses = self._misses.get(block(address), (0.0, 0))
        if misses:
            self._misses[block(address)] = (since, misses - 1)


def block(address: str) -> str:
    """The /24 or /48 that an address is in."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{address}/{24 if ip.version == 4 else 48}", strict=False))


def address_of(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else ""
