"""`parcelwall bench rounds DIR`: problems in VRPLIB format, beside the best known cost, from NAME.sol."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from parcelwall.bench.figure import Figure, Tick
from parcelwall.errors import Trouble
from parcelwall.planning.routing import after, cores, is_instance, nearest_routes, read_instance, route

SECONDS, QUICK_SECONDS = 60.0, 5.0


def measure(files: Sequence[Path], seeds: int, quick: bool, tick: Tick) -> list[Figure]:
    """One figure a problem, after 60 s (5 s if quick) on all cores, from its file to its routes.

    Raises Trouble if there is no problem.
    """
    found = [each for given in files
             for each in (sorted(filter(is_instance, given.iterdir())) if given.is_dir() else [given])]  # fmt: skip
    if not found:
        raise Trouble("name a folder of problems: NAME.vrp, with NAME.sol beside it for what is known")
    return [_judged(file, QUICK_SECONDS if quick else SECONDS, tick) for file in found]


def _judged(file: Path, seconds: float, tick: Tick) -> Figure:
    tick(f"{file.name}: {seconds:.0f} s on {cores()} cores …")
    start, until = perf_counter(), after(seconds)
    problem = read_instance(file)
    read_s = perf_counter() - start
    found = route(problem.data, until, range(1, cores() + 1))
    took, cost, best = perf_counter() - start, found.cost / problem.scale, problem.best
    nearest = nearest_routes(problem.data)
    simple = nearest.cost / problem.scale if nearest.feasible else None
    more = {"gap": None if best is None else round(cost / best - 1, 6), "routes": len(found.routes),
            "nearest_neighbour": simple, "seconds": round(took, 1), "reading_seconds": round(read_s, 1),
            "cores": cores()}  # fmt: skip
    return Figure(name=problem.name, value=cost, unit="cost", reference=best, runs=1, spread=None, more=more,
                  ratio=None if best is None else round(best / cost, 6), reference_is="the best known")  # fmt: skip
