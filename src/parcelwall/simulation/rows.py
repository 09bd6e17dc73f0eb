"""Rows of a file of orders become offers; what cannot be one is counted by its reason and never guessed."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.planning.csv_file import read_table

NEEDED = (
    "parcel_id", "purchased_at", "delivered_at", "estimated_date", "lat", "lon", "length_cm", "width_cm", "height_cm",
    "weight_g",
)  # fmt: skip
OPTIONAL = ("carrier_at",)
ZONE = "America/Sao_Paulo"  # the zone of the file's times; a file that says otherwise has a column `zone`
LONGEST_STORY_DAYS = 400  # a parcel that takes longer than this tells of a wrong year


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel of the file. Times aware, sides in mm, weight in g, place in degrees. None: it was never delivered
    (`delivered_at`), never handed to the carrier (`carrier_at`), or the shop gave no day (`expected_at`)."""

    reference: str
    purchased_at: datetime
    carrier_at: datetime | None
    delivered_at: datetime | None
    expected_at: datetime | None
    lat: float
    lon: float
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int


class Orders(msgspec.Struct):
    """What a file holds: offers in the order of their purchase, and how many rows were bad, by reason."""

    offers: list[Offer]
    bad: Counter[str]

    @property
    def rows(self) -> int:
        return len(self.offers) + self.bad.total()


class _Bad(Exception):
    """This row cannot be offered. `str()` is the reason."""


def read_orders(path: Path) -> Orders:
    """The orders in a CSV file, gzipped or not. Raises Trouble for a file that cannot be read or lacks a column."""
    bad: Counter[str] = Counter()
    offers: dict[str, Offer] = {}
    for row in read_table(path, NEEDED):
        try:
            offer = _offer(row)
            if offer.reference in offers:
                raise _Bad("double_id")
            offers[offer.reference] = offer
        except _Bad as why:
            bad[str(why)] += 1
    return Orders(sorted(offers.values(), key=lambda offer: (offer.purchased_at, offer.reference)), bad)


def _offer(row: dict[str, str]) -> Offer:
    if not row["parcel_id"] or "\ufffd" in row["parcel_id"]:
        raise _Bad("no_id")
    sides = [_positive(row[name], "sizes") * 10 for name in ("length_cm", "width_cm", "height_cm")]
    weight = _positive(row["weight_g"], "weight")
    lat, lon = _degrees(row["lat"], 90), _degrees(row["lon"], 180)
    length, width, height = (max(1, round(side)) for side in sides)
    return Offer(
        reference=row["parcel_id"], **_times(row), lat=lat, lon=lon, length_mm=length, width_mm=width,
        height_mm=height, weight_g=max(1, round(weight)),
    )  # fmt: skip


def _times(row: dict[str, str]) -> dict[str, datetime]:
    """The four times. They must come in the order in which things happen, as the file tells them in local time."""
    bought, carried, brought, promised = (
        _time(row.get(name, ""), name) for name in ("purchased_at", "carrier_at", "delivered_at", "estimated_date")
    )
    if bought is None:
        raise _Bad("no_purchase_time")
    if carried and carried < bought:
        raise _Bad("carrier_before_purchase")
    if brought and brought < bought:
        raise _Bad("delivered_before_purchase")
    if brought and carried and brought < carried:
        raise _Bad("delivered_before_carrier")
    if promised and promised.date() < bought.date():
        raise _Bad("expected_before_purchase")
    if any(when and (when - bought).days > LONGEST_STORY_DAYS for when in (carried, brought, promised)):
        raise _Bad("times_too_far_apart")
    zone = ZoneInfo(ZONE)
    names = ("purchased_at", "carrier_at", "delivered_at", "expected_at")
    times = (bought, carried, brought, promised)
    return {
        name: when.replace(tzinfo=zone).astimezone(UTC) if when else None  # type: ignore[misc]
        for name, when in zip(names, times, strict=True)
    }


def _time(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise _Bad(f"unreadable_{name}") from None
    if not 1990 <= when.year <= 2100:
        raise _Bad(f"unreadable_{name}")
    return when.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None) if when.tzinfo else when


def _positive(text: str, what: str) -> float:
    number = _number(text, f"no_{what}")
    if number == 0:
        raise _Bad(f"zero_{what}")
    if not 0 < number < 1_000_000:
        raise _Bad(f"impossible_{what}")
    return number


def _degrees(text: str, most: int) -> float:
    number = _number(text, "no_place")
    if not -most <= number <= most:
        raise _Bad("impossible_place")
    return number


def _number(text: str, reason: str) -> float:
    """Decimal text. What is empty or no number at all has this reason; NaN and infinity are no numbers."""
    try:
        number = float(text)
    except ValueError:
        raise _Bad(reason) from None
    if number != number or number in (float("inf"), float("-inf")) or "_" in text:
        raise _Bad(reason)
    return number
