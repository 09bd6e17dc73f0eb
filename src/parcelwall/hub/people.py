"""The vault: who a parcel is for. A key per person; destroying the key erases the person, and no journal changes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Connection, Record
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelwall.hub.keys import Keys, open_with, seal_with
from parcelwall.ids import Ids
from parcelwall.journal.together import Together


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recipient as the carrier named them. Never leaves the vault but to reach that person."""

    name: str = ""
    email: str | None = None
    phone: str | None = None
    language: str = "en"

    @property
    def reachable(self) -> bool:
        return bool(self.email or self.phone)


_ENCODE = msgspec.json.Encoder().encode
_PERSON = msgspec.json.Decoder(Person)
_FIND = """
SELECT id, person.sealed, person_key.sealed AS key FROM person JOIN person_key ON person = id
WHERE id = ANY($1::uuid[])"""

_JOIN = """
INSERT INTO account_parcel (account, parcel, how, joined_at)
SELECT account, new.parcel, 'contact', $3 FROM unnest($1::uuid[], $2::bytea[]) AS new (parcel, index)
  JOIN account_contact USING (index) ORDER BY verified_at DESC ON CONFLICT DO NOTHING"""


class Sealed(msgspec.Struct, frozen=True):
    """A person's row and the row of their key."""

    id: UUID
    carrier: str
    sealed: bytes
    key: bytes


def seal(person: Person, carrier: str, keys: Keys, ids: Ids) -> Sealed:
    who, key = ids.new(), ids.secret(32)
    name = str(who)
    sealed = seal_with(AESGCM(key), _ENCODE(person), f"person/{name}", ids)
    return Sealed(who, carrier, sealed, keys.seal(key, f"person-key/{name}"))


def add_rows(together: Together, people: Sequence[Sealed], now: datetime) -> None:
    together.add(
        "INSERT INTO person SELECT id, carrier, sealed, $4 FROM unnest($1::uuid[], $2::text[], $3::bytea[]) "
        "AS new (id, carrier, sealed)",
        [each.id for each in people], [each.carrier for each in people], [each.sealed for each in people], now,
    )  # fmt: skip
    together.add(
        "INSERT INTO person_key SELECT * FROM unnest($1::uuid[], $2::bytea[])",
        [each.id for each in people], [each.key for each in people],
    )  # fmt: skip


def contacts_of(person: Person, keys: Keys) -> tuple[bytes, ...]:
    """How a person's address and number are known to accounts, without being readable."""
    ways = (("email", person.email), ("sms", person.phone))
    return tuple(keys.contact_index(kind, value) for kind, value in ways if value)


def add_joins(together: Together, contacts: Sequence[tuple[UUID, bytes]], now: datetime) -> None:
    """Parcels that are announced now go to the accounts that have shown to be reached by these contacts."""
    together.add(_JOIN, [each[0] for each in contacts], [each[1] for each in contacts], now)


async def find(connection: Connection, who: UUID | None, keys: Keys) -> Person | None:
    """The person; None for nobody and for one who was erased."""
    return (await find_all(connection, [who], keys)).get(who) if who else None


async def find_all(connection: Connection, whom: Sequence[UUID], keys: Keys) -> dict[UUID, Person]:
    """The persons of these ids, without those who were erased."""
    rows = await connection.fetch(_FIND, whom)
    return {row["id"]: _opened(row, keys) for row in rows}


def _opened(row: Record, keys: Keys) -> Person:
    key = AESGCM(keys.open(row["key"], f"person-key/{row['id']}"))
    return _PERSON.decode(open_with(key, row["sealed"], f"person/{row['id']}"))


async def erase(connection: Connection, who: UUID) -> bool:
    """Destroys the person's key. What is left of their row cannot be read by anybody."""
    done = await connection.execute("DELETE FROM person_key WHERE person = $1", who)
    return bool(done.endswith(" 1"))
