"""One station with real memory, desk, keeper and driver, on pretend boards; a hub's pen; and hands at its doors.

No database is needed: what the hub would ship is written here, chained as the hub chains it.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import apsw

from parcelwall import clock
from parcelwall.clock import VirtualClock
from parcelwall.drivers import connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.profile import Profile
from parcelwall.drivers.seen import DoorState
from parcelwall.ids import seeded
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.link.identity import Signer
from parcelwall.rules import access, facts, token
from parcelwall.rules.layout import Layout, plain_layout
from parcelwall.rules.life import Parcel
from parcelwall.simulation.town import pretend_profile
from parcelwall.station.house import Station, key_of
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import Reserve
from parcelwall.station.verify import verify_station
from parcelwall.station.visit import Visit
from station.towns import NOW, about

NAME, WRITER, SECRET = "S-0001", "hub:1/S-0001", bytes(range(32))
HUB = Signer(bytes(range(32)))  # any key, and the hub's for this station


class Crash(BaseException):
    """The process dies here."""


class Rig:
    """Make it with `await Rig(folder).start()`."""

    version: type[Memory] = Memory  # of the station's software

    def __init__(
        self, folder: Path, columns: str = "SSML SSML", layout: Layout | None = None, seed: int = 1,
        durable: bool = False, reserve: Reserve | None = None, profile: Profile | None = None,
    ) -> None:  # fmt: skip
        self.durable, self.reserve = durable, reserve
        self.path = folder / "station.sqlite"
        self.now = VirtualClock(NOW)
        self.ids = seeded(self.now, seed)
        self.layout = layout or plain_layout(columns)
        self.profile = profile or pretend_profile(self.layout)
        self.boards = MemoryBoards(PretendBoards(self.profile, self.ids.chance), self.now)
        self.courier = self.ids.new()
        self._head = chain.start(WRITER)
        self._keys = {use: access.subkey(SECRET, use) for use in ("pickup-code", "label-tag", "courier-code")}

    async def start(self, told: bool = True) -> "Rig":
        """A first start: enrolled, and told its layout and its courier."""
        memory = Memory(self.path, self.now, self.durable)
        key_of(memory, self.ids)
        memory.know({"station": NAME, "secret": SECRET.hex(), "hub_writer": WRITER, "hub_key": HUB.public.hex()})
        memory.close()
        await self._open()
        configured = facts.StationConfigured(
            station=NAME, name="Kluuvi", address="", lat=60, lon=25, layout=self.layout, zone=about().zone
        )
        rights = facts.Granted(grant=self.ids.new(), station=NAME, may=("deposit", "take_back"), courier=self.courier)
        if told:
            self.hear(configured, rights)
        return self

    async def _open(self) -> None:
        self.doors = connect(self.profile, self.now, open_port=self.boards.open_port)
        await self.doors.start()
        memory = self.version(self.path, self.now, self.durable, self.reserve)
        self.station = Station(memory, self.doors, self.now, self.ids)
        self.memory, self.desk, self.keeper = self.station.memory, self.station.desk, self.station.keeper

    async def resume(self) -> "Rig":
        """A start on a file that another process has left, in front of doors that are shut."""
        await self._open()
        self._head = self.memory.has()
        self.courier = next(grant.courier for grant in self.memory.grants.values() if grant.courier)
        await self.keeper.recover()
        return self

    async def stop(self) -> None:
        await self.doors.close()
        never_fail(self.memory.connection)
        self.memory.close()

    async def restart(self, recover: bool = True) -> None:
        """The process ends and begins anew on the same file and the same doors."""
        await self.stop()
        await self._open()
        if recover:
            await self.keeper.recover()

    def hear(self, *told: facts.Fact) -> None:
        """What the hub ships."""
        drafts = [Draft(fact.kind, clock.text(self._said_at(fact)), facts.body(fact)) for fact in told]
        entries = chain.extend(WRITER, self._head, drafts)
        self._head = chain.Head(entries[-1].number, entries[-1].hash)
        self.memory.receive(entries)

    def _said_at(self, fact: facts.Fact) -> datetime:
        """That a holding time is over the hub says when it is."""
        known = self.memory.parcel(fact.parcel) if isinstance(fact, facts.Expired) else None
        return max(self.now.now(), known.collect_by) if known and known.collect_by else self.now.now()

    def promise(self, reference: str, **changed: Any) -> UUID:
        """A parcel that the hub has promised room here."""
        fact = self.a_promise(reference, **changed)
        self.hear(fact)
        return fact.parcel

    def a_promise(self, reference: str, **changed: Any) -> facts.Reserved:
        known: dict[str, Any] = {
            "parcel": self.ids.new(), "reservation": self.ids.new(), "station": NAME, "size": "S",
            "deposit_by": self.now.now() + timedelta(hours=72), "length_mm": 300, "width_mm": 200, "height_mm": 60,
            "weight_g": 900, "hold_hours": 48, "label_tag": access.label_tag(self._keys["label-tag"], reference),
            "selector": access.selector(reference),
        }  # fmt: skip
        return facts.Reserved(**{**known, **changed})

    def parcel(self, parcel: UUID) -> Parcel:
        known = self.memory.parcel(parcel)
        assert known is not None
        return known

    def code(self, parcel: UUID, ahead: int = 0) -> str:
        """What the hub would tell; `ahead` generations after the one that is known here."""
        known = self.parcel(parcel)
        assert known.reservation is not None
        return access.pickup_code(self._keys["pickup-code"], NAME, known.reservation, known.generation + ahead)

    def token(self, parcel: UUID, signer: Signer = HUB, **changed: Any) -> str:
        """The QR that the hub would show."""
        known = self.parcel(parcel)
        assert known.reservation is not None
        now = self.now.now()
        made = token.Token(NAME, known.reservation, known.generation, now, now + token.LASTS)
        payload = token.payload(made._replace(**changed))
        return token.text(payload, bytes.fromhex(signer.sign(token.to_sign(payload))))

    def courier_code(self) -> str:
        return access.courier_code(self._keys["courier-code"], NAME, self.courier, self.desk.today)

    def courier_code_on(self, when: datetime) -> str:
        """As the courier's own phone shows it then, whatever the station's clock says."""
        day = when.astimezone(ZoneInfo(about().zone)).date()
        return access.courier_code(self._keys["courier-code"], NAME, self.courier, day)

    # hands

    async def deposit(self, reference: str) -> Visit:
        return await self.through(self.desk.deposit_by_label(reference, self.courier))

    async def collect(self, digits: str, selector: str | None = None) -> Visit:
        return await self.through(self.desk.collect_by_code(digits, selector))

    async def take_back(self, parcel: UUID) -> Visit:
        return await self.through(self.desk.take_back(parcel, self.courier))

    async def through(self, visit: Visit) -> Visit:
        """The door is opened, used and pushed shut."""
        visit = await self.keeper.serve(visit)
        if not visit.outcome:
            await self.shut(visit.compartment)
        return visit

    async def inside(self, reference: str, **changed: Any) -> UUID:
        parcel = self.promise(reference, **changed)
        await self.deposit(reference)
        return parcel

    async def shut(self, door: int) -> None:
        await self.now.sleep(6.0)
        self.boards.push_closed(door)
        await self.look()

    async def look(self, times: int = 1) -> None:
        """The keeper's next turns."""
        for _ in range(times):
            await self.now.sleep(1.0)
            await self.keeper.watch()

    # what can be seen from outside

    def is_open(self, door: int) -> bool:
        return self.boards.state(door) == DoorState.OPEN

    def pulses(self) -> int:
        return len(self.boards.core.pulses)

    def told(self, after: int = 0) -> list[str]:
        """Kinds that this station has written."""
        return [entry.kind for entry in self.memory.journal.since(NAME, after)]

    def wrote(self) -> int:
        return self.memory.wrote().number

    def cases(self) -> list[str]:
        return [case.about for case in self.memory.book.cases.values() if case.closed_at is None]

    def clean(self) -> None:
        assert verify_station(self.memory) == []

    def crash_at(self, write: int) -> None:
        """The process dies when it is about to write for the n-th time, counted from now."""
        fail_at(self.memory.connection, write, Crash)


def fail_at(connection: apsw.Connection, write: int, failure: type[BaseException]) -> None:
    """The n-th write from now on fails, and after a Crash all that follow. What was not committed is rolled back."""
    left = [write]

    def trace(_: apsw.Cursor, sql: str, __: Any) -> bool:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            left[0] -= 1
            if left[0] == 0 or (left[0] < 0 and failure is Crash):
                raise failure
        return True

    connection.set_exec_trace(trace)


def never_fail(connection: apsw.Connection) -> None:
    connection.set_exec_trace(None)
