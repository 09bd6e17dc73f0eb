"""What the API answers: shapes for its OpenAPI document. A test holds every real answer against them."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from parcelwall.web.problems import MEDIA_TYPE

Stage = Literal[
    "ANNOUNCED", "RESERVED", "READY", "OVERDUE", "COLLECTED", "TAKEN_BACK", "CANCELLED", "DIVERTED", "WRITTEN_OFF"
]


class ParcelShown(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A parcel as its carrier sees it: no code, no door, no person."""

    id: UUID
    reference: str
    carrier: str
    stage: Stage
    track: str
    reason: str | None = None
    station: str | None = None
    size: str | None = None
    deposit_by: datetime | None = None
    deposited_at: datetime | None = None
    collect_by: datetime | None = None
    expected_at: datetime | None = None
    ready_from: datetime | None = None
    ready_median: datetime | None = None
    ready_by: datetime | None = None
    announced_at: datetime | None = None
    ended_at: datetime | None = None
    mark: str | None = None


class OneOfBatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A parcel as a single announcement would answer it; or, with a `detail`, the `reason` why it was refused."""

    id: UUID | None = None
    reference: str | None = None
    carrier: str | None = None
    stage: Stage | None = None
    track: str | None = None
    reason: str | None = None
    detail: str | None = None
    station: str | None = None
    size: str | None = None
    deposit_by: datetime | None = None
    expected_at: datetime | None = None
    announced_at: datetime | None = None
    ended_at: datetime | None = None


class Parcels(msgspec.Struct, kw_only=True):
    """A page of parcels; `next` is the `after` of the page that follows."""

    parcels: list[ParcelShown]
    next: UUID | None


class BatchAnswer(msgspec.Struct, kw_only=True):
    """One answer for each parcel of the batch, in its order."""

    parcels: list[OneOfBatch]


class SizeShown(msgspec.Struct, kw_only=True):
    name: str
    width_mm: int
    height_mm: int
    depth_mm: int
    limit_g: int
    climate: Literal["ambient", "chilled", "frozen"]
    count: int


class WayShown(msgspec.Struct, kw_only=True):
    """How people get to a station, in the operator's words; null and "" where nobody has said."""

    way: str
    step_free: bool | None
    step_free_way: str
    lit: bool | None
    kerb: Literal["", "none", "lowered", "raised"]
    photo: str | None
    """Where a picture of it is, for everybody."""


class StationShown(msgspec.Struct, kw_only=True):
    """A station: place, sizes, counts. Never which door is taken."""

    id: str
    name: str
    address: str
    lat: float
    lon: float
    zone: str
    in_service: bool
    sizes: list[SizeShown]
    free: dict[str, int]
    last_seen: datetime | None
    way: WayShown | None


class Stations(msgspec.Struct, kw_only=True):
    """A page of stations; `next` is the `after` of the page that follows."""

    stations: list[StationShown]
    next: str | None


class Counts(msgspec.Struct, kw_only=True):
    free: int
    usable: int
    inside: int
    promised: int


class Availability(msgspec.Struct, kw_only=True):
    """Compartments by size: free now, usable at all, with a parcel inside, promised."""

    station: str
    in_service: bool
    as_of: datetime
    sizes: dict[str, Counts]


class EntryShown(msgspec.Struct, kw_only=True):
    """One fact of the feed. `body` depends on `kind`."""

    number: int
    kind: str
    happened_at: datetime
    recorded_at: datetime
    body: dict[str, Any]


class Entries(msgspec.Struct, kw_only=True):
    """A page of the feed; `next` is the `after` of the page that follows."""

    entries: list[EntryShown]
    next: int


class TrackShown(msgspec.Struct, kw_only=True):
    """What anybody may know of a number."""

    sentence: str
    step: int
    delayed: bool
    day: date | None


class CourierCode(msgspec.Struct, kw_only=True):
    """What a courier types at a station on one day, as that station counts days."""

    station: str
    code: str
    day: date
    now: datetime


class SendCode(msgspec.Struct, kw_only=True):
    """What the sender of a return types at the station, until when."""

    station: str
    code: str
    deposit_by: datetime


class Problem(msgspec.Struct, kw_only=True):
    """RFC 9457, with our `reason`: one of docs/refusals.md. Some carry more, such as `field` or `alternatives`."""

    type: str
    title: str
    status: int
    detail: str
    reason: str


WHY = {
    400: "Not JSON, a field that is wrong, or no Idempotency-Key", 401: "No API key, or an unknown one",
    403: "Not with this key", 404: "Nothing here under this id or address", 409: "Not in this state",
    413: "The body is too large", 422: "It cannot be done as asked", 429: "Too many tries; see Retry-After",
    503: "Ask again in a moment, with the same key",
}  # fmt: skip
PROBLEMS = {
    code: ResponseSpec(Problem, generate_examples=False, description=why, media_type=MEDIA_TYPE)
    for code, why in WHY.items()
}  # fmt: skip
READS, WRITES = (400, 401, 503), (400, 401, 403, 404, 409, 413, 422, 503)


def answers(status: int, shape: type[Any], words: str, problems: tuple[int, ...]) -> dict[int, ResponseSpec]:
    """The documented answers of one call."""
    refusals = {code: PROBLEMS[code] for code in problems}
    return {status: ResponseSpec(shape, generate_examples=False, description=words), **refusals}
