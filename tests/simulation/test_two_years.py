"""Two station-years in every run of the tests, in all weathers, one of them here; and how many runs are added up."""

from importlib.util import find_spec

import pytest

from parcelwall.simulation.faults.evidence import ENOUGH, added
from parcelwall.simulation.faults.kinds import FAULTS
from parcelwall.simulation.faults.ledger import required
from parcelwall.simulation.faults.run import towns_of, weather_of
from parcelwall.workers import HERE
from simulation.years import FIRST, SECOND, asked_for, nothing_breaks, told


def test_they_are_two() -> None:
    assert sum(years for _, _, years in FIRST + SECOND) >= 2


def test_each_kind_of_fault_is_switched_on_in_some_town() -> None:
    towns = [each for mode, seed, years in FIRST + SECOND for each in towns_of(seed, mode, asked_for(mode, years))]
    assert {fault for town in towns for fault in weather_of(town).rates} == set(FAULTS)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("mode", "seed", "years"), FIRST)
def test_nothing_breaks(mode: str, seed: int, years: float) -> None:
    nothing_breaks(mode, seed, years)


@pytest.mark.timeout(120)
async def test_reports_are_added_up() -> None:
    """Two runs in several processes: the same story as in one, and twice as much as one."""
    small = {"seed": 8, "station_years": 4 / 365, "mode": "storm", "stations": 2, "days": 1}
    report = await told(**small)
    elsewhere = await told(**small, jobs=2)
    assert elsewhere.trace == report.trace
    assert (elsewhere.parcels, elsewhere.faults, elsewhere.covered) == (report.parcels, report.faults, report.covered)
    assert report.parcels > 10
    both = added([report, report])
    assert both.parcels == 2 * report.parcels
    assert both.power_cuts + both.other_faults == 2 * sum(report.faults.values())
    assert both.power_cuts >= both.power_cuts_inside
    assert both.seeds == {"storm": [8, 8]}
    assert set(both.pairs_short) == {pair for pair in required() if 2 * report.covered.get(pair, 0) < ENOUGH}
    assert both.violations == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not find_spec("ray"), reason="needs Ray, which is optional: requirements/ray.txt")
async def test_a_ray_cluster_tells_the_same_story() -> None:
    small = {"seed": 8, "station_years": 4 / 365, "mode": "storm", "stations": 2, "days": 1}
    here, there = await told(**small), await told(**small, ray=HERE)
    assert (there.trace, there.parcels, there.faults) == (here.trace, here.parcels, here.faults)
