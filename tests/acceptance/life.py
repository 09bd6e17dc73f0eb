"""What the people of a test did and were told, held against the books: one hub, one station, real processes."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from acceptance.processes import HubProcess, a_folder
from acceptance.shop import a_body, a_reference
from acceptance.street import AWAY, Cable, Event, StationProcess, Street, until
from parcelwall.clock import SystemClock
from parcelwall.hub.embedded import EmbeddedPostgres
from parcelwall.hub.house import serving
from parcelwall.hub.tell import LEASE
from parcelwall.ids import Ids
from parcelwall.notices.sink import Sink
from parcelwall.simulation.check import check_books
from parcelwall.station.memory import Memory

COLUMNS = "SSSSSSSSSSSS SSSSSSSSSSSS"
MARK = "zoltanquix"  # stands in names and addresses, and nowhere else
CODE = re.compile(r"\b(\d{4}) (\d{4})\b")


class Life:
    """What the people of the test did and were told: the truth that the books are held against."""

    def __init__(self, hub: HubProcess, street: Street, sink: Sink, key: str) -> None:
        self.hub, self.street, self.sink = hub, street, sink
        self._client = httpx.AsyncClient(
            base_url=hub.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=10
        )
        self.announced: dict[str, str] = {}  # reference -> id, as acknowledged
        self.rushed: set[str] = set()  # ids, as acknowledged
        self.brought: list[str] = []
        self.collected: list[str] = []
        self._count = 0

    async def ask(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """A shop that asks again with the same key until it has an answer."""

        async def asked() -> httpx.Response | None:
            try:
                answer = await self._client.post(path, json=body, headers={"Idempotency-Key": key})
            except AWAY:
                return None
            assert answer.status_code in (201, 503), answer.text
            return answer if answer.status_code == 201 else None

        shown: dict[str, Any] = (await until(asked, "the hub answers", 60)).json()
        return shown

    async def announce(self) -> str:
        self._count += 1
        mail = f"nr{self._count}@{MARK}.example"
        person = {"name": f"Aino {MARK}", "email": mail, "language": "en"}
        body = a_body(reference=f"K9-{1000 + self._count}", recipient=person)
        shown = await self.ask("/api/v1/parcels", body, f"k9-{self._count}")
        assert shown["stage"] == "RESERVED", shown
        self.announced[body["reference"]] = shown["id"]
        return str(body["reference"])

    async def rush(self) -> None:
        """The load of other shops, for as long as it is not cancelled: batches, one after the other."""
        while True:
            batch = {"parcels": [a_body(a_reference("RUSH"), destination=None, recipient=None) for _ in range(10)]}
            shown = await self.ask("/api/v1/parcels/batch", batch, f"rush-{a_reference()}")
            self.rushed |= {each["id"] for each in shown["parcels"]}
            await asyncio.sleep(0.05)

    async def bring_one(self, meanwhile: Event | None = None) -> None:
        reference = await self.announce()
        await self.street.deposit(reference, meanwhile)
        self.brought.append(reference)

    async def collect_one(self, meanwhile: Event | None = None) -> None:
        """The one that waits longest and whose mail has come."""
        for reference in self.brought:
            if reference not in self.collected and (code := self.code_of(reference)):
                await self.street.collect(code, meanwhile)
                self.collected.append(reference)
                return

    def mails_about(self, reference: str) -> list[Any]:
        number = int(reference.rpartition("-")[2]) - 1000
        return [mail for mail in self.sink.mails() if mail.to == f"nr{number}@{MARK}.example"]

    def code_of(self, reference: str) -> str:
        mails = self.mails_about(reference)
        found = CODE.search(mails[0].text) if mails else None
        return found[1] + found[2] if found else ""

    async def go_on(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            await self.bring_one()
            await self.collect_one()

    async def while_living(self, trouble: Event) -> None:
        """People go on while something happens to them at a moment nobody knows."""
        living, rush = asyncio.create_task(self.go_on()), asyncio.create_task(self.rush())
        await asyncio.sleep(random.uniform(0.2, 2.0))
        await trouble()
        await living
        rush.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await rush

    async def settled(self) -> None:
        """Everything that was brought is told, and the hub has heard all of the station. What a killed hub was
        just handing over is told when its lease ends."""
        patience_s = LEASE.total_seconds() + 30
        await until(lambda: all(map(self.mails_about, self.brought)), "every recipient has a mail", patience_s)
        await until(self._hub_agrees, "the hub knows what the doors saw")

    async def stage(self, reference: str) -> str:
        answer = await self._client.get(f"/api/v1/parcels/{self.announced[reference]}")
        return str(answer.json()["stage"])

    async def _known(self) -> set[str]:
        """The ids of all parcels of this carrier, page by page."""
        found: list[str] = []
        while True:
            query = {"limit": 500, **({"after": found[-1]} if found else {})}
            page = (await self._client.get("/api/v1/parcels", params=query)).json()
            found += [each["id"] for each in page["parcels"]]
            if page["next"] is None:
                return set(found)

    async def _hub_agrees(self) -> bool:
        return all([await self.stage(each) == "COLLECTED" for each in self.collected])

    async def whole(self) -> None:
        """Nothing that was acknowledged is missing, and nobody was told twice."""
        await self.settled()
        assert self.rushed <= await self._known()
        for reference in self.announced:
            done = "COLLECTED" if reference in self.collected else "READY" if reference in self.brought else "RESERVED"
            assert await self.stage(reference) == done, reference
        for reference in self.brought:
            assert len({mail.message_id for mail in self.mails_about(reference)}) == 1, reference
            assert len(self.mails_about(reference)) <= 2, reference


async def differences(hub: HubProcess, book: Path) -> list[str]:
    """What verify finds, on the running hub and a station's file that nobody else has open."""
    clock = SystemClock()
    memory = Memory(book, clock)
    dsn = await EmbeddedPostgres(hub.data / "postgres").start()
    async with serving(dsn, hub.data, clock, Ids(clock), slot=9) as upstairs:
        found = await check_books(upstairs.pool, [memory])
    memory.close()
    return found


async def admit_courier(hub: HubProcess, station: str) -> str:
    """What the courier types today. The office asks until the hub knows the station that was just configured."""
    key = await asyncio.to_thread(hub.admit, "operator", "admin")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, trust_env=False) as office:

        async def admitted() -> str:
            answer = await office.post(f"{hub.url}/api/v1/stations/{station}/couriers", json={})
            return str(answer.json().get("code", ""))

        return str(await until(admitted, "the courier is admitted"))


async def joined(hub: HubProcess, key: str, station: str) -> None:
    """A computer has become the station: from here on room is promised there."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, trust_env=False) as shop:

        async def in_service() -> bool:
            return bool((await shop.get(f"{hub.url}/api/v1/stations/{station}")).json()["in_service"])

        await until(in_service, "the station's computer has joined")


@asynccontextmanager
async def a_life(disk_mib: int = 0) -> AsyncIterator[Life]:
    """A hub, a station and everything round them; `disk_mib`: the station has a disk of its own, so large."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(a_folder())
        sink = await stack.enter_async_context(Sink(SystemClock()))
        hub = HubProcess(folder, PARCELWALL_SMTP_HOST="127.0.0.1", PARCELWALL_SMTP_PORT=str(sink.port))
        cable = Cable(hub.port)
        hub.add_environment(PARCELWALL_LINK_NAMES=f"127.0.0.1:{cable.port}")
        await cable.start()
        stack.push_async_callback(cable.close)
        await asyncio.to_thread(hub.start)
        stack.callback(hub.stop)
        claim = await asyncio.to_thread(hub.configure, "S-0001", COLUMNS)
        key = await asyncio.to_thread(hub.admit, "acme")
        code = await admit_courier(hub, "S-0001")
        station = StationProcess(folder, "S-0001", COLUMNS, claim, cable.port, disk_mib)
        await station.boards.start()
        stack.push_async_callback(station.boards.close)
        station.start()
        stack.callback(station.stop)
        await joined(hub, key, "S-0001")
        street = Street(hub, station, cable, lambda: code)
        stack.push_async_callback(street.screen.close)
        yield Life(hub, street, sink, key)
