"""What the hub knows of its stations: plans, keys, where they are, how their lines are."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from asyncpg import Connection

from parcelwall.errors import Trouble
from parcelwall.hub.index import Nearby
from parcelwall.hub.keys import Keys
from parcelwall.journal import postgres
from parcelwall.rules import access
from parcelwall.rules.facts import SiteNoted, StationConfigured
from parcelwall.rules.layout import Layout
from parcelwall.rules.permit import permits
from parcelwall.rules.places import Plan, Room, read_room
from parcelwall.rules.policy import Policy

AT_ONCE = 1_000  # stations read by one query


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
    joined: bool = True  # a computer has enrolled as this station, at some time
    revoked: bool = False  # its computer is trusted no longer, and none has taken its place
    site: SiteNoted | None = None  # what is on paper about its place, but for `access` and `actor`

    @property
    def place(self) -> tuple[float, float]:
        return self.about.lat, self.about.lon

    @property
    def photo(self) -> str:
        """The path of its picture among the faces; "" for none."""
        return f"/photos/{self.id}/{self.site.photo}" if self.site and self.site.photo else ""

    def permitted(self, now: datetime, policy: Policy) -> bool:
        """Whether new room may be promised here as far as its permit goes. What was promised stays so."""
        if self.site is None and not policy.asks_permit:
            return True
        return permits(self.site, now.astimezone(ZoneInfo(self.about.zone)).date(), policy.asks_permit)

    def promises(self, now: datetime, policy: Policy) -> bool:
        """Whether new room is promised here at all."""
        return self.in_service and self.permitted(now, policy)


_USES = {"code": "pickup-code", "label": "label-tag", "courier": "courier-code", "tag": "code-tag"}

_COLUMNS = """
SELECT id, config, record, in_service, site,
  (SELECT sealed FROM station_secret WHERE station = id ORDER BY epoch DESC LIMIT 1) AS secret,
  EXISTS (SELECT FROM station_identity WHERE station = id) AS joined,
  EXISTS (SELECT FROM station_identity WHERE station = id AND revoked_at IS NOT NULL) AS revoked
FROM station"""


_CHANGED = """
SELECT id, config, in_service, site, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS seen FROM station
WHERE changed >= $1"""


# The streams of some stations ($1, an array) by their names: all writers are not looked through for them.
WRITTEN_FOR = """
SELECT 'hub:' || epoch || '/' || id FROM house, unnest($1::text[]) AS id
UNION ALL SELECT name FROM past_stream WHERE station = ANY($1::text[]) AND name LIKE 'hub:%'"""
WRITTEN_BY = """
SELECT unnest($1::text[]) UNION SELECT writer FROM station_identity WHERE station = ANY($1::text[])
UNION SELECT name FROM past_stream WHERE station = ANY($1::text[]) AND name NOT LIKE 'hub:%'"""

OF_HUB = postgres.OF_HUB

_PRESENCE = """
SELECT station.id, room, in_service, last_seen, heard_until, software, coalesce(open.cases, 0) AS cases,
  EXISTS (SELECT FROM station_identity WHERE station_identity.station = station.id) AS joined
FROM station LEFT JOIN station_presence ON station_presence.station = station.id
LEFT JOIN (SELECT station, count(*) AS cases FROM case_file WHERE closed_at IS NULL GROUP BY station) AS open
  ON open.station = station.id"""


class Stations:
    """The stations this process knows, read again when their configuration rises. Stations that are built alike share
    one plan: tens of thousands fit into a process."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.known: dict[str, Station] = {}
        self._plans: dict[Layout, Plan] = {}
        self._nearby: Nearby | None = None
        self._zone = ""
        self._seen = 0  # what older transactions changed is known here

    async def refresh(self, connection: Connection) -> None:
        """Reads what is new or changed since."""
        changed = []
        rows = await connection.fetch(_CHANGED, self._seen)
        for row in rows:
            known = self.known.get(row["id"])
            if known and known.config == row["config"]:
                known.in_service, known.site = row["in_service"], _site(row["site"])
            else:
                changed.append(row["id"])
        for start in range(0, len(changed), AT_ONCE):
            await self._read(connection, changed[start : start + AT_ONCE])
        self._seen = max((row["seen"] for row in rows), default=self._seen)

    async def read(self, connection: Connection, station: str) -> Station:
        """The station as it is stored now. Raises Trouble for one without a secret."""
        await self._read(connection, [station])
        return self.known[station]

    async def _read(self, connection: Connection, stations: Sequence[str]) -> None:
        rows = {row["id"]: row for row in await connection.fetch(f"{_COLUMNS} WHERE id = ANY($1::text[])", stations)}
        for name in stations:
            row = rows.get(name)
            if row is None or row["secret"] is None:
                raise Trouble(f"station {name} has no secret: enrol it again")
            self._know(row)
        self._nearby, self._zone = None, ""

    def _know(self, row: Any) -> None:
        secret = self._keys.open(row["secret"], f"station/{row['id']}")
        about = msgspec.json.decode(row["record"], type=StationConfigured)
        plan = self._plans.get(about.layout)
        if plan is None:
            plan = self._plans[about.layout] = Plan(about.layout)
        about = msgspec.structs.replace(about, layout=plan.layout)
        keys = {f"{name}_key": access.subkey(secret, use) for name, use in _USES.items()}
        self.known[row["id"]] = Station(
            row["id"], row["config"], about, plan, **keys, in_service=row["in_service"], joined=row["joined"],
            revoked=row["revoked"], site=_site(row["site"]),
        )

    @property
    def zone(self) -> str:
        """The time zone of most stations: what is of the whole network is told in it. "UTC" before there are any."""
        if not self._zone:
            zones = Counter(each.about.zone for each in self.known.values())
            self._zone = max(zones, key=lambda zone: (zones[zone], zone), default="UTC")
        return self._zone

    def near(self, place: tuple[float, float], within_km: float, most: int) -> list[tuple[str, float]]:
        """Station ids with their distance in metres, nearest first."""
        if self._nearby is None:
            self._nearby = Nearby((each.id, *each.place) for each in self.known.values())
        return self._nearby.find(place, within_km, most)


def _site(body: str | None) -> SiteNoted | None:
    return msgspec.json.decode(body, type=SiteNoted) if body else None


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
    """All stations with room and line, by id, for the console's table and the API."""
    return [dict(row) for row in await connection.fetch(f"{_PRESENCE} ORDER BY station.id")]


async def presence_at(connection: Connection, stations: Collection[str]) -> dict[str, dict[str, Any]]:
    """The same of these stations, by id; without those that are not there."""
    rows = await connection.fetch(f"{_PRESENCE} WHERE station.id = ANY($1::text[])", list(stations))
    return {row["id"]: dict(row) for row in rows}


async def presence_of(connection: Connection, station: str) -> dict[str, Any] | None:
    """The same of one station; None for one that is not there."""
    row = await connection.fetchrow(f"{_PRESENCE} WHERE station.id = $1", station)
    return dict(row) if row else None
