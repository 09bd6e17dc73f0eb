"""Rules of admission and placing, held against what no rule can beat: docs/planning/allocation.md.

Without a file: the generator at four loads. With a file: a year of a real pick-up point (or a shop's orders, with stays
of the generator). Every number that a rule uses is learnt from what came before, or from other seeds.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from time import monotonic, perf_counter_ns
from typing import Any

import msgspec
import numpy as np

from parcelwall.bench.figure import Figure, Tick
from parcelwall.planning import admission, baselines, bounds, demand, expected, past, pricing
from parcelwall.planning.demand import Array, Requests
from parcelwall.planning.trial import BestFit, Rule, replay

FAIR = 0.05
WORKERS = 2
STATIONS = ((9, 8, 3), (14, 12, 5), (18, 16, 6), (26, 23, 9))
FLOORS = {  # of fluid; docs/planning/allocation.md, targets
    ("best fit", 0.7): 0.97, ("reservation levels", 0.9): 0.955, ("reservation levels", 1.1): 0.945,
    ("reservation levels", 1.4): 0.945, ("priced room", 0.9): 0.955, ("priced room", 1.1): 0.945,
    ("priced room", 1.4): 0.945,
}  # fmt: skip
FLOOR_REAL = 0.99
FLOOR_FAIR = 0.97


class Effort(msgspec.Struct, frozen=True):
    """How much is tried: `past` seeds to learn from, `held` ones to check on, rounds and candidates of the search."""

    past: int = 10
    held: int = 5
    rounds: int = 22
    candidates: int = 48


QUICK = Effort(past=4, held=3, rounds=8, candidates=24)


class Case(msgspec.Struct):
    """One period to judge: what the bounds may know, what the rules may know, of the same requests."""

    known: Requests
    shown: Requests


def judge(files: Sequence[Path], seeds: int, quick: bool, tick: Tick) -> list[Figure]:
    """Figures of every rule at every load, or in every station for a file. Two processes work at it."""
    effort = QUICK if quick else Effort()
    seeds = min(seeds, 1 if files else 2) if quick else seeds
    jobs: list[tuple[Callable[..., list[Figure]], tuple[Any, ...]]] = (
        [(of_file, (list(files), station, seeds, effort)) for station in STATIONS] if files
        else [(of_load, (load, seeds, effort)) for load in reversed(demand.LOADS)]
    )  # fmt: skip
    found: dict[int, list[Figure]] = {}
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as workers:
        waiting = {workers.submit(job, *given): place for place, (job, given) in enumerate(jobs)}
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            tick(f"allocation: {len(found)} of {len(jobs)} done")
    order = sorted(found, reverse=not files)
    return [figure for place in order for figure in found[place]]


def of_load(load: float, seeds: int, effort: Effort) -> list[Figure]:
    """The generator at one load: seeds 0 .. are judged, those from 100 on are the past."""
    station = demand.COMPARTMENTS
    before = [demand.generated(seed, load) for seed in demand.PAST_SEEDS[: effort.past]]
    held = [demand.generated(seed, load) for seed in demand.HELD_SEEDS[: effort.held]]
    cases = [Case(made, made) for made in (demand.generated(seed, load) for seed in range(seeds))]
    rules, fitting_s = _rules(before, held, expected.of_generator(before), station, effort)
    about = {"load": load, "fitted_on": f"seeds {demand.PAST_SEEDS[0]}-{demand.PAST_SEEDS[effort.past - 1]}",
             "fitting_s": fitting_s}  # fmt: skip
    return _figures(f"allocation_{load:g}", cases, rules, station, about, lambda name: FLOORS.get((name, load)))


def of_file(files: list[Path], station: tuple[int, ...], seeds: int, effort: Effort) -> list[Figure]:
    """One station under the real demand of files; each seed draws what the file does not tell."""
    record = past.read(files)
    before, judged = past.split(record)
    hours = None if record.kind == "pick-up point" else demand.stays_of(seed=0)
    learnt = past.drawn(before, 1, hours)
    told = past.months(learnt, learnt)
    model = expected.learn(told, 24.0, past.visit_ends_h(learnt), len(station))
    cases = []
    for seed in range(1, seeds + 1):
        drawn = past.drawn(judged, seed, hours)
        cases.append(Case(past.requests(drawn, drawn, slot_h=1), past.predicted(drawn, learnt)))
    cut = max(1, len(told) * 2 // 3)
    rules, fitting_s = _rules(told[:cut], told[cut:], model, station, effort)
    days = (judged[-1].came - judged[0].came).days + 1
    load = sum(past.stay_hours(past.drawn(judged, 1, hours))) / (24 * days * sum(station))
    about = {"load": round(float(load), 3), "fitted_on": f"{before[0].came:%Y-%m-%d}..{before[-1].came:%Y-%m-%d}",
             "judged_on": f"{judged[0].came:%Y-%m-%d}..{judged[-1].came:%Y-%m-%d}", "file_is": record.kind,
             "rows_dropped": dict(record.dropped), "fitting_s": fitting_s}  # fmt: skip
    name = "allocation_" + "/".join(map(str, station))
    return _figures(name, cases, rules, station, about, lambda rule: FLOOR_REAL if rule == "best fit" else None)


def _rules(
    before: Sequence[Requests], held: Sequence[Requests], model: expected.Expected, station: Sequence[int],
    effort: Effort,
) -> tuple[list[Rule], float]:
    """Every rule, fitted on the past, and how many seconds that took. Prices that are no gain on the part of the past
    that was held back are not used: then the rule is best fit."""
    began = monotonic()
    prices = pricing.fit(before, model, station, effort.rounds, effort.candidates)
    used = prices if pricing.worth_it(prices, held, model, station) else None
    rules: list[Rule] = [
        BestFit(), *baselines.fitted(before, model, station, demand.STEP_H), admission.BidPrice(model),
        admission.Levels(model), pricing.Priced(model, used),
    ]  # fmt: skip
    return rules, round(monotonic() - began, 1)


class Bound(msgspec.Struct, frozen=True):
    """What no rule can beat on one case, in parcels, and how long it took to prove."""

    clairvoyant: float
    fluid: float
    fair: float
    seconds: float


def _bound(case: Case, station: Sequence[int]) -> Bound:
    began = monotonic()
    grouped = case.known if len(case.shown.survival) > 2 else msgspec.structs.replace(
        case.known, group=case.shown.stratum, names=("quick", "slow"))  # fmt: skip
    return Bound(
        bounds.clairvoyant(case.known, station), bounds.fluid(case.known, station),
        bounds.fluid(grouped, station, FAIR), monotonic() - began,
    )  # fmt: skip


def _figures(
    name: str, cases: Sequence[Case], rules: Sequence[Rule], station: Sequence[int], about: dict[str, Any],
    floor: Callable[[str], float | None],
) -> list[Figure]:  # fmt: skip
    limits = [_bound(case, station) for case in cases]
    asked = float(np.mean([len(case.known) for case in cases]))
    best = float(np.mean([each.clairvoyant for each in limits]))
    figures = [Figure(
        name=f"{name}_bounds", value=round(best / asked, 4), unit="of requests, clairvoyant (proven)",
        reference=round(asked, 1), ratio=None, runs=len(cases), spread=None, reference_is="requests",
        more=about | {
            "compartments": "/".join(map(str, station)),
            "fluid_of_clairvoyant": _mean([each.fluid / each.clairvoyant for each in limits]),
            "fair_fluid_of_fluid": _mean([each.fair / each.fluid for each in limits]),
            "seconds_each": round(float(np.mean([each.seconds for each in limits])), 2),
        },
    )]  # fmt: skip
    for rule in rules:
        figures += [_of_rule(name, rule, cases, limits, station, floor(rule.name))]
    return figures


def _of_rule(
    name: str, rule: Rule, cases: Sequence[Case], limits: Sequence[Bound], station: Sequence[int], floor: float | None
) -> Figure:
    outcomes = [replay(rule, case.shown, station, perf_counter_ns) for case in cases]
    served = np.array([float(each.served.sum()) for each in outcomes])
    of_fluid = served / [each.fluid for each in limits]
    took_us = np.concatenate([each.took_ns for each in outcomes]) / 1e3
    return Figure(
        name=f"{name}_{rule.name.replace(' ', '_')}", value=round(float(served.mean()), 1), unit="parcels served",
        reference=round(float(np.mean([each.fluid for each in limits])), 1), ratio=round(float(of_fluid.mean()), 4),
        runs=len(cases), spread=round(float(np.ptp(of_fluid)), 4), floor=floor, reference_is="the fluid bound",
        more={
            "of_clairvoyant": _mean(served / [each.clairvoyant for each in limits]),
            "of_fluid": _mean(of_fluid),
            "of_fair_fluid": _mean(served / [each.fair for each in limits]),
            "standard_error": round(float(of_fluid.std(ddof=1) / len(of_fluid) ** 0.5), 4) if len(cases) > 1 else None,
            "refused": _refused(cases, [each.served for each in outcomes]),
            "decision_us_p50": round(float(np.median(took_us)), 1),
            "decision_us_p99": round(float(np.quantile(took_us, 0.99)), 1),
        },
    )  # fmt: skip


def _refused(cases: Sequence[Case], served: Sequence[Array]) -> dict[str, float]:
    """The share refused of each group: as a rule sees them (quick, slow), by size, by carrier where there are some."""
    found: dict[str, list[float]] = {}
    for case, mine in zip(cases, served, strict=True):
        kinds = [(("quick", "slow")[k], case.shown.stratum == k) for k in (0, 1)]
        kinds += [("SML"[s], case.shown.size == s) for s in range(3)]
        if case.known.names != ("quick", "slow") and len(case.known.names) <= 12:
            kinds += [(f"carrier {who}", case.known.group == g) for g, who in enumerate(case.known.names)]
        for who, mask in kinds:
            if mask.any():
                found.setdefault(who, []).append(1 - float(mine[mask].mean()))
    return {who: _mean(shares) for who, shares in found.items()}


def _mean(values: Any) -> float:
    return round(float(np.mean(values)), 4)
