"""Room is promised: the first of some stations that has room and admits the parcel; who was refused is noted."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub import twins
from parcelwall.hub.admission import admits
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import Station
from parcelwall.rules import access, decide, facts, places
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.tables import Told

OF_ROOM = frozenset({
    "station_out_of_service", "station_full", "no_fitting_compartment", "no_reachable_compartment", "climate_not_here",
    "parcel_too_large", "parcel_too_heavy", "held_for_others",
})  # fmt: skip
_NOT_JOINED = "No computer has joined this station yet, so it takes no parcels. Choose one of `alternatives`."
_FORGOTTEN = "This hub was restored to before the parcel was announced, and does not know its label. Announce it again."
ADVISED = OF_ROOM | {"no_station_near", "label_twice"}  # refusals that name stations which would take the parcel


def promise(
    at: Sitting, parcel: Parcel, candidates: Sequence[str], told: Mapping[str, Told] | None = None, contact: bytes = b""
) -> facts.Reserved:
    """A promise at the first of these stations that has room. Raises the nearest one's Refusal. `told`: what an offer
    had said of them; `contact`: the index of the recipient's address, if it is known now."""
    decide.refuse_reserve(parcel, at.now, at.policy)
    decide.refuse_unverifiable(parcel.proof, at.verifies)
    first: Refusal | None = None
    for name in candidates:
        try:
            return _promise_at(at, parcel, at.here[name], (told or {}).get(name), contact)
        except Refusal as no:
            first = first or no
    raise first or Refusal("no_station_near")


def _promise_at(at: Sitting, parcel: Parcel, station: Station, told: Told | None, contact: bytes) -> facts.Reserved:
    if not station.promises(at.now, at.policy):
        raise Refusal("station_out_of_service", None if station.joined else _NOT_JOINED, station=station.id)
    room = at.book.rooms[station.id]
    if parcel.stage == Stage.RESERVED and parcel.station == station.id:
        before = msgspec.structs.replace(parcel, stage=Stage.ANNOUNCED, station=None)
        room = places.room_after(station.plan, station.id, room, parcel, before)
    if not twins.label_of(parcel):
        raise Refusal("not_found", _FORGOTTEN, station=station.id)
    twins.refuse(at, parcel, station.id)
    tag = access.label_tag(station.label_key, twins.label_of(parcel))
    promised = decide.reserve(
        parcel, station.id, station.plan, room, at.ids.new(), tag, access.selector(parcel.reference), at.now, at.policy,
        admits(at, station, parcel), told, _group(at, parcel, station, contact),
    )  # fmt: skip
    twins.note(at, parcel, station.id)
    return promised


def _group(at: Sitting, parcel: Parcel, station: Station, contact: bytes) -> str:
    """One recipient's parcels of one day are put side by side; the station never learns whose they are."""
    if not contact:
        return ""
    arrival = max(at.now, parcel.expected_at or at.now).astimezone(ZoneInfo(station.about.zone))
    return access.group_tag(station.label_key, arrival.date().isoformat(), contact)


def as_told(parcel: Parcel, no: Refusal) -> Refusal:
    """The refusal as its carrier and the journal are told it: of a wish of the recipient's they hear nothing."""
    if parcel.wished and no.reason == "no_reachable_compartment":
        return Refusal("no_fitting_compartment", **no.details)
    return no


def note_refused(at: Sitting, parcel: Parcel, candidates: Sequence[str], no: Refusal) -> None:
    """Demand that was not served is counted, at the station that was asked for first. It is no fact."""
    if no.reason not in OF_ROOM or not candidates or candidates[0] not in at.here:
        return
    plan = at.here[candidates[0]].plan
    need = plan.need(parcel)
    row: tuple[Any, ...] = (
        parcel.id, candidates[0], at.now, max(at.now, parcel.expected_at or at.now), parcel.carrier, parcel.service,
        plan.smallest(need) if need else "", no.reason, no.details.get("row", ""),
    )  # fmt: skip
    at.refused.append(row)
