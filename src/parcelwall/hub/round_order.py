"""In which order a courier goes to stations: given by the office for a day, and what the courier passes of it. Facts.

It is advice for the courier's phone. A station neither knows nor keeps it: whoever is admitted there opens its doors.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub.cases import case_of
from parcelwall.hub.commands import Answer, Command
from parcelwall.hub.house import Hub
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import OF_HUB, Stations
from parcelwall.rules.facts_round import RoundOrdered, StopPassed

MOST_STATIONS = 100
AHEAD_DAYS = 30
Why = Literal["been", "unreachable"]

_OF_COURIER = """nullif(split_part(split_part(body, '"courier":"', 2), '"', 1), '') = $1"""
_TOLD = f"""
SELECT kind, body, happened_at FROM entry WHERE kind IN ('RoundOrdered', 'StopPassed') AND {_OF_COURIER} AND {OF_HUB}
  AND happened_at >= $2 ORDER BY happened_at, number"""  # noqa: S608 - a text of our own
_RESTORED = """
SELECT max(happened_at) FROM entry WHERE writer = ANY($1::text[]) AND number = 1 AND kind = 'EpochBegan'
  AND happened_at >= $2"""


class Passed(msgspec.Struct, frozen=True):
    station: str
    why: Why
    at: datetime


class Ordered(msgspec.Struct, frozen=True):
    """One day's order, and what its courier has passed of it since, each stop once."""

    day: date
    stations: tuple[str, ...] = ()
    at: datetime | None = None
    actor: UUID | None = None
    passed: tuple[Passed, ...] = ()


async def of_day(hub: Hub, courier: UUID, day: date) -> Ordered:
    """The order of that day; without stations where there is none."""
    return (await _orders(hub, courier)).get(day, Ordered(day))


async def today(hub: Hub, courier: UUID) -> Ordered | None:
    """The order that holds now: of today in the zone of its first station. None where there is none."""
    orders = (await _orders(hub, courier)).values()
    return next((each for each in orders if each.stations and each.day == day_at(hub, each.stations[0])), None)


def day_at(hub: Hub, station: str) -> date:
    """Today, where that station stands."""
    return hub.clock.now().astimezone(ZoneInfo(zone_of(hub, station))).date()


def zone_of(hub: Hub, station: str) -> str:
    """Its IANA name; UTC for a station that there is not."""
    known = hub.stations.known.get(station)
    return known.about.zone if known else "UTC"


async def restored_at(hub: Hub) -> datetime | None:
    """When this hub was last brought back from a backup, if an order that was given since that backup could hold yet.
    No station holds orders, so such an order is gone, and only somebody who knows it can give it again."""
    since = hub.clock.now() - timedelta(days=AHEAD_DAYS + 2)
    first_entries = [hub.streams.station(each) for each in hub.stations.known]
    at: datetime | None = await hub.pool.fetchval(_RESTORED, first_entries, since)
    return at


async def _orders(hub: Hub, courier: UUID) -> dict[date, Ordered]:
    """Of each day for which one may hold yet."""
    since = hub.clock.now() - timedelta(days=AHEAD_DAYS + 2)
    found: dict[date, Ordered] = {}
    for row in await hub.pool.fetch(_TOLD, str(courier), since):
        if row["kind"] == "RoundOrdered":
            fact = msgspec.json.decode(row["body"], type=RoundOrdered)
            passed = found[fact.day].passed if fact.day in found else ()
            found[fact.day] = Ordered(fact.day, fact.stations, row["happened_at"], fact.actor, passed)
            continue
        told = msgspec.json.decode(row["body"], type=StopPassed)
        known = found.get(told.day, Ordered(told.day))
        if told.station not in {each.station for each in known.passed}:
            passed = (*known.passed, Passed(told.station, told.why, row["happened_at"]))
            found[told.day] = msgspec.structs.replace(known, passed=passed)
    return found


async def give(
    hub: Hub, courier: UUID, day: date, stations: Sequence[str], admitted: Collection[str], actor: UUID | None
) -> Ordered:  # fmt: skip
    """Gives the courier this order for that day, instead of one that was given before; none takes it back.

    Refuses stations where the courier is not admitted (`admitted` are those), one that is named twice, and a day that
    is over or more than AHEAD_DAYS ahead.
    """
    if strange := [each for each in stations if each not in admitted]:
        raise Refusal("bad_field", f"The courier is not admitted at {', '.join(strange)}.", field="stations")
    if len(set(stations)) < len(stations) or len(stations) > MOST_STATIONS:
        raise Refusal("bad_field", f"Each station once, at most {MOST_STATIONS}.", field="stations")
    first = day_at(hub, stations[0] if stations else next(iter(sorted(admitted)), ""))
    if not first <= day <= first + timedelta(days=AHEAD_DAYS):
        raise Refusal("bad_field", f"Today, or one of the {AHEAD_DAYS} days after it.", field="day")
    await hub.note(RoundOrdered(courier=courier, day=day, stations=tuple(stations), actor=actor))
    return await of_day(hub, courier, day)


class PassStop(Command, kw_only=True):
    """A courier goes on without a stop that comes first. One that could not be reached is a case, once while that is
    open."""

    needs_cases = True
    courier: UUID
    station: str
    day: date
    why: Why

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [], [self.station]

    def decide(self, at: Sitting) -> Answer:
        passed = StopPassed(courier=self.courier, station=self.station, day=self.day, why=self.why)
        at.record(passed, at.streams.slot)
        return Answer(200, {"case": str(case_of(at, "stop_unreachable", self.station)) if self.why != "been" else ""})
