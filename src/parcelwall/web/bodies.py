"""What carriers send: shapes that are checked before any desk is asked. Unknown fields are refused, not ignored."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from parcelwall.errors import REASONS, Refusal
from parcelwall.hub.commands import Destination
from parcelwall.hub.offers import Wanted
from parcelwall.hub.people import Person
from parcelwall.rules.decide import Order
from parcelwall.rules.facts import Direction, Proof
from parcelwall.rules.layout import Climate
from parcelwall.rules.sentence import MARKS
from parcelwall.rules.tables import Told
from parcelwall.web.field_words import (
    AMOUNT,
    CURRENCY,
    EMAIL,
    LANGUAGE,
    PHONE,
    REFERENCE,
    SERVICE,
    SMALL_WORDS,
    STATION,
    WORDS,
)

Side = Annotated[int, Meta(ge=1, le=5000, description="millimetres")]
Reference = Annotated[str, Meta(pattern=REFERENCE, description="unique per carrier")]
Words = Annotated[str, Meta(max_length=200, pattern=WORDS)]
Email = Annotated[str, Meta(max_length=254, pattern=EMAIL)]
Phone = Annotated[str, Meta(pattern=PHONE)]
Language = Annotated[str, Meta(pattern=LANGUAGE)]
Amount = Annotated[str, Meta(pattern=AMOUNT, description="decimal text, such as 49.90")]
Currency = Annotated[str, Meta(pattern=CURRENCY)]
Service = Annotated[str, Meta(pattern=SERVICE, description="what you sold, such as express")]
StationId = Annotated[str, Meta(pattern=STATION)]


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The root of all bodies."""


class Recipient(Body):
    """Who it is for. Goes into the vault; no journal, log or station sees it."""

    name: Words = ""
    email: Email | None = None
    phone: Phone | None = None
    language: Language = "en"

    def person(self) -> Person:
        return Person(name=self.name, email=self.email, phone=self.phone, language=self.language)


class Near(Body):
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class Where(Body):
    """A station, or the nearest with room to a place. Give one of the two."""

    station_id: StationId | None = None
    near: Near | None = None
    offer: UUID | None = None  # the offer that named the station

    def destination(self, told: dict[str, Told] | None = None) -> Destination:
        """`told`: what the offer had said of each station."""
        if (self.station_id is None) == (self.near is None):
            raise Refusal("bad_field", "Give either `station_id` or `near`.", field="destination", problem="one of two")
        place = (self.near.lat, self.near.lon) if self.near else None
        return Destination(station_id=self.station_id, near=place, told=told or {})


class ParcelBody(Body):
    """A parcel to announce; with a destination, room is promised in the same request. Millimetres and grams."""

    reference: Reference
    length_mm: Side
    width_mm: Side
    height_mm: Side
    weight_g: Annotated[int, Meta(ge=1, le=200_000, description="grams")]
    carrier: str | None = None
    climate: Climate = "ambient"
    proof: Proof = "code"
    direction: Direction = "delivery"
    label: Reference | None = None
    reach: bool = False
    recipient: Recipient | None = None
    destination: Where | None = None
    expected_at: datetime | None = None
    value: Amount | None = None
    currency: Currency | None = None
    service: Service = ""

    def order(self, carrier: str) -> Order:
        if self.carrier not in (None, carrier):
            raise Refusal("no_right", "The key belongs to another carrier than `carrier` names.", field="carrier")
        return Order(
            carrier=carrier, reference=self.reference, length_mm=self.length_mm, width_mm=self.width_mm,
            height_mm=self.height_mm, weight_g=self.weight_g, climate=self.climate, proof=self.proof,
            direction=self.direction, reach=self.reach, label=self.label, value=self.value, currency=self.currency,
            expected_at=aware(self.expected_at, "expected_at"), service=self.service,
        )  # fmt: skip


class BatchBody(Body):
    parcels: Annotated[list[ParcelBody], Meta(min_length=1, max_length=1000)]


class OfferBody(Body):
    """A parcel that may be ordered, and where its recipient is. Millimetres and grams; nothing of it is kept but
    sizes and stations."""

    length_mm: Side
    width_mm: Side
    height_mm: Side
    weight_g: Annotated[int, Meta(ge=1, le=200_000, description="grams")]
    near: Near
    climate: Climate = "ambient"
    proof: Proof = "code"
    reach: bool = False
    expected_at: datetime | None = None
    service: Service = ""
    most: Annotated[int, Meta(ge=1, le=20, description="stations in the answer, at most")] = 10

    def wanted(self, carrier: str) -> Wanted:
        order = Order(
            carrier=carrier, reference="", length_mm=self.length_mm, width_mm=self.width_mm,
            height_mm=self.height_mm, weight_g=self.weight_g, climate=self.climate, proof=self.proof,
            reach=self.reach, expected_at=aware(self.expected_at, "expected_at"), service=self.service,
        )  # fmt: skip
        return Wanted(order, (self.near.lat, self.near.lon), self.most)


class ReserveBody(Body):
    destination: Where


class CancelBody(Body):
    why: Words = ""


class ExtendBody(Body):
    hours: Annotated[int, Meta(ge=1, le=24 * 14)] | None = None


class DivertBody(Body):
    reason: str = "no_fitting_compartment"

    def checked(self) -> str:
        if self.reason not in REASONS:
            known = ", ".join(sorted(REASONS))
            raise Refusal("bad_field", f"The reason must be one of: {known}.", field="reason", problem="unknown reason")
        return self.reason


class ReportBody(Body):
    """What a carrier scanned. `mark` is one of the closed list in docs/api.md."""

    reference: Reference
    mark: str
    reason: Annotated[str, Meta(max_length=64, pattern=SMALL_WORDS)] = ""
    expected_at: datetime | None = None

    def checked(self) -> str:
        if self.mark not in MARKS:
            known = ", ".join(sorted(MARKS))
            raise Refusal("bad_field", f"The mark must be one of: {known}.", field="mark", problem="unknown mark")
        return self.mark


def aware(when: datetime | None, field: str) -> datetime | None:
    """The time in UTC; a time without a zone, or of another century, is refused rather than guessed."""
    if when is not None and when.tzinfo is None:
        raise Refusal("bad_field", "Write times with their zone, such as 2026-11-22T08:00:00Z.", field=field)
    if when is not None and not 2000 <= when.year < 2100:
        raise Refusal("bad_field", "Write times with four digits of the year, such as 2026-11-22T08:00:00Z.",
                      field=field, problem="not in this century")  # fmt: skip
    return when.astimezone(UTC) if when else None
