"""What a choice of door costs and gives: ordinary days at one station through the rules that the station decides by.

Everybody is admitted for whom there is a door. Sizes by the reference generator's shares, stays of its collectors;
some need a door within reach, some are brought two parcels at once.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from uuid import UUID

import msgspec
import numpy as np

from parcelwall.planning.demand import SHARES, stays_of
from parcelwall.planning.dice import dice
from parcelwall.rules.layout import Layout, plain_layout
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.places import ANY, Doors, Plan, Room, choose_compartment

SIDES = {"S": (300, 200, 60), "M": (300, 200, 150), "L": (300, 300, 300)}
NEED_REACH, TWO_AT_ONCE = 0.08, 0.15
VISIT_H = 10.0
COLUMNS = " ".join(["LMMSSSSSSMMML"] * 4)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of all parcels, but for `reach_missed`: of those that need reach. `spread`: standard deviation of uses by
    compartment within its size, over their mean. `beside`: of parcels brought two at once, in one or the next column.
    """

    served: float
    reach_missed: float
    larger: float  # than the smallest that fits
    beside: float
    spread: float


class Coming(msgspec.Struct, frozen=True):
    """One parcel: hours since the beginning, its size, how long it stays, whether it needs reach, whose it is."""

    at_h: float
    size: str
    stays_h: float
    reach: bool
    group: str


def days(count: int, a_day: float, seed: int) -> list[Coming]:
    """So many days; on each a Poisson number of recipients at one courier's visit."""
    rng, stays = dice(seed), stays_of(seed)
    found: list[Coming] = []
    for day in range(count):
        for _ in range(rng.poisson(a_day)):
            at_h = day * 24 + VISIT_H + rng.random()
            reach, both, left = rng.random() < NEED_REACH, rng.random() < TWO_AT_ONCE, float(rng.choice(stays))
            for _ in range(1 + both):
                size = "SML"[int(rng.choice(3, p=SHARES))]
                found.append(Coming(at_h, size, left, reach, str(len(found)) if not both else f"r{day}/{at_h}"))
    return sorted(found, key=lambda each: each.at_h)


def tried(layout: Layout, coming: Sequence[Coming], rule: Doors, by_wear: bool, together: bool) -> Tried:
    """One way of choosing doors through all of these. `rule` has what does not change; wear and mates are counted."""
    plan, taken, leaving = Plan(layout), 0, list[tuple[float, int]]()
    uses: dict[int, int] = dict.fromkeys(plan.place, 0)
    lies: dict[str, list[int]] = {}
    served = missed = larger = beside = pairs = 0
    for n, each in enumerate(coming):
        while leaving and leaving[0][0] <= each.at_h:
            taken &= ~plan.bit(heappop(leaving)[1])
        length, width, height = SIDES[each.size]
        parcel = Parcel(id=UUID(int=n * 7919 + 1), stage=Stage.ANNOUNCED, length_mm=length, width_mm=width,
                        height_mm=height, weight_g=900, reach=each.reach)  # fmt: skip
        mates = tuple(lies.get(each.group, ()))
        doors = Doors(uses if by_wear else {}, mates if together else (), rule.keep_reach)
        number = choose_compartment(plan, Room(taken=taken), parcel, None, doors)
        if number is None:
            missed += each.reach
            continue
        served += 1
        taken |= plan.bit(number)
        uses[number] += 1
        heappush(leaving, (each.at_h + each.stays_h, number))
        larger += plan.layout.compartments[plan.place[number]].size != each.size
        pairs += bool(mates)
        beside += any(abs(plan.column[number] - plan.column[other]) <= 1 for other in mates)
        lies.setdefault(each.group, []).append(number)
    needing = sum(each.reach for each in coming)
    return Tried(served=served / len(coming), reach_missed=missed / max(1, needing), larger=larger / max(1, served),
                 beside=beside / max(1, pairs), spread=_spread(plan, uses))  # fmt: skip


def _spread(plan: Plan, uses: dict[int, int]) -> float:
    by_size: dict[tuple[str, bool], list[int]] = {}
    for each in plan.layout.compartments:
        by_size.setdefault((each.size, each.within_reach), []).append(uses[each.number])
    parts = [float(np.std(of) / np.mean(of)) for of in by_size.values() if np.mean(of) > 0]
    return float(np.mean(parts)) if parts else 0.0


WAYS: dict[str, tuple[Doors, bool, bool]] = {
    "in turn": (ANY, False, False), "least used": (ANY, True, False), "least used, together": (ANY, True, True),
    "and 1 in reach kept": (Doors(keep_reach=1), True, True), "and 2 in reach kept": (Doors(keep_reach=2), True, True),
}  # fmt: skip


def table(loads: Sequence[float], seeds: Sequence[int], of: int = 60) -> dict[str, dict[float, Tried]]:
    """Every way at every load [recipients a day], the mean over seeds, on a station of 24 S, 20 M and 8 L."""
    layout = plain_layout(COLUMNS)
    found: dict[str, dict[float, Tried]] = {}
    for name, (rule, by_wear, together) in WAYS.items():
        found[name] = {}
        for load in loads:
            runs = [msgspec.structs.asdict(tried(layout, days(of, load, seed), rule, by_wear, together))
                    for seed in seeds]  # fmt: skip
            found[name][load] = Tried(**{key: float(np.mean([run[key] for run in runs])) for key in runs[0]})
    return found
