"""Browsers that are signed in: a cookie of 256 random bits, of which only the hash is kept.

It ends by itself some time after the last use, at once when it is ended here, and everywhere for one holder.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from parcelwall.hub.house import Hub
from parcelwall.hub.passkeys import ANSWERED_WITHIN, Purpose

LASTS: dict[Purpose, timedelta] = {
    "recipient": timedelta(days=90), "operator": timedelta(hours=12), "courier": timedelta(days=180),
}  # fmt: skip
IDLE: dict[Purpose, timedelta] = {
    "recipient": timedelta(days=30), "operator": timedelta(hours=1), "courier": timedelta(days=14),
}  # fmt: skip
SEEN_EVERY = timedelta(minutes=5)  # written no oftener

_FIND = """
SELECT holder, made_at, seen_at, proved_at, proved_act FROM signed_in
WHERE hash = $1 AND purpose = $2 AND ends_at > $3 AND seen_at > $4"""


class SignedIn(NamedTuple):
    """Who is signed in. `proved_at`: when its holder last proved in this browser to be there, for `proved_act` and
    nothing else; None if it began with a link."""

    holder: UUID
    made_at: datetime
    proved_at: datetime | None
    proved_act: str = ""

    def is_fresh(self, now: datetime) -> bool:
        """Whether a passkey, or a number sent to an own contact, was shown in this browser within the last minutes."""
        return self.proved_at is not None and now - self.proved_at < ANSWERED_WITHIN


async def begin(hub: Hub, purpose: Purpose, holder: UUID, proved_at: datetime | None = None) -> str:
    """Signs a browser in. Answers the secret for its cookie, which is told this once."""
    secret, now = base64.urlsafe_b64encode(hub.ids.secret(32)).decode().rstrip("="), hub.clock.now()
    await hub.pool.execute("DELETE FROM signed_in WHERE ends_at < $1", now)
    await hub.pool.execute(
        "INSERT INTO signed_in (hash, purpose, holder, made_at, seen_at, ends_at, proved_at) "
        "VALUES ($1, $2, $3, $4, $4, $5, $6)",
        _hashed(secret), purpose, holder, now, now + LASTS[purpose], proved_at,
    )  # fmt: skip
    return secret


async def find(hub: Hub, purpose: Purpose, secret: str, used: bool = True) -> SignedIn | None:
    """Who this cookie is of; None for one that is unknown, has ended or was idle for too long. `used`: a person does
    something with it now, so that the time without use begins anew."""
    if not secret:
        return None
    now = hub.clock.now()
    row = await hub.pool.fetchrow(_FIND, _hashed(secret), purpose, now, now - IDLE[purpose])
    if row is None:
        return None
    if used and now - row["seen_at"] > SEEN_EVERY:
        await hub.pool.execute("UPDATE signed_in SET seen_at = $2 WHERE hash = $1", _hashed(secret), now)
    return SignedIn(row["holder"], row["made_at"], row["proved_at"], row["proved_act"])


async def note_proof(hub: Hub, secret: str, act: str, at: datetime) -> None:
    """A passkey was shown in this browser, for this act."""
    await hub.pool.execute(
        "UPDATE signed_in SET proved_at = $2, proved_act = $3 WHERE hash = $1", _hashed(secret), at, act
    )


async def prove(hub: Hub, secret: str) -> None:
    """This browser's holder has just proved once more to be there."""
    await hub.pool.execute("UPDATE signed_in SET proved_at = $2 WHERE hash = $1", _hashed(secret), hub.clock.now())


async def end(hub: Hub, secret: str) -> None:
    await hub.pool.execute("DELETE FROM signed_in WHERE hash = $1", _hashed(secret))


async def end_all(hub: Hub, holder: UUID) -> None:
    """In every browser of this holder: a device was lost, or a role was taken away."""
    await hub.pool.execute("DELETE FROM signed_in WHERE holder = $1", holder)


async def end_others(hub: Hub, holder: UUID, secret: str) -> None:
    """In every browser of this holder but this one."""
    await hub.pool.execute("DELETE FROM signed_in WHERE holder = $1 AND hash <> $2", holder, _hashed(secret))


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(b"parcelwall/signed-in/1\x00" + secret.encode()).digest()
