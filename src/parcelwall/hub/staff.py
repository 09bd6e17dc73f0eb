"""The operator's people: who they are, what they may do, and which browser of theirs has signed in.

They are rows of `carrier`, as everybody with an API key is. The journal calls each by a random id, `actor`; the name
stands here alone.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from asyncpg import Pool

from parcelwall.errors import Refusal
from parcelwall.hub import signed_in
from parcelwall.hub.house import Hub
from parcelwall.hub.stations import OF_HUB
from parcelwall.rules.facts import StaffChanged
from parcelwall.rules.rights import ROLES, Right, may

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")  # of a carrier or a person: it stands in addresses and facts
NEW_FOR = timedelta(days=1)  # in which whoever was admitted or changed at the console agrees to nothing
What = Literal["admitted", "changed", "key", "sent_away"]
PROVED_FOR = timedelta(minutes=2)  # who has just proved to be there opens a door without being asked again

_BY_ACTOR = """
SELECT id, name, role, area, actor FROM carrier WHERE actor = $1 AND role <> 'carrier' AND key_hash IS NOT NULL"""
_LATELY_CHANGED = f"""
SELECT 1 FROM entry WHERE kind = 'StaffChanged' AND {OF_HUB} AND happened_at > $1 AND body LIKE $2
  AND body LIKE '%"actor":"%' LIMIT 1"""  # noqa: S608 - a text of our own
_LOOKS = f"""
SELECT CASE WHEN {OF_HUB} THEN (body::jsonb->>'actor')::uuid END AS actor, count(*) AS n FROM entry
WHERE kind = 'Looked' AND {OF_HUB} AND happened_at > $1 GROUP BY 1"""  # noqa: S608 - the same
_ALL = """
SELECT id, name, role, area, actor, key_hash IS NOT NULL AS admitted,
  (SELECT max(seen_at) FROM signed_in WHERE holder = actor) AS seen_at,
  (SELECT count(*) FROM passkey WHERE holder = actor) AS passkeys
FROM carrier WHERE role <> 'carrier' ORDER BY name, id"""


class Person(msgspec.Struct, frozen=True):
    """One of the operator's people. `area`: ids of stations, none for all; `actor`: as the journal has it."""

    id: str
    name: str
    role: str
    area: frozenset[str] = frozenset()
    actor: UUID | None = None

    def may(self, right: Right, station: str | None = None) -> bool:
        return may(self.role, self.area, right, station)

    def sees(self, station: str | None) -> bool:
        """Whether the station lies in this person's area."""
        return not self.area or station in self.area


class SignIn(msgspec.Struct, frozen=True):
    """A browser that has signed in. `slip` goes into each form that it sends, so that no other site can send one."""

    person: Person
    slip: str
    proved_at: datetime
    secret: str

    def is_fresh(self, now: datetime) -> bool:
        """Whether the person proved lately to be there."""
        return now - self.proved_at <= PROVED_FOR


def slip_of(secret: str) -> str:
    """The word in the forms of a browser: made from its cookie, which no other site can read."""
    return hashlib.sha256(b"parcelwall/slip/1\0" + secret.encode()).hexdigest()[:32]


async def find(hub: Hub, secret: str, used: bool = True) -> SignIn | None:
    """The sign-in of a cookie; None for one that is unknown, over, or of somebody who was sent away. `used` as
    `signed_in.find` has it."""
    here = await signed_in.find(hub, "operator", secret, used)
    person = await by_actor(hub, here.holder) if here else None
    if here is None or person is None:
        return None
    return SignIn(person, slip_of(secret), here.proved_at or here.made_at, secret)


async def by_actor(hub: Hub, actor: UUID) -> Person | None:
    """The person whom the journal calls so, unless they were sent away."""
    row = await hub.pool.fetchrow(_BY_ACTOR, actor)
    return person_of(row) if row else None


def person_of(row: Mapping[str, Any]) -> Person:
    return Person(row["id"], row["name"], row["role"], frozenset(row["area"]), row["actor"])


async def by_key(pool: Pool, key_hash: bytes) -> Person | None:
    """Whose API key it is, if it is one of the operator's people."""
    row = await pool.fetchrow("SELECT * FROM carrier WHERE key_hash = $1 AND role <> 'carrier'", key_hash)
    return person_of(row) if row else None


async def everybody(pool: Pool) -> list[dict[str, Any]]:
    """All of them with when they were last seen, those who were sent away too."""
    return [dict(row) for row in await pool.fetch(_ALL)]


async def names(pool: Pool) -> dict[UUID, str]:
    """Names by the ids that the journal knows."""
    return {row["actor"]: row["name"] or row["id"] for row in await pool.fetch("SELECT actor, id, name FROM carrier")}


async def admit(
    hub: Hub, who: str, name: str, role: str, area: Sequence[str], actor: UUID | None
) -> str:  # fmt: skip
    """A new person, whom `actor` admits: their key, shown this once."""
    async with hub.pool.acquire() as connection, connection.transaction():
        key = await hub.admit(who, name, role, area, connection)
        await _note(hub, connection, "admitted", who, actor)
    return key


async def _note(hub: Hub, connection: Any, what: What, who: str, actor: UUID | None) -> None:
    """Into the journal, by ids alone."""
    row = await connection.fetchrow("SELECT actor, role, area FROM carrier WHERE id = $1", who)
    fact = StaffChanged(what=what, person=row["actor"], role=row["role"], area=tuple(row["area"]), actor=actor)
    await hub.note(fact, connection)


async def is_new(hub: Hub, who: Person) -> bool:
    """Whether somebody admitted or changed this person within a day, at the console: who lends a role to themselves or
    a friend is seen before it is of use as a second person."""
    since = hub.clock.now() - NEW_FOR
    return bool(await hub.pool.fetchval(_LATELY_CHANGED, since, f'%"person":"{who.actor}"%'))


async def change(hub: Hub, who: str, role: str, area: frozenset[str], actor: UUID | None = None) -> None:
    """Another role or area, at once. Refuses an unknown person or role, and to take the last admin's role."""
    if role not in ROLES:
        raise Refusal("bad_field", f"The role is one of {', '.join(ROLES)}.", field="role")
    async with hub.pool.acquire() as connection, connection.transaction():
        await _keep_an_admin(connection, who, role == "admin" and not area)
        done = await connection.execute(
            "UPDATE carrier SET role = $2, area = $3 WHERE id = $1 AND role <> 'carrier'", who, role, sorted(area)
        )
        if not done.endswith(" 1"):
            raise Refusal("not_found")
        await _note(hub, connection, "changed", who, actor)


async def give_key(
    hub: Hub, who: str, name: str = "", role: str = "", area: Sequence[str] | None = None, actor: UUID | None = None
) -> tuple[str, Person, bool]:
    """A new API key for a carrier or one of the operator's people, as whom it makes them, and whether they were known.

    Of somebody who is known, what is left out stays as it was; the old key, all sign-ins and all passkeys end, as they
    may be what was lost. An empty `area` is everywhere. Refuses an id that cannot be one, an unknown role or station, a
    role for a carrier and the other way round, and to take the last admin's role.
    """
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE carrier IN EXCLUSIVE MODE")  # nobody else is admitted or changed meanwhile
        row = await connection.fetchrow("SELECT id, name, role, area, actor FROM carrier WHERE id = $1", who)
        before = person_of(row) if row else None
        after = _changed(before or Person(who, who, "carrier"), name, role, area)
        _refuse(after, before, hub.stations.known)
        await _keep_an_admin(connection, who, after.role == "admin" and not after.area)
        if before:
            await _end_everywhere(connection, who)
        key = await hub.admit(who, after.name, after.role, sorted(after.area), connection)
        if after.role != "carrier":
            await _note(hub, connection, "key" if before else "admitted", who, actor)
    return key, after, before is not None


def _changed(person: Person, name: str, role: str, area: Sequence[str] | None) -> Person:
    return Person(person.id, name or person.name, role or person.role,
                  person.area if area is None else frozenset(area), person.actor)  # fmt: skip


def _refuse(after: Person, before: Person | None, stations: Mapping[str, Any]) -> None:
    if not before and not ID.fullmatch(after.id):
        raise Refusal("bad_field", "An id is like acme-post: up to 40 letters, digits, hyphens, points.", field="id")
    if after.role not in ("carrier", *ROLES):
        raise Refusal("bad_field", f"The role is carrier, {', '.join(ROLES[:-1])} or {ROLES[-1]}.", field="role")
    if before and (before.role == "carrier") != (after.role == "carrier"):
        raise Refusal("bad_field", f"{after.id} is a {before.role} already, and a carrier is none of your people. Take "
                      "another id.", field="role")  # fmt: skip
    if after.role == "carrier" and after.area:
        raise Refusal("bad_field", "A carrier has no area: only roles of your people have one.", field="area")
    if unknown := sorted(after.area - stations.keys() - (before.area if before else frozenset())):
        raise Refusal("station_unknown", f"There is no station {unknown[0]}.", station=unknown[0])


async def send_away(hub: Hub, who: str, actor: UUID | None = None) -> None:
    """Ends somebody's key, passkeys and sign-ins. Refuses to send the last admin away."""
    async with hub.pool.acquire() as connection, connection.transaction():
        await _keep_an_admin(connection, who, False)
        done = await connection.execute("UPDATE carrier SET key_hash = NULL WHERE id = $1 AND role <> 'carrier'", who)
        if not done.endswith(" 1"):
            raise Refusal("not_found")
        await _end_everywhere(connection, who)
        await _note(hub, connection, "sent_away", who, actor)


_NO_ACTS = """
UPDATE act SET state = 'withdrawn', outcome = 'no_right' WHERE $1 IN (asked_by, agreed_by)
  AND (state = 'waiting' OR state = 'agreed' AND kind = 'keep_longer' AND outcome = '')"""


async def _end_everywhere(connection: Any, who: str) -> None:
    """Ends somebody's sign-ins and passkeys, and withdraws what they have asked for or agreed to."""
    await connection.execute(_NO_ACTS, who)
    await connection.execute("DELETE FROM signed_in WHERE holder = (SELECT actor FROM carrier WHERE id = $1)", who)
    await connection.execute("DELETE FROM passkey WHERE holder = (SELECT actor FROM carrier WHERE id = $1)", who)


async def _keep_an_admin(connection: Any, who: str, stays: bool) -> None:
    """Somebody must be left who may admit others. All admins are locked, so that two cannot send each other away."""
    rows = await connection.fetch(
        "SELECT id FROM carrier WHERE role = 'admin' AND area = '{}' AND key_hash IS NOT NULL ORDER BY id FOR UPDATE"
    )
    admins = {row["id"] for row in rows}
    if not stays and admins == {who}:
        raise Refusal("no_right", "Somebody must stay who may admit others. Make another admin first.")


async def looks(pool: Pool, now: datetime) -> dict[UUID, int]:
    """How often each looked at what is not for everybody in the last 30 days: persons, searches, exports."""
    rows = await pool.fetch(_LOOKS, now - timedelta(days=30))
    return {row["actor"]: row["n"] for row in rows}
