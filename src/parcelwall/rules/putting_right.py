"""The door of what was put in a moment ago, once more, for whoever has put it in: wrong door, or wrong parcel."""

from datetime import datetime, timedelta
from uuid import UUID

from parcelwall.rules.life import INSIDE, Parcel
from parcelwall.rules.policy import Policy

COURIER_WITHIN = timedelta(seconds=60)  # faces.md 1.1: since the door was shut; the courier is signed in all the while
SENDER_WITHIN = timedelta(seconds=20)  # a sender is known by nothing but standing there: later it may be somebody else


def still_lies(parcel: Parcel | None, reservation: UUID | None, compartment: int) -> bool:
    """Whether it lies where it was put, under the promise it was put there for, and may be handed to somebody."""
    if parcel is None or parcel.stage not in INSIDE or parcel.blocked:
        return False
    return (parcel.reservation, parcel.compartment) == (reservation, compartment)


def in_time(first_opened_at: datetime, shut_at: datetime, now: datetime, is_courier: bool, policy: Policy) -> bool:
    """Whether it was shut a moment ago, and first opened within the policy's seconds: a door is not kept for ever by
    opening it again and again. Not by a clock that was put back since."""
    since_shut, within = now - shut_at, COURIER_WITHIN if is_courier else SENDER_WITHIN
    return timedelta(0) <= since_shut <= within and now - first_opened_at <= timedelta(seconds=policy.reopen_s)
