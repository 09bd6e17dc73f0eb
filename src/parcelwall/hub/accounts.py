"""Accounts: the parcels that one recipient's browser shows together. Nobody is joined by a guess (decision 0021).

A parcel is joined by its own link, which shows what that link shows and no more; or by its contact: the account has
shown that the address or number which the carrier named is its own.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from parcelwall.hub import preferred
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import link_hash
from parcelwall.hub.sitting import read_parcel
from parcelwall.ids import Ids
from parcelwall.rules.life import ENDED, Parcel

How = Literal["link", "contact"]
SHOWN_FOR = timedelta(days=30)  # after the end of a parcel's life
KEPT_FOR = timedelta(days=60)
BEGINS_WITHIN = timedelta(days=1)  # an account is made, then its browser signed in: two transactions

_FIND = "SELECT id, language, reach, channels, quiet_from, quiet_until FROM account WHERE id = $1"
_PREFER = """
UPDATE account SET language = $2, reach = $3, channels = $4, quiet_from = $5, quiet_until = $6 WHERE id = $1"""
_OF = """
SELECT parcel.record FROM account_parcel JOIN parcel ON parcel.id = account_parcel.parcel WHERE account = $1
ORDER BY parcel.id DESC LIMIT 200"""
_JOIN_BY_CONTACT = """
INSERT INTO account_parcel VALUES ($1, $2, 'contact', $3)
ON CONFLICT (account, parcel) DO UPDATE SET how = 'contact'"""
_LINKS = "INSERT INTO link SELECT *, 'recipient' FROM unnest($1::bytea[], $2::uuid[]) ON CONFLICT DO NOTHING"
# Few joined so long ago and are still in a list, so that few records are looked into for when their life ended.
_OLD = """
DELETE FROM account_parcel USING parcel WHERE parcel.id = account_parcel.parcel AND joined_at < $1
  AND due IS NULL AND (record::jsonb->>'ended_at')::timestamptz < $1"""
_LEFT_BEHIND = """
DELETE FROM account WHERE made_at < $2
  AND NOT EXISTS (SELECT FROM signed_in WHERE holder = account.id AND ends_at > $1)
  AND NOT EXISTS (SELECT FROM passkey WHERE holder = account.id)"""


class Account(NamedTuple):
    """What its owner prefers: a language ("" follows the notice), doors within reach, and how to be told."""

    id: UUID
    language: str
    reach: bool
    told: preferred.Wishes


async def open_account(hub: Hub) -> UUID:
    account = hub.ids.new()
    await hub.pool.execute("INSERT INTO account (id, made_at) VALUES ($1, $2)", account, hub.clock.now())
    return account


async def find(hub: Hub, account: UUID) -> Account | None:
    row = await hub.pool.fetchrow(_FIND, account)
    return Account(row["id"], row["language"], row["reach"], preferred.read(row)) if row else None


async def prefer(
    hub: Hub, account: UUID, language: str, reach: bool, told: preferred.Wishes = preferred.NONE
) -> None:
    """From now on: the language of its pages, doors within reach for what is announced, and how to be told."""
    begins, ends = told.quiet or (None, None)
    await hub.pool.execute(_PREFER, account, language, reach, list(told.channels), begins, ends)
    await hub.wishes_changed()


async def close(hub: Hub, account: UUID) -> None:
    """All that is known of the account goes: contacts, list, passkeys, browsers. The parcels' own links stay good."""
    async with hub.pool.acquire() as connection, connection.transaction():
        for table in ("passkey", "signed_in"):
            await connection.execute(f"DELETE FROM {table} WHERE holder = $1", account)  # noqa: S608 - our own two names
        await connection.execute("DELETE FROM account WHERE id = $1", account)
    await hub.wishes_changed()


async def join(hub: Hub, account: UUID, parcel: UUID) -> None:
    """By its link: whoever holds that may keep it at hand."""
    await hub.pool.execute(
        "INSERT INTO account_parcel VALUES ($1, $2, 'link', $3) ON CONFLICT DO NOTHING",
        account, parcel, hub.clock.now(),
    )  # fmt: skip


async def join_by_contact(connection: asyncpg.Connection, account: UUID, parcel: UUID, now: datetime) -> None:
    """The account has shown that this parcel's contact is its own. If it is another's by then, it stays the other's."""
    taken = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM account_parcel WHERE parcel = $1 AND how = 'contact' AND account <> $2)",
        parcel, account,
    )  # fmt: skip
    if not taken:
        await connection.execute(_JOIN_BY_CONTACT, account, parcel, now)


async def how_joined(hub: Hub, account: UUID, parcel: UUID) -> How | None:
    how: How | None = await hub.pool.fetchval(
        "SELECT how FROM account_parcel WHERE account = $1 AND parcel = $2", account, parcel
    )
    return how


async def is_anothers(hub: Hub, account: UUID | None, parcel: UUID) -> bool:
    """Whether another account has shown that this parcel's contact is its own."""
    owner = await hub.pool.fetchval("SELECT account FROM account_parcel WHERE parcel = $1 AND how = 'contact'", parcel)
    return owner is not None and owner != account


async def parcels(hub: Hub, account: UUID) -> list[Parcel]:
    """The account's parcels: what waits first, by deadline; then what comes; then what ended in the last 30 days.

    Their links are good from then on, also those that no notice has told yet.
    """
    known = [read_parcel(row["record"]) for row in await hub.pool.fetch(_OF, account)]
    oldest = hub.clock.now() - SHOWN_FOR
    shown = [each for each in known if each.stage not in ENDED or (each.ended_at and each.ended_at > oldest)]
    hashes = [link_hash(hub.keys.link_token("recipient", each.id)) for each in shown]
    await hub.pool.execute(_LINKS, hashes, [each.id for each in shown])
    return sorted(shown, key=_order)


def _order(parcel: Parcel) -> tuple[int, float]:
    if parcel.stage in ENDED:
        return 2, -(parcel.ended_at.timestamp() if parcel.ended_at else 0)
    when = parcel.collect_by or parcel.expected_at or parcel.announced_at
    return (0 if parcel.compartment else 1), when.timestamp() if when else 0


async def forget_old(connection: asyncpg.Connection, now: datetime) -> None:
    """What nobody needs any more: parcels that ended, and were joined, 60 days ago; accounts of yesterday and before
    that no browser and no passkey leads to."""
    await connection.execute(_OLD, now - KEPT_FOR)
    await connection.execute(_LEFT_BEHIND, now, now - BEGINS_WITHIN)


def number_of(ids: Ids) -> str:
    """Six digits, each as likely as the others."""
    return f"{ids.chance.getrandbits(64) % 1_000_000:06d}"
