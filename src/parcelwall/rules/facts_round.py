"""The order of a courier's stops, and what the courier passes of it. `facts.py` has all other kinds."""

from datetime import date
from typing import Literal
from uuid import UUID

from parcelwall.rules.fact import Fact


class RoundOrdered(Fact, frozen=True, kw_only=True):
    """In which order a courier goes to stations on that day, in the zone of the first of them. The newest one of a
    courier and a day counts; one without stations takes the order back."""

    courier: UUID
    day: date
    stations: tuple[str, ...] = ()
    actor: UUID | None = None


class StopPassed(Fact, frozen=True, kw_only=True):
    """A courier goes on though that stop of the day's order comes first: they have `been` there, which the hub may not
    have heard, or could not get there."""

    courier: UUID
    station: str
    day: date
    why: Literal["been", "unreachable"]
