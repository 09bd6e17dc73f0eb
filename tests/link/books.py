"""Two books with a line between them: real journals in memory, none of parcels, as the link knows none."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.journal.sqlite import SqliteJournal, connect
from parcelwall.link.hub_end import HubEnd, Known
from parcelwall.link.identity import Signer
from parcelwall.link.orders import Ordered
from parcelwall.link.shipping import Run
from parcelwall.link.station_end import StationEnd
from parcelwall.station.restoring import lost

STATION, HUB_WRITER, HUB = "S-0012", "hub:1/S-0012", "hub.example"
# Secret keys of RFC 8032, 7.1: test 1 is the hub's, test 2 the station's, test 3 nobody's.
HUB_KEY = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
STATION_KEY = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
OTHER_KEY = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Shelf:
    """A journal in memory; each side writes its own stream and receives the other's."""

    def __init__(self, own: str, others: str, now: VirtualClock) -> None:
        self.journal = SqliteJournal(connect(":memory:", durable=False))
        self.own, self.others, self.now = own, others, now
        self.acked = 0

    def write(self, *words: str) -> list[Entry]:
        at = clock.text(self.now.now())
        return self.journal.write(self.own, [Draft("Said", at, f'{{"word":"{word}"}}') for word in words], at)

    def entries(self) -> list[Entry]:
        """All of both writers, each in its order."""
        return [*self.journal.everything(STATION), *self.journal.everything(HUB_WRITER)]


class StationShelf(Shelf):
    """What the station's end asks for (StationBook)."""

    station, writer, hub_writer = STATION, STATION, HUB_WRITER

    def __init__(self, now: VirtualClock) -> None:
        super().__init__(STATION, HUB_WRITER, now)
        self.whole = 0  # times that everything which the hub keeps was here
        self.hub_times: list[datetime] = []

    def wrote(self) -> Head:
        return self.journal.head(self.writer)

    def has(self) -> Head:
        return self.journal.head(self.hub_writer)

    def heads(self) -> Mapping[str, Head]:
        names = {*self.journal.writers(), self.hub_writer} - {self.writer}
        return {name: self.journal.head(name) for name in names}

    def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]:
        return self.journal.since(writer, after, limit)

    def receive(self, entries: Sequence[Entry], sig: str) -> int:
        writer = entries[0].writer
        new = self.journal.receive(writer, entries, clock.text(self.now.now()))
        if new:
            self.journal.vouch(writer, new[-1].number, sig)
        return self.journal.head(writer).number

    def begin_epoch(self, hub_writer: str) -> None:
        self.hub_writer = hub_writer

    def lost(self, they_have: Mapping[str, int]) -> Sequence[Run]:
        return lost(self.journal, self.writer, they_have)

    def restored(self) -> None:
        self.whole += 1

    def acknowledged(self, through: int, welcomed_at: str = "") -> None:
        self.acked = through if welcomed_at else max(self.acked, through)

    def told_time(self, at: datetime, boot: str) -> None:
        self.hub_times.append(at)


class HubShelf(Shelf):
    """What the hub's end asks for (HubBook)."""

    def __init__(self, now: VirtualClock, keys: dict[str, bytes]) -> None:
        super().__init__(HUB_WRITER, STATION, now)
        self.keys = keys
        self.epoch = 1
        self.known_as: dict[str, Known] = {}  # what is said of a computer beyond its key
        self.heard_until: datetime | None = None
        self.differing: list[str] = []

    async def known(self, station: str) -> Known | None:
        key = self.keys.get(station)
        return self.known_as.get(station, Known(key, station)) if key else None

    async def next_key(self, station: str, key: bytes) -> None:
        self.known_as[station] = Known(self.keys[station], station, key)

    async def use_next_key(self, station: str) -> None:
        self.keys[station] = self.known_as.pop(station).next_key or b""

    def writer_for(self, station: str) -> str:
        return f"hub:{self.epoch}/{station}"

    async def past(self, station: str) -> Sequence[str]:
        known = await self.known(station)
        alive = (known.writer if known else station, self.writer_for(station))
        return [name for name in self.journal.writers() if name not in alive]

    async def learnt(self, after: Mapping[str, int]) -> Sequence[Run]:
        marks = [mark for mark in self.journal.marks(0) if mark[2] > after.get(mark[1], mark[2])]
        return [Run(writer, number - 1, number) for _, writer, number in marks]

    async def differs(self, station: str, writer: str) -> None:
        self.differing.append(writer)

    async def receive_back(self, station: str, entries: Sequence[Entry]) -> int:
        writer = entries[0].writer
        self.journal.receive(writer, entries, clock.text(self.now.now()))
        return self.journal.head(writer).number

    async def head(self, writer: str) -> Head:
        return self.journal.head(writer)

    async def since(self, writer: str, after: int, limit: int) -> Sequence[Entry]:
        return self.journal.since(writer, after, limit)

    async def receive(self, station: str, entries: Sequence[Entry]) -> int:
        self.journal.receive(station, entries, clock.text(self.now.now()))
        return self.journal.head(station).number

    async def heard(self, station: str, until: datetime | None, software: str) -> None:
        if until is not None:
            self.heard_until = max(until, self.heard_until or until)


class Pair:
    """Both books, and ends of new connections between them."""

    def __init__(self) -> None:
        self.now = VirtualClock(NOW)
        self.station = StationShelf(self.now)
        self.hub = HubShelf(self.now, {STATION: Signer(STATION_KEY).public})
        self._nonces = 0

    def ends(
        self, station_key: bytes = STATION_KEY, hub_key: bytes = HUB_KEY, dialled: str = HUB, name: str = HUB,
        obey: Callable[[Ordered], None] = lambda _: None,
    ) -> tuple[StationEnd, HubEnd]:  # fmt: skip
        """A new connection: nonces are new, keys and names may be wrong."""
        self._nonces += 1
        pinned = Signer(HUB_KEY).public
        station = StationEnd(
            self.station, Signer(station_key), dialled, pinned, self._nonces.to_bytes(32, "big"), "b1", self.now,
            obey=obey,
        )
        return station, HubEnd(self.hub, Signer(hub_key), name, (1000 + self._nonces).to_bytes(32, "big"), self.now)

    async def connected(self) -> tuple[StationEnd, HubEnd]:
        """Ends that have proved themselves to each other and have shipped all there was."""
        station, hub = self.ends()
        await deliver(station, hub, [hub.challenge()])
        assert station.welcomed
        return station, hub


async def deliver(station: StationEnd, hub: HubEnd, to_station: list[str]) -> None:
    """Carries frames until neither side has an answer any more."""
    down, up = list(to_station), list[str]()
    while down or up:
        if down:
            up += station.hear(down.pop(0))
        else:
            down += await hub.hear(up.pop(0))
