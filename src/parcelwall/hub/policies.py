"""Policies as the office reads them: the knobs in words, who adopted which, and what each changed."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from parcelwall.errors import Refusal
from parcelwall.hub import lists
from parcelwall.hub.house import Hub
from parcelwall.rules import facts
from parcelwall.rules.policy import ALL, DEFAULT, Policy

MOST = 30
_ADOPTED = """
SELECT body, happened_at FROM entry WHERE kind = 'PolicyAdopted' AND writer LIKE 'hub:%/slot-%'
ORDER BY happened_at DESC, number DESC LIMIT $1"""


class Adopted(msgspec.Struct, frozen=True):
    """One policy as it was adopted: `changes` are knob, before, after."""

    version: int
    at: datetime
    who: str
    changes: tuple[tuple[str, str, str], ...]


MAY_BE_EMPTY = (
    "help_phone", "verified_from", "verified_currency", "order_warned", "order_enforced",
    "photo_off", "photo_required",
    "cost_station_day", "cost_compartment_day", "cost_stop", "cost_deposit", "cost_diverted", "cost_currency",
)  # fmt: skip
"""Knobs that stand for nothing while they are unset."""
OF_CARRIERS = ("order_warned", "order_enforced", "photo_off", "photo_required")
"""Knobs that name carriers."""
WORDS = ("serve_unwalked", "ask_permit", "help_phone", "cost_currency", "verified_currency", *OF_CARRIERS)
"""Knobs that are no numbers to reckon with."""
_PHONE = re.compile(r"\+?\(?[0-9](?:[ /()-]{0,2}[0-9]){2,17}")


def in_force(policy: Policy) -> dict[str, Any]:
    """Every knob but the version; one that is unset as what it stands for, None for nothing."""
    stands_for: dict[str, Any] = dict.fromkeys(MAY_BE_EMPTY) | {
        "alone_doors": policy.doors_alone, "alone_parcels": policy.parcels_alone, "offer_from": policy.offered_from,
        "keep_reach": policy.reach_kept, "serve_unwalked": policy.serves_unwalked,
        "ask_permit": policy.asks_permit,
    }  # fmt: skip
    values = {each.name: getattr(policy, each.name) for each in msgspec.structs.fields(Policy)}
    return {name: stands_for[name] if value is UNSET else value for name, value in values.items() if name != "version"}


def knobs(policy: Policy) -> dict[str, str]:
    """The same as text, "" for nothing."""
    return {name: "" if value is None else str(value).replace("True", "true").replace("False", "false")
            for name, value in in_force(policy).items()}  # fmt: skip


def priced(policy: Policy) -> bool:
    """Whether it states what anything costs."""
    prices = (name for name in MAY_BE_EMPTY if name.startswith("cost_") and name not in WORDS)
    return any(getattr(policy, name) is not UNSET for name in prices)


def refuse_odd(policy: Policy) -> None:
    """Refuses what no network can be run by: negative knobs, hours that there are not, money of no currency."""
    for name, value in knobs(policy).items():
        if name not in WORDS and value and not 0 <= float(value) < 100_000:
            raise Refusal("bad_field", "Not below 0, and not that large.", field=name)
    if policy.offered_from > 1:
        raise Refusal("bad_field", "A chance, from 0 to 1.", field="offer_from")
    if policy.help_phone is not UNSET and not _PHONE.fullmatch(policy.help_phone):
        raise Refusal("bad_field", "A telephone number as people dial it, such as +358 9 123 456.", field="help_phone")
    for name in ("cost_currency", "verified_currency"):
        if (given := getattr(policy, name)) is not UNSET and not re.fullmatch("[A-Z]{3}", given):
            raise Refusal("bad_field", "Three capital letters, such as EUR.", field=name)
    if policy.verified_from is not UNSET and policy.verified_currency is UNSET:
        raise Refusal("bad_field", "Say in which currency that is, such as EUR.", field="verified_currency")
    if priced(policy) and policy.cost_currency is UNSET:
        raise Refusal("bad_field", "Say in which currency the costs are, such as EUR.", field="cost_currency")
    for name in ("quiet_from_hour", "quiet_until_hour"):
        if getattr(policy, name) > 23:
            raise Refusal("bad_field", "An hour from 0 to 23.", field=name)
    if policy.hold_hours < 1 or policy.deposit_window_hours < 1 or policy.alternatives > 10:
        raise Refusal("bad_field", "At least one hour; at most ten alternatives.", field="hold_hours")


async def refuse_unknown(hub: Hub, policy: Policy) -> None:
    """Refuses knobs that name a carrier that there is not: a slip would be no rule, and nobody would see."""
    for name in OF_CARRIERS:
        if (given := getattr(policy, name)) in (UNSET, ALL):
            continue
        known = await lists.carriers(hub)
        if unknown := [each for each in given.split(" ") if each not in known]:
            sentence = f"No such carrier: {', '.join(unknown)}. Ids with one space between, or {ALL} for all."
            raise Refusal("bad_field", sentence, field=name)


def refuse_looser(before: Policy, after: Policy) -> None:
    """Refuses to let one person do more without a second than before: nobody lifts that rule with their own key."""
    for name, old, new in (("alone_doors", before.doors_alone, after.doors_alone),
                           ("alone_parcels", before.parcels_alone, after.parcels_alone)):  # fmt: skip
        if new > old:
            raise Refusal("second_person_needed", f"{name} is raised on the hub's machine alone: `parcelwall alone`.",
                          field=name)  # fmt: skip


async def let_alone(hub: Hub, doors: int | None, parcels: int | None) -> Policy:
    """What one person may do without a second, as somebody at the hub's machine says; None leaves it. Answers the
    policy in force then."""
    given = {"alone_doors": doors, "alone_parcels": parcels}
    changed = {name: value for name, value in given.items() if value is not None}
    if changed:
        await hub.refresh()
        await hub.adopt(msgspec.structs.replace(hub.policy, version=hub.policy.version + 1, **changed))
    return hub.policy


async def history(hub: Hub, names: dict[UUID, str]) -> list[Adopted]:
    """What was adopted, newest first, each with what it changed from the one before."""
    rows = await hub.pool.fetch(_ADOPTED, MOST + 1)
    read = [(msgspec.json.decode(row["body"], type=facts.PolicyAdopted), row["happened_at"]) for row in rows]
    found = []
    for at, (fact, when) in enumerate(read[:MOST]):
        before = read[at + 1][0].policy if at + 1 < len(read) else DEFAULT
        old, new = knobs(before), knobs(fact.policy)
        changes = tuple((name, old.get(name, ""), value) for name, value in new.items() if old.get(name) != value)
        found.append(Adopted(fact.policy.version, when, names.get(fact.actor, "") if fact.actor else "", changes))
    return found
