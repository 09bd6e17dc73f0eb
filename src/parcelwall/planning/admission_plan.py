"""`plan admission`: what each rule of admission would have served, whom it would have refused, and how far promises may
exceed compartments at a stated risk. Rules learn from the earlier part of the demand and are judged on the later."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy.stats import binom

from parcelwall.errors import Trouble
from parcelwall.planning import baselines, past, pricing
from parcelwall.planning.admission import BidPrice, Levels, Program
from parcelwall.planning.demand import HELD_SEEDS, PAST_SEEDS, STEP_H, Requests, generated, stays_of
from parcelwall.planning.expected import Expected, learn, of_generator
from parcelwall.planning.report import Report
from parcelwall.planning.trial import BestFit, Rule, replay
from parcelwall.rules.admission import Prices

DEFAULT_RULE = "best fit"
UNSEEN_SEEDS = tuple(range(120, 125))
KINDS = (("quick", "stratum", 0), ("slow", "stratum", 1), ("S", "size", 0), ("M", "size", 1), ("L", "size", 2))


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. `no_show`: share of promises whose parcel never comes; `risk`: of more coming than fit."""

    compartments: tuple[int, ...] = (24, 20, 8)
    load: float = 0.9
    no_show: float = 0.003
    risk: float = 0.01
    rounds: int = 12
    seed: int = 1


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The plan file. Adopting a rule other than the default is an operator's choice: `rules` has what each refuses.

    `levels[visit][stratum][size]` from an empty station; `prices` None where they are no clear gain on the past.
    """

    kind: str = "admission"
    of: str
    wish: Wish
    rule: str = DEFAULT_RULE
    rules: dict[str, dict[str, float]]
    levels: list[list[list[float]]]
    prices: Prices | None
    overbook: int
    told: list[str]


def plan(file: Path | None, wish: Wish, tick: Callable[[str], None]) -> tuple[Report, Planned]:
    """The report and the plan. Raises Trouble that says what of the file or the wish cannot be."""
    if len(wish.compartments) != 3 or min(wish.compartments) < 0 or not sum(wish.compartments):
        raise Trouble("give three numbers of compartments, for S, M and L, such as --compartments 24/20/8")
    if not (0 <= wish.no_show < 1 and 0 < wish.risk < 1):
        raise Trouble("the share of promises that never come and the risk lie between 0 and 1")
    of = _of_file(file, wish) if file else _of_generator(wish)
    model = of.model
    tick("trying rules on the past")
    prices = pricing.fit(of.learnt, of.early, wish.compartments, wish.rounds, 32, wish.seed, tick)
    used = prices if pricing.worth_it(prices, of.held, of.early, wish.compartments) else None
    rules: list[Rule] = [
        BestFit(), *baselines.fitted(of.learnt, model, wish.compartments, STEP_H), BidPrice(model), Levels(model),
        pricing.Priced(model, used),
    ]  # fmt: skip
    figures = {rule.name: judge(rule, of.judged, wish.compartments) for rule in rules}
    found = Planned(
        of=file.name if file else "generator", wish=wish, rules=figures, prices=used, told=of.told,
        levels=_levels(model, wish.compartments), overbook=overbook(sum(wish.compartments), wish.no_show, wish.risk),
    )  # fmt: skip
    return _report(found), found


def judge(rule: Rule, judged: Sequence[Requests], compartments: Sequence[int]) -> dict[str, float]:
    """The share served of all, and the share refused of each kind that there is."""
    served = [replay(rule, each, compartments).served for each in judged]
    everyone = np.concatenate(served)
    found = {"served": round(float(everyone.mean()), 4)}
    for word, field, value in KINDS:
        mine = np.concatenate([getattr(each, field) == value for each in judged])
        if mine.any():
            found[f"refused {word}"] = round(1 - float(everyone[mine].mean()), 4)
    return found


def overbook(compartments: int, no_show: float, risk: float) -> int:
    """Promises beyond the free compartments, all for one moment, such that more come than fit with at most this risk.

    Each comes independently with probability 1 - no_show: the largest n with
    P(Binomial(n, 1 - no_show) > free) <= risk.
    """

    def of_more_than_fit(more: int) -> float:
        return float(binom.sf(compartments, compartments + more, 1 - no_show))

    most = 1
    while of_more_than_fit(most) <= risk:
        most *= 2
    return bisect_right(range(most), risk, key=of_more_than_fit) - 1


def _levels(model: Expected, compartments: Sequence[int]) -> list[list[list[float]]]:
    """How many of each stratum and size the program would admit at each visit of the period, from an empty station."""
    program = Program(model, compartments)
    return [np.round(program.solve(float(end) - 1e-3, []).level, 2).tolist() for end in model.ends_h]


Periods = list[Requests]


class Demand(msgspec.Struct):
    """Periods to learn from, those held back to try prices on, and the later ones that judge. `early` knows the first
    alone, `model` all of the past; `told`: what a reader should know of the demand."""

    learnt: Periods
    held: Periods
    judged: Periods
    early: Expected
    model: Expected
    told: list[str]


def _of_generator(wish: Wish) -> Demand:
    made = [[generated(seed, wish.load, wish.compartments) for seed in seeds]
            for seeds in (PAST_SEEDS[:5], HELD_SEEDS[:3], UNSEEN_SEEDS)]  # fmt: skip
    told = [f"Demand is made up: the reference generator at a load of {wish.load}. Give a file of your own parcels."]
    model = of_generator(made[0])
    return Demand(made[0], made[1], made[2], model, model, told)


def _of_file(file: Path, wish: Wish) -> Demand:
    record = past.read([file])
    told = [f"{count} rows were left out: {why}." for why, count in sorted(record.dropped.items())]
    told += past.odd(record.stays)
    earlier, later = past.split(record)
    if len(earlier) < 2 or not later:
        raise Trouble(f"{file.name} has too few rows to learn from some and judge by others")
    hours = stays_of(wish.seed)
    if any(stay.left is None for stay in record.stays):
        told.append("The file tells no collections: stays are drawn from the reference generator's.")
    before, after = past.drawn(earlier, wish.seed, hours), past.drawn(later, wish.seed, hours)
    learnt, held, ends_h = past.held_back(before)
    early = learn(learnt, 24.0, ends_h, 3)
    model = learn(past.months(before, before), 24.0, past.visit_ends_h(before), 3)
    return Demand(learnt, held, past.months(after, before), early, model, told)


def _report(found: Planned) -> Report:
    report = Report(f"Whom to admit: {found.of}")
    plain = found.rules[DEFAULT_RULE]
    best = max(found.rules, key=lambda name: found.rules[name]["served"])
    report.say(
        f"Keep admitting everybody who fits (best fit): {plain['served']:.1%} served. The most is served by {best}: "
        f"{found.rules[best]['served']:.1%}. Look at whom it refuses before you choose it."
    )
    heads = list(dict.fromkeys(head for figures in found.rules.values() for head in figures))
    report.table("Served and refused on the later demand", ["rule", *heads],
                 [[name, *(f"{figures.get(head, 0):.1%}" for head in heads)]
                  for name, figures in found.rules.items()])  # fmt: skip
    rows: list[list[Any]] = []
    for visit, strata in enumerate(found.levels):
        rows += [[f"visit {visit + 1}, {('quick', 'slow')[g]}", *sizes] for g, sizes in enumerate(strata)]
    report.table("Reservation levels from an empty station, parcels", ["kind", "S", "M", "L"], rows)
    report.say(
        f"With {found.wish.no_show:.1%} of promises that never come, {found.overbook} promises more than compartments "
        f"leave a risk of at most {found.wish.risk:.1%} that somebody finds no room (policy knob `overbook`), if "
        "all are free and each parcel fits all of them. Where few are free, as many promises more are a larger risk."
    )
    if found.prices is None:
        report.say("Prices of room were no clear gain on the part of the past that was held back: none are proposed.")
    for text in found.told:
        report.say(text)
    return report
