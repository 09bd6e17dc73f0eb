"""One pretend town under one weather: some stations, two hub processes, couriers, recipients, and days that go by."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from parcelwall.clock import VirtualClock
from parcelwall.hub.codes import token_of
from parcelwall.rules import access, facts
from parcelwall.rules.life import INSIDE
from parcelwall.rules.policy import Policy
from parcelwall.simulation.faults import checks, plan
from parcelwall.simulation.faults.blows import Blows, stages
from parcelwall.simulation.faults.chance import Luck, Streams
from parcelwall.simulation.faults.disk import Shelf
from parcelwall.simulation.faults.folk import Folk
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import VERBS, Ledger
from parcelwall.simulation.faults.line import Lines
from parcelwall.simulation.faults.operators import Operators
from parcelwall.simulation.faults.outpost import Outpost, enrolled
from parcelwall.simulation.faults.phone import Phones
from parcelwall.simulation.faults.plan import DAY, Plan
from parcelwall.simulation.faults.post_office import PostOffice
from parcelwall.simulation.faults.refusals import untold
from parcelwall.simulation.faults.restores import Restores
from parcelwall.simulation.faults.shop import Shop
from parcelwall.simulation.faults.things import Behind
from parcelwall.simulation.faults.timepiece import Timepiece
from parcelwall.simulation.faults.trace import Trace, Violation
from parcelwall.simulation.faults.upstairs import Upstairs
from parcelwall.simulation.faults.visiting import Visiting
from parcelwall.simulation.siting import layout_of

START = datetime(2026, 3, 2, tzinfo=UTC)
ZONE = "Europe/Helsinki"
COMPARTMENTS = (48, 48, 72)  # two boards of 24, or three
SWEEP_EVERY, BEAT_EVERY = timedelta(hours=2), timedelta(hours=3)
LOOKED_AT_AFTER_H = (1, 3, 12)  # when somebody looks at a station's cases; where much breaks they come soon
TOLD_AFTER = timedelta(minutes=3)
QUIET_DAYS, QUIET_STEP = 3, timedelta(hours=2)  # without new parcels, before everything is looked at
AT_THE_DOORS = frozenset({"round", "come", "hold", "shut", "prise", "guess"})


class Town:
    """Make it, `open` it, let `days` go by, `end` it."""

    def __init__(
        self, seed: str, dsn: str, folder: Path, shelf: Shelf, weather: Weather, ledger: Ledger, stations: int
    ) -> None:
        self.streams, self.clock = Streams(seed), VirtualClock(START)
        self.weather, self.ledger, self.folder, self.shelf = weather, ledger, folder, shelf
        self.luck = self.luck_of("town")
        self.trace, self.violations = Trace(), list[Violation]()
        self.plan, self.posts = Plan(), list[Outpost]()
        self.names = [f"S-{number:04}" for number in range(1, stations + 1)]
        self.behind = {name: Behind() for name in self.names}
        few = len(weather.rates) < 5 and {"F30", "F32"} & set(weather.rates)
        self.notices = self.luck.happens(0.25) or bool(few)  # each costs the hub as much as a parcel does
        looked_at_after = timedelta(hours=self.luck.pick(LOOKED_AT_AFTER_H[: 2 if weather.is_storm else 3]))
        self.step_length = timedelta(minutes=self.luck.pick((20, 40, 60, 90)))
        self.policy = Policy(
            version=2, hold_hours=self.luck.pick((24, 48, 72)), overbook=self.luck.pick((0, 0, 2)),
            deposit_window_hours=self.luck.pick((8, 24, 72)), extensions=self.luck.pick((0, 2)),
        )  # fmt: skip
        self.upstairs = Upstairs(dsn, folder, self.clock, self.streams, ledger)
        self.post_office = PostOffice(weather, ledger)
        self.upstairs.channels = {"email": self.post_office} if self.notices else {}
        self.lines = Lines(self.upstairs, weather, self.luck_of("lines"), ledger)
        self.shop = Shop(self.upstairs, self.plan, weather, self.luck_of("shop"), ledger, self.names, self.notices,
                         self.policy.overbook)  # fmt: skip
        self.blows = Blows(self.lines, self.plan, ledger)
        visiting = Visiting(weather, ledger, self.behind, self._shut_later)
        self.phones = Phones(self.upstairs, ledger, self.luck_of, self._later)
        self.folk = Folk(visiting, self.behind, self.shop.by_id, self.phones, self._later)
        self.upstairs.killed = self._lines_fall
        self.operators = Operators(self.upstairs, self.posts, self.behind, self.shop.by_id,
                                   self.plan, looked_at_after, self.luck_of("operators"))  # fmt: skip
        self._dies_in = dict.fromkeys(VERBS, 0)  # how many processes are to be killed at what
        self._dies_following = False
        self._restores = Restores(self.upstairs, self.lines, self.shop, self.posts, ledger)
        self._day, self._swept_at, self._beaten_at = 0, START, START

    def luck_of(self, name: str) -> Luck:
        return self.streams.luck(name, self.clock)

    # opening

    async def open(self) -> None:
        """Stations are configured and enrolled, couriers admitted, lines connected."""
        await self.upstairs.open()
        hub = self.upstairs.first
        layout = layout_of(self.luck.pick(COMPARTMENTS))
        for number, name in enumerate(self.names):
            about = facts.StationConfigured(
                station=name, name=f"Station {name}", address="", lat=60 + number / 100, lon=25.0,
                layout=layout, zone=ZONE,
            )  # fmt: skip
            await hub.configure(about)
            post = Outpost(about, self.folder, self.shelf, Timepiece(START), self.streams.ids(name, self.clock),
                           self.luck_of(f"luck of {name}"), self.ledger, self.weather.hooks)  # fmt: skip
            await enrolled(post, await hub.claim(name), hub.enrol)
            self.posts.append(post)
            await self._admit_courier(post)
        await self.upstairs.adopt(self.policy)
        for post in self.posts:
            await post.start()
            await self.lines.connect(post, post.luck.whole(1, 2))
        await self.lines.carry(self.posts, beats=True)

    async def _admit_courier(self, post: Outpost) -> None:
        hub = self.upstairs.first
        courier = post.ids.new()
        await hub.grant(facts.Granted(grant=post.ids.new(), station=post.name, may=("deposit", "take_back"),
                                      courier=courier))  # fmt: skip
        known = hub.stations.known[post.name]
        self.folk.couriers[post.name] = courier
        self.folk.courier_keys[post.name], self.folk.code_keys[post.name] = known.courier_key, known.code_key

    async def close(self) -> None:
        for post in self.posts:
            post.fuse.mend()
            if post.station:
                await post.station.doors.close()
                post.disk.let_go(post.station.memory.connection)
            self.shelf.disks.pop(str(post.path), None)
        await self.upstairs.close()

    # days

    async def days(self, count: int) -> None:
        """Parcels are brought on so many days; ends early at the first violation."""
        for when, what in plan.restores_of(START, count, self.weather.rate("F28"), self.luck_of("restores")):
            self.plan.at(when, what, None)
        for _ in range(count + 1):
            self._plan_day(brings=self._day < count)
            midnight = START + (self._day + 1) * DAY
            while self.clock.now() < midnight and not self.violations:
                await self._step(min(self.clock.now() + self.step_length, midnight))
            if not self.violations:
                await self._midnight()
            self._day += 1

    def _plan_day(self, brings: bool) -> None:
        """Tomorrow's parcels are announced today; today's faults strike today."""
        today = START + self._day * DAY
        for post in self.posts:
            luck = self.luck_of(f"day {self._day} of {post.name}")
            plan.faults_of(post, today, self.weather, self.plan, luck)
            if not brings:
                continue
            things = plan.parcels_of(post.name, today + DAY, self._day, self.weather.parcels_a_day, luck)
            for thing in things:
                alone = "announce alone" if luck.happens(0.2) else "announce"
                self.plan.at(today + timedelta(hours=luck.pick(plan.LIST_HOURS)), alone, thing)
            for when, some in plan.rounds_of(things, luck):
                self.plan.at(when, "round", some, post.name)
        luck = self.luck_of(f"day {self._day} upstairs")
        for fault in ("F06", "F25", "F29", "F30", "F39"):
            for when in plan.struck_at(today, self.weather.rate(fault), luck):
                self.plan.at(when, fault, None)

    async def _step(self, until: datetime) -> None:
        """One step of time: what is asked of the hub, what people do at the doors, what the lines carry."""
        twice = await self._upstairs_due(until)
        await self._restores.now(late=False)
        self._kill("ask", 12)
        if await self.shop.ask():
            self._kill("ingest", 12)
            await self.lines.carry(self.posts, beats=False)
        await asyncio.gather(*(self._at_the_station(post, until) for post in self.posts))
        self.clock.move_to(until)
        await self._restores.now(late=True)
        await self._connect()
        beats = until - self._beaten_at >= BEAT_EVERY
        self._deadlock()
        self._beaten_at = until if beats else self._beaten_at
        self._kill("ingest", 12)
        await self.lines.carry(self.posts, beats)
        if until - self._swept_at >= SWEEP_EVERY or twice:
            self._swept_at = until
            self._kill("sweep", 4)
            self._deadlock()
            await self.upstairs.sweep(twice)
            await self.operators.look()
            if self._dies_following:
                self._dies_following = False
                self.upstairs.dies_following(self.luck)
            self._kill("follow", 4)
            await self.upstairs.follow(twice, self.notices)
        if self.notices:
            await self.upstairs.hand_over()
        await self._tell()
        self._write_down()

    async def _upstairs_due(self, until: datetime) -> bool:
        """Wishes are collected and faults of the hub armed. Whether two processes sweep at once this time."""
        twice = False
        for _, what, who in self.plan.due(until):
            if what == "F25":
                self._dies_in[self.luck.pick(VERBS)] += 1
            elif what == "F30":
                self._dies_following = True
            elif what == "F06":
                self._all_anew()
            elif what == "F29":
                twice = True
            elif what == "F39":
                for thing in await self.operators.give_up(self.luck.pick(self.posts)):
                    self.shop.wish("give up", thing)
            elif what in ("backup", "F28"):
                self._restores.plan(what, late=self.luck.happens(0.5))
            elif what == "again":
                self.shop.again(who)
            elif what == "carry":
                self._kill("ingest", 6)
                await self.phones.hand_in(who)  # type: ignore[arg-type]
            elif what == "round":
                self.plan.at(self.clock.now(), "round", who, who[0].station)  # type: ignore[index]
            else:
                self.shop.wish(what, who)  # type: ignore[arg-type]
        return twice

    def _kill_soon(self, statements: int) -> None:
        """One of the processes dies at one of its next statements, or at the next commit or begin after it."""
        process = self.upstairs.processes[self.luck.whole(0, 1)]
        only_at = self.luck.pick(("", "COMMIT", "COMMIT", "BEGIN", "BEGIN"))
        process.fate.dies_in(self.luck.whole(1, statements), after=self.luck.happens(0.5), only_at=only_at)

    def _kill(self, verb: str, statements: int) -> None:
        """What is begun now is not ended by every process, if one was to be killed at it."""
        if self._dies_in[verb]:
            self._dies_in[verb] -= 1
            self._kill_soon(statements)

    def _deadlock(self) -> None:
        """One of the processes is the victim of one at what it locks next in what is begun now."""
        if self.weather.strikes("F27", self.luck):
            self.upstairs.processes[self.luck.whole(0, 1)].fate.deadlock_next()

    def _all_anew(self) -> None:
        live = [post for post in self.posts if post.link and post.station]
        for post in live:
            self.ledger.struck("F06", [post.link_state(), *sorted(stages(post))])
            post.note("F06: all stations connect anew")
            self.lines.cut(post)

    async def _at_the_station(self, post: Outpost, until: datetime) -> None:
        """Everybody and everything that comes to one station in this step, one after another."""
        while item := self.plan.next_due(until, post.name):
            when, what, who = item
            post.clock.move_to(when)
            await self._power(post)
            if what in AT_THE_DOORS:
                if post.station is None:
                    self.plan.at(post.clock.true + timedelta(minutes=40), what, who, post.name)
                else:
                    await self.folk.act(post, what, who)
            else:
                await self.blows.strike(post, what)
        post.clock.move_to(until)
        await self._power(post)
        if post.station and (post.restless or post.station.desk.unfinished()):
            await self.folk.act(post, "glance", None)
        await post.works()

    async def _power(self, post: Outpost) -> None:
        """A station whose time has come starts; some are stopped again while they do."""
        if post.station is None and post.back_at and post.back_at <= post.clock.true:
            if post.starts_badly:
                post.starts_badly = False
                post.arm("F13", post.luck.whole(1, 25))
            await post.start()

    async def _connect(self) -> None:
        for post in self.posts:
            cut = post.cut_until is not None and post.cut_until > self.clock.now()
            if post.station and post.link is None and not cut:
                await self.lines.connect(post, post.luck.whole(1, 2))

    def _lines_fall(self, slot: int) -> None:
        for post in self.posts:
            if post.link and post.link.slot == slot:
                self.lines.cut(post)

    # what people hear, and what operators do

    async def _tell(self) -> None:
        """Who has a parcel that the hub knows to be inside is told the code, and will come."""
        waiting = [thing for thing in self.shop.by_id.values() if thing.life == "inside" and not thing.code]
        known = await self.shop.recall(waiting) if waiting else {}
        for thing in waiting:
            parcel = known.get(thing.id) if thing.id else None
            if parcel is None or parcel.stage not in INSIDE or not parcel.station or not parcel.reservation:
                continue
            thing.code = access.pickup_code(
                self.folk.code_keys[parcel.station], parcel.station, parcel.reservation, parcel.generation
            )
            thing.code_of = (parcel.reservation, parcel.generation)
            thing.qr = token_of(self.upstairs.first, parcel)
            comes = max(self.clock.now() + TOLD_AFTER, self.clock.now() + timedelta(hours=thing.dwell_h))
            self.plan.at(comes, "come", thing, parcel.station)
            if parcel.collect_by and comes > parcel.collect_by and self.luck.happens(0.3):
                self.plan.at(parcel.collect_by - timedelta(hours=2), "extend", thing)

    # the plan

    def _later(self, post: Outpost, wait: timedelta, what: str, who: Any) -> None:
        if what == "hand over":
            self.plan.at(post.clock.true + wait, "round", [who])
        elif what == "carry":
            self.plan.at(post.clock.true + wait, what, who)
        else:
            self.plan.at(post.clock.true + wait, what, who, post.name)

    def _shut_later(self, post: Outpost, door: int, wait: timedelta) -> None:
        self.plan.at(post.clock.true + wait, "shut", door, post.name)

    # what is looked at

    def _write_down(self) -> None:
        for book in (self.upstairs.book, self.shop.book, *(post.book for post in self.posts)):
            self.violations += self.trace.take(book)

    async def _midnight(self) -> None:
        for parcel, text in await checks.at_midnight(self.upstairs, self.posts, self.policy.overbook):
            self.upstairs.book.violated(self.clock.now(), text, parcel)
        rows = await self.upstairs.eye.fetch("SELECT name, number, hash FROM writer ORDER BY name")
        for row in rows:
            self.trace.add(f"{row['name']} {row['number']} {row['hash'].hex()}")
        self._write_down()

    async def end(self) -> None:
        """All faults end, lines are mended, doors are shut, a few days pass; then everything is looked at."""
        if self.violations:
            return
        self.weather.rates.clear()
        self._dies_in = dict.fromkeys(VERBS, 0)
        self._restores.cease()
        for process in self.upstairs.processes:
            process.fate.spared()
        for post in self.posts:
            post.calm()
        for _ in range(QUIET_DAYS):
            midnight = START + (self._day + 1) * DAY
            while self.clock.now() < midnight and not self.violations:
                await self._step(min(self.clock.now() + QUIET_STEP, midnight))
            self._day += 1
        if self.violations:
            return
        await self._settle()
        found = await checks.at_the_end(self.upstairs, self.posts, self.behind, self.notices)
        found += untold(self.shop.by_id.values(), self.posts)
        found += [("", text) for text in self.post_office.doubles()]
        found += await checks.cases_in_calm(self.upstairs) if self.weather.is_calm else []
        for parcel, text in found:
            self.upstairs.book.violated(self.clock.now(), text, parcel)
        await self._midnight()

    async def _settle(self) -> None:
        for post in self.posts:
            for line in post.profile.doors:
                post.boards.push_closed(line.door)
            post.clock.move_to(self.clock.now())
            await self._power(post)
            for _turn in range(3):
                await post.clock.sleep(1.0)
                await post.look()
        for _turn in range(3):
            await self._connect()
            await self.lines.carry(self.posts, beats=True)
            await self.upstairs.sweep(False)
            await self.upstairs.follow(False, self.notices)
