"""The days of a replay: shops ask the hub, couriers and recipients stand at the doors, lines break, people repair.

Time goes in steps of a quarter of an hour. In each, what shops and recipients ask of the hub is asked together, the
lines carry, then those who come to the doors come one after another, and the lines carry again.
"""

import asyncio
import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import stations as hub_stations
from parcelwall.hub.commands import Announce, Answer, Cancel, Command, Destination, Divert, Extend, Report, Reserve
from parcelwall.hub.followers import number_feed, turn
from parcelwall.hub.outbox import Nowhere
from parcelwall.hub.people import Person
from parcelwall.hub.sweeps import sweep
from parcelwall.hub.tell import NAME, Teller
from parcelwall.link.frames import BadFrame
from parcelwall.rules.decide import Order
from parcelwall.simulation.doors import Doors
from parcelwall.simulation.policies import Plan
from parcelwall.simulation.stories import Realism, Story
from parcelwall.simulation.tally import Sample, Tally
from parcelwall.simulation.town import PretendStation, Town

STEP = timedelta(minutes=15)
SWEEP_EVERY = timedelta(hours=6)
QUIET = timedelta(days=40)  # everything that is due after the last event is due by then
OUT_FOR_DELIVERY = timedelta(hours=4)
CARRIER = "replay"
NEVER_FITS = ("parcel_too_large", "parcel_too_heavy", "climate_not_here", "no_reachable_compartment")

What = Literal["cut", "mend", "offer", "ask", "report", "move", "extend", "bring", "come", "shut", "repair", "lapse"]
AT_THE_DOORS = ("bring", "come", "shut")


class Traffic:
    """All that happens in one town, from the first purchase until nobody comes any more."""

    carrier = CARRIER

    def __init__(self, town: Town, clock: VirtualClock, plan: Plan, realism: Realism, tally: Tally) -> None:
        self.town, self.hub, self.clock = town, town.hub, clock
        self.plan, self.realism, self.tally = plan, realism, tally
        self.stories: dict[UUID, Story] = {}
        self.untold: dict[str, list[Story]] = {}  # deposited, and the hub has not heard of it
        self.doors = Doors(self)
        self._events: list[tuple[datetime, int, What, Any]] = []
        self._count = 0
        self._next_sweep = clock.now()
        self._to_divert: list[tuple[Story, str]] = []
        self._reports: list[Story] = []
        self._quiet_since: datetime | None = None
        self._teller = Teller(town.hub, {"email": Nowhere()}, "http://127.0.0.1:8600", "parcelwall.invalid")

    def at(self, when: datetime, what: What, who: Any) -> None:
        """Something is to happen; not before now."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.clock.now()), self._count, what, who))

    def begin(self, stories: Sequence[Story], cuts: dict[str, list[tuple[datetime, datetime]]]) -> None:
        for story in stories:
            self.at(story.offer.purchased_at, "offer", story)
        for name, times in cuts.items():
            for cut_at, mended_at in times:
                self.at(cut_at, "cut", name)
                self.at(mended_at, "mend", name)

    async def run(self, tick: Any = None) -> None:
        """Everything, until nothing more is to happen. `tick` is told how many events are done, and left."""
        done = 0
        while self._events:
            self._skip_quiet_times()
            until = min(self._events[0][0] + STEP, self._next_sweep)
            if self._events[0][0] >= self._next_sweep:
                self.clock.move_to(self._next_sweep)
                await self._sweep()
                continue
            step = []
            while self._events and self._events[0][0] < until:
                step.append(heapq.heappop(self._events))
            self.clock.move_to(step[-1][0])
            await self._step(step)
            done += len(step)
            if tick:
                tick(done, len(self._events))
        await self._end()

    def _skip_quiet_times(self) -> None:
        """Once everything that was due is done, the next sweep is the day before anything happens."""
        quiet = self._events[0][0] - self.clock.now()
        if self._quiet_since is None or quiet < QUIET:
            self._quiet_since = self.clock.now() if quiet >= QUIET else None
        elif self.clock.now() - self._quiet_since >= QUIET:
            days = (quiet - timedelta(days=1)).days
            self._next_sweep += timedelta(days=max(0, days - 1))

    async def _step(self, step: Sequence[tuple[datetime, int, What, Any]]) -> None:
        by_kind: dict[str, list[Any]] = {}
        for _, _, what, who in step:
            by_kind.setdefault(what, []).append(who)
        for name in by_kind.get("cut", ()):
            self.town.stations[name].cut()
            self.tally.cuts += 1
        if not by_kind.keys() <= {*AT_THE_DOORS, "cut"}:
            await self._ask_the_hub(by_kind)
            await self._repair(by_kind.get("repair", ()))
            await self._carry(by_kind.get("mend", ()))
        touched = []
        for _, _, what, who in step:
            if what in AT_THE_DOORS:
                touched.append(await self.doors.serve(what, who))
        await self._divert_late_ones()
        await self._carry_all(touched)

    # the hub

    async def _ask_the_hub(self, by_kind: dict[str, list[Any]]) -> None:
        if offers := by_kind.get("offer"):
            await self._announce(offers)
        asking = [*by_kind.get("ask", ()), *(s for s in by_kind.get("offer", ()) if self._asks_at_once(s))]
        await self._reserve([story for story in asking if story.parcel and not story.fate])
        self._reports += by_kind.get("report", ())
        await self._move(by_kind.get("move", ()))
        await self._extend(by_kind.get("extend", ()))

    async def _ask(self, commands: Sequence[Command]) -> list[Answer | Refusal]:
        """The desk's answers to what is asked at the same moment. Whatever is no Refusal is raised."""
        answers = await asyncio.gather(*map(self.hub.desk.ask, commands), return_exceptions=True)
        for answer in answers:
            if not isinstance(answer, Answer | Refusal):
                raise answer
        return answers  # type: ignore[return-value]

    async def _announce(self, stories: Sequence[Story]) -> None:
        answers = await self._ask([self.announcement(story) for story in stories])
        for story, answer in zip(stories, answers, strict=True):
            if isinstance(answer, Refusal):
                self._refused(story, answer.reason)
                continue
            story.parcel = UUID(answer.body["id"])
            self.stories[story.parcel] = story
            if not self._asks_at_once(story):
                self.at(self._asks_at(story), "ask", story)

    def announcement(self, story: Story) -> Announce:
        return Announce(order=order_of(story, self.carrier), person=canary(story.offer.reference))

    def _asks_at(self, story: Story) -> datetime:
        """When the shop asks for room: at purchase, once the carrier has the parcel, or on its way to the door."""
        offer = story.offer
        late = offer.carrier_at or offer.delivered_at
        if self.plan.ask == "delivery" and offer.delivered_at:
            late = max(offer.delivered_at - OUT_FOR_DELIVERY, offer.purchased_at)
        return late if self.plan.ask != "purchase" and late else offer.purchased_at

    def _asks_at_once(self, story: Story) -> bool:
        return self._asks_at(story) <= story.offer.purchased_at

    async def _reserve(self, stories: Sequence[Story]) -> None:
        commands = [
            Reserve(carrier=self.carrier, parcel=story.parcel, destination=Destination(near=story.place))
            for story in stories if story.parcel
        ]  # fmt: skip
        answers = await self._ask(commands)
        home: list[Command] = []
        for story, answer in zip(stories, answers, strict=True):
            if isinstance(answer, Answer):
                self._accepted(story, answer)
            elif answer.reason in NEVER_FITS:
                story.fate = "diverted"
                self.tally.diverted[answer.reason] += 1
                home.append(Divert(carrier=self.carrier, parcel=_id(story), reason=answer.reason))
            else:
                self._refused(story, answer.reason)
                home.append(Cancel(carrier=self.carrier, parcel=_id(story), why=answer.reason))
        await self._ask(home)

    def _refused(self, story: Story, reason: str) -> None:
        story.fate = "refused"
        self.tally.refused[reason] += 1
        self.tally.refused_sizes[self.doors.size_of(story)] += 1

    def _accepted(self, story: Story, answer: Answer) -> None:
        offer = story.offer
        story.fate, story.station = "accepted", answer.body["station"]
        self.tally.accepted += 1
        if offer.carrier_at:
            self.at(offer.carrier_at, "report", story)
        if offer.delivered_at is None:
            self.at(answer.body["deposit_by"] + SWEEP_EVERY, "lapse", story)  # only so that the town lives so long
            return
        self.at(offer.delivered_at, "bring", story)
        if story.moves_h:
            self.at(offer.delivered_at - timedelta(hours=story.moves_h), "move", story)

    async def _move(self, stories: Sequence[Story]) -> None:
        """Recipients who want the next nearest station instead. The courier's slip was printed before."""
        moving = [story for story in stories if story.fate == "accepted" and story.deposited_at is None]
        near = [self.hub.stations.near(story.place, 1000.0, 3) for story in moving]
        others = [next((name for name, _ in n if name != s.station), s.station)
                  for s, n in zip(moving, near, strict=True)]  # fmt: skip
        answers = await self._ask([
            Reserve(carrier=self.carrier, parcel=_id(story), destination=Destination(station_id=other))
            for story, other in zip(moving, others, strict=True)
        ])  # fmt: skip
        for story, answer in zip(moving, answers, strict=True):
            if isinstance(answer, Answer):
                story.moved_to = answer.body["station"]
                self.tally.moves += 1

    async def _extend(self, stories: Sequence[Story]) -> None:
        answers = await self._ask([Extend(carrier=None, parcel=_id(s), by="recipient") for s in stories])
        self.tally.extensions += sum(isinstance(answer, Answer) for answer in answers)

    def divert_later(self, story: Story, reason: str) -> None:
        """The courier takes it along: it goes home the conventional way."""
        self._to_divert.append((story, reason))

    async def _divert_late_ones(self) -> None:
        """The stations hear of it with the next news."""
        waiting, self._to_divert = self._to_divert, []
        await self._ask([Divert(carrier=self.carrier, parcel=_id(s), reason=r, by="courier") for s, r in waiting])

    async def _report(self) -> None:
        """The carrier tells what it was handed since it told last."""
        reports, self._reports = [story for story in self._reports if story.fate == "accepted"], []
        await self._ask([Report(carrier=self.carrier, parcel=_id(story), mark="departed") for story in reports])

    async def _sweep(self) -> None:
        """Every six hours. Once a day also a sign of life of quiet stations, and the followers' turn."""
        daily = self._next_sweep.hour < SWEEP_EVERY.seconds // 3600
        self._next_sweep += SWEEP_EVERY
        if daily:
            for station in self.town.stations.values():
                await station.beat()
                station.station.memory.forget_ended()
        await self._report()
        if daily:
            await asyncio.gather(sweep(self.hub), sweep(self.hub))  # two hub processes, as it were
            await self.follow()
        else:
            await sweep(self.hub)
        await self._sample()
        await self._carry()

    async def follow(self) -> None:
        """Followers read to the end: each carrier's feed is numbered, notices are noted."""
        while await turn(self.hub.pool, "feed", number_feed) + await turn(self.hub.pool, NAME, self._teller.note):
            pass

    async def _sample(self) -> None:
        async with self.hub.pool.acquire() as connection:
            rooms = await hub_stations.rooms(connection, self.town.stations)
        inside = committed = usable = 0
        fullest = most = 0.0
        for name, station in self.town.stations.items():
            here, size = station.station.memory.room().taken.bit_count(), len(station.desk.plan.place)
            room = rooms[name]
            good = size - ((room.broken | room.held) & ~room.taken).bit_count()
            owed = room.taken.bit_count() + sum(room.promised.values())
            inside, committed, usable = inside + here, committed + owed, usable + good
            fullest, most = max(fullest, here / size), max(most, owed / good if good else 0.0)
        self.tally.sample(Sample(self.clock.now(), inside, committed, usable), fullest, most)

    # lines

    async def _carry(self, mended: Sequence[str] = ()) -> None:
        """To every station that the hub has news for, and on lines that were just mended."""
        heads, stations = await self._heads(), self.town.stations
        behind = [name for name in heads if heads[name] > stations[name].station.memory.has().number]
        await self._carry_all([*(name for name in behind if not stations[name].is_cut), *mended], mended)

    async def _carry_all(self, names: Sequence[str], mended: Sequence[str] = ()) -> None:
        up = (name for name in dict.fromkeys(names) if name in mended or not self.town.stations[name].is_cut)
        await asyncio.gather(*(self._carry_one(self.town.stations[name]) for name in up))

    async def _heads(self) -> dict[str, int]:
        streams = {self.hub.writer_for(name): name for name in self.town.stations}
        rows = await self.hub.pool.fetch("SELECT name, number FROM writer WHERE name = ANY($1)", list(streams))
        return {streams[row["name"]]: row["number"] for row in rows}

    async def _carry_one(self, station: PretendStation) -> None:
        try:
            await station.carry()
        except BadFrame as no:
            self.tally.problems.append(f"{station.name}: the line was closed: {no}")
            station.line = None  # dialled again at the next news
            return
        for story in self.untold.pop(station.name, ()):
            self.doors.told(story)

    async def _repair(self, names: Sequence[str]) -> None:
        """A technician frees the latches and the operator closes the station's cases, once the hub can tell it so."""
        for name in dict.fromkeys(names):
            station = self.town.stations[name]
            if station.is_cut:
                self.at(self.clock.now() + timedelta(hours=6), "repair", name)
                continue
            await self._carry_one(station)
            station.mend()
            await self.town.close_cases(name, "looked at")

    async def _end(self) -> None:
        """All lines up, everything told, everything due done."""
        for _ in range(2):
            for station in self.town.stations.values():
                await self._carry_one(station)
            await sweep(self.hub)
        await self.follow()


def _id(story: Story) -> UUID:
    assert story.parcel is not None, "announced before anything else is asked"
    return story.parcel


def order_of(story: Story, carrier: str) -> Order:
    offer = story.offer
    return Order(
        carrier=carrier, reference=offer.reference, length_mm=offer.length_mm, width_mm=offer.width_mm,
        height_mm=offer.height_mm, weight_g=offer.weight_g, expected_at=offer.expected_at,
    )  # fmt: skip


def canary(reference: str) -> Person:
    """Nobody real: a person to be told, whose address must turn up in no journal."""
    return Person(name=f"Canary {reference}", email=f"{reference}@canary.invalid", phone="+5511900000000")
