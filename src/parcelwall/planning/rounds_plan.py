"""`plan rounds`: reads orders, stations and depot, or a problem in VRPLIB format, and tells which rounds to drive."""

from collections.abc import Callable, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

import msgspec

from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import read_text, rows_of
from parcelwall.planning.report import INK, LIGHT, Report, a_chart
from parcelwall.planning.rounds import Fleet, Order, Rounds, Station, Task, plan_rounds, to_doors
from parcelwall.planning.routing import Instance, after, cores, is_instance, left, read_instance, route
from parcelwall.planning.site_files import number

SIZES = "S M L XL".split()
TO_COMPARE = 0.25  # share of the time for the same parcels all to the door
ROOM = 40  # compartments free at a station that says nothing of it, all large enough
COLOURS = (INK, LIGHT, "#2a7d4f", "#8a3b8f", "#b03a2e", "#4a6fa5", "#7a6a00", "#008080", "#aa5577", "#555555")
_WORDS = {
    "orders": "parcels", "at_stations": "of them to stations", "rounds": "rounds", "km": "driven, km",
    "km_to_doors": "driven if all went to doors, km", "walk_km": "walked by recipients, km",
    "cost_to_doors": "cost if all went to doors", "saved": "share of that cost saved",
}  # fmt: skip


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The plan file. `cost` in the units of the file, or of the fleet's money; `best_known` of a library's problem."""

    kind: str = "rounds"
    of: str
    cost: float
    rounds: list[list[dict[str, Any]]]
    best_known: float | None = None
    gap: float | None = None
    figures: dict[str, float | None] = {}  # None: there is nothing to compare with
    told: list[str] = []


def plan(file: Path, only_set: str | None, fleet: Fleet, seconds: float, seed: int,
         tick: Callable[[str], None]) -> tuple[Report, Found]:  # fmt: skip
    """The report and the plan. Raises Trouble that says what of the file cannot be."""
    until = after(seconds)
    if is_instance(file):
        return _library(read_instance(file), until, seed, tick)
    orders, stations, depot, told = read_orders(read_text(file), file.name, only_set)
    task = Task(orders, stations, msgspec.structs.replace(fleet, lat=depot[0], lon=depot[1]))
    found = plan_rounds(task, until - left(until) * TO_COMPARE, seed, tick)
    tick("The same all to the door, to compare …")
    doors = _to_doors(task, until, seed)
    return _told(file.name, task, found, doors, told)


def _to_doors(task: Task, until: float, seed: int) -> Rounds | None:
    """Only to compare with, so that a plan stands where it alone can be driven: then there is none."""
    try:
        return to_doors(task, until, seed)
    except Trouble:
        return None


def _library(problem: Instance, until: float, seed: int, tick: Callable[[str], None]) -> tuple[Report, Found]:
    seconds = left(until)
    tick(f"{problem.name}: {problem.data.num_clients} clients, {seconds:.0f} s on {cores()} cores …")
    found = route(problem.data, until, [seed + core for core in range(cores())])
    cost = found.cost / problem.scale
    gap = None if problem.best is None else cost / problem.best - 1
    report = Report(f"Rounds of {problem.name}")
    beside = "" if gap is None else f", {gap:.2%} over the best known {problem.best:,}"
    report.say(f"{cost:,} on {len(found.routes)} rounds after {seconds:.0f} s on {cores()} cores{beside}.")
    report.table("Rounds", ["round", "clients"], [[k, " ".join(str(c + 1) for c in each)] for k, each
                                                  in enumerate(found.routes, 1)])  # fmt: skip
    rounds = [[{"client": c + 1} for c in each] for each in found.routes]
    return report, Found(of=problem.name, cost=cost, rounds=rounds, best_known=problem.best,
                         gap=None if gap is None else round(gap, 6))  # fmt: skip


def read_orders(
    text: str, name: str, only_set: str | None = None
) -> tuple[list[Order], list[Station], tuple[float, float], list[str]]:
    """Rows of kind `demand`, `point` and `depot` with lat and lon; see docs/planning/rounds.md for the columns.

    Raises Trouble if there is no depot or no order.
    """
    table = list(rows_of(text, name, ("kind", "lat", "lon")))
    if not table:
        raise Trouble(f"{name} has no row below its first line")
    rows = [row for row in table if abs(number(row, "lat", 99)) <= 90 and abs(number(row, "lon", 999)) <= 180]
    told = [f"{len(table) - len(rows)} rows without a place were left out"] if len(rows) < len(table) else []
    stations = [_station(row) for row in rows if row["kind"] in ("point", "parcelpoint", "station")]
    if only_set is not None:
        rows = [row for row in rows if row.get("set") == only_set]
    depots = [(float(row["lat"]), float(row["lon"])) for row in rows if row["kind"] == "depot"]
    orders = [_order(row, place, name) for place, row in enumerate(rows, 1) if row["kind"] == "demand"]
    if not depots or not orders:
        raise Trouble(f"{name} needs a row of kind depot and rows of kind demand" + (
            f" in set {only_set}" if only_set is not None else ""))  # fmt: skip
    return orders, stations, depots[0], told


def _order(row: dict[str, str], place: int, name: str) -> Order:
    size, who = row.get("size") or "S", f"{name}, order {row.get('id') or place}"
    if size not in SIZES:
        raise Trouble(f"{who}: the size {size} is none of {', '.join(SIZES)}")
    early_s, late_s = _time(row.get("from"), 0, who), _time(row.get("until"), 86_400, who)
    if early_s > late_s:
        raise Trouble(f"{who}: {row['from']} is after {row.get('until') or '24:00'}, when it should be there")
    return Order(
        id=row.get("id") or row.get("node") or str(place), lat=float(row["lat"]), lon=float(row["lon"]),
        size=SIZES.index(size), at_home=(row.get("at_home") or "yes") != "no",
        early_s=early_s, late_s=late_s,
    )  # fmt: skip


def _station(row: dict[str, str]) -> Station:
    told = [number(row, f"room_{size}", nan) for size in SIZES]
    room = tuple(max(0, int(each)) if isfinite(each) else 0 for each in told)
    return Station(id=row.get("id") or row.get("node") or "?", lat=float(row["lat"]), lon=float(row["lon"]),
                   room=room if any(map(isfinite, told)) else (0, 0, 0, ROOM))  # fmt: skip


def _time(text: str | None, default: int, who: str) -> int:
    """Seconds of the day of HH:MM. Raises Trouble that says `who` has no such time."""
    if not text:
        return default
    try:
        hours, minutes = map(int, text.split(":"))
    except ValueError:
        hours, minutes = -1, 0
    if not (0 <= hours <= 24 and 0 <= minutes < 60):
        raise Trouble(f"{who}: {text!r} is no time of day: write 09:30")
    return hours * 3600 + minutes * 60


def _told(name: str, task: Task, found: Rounds, doors: Rounds | None, told: list[str]) -> tuple[Report, Found]:
    report = Report(f"Rounds of {name}")
    stops = [stop for each in found.rounds for stop in each.stops]
    at_stations = sum(len(stop.orders) for stop in stops if stop.station >= 0)
    report.say(f"{len(found.rounds)} rounds with {len(stops)} stops cost {found.cost:,.2f}, {_beside(found, doors)}")
    report.say("Not proven: the routes are the best found in the time given. Each turn lets the choice of stations "
               f"learn from the routes: {', '.join(f'{each:,.2f}' for each in found.turns)}.")  # fmt: skip
    for text in told:
        report.say(text)
    figures: dict[str, float | None] = {
        "orders": float(len(task.orders)), "at_stations": float(at_stations), "rounds": float(len(found.rounds)),
        "km": round(found.km, 1), "km_to_doors": doors and round(doors.km, 1),
        "walk_km": round(found.walk_km, 1), "cost_to_doors": doors and doors.cost,
        "saved": doors and round(1 - found.cost / doors.cost, 4),
    }  # fmt: skip
    report.table("Figures", ["figure", "value"], [[_WORDS[key], "-" if value is None else value]
                                                  for key, value in figures.items()])  # fmt: skip
    report.chart(_map(task, found), f"Map of {len(found.rounds)} rounds, straight lines from stop to stop")
    rounds = [_stops(task, each.stops) for each in found.rounds]
    for k, each in enumerate(rounds, 1):
        report.table(f"Round {k}", ["stop", "parcels"], [[row["stop"], len(row["orders"])] for row in each])
    report.then("Stops stand in the order of driving; the parcels of each are in plan.json. Costs are in the money of "
                "the default prices (docs/planning/rounds.md): hold them against each other, not against a bill."
                )  # fmt: skip
    return report, Found(of=name, cost=found.cost, rounds=rounds, figures=figures, told=told)


def _beside(found: Rounds, doors: Rounds | None) -> str:
    if doors is None:
        return "and no rounds to all doors were found that these vehicles can drive in their shift."
    return f"{1 - found.cost / doors.cost:.1%} less than {doors.cost:,.2f} for {len(doors.rounds)} rounds to all doors."


def _stops(task: Task, stops: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"stop": task.stations[stop.station].id if stop.station >= 0 else "door of " + task.orders[stop.orders[0]].id,
         "orders": [task.orders[i].id for i in stop.orders]}
        for stop in stops
    ]  # fmt: skip


def _map(task: Task, found: Rounds) -> Any:
    chart = a_chart(8, 8)
    axes = chart.add_subplot()
    places = [(task.fleet.lat, task.fleet.lon), *((s.lat, s.lon) for s in task.stations),
              *((o.lat, o.lon) for o in task.orders)]  # fmt: skip
    axes.scatter([o.lon for o in task.orders], [o.lat for o in task.orders], s=5, color="#9ab", linewidths=0)
    for k, each in enumerate(found.rounds):
        line = [places[0], *(places[task.place(stop)] for stop in each.stops), places[0]]
        axes.plot([lon for _, lon in line], [lat for lat, _ in line], color=COLOURS[k % len(COLOURS)], linewidth=1)
        here = [places[task.place(stop)] for stop in each.stops if stop.station >= 0]
        axes.scatter([lon for _, lon in here], [lat for lat, _ in here], s=30, marker="s",
                     color=COLOURS[k % len(COLOURS)])  # fmt: skip
    axes.set(xlabel="longitude", ylabel="latitude")
    return chart
