"""How people like to be told: by which ways, and at which hours not. Said on `/me`, and kept with the account.

It counts for parcels whose contact the account has shown to be its own; whoever has only a parcel's link changes
nothing for anybody (decision 0021).
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.notices import schedule
from parcelwall.rules.life import Parcel

_OF = """
SELECT parcel, channels, quiet_from, quiet_until FROM account_parcel JOIN account ON account.id = account
WHERE how = 'contact' AND parcel = ANY($1::uuid[])"""


class Wishes(NamedTuple):
    """`channels` by name, () for all; `quiet` are the whole hours from which and until which nothing is sent, in the
    station's zone, None for those of the policy."""

    channels: tuple[str, ...] = ()
    quiet: tuple[int, int] | None = None


NONE = Wishes()


def read(row: asyncpg.Record) -> Wishes:
    is_quiet = row["quiet_from"] is not None
    return Wishes(tuple(row["channels"]), (row["quiet_from"], row["quiet_until"]) if is_quiet else None)


async def of_parcels(connection: asyncpg.Connection, parcels: Collection[UUID]) -> dict[UUID, Wishes]:
    """Of those parcels whose owner has said any."""
    return {row["parcel"]: read(row) for row in await connection.fetch(_OF, list(parcels))}


def ways_to(person: Person, channels: Collection[str], wishes: Wishes = NONE) -> list[str]:
    """The channels by which a person is told: those that they want; all that lead to them, if none of these does."""
    leading = [
        channel for channel, address in (("email", person.email), ("sms", person.phone))
        if address and channel in channels
    ]  # fmt: skip
    return [channel for channel in leading if channel in wishes.channels] or leading


def told_at(hub: Hub, purpose: str, parcel: Parcel, wishes: Wishes, asked: bool) -> datetime:
    """When a notice goes out: now, or when it is quiet no more at the station; but never too late to come in time.
    `asked`: unless somebody else did what it tells of."""
    now, policy = hub.clock.now(), hub.policy
    if parcel.station not in hub.stations.known:
        return now
    zone = hub.stations.known[parcel.station].about.zone
    at = schedule.send_at(
        purpose, now, zone, policy.quiet_from_hour, policy.quiet_until_hour, asked, own_quiet=wishes.quiet
    )
    is_late = purpose == "ready" and parcel.collect_by is not None and at > parcel.collect_by - schedule.LAST_CALL
    return now if is_late else at
