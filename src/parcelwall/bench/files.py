"""Benchmarks of quality, not of speed: how good decisions are on the demand, maps and rounds of a file.

Each reads the files that it is given (a folder stands for the files in it) and answers figures, as the others do.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from parcelwall.bench.figure import Figure, Tick
from parcelwall.planning.libraries import told

# (files, seeds, quick, tick) -> figures
Judge = Callable[[Sequence[Path], int, bool, Tick], list[Figure]]


def judges() -> dict[str, Judge]:
    """All of them, by name. Raises Trouble if a library of the extra `planning` is not installed."""
    try:
        from parcelwall.bench import allocation, forecast, promises, rounds, siting
    except ModuleNotFoundError as no:
        raise told(no) from None
    return {
        "allocation": allocation.judge,
        "forecast": forecast.judge,
        "promises": promises.judge,
        "siting": siting.measure,
        "rounds": rounds.measure,
    }


NAMES: tuple[str, ...] = (
    "allocation",
    "forecast",
    "promises",
    "siting",
    "rounds",
)
