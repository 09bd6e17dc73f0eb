"""Two station-years in every run of the tests, in all three weathers; and how many runs are added up."""

from importlib.util import find_spec

import pytest

from parcelwall.simulation.faults.evidence import ENOUGH, added
from parcelwall.simulation.faults.ledger import required
from parcelwall.simulation.faults.run import Report, simulate
from parcelwall.workers import HERE

# (mode, seed, station-years). A storm costs three times what `all` does, and what is rare in it comes in the long set
# (script/check). Where nothing fails there is little to meet in a tenth day that was not met in three. In parts, so
# that nobody waits for one of them at the end.
PARTS = (("calm", 2026, 0.1), *(("all", seed, 0.45) for seed in range(2026, 2030)), ("storm", 2026, 0.1))


async def told(**asked: object) -> Report:
    report = await simulate(**asked)  # type: ignore[arg-type]
    assert report.violations == 0, "\n".join([str(report.first_violation), *report.story])
    return report


def test_they_are_two() -> None:
    assert sum(years for _, _, years in PARTS) >= 2


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("mode", "seed", "years"), PARTS)
async def test_nothing_breaks(mode: str, seed: int, years: float) -> None:
    asked = years * (1.5 if mode == "storm" else 1.02)  # of the days of a storm some count for less
    report = await told(seed=seed, station_years=asked, mode=mode)
    assert report.station_years >= years
    assert bool(report.faults) == (mode != "calm")


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
