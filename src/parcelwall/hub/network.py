"""Stations come into the network: configured by an operator, enrolled by a claim code, proven by their own key."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Connection

from parcelwall.errors import Refusal
from parcelwall.hub import twins
from parcelwall.hub.beside_newer import to_write_anew
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import OF_HUB
from parcelwall.ids import Ids
from parcelwall.journal import streams
from parcelwall.link.hub_end import Known
from parcelwall.rules import access, facts
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.personal import refuse_personal
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
    epoch: int = 0  # of the secret
    writer: str = ""  # the stream that this computer writes
    fetches: bool = False  # it takes over from another: the hub gives it the station's book first


_ADOPTED = f"""
SELECT body FROM entry WHERE kind = 'PolicyAdopted' AND {OF_HUB}
ORDER BY happened_at DESC, number DESC LIMIT 1"""  # noqa: S608 - a text of our own
_NEW = """
INSERT INTO station (id, name, lat, lon, record, room, in_service) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING"""
_CHANGE = """
UPDATE station SET config = config + 1, changed = DEFAULT, name = $2, lat = $3, lon = $4, record = $5 WHERE id = $1"""
_OLD_CHANCES = "DELETE FROM learnt WHERE kind = 'RoomTable' AND key = $1"  # of a station that is built otherwise


_SECRET = "SELECT epoch, sealed FROM station_secret WHERE station = $1 ORDER BY epoch DESC LIMIT 1"
_NEW_SECRET = """
INSERT INTO station_secret SELECT $1, max(epoch) + 1, $2 FROM station_secret WHERE station = $1"""
_IDENTITY = """
INSERT INTO station_identity (station, public_key, enrolled_at, writer) VALUES ($1, $2, $3, $4)
ON CONFLICT (station) DO UPDATE SET public_key = excluded.public_key, enrolled_at = excluded.enrolled_at,
  writer = excluded.writer, next_key = NULL, revoked_at = NULL"""
_USED = """
SELECT station, writer FROM claim JOIN station_identity USING (station) WHERE code_hash = $1 AND used_at IS NOT NULL
  AND made_at > $2 AND public_key = $3 AND revoked_at IS NULL"""
_REVOKE = """
UPDATE station_identity SET revoked_at = $2, next_key = NULL WHERE station = $1 AND revoked_at IS NULL"""
_USE_NEXT_KEY = """
UPDATE station_identity SET public_key = next_key, next_key = NULL WHERE station = $1 AND next_key IS NOT NULL
RETURNING public_key"""
_HERE = "SELECT id FROM parcel WHERE station = $1 AND due IS NOT NULL AND stage = ANY($2::text[])"
_END_LIFE = "UPDATE writer SET ended_with = number WHERE name = $1"
_CHANGED = "UPDATE station SET config = config + 1, changed = DEFAULT, in_service = $2 WHERE id = $1"


async def policy_in_force(connection: Connection) -> facts.PolicyAdopted | None:
    """The policy that was adopted last; None where nobody has adopted any."""
    body = await connection.fetchval(_ADOPTED)
    return msgspec.json.decode(body, type=facts.PolicyAdopted) if body else None


async def policy_to_write_anew(connection: Connection) -> facts.PolicyAdopted | None:
    """The same. Raises Trouble if a later version has adopted it, with knobs that this one would lose."""
    body = await connection.fetchval(_ADOPTED)
    return to_write_anew(body, facts.PolicyAdopted) if body else None


async def hold_policy(connection: Connection) -> None:
    """Until this transaction ends no policy is adopted, and no station comes without hearing of it."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('parcelwall policy'))")


async def configure(at: Sitting, about: facts.StationConfigured, joined: bool = False) -> None:
    """Records a station's layout and place, and the policy in force, which was adopted before a new station was there;
    what lies and is promised there is counted anew against the layout. A new station takes no parcels until a computer
    has joined it; `joined` is for pretend networks that have none."""
    await hold_policy(at.connection)
    body = facts.body(about)
    new = await at.connection.execute(
        _NEW, about.station, about.name, about.lat, about.lon, body, write_room(Room()), joined
    )
    if new.endswith(" 1"):
        sealed = at.keys.seal(at.ids.secret(32), f"station/{about.station}")
        await at.connection.execute("INSERT INTO station_secret VALUES ($1, 0, $2)", about.station, sealed)
    await at.load((), [about.station])
    await at.load_present(about.station)
    at.record(about)
    if policy := await policy_to_write_anew(at.connection):
        at.record(policy, at.streams.station(about.station))
    await at.write()
    await at.connection.execute(_OLD_CHANCES, about.station)
    await at.connection.execute(_CHANGE, about.station, about.name, about.lat, about.lon, body)


async def make_claim(connection: Connection, station: str, ids: Ids, now: datetime) -> str:
    """A claim code, shown once and kept as a hash. Refuses a station that is not there."""
    if not await connection.fetchval("SELECT 1 FROM station WHERE id = $1", station):
        raise Refusal("station_unknown", f"There is no station {station}. Is that its id?", station=station)
    noise = int.from_bytes(ids.secret(8), "big")
    claim = "".join(CLAIM_LETTERS[noise >> 5 * place & 31] for place in range(CLAIM_LENGTH))
    await connection.execute("INSERT INTO claim VALUES ($1, $2, $3)", _claim_hash(claim), station, now)
    return claim


async def enrol(at: Sitting, claim: str, public_key: bytes, writer: str = "") -> Enrolment:
    """Makes the computer with this key the station. A claim serves one computer, else refused; the key before it dies.

    `writer` is the stream of a computer that was the station already: the hub was restored to before its enrolment.
    """
    station = await at.connection.fetchval(
        "UPDATE claim SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND made_at > $3 RETURNING station",
        _claim_hash(claim), at.now, at.now - CLAIM_LASTS,
    )  # fmt: skip
    if station is None:
        return await _told_again(at, claim, public_key, writer)
    before = await at.connection.fetchrow("SELECT * FROM station_identity WHERE station = $1 FOR UPDATE", station)
    row = await at.connection.fetchrow(_SECRET, station)
    was_revoked = before is not None and before["revoked_at"] is not None
    here = await at.connection.fetch(_HERE, station, [Stage.RESERVED, *INSIDE]) if was_revoked else []
    await at.load([each["id"] for each in here], [station])
    at.record(facts.StationEnrolled(station=station, public_key=public_key.hex(), epoch=row["epoch"]))
    if was_revoked:
        _promise_anew(at, station)
    await at.write()
    fetches = before is not None and not writer
    writer = await _whose_turn(at, station, before, public_key, writer)
    await at.connection.execute(_IDENTITY, station, public_key, at.now, writer)
    await at.connection.execute(_CHANGED, station, True)
    secret = at.keys.open(row["sealed"], f"station/{station}")
    return Enrolment(
        station, secret.hex(), at.streams.station(station), epoch=row["epoch"], writer=writer, fetches=fetches
    )


async def _told_again(at: Sitting, claim: str, public_key: bytes, writer: str) -> Enrolment:
    """The computer that used the claim asks once more, for the answer was lost on its way, or its power went before it
    was written down. Refuses everybody else."""
    row = await at.connection.fetchrow(_USED, _claim_hash(claim), at.now - CLAIM_LASTS, public_key)
    if row is None:
        raise Refusal("claim_unknown")
    station, given = row["station"], await at.connection.fetchrow(_SECRET, row["station"])
    secret = at.keys.open(given["sealed"], f"station/{station}").hex()
    fetches = row["writer"] != station and not writer  # it took over from another
    return Enrolment(station, secret, at.streams.station(station), epoch=given["epoch"], writer=row["writer"],
                     fetches=fetches)  # fmt: skip


async def _whose_turn(at: Sitting, station: str, before: Any, key: bytes, told: str) -> str:
    """The stream that this computer writes: the first, that of a new life, or its own, of which the hub had heard once.

    Refuses a computer whose life another has ended, and one that was revoked.
    """
    known = before["writer"] if before else station
    if told and streams.station_of(told) == station and not streams.is_hubs(told):
        if streams.life_of(told) > streams.life_of(known):
            return await _end_life(at, station, known, told)
        if told == known and (before is None or (before["public_key"] == key and not before["revoked_at"])):
            return told
    if told:
        raise Refusal("station_taken", "Another computer is this station now. Begin with an empty folder.")
    if before is None:
        return station
    return await _end_life(at, station, known, streams.of_life(station, streams.later(streams.life_of(known), at.now)))


async def _end_life(at: Sitting, station: str, before: str, after: str) -> str:
    """Ends the stream of the computer before. What it wrote and did not ship must never meet its number again."""
    await at.connection.execute(_END_LIFE, before)
    await at.connection.execute("INSERT INTO past_stream VALUES ($1, $2) ON CONFLICT DO NOTHING", before, station)
    return after


def _promise_anew(at: Sitting, station: str) -> None:
    """The secret is another: what lies inside has a new code, what is promised a new tag of its label.

    A hub that was restored to before a parcel was announced does not know its label, and there is no tag of none: it is
    brought once it is announced again, or lapses. What stands in the way of one parcel keeps no computer out.
    """
    for parcel in sorted(at.book.parcels.values(), key=lambda parcel: parcel.id):
        if parcel.station != station or parcel.reservation is None:
            continue
        if parcel.stage in INSIDE:
            renewed = parcel.generation + 1
            at.record(facts.CodeRenewed(parcel=parcel.id, reservation=parcel.reservation, generation=renewed))
        elif parcel.stage == Stage.RESERVED and (label := twins.label_of(parcel)):
            tag = access.label_tag(at.here[station].label_key, label)
            at.record(_again(parcel, tag))


def _again(parcel: Parcel, label_tag: str) -> facts.Reserved:
    """The same promise once more, with another tag of its label."""
    known = {name: getattr(parcel, name) for name in _PROMISE}
    return facts.Reserved(parcel=parcel.id, label_tag=label_tag, **known)


_PROMISE = (
    "reservation", "station", "size", "deposit_by", "length_mm", "width_mm", "height_mm", "weight_g", "hold_hours",
    "climate", "proof", "direction", "reach", "selector", "generation", "expected_at", "blocked", "carrier",
)  # fmt: skip


async def revoke(at: Sitting, station: str, why: str, actor: UUID | None = None) -> None:
    """Ends the trust in a station's computer, and its secret with it. Refuses a station that has no computer."""
    refuse_personal(why, "why")
    sealed = at.keys.seal(at.ids.secret(32), f"station/{station}")
    found = await at.connection.execute(_REVOKE, station, at.now)
    if not found.endswith(" 1"):
        raise Refusal("not_found", f"{station} has no computer that could be revoked. Is that its id?", station=station)
    await at.load((), [station])
    at.record(facts.KeyRevoked(station=station, why=why, actor=actor))
    await at.write()
    await at.connection.execute(_NEW_SECRET, station, sealed)
    await at.connection.execute("UPDATE claim SET used_at = $2 WHERE station = $1 AND used_at IS NULL", station, at.now)
    await at.connection.execute(_CHANGED, station, False)


async def known(connection: Connection, station: str) -> Known | None:
    """The computer that is this station now, revoked or not."""
    row = await connection.fetchrow("SELECT * FROM station_identity WHERE station = $1", station)
    if row is None:
        return None
    return Known(row["public_key"], row["writer"], row["next_key"], row["revoked_at"] is not None)


async def use_next_key(at: Sitting, station: str) -> None:
    """The computer has come with the key it told of: that is its key now."""
    key = await at.connection.fetchval(_USE_NEXT_KEY, station)
    if key is not None:
        await at.load((), [station])
        epoch = (await at.connection.fetchrow(_SECRET, station))["epoch"]
        at.record(facts.StationEnrolled(station=station, public_key=key.hex(), epoch=epoch))
        await at.write()


def _claim_hash(claim: str) -> bytes:
    normal = claim.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    return hashlib.sha256(normal.encode()).digest()
