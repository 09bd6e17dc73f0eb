"""Which stations to offer for an order, in which order, and how sure room there is. Tables in, offers out; no clock.

What binds is a promise (`decide.reserve`); an offer says how likely one can be kept. docs/planning/offers.md has the
formulas and what they were measured at.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import cos, radians
from operator import itemgetter
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.errors import Refusal
from parcelwall.rules import admission, decide, places
from parcelwall.rules.life import Parcel
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow

STALE = timedelta(hours=6)  # a table of chances older than this is not used
SURE, NEVER = 0.995, 0.01  # no chance is told beyond these
REDIRECT_KM = 3.0  # what being sent elsewhere costs, in kilometres of walking
SECOND_WITHIN_KM = 2.0
SHOWN = 10
KM_PER_DEGREE = 111.19
SECOND_WITHIN_DEG2 = (SECOND_WITHIN_KM / KM_PER_DEGREE) ** 2
Basis = Literal["table", "counts"]
WAYS = ("pick_up_centre", "home")  # where a parcel goes that no station can take
BY_SIZE = frozenset({"parcel_too_large", "parcel_too_heavy", "climate_not_here"})


class RoomTable(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The chance of room at one station: `chance[size][d]` on arrival d days after `made_at`, size the smallest that
    fits; `by_carrier[carrier]` the same for a parcel of one of the carriers that come there, who come at other hours.
    `planning.offers` makes it; numbers outside 0..1 are not used."""

    station: str
    made_at: Annotated[datetime, msgspec.Meta(tz=True)]
    chance: dict[str, tuple[float, ...]]
    model: str = ""
    by_carrier: dict[str, dict[str, tuple[float, ...]]] = {}
    why: str = ""  # what is unlike the usual about the past that it is told from; empty if nothing is

    def at(self, size: str, arrival: datetime, carrier: str = "") -> float | None:
        """The chance on the day of arrival; None where the table does not say. Never above SURE or below NEVER."""
        row = self.by_carrier.get(carrier, self.chance).get(size, ())
        day = (arrival - self.made_at).days
        if not 0 <= day < len(row) or not 0 <= row[day] <= 1:  # NaN is not between either
            return None
        return min(SURE, max(NEVER, row[day]))


class Ready(msgspec.Struct, frozen=True):
    """When the parcel will be ready: not before `since` and by `by`, each with probability .9. `basis`: the courier's
    own visits there, or only what was stated."""

    since: datetime
    by: datetime
    basis: Literal["visits", "stated"]


class Standing(msgspec.Struct):
    """One station as an offer looks at it. `room` and `table` are as last recorded."""

    station: str
    place: tuple[float, float]
    distance_m: float
    plan: places.Plan
    room: places.Room
    in_service: bool = True
    table: RoomTable | None = None
    ready: Ready | None = None
    zone: str = "UTC"
    heads: Sequence[admission.Kind] = ()  # of what is promised or lies there, if a row of admission counts them


class Second(msgspec.Struct, frozen=True):
    """Where the parcel would go if the station turns out full: metres from the station, and the chance of room."""

    station: str
    from_there_m: int
    probability: float | None


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One station. `probability` is None where only counts are known: then `basis` says so and `why` why; beside a
    probability `why` is what is unlike the usual about the station's past. Not `offered`: `reason` says what stands in
    the way; if it is a row of admission, `another_day` when it no longer does."""

    station: str
    distance_m: int
    offered: bool
    size: str | None = None
    probability: float | None = None
    basis: Basis
    why: str | None = None
    reason: str | None = None
    another_day: date | None = None
    ready: Ready | None = None
    second: Second | None = None


class OtherWay(msgspec.Struct, frozen=True):
    """No station near can take this parcel, even empty: why, and how it goes instead."""

    reason: str
    ways: tuple[str, ...] = WAYS


class Seen(msgspec.Struct):
    """A station looked at: its size for this parcel, its chance, or the reason against it."""

    standing: Standing
    size: str | None
    chance: float | None
    why: str | None
    reason: str | None
    another_day: date | None = None

    @property
    def sure(self) -> float:
        """The chance to reckon with: what the table says, else all or nothing by the counts."""
        return self.chance if self.chance is not None else float(self.reason is None)


def rank_offers(
    parcel: Parcel, standings: Sequence[Standing], arrival: datetime, now: datetime, policy: Policy,
    rows: Sequence[AdmissionRow] = (),
) -> tuple[list[Offer], OtherWay | None]:
    """Offers, the best first: by the walk and by what a redirection would cost, those that are none last. With the
    other way where no station could ever take the parcel."""
    needs: dict[int, int] = {}  # stations that are built alike ask it once
    seen = []
    for each in standings:
        need = needs.get(id(each.plan))
        if need is None:
            need = needs[id(each.plan)] = each.plan.need(parcel)
        seen.append(look(parcel, each, need, arrival, now, policy, rows))
    seconds = _seconds(seen)
    order = sorted(range(len(seen)), key=lambda i: _rank(seen[i], seconds[i]))
    return [_offer(seen[i], seconds[i]) for i in order], _other_way(seen)


def look(
    parcel: Parcel, standing: Standing, need: int, arrival: datetime, now: datetime, policy: Policy,
    rows: Sequence[AdmissionRow] = (),
) -> Seen:  # fmt: skip
    """What one station says to a parcel with this need there."""
    if need == 0:
        return Seen(standing, None, None, None, _misfit(parcel, standing.plan))
    size = standing.plan.smallest(need)
    if parcel.proof not in decide.checked_at(standing.plan):
        return Seen(standing, size, None, None, "proof_not_possible_here")
    if not standing.in_service:
        return Seen(standing, size, None, None, "station_out_of_service")
    chance, why = _chance(standing, size, parcel.carrier, arrival, now)
    holds = places.has_room(standing.plan, standing.room, need, policy.overbook)
    if not holds:  # what cannot be promised now is not offered, whatever a table hopes
        return Seen(standing, size, chance, why, "no_reachable_compartment" if parcel.reach else _full(standing))
    if rows and (held := _held_for_others(parcel, standing, need, now, policy, rows)):
        return Seen(standing, size, chance, why, "held_for_others", held[1])
    if chance is not None and chance < policy.offered_from:
        return Seen(standing, size, chance, why, "too_unsure")
    return Seen(standing, size, chance, why, None)


def _held_for_others(
    parcel: Parcel, standing: Standing, need: int, now: datetime, policy: Policy, rows: Sequence[AdmissionRow]
) -> tuple[AdmissionRow, date | None] | None:
    """The row of admission that stands against this parcel there, and the next day on which none does."""
    at = admission.Look(standing.station, standing.plan, standing.room, standing.heads)
    kind = admission.kind_of(parcel, standing.plan, need, now, ZoneInfo(standing.zone))
    row = admission.stands_against(rows, at, need, kind, policy.overbook, now)
    return (row, admission.another_day(rows, at, need, kind, policy.overbook, now)) if row else None


def _misfit(parcel: Parcel, plan: places.Plan) -> str:
    try:
        plan.refuse_misfit(parcel)
    except Refusal as no:
        return no.reason
    raise AssertionError("refuse_misfit always refuses")


def _full(standing: Standing) -> str:
    left = sum(places.free_by_kind(standing.plan, standing.room)) - sum(standing.room.promised.values())
    return "no_fitting_compartment" if left > 0 else "station_full"


def _chance(
    standing: Standing, size: str, carrier: str, arrival: datetime, now: datetime
) -> tuple[float | None, str | None]:
    """The table's chance and what makes it doubtful, or None and why there is none."""
    table = standing.table
    if table is None:
        return None, "no_table"
    if not timedelta(0) <= now - table.made_at <= STALE:
        return None, "table_too_old"
    chance = table.at(size, arrival, carrier)
    return chance, (table.why or None) if chance is not None else "table_does_not_reach"


def _seconds(seen: Sequence[Seen]) -> list[tuple[Seen, float] | None]:
    """For each, the station within 2 km of it where the parcel had best go instead, and the metres between them."""
    if not seen:
        return []
    narrow = cos(radians(seen[0].standing.place[0]))  # all of them are near each other
    good = sorted(
        ((other.standing.distance_m / 1000 + (1 - other.sure) * REDIRECT_KM, other.standing.station,
          other.standing.place[0], other.standing.place[1] * narrow, other)
         for other in seen if other.reason is None), key=itemgetter(0, 1),
    )  # fmt: skip
    return [_nearest_good(first, good, narrow) for first in seen]


def _nearest_good(
    first: Seen, good: Sequence[tuple[float, str, float, float, Seen]], narrow: float
) -> tuple[Seen, float] | None:
    """The first of those, cheapest first, that stands near enough."""
    if first.reason is not None:
        return None
    north, east = first.standing.place[0], first.standing.place[1] * narrow
    for _, _, lat, lon, other in good:
        apart = (lat - north) ** 2 + (lon - east) ** 2
        if apart <= SECOND_WITHIN_DEG2 and other is not first:
            return other, KM_PER_DEGREE * 1000 * apart**0.5
    return None


def _rank(seen: Seen, second: tuple[Seen, float] | None) -> tuple[bool, float, str]:
    walk_km = seen.standing.distance_m / 1000
    elsewhere_km = REDIRECT_KM + (second[1] / 1000 if second else SECOND_WITHIN_KM)
    return seen.reason is not None, walk_km + (1 - seen.sure) * elsewhere_km, seen.standing.station


def _offer(seen: Seen, second: tuple[Seen, float] | None) -> Offer:
    named = None
    if second and seen.reason is None:
        named = Second(second[0].standing.station, round(second[1]), second[0].chance)
    return Offer(
        station=seen.standing.station, distance_m=round(seen.standing.distance_m), offered=seen.reason is None,
        size=seen.size, probability=seen.chance, basis="counts" if seen.chance is None else "table", why=seen.why,
        reason=seen.reason, ready=seen.standing.ready if seen.reason is None else None, second=named,
        another_day=seen.another_day,
    )  # fmt: skip


def _other_way(seen: Sequence[Seen]) -> OtherWay | None:
    """Only where each station says that the parcel itself does not fit. The nearest one's reason is told."""
    if not seen:
        return OtherWay("no_station_near")
    if all(each.reason in BY_SIZE for each in seen):
        return OtherWay(seen[0].reason or "")
    return None
