"""Rules of admission and placing, held against what no rule can beat: docs/planning/allocation.md.

Without a file: the generator at four loads. With a file: a year of a real pick-up point (or a shop's orders, with stays
of the generator). Every number that a rule uses is learnt from what came before, or from other seeds.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path
from time import monotonic, perf_counter_ns
from typing import Any, TypeVar

import msgspec
import numpy as np

from parcelwall.bench.figure import Figure, Tick
from parcelwall.planning import admission, baselines, bounds, demand, expected, past, pricing
from parcelwall.planning.demand import Array, Requests
from parcelwall.planning.trial import BestFit, Outcome, Rule, replay

T = TypeVar("T")
FAIR = 0.05
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


class Place(msgspec.Struct):
    """A station or a load: its periods, its rules as fitted on the past, what each must reach of the fluid bound."""

    name: str
    station: tuple[int, ...]
    cases: list[Case]
    rules: list[Rule]
    about: dict[str, Any]
    floors: dict[str, float]


def judge(files: Sequence[Path], seeds: int, quick: bool, tick: Tick) -> list[Figure]:
    """Figures of every rule at every load, or in every station for a file.

    First the rules of each place are fitted, then each period of each place is judged; as many at once as there are
    cores for us.
    """
    if files:
        files = past.files_of(files)
        past.read(files)  # what cannot be read is told before any worker begins
    effort = QUICK if quick else Effort()
    seeds = min(seeds, 1 if files else 2) if quick else seeds
    learn: Callable[..., Place] = of_file if files else of_load
    given: list[tuple[Any, ...]] = [(list(files), station) for station in STATIONS] if files else [
        (load,) for load in demand.LOADS]  # fmt: skip
    with ProcessPoolExecutor(len(sched_getaffinity(0)), get_context("spawn")) as workers:
        fitting = [workers.submit(learn, *each, seeds, effort) for each in given]
        tick(f"allocation: fitting the rules of {len(given)} places on the past; the longest step of all …")
        steps = _Steps(len(given) * (1 + seeds), tick)
        places = [steps.wait(each, "fitted") for each in fitting]
        judging = [[workers.submit(_judged, place.rules, case, place.station) for case in place.cases]
                   for place in places]  # fmt: skip
        return [
            figure for place, each in zip(places, judging, strict=True)
            for figure in _figures(place, [steps.wait(one, f"{place.name} judged") for one in each])
        ]  # fmt: skip


class _Steps:
    """Counts what is done, for whoever waits."""

    def __init__(self, total: int, tick: Tick) -> None:
        self.total, self.tick, self.done = total, tick, 0

    def wait(self, what: Future[T], name: str) -> T:
        found = what.result()
        self.done += 1
        self.tick(f"allocation: {self.done} of {self.total} done ({name})")
        return found


def of_load(load: float, seeds: int, effort: Effort) -> Place:
    """The generator at one load: seeds 0 .. are judged, those from 100 on are the past."""
    station = demand.COMPARTMENTS
    before = [demand.generated(seed, load) for seed in demand.PAST_SEEDS[: effort.past]]
    held = [demand.generated(seed, load) for seed in demand.HELD_SEEDS[: effort.held]]
    cases = [Case(made, made) for made in (demand.generated(seed, load) for seed in range(seeds))]
    model = expected.of_generator(before)
    rules, fitting_s = _rules(before, held, model, model, station, effort)
    about = {"load": load, "fitted_on": f"seeds {demand.PAST_SEEDS[0]}-{demand.PAST_SEEDS[effort.past - 1]}",
             "fitting_s": fitting_s}  # fmt: skip
    floors = {name: floor for (name, at), floor in FLOORS.items() if at == load}
    return Place(f"allocation_{load:g}", station, cases, rules, about, floors)


def of_file(files: list[Path], station: tuple[int, ...], seeds: int, effort: Effort) -> Place:
    """One station under the real demand of files; each seed draws what the file does not tell."""
    record = past.read(files)
    before, judged = past.split(record)
    hours = None if record.kind == "pick-up point" else demand.stays_of(seed=0)
    learnt = past.drawn(before, 1, hours)
    model = expected.learn(past.months(learnt, learnt), 24.0, past.visit_ends_h(learnt), len(station))
    first, held, ends_h = past.held_back(learnt)
    early = expected.learn(first, 24.0, ends_h, len(station))
    cases = []
    for seed in range(1, seeds + 1):
        drawn = past.drawn(judged, seed, hours)
        cases.append(Case(past.requests(drawn, drawn, slot_h=1), past.predicted(drawn, learnt)))
    rules, fitting_s = _rules(first, held, early, model, station, effort)
    days = (judged[-1].came - judged[0].came).days + 1
    load = sum(past.stay_hours(past.drawn(judged, 1, hours))) / (24 * days * sum(station))
    about = {"load": round(float(load), 3), "fitted_on": f"{before[0].came:%Y-%m-%d}..{before[-1].came:%Y-%m-%d}",
             "judged_on": f"{judged[0].came:%Y-%m-%d}..{judged[-1].came:%Y-%m-%d}", "file_is": record.kind,
             "rows_dropped": dict(record.dropped), "fitting_s": fitting_s}  # fmt: skip
    name = "allocation_" + "/".join(map(str, station))
    return Place(name, station, cases, rules, about, {"best fit": FLOOR_REAL})


def _rules(
    before: Sequence[Requests], held: Sequence[Requests], early: expected.Expected, model: expected.Expected,
    station: Sequence[int], effort: Effort,
) -> tuple[list[Rule], float]:
    """Every rule, fitted on the past, and how many seconds that took. Prices that are no gain on the part of the past
    that was held back are not used: then the rule is best fit. `early` knows nothing of that part, `model` does."""
    began = monotonic()
    prices = pricing.fit(before, early, station, effort.rounds, effort.candidates)
    used = prices if pricing.worth_it(prices, held, early, station) else None
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


class Judged(msgspec.Struct):
    """One period: its bounds, and what became of it under each rule."""

    bound: Bound
    outcomes: list[Outcome]


def _judged(rules: Sequence[Rule], case: Case, station: Sequence[int]) -> Judged:
    return Judged(_bound(case, station), [replay(rule, case.shown, station, perf_counter_ns) for rule in rules])


def _bound(case: Case, station: Sequence[int]) -> Bound:
    began = monotonic()
    grouped = case.known if len(case.shown.survival) > 2 else msgspec.structs.replace(
        case.known, group=case.shown.stratum, names=("quick", "slow"))  # fmt: skip
    fluid, fair = bounds.fluid_and_fair(grouped, station, FAIR)
    return Bound(bounds.clairvoyant(case.known, station), fluid, fair, monotonic() - began)


def _figures(place: Place, judged: Sequence[Judged]) -> list[Figure]:
    limits = [each.bound for each in judged]
    asked = float(np.mean([len(case.known) for case in place.cases]))
    best = float(np.mean([each.clairvoyant for each in limits]))
    first = Figure(
        name=f"{place.name}_bounds", value=round(best / asked, 4), unit="of requests, clairvoyant (proven)",
        reference=round(asked, 1), ratio=None, runs=len(judged), spread=None, reference_is="requests",
        more=place.about | {
            "compartments": "/".join(map(str, place.station)),
            "fluid_of_clairvoyant": _mean([each.fluid / each.clairvoyant for each in limits]),
            "fair_fluid_of_fluid": _mean([each.fair / each.fluid for each in limits]),
            "seconds_each": round(float(np.mean([each.seconds for each in limits])), 2),
        },
    )  # fmt: skip
    return [first, *(_of_rule(place, turn, judged) for turn in range(len(place.rules)))]


def _of_rule(place: Place, turn: int, judged: Sequence[Judged]) -> Figure:
    rule, cases, limits = place.rules[turn], place.cases, [each.bound for each in judged]
    outcomes = [each.outcomes[turn] for each in judged]
    served = np.array([float(each.served.sum()) for each in outcomes])
    of_fluid = served / [each.fluid for each in limits]
    took_us = np.concatenate([each.took_ns for each in outcomes]) / 1e3
    return Figure(
        name=f"{place.name}_{rule.name.replace(' ', '_')}", value=round(float(served.mean()), 1),
        unit="parcels served", reference=round(float(np.mean([each.fluid for each in limits])), 1),
        ratio=round(float(of_fluid.mean()), 4), runs=len(cases), spread=round(float(np.ptp(of_fluid)), 4),
        floor=place.floors.get(rule.name), reference_is="the fluid bound",
        more={
            "of_clairvoyant": _mean(served / [each.clairvoyant for each in limits]),
            "of_fluid": _mean(of_fluid),
            "of_fluid_each": [round(float(each), 4) for each in of_fluid],
            "of_fair_fluid": _mean(served / [each.fair for each in limits]),
            "floor_of_fair_fluid": FLOOR_FAIR if rule.name == BestFit.name else None,
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
