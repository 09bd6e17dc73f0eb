"""Two simulated years of a pick-up point, as a file: one to learn from, and one to be judged.

Requests of the generator of our tables (`planning.demand.generated`), with what a carrier tells before: one carrier for
each visit of the day, handed over to it on the morning of the visit's day or of one of the two days before, and ready
up to 30 hours before that. Nobody's week or season: what is told of it errs by the way of telling alone.
"""

from csv import writer
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from parcelwall.planning import demand
from parcelwall.planning.dice import dice

COMPARTMENTS, LOAD = (18, 16, 6), 0.9
BEGINS = datetime(2024, 1, 1)  # noqa: DTZ001, a wall clock that is of no zone
DAYS = 731
DAYS_BEFORE, SHARES = (0, 1, 2), (0.3, 0.5, 0.2)
MORNING_H = (2.0, 9.0)  # from the hand-over to the visit of the same day
READY_H = (1.0, 30.0)


def write(path: Path, seed: int, days: int = DAYS) -> Path:
    """The CSV file, with the columns of a pick-up point."""
    made, rng = demand.generated(seed, LOAD, COMPARTMENTS, days), dice(seed + 1)
    before = 24 * rng.choice(DAYS_BEFORE, len(made), p=SHARES) + rng.uniform(*MORNING_H, len(made))
    ready = rng.uniform(*READY_H, len(made))
    carrier = np.where(np.mod(made.comes_h, 24) < demand.VISITS_AT_H[1], "A", "B")
    with path.open("w", newline="") as file:
        rows = writer(file)
        rows.writerow(["DateR", "DateE", "DateD", "DateP", "Carrier"])
        for comes, leaves, lead, waited, by in zip(made.comes_h, made.leaves_h, before, ready, carrier, strict=True):
            rows.writerow([_day(comes - lead - waited), _when(comes - lead), _when(comes), _when(leaves), by])
    return path


def _when(hours: float) -> str:
    return f"{BEGINS + timedelta(hours=float(hours)):%Y-%m-%d %H:%M:%S}"


def _day(hours: float) -> date:
    return (BEGINS + timedelta(hours=float(hours))).date()
