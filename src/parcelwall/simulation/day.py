"""A living day of the whole town: shops order, couriers make their rounds, recipients come, late parcels go back.

Who comes when is drawn; what they do is done at the real desks: the API, the stations' screens, the doors' leaves. The
town's past goes on: what was promised is brought, what lies behind a door is collected or taken back.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from parcelwall.clock import Clock, PacedClock, SystemClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub.sitting import read_parcel
from parcelwall.ids import Ids
from parcelwall.rules import access
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.simulation import dwell, past
from parcelwall.simulation.demo import COURIER, Demo, a_demo
from parcelwall.simulation.pace import Pace, where_it_was
from parcelwall.simulation.people import AT_REST, People
from parcelwall.station.house import Station

What = Literal["plan", "order", "round", "come"]
LOOK_EVERY_S = 0.1
ROUNDS_FROM_H, ROUNDS_UNTIL_H = 8.5, 15.5  # of the day, between which a courier comes to a station
PLANNED_AT_H = 0.5  # of each day: who orders what and when the courier comes
LEAVING = ("thanks", "courier-bye", "send-done")
AGAIN = timedelta(minutes=20)  # after a screen that somebody else used for too long
AT_STATION = "SELECT record FROM parcel WHERE station = $1 AND stage = ANY($2::text[]) ORDER BY due"

log = structlog.get_logger()


class Day:
    """What is still to happen, by when. One person at a time stands before a station."""

    def __init__(self, demo: Demo, people: People, pace: Pace, ids: Ids) -> None:
        self.demo, self.people, self.pace, self.ids = demo, people, pace, ids
        self.clock: Clock = pace.clock
        self._events: list[tuple[datetime, int, What, str, UUID | None]] = []
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """For ever."""
        now = self.clock.now()
        for station in self.demo.hub.stations.known:
            self._plan(station, now.astimezone(self._zone(station)).date(), now)
            for parcel in await self._parcels(station, *INSIDE):
                left_h = dwell.from_table(self.ids.chance.random()) / 2  # they have lain there for a while
                self._at(now + timedelta(hours=left_h), "come", station, parcel.id)
        while True:
            while self._events and self._events[0][0] <= self.clock.now():
                _, _, what, where, who = heapq.heappop(self._events)
                task = asyncio.create_task(self._happen(what, where, who))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(LOOK_EVERY_S)

    def _zone(self, station: str) -> ZoneInfo:
        return ZoneInfo(self.demo.hub.stations.known[station].about.zone)

    def _at(self, when: datetime, what: What, station: str, parcel: UUID | None = None) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, what, station, parcel))

    def _plan(self, station: str, day: date, since: datetime) -> None:
        """One day at one station, as far as it lies after `since`, and the plan of the next."""
        zone, chance = self._zone(station), self.ids.chance
        doors = len(self.demo.hub.stations.known[station].about.layout.compartments)
        usual = past.PER_COMPARTMENT * doors * past.WEEK[day.weekday()]
        hours = [7 + 16 * chance.random() for _ in range(int(usual) + (chance.random() < usual % 1))]
        came = ROUNDS_FROM_H + (ROUNDS_UNTIL_H - ROUNDS_FROM_H) * chance.random()
        wanted: list[tuple[What, float]] = [("round", came), *(("order", hour) for hour in hours)]
        for what, hour in wanted:
            if (when := past.on(day, hour, zone)) > since:
                self._at(when, what, station)
        self._at(past.on(day + timedelta(days=1), PLANNED_AT_H, zone), "plan", station)

    async def _happen(self, what: What, station: str, parcel: UUID | None) -> None:
        try:
            if what == "plan":
                self._plan(station, self.clock.now().astimezone(self._zone(station)).date(), self.clock.now())
            elif what == "order":
                sides = past.pick(past.SIDES, past.USUAL, self.ids.chance)
                await self.people.order(station, sides)
            elif what == "round":
                await self._round(station)
            elif parcel:
                await self._come(station, parcel)
        except (Refusal, Trouble, OSError) as no:  # as in life: the shop asks another day, the courier comes again
            log.info("day_goes_on", what=what, station=station, reason=getattr(no, "reason", str(no)))
        except Exception as failed:  # a fault of ours: heard of, and the others' day goes on
            log.exception("day_stumbles", what=what, station=station, reason=type(failed).__name__)

    async def _parcels(self, station: str, *stages: str) -> list[Parcel]:
        rows = await self.demo.hub.pool.fetch(AT_STATION, station, list(stages))
        return [read_parcel(row["record"]) for row in rows]

    # at the doors

    async def _round(self, station: str) -> None:
        """The courier puts in what was promised and is due, and takes out what nobody came for."""
        here = self._computer(station)
        promised = await self._parcels(station, Stage.RESERVED)
        late = await self._parcels(station, Stage.OVERDUE)
        followed = self.demo.followed.reference if self.demo.followed else ""
        brought = [each for each in promised if each.reference != followed]
        async with self.people.before(station):
            with self.pace.at_its_own():
                code = access.courier_code(self._known(station).courier_key, station, COURIER, here.desk.today)
                await here.kiosk.sign_in(code)
                for parcel in brought:
                    await self._bring(station, parcel)
                for parcel in late:
                    await self._through(station, here.desk.take_back(parcel.id, COURIER))
                here.kiosk.home()
        if brought or late:
            self.people.say(f"The courier was at {station}: {len(brought)} in, {len(late)} out.")

    async def _bring(self, station: str, parcel: Parcel) -> None:
        """One parcel; what does not fit, or is not known here, is taken along again."""
        here, label = self._computer(station), parcel.reference or str(parcel.id)
        try:
            await self._through(station, here.desk.deposit_by_label(label, COURIER))
        except Refusal as no:
            log.info("day_goes_on", what="bring", station=station, reason=no.reason)
            return
        self.demo.arrived(station, label)
        stays = timedelta(hours=dwell.from_table(self.ids.chance.random()))
        self._at(self.clock.now() + stays, "come", station, parcel.id)

    async def _come(self, station: str, parcel: UUID) -> None:
        """The recipient types the code of their mail and takes it out."""
        here = self._computer(station)
        known = here.memory.parcel(parcel)
        if known is None or known.stage not in INSIDE or known.reservation is None:
            return  # it went back meanwhile
        code = access.pickup_code(self._known(station).code_key, station, known.reservation, known.generation)
        try:
            async with self.people.before(station):
                with self.pace.at_its_own():
                    await self._through(station, here.desk.collect_by_code(code, (known.selector or None)))
        except Trouble:
            self._at(self.clock.now() + AGAIN, "come", station, parcel)

    async def _through(self, station: str, visit: Any) -> None:
        """An open door, hands, a shut door. Raises Trouble for one that does not move."""
        here, boards = self._computer(station), self._boards(station)
        visit = await here.kiosk.serve(visit)
        if visit.outcome:
            raise Trouble(f"door {visit.compartment} of {station} does not open")
        await self.clock.sleep(1.0)
        boards.push_closed(visit.compartment)
        done = lambda: visit.id not in {each.id for each in here.desk.unfinished()}  # noqa: E731
        await self.people.until(done, "the station sees the door shut")

    def _computer(self, station: str) -> Station:
        return (self.demo.stations.get(station) or self.demo.around[station]).station

    def _boards(self, station: str) -> Any:
        return (self.demo.stations.get(station) or self.demo.around[station]).boards

    def _known(self, station: str) -> Any:
        return self.demo.hub.stations.known[station]


def at_the_doors(demo: Demo) -> bool:
    """Whether somebody stands before one of the screens, and has not just been thanked."""
    return any(each.station.kiosk.showing.screen not in (*AT_REST, *LEAVING) for each in demo.stations.values())


@asynccontextmanager
async def a_living_town(
    folder: Path, port: int, speed: float, say: Callable[[str], None] = lambda _: None
) -> AsyncIterator[tuple[Demo, Pace]]:  # fmt: skip
    """A whole town on ports from `port`, whose day can go `speed` times as fast. It is kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = PacedClock(SystemClock(), where_it_was(folder / "clock"))
    pace = Pace(clock, speed, folder / "clock")
    async with a_demo(folder, port, clock, Ids(clock), whole_town=True, pace=pace, say=say) as demo:
        pace.busy = lambda: at_the_doors(demo)
        yield demo, pace


async def live(demo: Demo, pace: Pace, calm_s: float, say: Callable[[str], None]) -> None:
    """For ever: one parcel after another that the five faces follow, and the day of the town around it."""

    def tell(text: str) -> None:
        demo.tell(text)
        say(text)

    ids = Ids(pace.clock)
    people = People(demo, pace.clock, ids, tell)
    await asyncio.gather(people.live(calm_s), Day(demo, people, pace, ids).live())


def greeting(demo: Demo, people: bool) -> str:
    """Where to look, for whoever has started it."""
    places = [("Side by side", "/demo"), ("Tracking", "/"), ("Mails", "/mails"), ("Console", "/enter?who=operator"),
              ("Pretend doors", "/pretend"), ("API", "/docs")]  # fmt: skip
    kiosks = [f"  Kiosk {name:<8} {each.kiosk_url}" for name, each in demo.stations.items()]
    return "\n".join([
        f"[bold]Parcelwall runs.[/bold] Begin at [bold]{demo.url}/start[/bold]",
        *(f"  {name:<14} {demo.url}{path}" for name, path in places), *kiosks, f"  API key        {demo.carrier_key}",
        f"{'Pretend people keep the town alive. ' if people else ''}Stop with Ctrl-C.",
    ])  # fmt: skip
