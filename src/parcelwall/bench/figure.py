"""What a benchmark answers: one figure, as the median of interleaved pairs of ours and its reference."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Literal

import msgspec

Better = Literal["more", "less"]


class Once(msgspec.Struct, frozen=True):
    """One measurement. `cpu_us`: microseconds of CPU per unit of work, by who spent them."""

    value: float
    cpu_us: dict[str, float] = {}
    more: dict[str, Any] = {}


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as it is printed. `ratio` above 1 is better than the reference, whatever the unit.

    `spread` is (largest - smallest) / median of the ratios of all pairs; without a reference, of the values.
    """

    name: str
    value: float | None
    unit: str
    reference: float | None
    ratio: float | None
    runs: int
    spread: float | None
    floor: float | None = None
    reference_is: str = ""
    cpu_us: dict[str, float] = {}
    reference_cpu_us: dict[str, float] = {}
    more: dict[str, Any] = {}
    skipped: str = ""


Tick = Callable[[str], None]  # is told what is being done, for whoever waits


def spread(values: Sequence[float]) -> float | None:
    """(largest - smallest) / median; None for fewer than two."""
    return (max(values) - min(values)) / median(values) if len(values) > 1 and median(values) else None


def ratio(ours: float, reference: float, better: Better) -> float:
    return ours / reference if better == "more" else reference / ours


def from_pairs(
    name: str, unit: str, pairs: Sequence[tuple[Once, Once]], *, better: Better = "more", floor: float | None = None,
    reference_is: str = "", **more: Any,
) -> Figure:  # fmt: skip
    """The figure of pairs (ours, reference) measured one after the other."""
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratios = [ratio(mine.value, other.value, better) for mine, other in pairs]
    return Figure(
        name=name, unit=unit, value=rounded(median(o.value for o in ours)), runs=len(pairs), floor=floor,
        reference=rounded(median(o.value for o in theirs)), ratio=round(median(ratios), 2),
        spread=_two(spread(ratios)), reference_is=reference_is, cpu_us=medians([o.cpu_us for o in ours]),
        reference_cpu_us=medians([o.cpu_us for o in theirs]), more=medians([o.more for o in ours]) | more,
    )  # fmt: skip


def cpu_figure(wall: Figure, pairs: Sequence[tuple[Once, Once]], floor: float | None) -> Figure:
    """The same work by CPU instead of by the clock: what does not depend on who else uses the cores meanwhile.

    Without the load generator on our side; pgbench, which is its own application, is counted whole.
    """
    ours = [sum(us for who, us in mine.cpu_us.items() if who != "load") for mine, _ in pairs]
    theirs = [sum(other.cpu_us.values()) for _, other in pairs]
    ratios = [ratio(mine, other, "less") for mine, other in zip(ours, theirs, strict=True)]
    return Figure(
        name=f"{wall.name}_cpu", value=round(median(ours), 1), unit="us of CPU per " + wall.unit.partition("/")[0],
        reference=round(median(theirs), 1), ratio=round(median(ratios), 2), runs=wall.runs, spread=_two(spread(ratios)),
        floor=floor, reference_is=wall.reference_is, cpu_us=wall.cpu_us, reference_cpu_us=wall.reference_cpu_us,
    )  # fmt: skip


def alone(name: str, unit: str, runs: Sequence[Once], **more: Any) -> Figure:
    """A figure that has no reference."""
    values = [each.value for each in runs]
    return Figure(
        name=name, unit=unit, value=rounded(median(values)), runs=len(runs), reference=None, ratio=None,
        spread=_two(spread(values)), cpu_us=medians([o.cpu_us for o in runs]),
        more=medians([o.more for o in runs]) | more,
    )  # fmt: skip


def skipped(name: str, unit: str, why: str) -> Figure:
    return Figure(name=name, value=None, unit=unit, reference=None, ratio=None, runs=0, spread=None, skipped=why)


def medians(tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Key by key, the median of the numbers; of anything else the last."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for table in tables for key in table):
        values = [table[key] for table in tables if key in table]
        numbers = all(isinstance(value, int | float) for value in values)
        found[key] = rounded(median(values)) if numbers else values[-1]
    return found


def rounded(value: float) -> float:
    """To what a reader can use: four digits."""
    return float(f"{value:.4g}") if abs(value) < 1000 else float(round(value))


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
