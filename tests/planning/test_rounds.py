"""Rounds: every parcel once, where there is room, in vehicles that hold it, and back before the shift ends."""

import gzip
from pathlib import Path

import msgspec
import numpy as np
import pytest
import pyvrp

from parcelwall.bench.rounds import measure
from parcelwall.errors import Trouble
from parcelwall.planning.dice import dice
from parcelwall.planning.rounds import Fleet, Order, Station, Task, choose, plan_rounds
from parcelwall.planning.rounds_plan import plan, read_orders
from parcelwall.planning.routing import LATE_S, LEAST_S, START_S, after, left, nearest_routes, read_instance, route

HUB = (60.17, 24.94)
TINY = """NAME : tiny
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 10 0
3 20 0
4 0 10
5 0 20
DEMAND_SECTION
1 0
2 5
3 5
4 5
5 5
DEPOT_SECTION
1
-1
EOF
"""


def order(place: int, size: int = 0, at_home: bool = True, **more: int) -> Order:
    return Order(id=f"o{place}", lat=60.17 + place / 2000, lon=24.95, size=size, at_home=at_home, **more)


def task(orders: list[Order], room: tuple[int, ...], **fleet: object) -> Task:
    stations = [Station(id="A", lat=60.171, lon=24.95, room=room), Station(id="B", lat=60.176, lon=24.95, room=room)]
    given = msgspec.structs.replace(Fleet(lat=HUB[0], lon=HUB[1], vehicles=3, capacity=8, walk_m=900), **fleet)
    return Task(orders, stations, given)


def served(each: Task, found: object) -> list[int]:
    return sorted(i for one in found.rounds for stop in one.stops for i in stop.orders)  # type: ignore[attr-defined]


def test_everybody_is_served_once_and_rooms_are_kept() -> None:
    work = task([order(i, size=i % 3) for i in range(14)], room=(2, 1, 1))
    found = plan_rounds(work, after(1), seed=1)
    assert served(work, found) == list(range(14))
    for one in found.rounds:
        assert sum(len(stop.orders) for stop in one.stops) <= 8
    for j, station in enumerate(work.stations):
        here = [work.orders[i].size for one in found.rounds for s in one.stops if s.station == j for i in s.orders]
        for u in range(3):
            assert sum(size >= u for size in here) <= sum(station.room[u:])
    assert found.cost == min(found.turns)


def test_who_is_never_at_home_goes_to_a_station_while_there_is_room() -> None:
    work = task([order(i, at_home=False) for i in range(6)], room=(2, 1))
    stops, walk_km = choose(work, np.full(2, 1.0), np.full(6, 0.1))
    assert sum(len(stop.orders) for stop in stops if stop.station >= 0) == 6
    assert walk_km > 0
    crowded = task([order(i, at_home=False) for i in range(6)], room=(1, 1))
    stops, _ = choose(crowded, np.full(2, 1.0), np.full(6, 0.1))
    assert sum(len(stop.orders) for stop in stops if stop.station >= 0) == 4, "two are left, and go to their doors"
    assert len(stops) == 4


def test_what_cannot_be_driven_says_what_to_do() -> None:
    with pytest.raises(Trouble, match="more vehicles"):
        plan_rounds(task([order(i) for i in range(14)], room=(0,), vehicles=1), after(1.5), seed=1)


def test_a_problem_of_a_library(tmp_path: Path) -> None:
    file = tmp_path / "tiny.vrp"
    file.write_text(TINY, encoding="utf-8")
    (tmp_path / "tiny.sol").write_text("Route #1: 1 2\nRoute #2: 3 4\nCost 80\n", encoding="utf-8")
    problem = read_instance(file)
    assert (problem.best, problem.scale) == (80, 1)
    assert route(problem.data, after(0.3), [1]).cost == 80
    assert nearest_routes(problem.data).cost == 80
    report, found = plan(file, None, Fleet(lat=0, lon=0), 0.3, 1, lambda _: None)
    assert (found.cost, found.gap) == (80, 0)
    assert "0.00% over the best known" in report.summary


def test_a_table_of_orders_makes_a_report(tmp_path: Path) -> None:
    rows = ["kind,id,lat,lon,size,at_home,from,until,room_S,room_M", "depot,D,60.17,24.94,,,,,,",
            "point,A,60.171,24.95,,,,,3,2"]  # fmt: skip
    home = ["", "", "no", "", "", "", ""]
    rows += [f"demand,p{i},{60.17 + i / 3000},24.95,{'SM'[i % 2]},{home[i]},09:00,17:30,," for i in range(7)]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    report, found = plan(file, None, Fleet(lat=0, lon=0, vehicles=2), 1, 1, lambda _: None)
    page, data = report.write(tmp_path / "out", found)
    names = [name for one in found.rounds for stop in one for name in stop["orders"]]
    assert sorted(names) == [f"p{i}" for i in range(7)]
    assert found.figures["cost_to_doors"] > 0
    assert "<svg" in page.read_text(encoding="utf-8")
    assert b'"rounds"' in data.read_bytes()


def test_room_below_none_is_none() -> None:
    text = "kind,lat,lon,room_S,room_M\ndepot,1,1,,\ndemand,1,1,,\npoint,1,1,-3,2\npoint,1,1,NaN,-1\n"
    stations = read_orders(text, "orders.csv")[1]
    assert [each.room for each in stations] == [(0, 2, 0, 0), (0, 0, 0, 0)]


def test_a_full_station_is_full_and_one_that_says_nothing_has_room() -> None:
    text = ("kind,id,lat,lon,size,room_S,room_M,room_L,room_XL\ndepot,D,60.17,24.94,,,,,\n"
            "point,A,60.171,24.95,,0,0,0,0\n" + "".join(f"demand,p{i},60.171,24.95,L,,,,\n" for i in range(3)))
    for cells, room, sent in (("0,0,0,0", (0, 0, 0, 0), 0), (",nan,,", (0, 0, 0, 40), 3)):
        orders, stations, _, _ = read_orders(text.replace("0,0,0,0", cells), "orders.csv")
        assert [each.room for each in stations] == [room]
        stops, _ = choose(Task(orders, stations, Fleet(lat=60.17, lon=24.94)), np.full(1, 0.1), np.full(3, 9.0))
        assert sum(len(stop.orders) for stop in stops if stop.station >= 0) == sent


@pytest.mark.parametrize(("text", "says"), [
    ("", "lacks the columns kind"), ("kind,lat,lon\ndepot,1,1\n", "rows of kind demand"),
    ("kind,lat,lon\ndemand,1,1\n", "row of kind depot"),
    ("kind,lat,lon,size\ndepot,1,1,\ndemand,1,1,XXL\n", "none of S, M, L, XL"),
    ("kind,lat,lon,from\ndepot,1,1,\ndemand,1,1,noon\n", "write 09:30"),
    ("kind,lat,lon,from\ndepot,1,1,\ndemand,1,1,25:99\n", "write 09:30"),
    ("kind,lat,lon,from,until\ndepot,1,1,,\ndemand,1,1,18:00,09:00\n", "18:00 is after 09:00"),
    ("kind;lat;lon\ndepot;1;1\n", "rows of kind demand"),
])  # fmt: skip
def test_tables_that_are_none_say_so(text: str, says: str) -> None:
    with pytest.raises(Trouble, match=says):
        read_orders(text, "orders.csv")


def test_a_solution_without_a_cost_says_so(tmp_path: Path) -> None:
    (tmp_path / "small.vrp").write_text(TINY, encoding="utf-8")
    (tmp_path / "small.sol").write_text("Route #1: 1\n", encoding="utf-8")
    with pytest.raises(Trouble, match=r"Cost 14971"):
        read_instance(tmp_path / "small.vrp")
    (tmp_path / "small.sol").write_text("Route #1: 1\nCost 4\n", encoding="utf-8")
    assert read_instance(tmp_path / "small.vrp").best == 4.0


def test_a_problem_may_be_gzipped_as_any_file(tmp_path: Path) -> None:
    (tmp_path / "tiny.vrp.gz").write_bytes(gzip.compress(TINY.encode()))
    (tmp_path / "tiny.sol").write_text("Cost 61\n")
    problem = read_instance(tmp_path / "tiny.vrp.gz")
    assert (problem.name, problem.data.num_clients, problem.best) == ("tiny", 4, 61)
    _, found = plan(tmp_path / "tiny.vrp.gz", None, Fleet(lat=0, lon=0), 0.3, 1, lambda _: None)
    assert found.best_known == 61
    [figure] = measure([tmp_path], 1, True, lambda _: None)
    assert figure.name == "tiny" and figure.reference == 61


def test_a_plan_stands_where_going_to_all_doors_cannot_be_driven(tmp_path: Path) -> None:
    rows = ["kind,id,lat,lon,room_S", "depot,,60.17,24.94,", "point,A,60.171,24.95,80"]
    rows += [f"demand,o{n},{60.17 + n / 20000},24.95," for n in range(60)]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    one_hour = Fleet(lat=0, lon=0, vehicles=1, capacity=80, shift=(8 * 3600, 9 * 3600))
    report, found = plan(file, None, one_hour, 2.0, 1, lambda _: None)
    assert [len(stops) for stops in found.rounds] == [1] and len(found.rounds[0][0]["orders"]) == 60
    assert found.figures["saved"] is None and found.figures["at_stations"] == 60
    page, data = report.write(tmp_path / "out", found)
    assert "no rounds to all doors were found" in report.summary
    assert b'"saved": null' in data.read_bytes() and "None" not in page.read_text()


def test_a_file_that_is_no_problem_says_so(tmp_path: Path) -> None:
    file = tmp_path / "broken.vrp"
    file.write_text("NAME : x\n", encoding="utf-8")
    with pytest.raises(Trouble, match="no problem in VRPLIB"):
        read_instance(file)


def a_town(clients: int, windows: bool) -> pyvrp.ProblemData:
    """So many clients that a search spends longer on its first routes than it has."""
    rng = dice(1)
    places = rng.integers(0, 10_000, (clients + 1, 2))
    far = np.rint(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))).astype(np.int64)
    early = rng.integers(12_000, 32_000, clients)
    made = [pyvrp.Client(n + 1, delivery=[10], tw_early=int(early[n]), tw_late=int(early[n]) + 3_000) if windows
            else pyvrp.Client(n + 1, delivery=[10]) for n in range(clients)]  # fmt: skip
    where = [pyvrp.Location(int(x), int(y)) for x, y in places]
    return pyvrp.ProblemData(where, made, [pyvrp.Depot(0)], [pyvrp.VehicleType(clients, [200])], [far], [far])


def test_a_search_that_is_late_is_ended_and_the_nearest_neighbours_routes_count() -> None:
    data = a_town(900, windows=True)
    until = after(0.0)
    found = route(data, until, [1, 2])
    assert sorted(client for each in found.routes for client in each) == list(range(900))
    assert found.cost <= nearest_routes(data).cost
    assert left(until + START_S + LEAST_S + LATE_S + 5) > 0


@pytest.mark.parametrize(("old", "new", "says"), [
    ("2 10 0", "2 nan 0", "line 8 holds a number that is none"), ("2 10 0", "2 1e300 0", "line 8 holds a number"),
    ("DIMENSION : 5", "DIMENSION : 3", "announces 3 points, and its NODE_COORD_SECTION has 5"),
    ("5 0 20\n", "", "announces 5 points, and its NODE_COORD_SECTION has 4"),
    ("DIMENSION : 5\n", "", "DIMENSION : 101"),
    ("CAPACITY : 10", "CAPACITY : 0", "CAPACITY : 100"), ("CAPACITY : 10", "CAPACITY : nan", "CAPACITY : 100"),
    ("CAPACITY : 10", "CAPACITY : inf", "CAPACITY : 100"),
    ("CAPACITY : 10\n", "", "CAPACITY : 100"), ("CAPACITY : 10", "CAPACITY : 2", "brought to one point"),
    (TINY[TINY.index("DEPOT_SECTION"):], "EOF\n", "names no depot"),
])  # fmt: skip
def test_a_problem_that_would_be_read_as_another_one_is_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.vrp").write_text(TINY.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Trouble, match=says):
        read_instance(tmp_path / "tiny.vrp")
