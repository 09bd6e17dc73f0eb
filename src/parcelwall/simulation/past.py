"""A week that a town has behind it: ordinary orders through the real desks on a virtual clock, up to now.

So that whoever opens the demo finds parcels behind doors, figures with something in them, and a few things that need
somebody. The books are the demo's own: hub and stations open them afterwards and go on.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from parcelwall.clock import VirtualClock
from parcelwall.hub.cases import HoldDoor
from parcelwall.hub.commands import Announce
from parcelwall.hub.people import Person
from parcelwall.hub.sweeps import sweep
from parcelwall.ids import Chance, seeded
from parcelwall.rules import facts
from parcelwall.simulation import dwell
from parcelwall.simulation.policies import named
from parcelwall.simulation.rows import Offer
from parcelwall.simulation.stories import Realism, Story, tell
from parcelwall.simulation.tally import Tally
from parcelwall.simulation.town import Town, a_town
from parcelwall.simulation.traffic import Traffic, order_of

DAYS = 7
PER_COMPARTMENT = 0.21  # parcels that are ordered for each compartment of a station on a day
SEED = 20_261_126
ROUND_HOURS = (8.5, 11.5)  # of the day, between which a courier comes
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
NAMES = ("Aino", "Eero", "Helmi", "Onni", "Venla", "Leo", "Siiri", "Toivo", "Elsa", "Väinö")
SIDES = ((250, 180, 40, 400), (300, 200, 60, 900), (320, 240, 70, 1200), (350, 300, 150, 2500), (370, 330, 170, 3200),
         (360, 350, 380, 6000), (600, 370, 390, 9000), (900, 500, 450, 14_000))  # fmt: skip
USUAL = (24, 26, 18, 12, 8, 7, 4, 1)  # how often each of them comes
WEEK = (1.2, 1.15, 1.1, 1.05, 1.0, 0.8, 0.55)  # Monday first
QUIRKS = Realism(near_m=60.0, jam_rate=0.006, wrong_code_rate=0.03, cut_every_days=0.0, move_rate=0.0)
PERMITS = (
    ("S-0001", "Kiinteistö Oy Kluuvi", "Helsingin kaupunki", "HEL 2024-011873", 410),
    ("S-0002", "Simonkadun huolto", "Helsingin kaupunki", "HEL 2023-007120", 24),
    ("S-0004", "Rautatieaseman kauppakuja", "Väylävirasto", "VÄYLÄ/4471", 61),
)  # fmt: skip


class Past(Traffic):
    """Traffic that ends at `until`, whatever would have come after."""

    carrier = "demo-post"

    def __init__(self, until: datetime, chance: Chance, *shared: Any) -> None:
        super().__init__(*shared)
        self.until, self._chance = until, chance

    def at(self, when: datetime, what: Any, who: Any) -> None:
        """Nothing happens after `until`."""
        if when < self.until:
            super().at(when, what, who)

    def announcement(self, story: Story) -> Announce:
        name, number = NAMES[self._chance.getrandbits(16) % len(NAMES)], story.offer.reference.lower()
        language = ("en", "de", "pl")[self._chance.getrandbits(16) % 3]
        person = Person(name=f"{name} Virtanen", email=f"{name[0].lower()}.{number}@example.org", language=language)
        return Announce(order=order_of(story, self.carrier), person=person)


async def live(data_dir: Path, stations: Sequence[facts.StationConfigured], now: datetime, courier: UUID) -> None:
    """Lives the week before `now` in `data_dir`, which must be new. `courier` is admitted at every station."""
    end = now - timedelta(minutes=5)  # people at the doors take their time: nothing is to happen after now
    clock = VirtualClock(end - timedelta(days=DAYS))
    chance = seeded(clock, SEED).chance
    data_dir.mkdir(parents=True, exist_ok=True)
    async with a_town(data_dir, clock, seeded(clock, SEED + 1), durable=False) as town:
        for about in stations:
            pretend = await town.station(about, seeded(clock, SEED + int(about.station[2:]) * 1000))
            grant = facts.Granted(grant=town.ids.new(), station=about.station, may=("deposit", "take_back"),
                                  courier=courier)  # fmt: skip
            await town.hub.grant(grant)
            pretend.courier = courier
            await pretend.carry()
        offers = [offer for about in stations for offer in _ordered(about, clock.now(), chance)]
        tally = Tally(sum(len(about.layout.compartments) for about in stations))
        past = Past(end, chance, town, clock, named("standard"), QUIRKS, tally)
        past.begin(tell(offers, 1.0, QUIRKS, dwell.from_table, chance), {})
        await past.run()
        await _leave(town, clock, end)


def _ordered(about: facts.StationConfigured, since: datetime, chance: Chance) -> list[Offer]:
    """What people near one station order, day by day: more on Mondays, brought the next morning or the one after."""
    zone, offers = ZoneInfo(about.zone), []
    first = since.astimezone(zone).date()
    for day in (first + timedelta(days=each) for each in range(DAYS + 1)):
        usual = PER_COMPARTMENT * len(about.layout.compartments) * WEEK[day.weekday()]
        count = int(usual) + (chance.random() < usual % 1)
        offers += [_offer(about, day, zone, since, chance) for _ in range(count)]
    return offers


def _offer(
    about: facts.StationConfigured, day: date, zone: ZoneInfo, since: datetime, chance: Chance
) -> Offer:  # fmt: skip
    length, width, height, weight = pick(SIDES, USUAL, chance)
    purchased = max(since, on(day, 7 + 16 * chance.random(), zone))
    low, high = ROUND_HOURS
    brought = on(day + timedelta(days=1 + (chance.random() < 0.3)), low + (high - low) * chance.random(), zone)
    number = "".join(LETTERS[chance.getrandbits(16) % len(LETTERS)] for _ in range(3))
    return Offer(
        reference=f"PW-{number}-{chance.getrandbits(32) % 9000 + 1000}", purchased_at=purchased,
        carrier_at=purchased + timedelta(hours=3), delivered_at=brought if chance.random() < 0.97 else None,
        expected_at=brought, lat=about.lat, lon=about.lon, length_mm=length, width_mm=width, height_mm=height,
        weight_g=weight,
    )  # fmt: skip


def on(day: date, hour: float, zone: ZoneInfo) -> datetime:
    """The moment of a day at which its clocks show so many hours; the hour may have parts."""
    return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(hours=hour)


def pick(things: Sequence[Any], weights: Sequence[int], chance: Chance) -> Any:
    """One of the things, each as often as its weight says."""
    luck = chance.random() * sum(weights)
    for thing, weight in zip(things, weights, strict=True):
        luck -= weight
        if luck < 0:
            return thing
    return things[-1]


async def _leave(town: Town, clock: VirtualClock, end: datetime) -> None:
    """The last things of the week: a door out of order, permits on paper, recipients told long ago."""
    clock.move_to(end)
    await town.hub.desk.ask(HoldDoor(station="S-0002", compartment=7, why="the hinge is bent"))
    for station, host, authority, permit, days in PERMITS:
        until = (end + timedelta(days=days)).date()
        await town.hub.note(
            facts.SiteNoted(station=station, host=host, authority=authority, permit=permit, valid_until=until)
        )
    await sweep(town.hub)
    for pretend in town.stations.values():
        await pretend.carry()
    await town.hub.pool.execute("UPDATE notice SET state = 'sent', sent_at = $1 WHERE state = 'waiting'", end)
