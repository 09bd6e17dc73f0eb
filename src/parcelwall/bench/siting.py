"""`parcelwall bench siting DIR`: stations sited to proven optimality, beside the known optimum and simpler ways.

Of a folder: the p-median problems `pmed*.txt` with `optima.txt` (file value), the facility location problems `cap*.txt`
with `cap*.txt.opt` (its last word is the optimum), and tables of places (chosen on the earlier half of the sets of
demand, 0 and 1 of four, and judged on the later one).
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from parcelwall.bench.figure import Figure, Tick, rounded, skipped
from parcelwall.errors import Trouble
from parcelwall.planning import median, site
from parcelwall.planning.csv_file import read_text, rows_of
from parcelwall.planning.median import Siting
from parcelwall.planning.site_files import POINTS, Costs, Median, Places, read_places, read_problem
from parcelwall.planning.solver import Array, Limits

CITY_P = (10, 20, 40)
QUICK_BYTES = 10_000
LIMITS = Limits(seconds=600)


def measure(
    files: Sequence[Path], seeds: int, quick: bool, tick: Tick, limits: Limits = LIMITS
) -> list[Figure]:
    """One figure a problem. `--quick`: those below 10 kB only. What else lies in a folder is told and left out; a
    problem that cannot be solved is told in its place among the figures of the others.

    Raises Trouble for a named file that is no problem, and if there is none at all.
    """
    found = [each for given in files for each in (sorted(given.iterdir()) if given.is_dir() else [given])]
    optima = _optima(found)
    problems = _problems(found, set(files), quick, tick)
    if not problems:
        raise Trouble("name a folder of problems: pmed*.txt with optima.txt, cap*.txt with cap*.txt.opt, or places")
    figures: list[Figure] = []
    for file, problem in problems:
        tick(f"{file.name} …")
        name = file.name.partition(".")[0]
        try:
            figures += _judged(name, file, problem, optima.get(name), limits, tick)
        except Trouble as no:
            figures.append(skipped(name, "cost", str(no)))
    return figures


Problem = Median | Costs | Places


def _problems(found: Sequence[Path], named: set[Path], quick: bool, tick: Tick) -> list[tuple[Path, Problem]]:
    """All are read before the first is solved, so that what cannot be read is told at once."""
    problems = []
    for file in found:
        if file.name == "optima.txt" or (file.suffix not in (".txt", ".csv", ".gz") and file not in named):
            continue
        if quick and file.stat().st_size >= QUICK_BYTES:
            continue
        try:
            problems.append((file, _read(file)))
        except Trouble as no:
            if file in named:
                raise
            tick(f"{file.name} is left out: {no}")
    return problems


def _read(file: Path) -> Problem:
    problem = read_problem(file)
    if isinstance(problem, Places):
        _past_and_later(file)
    return problem


def _optima(files: Sequence[Path]) -> dict[str, float]:
    known: dict[str, float] = {}
    for file in files:
        if file.name == "optima.txt":
            known |= _known(file, [line.split() for line in read_text(file).splitlines()[1:] if line.strip()])
        if file.suffix == ".opt":
            known |= _known(file, [[file.name.partition(".")[0], *read_text(file).split()[-1:]]])
    return known


def _known(file: Path, lines: Sequence[Sequence[str]]) -> dict[str, float]:
    """Raises Trouble for a line that is no name and number."""
    try:
        return {name: float(value) for name, value in lines}
    except ValueError as no:
        raise Trouble(f"{file}: a known optimum is a name and a number, such as pmed1 5819") from no


def _judged(
    name: str, file: Path, problem: Problem, optimum: float | None, limits: Limits, tick: Tick
) -> list[Figure]:
    if isinstance(problem, Places):
        return _city(name, file, limits, tick)
    start = perf_counter()
    if isinstance(problem, Median):
        found = median.solve(problem.cost, problem.p, limits=limits, tick=tick)
        seconds, others = perf_counter() - start, _simpler(problem.cost, problem.p)
    else:
        found = site.with_costs(problem.cost, problem.fixed, limits)
        seconds, others = perf_counter() - start, _with_capacity(problem, limits)
    return [_figure(name, found, optimum, seconds, others)]


def _simpler(cost: Array, p: int) -> dict[str, float]:
    greedy = median.greedy(cost, p)
    return {"greedy": median.pays(cost, greedy), "exchange": median.pays(cost, median.exchange(cost, greedy))}


def _with_capacity(problem: Costs, limits: Limits) -> dict[str, Any]:
    try:
        found = site.with_capacity(problem.cost, problem.fixed, problem.demand, problem.capacity, limits)
    except Trouble as no:
        return {"with_capacity": str(no)}
    return {"with_capacity": found.objective}


def _figure(name: str, found: Siting, optimum: float | None, seconds: float, more: dict[str, Any]) -> Figure:
    gap = None if optimum is None else (found.objective - optimum) / optimum
    told = {"proven": found.proven, "bound": found.bound, "open": len(found.open), "seconds": round(seconds, 2), **more}
    return Figure(
        name=name, value=found.objective, unit="cost", reference=optimum, runs=1, spread=None,
        ratio=None if optimum is None else round(optimum / found.objective, 6), reference_is="the known optimum",
        more=told if gap is None else {"gap": round(gap, 8), **told},
    )  # fmt: skip


def _city(name: str, file: Path, limits: Limits, tick: Tick) -> list[Figure]:
    """Mean walk in metres: sites of the past judged on later demand, beside greedy ones and those of hindsight."""
    past, later = _past_and_later(file)
    figures = []
    for p in (each for each in CITY_P if each <= len(past.sites)):
        start = perf_counter()
        cost = np.rint(past.distance_m() / 10) * 10 * past.weight[:, None]
        found = median.solve(cost, p, limits=limits, tick=tick)
        seconds, judged = perf_counter() - start, later.distance_m()
        hindsight = median.solve(np.rint(judged / 10) * 10 * later.weight[:, None], p, limits=limits, tick=tick)
        mean = _mean_walk(judged, later, found.open)
        best = _mean_walk(judged, later, hindsight.open)
        greedy = _mean_walk(judged, later, tuple(int(j) for j in median.greedy(cost, p)))
        figures.append(Figure(
            name=f"{name}_{p}", value=rounded(mean), unit="m of walk", reference=rounded(best), runs=1, spread=None,
            ratio=round(best / mean, 4), reference_is="sites chosen in hindsight",
            more={"proven": found.proven, "greedy": rounded(greedy), "seconds": round(seconds, 1)},
        ))  # fmt: skip
    return figures


def _past_and_later(file: Path) -> tuple[Places, Places]:
    """What sites are chosen on, and what they are judged on. Raises Trouble for a table with demand of one set only."""
    text = read_text(file)
    rows = [row for row in rows_of(text, file.name, ("set", "kind")) if row["kind"] in ("demand", "")]
    sets = sorted({row["set"] for row in rows}, key=lambda name: (len(name), name))
    if len(sets) < 2:
        raise Trouble(f"{file.name} has demand of {len(sets)} sets: sites are chosen on some and judged on others")
    half = len(sets) // 2
    return _of_sets(text, file.name, sets[:half]), _of_sets(text, file.name, sets[half:])


def _of_sets(text: str, name: str, sets: Sequence[str]) -> Places:
    """The demand of these sets with all candidates. Raises Trouble for a table without demand in them."""
    return read_places(text, name, wanted=lambda row: row["set"] in sets or row["kind"] in POINTS)


def _mean_walk(distance_m: Array, places: Places, sites: Sequence[int]) -> float:
    return float(places.weight @ distance_m[:, list(sites)].min(axis=1) / places.weight.sum())
