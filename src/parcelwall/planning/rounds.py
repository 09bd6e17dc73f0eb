"""Which rounds to drive: each parcel to a station near its recipient or to the door, and the vehicles' routes.

Three stages, because no router knows of shared stops with limited room: HiGHS gives each parcel its station, PyVRP
routes the stops, and what each stop really costs on those routes goes back into the first stage.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyvrp

from parcelwall.planning.routing import Routes, cores, left, route
from parcelwall.planning.site_files import great_circle_m
from parcelwall.planning.solver import Array, Limits, Rows, minimise

UNITS = 10_000  # of PyVRP's whole numbers to one of money
TURNS = 3  # how often what stops really cost goes back into the choice
DETOUR = 1.3  # streets against the straight line
GAP = 1e-4  # of the choice of stations


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel. `size`: 0 is the smallest class; `early_s`, `late_s`: when somebody is at home, seconds of the day."""

    id: str
    lat: float
    lon: float
    size: int = 0
    at_home: bool = True
    early_s: int = 0
    late_s: int = 86_400


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """`room[c]`: compartments of class c expected to be free when the courier comes."""

    id: str
    lat: float
    lon: float
    room: tuple[int, ...]


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """Vehicles, all alike, and what they cost. A stop at a station takes `stop_s`, and `parcel_s` for each parcel."""

    lat: float
    lon: float
    vehicles: int = 20
    capacity: int = 150  # parcels
    shift: tuple[int, int] = (8 * 3600, 18 * 3600)
    speed_kmh: float = 25.0
    per_vehicle: float = 40.0
    per_km: float = 0.5
    per_hour: float = 25.0
    stop_s: int = 90
    parcel_s: int = 12
    door_s: int = 150
    walk_m: float = 1_000.0  # nobody is sent to a station farther away
    walk_per_km: float = 0.5  # what it is worth to spare a recipient a kilometre


class Stop(NamedTuple):
    """`orders`: those left there; `station` -1 is the door of the one order."""

    station: int
    orders: tuple[int, ...]


class Round(NamedTuple):
    stops: list[Stop]


class Rounds(NamedTuple):
    """`rounds[k]`: stops of vehicle k in order; `cost` with what walking is worth; `turns`: the cost of each try."""

    rounds: list[Round]
    cost: float
    walk_km: float
    km: float
    turns: list[float]


class Task:
    """Orders, stations and fleet made ready: distances by road in metres, seconds to drive, and who may walk where."""

    def __init__(self, orders: Sequence[Order], stations: Sequence[Station], fleet: Fleet) -> None:
        self.orders, self.stations, self.fleet = orders, stations, fleet
        places = [(fleet.lat, fleet.lon), *((s.lat, s.lon) for s in stations), *((o.lat, o.lon) for o in orders)]
        flat = great_circle_m(np.array(places), np.array(places))
        self.walk_m = flat[1 + len(stations) :, 1 : 1 + len(stations)]
        self.road_m = np.rint(flat * DETOUR)
        self.drive_s = np.rint(self.road_m / (fleet.speed_kmh / 3.6))
        self.move = self.road_m / 1000 * fleet.per_km + self.drive_s / 3600 * fleet.per_hour

    def service_s(self, stop: Stop) -> int:
        if stop.station < 0:
            return self.fleet.door_s
        return self.fleet.stop_s + self.fleet.parcel_s * len(stop.orders)

    def place(self, stop: Stop) -> int:
        """Row of the stop in the matrices: the depot is 0, then stations, then doors."""
        return 1 + stop.station if stop.station >= 0 else 1 + len(self.stations) + stop.orders[0]


def plan_rounds(task: Task, until: float, seed: int, tick: Callable[[str], None] = lambda _: None) -> Rounds:
    """The cheapest rounds found until then (`routing.after`).

    Raises Trouble if no rounds keep capacities, windows and shifts.
    """
    stop_cost, door_cost = _first_guess(task)
    best: Rounds | None = None
    turns: list[float] = []
    for turn in range(TURNS):
        tick(f"Turn {turn + 1} of {TURNS}: choosing stations …")
        share_s = left(until) / (TURNS - turn)
        over = until - share_s * (TURNS - turn - 1)
        stops, walk_km = choose(task, stop_cost, door_cost, max(1.0, share_s / 3))
        tick(f"Turn {turn + 1} of {TURNS}: {len(stops)} stops, {left(over):.0f} s of routing …")
        found = drive(task, stops, over, [seed + core for core in range(cores())])
        cost, km = _cost(task, found.rounds)
        turns.append(round(cost + walk_km * task.fleet.walk_per_km, 2))
        if best is None or turns[-1] < best.cost:
            best = Rounds(found.rounds, turns[-1], walk_km, km, turns)
        stop_cost, door_cost = _learnt(task, found.rounds, stop_cost, door_cost)
    assert best
    return best


def to_doors(task: Task, until: float, seed: int) -> Rounds:
    """The same parcels all to the door: what stations are compared with."""
    stops = [Stop(-1, (each,)) for each in range(len(task.orders))]
    found = drive(task, stops, until, [seed + core for core in range(cores())])
    cost, km = _cost(task, found.rounds)
    return Rounds(found.rounds, round(cost, 2), 0.0, km, [round(cost, 2)])


def choose(task: Task, stop_cost: Array, door_cost: Array, seconds: float = 60) -> tuple[list[Stop], float]:
    """Stage 1: stations and doors for all orders, with the kilometres that recipients walk; best found in `seconds`.

    min sum delta x + sum F z + sum H h; each order once; x <= z; Hall's condition for each class and those above it.
    """
    count, stations, limits = len(task.orders), len(task.stations), Limits(seconds=seconds, gap=GAP)
    order, station = np.nonzero(task.walk_m <= task.fleet.walk_m)
    pairs = len(order)
    walk = task.walk_m[order, station] / 1000 * task.fleet.walk_per_km
    parcel = task.fleet.parcel_s / 3600 * task.fleet.per_hour
    rows, x = Rows(), np.arange(pairs)
    ones = np.ones(count)
    rows.add_many(np.concatenate([order, np.arange(count)]), np.concatenate([x, pairs + stations + np.arange(count)]),
                  1.0, ones, ones)  # fmt: skip
    rows.add_many(np.concatenate([x, x]), np.concatenate([x, pairs + station]),
                  np.concatenate([np.ones(pairs), -np.ones(pairs)]), np.full(pairs, -np.inf),
                  np.zeros(pairs))  # fmt: skip
    _hall(task, rows, order, station)
    cost = np.concatenate([walk + parcel, stop_cost, door_cost])
    columns = pairs + stations + count
    high = np.ones(columns)
    near = np.bincount(order, minlength=count) > 0
    high[pairs + stations :] = [each.at_home or not near[i] for i, each in enumerate(task.orders)]
    integer = np.ones(columns, bool)
    found = minimise(cost, rows, integer=integer, low=np.zeros(columns), high=high, limits=limits)
    if found is None:  # those whom no room is left for go to the door all the same
        high[pairs + stations :] = 1
        cost[pairs + stations :] += [0 if each.at_home else 1e4 for each in task.orders]
        found = minimise(cost, rows, integer=integer, low=np.zeros(columns), high=high, limits=limits)
        assert found, "the door is always open"
    taken = found.x[:pairs] > 0.5
    groups: dict[int, list[int]] = {}
    for i, j in zip(order[taken], station[taken], strict=True):
        groups.setdefault(int(j), []).append(int(i))
    doors = [Stop(-1, (int(i),)) for i in np.flatnonzero(found.x[pairs + stations :] > 0.5)]
    stops = [stop for j, those in sorted(groups.items()) for stop in _parts(j, those, task.fleet.capacity)]
    return stops + doors, float(task.walk_m[order[taken], station[taken]].sum() / 1000)


def _hall(task: Task, rows: Rows, order: Any, station: Any) -> None:
    """At each station, parcels of class u and above find room in classes u and above."""
    size = np.array([each.size for each in task.orders])[order]
    for j, each in enumerate(task.stations):
        for u in range(len(each.room)):
            if len(those := np.flatnonzero((station == j) & (size >= u))):
                rows.add(those, 1.0, -np.inf, sum(each.room[u:]))
        if len(those := np.flatnonzero((station == j) & (size >= len(each.room)))):
            rows.add(those, 1.0, -np.inf, 0.0)


def _parts(station: int, orders: list[int], capacity: int) -> list[Stop]:
    """More than a vehicle takes is brought by several."""
    return [Stop(station, tuple(orders[k : k + capacity])) for k in range(0, len(orders), capacity)]


class _Driven(NamedTuple):
    rounds: list[Round]
    routes: Routes


def drive(task: Task, stops: Sequence[Stop], until: float, seeds: Sequence[int]) -> _Driven:
    """Stage 2: the vehicles' ways. Raises Trouble if none keep capacities, windows and shifts."""
    fleet, model = task.fleet, pyvrp.Model()
    places = [0, *(task.place(stop) for stop in stops)]
    locations = [model.add_location(0, 0) for _ in places]
    depot = model.add_depot(locations[0])
    early, late = fleet.shift
    model.add_vehicle_type(
        fleet.vehicles, fleet.capacity, start_depot=depot, end_depot=depot, tw_early=early, tw_late=late,
        fixed_cost=round(fleet.per_vehicle * UNITS), unit_distance_cost=max(1, round(fleet.per_km / 1000 * UNITS)),
        unit_duration_cost=round(fleet.per_hour / 3600 * UNITS),
    )  # fmt: skip
    for stop, where in zip(stops, locations[1:], strict=True):
        order = task.orders[stop.orders[0]]
        window = (order.early_s, order.late_s) if stop.station < 0 else (0, 86_400)
        model.add_client(where, delivery=len(stop.orders), service_duration=task.service_s(stop),
                         tw_early=window[0], tw_late=window[1])  # fmt: skip
    for a, start in enumerate(locations):
        for b, end in enumerate(locations):
            model.add_edge(start, end, int(task.road_m[places[a], places[b]]), int(task.drive_s[places[a], places[b]]))
    routes = route(model.data(), until, seeds)
    return _Driven([Round([stops[c] for c in each]) for each in routes.routes], routes)


def _cost(task: Task, rounds: Sequence[Round]) -> tuple[float, float]:
    """Money and kilometres of vehicles, without waiting."""
    money = km = 0.0
    for each in rounds:
        places = [0, *(task.place(stop) for stop in each.stops), 0]
        legs = list(pairwise(places))
        km += sum(float(task.road_m[leg]) for leg in legs) / 1000
        service_s = sum(task.service_s(stop) for stop in each.stops)
        money += task.fleet.per_vehicle + sum(float(task.move[leg]) for leg in legs)
        money += service_s / 3600 * task.fleet.per_hour
    return money, km


def _first_guess(task: Task) -> tuple[Array, Array]:
    """Before any route is known: the time of a stop, and the way from the nearest other place and on."""
    fleet, nearest = task.fleet, np.sort(task.move + np.diag(np.full(len(task.move), np.inf)), axis=1)[:, 0]
    stations = len(task.stations)
    stop = fleet.stop_s / 3600 * fleet.per_hour + 2 * nearest[1 : 1 + stations]
    door = fleet.door_s / 3600 * fleet.per_hour + nearest[1 + stations :]
    return stop, door


def _learnt(task: Task, rounds: Sequence[Round], stop_cost: Array, door_cost: Array) -> tuple[Array, Array]:
    """Stage 3: what leaving a stop out would save; for what is not on any route, the cheapest way to put it in.

    Half of the old guess stays, so that the choice does not swing.
    """
    stations, move = len(task.stations), task.move
    cheapest, saved = np.full(len(move), np.inf), {}
    for each in rounds:
        places = [0, *(task.place(stop) for stop in each.stops), 0]
        for a, b, c in zip(places, places[1:], places[2:], strict=False):
            saved[b] = float(move[a, b] + move[b, c] - move[a, c])
        for a, b in pairwise(places):
            cheapest = np.minimum(cheapest, move[a] + move[:, b] - move[a, b])
    detour = np.array([saved.get(k, cheapest[k]) for k in range(len(move))])
    hour = task.fleet.per_hour / 3600
    stop = detour[1 : 1 + stations] + task.fleet.stop_s * hour
    door = detour[1 + stations :] + task.fleet.door_s * hour
    return (stop_cost + stop) / 2, (door_cost + door) / 2
