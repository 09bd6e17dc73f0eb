"""What the hub pushes to stations besides promises: who may act there, parcels that nobody may collect, codes that are
drawn instead of derived. Each line is a fact in the station's stream (docs/decisions/0010): signed, numbered, kept.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection

from parcelwall.errors import Refusal
from parcelwall.hub import couriers, reading
from parcelwall.hub.commands import Answer, Command, own
from parcelwall.hub.house import Hub
from parcelwall.hub.sitting import Sitting, read_parcel
from parcelwall.hub.stations import WRITTEN_FOR, Station, Stations
from parcelwall.rules import access, decide, facts
from parcelwall.rules.life import INSIDE, Parcel
from parcelwall.rules.personal import refuse_personal

MOST_STAFF = 100  # per station: a guess at the courier's pad meets as many codes (docs/codes.md)
CODE_LASTS = timedelta(days=7)

# Orders to open a door are `Granted` too, with a compartment; they are over at once.
_GRANTS = f"""
SELECT kind, body FROM entry WHERE writer = ANY(ARRAY({WRITTEN_FOR}))
  AND kind IN ('Granted', 'Revoked') AND body NOT LIKE '%"compartment":%'
ORDER BY length(writer), writer, number"""  # noqa: S608 - a text of our own
_CARRIERS = "SELECT id, name FROM carrier WHERE role = 'carrier' ORDER BY name, id"
_HERE = "SELECT record FROM parcel WHERE station = $1 AND due IS NOT NULL AND compartment IS NOT NULL"


async def grants(connection: Connection, station: str) -> list[facts.Granted]:
    """What stands on a station's lists now: staff and drawn codes, without what was taken back or is over."""
    given, revoked = await _told(connection, station)
    return [each for each in given.values() if each.grant not in revoked]


async def _told(connection: Connection, station: str) -> tuple[dict[UUID, facts.Granted], set[UUID]]:
    """What was ever put on a station's lists, and what was taken back of it."""
    told = [facts.read(row["kind"], row["body"]) for row in await connection.fetch(_GRANTS, [station])]
    given = {each.grant: each for each in told if isinstance(each, facts.Granted) and each.stands}
    return given, {each.grant for each in told if isinstance(each, facts.Revoked)}


async def staff(hub: Hub, station: str) -> list[facts.Granted]:
    """Who may act at a station now. Refuses an unknown one."""
    if station not in hub.stations.known:
        raise Refusal("station_unknown", station=station)
    async with hub.pool.acquire() as connection:
        now = hub.clock.now()
        return [each for each in await grants(connection, station) if each.courier and not _is_over(each, now)]


def _is_over(grant: facts.Granted, now: datetime) -> bool:
    return grant.until is not None and grant.until <= now


async def carriers(hub: Hub) -> dict[str, str]:
    """Name by id of all carriers, in the order of their names: those that an admission may name."""
    rows = await hub.pool.fetch(_CARRIERS)
    return {row["id"]: row["name"] or row["id"] for row in rows}


async def admit(hub: Hub, grant: facts.Granted) -> None:
    """A courier or technician may act at a station. Refuses more than its codes allow, an admission that is over
    already, an unknown station and unknown carriers."""
    if _is_over(grant, hub.clock.now()):
        raise Refusal("bad_field", "This time is over already: they would be admitted never.", field="until")
    if grant.carriers and (odd := set(grant.carriers) - (await carriers(hub)).keys()):
        raise Refusal("bad_field", f"There is no carrier {', '.join(sorted(odd))}.", field="carriers")
    known = {each.courier for each in await staff(hub, grant.station)}
    if len(known | {grant.courier}) > MOST_STAFF:
        raise Refusal("too_many_staff", most=MOST_STAFF)
    await hub.grant(grant)


async def code_of_the_day(hub: Hub, station: str, courier: UUID) -> tuple[str, date]:
    """What a courier who is admitted at a station types there today, and which day that is there.

    Raises Refusal for an unknown station, and for who is not admitted: the screen would take it for a wrong code.
    """
    if courier not in {each.courier for each in await staff(hub, station)}:
        raise Refusal("not_found", "This courier is not admitted at this station. "
                                   f"POST /api/v1/stations/{station}/couriers admits them.")  # fmt: skip
    return await reading.courier_code(hub, station, courier)


async def revoke(hub: Hub, station: str, grant: UUID, actor: UUID | None, of_staff: bool) -> None:
    """Takes one line back, of the staff's or of a drawn code; once more does nothing. Refuses an unknown station, and
    what is not on this station's list of that kind."""
    if station not in hub.stations.known:
        raise Refusal("station_unknown", station=station)
    async with hub.pool.acquire() as connection:
        given, revoked = await _told(connection, station)
    if grant not in given or (given[grant].courier is not None) != of_staff:
        raise Refusal("not_found")
    if grant not in revoked:
        await hub.revoke(station, grant, actor)


async def revoke_everywhere(hub: Hub, courier: UUID, actor: UUID | None = None) -> list[str]:
    """A courier may do nothing anywhere any more: ids of the stations that are told so, in one transaction."""
    async with hub.pool.acquire() as connection, connection.transaction():
        given = {each.grant: each for each in await couriers.standing(connection, courier)}
        stations = sorted({each.station for each in given.values()})
        at = hub.desk.sitting(connection)
        await at.load((), stations)
        for each in given.values():
            at.record(facts.Revoked(grant=each.grant, station=each.station, actor=actor))
        await at.write()
    return stations


class Block(Command, kw_only=True):
    """Nobody may collect this parcel from when its station has heard of it; or, with `lifted`, they may again."""

    parcel: UUID
    why: str = ""
    lifted: bool = False
    actor: UUID | None = None

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        refuse_personal(self.why, "why")
        return [self.parcel], []

    def decide(self, at: Sitting) -> Answer:
        parcel = own(at, self.parcel, None)
        if self.lifted:
            fact: facts.Fact | None = decide.unblock(parcel, "operator", self.why, self.actor)
        else:
            fact = decide.block(parcel, self.why, "operator", self.actor)
        if fact is not None:
            at.record(fact)
        return Answer(200, {"parcel": str(parcel.id), "blocked": not self.lifted, "station": parcel.station})


class Drawn(NamedTuple):
    """One more code for a parcel, shown this once: only its tag is kept, here and at the station."""

    grant: UUID
    digits: str
    until: datetime
    station: str
    compartment: int


async def draw_code(
    hub: Hub, connection: Connection, parcel_id: UUID, until: datetime | None = None,
    not_before: datetime | None = None, actor: UUID | None = None, reason: str = "",
) -> Drawn:  # fmt: skip
    """One more code that opens a parcel's compartment: for a helper, for somebody on the telephone. It is no second
    right: who comes first spends it. In the caller's transaction, from which the station's row stays locked.

    Refuses a parcel that is not inside, is blocked, or takes no code. Who may draw one is `hub.drawn`'s to say.
    """
    at = hub.desk.sitting(connection)
    await at.load([parcel_id], [])
    parcel = own(at, parcel_id, None)
    if parcel.stage not in INSIDE or parcel.proof != "code" or parcel.station is None or parcel.compartment is None:
        raise Refusal("wrong_stage", stage=parcel.stage)
    decide.refuse_blocked(parcel)
    digits = await _fresh(hub, at, parcel.station)
    drawn = Drawn(hub.ids.new(), digits, until or at.now + CODE_LASTS, parcel.station, parcel.compartment)
    if drawn.until <= max(at.now, not_before or at.now):
        raise Refusal("bad_field", "The code would be over before it begins.", field="until")
    tag = access.code_tag(at.here[parcel.station].tag_key, digits)
    at.record(facts.Granted(
        grant=drawn.grant, station=parcel.station, may=("collect",), parcel=parcel.id, until=drawn.until, by="operator",
        reservation=parcel.reservation, tag=tag, not_before=not_before, actor=actor, reason=reason,
    ))  # fmt: skip
    await at.write()
    return drawn


async def _fresh(hub: Hub, at: Sitting, station_id: str) -> str:
    """Eight digits, none likelier than another, that open nothing at this station yet. Its row is locked."""
    station, connection = at.here[station_id], at.connection
    inside = [read_parcel(row["record"]) for row in await connection.fetch(_HERE, station_id)]
    live = {_derived(station, parcel, more) for parcel in inside for more in (0, 1)}
    tags = {each.tag for each in await grants(connection, station_id) if each.tag}
    while True:
        digits = f"{int.from_bytes(hub.ids.secret(16), 'big') % 10**access.CODE_DIGITS:0{access.CODE_DIGITS}d}"
        if digits not in live and access.code_tag(station.tag_key, digits) not in tags:
            return digits


def _derived(station: Station, parcel: Parcel, more: int) -> str:
    assert parcel.reservation is not None, "what is inside has a reservation"
    return access.pickup_code(station.code_key, station.id, parcel.reservation, parcel.generation + more)
