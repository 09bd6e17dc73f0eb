"""A whole demo in a thread of this process: real HTTP, links, serial bytes and mails; the test is its only visitor."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from parcelwall.clock import Clock, SystemClock
from parcelwall.ids import Ids
from parcelwall.rules.access import Brake
from parcelwall.simulation.check import check_books
from parcelwall.simulation.demo import Demo, a_demo
from parcelwall.simulation.people import People, Told

ANSWER_WITHIN_S = 30.0
SMALL = (250, 180, 40, 600)  # many of its size fit into every station: room is not what these tests are about
Answer = TypeVar("Answer")


class Town:
    """The running demo; `run` asks it something on its own loop."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._open: asyncio.Future[Demo] | None = None
        self.ready = threading.Event()
        self.failed: BaseException | None = None
        self.demo: Demo
        self.people: People

    def live(self) -> None:
        """The thread's work: opens the demo, waits for the end of the tests, closes it."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())

    async def _live(self) -> None:
        clock = self._clock
        try:
            async with a_demo(self.folder, 0, clock, Ids(clock)) as self.demo:
                self.people = People(self.demo, clock, Ids(clock), lambda _: None, at_door_s=0.1)
                self.ready.set()
                await self._stop.wait()
        except BaseException as failed:
            self.failed = failed
        finally:
            self.ready.set()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    def run(self, job: Coroutine[Any, Any, Any]) -> Any:
        """What the coroutine answers, run beside everything else of the demo."""
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(ANSWER_WITHIN_S)

    def differences(self) -> list[str]:
        """What verify finds wrong, upstairs, at every station and between them."""
        memories = [each.station.memory for each in self.demo.stations.values()]
        found: list[str] = self.run(check_books(self.demo.hub.pool, memories))
        return found

    def leave(self, station: str) -> None:
        """Whoever stood at the screen goes away."""

        self._ask(self.demo.stations[station].station.kiosk.home)

    def forgive(self, station: str) -> None:
        """No wrong try is remembered at this station any more."""
        memory = self.demo.stations[station].station.memory
        self._ask(lambda: memory.set_brake("bare", Brake()))

    def waiting_at(self, station: str) -> tuple[Told, str]:
        """A parcel that the demo's people have just deposited there, and the text of its mail."""
        told = self.run(self.people.order(station, SMALL))
        self.run(self.people.deposit(told))
        return told, self.run(self.people.read_mail(told)).text

    def waiting_at_all(self) -> dict[str, tuple[Told, str]]:
        """The same at every station at once."""

        async def wait_at(station: str) -> tuple[Told, str]:
            told = await self.people.order(station, SMALL)
            await self.people.deposit(told)
            return told, (await self.people.read_mail(told)).text

        async def everywhere() -> list[tuple[Told, str]]:
            return await asyncio.gather(*map(wait_at, self.demo.stations))

        return dict(zip(self.demo.stations, self.run(everywhere()), strict=True))

    def collect(self, told: Told) -> int:
        """The recipient reads the mail and collects. Answers the door."""

        async def collected() -> int:
            return await self.people.collect(told, await self.people.read_mail(told))

        door: int = self.run(collected())
        return door

    def stage(self, reference: str) -> str:
        """As the hub's tables have it."""
        sql = "SELECT stage FROM parcel WHERE reference = $1"
        return str(self.run(self.demo.hub.pool.fetchval(sql, reference)))

    def behind(self, station: str, reference: str) -> int | None:
        """The door behind which this parcel was put."""
        label = self.demo.stations[station].station.desk.by_label
        return self._ask(lambda: label(reference).compartment)

    def expects(self, station: str, label: str) -> bool:
        """Whether the station has heard that this parcel will come."""
        desk = self.demo.stations[station].station.desk
        return self._ask(lambda: label[-4:] in {parcel.selector for parcel in desk.expected()})

    def cases(self, station: str) -> list[str]:
        """What the station's open cases are about."""
        memory = self.demo.stations[station].station.memory
        return self._ask(lambda: [case.about for case in memory.book.cases.values()])

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """SQLite is asked by the thread that opened it."""

        async def asked() -> Answer:
            return question()

        answer: Answer = self.run(asked())
        return answer


@contextmanager
def a_town(clock: Clock | None = None) -> Iterator[Town]:
    """A running demo without pretend people. Its folder can be entered by the database's own user."""
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-acceptance-"))
    folder.chmod(0o711)
    town = Town(folder, clock or SystemClock())
    thread = threading.Thread(target=town.live, name="demo")
    thread.start()
    try:
        assert town.ready.wait(60), "the demo does not start"
        if town.failed:
            raise town.failed
        yield town
    finally:
        town.stop()
        thread.join(30)
        shutil.rmtree(folder, ignore_errors=True)
    if town.failed:
        raise town.failed
