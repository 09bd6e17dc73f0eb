"""Stations come into the network: configured by an operator, enrolled by a claim code, proven by their own key."""

import hashlib
from datetime import datetime, timedelta

import msgspec
from asyncpg import Connection

from parcelwall.errors import Refusal
from parcelwall.hub.sitting import Sitting
from parcelwall.ids import Ids
from parcelwall.rules import facts
from parcelwall.rules.places import Room, write_room

CLAIM_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U
CLAIM_LENGTH = 12  # 60 bits: ten tries an hour find one with 2e-13
CLAIM_LASTS = timedelta(hours=24)


class Enrolment(msgspec.Struct, frozen=True):
    """What a station's computer is given once: its name, its secret, whom to believe."""

    station: str
    secret: str  # K_st in hex
    hub_writer: str
    hub_key: str = ""  # the hub's Ed25519 public key in hex
    epoch: int = 0


_NEW = """
INSERT INTO station (id, name, lat, lon, record, room) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"""
_CHANGE = """
UPDATE station SET config = config + 1, name = $2, lat = $3, lon = $4, record = $5 WHERE id = $1"""


async def configure(at: Sitting, about: facts.StationConfigured) -> None:
    """Records a station's layout and place; what lies and is promised there is counted anew against it."""
    body = facts.body(about)
    new = await at.connection.execute(
        _NEW, about.station, about.name, about.lat, about.lon, body, write_room(Room())
    )
    if new.endswith(" 1"):
        sealed = at.keys.seal(at.ids.secret(32), f"station/{about.station}")
        await at.connection.execute("INSERT INTO station_secret VALUES ($1, 0, $2)", about.station, sealed)
    await at.load((), [about.station])
    await at.load_present(about.station)
    at.record(about)
    await at.write()
    await at.connection.execute(_CHANGE, about.station, about.name, about.lat, about.lon, body)


async def make_claim(connection: Connection, station: str, ids: Ids, now: datetime) -> str:
    """A claim code, shown once and kept as a hash. Refuses a station that is not there."""
    if not await connection.fetchval("SELECT 1 FROM station WHERE id = $1", station):
        raise Refusal("station_unknown", station=station)
    noise = int.from_bytes(ids.secret(8), "big")
    claim = "".join(CLAIM_LETTERS[noise >> 5 * place & 31] for place in range(CLAIM_LENGTH))
    await connection.execute("INSERT INTO claim VALUES ($1, $2, $3)", _claim_hash(claim), station, now)
    return claim


async def enrol(at: Sitting, claim: str, public_key: bytes) -> Enrolment:
    """Makes the computer with this key the station. A claim serves once, else refused; the key before it dies."""
    station = await at.connection.fetchval(
        "UPDATE claim SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND made_at > $3 RETURNING station",
        _claim_hash(claim), at.now, at.now - CLAIM_LASTS,
    )  # fmt: skip
    if station is None:
        raise Refusal("claim_unknown")
    await at.load((), [station])
    at.record(facts.StationEnrolled(station=station, public_key=public_key.hex()))
    await at.write()
    await at.connection.execute(
        "INSERT INTO station_identity VALUES ($1, $2, $3) ON CONFLICT (station) DO UPDATE "
        "SET public_key = excluded.public_key, enrolled_at = excluded.enrolled_at",
        station, public_key, at.now,
    )  # fmt: skip
    row = await at.connection.fetchrow(
        "SELECT epoch, sealed FROM station_secret WHERE station = $1 ORDER BY epoch DESC LIMIT 1", station
    )
    secret = at.keys.open(row["sealed"], f"station/{station}")
    return Enrolment(station, secret.hex(), at.streams.station(station), epoch=row["epoch"])


def _claim_hash(claim: str) -> bytes:
    normal = claim.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    return hashlib.sha256(normal.encode()).digest()
