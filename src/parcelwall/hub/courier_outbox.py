"""What a courier's phone sends when it has a signal again: entries, each with an id of its own, so that twice is once.

A phone never writes a fact about a door. It reports what a person saw, and carries what stations have signed.
"""

import base64
import binascii
import hashlib
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import photos, road, tries
from parcelwall.hub.cases import case_of
from parcelwall.hub.commands import Answer, Asked, Command
from parcelwall.hub.couriers import Label, admissions, photo_rule, what_is
from parcelwall.hub.house import Hub
from parcelwall.hub.reading import case_name
from parcelwall.hub.road import Carried
from parcelwall.hub.round_order import PassStop, Why
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import Stations
from parcelwall.rules.facts import Granted
from parcelwall.rules.policy import PhotoRule

MOST_ENTRIES = 20  # of one request
MOST_PROBLEMS = 60  # of one courier in ten minutes; the phone keeps the others and sends them later
What = Literal["damaged", "unreadable", "wrong_station", "door", "dirty", "no_room", "not_there"]
ABOUT: dict[What, str] = {
    "damaged": "reported_damaged", "unreadable": "label_unreadable", "wrong_station": "brought_to_wrong_station",
    "door": "reported_door", "dirty": "station_dirty", "no_room": "no_room_for_parcel",
    "not_there": "reported_not_there",
}  # fmt: skip


OF_STATION = ("door", "dirty")  # what is about no parcel


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the outbox. `bundle` and `photo` are base64; `label` is what was read or typed; `day` and `why` are
    of a stop that was passed."""

    id: UUID
    kind: Literal["problem", "carried", "passed"]
    station: Annotated[str, Meta(max_length=32)] = ""
    what: What | None = None
    label: Annotated[str, Meta(max_length=64)] = ""
    photo: Annotated[str, Meta(max_length=600_000)] = ""
    bundle: Annotated[str, Meta(max_length=60_000)] = ""
    day: date | None = None
    why: Why | None = None


_AT_FIRST = ("id", "kind", "station", "what", "label", "photo", "bundle")  # fields that every version has had


def fingerprint(entry: Entry) -> bytes:
    """SHA-256 of what was sent, so that the same is answered the same. A field that is newer than the first version
    counts only where it says something: what a phone sent before an update, and sends again after it, is the same."""
    said = {field.name: getattr(entry, field.name) for field in msgspec.structs.fields(entry)
            if field.name in _AT_FIRST or getattr(entry, field.name) != field.default}  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(said)).digest()


class Done(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an entry. `later`: the world failed, send it again. `refused`: a person must look at it.
    `photo_left_out`: the report is taken without it, as the courier has sent so many today; `photo_unread`: as it is no
    JPEG that is whole and small enough; `photo_unwanted`: as its carrier wants none; `photo_missing`: its carrier wants
    one, and the case has none."""

    id: UUID
    state: Literal["done", "refused", "later"]
    reason: str = ""
    case: str = ""
    photo_left_out: bool = False
    photo_unread: bool = False
    photo_unwanted: bool = False
    photo_missing: bool = False
    carried: Carried | None = None


class ReportProblem(Command, kw_only=True):
    """A courier says that something is wrong at a station: a case, about a parcel if its label is known there. Once per
    kind, station and parcel while it is open: a second report is the same case."""

    needs_cases = True
    station: str
    about: str
    parcel: UUID | None = None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel] if self.parcel else [], [self.station]

    def decide(self, at: Sitting) -> Answer:
        parcel = at.book.parcels.get(self.parcel) if self.parcel else None
        door = parcel.compartment if parcel and parcel.station == self.station else None
        case = case_of(at, self.about, self.station, parcel.id if parcel else None, door)
        return Answer(200, {"case": str(case)})


async def take(hub: Hub, courier: UUID, entries: list[Entry]) -> list[Done]:
    """What became of each, in their order. One that is refused leaves the others alone."""
    return [await _take(hub, courier, entry) for entry in entries]


async def _take(hub: Hub, courier: UUID, entry: Entry) -> Done:
    try:
        if entry.kind == "carried":
            return Done(entry.id, "done", carried=await road.take(hub, _bytes(entry.bundle)))
        return await (_passed if entry.kind == "passed" else _problem)(hub, courier, entry)
    except Refusal as no:
        return Done(entry.id, "refused", reason=no.reason)
    except Trouble:
        return Done(entry.id, "later")


async def _problem(hub: Hub, courier: UUID, entry: Entry) -> Done:
    """With the name of the case. Refuses a station where the courier is not admitted; raises Trouble for more of them
    than a courier can mean. No report is lost for its photo."""
    if entry.what is None:
        raise Refusal("bad_field", field="what")
    admitted = (await admissions(hub, courier)).get(entry.station)
    if admitted is None:
        raise Refusal("no_right")
    known = await what_is(hub, courier, entry.label, entry.station) if entry.label else None
    rule = await _photo_rule(hub, entry, known, admitted)
    picture = _picture(entry) if rule != "off" else b""
    if not await tries.take(hub, f"problem/{courier}", MOST_PROBLEMS):
        raise Trouble("Too many problems at once. Send the others later.")
    asked = Asked(f"courier/{courier}", str(entry.id), fingerprint(entry))
    report = ReportProblem(
        station=entry.station, about=ABOUT[entry.what], parcel=known.parcel if known else None, asked=asked
    )
    case = UUID((await hub.desk.ask(report)).body["case"])
    is_kept = not picture or await photos.keep(hub, entry.id, case, picture, courier)
    # Of what is gone there is nothing to be seen.
    wants = rule == "required" and entry.what != "not_there" and not await photos.counted(hub, [case])
    return Done(entry.id, "done", case=case_name(case), photo_left_out=not is_kept, photo_missing=wants,
                photo_unread=bool(entry.photo) and not picture and rule != "off",
                photo_unwanted=bool(entry.photo) and rule == "off")  # fmt: skip


async def _passed(hub: Hub, courier: UUID, entry: Entry) -> Done:
    """With the name of the case, if there is one. Refuses and raises as `_problem`."""
    if entry.day is None or entry.why is None:
        raise Refusal("bad_field", field="day" if entry.day is None else "why")
    if entry.station not in await admissions(hub, courier):
        raise Refusal("no_right")
    if not await tries.take(hub, f"problem/{courier}", MOST_PROBLEMS):
        raise Trouble("Too many notes at once. Send the others later.")
    who = "courier" if entry.why == "unreachable" else "round"  # what is no problem is not counted as one
    asked = Asked(f"{who}/{courier}", str(entry.id), fingerprint(entry))
    command = PassStop(courier=courier, station=entry.station, day=entry.day, why=entry.why, asked=asked)
    case = (await hub.desk.ask(command)).body["case"]
    return Done(entry.id, "done", case=case_name(UUID(case)) if case else "")


async def _photo_rule(hub: Hub, entry: Entry, known: Label | None, admitted: Granted) -> PhotoRule:
    """Of its parcel's carrier. Of a parcel that nobody knows none is kept where none of the courier's carriers wants
    any; of a door or the station carriers say nothing."""
    if known and known.parcel:
        return hub.policy.photo_for(known.carrier)
    none = entry.what not in OF_STATION and await photo_rule(hub, [admitted]) == "off"
    return "off" if none else "optional"


def _picture(entry: Entry) -> bytes:
    """Its photo as it is kept; empty if there is none, or what came is none."""
    try:
        return photos.stripped(_bytes(entry.photo)) if entry.photo else b""
    except Refusal:
        return b""


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as no:
        raise Refusal("bad_field", "Send base64.") from no
