"""What opens a compartment: the code that a person types, and what the QR carries; made of keys, kept nowhere."""

from datetime import datetime

from parcelwall import ids
from parcelwall.hub.house import Hub
from parcelwall.rules import access, facts, token
from parcelwall.rules.life import Parcel


def code_of(hub: Hub, parcel: Parcel) -> str:
    """The 8 digits of a parcel that lies in a compartment."""
    assert parcel.station and parcel.reservation, "only a parcel with a place has a code"
    station = hub.stations.known[parcel.station]
    return access.pickup_code(station.code_key, parcel.station, parcel.reservation, parcel.generation)


def token_of(hub: Hub, parcel: Parcel, grant: facts.Granted | None = None) -> str:
    """What the QR of a parcel in a compartment carries, the same each time; "" where a person must be verified.

    With a grant it is the delegate's, and ends with it. It is good from when room was promised, which is a time of the
    hub's: the station's clock may have been wrong when the parcel was put in.
    """
    assert parcel.station and parcel.reservation and parcel.deposited_at, "only a parcel with a place has a token"
    if parcel.proof == "verified" or parcel.generation > token.HIGHEST_GENERATION:
        return ""
    promised_at = ids.born(parcel.reservation)
    expires = (grant and grant.until) or promised_at + token.LASTS
    made = token.payload(token.Token(
        parcel.station, parcel.reservation, parcel.generation, promised_at, expires,
        grant.grant if grant else None,
    ))  # fmt: skip
    return token.text(made, bytes.fromhex(hub.signer.sign(token.to_sign(made))))


def verified_token_of(hub: Hub, parcel: Parcel, proved_at: datetime) -> str:
    """What the QR carries for some minutes after a passkey was shown for this parcel; "" once they are over."""
    assert parcel.station and parcel.reservation, "only a parcel with a place has a token"
    until = proved_at + token.VERIFIED_LASTS
    if hub.clock.now() >= until or parcel.generation > token.HIGHEST_GENERATION:
        return ""
    made = token.payload(
        token.Token(parcel.station, parcel.reservation, parcel.generation, proved_at, until, verified=True)
    )
    return token.text(made, bytes.fromhex(hub.signer.sign(token.to_sign(made))))
