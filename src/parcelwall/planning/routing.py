"""Routes for vehicles, by PyVRP (Wouda, Lan, Kool 2024), one search on each core and the best of them.

Time is a moment by which it must be over, whatever was done before: reading, the start of processes, first routes.
"""

import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from os import sched_getaffinity
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pyvrp
from numpy.typing import NDArray
from pyvrp.IteratedLocalSearch import IteratedLocalSearch, IteratedLocalSearchCallbacks
from pyvrp.stop import NoImprovement

from parcelwall.clock import SystemClock
from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import read_text
from parcelwall.planning.vrp_file import refuse_odd

LATE_S, LEAST_S, START_S, TELL_EVERY_S = 1.0, 1.0, 15.0, 0.5
FEW, FEW_TURNS = 20, 20_000  # so few clients have their best routes after a moment, and nobody waits a minute for it
_mono = SystemClock().mono
TENTHS = 10  # files with time windows measure in tenths, cut off (DIMACS 2021)


class Routes(NamedTuple):
    """`routes[k]`: clients of vehicle k in order, counted from 0 as the data has them; `cost` in the data's units."""

    routes: list[list[int]]
    cost: int
    feasible: bool


def after(seconds: float) -> float:
    """The moment so many seconds from now, as `route` wants it: the same in every process of this machine."""
    return _mono() + seconds


def left(until: float) -> float:
    """Seconds until then, 0 if it is over."""
    return max(0.0, until - _mono())


def route(data: pyvrp.ProblemData, until: float, seeds: Sequence[int]) -> Routes:
    """The cheapest routes found until then, one search for each seed, all at once in processes of their own.

    A search may spend long on its first routes, where nothing can stop it: one that is not over LATE_S after its time
    is ended, and the best that it told counts. One that had hardly begun by then has a second. Where none told of
    routes, those of the nearest neighbour are taken, if they keep capacities and windows.

    Raises Trouble if there are none that keep all capacities and windows.
    """
    context = get_context("spawn")
    ends, workers = {}, []
    for place, seed in enumerate(seeds):
        ours, theirs = context.Pipe(duplex=False)
        workers.append(context.Process(target=_search, args=(data, until, seed, theirs), daemon=True))
        workers[-1].start()
        theirs.close()
        ends[ours] = place
    try:
        found = _heard(ends, until)
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    return _checked([each for each in found.values() if each.feasible] or [nearest_routes(data)])


def cores() -> int:
    return len(sched_getaffinity(0))


def _heard(ends: dict[Connection, int], until: float) -> dict[int, Routes]:
    """The last that each search told, until all are over or their time is. A search's first word is its own end."""
    best: dict[int, Routes] = {}
    over = dict.fromkeys(ends, until + START_S)
    while ends and (seconds := max(over[end] for end in ends) + LATE_S - _mono()) > 0:
        for end in wait(list(ends), seconds):
            assert isinstance(end, Connection)
            try:
                word = end.recv()
            except EOFError:
                del ends[end]
                continue
            if isinstance(word, float):
                over[end] = word
            elif word.feasible or ends[end] not in best:
                best[ends[end]] = word
    return best


class _Telling(IteratedLocalSearchCallbacks):
    """Tells better routes while a search is under way, at most twice a second."""

    def __init__(self, end: Connection) -> None:
        self._end, self._told_at = end, -1.0

    def on_best(self, best: pyvrp.Solution) -> None:
        if best.is_feasible() and _mono() - self._told_at > TELL_EVERY_S:
            self._end.send(_routes(best))
            self._told_at = _mono()

    def on_start(self, ils: IteratedLocalSearch) -> None:
        self.on_best(ils.initial_solution)


def _search(data: pyvrp.ProblemData, until: float, seed: int, end: Connection) -> None:
    """One search, in a process of its own: tells when it will be over, then routes, the best last."""
    until = max(until, after(LEAST_S))
    end.send(until)
    params = pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(callbacks=_Telling(end)))
    settled = NoImprovement(FEW_TURNS if data.num_clients <= FEW else sys.maxsize)
    stop = lambda cost: _mono() > until or settled(cost)  # noqa: E731
    found = pyvrp.solve(data, stop, seed, collect_stats=False, params=params)
    end.send(_routes(found.best))


def _routes(best: pyvrp.Solution) -> Routes:
    routes = [[stop.idx for stop in each.schedule() if stop.is_client()] for each in best.routes()]
    feasible = best.is_feasible()
    return Routes(routes, int(pyvrp.CostEvaluator([0], 0, 0).cost(best)) if feasible else 0, feasible)


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


VRP = (".vrp", ".vrp.gz")


def is_instance(file: Path) -> bool:
    """Whether its name is that of a file in VRPLIB format."""
    return file.name.endswith(VRP)


def read_instance(file: Path) -> Instance:
    """A file in VRPLIB format, gzipped or not, and its best known cost if NAME.sol lies beside it.

    Without windows distances are rounded (Uchoa et al. 2017), with windows cut off to tenths. Raises Trouble if it
    cannot be read.
    """
    text = read_text(file)
    refuse_odd(text, file.name)
    windows = "TIME_WINDOW" in text
    try:
        with TemporaryDirectory() as folder:  # PyVRP reads plain files alone
            plain = Path(folder) / "problem.vrp"
            plain.write_text(text, encoding="utf-8")
            data = pyvrp.read(plain, round_func="dimacs" if windows else "round")
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise Trouble(f"{file.name} is no problem in VRPLIB format: {error}") from error
    name = file.name.removesuffix(".gz").removesuffix(".vrp")
    return Instance(name, data, TENTHS if windows else 1, _best_known(file.with_name(name + ".sol")))


def _best_known(solution: Path) -> float | None:
    """The cost in a file NAME.sol; None where there is no such file. Raises Trouble for one without a cost."""
    if not solution.is_file():
        return None
    costs = [line.split()[-1] for line in read_text(solution).splitlines() if line.lower().startswith("cost")]
    try:
        return float(costs[0])
    except (IndexError, ValueError) as no:
        raise Trouble(f"{solution} tells no best known cost: it needs a line such as `Cost 14971`") from no


def nearest_routes(data: pyvrp.ProblemData) -> Routes:
    """Each vehicle always drives to the nearest client that it still can serve in time; not feasible where vehicles run
    out. For one depot, one vehicle type and one load, as the libraries have them."""
    vehicle, town = data.vehicle_types()[0], _Town(data)
    open_, routes = np.ones(len(town.load), bool), list[list[int]]()
    while open_.any() and len(routes) < vehicle.num_available:
        routes.append(town.drive(open_, vehicle.capacity[0]))
    if open_.any() or not all(routes):
        return Routes([], 0, False)
    return _routes(pyvrp.Solution(data, routes))


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

    def drive(self, open_: NDArray[np.bool_], capacity: int) -> list[int]:
        """One vehicle's way; whom it serves is no longer open."""
        here, now, load, way = len(self.load), 0, 0, list[int]()
        while True:
            arrival = np.maximum(now + self.duration[here, :-1], self.early)
            done = arrival + self.service
            can = open_ & (load + self.load <= capacity) & (arrival <= self.late)
            can &= done + self.duration[:-1, -1] <= self.closes
            if not can.any():
                return way
            nearest = int(np.where(can, self.distance[here, :-1], np.iinfo(np.int64).max).argmin())
            open_[nearest] = False
            way.append(nearest)
            load += int(self.load[nearest])
            here, now = nearest, int(done[nearest])
