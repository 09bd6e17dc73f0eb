"""What is asked of the hub: shops announce, reserve, cancel, move and report; recipients ask for more time. Calls come
twice, late and out of order."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from parcelwall.hub.commands import Announce, Answer, Cancel, Destination, Divert, Extend, RenewCode, Report, Reserve
from parcelwall.hub.ending import WriteOff
from parcelwall.hub.people import Person
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.stations import rooms
from parcelwall.rules.decide import Order
from parcelwall.rules.life import Parcel
from parcelwall.rules.places import Room
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.checks import overpromised
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import Ledger
from parcelwall.simulation.faults.plan import Plan
from parcelwall.simulation.faults.things import Thing
from parcelwall.simulation.faults.trace import Notebook
from parcelwall.simulation.faults.upstairs import Reply, Upstairs, Wish

CARRIER = "carrier"
WRITES_OFF = {"write off": "nobody finds it", "give up": "given_up"}  # why
OTHER_WAYS = {"cancel": 0.03, "move": 0.04, "divert": 0.02, "report": 0.15}


class Shop:
    """Everybody who calls the API."""

    def __init__(
        self, upstairs: Upstairs, plan: Plan, weather: Weather, luck: Luck, ledger: Ledger, stations: Sequence[str],
        people: bool, overbook: int,
    ) -> None:  # fmt: skip
        self.upstairs, self.plan, self.weather, self.luck, self.ledger = upstairs, plan, weather, luck, ledger
        self.stations, self.people, self.overbook = list(stations), people, overbook
        self.book = Notebook("hub")
        self.by_id: dict[UUID, Thing] = {}
        self._repeated: list[Thing] = []
        self._wished: Counter[str] = Counter()
        self._asked: list[tuple[str, Wish, str, Thing]] = []

    def wish(self, what: str, thing: Thing) -> None:
        """Something to ask with the next batch. Calls that are repeated come again with the same key, hours later."""
        wish = self._made(what, thing)
        thing.changed = thing.changed or what in ("cancel", "move", "divert")
        thing.written_off = thing.written_off or what in WRITES_OFF
        key = f"{what}/{thing.reference}" + (f"/{thing.lost}/{thing.name}" if thing.lost else "")
        self._wished[key] += 1  # what was planned before the hub lost it may come beside what was planned since
        key += f"/{self._wished[key]}" if self._wished[key] > 1 else ""
        self._asked.append((key, wish, what, thing))
        if self.weather.strikes("F31", self.luck):
            later = self.luck.pick((0.0, 0.5, 5.0, 60.0, 130.0))
            self.plan.at(self.upstairs.clock.now() + timedelta(hours=later), "again", (key, wish, what, thing))

    def again(self, call: Any) -> None:
        self._asked.append(call)
        self._repeated.append(call[3])

    def _made(self, what: str, thing: Thing) -> Wish:
        known: dict[str, Any] = {"carrier": CARRIER, "parcel": thing.id}
        if what in ("announce", "announce alone"):
            return self._announcement(thing, to=thing.station if what == "announce" else None)
        if what == "reserve":
            there = thing.station  # as the slip says now: a repeated call says the same
            return lambda: Reserve(**known, destination=Destination(station_id=there))
        if what == "move":
            station = self.luck.pick([name for name in self.stations if name != thing.station] or self.stations)
            return lambda: Reserve(**known, destination=Destination(station_id=station))
        if what == "cancel":
            return lambda: Cancel(**known, why="changed my mind")
        if what == "divert":
            return lambda: Divert(**known, reason="no_fitting_compartment")
        if what == "extend":
            return lambda: Extend(carrier=None, parcel=known["parcel"], by="recipient")
        if what in WRITES_OFF:
            return lambda: WriteOff(parcel=known["parcel"], why=WRITES_OFF[what])
        if what == "renew":
            return lambda: RenewCode(parcel=known["parcel"])
        return lambda: Report(**known, mark="departed")

    def _announcement(self, thing: Thing, to: str | None) -> Wish:
        order = Order(
            carrier=CARRIER, reference=thing.reference, length_mm=thing.sides_mm[0], width_mm=thing.sides_mm[1],
            height_mm=thing.sides_mm[2], weight_g=thing.weight_g, expected_at=thing.bring_at,
        )  # fmt: skip
        canary = Person(name=f"Canary {thing.reference}", email=f"{thing.reference}@canary.invalid")
        person = canary if self.people else None
        return lambda: Announce(order=order, person=person, destination=Destination(station_id=to) if to else None)

    async def ask(self) -> bool:
        """All that was wished for, in one batch; then what follows from the answers. Whether there was anything."""
        asked, self._asked = self._asked, []
        if not asked:
            return False
        if self.weather.strikes("F27", self.luck):
            self.upstairs.processes[self.luck.whole(0, 1)].fate.deadlock_next()
        await self._count_repeats()
        before = await self._rooms()
        answers = await self.upstairs.ask([(key, wish) for key, wish, _, _ in asked])
        for text in overpromised(self.upstairs.first.stations.known, before, await self._rooms(), self.overbook):
            self.book.violated(self.upstairs.clock.now(), text)
        done: set[str] = set()
        for (key, _, what, thing), answer in zip(asked, answers, strict=True):
            if key in done:
                continue
            done.add(key)
            self._answered(what, thing, answer)
        return True

    async def _count_repeats(self) -> None:
        """In which stages the parcels of repeated calls are by now."""
        repeated, self._repeated = self._repeated, []
        known = await self.recall([thing for thing in repeated if thing.id]) if repeated else {}
        for parcel in known.values():
            self.ledger.struck("F31", (parcel.stage.value,))

    async def _rooms(self) -> dict[str, Room]:
        async with self.upstairs.eye.acquire() as connection:
            return await rooms(connection, self.stations)

    def _answered(self, what: str, thing: Thing, answer: Reply) -> None:
        said = answer.body.get("stage", "") if isinstance(answer, Answer) else answer.reason
        self.book.note(self.upstairs.clock.now(), f"{what}: {said}", thing.name)
        if not isinstance(answer, Answer):
            if what == "reserve" and not self.luck.happens(0.1):  # else it is brought all the same
                thing.life = "home"
            return
        if what == "give up" and thing.given_up:
            self.ledger.struck("F39", thing.given_up)
            thing.given_up = ()
        if what in ("announce", "announce alone") and thing.id and answer.body["id"] != str(thing.id):
            thing.second_id = UUID(answer.body["id"])
        if what in ("announce", "announce alone", "reserve") and thing.life in ("planned", "announced"):
            self._announced(what, thing, answer)
        elif what == "move" and thing.life == "promised":
            thing.moved_to = answer.body["station"]

    def _announced(self, what: str, thing: Thing, answer: Answer) -> None:
        if thing.id is None:
            thing.id = UUID(answer.body["id"])
            self.by_id[thing.id] = thing
            thing.life = "announced"
        if answer.body["stage"] == "RESERVED":
            thing.life = "promised"
            for way, rate in OTHER_WAYS.items():
                if self.luck.happens(rate):
                    wait = (thing.bring_at - self.upstairs.clock.now()) * self.luck.between(0.2, 1.1)
                    self.plan.at(self.upstairs.clock.now() + wait, way, thing)
        elif answer.body["stage"] != "ANNOUNCED":
            thing.life = "home"
        elif what == "announce alone":
            self.plan.at(self.upstairs.clock.now() + timedelta(minutes=30), "reserve", thing)

    async def recall(self, things: Sequence[Thing]) -> dict[UUID, Parcel]:
        """The hub's rows of these parcels."""
        ids = [thing.id for thing in things]
        rows = await self.upstairs.eye.fetch("SELECT record FROM parcel WHERE id = ANY($1::uuid[]) ORDER BY id", ids)
        return {parcel.id: parcel for parcel in (read_parcel(row["record"]) for row in rows)}
