"""Many reports of `parcelwall simulate` added up: is it enough to be evidence? The measures are those of the design."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from parcelwall.simulation.faults.ledger import required
from parcelwall.simulation.faults.run import Report

ENOUGH = 100  # of each pair: a bug that shows in 3 % of such hits is seen with 95 %
POWER_CUTS = ("F08", "F13")
INSIDE = " x inside a visit or between two writes"


class Evidence(msgspec.Struct, kw_only=True):
    """What all runs together have shown. `rate_below`: violations per station-year at most, with 95 % (Poisson)."""

    seeds: dict[str, list[int]]  # of each mode
    station_years: dict[str, float]
    station_years_in_all: float
    parcels: int
    steps: int
    power_cuts: int
    power_cuts_inside: int  # inside a visit or between two writes
    other_faults: int
    faults: dict[str, int]
    covered: dict[str, int]  # how often each pair was met that is required
    pairs_required: int
    pairs_met: int  # at least once
    pairs_enough: int  # at least ENOUGH times
    pairs_short: dict[str, int]
    violations: int
    first_violations: list[str]
    rate_below: float | None
    core_hours: float
    station_years_per_core_hour: dict[str, float]


def added(reports: Iterable[Report]) -> Evidence:
    """The sum. Each report counts once, whatever its seed."""
    reports = sorted(reports, key=lambda each: (each.mode, each.seed))
    faults, covered = Counter[str](), Counter[str]()
    years, cores = defaultdict[str, float](float), defaultdict[str, float](float)
    seeds: dict[str, list[int]] = {}
    for each in reports:
        faults.update(each.faults)
        covered.update(each.covered)
        years[each.mode] += each.station_years
        cores[each.mode] += each.core_seconds
        seeds.setdefault(each.mode, []).append(each.seed)
    short = {pair: covered[pair] for pair in required() if covered[pair] < ENOUGH}
    ill, in_all = [each for each in reports if each.violations], sum(years.values())
    cuts = sum(faults[kind] for kind in POWER_CUTS)
    return Evidence(
        seeds=seeds, station_years={mode: round(value, 2) for mode, value in years.items()},
        station_years_in_all=round(in_all, 2), parcels=sum(each.parcels for each in reports),
        steps=sum(each.steps for each in reports), power_cuts=cuts,
        power_cuts_inside=sum(covered[kind + INSIDE] for kind in POWER_CUTS), other_faults=faults.total() - cuts,
        faults=dict(sorted(faults.items())), covered={pair: covered[pair] for pair in sorted(required())},
        pairs_required=len(required()),
        pairs_met=sum(covered[pair] > 0 for pair in required()), pairs_enough=len(required()) - len(short),
        pairs_short=dict(sorted(short.items(), key=lambda item: (item[1], item[0]))),
        violations=sum(each.violations for each in ill),
        first_violations=[f"{each.command}: {each.first_violation}" for each in ill],
        rate_below=round(3.0 / in_all, 4) if in_all and not ill else None,
        core_hours=round(sum(cores.values()) / 3600, 3),
        station_years_per_core_hour={mode: round(years[mode] / cores[mode] * 3600, 1) for mode in years},
    )  # fmt: skip
