"""What the console looks at: all stations at a glance, and one station with every door. Reads only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from asyncpg import Connection

from parcelwall.errors import Refusal
from parcelwall.hub import reading
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person
from parcelwall.hub.stations import WRITTEN_BY, Station, presence, presence_of
from parcelwall.rules import facts
from parcelwall.rules.life import INSIDE, Stage
from parcelwall.rules.places import Room, bits, read_room

HERE_S = 60.0  # heard from within this is "here"
OPEN_LOOKED_BACK = timedelta(minutes=15)  # a door that is open for longer has a case of its own
ENTRIES_LOOKED_BACK = 400
LATEST_SHOWN = 12

Line = Literal["here", "quiet", "never"]
DoorState = Literal["free", "used", "open", "fault", "held", "unknown"]

_COUNTS = """
SELECT station, stage, count(*) AS n FROM parcel
WHERE due IS NOT NULL AND stage = ANY($1::text[]) AND station IS NOT NULL GROUP BY 1, 2"""
_COUNTS_OF = _COUNTS.replace("station IS NOT NULL", "station = $2")
_MOVED = """
SELECT DISTINCT ON (writer, body::jsonb->>'compartment') writer, kind, (body::jsonb->>'compartment')::int AS door
FROM entry WHERE recorded_at > $1 AND kind IN ('DoorOpened', 'DoorClosed')
ORDER BY writer, body::jsonb->>'compartment', number DESC"""
_MOVED_AT = _MOVED.replace("recorded_at > $1", f"recorded_at > $2 AND writer = ANY(ARRAY({WRITTEN_BY}))")
_HEAD = "SELECT name, number FROM station_identity JOIN writer ON name = station_identity.writer WHERE station = $1"
_LATEST = """
SELECT kind, body, happened_at, recorded_at, number FROM entry WHERE writer = $1 AND number > $2
ORDER BY number DESC"""
_WITHIN = """
SELECT compartment, id, reference, stage, due FROM parcel
WHERE station = $1 AND due IS NOT NULL AND compartment IS NOT NULL"""
_TO_CARRY = "SELECT count(*) FROM entry WHERE writer = $1 AND recorded_at > $2"


class AtAGlance(msgspec.Struct, frozen=True):
    """One station: its room, its line, what waits. When it is quiet all figures are as old as `heard_at`."""

    id: str
    name: str
    address: str
    lat: float
    lon: float
    line: Line
    heard_at: datetime | None
    doors: int
    in_use: int
    free: tuple[tuple[str, int], ...]
    faults: tuple[int, ...]
    open_doors: tuple[int, ...]
    waiting: int
    expected: int
    overdue: int
    cases: int
    in_service: bool
    joined: bool = True

    @property
    def share(self) -> float:
        """Compartments in use of those that can be used, 0 to 1."""
        usable = self.doors - len(self.faults)
        return min(1.0, self.in_use / usable) if usable > 0 else 1.0


async def all_at_a_glance(hub: Hub, who: Person) -> list[AtAGlance]:
    """All stations of this person's area, by id."""
    now = hub.clock.now()
    async with hub.pool.acquire() as connection:
        rows = await presence(connection)
        counted = await connection.fetch(_COUNTS, [Stage.RESERVED, *INSIDE])
        moved = await connection.fetch(_MOVED, now - OPEN_LOOKED_BACK)
    counts, ajar, known = _counts(counted), _doors_open(moved), hub.stations.known
    return [
        _glance(known[row["id"]], row, counts, ajar.get(row["id"], ()), now)
        for row in rows if row["id"] in known and who.sees(row["id"])
    ]  # fmt: skip


async def _one_at_a_glance(connection: Connection, station: Station, row: dict[str, Any], now: datetime) -> AtAGlance:
    counted = await connection.fetch(_COUNTS_OF, [Stage.RESERVED, *INSIDE], station.id)
    moved = await connection.fetch(_MOVED_AT, [station.id], now - OPEN_LOOKED_BACK)
    return _glance(station, row, _counts(counted), _doors_open(moved).get(station.id, ()), now)


def _counts(rows: Sequence[Any]) -> dict[tuple[str, str], int]:
    return {(row["station"], row["stage"]): row["n"] for row in rows}


def _doors_open(moved: Sequence[Any]) -> dict[str, list[int]]:
    """By station, from what each door did last."""
    ajar: dict[str, list[int]] = {}
    for row in moved:
        if row["kind"] == "DoorOpened":
            ajar.setdefault(row["writer"].partition(":")[0], []).append(row["door"])
    return ajar


def _glance(
    station: Station, row: dict[str, Any], counts: dict[tuple[str, str], int], ajar: Sequence[int], now: datetime
) -> AtAGlance:
    room, about = read_room(row["room"]), station.about
    waiting, overdue, expected = (counts.get((station.id, each), 0) for each in (*INSIDE, Stage.RESERVED))
    return AtAGlance(
        id=station.id, name=about.name, address=about.address, lat=about.lat, lon=about.lon,
        line=line_of(row["last_seen"], now), heard_at=row["last_seen"],
        doors=len(about.layout.compartments), in_use=room.taken.bit_count(),
        free=tuple(reading.by_size(station.plan, room).items()),
        faults=tuple(station.plan.number(place) for place in bits(room.broken | room.held)),
        open_doors=tuple(sorted(ajar)), waiting=waiting, expected=expected, overdue=overdue, cases=row["cases"],
        in_service=row["in_service"], joined=row["joined"],
    )  # fmt: skip


async def is_alone(hub: Hub, station: str) -> bool:
    """Whether a station that was here has said nothing for longer than a line does: it works on its own."""
    seen = await hub.pool.fetchval("SELECT last_seen FROM station_presence WHERE station = $1", station)
    return line_of(seen, hub.clock.now()) == "quiet"


def line_of(seen: datetime | None, now: datetime) -> Line:
    if seen is None:
        return "never"
    return "quiet" if (now - seen).total_seconds() > HERE_S else "here"


class Behind(msgspec.Struct, frozen=True):
    """One compartment of a station as the operator sees it."""

    number: int
    size: str
    state: DoorState
    parcel: UUID | None = None
    reference: str = ""
    stage: str = ""
    due: datetime | None = None
    case: UUID | None = None
    about: str = ""


class Noted(msgspec.Struct, frozen=True):
    """One of the latest entries of a station."""

    kind: str
    happened_at: datetime
    recorded_at: datetime
    door: int | None = None
    body: dict[str, Any] = {}


class OneStation(msgspec.Struct, frozen=True):
    """A station with every door, what it wrote last, its power, its line, and how much of ours it has not heard yet."""

    glance: AtAGlance
    station: Station
    doors: tuple[Behind, ...]
    latest: tuple[Noted, ...]
    software: str
    power: facts.Power | None
    power_at: datetime | None
    to_carry: int


async def one_station(hub: Hub, who: Person, station_id: str) -> OneStation:
    """Raises Refusal for an unknown station, and for one that is not in this person's area."""
    if station_id not in hub.stations.known:
        raise Refusal("station_unknown", station=station_id)
    if not who.may("see", station_id):
        raise Refusal("no_right")
    station = hub.stations.known[station_id]
    async with hub.pool.acquire() as connection:
        row = await presence_of(connection, station_id)
        assert row is not None, "a station that is known stays"
        glance = await _one_at_a_glance(connection, station, row, hub.clock.now())
        head = await connection.fetchrow(_HEAD, station_id)
        entries = await connection.fetch(_LATEST, head["name"], head["number"] - ENTRIES_LOOKED_BACK) if head else []
        within = {each["compartment"]: each for each in await connection.fetch(_WITHIN, station_id)}
        unheard = await connection.fetchval(
            _TO_CARRY, hub.streams.station(station_id), row["heard_until"] or row["last_seen"] or hub.clock.now()
        )
    cases = {each["compartment"]: each for each in await reading.open_cases(hub, [station_id])}
    power = next((each for each in entries if each["kind"] == "Power"), None)
    return OneStation(
        glance, station, tuple(_behind(station, read_room(row["room"]), within, cases, _ajar(entries), glance.line)),
        tuple(map(_noted, entries[:LATEST_SHOWN])), row["software"] or "",
        msgspec.json.decode(power["body"], type=facts.Power) if power else None,
        power["happened_at"] if power else None, unheard if glance.line != "here" else 0,
    )  # fmt: skip


def _behind(station: Station, room: Room, within: Any, cases: Any, ajar: set[int], line: Line) -> list[Behind]:
    """Of a station that is silent nobody knows whether a door is open that stood open last; the rest is as it was heard
    last. Of one that was never heard nobody knows anything."""
    found = []
    for each in station.about.layout.compartments:
        bit = station.plan.bit(each.number)
        row, case = within.get(each.number), cases.get(each.number)
        state: DoorState = (
            ("open" if line == "here" else "unknown") if each.number in ajar
            else "fault" if room.broken & bit else "held" if room.held & bit
            else "unknown" if line == "never" else "used" if room.taken & bit else "free"
        )  # fmt: skip
        found.append(Behind(
            each.number, each.size, state, row["id"] if row else None, row["reference"] if row else "",
            row["stage"] if row else "", row["due"] if row else None, case["id"] if case else None,
            case["about"] if case else "",
        ))  # fmt: skip
    return found


def _ajar(entries: Sequence[Any]) -> set[int]:
    """Doors whose newest word is that they were seen open. Newest entries first."""
    newest: dict[int, str] = {}
    for entry in entries:
        if entry["kind"] in ("DoorOpened", "DoorClosed"):
            newest.setdefault(msgspec.json.decode(entry["body"])["compartment"], entry["kind"])
    return {door for door, kind in newest.items() if kind == "DoorOpened"}


def _noted(entry: Any) -> Noted:
    body = msgspec.json.decode(entry["body"])
    return Noted(entry["kind"], entry["happened_at"], entry["recorded_at"], body.get("compartment"), body)
