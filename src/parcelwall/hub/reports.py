"""What a recipient reports by phone: a case with what the journal knows of that door, and the compartment is offered to
nobody until a person has looked. The same at the station's screen is `station/kiosk.py`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub.cases import OpenCase
from parcelwall.hub.house import Hub
from parcelwall.rules.life import ENDED, Parcel

HOLDING = ("reported_empty", "reported_wrong_parcel", "reported_damaged", "door_did_not_open")
AFTERWARDS = timedelta(days=14)  # whoever took a parcel home reports by then what was wrong with it
NEAR = 60  # entries before a collection among which those of its door are looked for

_TOLD_BEFORE = "SELECT EXISTS (SELECT FROM case_file WHERE parcel = $1 AND about = $2)"
_DOORS = """
SELECT writer, number, kind, happened_at, body FROM entry WHERE parcel = $1
  AND kind IN ('Deposited', 'Collected', 'TakenBack') ORDER BY revision"""
_OF_VISITS = """
SELECT number, kind, happened_at, body FROM entry
WHERE writer = $1 AND number BETWEEN $2 AND $3 AND kind IN ('DoorOpened', 'DoorClosed', 'DoorFailed') ORDER BY number"""


class Place(NamedTuple):
    """Which door it was about, as the parcel's last door fact has it."""

    station: str | None
    compartment: int | None


async def report(hub: Hub, parcel: Parcel, about: str) -> None:
    """Opens the case, once while it is open. Holds the compartment, also after the parcel was collected from it.

    Of a parcel that has ended each is reported once, within two weeks: a kept link holds no door for ever. Raises
    Refusal for more.
    """
    if parcel.stage in ENDED and await _is_over(hub, parcel, about):
        raise Refusal("wrong_stage")
    rows = await hub.pool.fetch(_DOORS, parcel.id)
    bodies = [msgspec.json.decode(row["body"]) for row in rows]
    last = Place(bodies[-1]["station"], bodies[-1]["compartment"]) if bodies else Place(parcel.station, None)
    details = {"entries": await _evidence(hub, rows, bodies)} if rows else {}
    await hub.desk.ask(OpenCase(
        parcel=parcel.id, about=about, station=last.station, compartment=last.compartment,
        holds=about in HOLDING and last.compartment is not None, details=details,
    ))  # fmt: skip


async def _is_over(hub: Hub, parcel: Parcel, about: str) -> bool:
    if parcel.ended_at is None or hub.clock.now() > parcel.ended_at + AFTERWARDS:
        return True
    told: bool = await hub.pool.fetchval(_TOLD_BEFORE, parcel.id, about)
    return told


async def _evidence(hub: Hub, rows: Sequence[Any], bodies: Sequence[Any]) -> list[dict[str, Any]]:
    """Who wrote what, when: the parcel's own door facts, and of each of their visits when the door opened and shut."""
    found = []
    for row, body in zip(rows, bodies, strict=True):
        near = await hub.pool.fetch(_OF_VISITS, row["writer"], row["number"] - NEAR, row["number"])
        own = [each for each in near if msgspec.json.decode(each["body"]).get("visit") == body["visit"]]
        found += [_line(row["writer"], each) for each in [*own, row]]
    return found


def _line(writer: str, row: Any) -> dict[str, Any]:
    return {"writer": writer, "number": row["number"], "kind": row["kind"], "at": clock.text(row["happened_at"])}
