"""What may be read: each question joins on who asks. A carrier's reads run as a role that sees only its own rows."""

import heapq
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub import people, wall
from parcelwall.hub.commands import carrier_view
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import link_hash
from parcelwall.hub.people import Person
from parcelwall.hub.sitting import read_parcel
from parcelwall.hub.stations import Station, presence_at, presence_of
from parcelwall.rules import access, facts
from parcelwall.rules.decide import STOPPING
from parcelwall.rules.labels import plain_digits
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import Plan, Room, free_by_kind, read_room
from parcelwall.rules.sentence import ON_THE_WAY
from parcelwall.rules.tables import Window

# The database is not there now. Whoever asks is told to ask again, or looks again by itself.
LOST = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)  # fmt: skip

_BY_REFERENCE = "SELECT record FROM parcel WHERE reference = ANY($1::text[]) LIMIT 2"
_BY_LINK = "SELECT record FROM link JOIN parcel ON parcel.id = link.parcel WHERE hash = $1 AND page = $2"

_OPEN_CASES = """
SELECT id, about, parcel, station, compartment, holds, opened_at FROM case_file
WHERE closed_at IS NULL AND ($1::text[] = '{}' OR station = ANY($1)) ORDER BY opened_at, id"""
_PAGE_OF_CASES = _OPEN_CASES.replace(" ORDER BY", """
  AND ($2::uuid IS NULL OR (opened_at, id) > (SELECT opened_at, id FROM case_file WHERE id = $2)) ORDER BY""")
_MARKS = "SELECT body, happened_at FROM entry WHERE parcel = $1 AND kind = 'CarrierReported' ORDER BY revision"


@asynccontextmanager
async def as_carrier(hub: Hub, carrier: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees only this carrier's rows: the second wall behind the join."""
    async with hub.pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(f"SET LOCAL ROLE {wall.ROLE}")
        await connection.execute("SELECT set_config('parcelwall.carrier', $1, true)", carrier)
        yield connection


async def parcels(
    hub: Hub, carrier: str, reference: str | None, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """The carrier's parcels in the order of their ids, after one of them."""
    async with as_carrier(hub, carrier) as connection:
        rows = await connection.fetch(
            """SELECT record FROM parcel WHERE carrier = $1 AND ($2::text IS NULL OR reference = $2)
               AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4""",
            carrier, reference, after, limit,
        )  # fmt: skip
    return [shown(hub, read_parcel(row["record"])) for row in rows]


async def parcel(hub: Hub, carrier: str, parcel_id: UUID) -> dict[str, Any]:
    """One parcel of the carrier. Raises Refusal for a foreign one as for an unknown one."""
    async with as_carrier(hub, carrier) as connection:
        record = await connection.fetchval(
            "SELECT record FROM parcel WHERE id = $1 AND carrier = $2", parcel_id, carrier
        )
    if record is None:
        raise Refusal("not_found")
    found = read_parcel(record)
    window = await ready_window(hub, found)
    return shown(hub, found) | (_ready(window) if window else {})


def _ready(window: Window) -> dict[str, datetime]:
    median = {"ready_median": window.median} if window.median else {}
    return {"ready_from": window.since, "ready_by": window.until, **median}


async def ready_window(hub: Hub, parcel: Parcel) -> Window | None:
    """When a promised parcel will be ready, by the calendar that an operator adopted; None where there is none."""
    if not hub.tables.tells_of(parcel):
        return None
    async with hub.pool.acquire() as connection:
        return await hub.tables.window(connection, parcel, hub.clock.now())


def shown(hub: Hub, parcel: Parcel) -> dict[str, Any]:
    return carrier_view(parcel, hub.keys.link_token("track", parcel.id))


async def own_id(hub: Hub, carrier: str, reference: str) -> UUID:
    """The id of the carrier's parcel with this reference. Raises Refusal."""
    found: UUID | None = await hub.pool.fetchval(
        "SELECT id FROM parcel WHERE reference = $1 AND carrier = $2", reference, carrier
    )
    if found is None:
        raise Refusal("not_found")
    return found


async def by_reference(hub: Hub, typed: str) -> Parcel | None:
    """The parcel that anybody means by this number; None if there is none, or if two carriers use it."""
    if not typed or len(typed) > 64 or not typed.isprintable():
        return None
    typed = plain_digits(typed)
    forms = {typed, typed.strip(), typed.strip().upper(), "".join(typed.split()).upper()}
    rows = await hub.pool.fetch(_BY_REFERENCE, list(forms))
    return read_parcel(rows[0]["record"]) if len(rows) == 1 else None


async def by_link(hub: Hub, page: str, token: str) -> Parcel | None:
    """The parcel of a link, for whoever holds it."""
    record = await hub.pool.fetchval(_BY_LINK, link_hash(token), page)
    return read_parcel(record) if record else None


async def known_parcel(hub: Hub, parcel: UUID) -> Parcel:
    """A parcel that is there, by its id."""
    return read_parcel(await hub.pool.fetchval("SELECT record FROM parcel WHERE id = $1", parcel))


async def on_the_road(hub: Hub, parcel: Parcel) -> tuple[datetime | None, datetime | None]:
    """When a carrier first had it, and when it last went out to be brought: by the carriers' own marks."""
    rows = await hub.pool.fetch(_MARKS, parcel.id)
    marks = [(msgspec.json.decode(row["body"], type=facts.CarrierReported).mark, row["happened_at"]) for row in rows]
    went_out = [at for mark, at in marks if mark == "out_for_delivery"]
    return next((at for mark, at in marks if mark in ON_THE_WAY), None), went_out[-1] if went_out else None


async def person_of(hub: Hub, parcel: Parcel) -> Person | None:
    async with hub.pool.acquire() as connection:
        return await people.find(connection, parcel.person, hub.keys)


class OpenCase(NamedTuple):
    """A case about a parcel that nobody has closed: its short name, and whether the holding time stands still."""

    name: str
    stops: bool


async def open_case_of(hub: Hub, parcel: Parcel) -> OpenCase | None:
    """The oldest open case about this parcel; `stops` if any of them does."""
    rows = await hub.pool.fetch(
        "SELECT id, about, station FROM case_file WHERE parcel = $1 AND closed_at IS NULL ORDER BY opened_at", parcel.id
    )
    stops = any(row["station"] == parcel.station and row["about"] in STOPPING for row in rows)
    return OpenCase(case_name(rows[0]["id"]), stops) if rows else None


def case_name(case: UUID) -> str:
    """What people call a case: the last 6 letters of its id."""
    return f"C-{case.hex[-6:].upper()}"


async def feed(hub: Hub, carrier: str, after: int, limit: int) -> list[dict[str, Any]]:
    """The carrier's own entries in its own gapless numbering. Doors within reach that a recipient asked for, not the
    carrier, are left out."""
    async with as_carrier(hub, carrier) as connection:
        rows = await connection.fetch(
            """SELECT feed.number, entry.kind, entry.happened_at, entry.recorded_at, entry.body,
                 parcel.record LIKE '%"wished":true%' AS wished FROM feed
               JOIN entry ON entry.writer = feed.writer AND entry.number = feed.entry_number
               LEFT JOIN parcel ON parcel.id = entry.parcel
               WHERE feed.carrier = $1 AND feed.number > $2 ORDER BY feed.number LIMIT $3""",
            carrier, after, limit,
        )  # fmt: skip
    return [
        {"number": row["number"], "kind": row["kind"], "happened_at": clock.text(row["happened_at"]),
         "recorded_at": clock.text(row["recorded_at"]), "body": _as_said(row["body"], row["wished"])}
        for row in rows
    ]  # fmt: skip


def _as_said(body: str, wished: bool | None) -> msgspec.Raw | dict[str, Any]:
    """An entry's body as the carrier may know it: with the `reach` that it asked for itself."""
    if '"reach":true' not in body or not (wished or '"wished":' in body):
        return msgspec.Raw(body.encode())
    told: dict[str, Any] = msgspec.json.decode(body)
    hidden = ("reach", "wished") if wished else ("wished",)
    return {name: value for name, value in told.items() if name not in hidden}


async def stations(hub: Hub, after: str = "", limit: int = 500) -> list[dict[str, Any]]:
    """So many stations in the order of their ids, from the one that follows `after` on, which need not be one."""
    wanted = heapq.nsmallest(limit, (name for name in hub.stations.known if name > after))
    async with hub.pool.acquire() as connection:
        rows = await presence_at(connection, wanted)
    return [_described(hub, hub.stations.known[name], rows[name]) for name in wanted if name in rows]


async def station(hub: Hub, station_id: str) -> dict[str, Any]:
    """One station. Raises Refusal for an unknown one."""
    known = hub.stations.known.get(station_id)
    if known is None:  # before the database is asked, which takes no name with a NUL in it
        raise Refusal("station_unknown", station=station_id)
    async with hub.pool.acquire() as connection:
        row = await presence_of(connection, station_id)
    assert row is not None, "a station that is known stays"
    return _described(hub, known, row)


def _described(hub: Hub, known: Station, row: dict[str, Any]) -> dict[str, Any]:
    about, site, photo = known.about, known.site, f"{hub.public_url}{known.photo}" if known.photo else None
    sizes = [
        {"name": size.name, "width_mm": size.width_mm, "height_mm": size.height_mm, "depth_mm": size.depth_mm,
         "limit_g": size.limit_g, "climate": size.climate,
         "count": sum(each.size == size.name for each in about.layout.compartments)}
        for size in about.layout.sizes
    ]  # fmt: skip
    return {
        "id": known.id, "name": about.name, "address": about.address, "lat": about.lat, "lon": about.lon,
        "zone": about.zone, "sizes": sizes,
        "in_service": row["in_service"] and known.permitted(hub.clock.now(), hub.policy),
        "free": by_size(known.plan, read_room(row["room"])), "last_seen": row["last_seen"],
        "way": {name: getattr(site, name) for name in WAY} | {"photo": photo} if site else None,
    }  # fmt: skip


async def availability(hub: Hub, station_id: str) -> dict[str, Any]:
    """Counts by size: free now, usable at all, promised (smallest size that fits), inside.

    Raises Refusal for an unknown station.
    """
    known = hub.stations.known.get(station_id)
    if known is None:
        raise Refusal("station_unknown", station=station_id)
    row = await hub.pool.fetchrow("SELECT room, in_service FROM station WHERE id = $1", station_id)
    room = read_room(row["room"])
    sizes: dict[str, dict[str, int]] = {size.name: dict.fromkeys(COUNTS, 0) for size in known.about.layout.sizes}
    for size, count in by_size(known.plan, room).items():
        sizes[size]["free"] = count
    for size, count in by_size(known.plan, Room(broken=room.broken, held=room.held)).items():
        sizes[size]["usable"] = count
        sizes[size]["inside"] = count - sizes[size]["free"]
    for need, count in room.promised.items():
        sizes[known.plan.smallest(need)]["promised"] += count
    now = hub.clock.now()
    is_open = row["in_service"] and known.permitted(now, hub.policy)
    return {"station": station_id, "in_service": is_open, "as_of": now, "sizes": sizes}


COUNTS = ("free", "usable", "inside", "promised")
WAY = ("way", "step_free", "step_free_way", "lit", "kerb")


def by_size(plan: Plan, room: Room) -> dict[str, int]:
    """Free compartments by size."""
    counts: dict[str, int] = {}
    for (size, _), free in zip(plan.kinds, free_by_kind(plan, room), strict=True):
        counts[size] = counts.get(size, 0) + free
    return counts


async def courier_code(hub: Hub, station_id: str, courier: UUID) -> tuple[str, date]:
    """What this courier types at this station today, and which day that is there.

    Raises Refusal for an unknown station.
    """
    known = hub.stations.known.get(station_id)
    if known is None:
        raise Refusal("station_unknown", station=station_id)
    day = hub.clock.now().astimezone(ZoneInfo(known.about.zone)).date()
    return access.courier_code(known.courier_key, station_id, courier, day), day


async def send_code(hub: Hub, carrier: str, parcel_id: UUID) -> dict[str, Any]:
    """The code with which the sender of a return puts it in, for the carrier who announced it.

    Raises Refusal for a foreign parcel, for a delivery, and for a return that has no room promised now.
    """
    async with as_carrier(hub, carrier) as connection:
        record = await connection.fetchval(
            "SELECT record FROM parcel WHERE id = $1 AND carrier = $2", parcel_id, carrier
        )
    if record is None:
        raise Refusal("not_found")
    parcel = read_parcel(record)
    if parcel.direction != "return" or parcel.stage != Stage.RESERVED or not parcel.station or not parcel.reservation:
        raise Refusal("wrong_stage", "Only a return that has room promised has a send code.", stage=parcel.stage)
    key = hub.stations.known[parcel.station].code_key
    code = access.send_code(key, parcel.station, parcel.reservation, parcel.generation)
    return {"station": parcel.station, "code": code, "deposit_by": parcel.deposit_by}


async def open_cases(hub: Hub, stations: Collection[str] = ()) -> list[dict[str, Any]]:
    """Open cases at these stations (of none: everywhere), oldest first, with the name that people call them by."""
    rows = await hub.pool.fetch(_OPEN_CASES, list(stations))
    return [{**dict(row), "name": case_name(row["id"])} for row in rows]


async def page_of_cases(hub: Hub, stations: Collection[str], after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """The same, so many after one of them, which may be closed by now; none after one that never was."""
    rows = await hub.pool.fetch(f"{_PAGE_OF_CASES} LIMIT $3", list(stations), after, limit)
    return [{**dict(row), "name": case_name(row["id"])} for row in rows]


async def station_of_case(hub: Hub, case: UUID) -> str | None:
    """Where a case is, None for one without a place. Raises Refusal for an unknown case."""
    row = await hub.pool.fetchrow("SELECT station FROM case_file WHERE id = $1", case)
    if row is None:
        raise Refusal("not_found")
    station: str | None = row["station"]
    return station


async def person_id(connection: asyncpg.Connection, parcel: UUID) -> UUID | None:
    """Whose parcel it is, by the random id of their vault row. Raises Refusal for an unknown parcel."""
    record = await connection.fetchval("SELECT record FROM parcel WHERE id = $1", parcel)
    if record is None:
        raise Refusal("not_found")
    return read_parcel(record).person


async def station_of_parcel(hub: Hub, parcel: UUID) -> str | None:
    """Where a parcel is promised or lies; None for one that is nowhere, and for an unknown one: who may act
    everywhere hears from the desk that there is none, and nobody else hears anything."""
    station: str | None = await hub.pool.fetchval("SELECT station FROM parcel WHERE id = $1", parcel)
    return station
