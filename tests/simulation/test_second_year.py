"""The other of the two station-years of `test_two_years`."""

import pytest

from simulation.years import SECOND, nothing_breaks


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("mode", "seed", "years"), SECOND)
def test_nothing_breaks(mode: str, seed: int, years: float) -> None:
    nothing_breaks(mode, seed, years)
