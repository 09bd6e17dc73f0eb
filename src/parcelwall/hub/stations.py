"""What the hub knows of its stations: plans, keys, where they are, how their lines are."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime
from math import cos, radians
from typing import Any

import msgspec
from asyncpg import Connection

from parcelwall.errors import Trouble
from parcelwall.hub.keys import Keys
from parcelwall.rules import access
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.places import Plan, Room, distance_m, read_room

KM_PER_DEGREE = 110.54


class Station(msgspec.Struct):
    """A station as this process has read it; `config` tells whether it is still so."""

    id: str
    config: int
    about: StationConfigured
    plan: Plan
    code_key: bytes
    label_key: bytes
    courier_key: bytes
    tag_key: bytes
    in_service: bool = True
    revoked: bool = False  # its computer is trusted no longer, and none has taken its place

    @property
    def place(self) -> tuple[float, float]:
        return self.about.lat, self.about.lon


_USES = {"code": "pickup-code", "label": "label-tag", "courier": "courier-code", "tag": "code-tag"}

_COLUMNS = """
SELECT id, config, record, in_service,
  (SELECT sealed FROM station_secret WHERE station = id ORDER BY epoch DESC LIMIT 1) AS secret,
  EXISTS (SELECT FROM station_identity WHERE station = id AND revoked_at IS NOT NULL) AS revoked
FROM station"""


class Stations:
    """The stations this process knows, read again when their configuration rises."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.known: dict[str, Station] = {}
        self._by_latitude: list[tuple[float, str]] = []

    async def refresh(self, connection: Connection) -> None:
        """Reads what is new or changed since."""
        for row in await connection.fetch("SELECT id, config, in_service FROM station"):
            known = self.known.get(row["id"])
            if known and known.config == row["config"]:
                known.in_service = row["in_service"]
            else:
                await self.read(connection, row["id"])

    async def read(self, connection: Connection, station: str) -> Station:
        """The station as it is stored now. Raises Trouble for one without a secret."""
        row = await connection.fetchrow(f"{_COLUMNS} WHERE id = $1", station)
        if row is None or row["secret"] is None:
            raise Trouble(f"station {station} has no secret: enrol it again")
        secret = self._keys.open(row["secret"], f"station/{station}")
        about = msgspec.json.decode(row["record"], type=StationConfigured)
        keys = {f"{name}_key": access.subkey(secret, use) for name, use in _USES.items()}
        self.known[station] = Station(
            row["id"], row["config"], about, Plan(about.layout), **keys, in_service=row["in_service"],
            revoked=row["revoked"],
        )
        self._by_latitude = sorted((each.about.lat, each.id) for each in self.known.values())
        return self.known[station]

    def near(self, place: tuple[float, float], within_km: float, most: int) -> list[tuple[str, float]]:
        """Station ids with their distance in metres, nearest first."""
        reach = within_km / KM_PER_DEGREE
        low = bisect_left(self._by_latitude, (place[0] - reach, ""))
        high = bisect_right(self._by_latitude, (place[0] + reach, "\uffff"))
        narrow = reach / max(0.01, cos(radians(place[0])))
        found = (self.known[name] for _, name in self._by_latitude[low:high])
        distances = (
            (distance_m(place, each.place), each.id) for each in found if abs(each.about.lon - place[1]) <= narrow
        )
        return [(name, metres) for metres, name in sorted(distances)[:most] if metres <= within_km * 1000]


async def rooms(connection: Connection, ids: Iterable[str]) -> dict[str, Room]:
    """Room at these stations as last recorded. Not locked: good for advice, not for promises."""
    rows = await connection.fetch("SELECT id, room FROM station WHERE id = ANY($1::text[])", list(ids))
    return {row["id"]: read_room(row["room"]) for row in rows}


async def heard(connection: Connection, station: str, seen_at: datetime, until: datetime | None, software: str) -> None:
    """The line to a station is alive; `until` is its clock at a moment whose entries are all here."""
    await connection.execute(
        """INSERT INTO station_presence (station, last_seen, heard_until, software) VALUES ($1, $2, $3, $4)
        ON CONFLICT (station) DO UPDATE SET last_seen = greatest(station_presence.last_seen, excluded.last_seen),
          heard_until = greatest(station_presence.heard_until, excluded.heard_until),
          software = CASE excluded.software WHEN '' THEN station_presence.software ELSE excluded.software END""",
        station, seen_at, until, software,
    )  # fmt: skip


async def presence(connection: Connection) -> list[dict[str, Any]]:
    """All stations with room and line, for the console's table and the API."""
    rows = await connection.fetch(
        """SELECT station.id, config, record, room, in_service, last_seen, heard_until, software,
             (SELECT count(*) FROM case_file WHERE case_file.station = station.id AND closed_at IS NULL) AS cases
           FROM station LEFT JOIN station_presence ON station_presence.station = station.id ORDER BY station.id"""
    )
    return [dict(row) for row in rows]
