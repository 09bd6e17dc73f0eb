"""What the load over the link is told, and what it answers: one JSON file in, one line out."""

from collections.abc import Sequence

import msgspec


class Visitor(msgspec.Struct, frozen=True):
    """One parcel that is brought, and later collected."""

    parcel: str
    reservation: str


class Dialling(msgspec.Struct, frozen=True, kw_only=True):
    """One station of the load: where it dials, what it wrote already, what the hub wrote for it, and its parcels."""

    station: str
    port: int
    number: int
    hash: str
    hub_writer: str
    hub_number: int
    parcels: Sequence[Visitor]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`long_s` 0: until all is acknowledged; else until then, or until the first station has nothing left."""

    stations: Sequence[Dialling]
    per_frame: int
    long_s: float


class Shipped(msgspec.Struct, frozen=True):
    """Entries acknowledged, in how many seconds, and the load's own CPU seconds meanwhile."""

    entries: int
    seconds: float
    cpu_s: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0
