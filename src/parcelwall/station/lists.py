"""The lists that the hub pushes to a station, as far as it has heard: who may act here, and codes beside the derived
ones. Blocked parcels stand on the parcel itself.

Each line is an entry of the hub's stream for this station: signed, numbered, kept, and in force with or without a line
(docs/link.md, "Lists"). What was taken back stays so, in whatever order it is heard.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from parcelwall import clock
from parcelwall.rules import access
from parcelwall.rules.facts import Granted
from parcelwall.rules.life import Parcel

if TYPE_CHECKING:
    from parcelwall.station.memory import Memory

TRUSTED_FOR = timedelta(days=30)  # a list of staff that the hub has not confirmed since
Right = Literal["deposit", "take_back", "service"]


def in_use(memory: "Memory") -> Collection[Granted]:
    """The list of staff; empty once the hub has not been heard for so long that it may name people who have gone."""
    silent = clock.parse(memory.now_text()) - clock.parse(memory.heard_at) if memory.heard_at else timedelta(0)
    return memory.grants.values() if silent <= TRUSTED_FOR else ()


def staff(grants: Iterable[Granted], now: datetime) -> list[UUID]:
    """Couriers and technicians who may do anything here now, each once."""
    return list({grant.courier: None for grant in grants if grant.courier and grant.in_force(now)})


def may(grants: Iterable[Granted], who: UUID, right: Right, now: datetime) -> bool:
    return any(right in grant.may for grant in grants if grant.courier == who and grant.in_force(now))


def codes(grants: Iterable[Granted], inside: Sequence[Parcel], now: datetime) -> Iterator[tuple[Granted, Parcel]]:
    """The codes in force that the hub drew for parcels which lie here."""
    here = {parcel.reservation: parcel for parcel in inside}
    for grant in grants:
        if grant.tag and grant.reservation in here and "collect" in grant.may and grant.in_force(now):
            yield grant, here[grant.reservation]


def matching(key: bytes, digits: str, known: Iterable[tuple[Granted, Parcel]]) -> list[Parcel]:
    """Parcels one of whose drawn codes this is. All are compared in constant time; `key` is that of "code-tag"."""
    typed = access.code_tag(key, digits)
    return [parcel for hit, parcel in [(access.same(typed, grant.tag), parcel) for grant, parcel in known] if hit]
