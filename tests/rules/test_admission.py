"""Order-time admission over whole stories: announcing, moving, cancelling, lapsing, doors and faults, in any order.

What was promised can always be kept: as long as no door has failed, all promises fit at once, every courier who comes
with a promised parcel finds a door, and no compartment holds two.
"""

import random
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.errors import Refusal
from parcelwall.rules import decide, facts
from parcelwall.rules.book import Book
from parcelwall.rules.decide import Order
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.places import promises_fit
from parcelwall.rules.policy import DEFAULT
from rules.samples import NOW

HEIGHTS, STATIONS = (60, 60, 60, 150, 150, 300), ("S-0001", "S-0002")


class Story:
    """A book and everybody who writes into it; `faulty` once a door has failed."""

    def __init__(self, seed: int) -> None:
        self.chance, self.book, self.now = random.Random(seed), Book(), NOW
        self.faulty = False
        self.promised = self.refused = self.brought = 0
        for station, columns in zip(STATIONS, ("SSSMML", "SSML"), strict=True):
            self.learn(facts.StationConfigured(station=station, name="", address="", lat=0, lon=0,
                                               layout=plain_layout(columns)))  # fmt: skip

    def id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128))

    def learn(self, fact: facts.Fact, station: str | None = None) -> None:
        self.book.learn(fact, self.now, station)

    def step(self) -> None:
        self.now += timedelta(hours=1)
        deeds = [self.announce] * 4 + [self.bring] * 3 + [self.collect] * 2
        deeds += [self.move, self.cancel, self.lapse, self.fault]
        self.chance.choice(deeds)()
        self.check()

    def some(self, *stages: Stage) -> Parcel | None:
        found = [parcel for parcel in self.book.parcels.values() if parcel.stage in stages]
        return self.chance.choice(found) if found else None

    def announce(self) -> None:
        parcel = self.id()
        order = Order(carrier="acme", reference=str(parcel), length_mm=300, width_mm=200, weight_g=900,
                      height_mm=self.chance.choice(HEIGHTS), reach=self.chance.random() < 0.2)  # fmt: skip
        self.learn(decide.announce(order, parcel, None))
        self.reserve(self.book.parcels[parcel], self.chance.choice(STATIONS))

    def reserve(self, parcel: Parcel, station: str) -> None:
        room = self.book.rooms[station]
        try:
            fact = decide.reserve(
                parcel, station, self.book.plans[station], room, self.id(), "", "", self.now, DEFAULT
            )  # fmt: skip
        except Refusal:
            self.refused += 1
        else:
            self.promised += 1
            self.learn(fact)

    def move(self) -> None:
        if parcel := self.some(Stage.RESERVED, Stage.ANNOUNCED):
            self.reserve(parcel, next(name for name in STATIONS if name != parcel.station))

    def cancel(self) -> None:
        if parcel := self.some(Stage.RESERVED):
            self.learn(decide.cancel(parcel, "", "carrier"))

    def lapse(self) -> None:
        if parcel := self.some(Stage.RESERVED):
            assert parcel.deposit_by is not None
            fact = decide.lapse(parcel, self.now, self.now, DEFAULT)
            assert (fact is not None) == (parcel.deposit_by < self.now)
            if fact:
                self.learn(fact)

    def bring(self) -> None:
        parcel = self.some(Stage.RESERVED)
        if parcel is None or parcel.station is None or parcel.reservation is None:
            return
        plan, room = self.book.plans[parcel.station], self.book.rooms[parcel.station]
        assert parcel.deposit_by is not None
        if self.now > parcel.deposit_by:
            return
        try:
            compartment = decide.deposit(parcel, plan, room, self.now)
        except Refusal:
            if not self.faulty:
                raise  # room was promised
            return
        assert not room.unusable & plan.bit(compartment)
        self.brought += 1
        self.learn(facts.Deposited(
            parcel=parcel.id, reservation=parcel.reservation, station=parcel.station, compartment=compartment,
            collect_by=self.now, visit=self.id(),
        ))  # fmt: skip

    def collect(self) -> None:
        parcel = self.some(*INSIDE)
        if parcel and parcel.station and parcel.reservation and parcel.compartment:
            self.learn(facts.Collected(
                parcel=parcel.id, reservation=parcel.reservation, station=parcel.station,
                compartment=parcel.compartment, visit=self.id(),
            ))  # fmt: skip

    def fault(self) -> None:
        if self.chance.random() < 0.1:
            self.faulty = True
            number = self.chance.randint(1, 4)
            self.learn(facts.CompartmentHealth(compartment=number, usable=False), self.chance.choice(STATIONS))

    def check(self) -> None:
        inside = [(p.station, p.compartment) for p in self.book.parcels.values() if p.stage in INSIDE]
        assert len(inside) == len(set(inside)), "one compartment, one parcel"
        for station, plan in self.book.plans.items():
            assert self.faulty or promises_fit(plan, self.book.rooms[station])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_promised_is_kept(seed: int) -> None:
    story = Story(seed)
    for _ in range(120):
        story.step()


def test_the_stories_are_not_idle() -> None:
    stories = [Story(seed) for seed in range(10)]
    for story in stories:
        for _ in range(120):
            story.step()
    assert sum(story.promised for story in stories) > 150
    assert sum(story.refused for story in stories) > 50
    assert sum(story.brought for story in stories) > 100
