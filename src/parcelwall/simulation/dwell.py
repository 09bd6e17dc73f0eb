"""How long parcels lie until somebody comes for them, in hours: of a real pick-up point, or a table of quantiles."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import read_table

# Hours below which 0, 5, 10 ... 100 % of the parcels of one European pick-up point lay, rounded; the longest cut off.
QUANTILES = (
    0.0, 1.1, 2.0, 3.6, 4.6, 5.4, 6.1, 6.8, 7.4, 8.3, 21.5, 23.9, 27.4, 30.4, 45.6, 52.6, 69.9, 78.1, 102.3, 147.3,
    360.0,
)  # fmt: skip
DELIVERED, PICKED_UP = "DateD", "DateP"


def read_dwell(path: Path) -> list[float]:
    """Hours from DateD to DateP of every row that tells both; negative ones are dropped. Raises Trouble for none."""
    hours = sorted(_hours(path))
    if not hours:
        raise Trouble(f"{path} tells of no parcel that was delivered and then picked up.")
    return hours


def _hours(path: Path) -> list[float]:
    hours = []
    for row in read_table(path, (DELIVERED, PICKED_UP)):
        try:
            stay = datetime.fromisoformat(row[PICKED_UP]) - datetime.fromisoformat(row[DELIVERED])
        except (ValueError, TypeError):
            continue
        if stay.total_seconds() >= 0:
            hours.append(stay.total_seconds() / 3600)
    return hours


def sampled(hours: Sequence[float], luck: float) -> float:
    """One of the real stays. `luck` in 0 .. 1, even."""
    return hours[min(len(hours) - 1, int(luck * len(hours)))]


def from_table(luck: float) -> float:
    """A stay by the built-in quantiles, straight lines between them."""
    place = luck * (len(QUANTILES) - 1)
    low = min(int(place), len(QUANTILES) - 2)
    return QUANTILES[low] + (QUANTILES[low + 1] - QUANTILES[low]) * (place - low)
