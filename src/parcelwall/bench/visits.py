"""The entries that a station writes as couriers bring parcels and people collect them, ready to be sent."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from parcelwall import clock
from parcelwall.bench.link_job import Dialling, Visitor
from parcelwall.ids import Ids
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.link import frames
from parcelwall.link.identity import Signer, head_bytes
from parcelwall.rules import facts
from parcelwall.rules.facts import Fact

STAYS = 10  # parcels are brought before the first is collected; so many lie inside at a time
DOORS = 20
EVERY = timedelta(milliseconds=10)
COURIER = UUID("0198f000-0000-7000-8000-00000000c0de")
ENTRIES_PER_PARCEL = 3  # the door opened, the door shut, the parcel is in or out


def entries(told: Dialling, ids: Ids, begin: datetime) -> list[Entry]:
    """All that the station will have written, after what it had: each parcel is brought and collected."""
    at = begin
    drafts = []
    for fact in _facts(told, ids, begin):
        at += EVERY
        drafts.append(Draft(fact.kind, clock.text(at), facts.body(fact)))
    return chain.extend(told.station, Head(told.number, bytes.fromhex(told.hash)), drafts)


def _facts(told: Dialling, ids: Ids, begin: datetime) -> Iterator[Fact]:
    parcels = told.parcels
    for turn in range(len(parcels) + STAYS):
        if turn < len(parcels):
            yield from _bring(told.station, parcels[turn], 1 + turn % DOORS, ids, begin)
        if turn >= STAYS:
            yield from _collect(told.station, parcels[turn - STAYS], 1 + (turn - STAYS) % DOORS, ids)


def _bring(station: str, parcel: Visitor, door: int, ids: Ids, begin: datetime) -> Iterator[Fact]:
    visit = ids.new()
    yield facts.DoorOpened(compartment=door, visit=visit)
    yield facts.DoorClosed(compartment=door, visit=visit)
    yield facts.Deposited(
        parcel=UUID(parcel.parcel), reservation=UUID(parcel.reservation), station=station, compartment=door,
        collect_by=begin + timedelta(hours=48), visit=visit, courier=COURIER,
    )  # fmt: skip


def _collect(station: str, parcel: Visitor, door: int, ids: Ids) -> Iterator[Fact]:
    visit = ids.new()
    yield facts.DoorOpened(compartment=door, visit=visit)
    yield facts.DoorClosed(compartment=door, visit=visit)
    yield facts.Collected(
        parcel=UUID(parcel.parcel), reservation=UUID(parcel.reservation), station=station, compartment=door,
        visit=visit,
    )  # fmt: skip


def framed(written: Sequence[Entry], after: int, per_frame: int, signer: Signer) -> list[tuple[int, str]]:
    """(number through which it goes, text) of each frame of so many entries, signed."""
    out = []
    for start in range(0, len(written), per_frame):
        group = written[start : start + per_frame]
        last = group[-1]
        sig = signer.sign(head_bytes(last.writer, Head(last.number, last.hash)))
        frame = frames.Entries(last.writer, after, last.number, frames.items(group), last.hash.hex(), sig)
        out.append((last.number, frames.encode(frame)))
        after = last.number
    return out
