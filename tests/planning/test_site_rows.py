"""What each station of a plan gets, and where it would go without it, against counting anew."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from parcelwall.planning.site_plan import Wish, plan
from parcelwall.planning.site_rows import by_choice, nearest

POINTS, STATIONS = 5, 4
DISTANCES = arrays(float, (POINTS, STATIONS), elements=st.integers(0, 3_000).map(float), unique=True)
WEIGHTS = arrays(float, POINTS, elements=st.floats(0.1, 50))


def logit(attraction: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return weight @ (attraction / (0.2 + attraction.sum(axis=1, keepdims=True)))


@given(DISTANCES, WEIGHTS)
def test_without_a_station_its_parcels_go_to_the_next_nearest(distance_m: np.ndarray, weight: np.ndarray) -> None:
    goes, taken = nearest(distance_m, weight)
    assert goes.sum() == pytest.approx(weight.sum())
    for gone in range(STATIONS):
        others = [each for each in range(STATIONS) if each != gone]
        left, _ = nearest(distance_m[:, others], weight)
        assert left.sum(axis=0) == pytest.approx(goes.sum(axis=0)[others] + taken[gone, others])
        assert taken[gone, gone] == 0


@given(DISTANCES, WEIGHTS)
def test_without_a_station_some_go_elsewhere_and_some_do_not_come(distance_m: np.ndarray, weight: np.ndarray) -> None:
    attraction = np.exp(-distance_m / 1_000)
    goes, taken = by_choice(attraction, np.full(POINTS, 0.2), weight)
    assert goes.sum(axis=0) == pytest.approx(logit(attraction, weight))
    for gone in range(STATIONS):
        others = [each for each in range(STATIONS) if each != gone]
        left = logit(attraction[:, others], weight)
        assert left == pytest.approx(goes.sum(axis=0)[others] + taken[gone, others])
        assert 0 <= taken[gone].sum() < goes[:, gone].sum() + 1e-9


def test_one_station_alone_takes_from_nobody() -> None:
    goes, taken = nearest(np.array([[10.0], [20.0]]), np.array([1.0, 2.0]))
    assert goes.tolist() == [[1.0], [2.0]] and taken.tolist() == [[0.0]]
    _, taken = by_choice(np.zeros((1, 1)), np.zeros(1) + 1e-9, np.ones(1))
    assert taken.tolist() == [[0.0]], "nobody comes so far, and nothing is divided by zero"


def test_the_plan_says_where_parcels_would_go_without_a_station(tmp_path: Path) -> None:
    table = ["kind,id,lat,lon,parcels_per_day,open", "demand,,60.000,25,30,", "demand,,60.010,25,8,",
             "demand,,60.011,25,4,", "point,old,60.000,25,,yes", "point,new,60.010,25,,"]  # fmt: skip
    (file := tmp_path / "places.csv").write_text("\n".join(table))
    report, found = plan(file, None, Wish(open=2), lambda text: None)
    old, new = found.sites
    assert (old["id"], old["parcels_per_day"], new["id"], new["parcels_per_day"]) == ("old", 30, "new", 12)
    assert new["taken_from"] == {"old": 12} and old["taken_from"] == {"new": 30} and new["new_per_day"] == 0
    assert (new["day_low"], new["day_high"]) == (8, 17) and new["mean_walk_m"] == 37
    page, _ = report.write(tmp_path / "plan", found)
    assert "old 12" in page.read_text() and "8 to 17" in page.read_text()
    _, chosen = plan(file, None, Wish(open=2, goal="choice"), lambda text: None)
    won = {each["id"]: each for each in chosen.sites}
    assert 0 < won["new"]["new_per_day"] < won["new"]["parcels_per_day"]
    assert sum(each["parcels_per_day"] for each in chosen.sites) == pytest.approx(chosen.objective, abs=0.02)
    assert json.loads((tmp_path / "plan" / "plan.json").read_text())["sites"][1]["taken_from"] == {"old": 12}


def test_no_station_is_told_more_than_its_capacity(tmp_path: Path) -> None:
    table = ["kind,id,lat,lon,parcels_per_day,cost_per_day,capacity_per_day",
             *(f"demand,,60.000{place},25,3,," for place in range(3)),
             "point,near,60.000,25,,1,4", "point,far,60.010,25,,1,8"]  # fmt: skip
    (file := tmp_path / "places.csv").write_text("\n".join(table))
    report, found = plan(file, None, Wish(goal="cost"), lambda text: None)
    assert {each["id"]: each["parcels_per_day"] for each in found.sites} == {"far": 5, "near": 4}
    assert all(each["taken_from"] == {} and each["new_per_day"] is None for each in found.sites)
    walk_m = (found.objective - 2) * 1000 / 9
    assert found.figures["walk_mean_m"] == pytest.approx(walk_m, abs=0.1), "of the plan, not to the nearest"
    page, _ = report.write(tmp_path / "plan", found)
    assert "not used up by others" in page.read_text()


@pytest.mark.parametrize("weight", ["1e-300", "1e11", "1e15"])
def test_days_of_any_number_of_parcels_are_told(weight: str, tmp_path: Path) -> None:
    (file := tmp_path / "places.csv").write_text(f"lat,lon,parcels_per_day\n60,25,{weight}\n60,25.01,{weight}\n")
    _, found = plan(file, None, Wish(open=1), lambda text: None)
    [only] = found.sites
    assert only["day_low"] <= only["parcels_per_day"] <= only["day_high"]
    assert only["day_high"] - only["day_low"] == pytest.approx(2 * 1.2816 * (2 * float(weight)) ** 0.5, rel=0.01, abs=1)
