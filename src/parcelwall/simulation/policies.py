"""The policies that a replay can be run under, by name."""

from typing import Literal

import msgspec

from parcelwall.errors import Trouble
from parcelwall.rules.policy import Policy

Asked = Literal["purchase", "carrier", "delivery"]  # when the shop asks for room


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A policy, and when shops ask for room under it. `near_km` of the policy is replaced by the town's own size."""

    says: str
    policy: Policy
    ask: Asked = "purchase"


POLICIES = {
    "standard": Plan(says="room is promised at purchase, held two days after the deposit", policy=Policy(version=1)),
    "short-hold": Plan(says="held one day, extended once", policy=Policy(version=2, hold_hours=24, extensions=1)),
    "long-hold": Plan(says="held seven days", policy=Policy(version=3, hold_hours=168)),
    "late-promise": Plan(
        says="room is promised only when the carrier has the parcel", policy=Policy(version=4), ask="carrier"
    ),
    "same-day": Plan(
        says="room is asked for four hours before the delivery, held five days",
        policy=Policy(version=7, hold_hours=120), ask="delivery",
    ),
    "overbook": Plan(says="two promises more than compartments at each station", policy=Policy(version=5, overbook=2)),
    "late-overbook": Plan(
        says="room is promised when the carrier has the parcel, two more than compartments",
        policy=Policy(version=6, overbook=2), ask="carrier",
    ),
}  # fmt: skip


def named(name: str) -> Plan:
    """The plan of that name. Raises Trouble that lists the names."""
    if name not in POLICIES:
        raise Trouble(f"there is no policy {name!r}: choose one of {', '.join(POLICIES)}")
    return POLICIES[name]
