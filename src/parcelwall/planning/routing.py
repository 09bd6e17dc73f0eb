"""Routes for vehicles, by PyVRP (Wouda, Lan, Kool 2024), one search on each core and the best of them."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyvrp
from numpy.typing import NDArray
from pyvrp.stop import MaxRuntime

from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import read_text

TENTHS = 10  # files with time windows measure in tenths, cut off (DIMACS 2021)


class Routes(NamedTuple):
    """`routes[k]`: clients of vehicle k in order, counted from 0 as the data has them; `cost` in the data's units."""

    routes: list[list[int]]
    cost: int
    feasible: bool


def route(data: pyvrp.ProblemData, seconds: float, seeds: Sequence[int]) -> Routes:
    """The cheapest routes found in `seconds`, one search for each seed, as many at a time as there are cores.

    Raises Trouble if there are none that keep all capacities and windows.
    """
    if len(seeds) == 1:
        return _checked([_search(data, seconds, seeds[0])])
    with ProcessPoolExecutor(max_workers=min(len(seeds), cores()), mp_context=get_context("spawn")) as pool:
        return _checked(list(pool.map(_search, [data] * len(seeds), [seconds] * len(seeds), seeds)))


def cores() -> int:
    return len(sched_getaffinity(0))


def _search(data: pyvrp.ProblemData, seconds: float, seed: int) -> Routes:
    result = pyvrp.solve(data, MaxRuntime(seconds), seed=seed, collect_stats=False)
    best = result.best
    routes = [[stop.idx for stop in each.schedule() if stop.is_client()] for each in best.routes()]
    return Routes(routes, int(result.cost()) if best.is_feasible() else 0, best.is_feasible())


def _checked(found: Sequence[Routes]) -> Routes:
    good = [each for each in found if each.feasible]
    if not good:
        raise Trouble("no rounds keep all capacities, windows and shifts: give more vehicles, or more time")
    return min(good, key=lambda each: each.cost)


class Instance(NamedTuple):
    """A problem of a library. Its best known cost is `best / scale` in the library's own units."""

    name: str
    data: pyvrp.ProblemData
    scale: int
    best: float | None


def read_instance(file: Path) -> Instance:
    """A file in VRPLIB format, and its best known cost if NAME.sol lies beside it.

    Without windows distances are rounded (Uchoa et al. 2017), with windows cut off to tenths. Raises Trouble if it
    cannot be read.
    """
    try:
        windows = "TIME_WINDOW" in file.read_text(encoding="utf-8")
        data = pyvrp.read(file, round_func="dimacs" if windows else "round")
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise Trouble(f"{file.name} is no problem in VRPLIB format: {error}") from error
    return Instance(file.stem, data, TENTHS if windows else 1, _best_known(file.with_suffix(".sol")))


def _best_known(solution: Path) -> float | None:
    """The cost in a file NAME.sol; None where there is no such file. Raises Trouble for one without a cost."""
    if not solution.is_file():
        return None
    costs = [line.split()[-1] for line in read_text(solution).splitlines() if line.lower().startswith("cost")]
    try:
        return float(costs[0])
    except (IndexError, ValueError) as no:
        raise Trouble(f"{solution} tells no best known cost: it needs a line such as `Cost 14971`") from no


def nearest_neighbour(data: pyvrp.ProblemData) -> int | None:
    """The cost when each vehicle always drives to the nearest client that it still can serve in time.

    For one depot, one vehicle type and one load, as the libraries have them. None if it runs out of vehicles.
    """
    vehicle, town = data.vehicle_types()[0], _Town(data)
    left, cost = np.ones(len(town.load), bool), 0
    for _ in range(vehicle.num_available):
        if not left.any():
            return cost
        cost += town.drive(left, vehicle.capacity[0])
    return None if left.any() else cost


class _Town:
    """The clients' figures as arrays: distances and durations with the depot last."""

    def __init__(self, data: pyvrp.ProblemData) -> None:
        clients, depot = data.clients(), data.depots()[0]
        places = [each.location for each in clients] + [depot.location]
        self.distance = data.distance_matrix(0)[np.ix_(places, places)]
        self.duration = data.duration_matrix(0)[np.ix_(places, places)]
        self.load = np.array([each.delivery[0] for each in clients])
        self.early, self.late = (np.array([getattr(c, name) for c in clients]) for name in ("tw_early", "tw_late"))
        self.service = np.array([each.service_duration for each in clients])
        self.closes = depot.tw_late

    def drive(self, left: NDArray[np.bool_], capacity: int) -> int:
        """One vehicle's way; whom it serves is no longer left."""
        here, now, load, cost = len(self.load), 0, 0, 0
        while True:
            arrival = np.maximum(now + self.duration[here, :-1], self.early)
            done = arrival + self.service
            can = left & (load + self.load <= capacity) & (arrival <= self.late)
            can &= done + self.duration[:-1, -1] <= self.closes
            if not can.any():
                return cost + int(self.distance[here, -1])
            nearest = int(np.where(can, self.distance[here, :-1], np.iinfo(np.int64).max).argmin())
            left[nearest] = False
            cost, load = cost + int(self.distance[here, nearest]), load + int(self.load[nearest])
            here, now = nearest, int(done[nearest])
