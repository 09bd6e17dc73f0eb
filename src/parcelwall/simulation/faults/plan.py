"""When what happens in a town: parcels, rounds, and the moments of faults, drawn a day ahead."""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import exp

from parcelwall.simulation import dwell
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.outpost import Outpost
from parcelwall.simulation.faults.things import Thing, made

LIST_HOURS = (6.0, 12.0, 16.0, 19.0, 22.0)  # at which carriers send their lists for the next day
ROUND_HOURS = (7.5, 11.0, 14.5, 18.0)
DAY = timedelta(days=1)
Item = tuple[datetime, str, object]  # when, what, who


class Plan:
    """What is to happen, by time. Those who come to one station are kept apart, so that stations may act at once."""

    def __init__(self) -> None:
        self._upstairs: list[tuple[datetime, int, str, object]] = []
        self._at: dict[str, list[tuple[datetime, int, str, object]]] = {}
        self._counts: dict[str, int] = {}

    def _count(self, name: str) -> int:
        self._counts[name] = self._counts.get(name, 0) + 1
        return self._counts[name]

    def at(self, when: datetime, what: str, who: object, station: str = "") -> None:
        heap = self._at.setdefault(station, []) if station else self._upstairs
        heapq.heappush(heap, (when, self._count(station), what, who))

    def next_due(self, until: datetime, station: str = "") -> Item | None:
        """What is to happen next, if it is before a time; taken off the plan."""
        heap = self._at.setdefault(station, []) if station else self._upstairs
        if not heap or heap[0][0] >= until:
            return None
        when, _, what, who = heapq.heappop(heap)
        return when, what, who

    def due(self, until: datetime) -> list[Item]:
        """All that is to be asked of the hub before a time, oldest first; taken off the plan."""
        found = []
        while item := self.next_due(until):
            found.append(item)
        return found


def parcels_of(station: str, day: datetime, place: int, a_day: tuple[int, int], luck: Luck) -> list[Thing]:
    """The parcels that couriers bring to a station on one day."""
    count = luck.whole(*a_day)
    things = []
    for number in range(count):
        brought = day + timedelta(hours=luck.pick(ROUND_HOURS))
        reference = f"PW-{station[2:]}-{place:03}-{number:04}"
        things.append(made(reference, station, brought, dwell.from_table(luck.chance.random()), luck))
    return things


def rounds_of(things: Sequence[Thing], luck: Luck) -> list[tuple[datetime, list[Thing]]]:
    """The same, as the rounds of couriers, some minutes late."""
    by_time: dict[datetime, list[Thing]] = {}
    for thing in things:
        by_time.setdefault(thing.bring_at, []).append(thing)
    return [(when + timedelta(minutes=luck.between(0, 50)), some) for when, some in sorted(by_time.items())]


def struck_at(day: datetime, rate: float, luck: Luck) -> list[datetime]:
    """The moments of one day at which something strikes that comes so many times a day on average."""
    if rate <= 0:
        return []
    count, left = 0, luck.chance.random()
    threshold = exp(-rate)
    while left > threshold:
        count += 1
        left *= luck.chance.random()
    return sorted(day + DAY * luck.chance.random() for _ in range(count))


STATION_DAY = ("F01", "F02", "F07", "F08", "F09", "F10", "F11", "F13", "F21", "F37")


def faults_of(post: Outpost, day: datetime, weather: Weather, plan: Plan, luck: Luck) -> None:
    """Puts the day's faults of one station on the plan."""
    for fault in STATION_DAY:
        for when in struck_at(day, weather.rate(fault), luck):
            plan.at(when, fault, post, post.name)
    for when in struck_at(day, weather.rate("F20") * 10, luck):
        plan.at(when, "prise", None, post.name)


def restores_of(start: datetime, days: int, times: float, luck: Luck) -> list[tuple[datetime, str]]:
    """Backups of the hub and what is restored from them, by turns, at random moments: so many of each in ten days, and
    one at least."""
    count = max(1, round(times * days / 10)) if times else 0
    moments = sorted(start + days * DAY * luck.chance.random() for _ in range(2 * count))
    return [(when, ("backup", "F28")[place % 2]) for place, when in enumerate(moments)]
