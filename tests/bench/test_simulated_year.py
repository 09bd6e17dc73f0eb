"""The simulated year of `bench promises`: a file as of a pick-up point, the same for the same seed."""

from pathlib import Path

import numpy as np

from parcelwall.bench import simulated_year
from parcelwall.planning import demand, past, records


def test_a_simulated_year_is_read_as_a_pick_up_points(tmp_path: Path) -> None:
    days = 120
    file = simulated_year.write(tmp_path / "a.csv", 1, days)
    found = records.read_pickups([file])
    assert sum(found.bad.values()) == 0 and found.carriers == ("A", "B")
    made = demand.generated(1, simulated_year.LOAD, simulated_year.COMPARTMENTS, days)
    assert len(found) == len(made)
    assert np.abs(np.sort(found.dwell_h) - np.sort(made.leaves_h - made.comes_h)).max() < 0.001
    hours = 24 * (found.deposited % 1)
    assert ((hours < 12) == (found.carrier == 0)).all(), "one carrier for each visit"
    ahead = found.deposited - found.handed
    assert (ahead > 0).all() and (ahead < 2.5).all() and (found.ready <= found.handed).all()
    assert len(past.read([file]).stays) == len(made)
    other, same = (simulated_year.write(tmp_path / f"{seed}.csv", seed, days).read_bytes() for seed in (2, 1))
    assert same == file.read_bytes() != other
