"""What will happen to each parcel of a replay, drawn before it begins: who comes when, who errs, what jams.

Each parcel draws in the order of the file, so that one seed gives one town whatever happens at the doors.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import cos, log, pi, radians, sin, sqrt
from uuid import UUID

import msgspec

from parcelwall.ids import Chance
from parcelwall.simulation.rows import Offer

METRES_PER_DEGREE = 110_540.0
RUN_OUT = timedelta(days=30)  # after the last delivery lines are cut, and recipients come, for so long


class Realism(msgspec.Struct, frozen=True, kw_only=True):
    """How much goes wrong. Rates are shares of parcels, unless they say otherwise. All of it is judgement."""

    near_m: float = 250.0  # how far people live from the middle of their zip code: standard deviation each way
    scatter_days: float = 3.0  # copies of a parcel (`scale`) are shifted by up to so much either way
    cut_every_days: float = 20.0  # mean time between cuts of one station's line
    cut_hours: tuple[float, float] = (2.0, 12.0)
    long_cut_rate: float = 0.05  # share of the cuts that last long_cut_hours
    long_cut_hours: tuple[float, float] = (24.0, 96.0)
    wrong_code_rate: float = 0.02
    jam_rate: float = 0.002  # of doors, each time one is to open
    forgets_to_shut_rate: float = 0.002  # the door is left open until the next person pushes it shut
    extend_rate: float = 0.3  # of those who will come after the holding time
    move_rate: float = 0.01  # recipients who want another station on the day of delivery
    take_back_after_h: float = 72.0  # after the holding time; couriers leave the late ones alone for so long
    repair_after_h: float = 24.0


REALISM = Realism()


class Story(msgspec.Struct, kw_only=True):
    """One parcel's way through the replay; what is drawn comes first, what happens to it after."""

    offer: Offer
    place: tuple[float, float]
    dwell_h: float
    wrong_first: bool
    jams_in: bool
    jams_out: bool
    forgets: bool
    extends: bool
    moves_h: float | None  # hours before its delivery at which its recipient asks for another station
    parcel: UUID | None = None
    station: str = ""  # where the shop's slip says it goes
    moved_to: str = ""  # where its recipient has asked for room since
    fate: str = ""
    tries: int = 0
    deposited_at: datetime | None = None
    collect_by: datetime | None = None


def tell(
    offers: Sequence[Offer], scale: float, realism: Realism, dwell_of: Callable[[float], float], chance: Chance
) -> list[Story]:
    """The stories of a file's offers, each `scale` times (drawn for a fraction), in the order of purchase."""
    told = []
    for offer in offers:
        copies = int(scale) + (chance.random() < scale - int(scale))
        told += [_story(_copied(offer, copy, realism, chance), realism, dwell_of, chance) for copy in range(copies)]
    return sorted(told, key=lambda story: (story.offer.purchased_at, story.offer.reference))


def _copied(offer: Offer, copy: int, realism: Realism, chance: Chance) -> Offer:
    """The first copy is the parcel itself; others are like it, bought at some other time of those days."""
    if copy == 0:
        return offer
    shift = timedelta(days=(2 * chance.random() - 1) * realism.scatter_days)
    names = ("purchased_at", "carrier_at", "delivered_at", "expected_at")
    times = {name: when + shift if (when := getattr(offer, name)) else None for name in names}
    return msgspec.structs.replace(offer, reference=f"{offer.reference}/{copy + 1}", **times)


def _story(offer: Offer, realism: Realism, dwell_of: Callable[[float], float], chance: Chance) -> Story:
    place = _jittered((offer.lat, offer.lon), realism.near_m, chance)
    dwell_h = dwell_of(chance.random())
    luck = [chance.random() for _ in range(7)]
    return Story(
        offer=offer, place=place, dwell_h=dwell_h, wrong_first=luck[0] < realism.wrong_code_rate,
        jams_in=luck[1] < realism.jam_rate, jams_out=luck[2] < realism.jam_rate,
        forgets=luck[3] < realism.forgets_to_shut_rate, extends=luck[4] < realism.extend_rate,
        moves_h=1 + 7 * luck[6] if luck[5] < realism.move_rate else None,
    )  # fmt: skip


def _jittered(place: tuple[float, float], metres: float, chance: Chance) -> tuple[float, float]:
    """A place a normal step away (Box and Muller 1958). (lat, lon) in degrees."""
    radius = metres * sqrt(-2 * log(1 - chance.random())) / METRES_PER_DEGREE
    turn = 2 * pi * chance.random()
    narrow = max(0.01, cos(radians(place[0])))
    lat, lon = place[0] + radius * sin(turn), place[1] + radius * cos(turn) / narrow
    return round(max(-90.0, min(90.0, lat)), 6), round(max(-180.0, min(180.0, lon)), 6)


def busy_times(stories: Sequence[Story]) -> list[tuple[datetime, datetime]]:
    """From when to when anything may happen in the town; years in which nobody ordered lie between them."""
    found: list[tuple[datetime, datetime]] = []
    for story in stories:
        offer = story.offer
        last = max(when for when in (offer.purchased_at, offer.delivered_at, offer.expected_at) if when) + RUN_OUT
        if found and offer.purchased_at <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((offer.purchased_at, last))
    return found


def cuts(start: datetime, end: datetime, realism: Realism, chance: Chance) -> list[tuple[datetime, datetime]]:
    """When one station's line is cut and mended, between two times."""
    found, at = [], start
    while realism.cut_every_days > 0:
        at += timedelta(days=-log(1 - chance.random()) * realism.cut_every_days)
        if at >= end:
            break
        low, high = realism.long_cut_hours if chance.random() < realism.long_cut_rate else realism.cut_hours
        mended = at + timedelta(hours=low + (high - low) * chance.random())
        found.append((at, mended))
        at = mended
    return found
