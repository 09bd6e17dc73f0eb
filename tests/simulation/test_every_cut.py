"""The power goes at every single step of a visit: each write, each sync, each word with the boards, in turn."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from parcelwall import clock as clocks
from parcelwall.clock import VirtualClock
from parcelwall.hub.network import Enrolment
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft
from parcelwall.rules import access, facts
from parcelwall.rules.life import Stage
from parcelwall.simulation.faults.chance import Streams
from parcelwall.simulation.faults.disk import Shelf, a_shelf
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.operators import has_cause
from parcelwall.simulation.faults.outpost import Outpost, enrolled
from parcelwall.simulation.faults.putting_right import Again, PuttingRight, as_it_ended
from parcelwall.simulation.faults.refusals import Refusals
from parcelwall.simulation.faults.things import Behind, Thing, made
from parcelwall.simulation.faults.timepiece import Timepiece
from parcelwall.simulation.faults.visiting import Dark, Visiting
from parcelwall.station.verify import verify_station
from parcelwall.station.visit import Visit
from station.towns import NOW, about

SECRET, WRITER, MOST_STEPS = bytes(range(32)), "hub:1/S-0001", 200
DONE = {"deposit": Stage.READY, "collect": Stage.COLLECTED, "take_back": Stage.TAKEN_BACK,
        "put_right": Stage.TAKEN_BACK}  # fmt: skip


class Bench:
    """One station without a hub: what the hub would ship is written here."""

    def __init__(self, folder: Path, shelf: Shelf, seed: str) -> None:
        streams, start = Streams(seed), VirtualClock(NOW)
        ids, luck = streams.ids("S-0001", start), streams.luck("luck", start)
        self.ledger, self.behind = Ledger(), Behind()
        self.post = Outpost(about(columns="SSSSSSSS"), folder, shelf, Timepiece(NOW), ids, luck, self.ledger)
        self.visiting = Visiting(Weather({}), self.ledger, {"S-0001": self.behind}, lambda *_: None)
        self.refusals = Refusals({"S-0001": self.behind}, is_calm=False)
        self.putting_right = PuttingRight(self.visiting, {"S-0001": self.behind}, self.refusals)
        self.courier, self._head = ids.new(), chain.start(WRITER)

    async def start(self) -> "Bench":
        async def enrol(claim: str, key: bytes) -> Enrolment:
            return Enrolment("S-0001", SECRET.hex(), WRITER, "00" * 32)

        await enrolled(self.post, "claim", enrol)
        await self.post.start()
        rights = facts.Granted(grant=self.post.ids.new(), station="S-0001", may=("deposit", "take_back"),
                               courier=self.courier)  # fmt: skip
        self.hear(self.post.about, rights)
        return self

    def hear(self, *told: facts.Fact) -> None:
        at = clocks.text(self.post.clock.now())
        entries = chain.extend(WRITER, self._head, [Draft(fact.kind, at, facts.body(fact)) for fact in told])
        self._head = chain.Head(entries[-1].number, entries[-1].hash)
        self.post.up.memory.receive(entries)

    def promised(self, number: int) -> Thing:
        now = self.post.clock.now()
        thing = made(f"PW-{number:04}", "S-0001", now, 1.0, self.post.luck)
        thing.sides_mm, thing.weight_g, thing.id, thing.life = (300, 200, 60), 900, self.post.ids.new(), "promised"
        tag = access.label_tag(access.subkey(SECRET, "label-tag"), thing.reference)
        self.hear(facts.Reserved(
            parcel=thing.id, reservation=self.post.ids.new(), station="S-0001", size="S",
            deposit_by=now + timedelta(hours=72), length_mm=300, width_mm=200, height_mm=60, weight_g=900,
            hold_hours=48, label_tag=tag, selector=thing.selector,
        ))  # fmt: skip
        return thing

    async def act(self, purpose: str, thing: Thing) -> Visit:
        desk = self.post.up.desk
        begin = {
            "deposit": lambda: desk.deposit_by_label(thing.reference, self.courier),
            "collect": lambda: desk.collect_by_code(self.code(thing)),
            "take_back": lambda: desk.take_back(self._id(thing), self.courier),
        }[purpose]
        return await self.visiting.through(self.post, begin, thing)

    async def take_out_again(self, put_in: Visit, thing: Thing) -> None:
        """Whoever has put it in opens its door once more, and says that they take it out."""
        ended, again = as_it_ended(self.post, put_in), Again(self.courier, False, "takes out")
        again.opened_at = self.post.opened_at
        assert ended is not None
        await self.putting_right.comes(self.post, ended, thing, None, again, self.courier)

    def code(self, thing: Thing) -> str:
        known = self.post.up.memory.parcel(self._id(thing))
        assert known is not None
        assert known.reservation is not None
        return access.pickup_code(access.subkey(SECRET, "pickup-code"), "S-0001", known.reservation, known.generation)

    @staticmethod
    def _id(thing: Thing) -> UUID:
        assert thing.id is not None
        return thing.id

    def stage(self, thing: Thing) -> Stage:
        known = self.post.up.memory.parcel(self._id(thing))
        assert known is not None
        return known.stage

    async def light(self) -> None:
        """Power again; whatever stands open is pushed shut; the keeper looks."""
        self.post.clock.advance(700)
        while not await self.post.start():
            self.post.clock.advance(700)
        for line in self.post.profile.doors:
            self.post.boards.push_closed(line.door)
        for _ in range(3):
            await self.post.clock.sleep(1.0)
            await self.post.look()
        self.visiting.judge_interrupted(self.post)

    async def tidy_up(self, thing: Thing) -> None:
        """Somebody looks at the cases and empties the station."""
        for case in list(self.post.up.memory.book.cases.values()):
            self.hear(facts.CaseClosed(case=case.id, station="S-0001", outcome="looked"))
        if self.stage(thing) in (Stage.READY, Stage.OVERDUE):
            thing.taken_unseen = True
            self.behind.muddled.add(self.post.up.memory.parcel(self._id(thing)).compartment or 0)  # type: ignore[union-attr]
            self.post.clock.advance(700)
            await self.act("collect", thing)
        elif self.stage(thing) == Stage.RESERVED:
            self.hear(facts.Cancelled(parcel=self._id(thing)))
        for door in range(1, 9):
            self.behind.clear(door)
        self.post.clock.advance(700)

    def wrong(self) -> list[str]:
        """Whatever is; and every case of a door has come of what was done there."""
        cases = self.post.up.memory.book.cases.values()
        idle = [f"{each.about} of door {each.compartment}" for each in cases
                if not has_cause(self.post, each.compartment or 0, each.about)]  # fmt: skip
        seen = [violation.text for violation in self.post.book.violations]
        return seen + idle + verify_station(self.post.up.memory)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with a_shelf() as shelf:
        yield shelf


@pytest.mark.parametrize("kind", ["F07", "F08"])
@pytest.mark.parametrize("purpose", DONE)
async def test_a_cut_at_every_step(tmp_path: Path, shelf: Shelf, purpose: str, kind: str) -> None:
    bench = await Bench(tmp_path, shelf, f"{purpose}/{kind}").start()
    cuts = 0
    for step in range(1, MOST_STEPS):
        thing = bench.promised(step)
        if purpose != "deposit":
            put_in = await bench.act("deposit", thing)
        if purpose == "take_back":
            bench.post.clock.advance(48 * 3600)
            bench.hear(facts.Expired(parcel=bench._id(thing)))
        bench.post.clock.advance(30)
        bench.post.arm(kind, step)
        try:
            await (bench.take_out_again(put_in, thing) if purpose == "put_right" else bench.act(purpose, thing))
        except Dark:
            cuts += 1
        else:
            break
        await bench.light()
        assert bench.wrong() == [], f"cut at step {step}"
        assert bench.stage(thing) in (DONE[purpose], Stage.RESERVED, Stage.READY, Stage.OVERDUE)
        await bench.tidy_up(thing)
        assert bench.wrong() == [], f"after the cut at step {step}"
    assert cuts > 15, "each was another step"
    assert bench.stage(thing) == DONE[purpose]
    assert bench.wrong() == []
    states = {pair.split(" x ")[1].split(",")[0] for pair in bench.ledger.covered}
    assert states >= {"written", "pulsed", "open", "shut"}, "of every state of a visit some"
    bench.post.fuse.mend()
    await bench.post.up.doors.close()
    bench.post.up.memory.close()


async def test_a_cut_while_the_station_starts(tmp_path: Path, shelf: Shelf) -> None:
    """Cut in the middle of a deposit, and again at each step of the start that follows."""
    bench = await Bench(tmp_path, shelf, "starts").start()
    starts = 0
    for step in range(1, MOST_STEPS):
        thing = bench.promised(step)
        bench.post.arm("F08", 14)
        with pytest.raises(Dark):
            await bench.act("deposit", thing)
        bench.post.clock.advance(700)
        bench.post.arm("F13", step)
        came_up = await bench.post.start()
        starts += not came_up
        if came_up:
            bench.post.fuse.mend()
            break
        await bench.light()
        assert bench.wrong() == [], f"cut at step {step} of the start"
        await bench.tidy_up(thing)
    assert starts >= 3
    await bench.post.up.doors.close()
    bench.post.up.memory.close()


@pytest.mark.parametrize(("kind", "told_by_the_first"), [("F13", {False}), ("F07", {False, True})])
async def test_a_start_that_tells_how_long_the_computer_was_off_and_is_cut_short(
    tmp_path: Path, shelf: Shelf, kind: str, told_by_the_first: set[bool]
) -> None:  # fmt: skip
    """What was told before the cut and is known to be told is not told again; else the next start tells all of it."""
    bench = await Bench(tmp_path, shelf, "outages").start()
    post, told_already = bench.post, set[bool]()
    for step in range(1, MOST_STEPS):
        await post.works()
        off_at = post.clock.now()
        post.kind_of_stop = "F08"
        await post.stop()
        post.clock.advance(2 * 3600)
        post.arm(kind, step)
        if await post.start():
            break
        post.clock.advance(400)
        cut_short_at = post.clock.now()
        assert await post.start()
        assert bench.wrong() == [], f"cut at step {step} of the start"
        outages = [facts.read(each.kind, each.body) for each in post.up.memory.since("S-0001", 0, 10_000)]
        since_then = [each for each in outages if isinstance(each, facts.StoodStill) and each.until > off_at]
        assert since_then[0].since - off_at <= timedelta(seconds=1)
        assert since_then[-1].until - off_at >= timedelta(hours=2)
        told_already.add(since_then[-1].until < cut_short_at)
    assert step > 10
    assert told_already >= told_by_the_first, "by the start that was cut short, or by the one after it"
    post.fuse.mend()
    await post.up.doors.close()
    post.up.memory.close()
