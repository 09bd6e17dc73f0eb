"""Couriers as the hub knows them: random ids, admitted by facts, signed in by a code that an operator hands out.

What a courier's page shows of a station are counts, never a person, a code or another courier's work; and where the
admission names carriers, nothing of another carrier's parcels.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from asyncpg import Connection

from parcelwall.carriers.labels import check_digit_fits, normal
from parcelwall.errors import Refusal
from parcelwall.hub import round_order
from parcelwall.hub.house import Hub
from parcelwall.hub.network import CLAIM_LENGTH, CLAIM_LETTERS
from parcelwall.hub.reading import by_size
from parcelwall.hub.round_order import Ordered, Why
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.stations import OF_HUB, WRITTEN_FOR
from parcelwall.rules import access, delegation, facts, token
from parcelwall.rules.labels import plain_digits
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.places import Plan, Room, read_room
from parcelwall.rules.policy import OrderRule, PhotoRule

INVITE_LASTS = timedelta(days=3)
RULES: tuple[OrderRule, ...] = get_args(OrderRule)
MOST_LABELS = 400  # of one stop, that a phone keeps for when it has no signal

COURIER_OF = """nullif(split_part(split_part(body, '"courier":"', 2), '"', 1), '')"""
_OF_COURIER = f"{COURIER_OF} = $1"
_GRANTED = f"""
SELECT body FROM entry WHERE kind = 'Granted' AND {_OF_COURIER} AND {OF_HUB} ORDER BY happened_at"""  # noqa: S608 - ours
_REVOKED_AT = f"""
SELECT body FROM entry WHERE kind = 'Revoked' AND writer = ANY(ARRAY({WRITTEN_FOR}))"""  # noqa: S608 - ours, too
_DONE = f"""
SELECT writer, kind, happened_at, body FROM entry WHERE kind IN ('Deposited', 'TakenBack') AND {_OF_COURIER}
  AND happened_at >= $2 ORDER BY happened_at"""  # noqa: S608 - ours
_HERE = "SELECT record FROM parcel WHERE station = ANY($1::text[]) AND due IS NOT NULL AND stage = ANY($2::text[])"
_COUNTS = """
SELECT station, carrier, count(*) FILTER (WHERE stage = 'RESERVED' AND NOT sent) AS to_bring,
  count(*) FILTER (WHERE stage = 'OVERDUE' OR (stage = 'READY' AND sent)) AS to_take
FROM (
  SELECT station, carrier, stage, position('"direction":"return"' IN record) > 0 AS sent FROM parcel
  WHERE station = ANY($1::text[]) AND due IS NOT NULL AND stage IN ('RESERVED', 'READY', 'OVERDUE')
) AS here GROUP BY 1, 2"""
_ALL_CARRIERS = "SELECT array_agg(id) FROM carrier WHERE role = 'carrier'"
_STATIONS = """
SELECT id, room, in_service, last_seen FROM station LEFT JOIN station_presence ON station = id
WHERE id = ANY($1::text[]) ORDER BY id"""


# who a courier is -----------------------------------------------------------------------------------------------------


async def invite(hub: Hub, courier: UUID) -> tuple[str, datetime]:
    """A code that signs in one phone, once, within three days; and when it ends. Kept as a hash. The newest counts:
    one that was made before for this courier signs nobody in any more."""
    noise, until = int.from_bytes(hub.ids.secret(8), "big"), hub.clock.now() + INVITE_LASTS
    code = "".join(CLAIM_LETTERS[noise >> 5 * place & 31] for place in range(CLAIM_LENGTH))
    await hub.pool.execute("DELETE FROM courier_invite WHERE ends_at < $1 OR courier = $2", hub.clock.now(), courier)
    await hub.pool.execute("INSERT INTO courier_invite VALUES ($1, $2, $3)", _hashed(code), courier, until)
    return "-".join(code[at : at + 4] for at in range(0, CLAIM_LENGTH, 4)), until


async def redeem(hub: Hub, typed: str) -> UUID:
    """Whose code it is. It is spent by that. Refuses one that is unknown, spent or over."""
    courier: UUID | None = await hub.pool.fetchval(
        "DELETE FROM courier_invite WHERE hash = $1 AND ends_at > $2 RETURNING courier",
        _hashed(typed), hub.clock.now(),
    )  # fmt: skip
    if courier is None:
        raise Refusal("invite_unknown")
    return courier


async def sign_out(hub: Hub, courier: UUID) -> None:
    """A phone was lost, or its courier is admitted nowhere any more: none is signed in, and no code signs one in."""
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM courier_invite WHERE courier = $1", courier)
        await connection.execute("DELETE FROM signed_in WHERE holder = $1", courier)


def _hashed(typed: str) -> bytes:
    plain = "".join(c for c in plain_digits(typed).upper() if c.isalnum())[: 2 * CLAIM_LENGTH]
    plain = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    return hashlib.sha256(b"parcelwall/courier-invite/1\x00" + plain.encode()).digest()


async def admissions(hub: Hub, courier: UUID) -> dict[str, facts.Granted]:
    """Where this courier is admitted now, and as what; the newest grant of each station counts."""
    now = hub.clock.now()
    async with hub.pool.acquire() as connection:
        given = [each for each in await standing(connection, courier) if each.compartment is None]
    return {each.station: each for each in given if each.in_force(now) and each.station in hub.stations.known}


async def standing(connection: Connection, courier: UUID) -> list[facts.Granted]:
    """What was ever granted to a courier and not taken back, oldest first; it may be over."""
    rows = await connection.fetch(_GRANTED, str(courier))
    told = [facts.read("Granted", row["body"]) for row in rows]
    given = [each for each in told if isinstance(each, facts.Granted) and each.courier == courier]
    rows = await connection.fetch(_REVOKED_AT, sorted({each.station for each in given}))
    revoked = [msgspec.json.decode(row["body"], type=facts.Revoked) for row in rows]
    gone = {(each.station, each.grant) for each in revoked}
    return [each for each in given if (each.station, each.grant) not in gone]


class Delegated(msgspec.Struct, frozen=True):
    """The hub's word for one courier, phone and station: what `rules.delegation` lays out, in hex."""

    station: str
    number: int
    delegation: str
    until: datetime


async def delegate(hub: Hub, courier: UUID, phone_key: bytes) -> list[Delegated]:
    """What this phone may show to the readers of all stations where its courier is admitted, for a day."""
    now = hub.clock.now().replace(microsecond=0)
    return [_delegated(hub, grant, phone_key, now) for grant in (await admissions(hub, courier)).values()]


def _delegated(hub: Hub, grant: facts.Granted, phone_key: bytes, now: datetime) -> Delegated:
    until = min(now + delegation.LASTS, grant.until or now + delegation.LASTS)
    may = tuple(right for right in grant.may if right in delegation.RIGHTS)
    assert grant.courier is not None, "a courier's grant names the courier"
    given = delegation.Delegation(grant.station, grant.courier, grant.grant, phone_key, may, now, until)
    signed = delegation.payload(given)
    whole = signed.hex() + hub.signer.sign(token.to_sign(signed))
    return Delegated(grant.station, token.station_number(grant.station), whole, until)


# a round --------------------------------------------------------------------------------------------------------------


class SizeRoom(NamedTuple):
    """One size at a station: free now, promised to parcels that are still to come, and how many of those have no room
    left even in larger compartments."""

    name: str
    free: int
    coming: int
    short: int


class Stop(msgspec.Struct, frozen=True):
    """A station on a courier's round, in counts. `seen_at`: when its line last said anything."""

    station: str
    to_bring: int
    to_take: int
    sizes: tuple[SizeRoom, ...]
    may: tuple[str, ...]
    in_service: bool
    seen_at: datetime | None
    carriers: tuple[str, ...] = ()
    place: int = 0  # in the order of the day, from 1; 0 where it is in none
    behind: Literal["", "been", "unreachable"] = ""  # what makes it one that nobody has to go to first any more
    rule: OrderRule = "free"  # of the strictest carrier for whom there is something to do here

    @property
    def idle(self) -> bool:
        return not self.to_bring and not self.to_take


async def round_of(hub: Hub, courier: UUID) -> list[Stop]:
    """The stations where the courier is admitted: those of the order of today, as it is; then those with work come
    first, in the order of their ids."""
    admitted = await admissions(hub, courier)
    rows = await hub.pool.fetch(_STATIONS, list(admitted))
    counts, rules = Counter[tuple[str, str]](), dict[str, OrderRule]()
    for row in await hub.pool.fetch(_COUNTS, list(admitted)):
        if is_for(admitted[row["station"]].carriers, row["carrier"]):
            counts.update({(row["station"], what): row[what] for what in ("to_bring", "to_take")})
            if row["to_bring"] or row["to_take"]:
                asked = (rules.get(row["station"], "free"), hub.policy.order_for(row["carrier"]))
                rules[row["station"]] = max(asked, key=RULES.index)
    order = await round_order.today(hub, courier)
    placed, behind = await _order_now(hub, courier, order) if order else ({}, {})
    stops = [
        Stop(
            station=row["id"], to_bring=counts[row["id"], "to_bring"], to_take=counts[row["id"], "to_take"],
            in_service=row["in_service"], seen_at=row["last_seen"],
            sizes=room_by_size(hub.stations.known[row["id"]].plan, read_room(row["room"])),
            may=admitted[row["id"]].may, carriers=admitted[row["id"]].carriers, rule=rules.get(row["id"], "free"),
            place=placed.get(row["id"], 0), behind=behind.get(row["id"], ""),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(stops, key=lambda stop: (stop.place or len(placed) + 1, stop.idle, stop.station))


async def _order_now(hub: Hub, courier: UUID, order: Ordered) -> tuple[dict[str, int], dict[str, Why]]:
    """The place of each station in the order, and which of them are behind the courier: passed, or begun, as far as the
    hub has heard."""
    zone = round_order.zone_of(hub, order.stations[0])
    begun: dict[str, Why] = {each.station: "been" for each in await done_today(hub, courier, zone)}
    passed = {each.station: each.why for each in order.passed}
    return {station: place for place, station in enumerate(order.stations, 1)}, passed | begun


def first_of(stops: Sequence[Stop], station: str) -> list[Stop]:
    """The stops that come before this one by the order of the day and its carriers' rules, and wait still. None once
    the courier has begun here. A stop that is in no place of the order comes after those that are."""
    here = next(each for each in stops if each.station == station)
    if here.behind == "been":
        return []
    return [each for each in stops if 0 < each.place < (here.place or len(stops) + 1)
            and each.rule != "free" and not each.behind]  # fmt: skip


def room_by_size(plan: Plan, room: Room) -> tuple[SizeRoom, ...]:
    """What is free and what is coming, smallest size first. Who finds the own size full takes a larger one."""
    free = by_size(plan, room)
    coming = dict.fromkeys(free, 0)
    for need, count in room.promised.items():
        coming[plan.smallest(need)] += count
    made: list[SizeRoom] = []
    spare = 0
    for size in reversed(list(free)):  # from the largest: what is left over there serves the smaller
        spare += free[size]
        short = max(0, coming[size] - spare)
        spare = max(0, spare - coming[size])
        made.append(SizeRoom(size, free[size], coming[size], short))
    return tuple(reversed(made))


class Done(msgspec.Struct, frozen=True):
    """What a courier has done at a door today."""

    station: str
    kind: str
    at: datetime
    compartment: int
    parcel: UUID


async def done_today(hub: Hub, courier: UUID, zone: str) -> list[Done]:
    """Since midnight in that zone, oldest first, as far as the hub has heard."""
    rows = await hub.pool.fetch(_DONE, str(courier), _midnight(hub, zone))
    told = [(row["happened_at"], facts.read(row["kind"], row["body"])) for row in rows]
    return [
        Done(fact.station, fact.kind, at, fact.compartment, fact.parcel)
        for at, fact in told if isinstance(fact, facts.Deposited | facts.TakenBack)
    ]  # fmt: skip


def _midnight(hub: Hub, zone: str) -> datetime:
    """When today began there."""
    return hub.clock.now().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


async def problems_today(hub: Hub, courier: UUID, zone: str) -> int:
    """How many problems the courier has reported since midnight in that zone."""
    sql = "SELECT count(*) FROM asked WHERE actor = $1 AND at >= $2"
    return int(await hub.pool.fetchval(sql, f"courier/{courier}", _midnight(hub, zone)))


async def ending_of(hub: Hub, parcel: UUID) -> str:
    """The end of a parcel's number, which is said where nothing else of it may be."""
    record = await hub.pool.fetchval("SELECT record FROM parcel WHERE id = $1", parcel)
    return read_parcel(record).selector if record else ""


async def to_bring(hub: Hub, station: str, carriers: Sequence[str] = ()) -> list[Parcel]:
    """What couriers of these carriers (of all, if none are named) bring there; what is sent from there, senders put in
    themselves."""
    coming = await _parcels(hub, [station], [Stage.RESERVED])
    return [each for each in coming if each.direction != "return" and is_for(carriers, each.carrier)]


async def to_take(hub: Hub, station: str, carriers: Sequence[str] = ()) -> list[Parcel]:
    """What they take along from there: returns, and what nobody collected in time. As `station.taking.waiting`."""
    inside = await _parcels(hub, [station], [Stage.READY, Stage.OVERDUE])
    out = [each for each in inside if each.direction == "return" or each.stage == Stage.OVERDUE]
    return [each for each in out if is_for(carriers, each.carrier)]


async def photo_rule(hub: Hub, admitted: Sequence[facts.Granted]) -> PhotoRule:
    """What their carriers say of photos: required if one of them wants one, off if none wants any."""
    named = {each for grant in admitted for each in grant.carriers}
    if not all(grant.carriers for grant in admitted):
        named |= set((await hub.pool.fetchval(_ALL_CARRIERS)) or ())
    rules = {hub.policy.photo_for(each) for each in named}
    return "required" if "required" in rules else "off" if rules == {"off"} else "optional"


def is_for(carriers: Sequence[str], carrier: str) -> bool:
    """Whether an admission for these carriers, or for all, is for parcels of this one."""
    return not carriers or carrier in carriers


async def _parcels(hub: Hub, stations: Sequence[str], stages: Sequence[Stage]) -> list[Parcel]:
    rows = await hub.pool.fetch(_HERE, list(stations), list(stages))
    return [read_parcel(row["record"]) for row in rows]


# labels ---------------------------------------------------------------------------------------------------------------


class Label(msgspec.Struct, frozen=True):
    """What a label means at a stop. `verdict`: "here", "inside" already, "elsewhere" on this round, "mistyped" (its
    check digit is wrong), or "unknown"."""

    verdict: str
    station: str = ""
    size: str = ""
    ending: str = ""
    parcel: UUID | None = None
    carrier: str = ""


async def what_is(hub: Hub, courier: UUID, read: str, station: str) -> Label:
    """Looks a label up at the stop, then at the other stops of the round. It says nothing of any other parcel."""
    admitted, read = await admissions(hub, courier), plain_digits(read)
    here = [name for name in admitted if name == station]
    for names in (here, sorted(admitted.keys() - here)):
        parcel = await _labelled(hub, {name: admitted[name] for name in names}, read)
        if parcel is not None:
            verdict = "elsewhere" if parcel.station != station else "inside" if parcel.stage in INSIDE else "here"
            return Label(verdict, parcel.station or "", parcel.size or "", parcel.selector, parcel.id, parcel.carrier)
    return Label("mistyped" if check_digit_fits(read) is False else "unknown")


async def _labelled(hub: Hub, admitted: dict[str, facts.Granted], read: str) -> Parcel | None:
    tags = {name: access.label_tags(hub.stations.known[name].label_key, read) for name in admitted}
    there = await _parcels(hub, list(admitted), (Stage.RESERVED, *INSIDE)) if admitted else []
    found = [
        each for each in there if is_for(admitted[each.station or ""].carriers, each.carrier)
        and any(access.same(each.label_tag, tag) for tag in tags[each.station or ""])
    ]  # fmt: skip
    return min(found, key=lambda parcel: parcel.stage != Stage.RESERVED, default=None)


def labels_of(parcels: Sequence[Parcel]) -> dict[str, tuple[str, str]]:
    """What a phone keeps for when it has no signal: label -> size and end of the parcel's number."""
    return {normal(each.label or each.reference): (each.size or "", each.selector) for each in parcels[:MOST_LABELS]}
