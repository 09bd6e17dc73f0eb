"""Tells a station's screen of another station: the nearest that is open, the next with room, where a label belongs; and
keeps a parcel longer whose code was typed there.

What it tells is a name and an address, as they stand in the public list of stations. Of a parcel it speaks to a courier
alone who is admitted at the station that asks, and of a label only where that courier is admitted too.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub import couriers
from parcelwall.hub.commands import Asked as ByKey
from parcelwall.hub.commands import Extend
from parcelwall.hub.house import Hub
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.stations import Station
from parcelwall.rules.elsewhere import Answer, Asked, Kept, Place, Question
from parcelwall.rules.life import INSIDE, Parcel
from parcelwall.rules.places import Plan, Room, bits, free_by_kind, has_room, read_room

WITHIN_KM, MOST = 50.0, 20  # stations that are looked at, nearest first
HERE = timedelta(seconds=60)  # heard from within this is there

_THERE = """
SELECT id, room FROM station JOIN station_presence ON station = id
WHERE id = ANY($1::text[]) AND in_service AND last_seen >= $2"""
_EXPECTED = "SELECT record FROM parcel WHERE id = $1 AND station = $2 AND stage = 'RESERVED'"

_LIES_THERE = "SELECT record FROM parcel WHERE id = $1 AND station = $2 AND stage = ANY($3::text[])"


async def answer(hub: Hub, station: str, body: str) -> str:
    """The answer to what this station asks, as it goes over the line; "" for what nobody can read."""
    try:
        asked = msgspec.json.decode(body, type=Asked)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    here = hub.stations.known.get(station)
    if asked.question.about == "keep":
        kept = await _kept(hub, station, asked.question)
        return msgspec.json.encode(Answer(asked.id, kept=kept)).decode()
    found = await _found(hub, here, asked.question) if here else None
    place = Place(found.about.name, found.about.address) if found else None
    return msgspec.json.encode(Answer(asked.id, place)).decode()


async def _kept(hub: Hub, station: str, question: Question) -> Kept | None:
    """Keeps it longer, as its recipient could on their page; None for a parcel that does not lie in the station that
    asks. That its code was typed there is the station's word, as with a parcel that is collected."""
    if question.parcel is None or question.once is None:
        return None
    before = await _inside(hub, station, question.parcel)
    if before is None or before.collect_by is None:
        return None
    asked = ByKey(f"station/{station}", str(question.once), question.parcel.bytes)
    try:
        await hub.desk.ask(Extend(carrier=None, parcel=before.id, by="recipient", asked=asked))
    except Refusal as no:
        return Kept(before.collect_by, False) if no.reason == "too_many_extensions" else None
    now = await _inside(hub, station, before.id)
    return Kept(now.collect_by, True) if now and now.collect_by else None


async def _inside(hub: Hub, station: str, parcel: UUID) -> Parcel | None:
    record = await hub.pool.fetchval(_LIES_THERE, parcel, station, list(INSIDE))
    return read_parcel(record) if record else None


async def _found(hub: Hub, here: Station, question: Question) -> Station | None:
    if question.about == "open":
        return await _nearest(hub, here, _any_room)
    if question.courier is None:
        return None
    admitted = await couriers.admissions(hub, question.courier)
    if here.id not in admitted:
        return None
    if question.about == "label":
        label = await couriers.what_is(hub, question.courier, question.label, here.id)
        return hub.stations.known.get(label.station) if label.verdict == "elsewhere" else None
    parcel = await _expected(hub, here.id, question.parcel)
    if parcel is None or not couriers.is_for(admitted[here.id].carriers, parcel.carrier):
        return None
    theirs = {name for name, grant in admitted.items() if couriers.is_for(grant.carriers, parcel.carrier)}
    return await _nearest(hub, here, _Fits(parcel, here.plan, question.above), theirs)


async def _expected(hub: Hub, station: str, parcel: UUID | None) -> Parcel | None:
    """The parcel, if it is promised to the station that asks for it."""
    record = await hub.pool.fetchval(_EXPECTED, parcel, station)
    return read_parcel(record) if record else None


def _any_room(plan: Plan, room: Room) -> bool:
    """Whether anything is free that is not promised."""
    return sum(free_by_kind(plan, room)) > sum(room.promised.values())


class _Fits:
    """Whether a parcel finds room beside all promises, in a compartment larger than a size that was too small."""

    def __init__(self, parcel: Parcel, here: Plan, above: str) -> None:
        self._parcel, self._above_mm3 = parcel, _volume_mm3(here, above)

    def __call__(self, plan: Plan, room: Room) -> bool:
        kinds = bits(plan.need(self._parcel))
        need = sum(1 << kind for kind in kinds if _volume_mm3(plan, plan.kinds[kind][0]) > self._above_mm3)
        return need != 0 and has_room(plan, room, need)


def _volume_mm3(plan: Plan, size: str) -> int:
    known = plan.sizes.get(size)
    return known.width_mm * known.height_mm * known.depth_mm if known else 0


async def _nearest(
    hub: Hub, here: Station, takes: Callable[[Plan, Room], bool], among: Collection[str] | None = None
) -> Station | None:
    """The nearest other station that is there, in service, and takes it; of those named, if any are."""
    near = [name for name, _ in hub.stations.near(here.place, WITHIN_KM, MOST) if name != here.id]
    asked = [name for name in near if among is None or name in among]
    rows = await hub.pool.fetch(_THERE, asked, hub.clock.now() - HERE)
    rooms = {row["id"]: read_room(row["room"]) for row in rows}
    open_ones = (hub.stations.known[name] for name in asked if name in rooms)
    now = hub.clock.now()
    open_ones = (each for each in open_ones if each.permitted(now, hub.policy))
    return next((each for each in open_ones if takes(each.plan, rooms[each.id])), None)
