"""An account shows that a parcel's address or number is its own: six digits are sent there, and typed here.

The address is never typed in, so it is nobody's oracle: it is the one that the carrier named. Five tries, ten minutes;
and in ten minutes five numbers go to one address and ten are tried for it, whoever asks: a new browser, which is a new
account, wins nothing.
"""

import contextlib
import hashlib
import hmac
from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import accounts, reading, tries
from parcelwall.hub.house import Hub
from parcelwall.hub.people import Person
from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.own_number import compose_number, compose_passkey_made
from parcelwall.rules.labels import plain_digits
from parcelwall.rules.life import Parcel

Kind = Literal["email", "sms"]
LASTS = timedelta(minutes=10)
TRIES = 5
OF_ONE_CONTACT = 10  # numbers tried for it within `tries.WITHIN`, by all accounts together

_KEEP = """
INSERT INTO contact_check VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account) DO UPDATE SET
  parcel = excluded.parcel, index = excluded.index, number_hash = excluded.number_hash,
  tries_left = excluded.tries_left, ends_at = excluded.ends_at"""
_VOID = "DELETE FROM contact_check WHERE index = $1 AND account <> $2"
_TRY = """
UPDATE contact_check SET tries_left = tries_left - 1 WHERE account = $1 AND tries_left > 0 AND ends_at > $2
RETURNING parcel, index, number_hash"""
_MINE = """
INSERT INTO account_contact VALUES ($1, $2, $3)
ON CONFLICT (index) DO UPDATE SET account = excluded.account, verified_at = CASE
  WHEN account_contact.account = excluded.account THEN account_contact.verified_at ELSE excluded.verified_at END"""
_FIRST = """
SELECT index FROM account_contact WHERE account = $1 AND verified_at <= coalesce(
  (SELECT min(made_at) FROM passkey WHERE holder = $1),
  (SELECT min(verified_at) FROM account_contact WHERE account = $1))"""


class Confirmed(NamedTuple):
    """The parcel that the number was asked for. `proves`: it was sent to a contact that proves who the account is."""

    parcel: Parcel
    proves: bool


class Contact(NamedTuple):
    """One way to reach a person: which, and so much of it as its owner knows it by (`a...@example.org`)."""

    kind: Kind
    masked: str
    tag: bytes


async def of_parcel(hub: Hub, parcel: Parcel) -> list[Contact]:
    """The contacts of a parcel's person that something can be sent to."""
    person = await reading.person_of(hub, parcel)
    if person is None:
        return []
    ways: list[tuple[Kind, str | None]] = [("email", person.email), ("sms", person.phone)]
    return [
        Contact(kind, masked(value), hub.keys.contact_index(kind, value))
        for kind, value in ways if value and kind in hub.channels
    ]  # fmt: skip


async def shown_already(hub: Hub, account: UUID) -> set[bytes]:
    rows = await hub.pool.fetch("SELECT index FROM account_contact WHERE account = $1", account)
    return {row["index"] for row in rows}


async def shown_first(hub: Hub, account: UUID) -> set[bytes]:
    """Those that it had before its passkeys, or first of all if it has none: whoever came later did not bring them."""
    return {row["index"] for row in await hub.pool.fetch(_FIRST, account)}


async def send_number(hub: Hub, account: UUID, parcel: Parcel, kind: str, language: str) -> None:
    """Sends six digits to the parcel's own contact; they are the only ones that count for it. Refuses one that it does
    not have, and more than are meant; raises Trouble if nothing can be sent now."""
    person, known = await reading.person_of(hub, parcel), await of_parcel(hub, parcel)
    contact = next((each for each in known if each.kind == kind), None)
    if person is None or contact is None:
        raise Refusal("not_found")
    if not await tries.take(hub, f"number/{contact.tag.hex()}"):
        raise Refusal("too_many_tries")
    number = accounts.number_of(hub.ids)
    await hub.pool.execute(_VOID, contact.tag, account)
    await hub.pool.execute(
        _KEEP, account, parcel.id, contact.tag, _hashed(account, number), TRIES, hub.clock.now() + LASTS
    )
    await _hand_over(hub, contact.kind, person, number, language)


async def _hand_over(hub: Hub, kind: Kind, person: Person, number: str, language: str) -> None:
    message = compose_number(number, language)
    try:
        await hub.channels[kind].hand_over(person, message, f"<{hub.ids.new().hex}@parcelwall.invalid>")
    except Undeliverable as no:
        raise Trouble("The number could not be sent there.") from no


async def confirm(hub: Hub, account: UUID, typed: str) -> Confirmed:
    """The digits that were sent: the contact is the account's from now on, and so is the parcel it was asked for, and
    all that is announced for it later. Refuses wrong, old and too many tries alike."""
    now = hub.clock.now()
    row = await hub.pool.fetchrow(_TRY, account, now)
    digits = "".join(each for each in plain_digits(typed) if each.isdigit())
    if row and not await tries.take(hub, f"number-tried/{row['index'].hex()}", OF_ONE_CONTACT):
        raise Refusal("too_many_tries")
    if row is None or not hmac.compare_digest(row["number_hash"], _hashed(account, digits)):
        raise Refusal("wrong_code")
    proves = row["index"] in await shown_first(hub, account)
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM contact_check WHERE account = $1", account)
        await connection.execute(_MINE, row["index"], account, now)
        await accounts.join_by_contact(connection, account, row["parcel"], now)
    await hub.wishes_changed()
    return Confirmed(await reading.known_parcel(hub, row["parcel"]), proves)


async def tell_of_passkey(hub: Hub, account: UUID) -> None:
    """By all old ways: a passkey was made. A way that fails is passed over (trust.md A-06).

    An address is kept with the parcels only, so all of them are looked through until each way was gone once.
    """
    to_tell = await shown_already(hub, account)
    for parcel in await accounts.parcels(hub, account):
        for each in await of_parcel(hub, parcel):
            person = await reading.person_of(hub, parcel) if each.tag in to_tell else None
            if person:
                to_tell.discard(each.tag)
                await _tell_of_passkey(hub, each.kind, person)


async def _tell_of_passkey(hub: Hub, kind: Kind, person: Person) -> None:
    with contextlib.suppress(Trouble, Undeliverable):
        message = compose_passkey_made(person.language)
        await hub.channels[kind].hand_over(person, message, f"<{hub.ids.new().hex}@parcelwall.invalid>")


def masked(value: str) -> str:
    """`a...@example.org`, or `...67`: enough for its owner."""
    name, at, host = value.partition("@")
    return f"{name[:1]}...@{host}" if at else f"...{value[-2:]}"


def _hashed(account: UUID, number: str) -> bytes:
    return hashlib.sha256(b"parcelwall/contact/1\x00" + account.bytes + number.encode()).digest()
