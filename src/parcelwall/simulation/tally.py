"""What a replay counts, and the one object it reports."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from parcelwall.simulation.stories import Story

LEFT_OUT = 0.05  # of the offers at either end: a town that fills up or runs empty tells nothing of its load


class Sample(msgspec.Struct, frozen=True):
    """All stations at one moment, in compartments. `committed`: promised or taken, as far as the hub knows."""

    at: datetime
    inside: int
    committed: int
    usable: int


class Tally:
    """Counted as it happens."""

    def __init__(self, compartments: int) -> None:
        self.compartments = compartments  # of all stations
        self.refused: Counter[str] = Counter()
        self.refused_sizes: Counter[str] = Counter()
        self.diverted: Counter[str] = Counter()
        self.turned_away: Counter[str] = Counter()
        self.accepted = self.deposited = self.collected = self.taken_back = self.lapsed = 0
        self.late = 0  # collected after the holding time
        self.cuts = self.offline_deposits = self.offline_collections = 0
        self.wrong_codes = self.jams = self.left_open = self.moves = self.extensions = 0
        self.samples: list[Sample] = []
        self.fullest = self.most_committed = 0.0  # of one station, at any sample
        self.stays_h: list[float] = []
        self.problems: list[str] = []

    def collected_after(self, hours: float) -> None:
        self.collected += 1
        self.stays_h.append(hours)

    def sample(self, sample: Sample, fullest: float, most_committed: float) -> None:
        self.samples.append(sample)
        self.fullest = max(self.fullest, fullest)
        self.most_committed = max(self.most_committed, most_committed)

    def between(self, start: datetime, end: datetime) -> list[Sample]:
        return [sample for sample in self.samples if start <= sample.at <= end]


class Report(msgspec.Struct, kw_only=True):
    """What `parcelwall replay` prints. Counts of parcels; hours; shares of compartments. docs/replay.md has each."""

    rows: int
    bad: dict[str, int]
    offered: int
    accepted: int
    refused: dict[str, int]
    diverted: dict[str, int]
    not_brought: int
    lapsed: int
    turned_away: dict[str, int]
    deposited: int
    collected: int
    taken_back: int
    still_inside: int
    utilisation: dict[str, float]
    load: dict[str, float]
    dwell_hours: dict[str, float | None]
    entries: int
    violations: int
    seconds: float
    seed: int
    stations: int
    compartments: int
    scale: float
    policy: str
    near_km: float
    refused_sizes: dict[str, int]
    events: dict[str, int]
    first_violation: str | None
    data: str


def window(stories: Sequence[Story]) -> tuple[datetime, datetime]:
    """When the middle nine tenths of the offers came."""
    times = [story.offer.purchased_at for story in stories]
    return times[int(LEFT_OUT * len(times))], times[min(len(times) - 1, int((1 - LEFT_OUT) * len(times)))]


def shares(tally: Tally, stories: Sequence[Story]) -> tuple[dict[str, float], dict[str, float]]:
    """Utilisation and load: means over time and stations within `window`, and the most of one station at any time."""
    seen = tally.between(*window(stories)) if stories else []
    inside = [sample.inside / tally.compartments for sample in seen]
    committed = [sample.committed / sample.usable for sample in seen if sample.usable]
    return (
        {"mean": _mean(inside), "max": round(tally.fullest, 4)},
        {"mean": _mean(committed), "max": round(tally.most_committed, 4)},
    )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def percentiles(values: Sequence[float], shares_: Sequence[int] = (50, 80, 95)) -> dict[str, float | None]:
    """The value below which so many hundredths lie (nearest rank), to a tenth of an hour; None of nothing."""
    ordered = sorted(values)
    return {f"p{p}": round(ordered[-(-p * len(ordered) // 100) - 1], 1) if ordered else None for p in shares_}


def by_count(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
