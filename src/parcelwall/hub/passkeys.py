"""Passkeys: a person's own device says who they are, after it has checked that it is they who hold it.

How it checks (a fingerprint, a face, a number) stays on the device: what comes here is a public key and signatures.
The challenge of each is used once, within five minutes, by one holder and for the one act it was made for, so that a
signature for signing in opens no door. Holders are random ids: of a recipient's account, or of an operator.
Source: W3C Web Authentication, level 3; trust.md A-06, A-12, A-21. The words are JSON as browsers make and take it.
"""

import hashlib
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import webauthn
from webauthn.helpers import (
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub

Purpose = Literal["recipient", "operator", "courier"]
ANSWERED_WITHIN = timedelta(minutes=5)
CHALLENGE_BYTES = 32
MOST = 10  # passkeys of one holder
NAME = "Parcelwall"
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, UnicodeError, RecursionError)
_VERIFIED = UserVerificationRequirement.REQUIRED

_TAKE = """
DELETE FROM passkey_challenge WHERE hash = $1 AND purpose = $2 AND act = $3 AND ends_at > $4 RETURNING holder"""
_KEEP = """
INSERT INTO passkey (credential, purpose, holder, public_key, sign_count, backed_up, made_at)
SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM passkey WHERE holder = $3) < $8
ON CONFLICT DO NOTHING RETURNING made_at"""
# The count is compared again: of two answers of one device at once, the second must not win.
_USED = """
UPDATE passkey SET sign_count = $3, backed_up = $4, used_at = $5 WHERE credential = $1 AND sign_count = $2
RETURNING holder"""


class Party(NamedTuple):
    """Whose passkeys they are: a host name, and the addresses of pages that may ask for them."""

    id: str
    origins: list[str]


class Passkey(NamedTuple):
    """One passkey of a holder, as their page lists it. `name` is what it is taken away by."""

    name: str
    made_at: datetime
    used_at: datetime | None


class Proof(NamedTuple):
    """Somebody has shown a passkey, and their device has verified them."""

    holder: UUID
    at: datetime


def party_of(public_url: str) -> Party:
    """Passkeys need a host name. A hub on this machine alone is `localhost`, whatever number it listens at."""
    address = urlsplit(public_url)
    host = address.hostname or "localhost"
    if _is_loopback(host):
        port = f":{address.port}" if address.port else ""
        return Party("localhost", [f"{address.scheme}://localhost{port}"])
    return Party(host, [f"{address.scheme}://{address.netloc}"])


def possible_at(public_url: str) -> bool:
    """Whether browsers make and show passkeys at this address: over TLS, or on this machine alone."""
    address = urlsplit(public_url)
    return address.scheme == "https" or _is_loopback(address.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def begin_registration(hub: Hub, purpose: Purpose, holder: UUID, shown: str) -> str:
    """What a browser is asked for to make a passkey. `shown` is the name by which the device's own list shows it.

    Who may register for this holder the caller has made sure of.
    """
    known = [PublicKeyCredentialDescriptor(id=each) for each in await _credentials(hub, holder)]
    options = webauthn.generate_registration_options(
        rp_id=party_of(hub.public_url).id, rp_name=NAME, user_id=holder.bytes, user_name=shown, user_display_name=shown,
        challenge=await _challenge(hub, purpose, "register", holder), exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED,
        ),
    )  # fmt: skip
    return webauthn.options_to_json(options)


async def finish_registration(hub: Hub, purpose: Purpose, holder: UUID, answer: str) -> None:
    """Keeps the passkey that was made. Raises Refusal for an answer that does not fit, or the eleventh passkey."""
    try:
        credential = parse_registration_credential_json(answer)
        challenge = await _taken(hub, purpose, "register", holder, credential.response.client_data_json)
        made = webauthn.verify_registration_response(
            credential=credential, expected_challenge=challenge, require_user_verification=True, **_here(hub)
        )
    except _BROKEN as no:
        raise Refusal("passkey_wrong") from no
    kept = await hub.pool.fetchval(
        _KEEP, made.credential_id, purpose, holder, made.credential_public_key, made.sign_count,
        made.credential_backed_up, hub.clock.now(), MOST,
    )  # fmt: skip
    if kept is None:
        raise Refusal("passkey_wrong")


async def begin_proof(hub: Hub, purpose: Purpose, act: str, holder: UUID | None = None) -> str:
    """What a browser is asked to sign with a passkey. Without a holder: of whoever it turns out to be.

    `act` names the one thing that it will allow, such as `sign_in` or `open S-0012/14`: the same must be given to
    `finish_proof`.
    """
    known = await _credentials(hub, holder) if holder else []
    options = webauthn.generate_authentication_options(
        rp_id=party_of(hub.public_url).id, challenge=await _challenge(hub, purpose, act, holder),
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known], user_verification=_VERIFIED,
    )  # fmt: skip
    return webauthn.options_to_json(options)


async def finish_proof(hub: Hub, purpose: Purpose, act: str, answer: str, holder: UUID | None = None) -> Proof:
    """Who has shown a passkey for this act, verified by their device. Raises Refusal, alike for every cause: unknown
    or foreign passkeys, other acts, old or used challenges, wrong signatures, a device that has verified nobody."""
    try:
        credential = parse_authentication_credential_json(answer)
        challenge = await _taken(hub, purpose, act, holder, credential.response.client_data_json)
        row = await _known(hub, purpose, holder, credential.raw_id)
        shown = webauthn.verify_authentication_response(
            credential=credential, expected_challenge=challenge, credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"], require_user_verification=True, **_here(hub),
        )  # fmt: skip
    except _BROKEN as no:
        raise Refusal("passkey_wrong") from no
    now = hub.clock.now()
    of = await hub.pool.fetchval(
        _USED, credential.raw_id, row["sign_count"], shown.new_sign_count, shown.credential_backed_up, now
    )
    if of is None:
        raise Refusal("passkey_wrong")
    return Proof(of, now)


async def of_holder(hub: Hub, holder: UUID) -> list[Passkey]:
    """The passkeys of a holder, oldest first."""
    rows = await hub.pool.fetch(
        "SELECT credential, made_at, used_at FROM passkey WHERE holder = $1 ORDER BY made_at", holder
    )
    return [Passkey(bytes_to_base64url(row["credential"]), row["made_at"], row["used_at"]) for row in rows]


async def take_away(hub: Hub, holder: UUID, name: str) -> None:
    """It is shown in vain from now on. Refuses one that is none of the holder's."""
    known = {bytes_to_base64url(each): each for each in await _credentials(hub, holder)}
    if name not in known:
        raise Refusal("not_found")
    await hub.pool.execute("DELETE FROM passkey WHERE credential = $1 AND holder = $2", known[name], holder)


async def _credentials(hub: Hub, holder: UUID) -> list[bytes]:
    rows = await hub.pool.fetch("SELECT credential FROM passkey WHERE holder = $1", holder)
    return [row["credential"] for row in rows]


async def _challenge(hub: Hub, purpose: Purpose, act: str, holder: UUID | None) -> bytes:
    """A new one. Those that nobody answered in time go, a few with each."""
    made, now = hub.ids.secret(CHALLENGE_BYTES), hub.clock.now()
    await hub.pool.execute("DELETE FROM passkey_challenge WHERE ends_at < $1", now)
    await hub.pool.execute(
        "INSERT INTO passkey_challenge VALUES ($1, $2, $3, $4, $5)",
        hashlib.sha256(made).digest(), purpose, act, holder, now + ANSWERED_WITHIN,
    )  # fmt: skip
    return made


async def _taken(hub: Hub, purpose: Purpose, act: str, holder: UUID | None, client_data: bytes) -> bytes:
    """The challenge that is answered, if it was ours, for this act and this holder: it is used up now."""
    challenge = parse_client_data_json(client_data).challenge
    row = await hub.pool.fetchrow(_TAKE, hashlib.sha256(challenge).digest(), purpose, act, hub.clock.now())
    if row is None or row["holder"] != holder:
        raise Refusal("passkey_wrong")
    return challenge


async def _known(hub: Hub, purpose: Purpose, holder: UUID | None, credential: bytes) -> asyncpg.Record:
    row = await hub.pool.fetchrow("SELECT * FROM passkey WHERE credential = $1 AND purpose = $2", credential, purpose)
    if row is None or holder not in (None, row["holder"]):
        raise Refusal("passkey_wrong")
    return row


def _here(hub: Hub) -> dict[str, Any]:
    party = party_of(hub.public_url)
    return {"expected_rp_id": party.id, "expected_origin": party.origins}
