"""Sites are as good as any: against all choices there are, on small cases."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcelwall.errors import Trouble
from parcelwall.planning import median, site
from parcelwall.planning.growth import grow
from parcelwall.planning.site_files import read_costs, read_median, read_places, read_problem
from parcelwall.planning.site_plan import Wish, plan
from parcelwall.planning.solver import Limits

POINTS, SITES, P = 9, 6, 3
costs = st.lists(st.integers(1, 60), min_size=POINTS * SITES, max_size=POINTS * SITES).map(
    lambda numbers: np.array(numbers, dtype=float).reshape(POINTS, SITES)
)
weights = st.lists(st.integers(0, 9), min_size=POINTS, max_size=POINTS).map(lambda n: np.array(n, dtype=float))
few = settings(max_examples=25, deadline=None)


def choices() -> Iterator[list[int]]:
    return (list(each) for each in combinations(range(SITES), P))


@given(costs, st.integers(0, SITES - 1))
@few
def test_the_median_is_the_best_of_all(cost: np.ndarray, kept: int) -> None:
    free = median.solve(cost, P)
    assert free.proven
    assert free.objective == min(median.pays(cost, np.array(each)) for each in choices())
    bound = median.solve(cost, P, kept=np.array([kept]))
    assert kept in bound.open
    assert bound.objective == min(median.pays(cost, np.array(each)) for each in choices() if kept in each)


@given(costs, weights)
@few
def test_most_are_reached(distance_m: np.ndarray, weight: np.ndarray) -> None:
    found = site.most_reached(distance_m, weight, 20.0, P)
    best = max(weight[(distance_m[:, each] <= 20).any(axis=1)].sum() for each in choices())
    assert found.objective == pytest.approx(best)


@given(costs, weights)
@few
def test_most_are_won(distance_m: np.ndarray, weight: np.ndarray) -> None:
    attraction, elsewhere = np.exp(-distance_m / 20), np.full(POINTS, 0.3)
    found = site.chosen(attraction, elsewhere, weight + 1, P)

    def won(sites: list[int]) -> float:
        value = attraction[:, sites].sum(axis=1)
        return float((weight + 1) @ (value / (elsewhere + value)))

    assert found.proven
    assert found.objective == pytest.approx(max(won(each) for each in choices()), rel=1e-5)


def test_the_bound_is_the_lagrangean_value_however_many_sites_must_stay() -> None:
    rng = np.random.default_rng(2)
    cost, kept, p = np.rint(rng.random((200, 60)) * 10_000), np.arange(30), 34
    hunt = median._Hunt(cost, p, kept)
    for _ in range(40):
        prices, closed, opened, hunt.bound = hunt.prices, hunt.closed.copy(), hunt.opened.copy(), 0.0
        hunt.step()
        worth = np.minimum(cost - prices[:, None], 0.0).sum(axis=0)
        others = np.sort(worth[~opened & ~closed])[: p - int(opened.sum())]
        exact = prices.sum() + worth[opened].sum() + others.sum()
        assert hunt.bound == pytest.approx(max(exact, 0.0), abs=1e-6)


def test_what_was_found_stands_when_time_ends_before_the_solver_finds_anything() -> None:
    rng, at_once = np.random.default_rng(1), Limits(seconds=1e-6)
    cost = np.rint(rng.random((60, 40)) * 1000)
    found = median.solve(cost, 5, limits=at_once)
    assert found.objective == median.pays(cost, np.array(found.open)) and not found.proven
    assert 0 < found.bound < found.objective
    attraction, elsewhere = np.exp(-cost / 100), np.full(60, 0.1)
    won = site.chosen(attraction, elsewhere, np.ones(60), 5, limits=at_once)
    assert len(won.open) == 5 and not won.proven
    assert won.objective < won.bound < 60, "nobody can win more than all sites together"


@given(costs, weights)
@few
def test_opening_costs_and_capacity(cost: np.ndarray, weight: np.ndarray) -> None:
    fixed, demand = np.arange(10.0, 10 + SITES), weight + 1
    loose = site.with_costs(cost, fixed)
    wide = np.full(SITES, demand.sum())
    assert site.with_capacity(cost, fixed, demand, wide).objective == pytest.approx(loose.objective)
    tight = site.with_capacity(cost, fixed, demand, np.full(SITES, demand.sum() / 2.5))
    assert len(tight.open) >= 3
    assert tight.objective >= loose.objective - 1e-6
    with pytest.raises(Trouble, match="can serve"):
        site.with_capacity(cost, fixed, demand, np.full(SITES, 0.1))


@given(costs, weights)
@few
def test_growth_stays_within_budgets_and_permits(cost: np.ndarray, weight: np.ndarray) -> None:
    price, budgets = np.array([1.0, 2, 3, 1, 2, 3]), np.array([3.0, 2.0])
    permitted = np.ones((2, SITES))
    permitted[0, 0] = 0
    found = grow(cost, np.array([weight, weight * 2]), price, budgets, permitted=permitted, unserved=50.0)

    def pays(sites: tuple[int, ...]) -> np.ndarray:
        return np.minimum(cost[:, list(sites)].min(axis=1), 50.0) if sites else np.full(POINTS, 50.0)

    subsets = [each for count in range(SITES + 1) for each in combinations(range(SITES), count)]
    best = min(
        weight @ pays(first) + 2 * weight @ pays(second)
        for first in subsets if 0 not in first and price[list(first)].sum() <= 3
        for second in subsets if set(first) <= set(second) and price[list(second)].sum() <= 5
    )  # fmt: skip
    assert found.objective == pytest.approx(best)
    with pytest.raises(Trouble, match="permit of site 1"):
        grow(cost, np.array([weight, weight]), price, budgets, permitted=1 - permitted, unserved=50.0)


def test_a_problem_of_the_library() -> None:
    problem = read_median("4 4 2\n1 2 3\n2 3 4\n3 4 5\n1 2 1\n", "small")
    assert problem.cost[0].tolist() == [0, 1, 5, 10], "of an edge given twice the last counts"
    assert median.solve(problem.cost, problem.p).objective == 5
    costs = read_costs("2 2\n 10 5.\n 10 7\n 4\n 1 9\n 6\n 9 2\n", "small")
    assert site.with_costs(costs.cost, costs.fixed).objective == 15
    assert site.with_capacity(costs.cost, costs.fixed, costs.demand, costs.capacity).objective == 15


@pytest.mark.parametrize(("text", "says"), [
    ("", "neither a table"), ("hello\n", "neither a table"), ("5 9 2\n1 2 3\n", "announces 9 edges"),
    ("3 1 1\n1 2 3\n", "cannot be reached"), ("2 2\n1 2\n", "should hold"), ("lat,lon\nx,y\n", "no row of demand"),
    ("lat,lon,parcels_per_day\n1,1,0\n", "above zero"), ("2 1 1\n1 2 inf", "holds a number that is none"),
    ("2 1 1\n1 2 1e308", "line 2 holds a number"), ("2 1 1.5\n1 2 3", "whole numbers, and 1.5"),
    ("2 1 1\n1 2 three", "line 2: 'three' is no number"), ("lat,lon,parcels_per_day\n1,1,1e308\n", "above zero"),
])  # fmt: skip
def test_files_that_are_none_say_so(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "demand.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Trouble, match=says):
        read_problem(file)


def test_rows_without_a_place_are_left_out_and_said() -> None:
    rows = ["kind,id,lat,lon,parcels_per_day", "demand,,60.1,24.9,3", "demand,,60.1,24.9,nan", "demand,,nan,24.9,1",
            "point,A,60.1,24.9,"]  # fmt: skip
    places = read_places("\n".join(rows), "demand.csv")
    assert places.weight.tolist() == [3.0], "a number that is none is no demand of one parcel"
    assert [each.removeprefix("demand.csv: 1 rows ") for each in places.told] == [
        "without a place were left out", "whose parcels_per_day is no number above zero were left out"]  # fmt: skip
    assert places.distance_m()[0, 0] == 0


@pytest.mark.parametrize("wish", [
    Wish(goal="walk", open=2), Wish(goal="reach", open=2), Wish(goal="choice", open=2), Wish(goal="cost"),
    Wish(goal="all", radius_m=2_000), Wish(budgets=(5.0, 5.0), growth=0.2),
])  # fmt: skip
def test_each_goal_makes_a_report_and_a_plan(wish: Wish, tmp_path: Path) -> None:
    rows = ["kind,id,lat,lon,parcels_per_day,cost_per_day,price,open,capacity_per_day"]
    rows += [f"demand,,{60 + i / 200},{25 + i % 3 / 100},{i + 1},,,," for i in range(12)]
    rows += [f"point,S{i},{60 + i / 80},{25 + i % 2 / 100},,{3 + i},{2 + i},{'yes' if i == 1 else ''},60"
             for i in range(5)]  # fmt: skip
    file = tmp_path / "demand.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    report, found = plan(file, None, wish, lambda _: None)
    page, data = report.write(tmp_path / "out", found)
    assert found.proven
    assert found.sites
    assert "<svg" in page.read_text(encoding="utf-8")
    assert b'"proven": true' in data.read_bytes()
    if wish.goal in ("walk", "reach", "choice") and not wish.budgets:
        assert any(each["id"] == "S1" for each in found.sites), "what stands already stays"


STANDING = ["kind,id,lat,lon,open", "demand,,60.000,25,", "demand,,60.010,25,", "point,new,60.005,25,",
            "point,old,60.000,25,yes"]  # fmt: skip


def test_the_fewest_for_all_are_counted_with_those_that_stand(tmp_path: Path) -> None:
    file = tmp_path / "demand.csv"
    file.write_text("\n".join(STANDING), encoding="utf-8")
    _, found = plan(file, None, Wish(goal="all", radius_m=700), lambda _: None)
    assert {each["id"] for each in found.sites} == {"new", "old"} and found.proven


@pytest.mark.parametrize(("asked", "wish"), [("cost_per_day", Wish(goal="cost")), ("price", Wish(budgets=(9.0,)))])
def test_a_candidate_without_the_price_that_is_asked_is_not_free(asked: str, wish: Wish, tmp_path: Path) -> None:
    rows = [f"kind,id,lat,lon,parcels_per_day,{asked}", "demand,,60.00,25,90,", "point,paid,60.001,25,,5",
            "point,silent,60.00,25,,", "point,below,60.00,25,,-7", "point,nan,60.00,25,,nan"]  # fmt: skip
    file = tmp_path / "demand.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    report, found = plan(file, None, wish, lambda _: None)
    assert [each["id"] for each in found.sites] == ["paid"]
    assert found.told == [f"3 candidates without {asked} from 0 on were left out"]
    page, _ = report.write(tmp_path / "out", found)
    assert found.told[0] in page.read_text(encoding="utf-8")


def test_more_stations_than_there_are_places_cannot_be_proven_best(tmp_path: Path) -> None:
    file = tmp_path / "pmed0.txt"
    file.write_text("4 4 2\n1 2 3\n2 3 4\n3 4 5\n1 2 1\n", encoding="utf-8")
    for count in (5, -3, 0):
        with pytest.raises(Trouble, match="--open: from 1 to 4"):
            plan(file, None, Wish(open=count), lambda _: None)


def test_candidates_that_cannot_be_read_are_not_passed_over_for_places_of_our_own(tmp_path: Path) -> None:
    demand, candidates = tmp_path / "demand.csv", tmp_path / "candidates.csv"
    demand.write_text("lat,lon\n60.17,24.94\n60.18,24.95\n", encoding="utf-8")
    candidates.write_text('id,lat,lon\nA,"60,17","24,94"\n', encoding="utf-8")
    with pytest.raises(Trouble, match=r"candidates.csv has no row"):
        plan(demand, candidates, Wish(open=1), lambda _: None)
    candidates.write_text("id,lat,lon\nA,60.17,24.94\nB,60.18,24.94\nA,60.19,24.94\n", encoding="utf-8")
    with pytest.raises(Trouble, match=r"candidates.csv has the id A more than once"):
        plan(demand, candidates, Wish(open=1), lambda _: None)


def test_who_is_out_of_reach_is_named_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "demand.csv"
    file.write_text("kind,id,lat,lon\ndemand,,60.1701,24.94\npoint,A,60.17,24.94\ndemand,,60.5,24.95\n")
    with pytest.raises(Trouble, match=r"1 points .* one of them at 60.5, 24.95"):
        plan(file, None, Wish(goal="all", radius_m=500), lambda _: None)


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "demand.csv"
    file.write_text("lat,lon\n60,25\n60.1,25\n", encoding="utf-8")
    for wish, says in ((Wish(goal="walk"), "--open: from 1 to 2"), (Wish(goal="cost"), "cost_per_day"),
                       (Wish(budgets=(1.0,)), "a price")):  # fmt: skip
        with pytest.raises(Trouble, match=says):
            plan(file, None, wish, lambda _: None)
