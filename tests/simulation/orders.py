"""Orders made up for tests: a few busy days of a small town, in the columns of the real file."""

import csv
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

COLUMNS = (
    "parcel_id", "status", "purchased_at", "carrier_at", "delivered_at", "estimated_date", "city", "lat", "lon",
    "length_cm", "width_cm", "height_cm", "weight_g",
)  # fmt: skip
START = datetime(2018, 3, 1)
MIDDLES = ((-23.55, -46.63), (-23.50, -46.70), (-23.62, -46.58))


def made_up(count: int, days: float, seed: int = 7) -> Iterator[dict[str, str]]:
    """Parcels bought within so many days. One in four comes in the last hours before its promise ends."""
    chance = random.Random(seed)
    for number in range(count):
        bought = START + timedelta(days=days * chance.random())
        carried = bought + timedelta(hours=2 + 20 * chance.random())
        brought = carried + timedelta(hours=6 + 40 * chance.random())
        expected = brought + timedelta(days=1)
        if chance.random() < 0.25:
            expected = max(bought, brought - timedelta(hours=72 - 6 * chance.random()))
        lat, lon = chance.choice(MIDDLES)
        sides = [chance.choice((12, 20, 30, 36)), chance.choice((10, 18, 25)), chance.choice((4, 8, 16, 30))]
        yield {
            "parcel_id": f"t{seed}{number:05}-1", "status": "delivered", "purchased_at": text(bought),
            "carrier_at": text(carried), "delivered_at": text(brought) if chance.random() > 0.03 else "",
            "estimated_date": text(expected), "city": "sao paulo", "lat": f"{lat + chance.gauss(0, 0.01):.5f}",
            "lon": f"{lon + chance.gauss(0, 0.01):.5f}", "length_cm": str(sides[0]), "width_cm": str(sides[1]),
            "height_cm": str(sides[2]), "weight_g": str(chance.choice((200, 700, 2500, 8000))),
        }  # fmt: skip


def text(when: datetime) -> str:
    return when.isoformat(" ", timespec="seconds")


def write(path: Path, rows: Iterable[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """A CSV file of these rows; columns that are not named are left out."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, columns, extrasaction="ignore")
        lines.writeheader()
        lines.writerows(rows)
    return path
