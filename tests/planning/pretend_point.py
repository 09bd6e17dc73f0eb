"""A pretend pick-up point with known laws: what planning says of it can be held against them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from parcelwall.planning.records import Records, Row, from_rows

START = datetime(2024, 1, 1)  # a Monday
HEAD = "Id_parcel,DateR,DateE,DateD,DateP,Carrier"


def rows(days: int = 200, a_day: float = 12, seed: int = 1, carriers: str = "AB", skip: range = range(0)) -> list[Row]:
    """Parcels ready each working day, handed over the same evening, deposited by the next visit at nine or ten, and
    collected after a dwell that is exponential with a mean of 30 h. Nothing moves on Sundays and on skipped days."""
    dice = np.random.default_rng(seed)
    made = []
    for day in range(days):
        if (START + timedelta(days=day)).weekday() == 6 or day in skip:
            continue
        for _ in range(dice.poisson(a_day)):
            carrier = carriers[dice.integers(len(carriers))]
            ready = START + timedelta(days=day)
            handed = ready + timedelta(hours=15 + 6 * dice.random())
            visit = ready + timedelta(days=1 + int(dice.random() < 0.2), hours=9 + "AB".find(carrier))
            visit += timedelta(days=int(visit.weekday() == 6))
            deposited = visit + timedelta(minutes=20 * dice.random())
            collected = deposited + timedelta(hours=0.1 + dice.exponential(30))
            made.append(Row(ready, handed, deposited, collected, carrier))
    return made


def point(days: int = 200, a_day: float = 12, seed: int = 1, skip: range = range(0)) -> Records:
    return from_rows(rows(days, a_day, seed, skip=skip))


def write(path: Path, lines: Iterable[Row], head: str = HEAD) -> Path:
    """The file of such a point."""
    text = [
        f"{i},{row.ready},{row.handed},{row.deposited},{row.collected},{row.carrier}" for i, row in enumerate(lines)
    ]
    path.write_text("\n".join([head, *text]) + "\n")
    return path
