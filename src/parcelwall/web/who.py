"""Who asks: API keys, and a brake on those who guess numbers."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterator
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

    @property
    def carries(self) -> bool:
        """Whether it is a carrier: nobody else announces parcels or takes room."""
        return self.role == "carrier"

    def must_carry(self) -> None:
        """Raises Refusal for the operator's people: what they announced would belong to a carrier that is none."""
        if not self.carries:
            raise Refusal("no_right", "Only a carrier's key does this, not one of the operator's people.")

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

    def stop(self, address: str) -> None:
        """Raises Refusal to who has to wait."""
        if wait_s := self.wait_s(address):
            raise Refusal("too_many_tries", retry_s=wait_s)

    def count(self, address: str) -> None:
        """What nobody does often, right or wrong. Raises Refusal to who has to wait."""
        self.stop(address)
        self.miss(address)

    @contextlib.contextmanager
    def one_try(self, address: str, wrong: str) -> Iterator[None]:
        """One try at a secret. It counts before anybody looks, so that a thousand at once are no way round, and is
        forgiven unless it is refused as `wrong`. Raises Refusal to who has to wait."""
        self.count(address)
        missed = False
        try:
            yield
        except Refusal as no:
            missed = no.reason == wrong
            raise
        finally:
            if not missed:
                self.forgive(address)

    def forgive(self, address: str) -> None:
        """One that was counted beforehand was no miss."""
        since, misses = self._misses.get(block(address), (0.0, 0))
        if misses:
            self._misses[block(address)] = (since, misses - 1)


def block(address: str) -> str:
    """The /24 or /48 that an address is in. `::ffff:192.0.2.1` is what a socket for both calls 192.0.2.1."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))


def address_of(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else ""
