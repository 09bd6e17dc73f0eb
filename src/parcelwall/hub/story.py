"""One parcel, told: how it is found by those who may look, what happened to it in order, who it is for, masked."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from parcelwall.errors import Refusal
from parcelwall.hub import people
from parcelwall.hub.house import Hub
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.staff import Person
from parcelwall.hub.stations import OF_HUB
from parcelwall.rules import facts, labels
from parcelwall.rules.life import Parcel

MOST = 20
MOST_ENTRIES = 50_000  # of a station's stream that are looked through for one stay: weeks of it
_CASE = re.compile(r"C-([0-9A-F]{6})", re.IGNORECASE)
_PLACE = re.compile(r"(S-\d{4,})\s*[/ ]\s*(\d{1,5})", re.IGNORECASE)

_PHONE = re.compile(r"(S-\d{4,})\s+(?:…|\.{1,3}|\*{1,3})\s?(\d{4})", re.IGNORECASE)  # the last four of a number

_BY_REFERENCE = "SELECT record FROM parcel WHERE reference = ANY($1::text[]) LIMIT 20"
_BY_LABEL = "SELECT record FROM parcel WHERE label = ANY($1::text[]) LIMIT 20"
_BEHIND = "SELECT record FROM parcel WHERE station = $1 AND due IS NOT NULL AND compartment = $2"
_COMING_OR_HERE = """
SELECT record FROM parcel
WHERE station = $1 AND due IS NOT NULL AND stage IN ('RESERVED', 'READY', 'OVERDUE') ORDER BY id LIMIT 2000"""
_BY_CASE = """
SELECT record FROM case_file JOIN parcel ON parcel.id = case_file.parcel
WHERE upper(right(replace(case_file.id::text, '-', ''), 6)) = $1 LIMIT 20"""
_BY_ID = "SELECT record FROM parcel WHERE id = $1"
_ENTRIES = """
SELECT writer, number, kind, happened_at, recorded_at, body FROM entry WHERE parcel = $1 ORDER BY revision"""
_DOORS = """
SELECT e.writer, e.number, e.kind, e.happened_at, e.recorded_at, e.body FROM entry e
JOIN unnest($1::text[], $2::bigint[], $3::text[]) AS near (writer, number, visit)
  ON e.writer = near.writer AND e.number BETWEEN near.number - 24 AND near.number + 24
WHERE e.kind IN ('DoorOpened', 'DoorClosed', 'DoorFailed') AND e.body::jsonb->>'visit' = near.visit"""
_WHILE_INSIDE = """
SELECT writer, number, kind, happened_at, recorded_at, body FROM entry WHERE writer = $1
  AND number BETWEEN $2 AND $3 AND kind IN ('DoorOpened', 'DoorClosed', 'DoorFailed') AND body LIKE $4"""
_FROM_AFAR = """
SELECT writer, number, kind, happened_at, recorded_at, body FROM entry
WHERE writer = ANY($1::text[]) AND kind = 'Granted' AND happened_at BETWEEN $2 AND $3 AND body LIKE $4"""
_LOOKS = f"""
SELECT writer, number, kind, happened_at, recorded_at, body FROM entry
WHERE kind = 'Looked' AND {OF_HUB} AND happened_at > $2
  AND body::jsonb->>'parcel' = $1::text"""  # noqa: S608 - a text of our own
_NOTED = _LOOKS.replace("'Looked'", "'CaseNoted'")
_CASES = "SELECT id FROM case_file WHERE parcel = $1 AND closed_at IS NULL"
_NOTICES = "SELECT purpose, channel, state, sent_at FROM notice WHERE parcel = $1 ORDER BY next_try"


class Step(msgspec.Struct, frozen=True):
    """One entry of a story. `actor` is an id that only the staff's table can name."""

    kind: str
    happened_at: datetime
    recorded_at: datetime
    writer: str
    number: int
    body: dict[str, Any]
    actor: UUID | None = None

    @property
    def door(self) -> int | None:
        return self.body.get("compartment")


async def find(hub: Hub, who: Person, asked: str) -> list[Parcel]:
    """Parcels that are meant by exactly these words, in this person's area: a number, a label, a station and
    door, a station and the last four digits of a telephone number, a case, or an id. Whoever searches stands in the
    journal, and whether by a telephone number; what for does not."""
    words = asked.strip()
    if not words or len(words) > 64 or not words.isprintable():
        return []
    assert who.actor is not None, "whoever signs in has an id in the journal"
    phone = _PHONE.fullmatch(words)
    await hub.note(facts.Looked(at="search", actor=who.actor, reason="phone" if phone else ""))
    if phone:
        return await _by_phone(hub, who, phone[1].upper(), phone[2])
    rows = await _rows(hub, words)
    found = {parcel.id: parcel for parcel in (read_parcel(row["record"]) for row in rows)}
    return [parcel for parcel in found.values() if who.may("find", parcel.station)][:MOST]


async def _by_phone(hub: Hub, who: Person, station: str, last_four: str) -> list[Parcel]:
    """Of what lies at one station or is expected there. No index of numbers is kept that could be searched for more:
    the persons of this one station are opened and looked at, those who were erased are none."""
    if not who.may("find", station):
        return []
    here = [read_parcel(row["record"]) for row in await hub.pool.fetch(_COMING_OR_HERE, station)]
    async with hub.pool.acquire() as connection:
        known = await people.find_all(connection, [each.person for each in here if each.person], hub.keys)
    found = (each for each in here if each.person in known and _digits(known[each.person].phone).endswith(last_four))
    return list(found)[:MOST]


def _digits(phone: str | None) -> str:
    return "".join(sign for sign in phone or "" if sign in "0123456789")


async def _rows(hub: Hub, words: str) -> list[Any]:
    if place := _PLACE.fullmatch(words):
        return list(await hub.pool.fetch(_BEHIND, place[1].upper(), int(place[2])))
    if case := _CASE.fullmatch(words):
        return list(await hub.pool.fetch(_BY_CASE, case[1].upper()))
    try:
        return list(await hub.pool.fetch(_BY_ID, UUID(words)))
    except ValueError:
        forms = list({words, words.upper(), *labels.forms(words)})
    rows = await hub.pool.fetch(_BY_REFERENCE, forms)
    return list(rows or await hub.pool.fetch(_BY_LABEL, forms))


async def one(hub: Hub, who: Person, parcel_id: UUID) -> Parcel:
    """Raises Refusal for an unknown parcel and for one that is not in this person's area alike."""
    record = await hub.pool.fetchval(_BY_ID, parcel_id)
    parcel = read_parcel(record) if record else None
    if parcel is None or not who.may("find", parcel.station):
        raise Refusal("not_found")
    return parcel


async def story(hub: Hub, parcel: Parcel) -> list[Step]:
    """Everything in order of happening: its own facts, its doors by the visits that they name, what its door did and
    who had it opened from afar while the parcel lay there, who looked, and what was done about its cases."""
    async with hub.pool.acquire() as connection:
        own = [_step(row) for row in await connection.fetch(_ENTRIES, parcel.id)]
        visits = [step for step in own if "visit" in step.body]
        doors = await connection.fetch(
            _DOORS, [step.writer for step in visits], [step.number for step in visits],
            [step.body["visit"] for step in visits],
        )  # fmt: skip
        began = own[0].happened_at if own else hub.clock.now()
        looks = [row for each in (_LOOKS, _NOTED) for row in await connection.fetch(each, str(parcel.id), began)]
        beside = [_step(row) for row in (*doors, *looks, *await _while_inside(connection, own, hub.clock.now()))]
    return _in_order(own, beside)


async def _while_inside(connection: asyncpg.Connection, own: list[Step], now: datetime) -> list[Mapping[str, Any]]:
    """Entries about its compartment from each deposit to what ended it: no others' before or after."""
    found: list[Mapping[str, Any]] = []
    hubs = sorted({step.writer for step in own if step.writer.startswith("hub:")})
    for at, put_in in enumerate(own):
        if put_in.kind != "Deposited" or put_in.door is None:
            continue
        out = next((step for step in own[at:] if step.kind in ("Collected", "TakenBack", "WrittenOff")), None)
        last = out.number if out and out.writer == put_in.writer else put_in.number + MOST_ENTRIES
        until, door = out.happened_at if out else now, f'%"compartment":{put_in.door}%'
        found += await connection.fetch(_WHILE_INSIDE, put_in.writer, put_in.number, last, door)
        found += await connection.fetch(_FROM_AFAR, hubs, put_in.happened_at, until, door)
        found = [row for row in found if msgspec.json.decode(row["body"]).get("compartment") == put_in.door]
    return found


def _in_order(own: list[Step], beside: list[Step]) -> list[Step]:
    """By when it happened. Of one moment: its own facts in the order of its life, what stands beside them just before
    the next of its own that the same writer wrote."""
    places = {(step.writer, step.number): (place, 1) for place, step in enumerate(own)}
    for step in beside:
        after = (place for place, each in enumerate(own) if each.writer == step.writer and each.number > step.number)
        places.setdefault((step.writer, step.number), (next(after, len(own)), 0))
    once = {(step.writer, step.number): step for step in (*beside, *own)}
    return [once[key] for key in sorted(once, key=lambda key: (once[key].happened_at, *places[key], key[1]))]


def _step(row: Mapping[str, Any]) -> Step:
    body = msgspec.json.decode(row["body"])
    actor = body.get("actor")
    return Step(row["kind"], row["happened_at"], row["recorded_at"], row["writer"], row["number"], body,
                UUID(actor) if actor else None)  # fmt: skip


async def notices(hub: Hub, parcel: UUID) -> list[dict[str, Any]]:
    """What the recipient was told, over what, and whether it went out."""
    return [dict(row) for row in await hub.pool.fetch(_NOTICES, parcel)]


async def cases(hub: Hub, parcel: UUID) -> set[UUID]:
    return {row["id"] for row in await hub.pool.fetch(_CASES, parcel)}


async def person_of(hub: Hub, parcel: Parcel) -> people.Person | None:
    async with hub.pool.acquire() as connection:
        return await people.find(connection, parcel.person, hub.keys)


async def note_reveal(hub: Hub, who: Person, parcel: Parcel, reason: str) -> None:
    """Written down before the person is shown in clear: who looked, at which parcel's person, and why. Raises Refusal
    for whoever has no right to."""
    if not who.may("reveal", parcel.station):
        raise Refusal("no_right")
    assert who.actor is not None, "whoever signs in has an id in the journal"
    await hub.note(facts.Looked(at="person", actor=who.actor, parcel=parcel.id, reason=reason))


def masked(person: people.Person) -> tuple[str, str, str]:
    """Name, mail address and telephone number with no more than lets two be told apart."""
    name = " ".join(f"{part[0]}…" for part in person.name.split())
    user, at, domain = (person.email or "").partition("@")
    email = f"{user[:1]}…@{domain[:1]}…{domain[domain.rfind('.') :] if '.' in domain else ''}" if at else ""
    phone = f"…{person.phone[-2:]}" if person.phone else ""
    return name, email, phone
