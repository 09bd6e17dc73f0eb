"""`plan site`: reads a file, sites stations as asked, and says what it found, how sure that is, what more would do."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from parcelwall.errors import Trouble
from parcelwall.planning import median, site, site_rows
from parcelwall.planning.growth import Growth, grow
from parcelwall.planning.median import Siting
from parcelwall.planning.report import INK, LIGHT, Report, a_chart
from parcelwall.planning.site_files import Costs, Median, Places, read_problem
from parcelwall.planning.solver import Array, Limits

Goal = Literal["walk", "reach", "choice", "cost", "all"]
MOST_POINTS = 60  # of the curve of what one more station saves
LOGIT_ZERO = 1e-6  # attractions below it are none: they only make the program large


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. `open`: how many stations, those that stand there among them."""

    goal: Goal = "walk"
    open: int | None = None
    radius_m: float = 500.0
    per_km: float = 1.0  # what a parcel's kilometre of walking costs, in the money of cost_per_day
    logit_per_km: float = 2.0  # how fast people lose interest with distance
    elsewhere_km: float = 1.0  # not coming at all is as attractive as a station this far away
    budgets: tuple[float, ...] = ()  # for each year: then stations open over the years
    growth: float = 0.0  # of demand, a year: 0.2 is a fifth more each year
    farthest_m: float = 3_000.0  # with budgets: nobody walks farther
    seconds: float = 600.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The plan file. `bound`: no plan can be better than that; `proven`: this one is as good as any."""

    kind: str = "site"
    of: str
    wish: Wish
    sites: list[dict[str, Any]]
    objective: float
    bound: float
    proven: bool
    figures: dict[str, float]
    told: list[str] = []


def plan(file: Path, candidates: Path | None, wish: Wish, tick: Callable[[str], None]) -> tuple[Report, Found]:
    """The report and the plan. Raises Trouble that says what of the file or the wish cannot be."""
    problem = read_problem(file, candidates)
    report = Report(f"Where to open stations: {file.name}")
    if isinstance(problem, Places):
        problem = _priced(problem, wish)
        return report, _over_years(report, file, problem, wish) if wish.budgets else _once(
            report, file, problem, wish, tick)  # fmt: skip
    return report, _library(report, file, problem, wish, tick)


def _priced(places: Places, wish: Wish) -> Places:
    """The places without new candidates whose price the wish asks for and the file does not tell: nothing is free.

    Raises Trouble if there is none left that costs something.
    """
    asked = "price" if wish.budgets else "cost_per_day" if wish.goal == "cost" else ""
    if not asked:
        return places
    sites = tuple(each for each in places.sites if each.open or getattr(each, asked) is not None)
    if not any(getattr(each, asked) for each in sites if not each.open):
        raise Trouble("budgets need candidates with a price" if wish.budgets else
                      "the goal `cost` needs candidates with cost_per_day")  # fmt: skip
    count = len(places.sites) - len(sites)
    told = (f"{count} candidates without {asked} from 0 on were left out",) if count else ()
    return msgspec.structs.replace(places, sites=sites, told=(*places.told, *told))


def _library(report: Report, file: Path, problem: Median | Costs, wish: Wish, tick: Callable[[str], None]) -> Found:
    limits = Limits(seconds=wish.seconds)
    if isinstance(problem, Median):
        _refuse_count(wish.open, 1, problem.cost.shape[1])
        found = median.solve(problem.cost, wish.open or problem.p, limits=limits, tick=tick)
    else:
        found = site.with_capacity(problem.cost, problem.fixed, problem.demand, problem.capacity, limits)
    _say_proof(report, found, f"{found.objective:,.2f} is the cost of all points.")
    report.table("Sites", ["site"], [[j + 1] for j in found.open])
    return Found(of=file.name, wish=wish, sites=[{"id": j + 1} for j in found.open], objective=found.objective,
                 bound=found.bound, proven=found.proven, figures={"open": len(found.open)})  # fmt: skip


def _once(report: Report, file: Path, places: Places, wish: Wish, tick: Callable[[str], None]) -> Found:
    distance_m, kept = places.distance_m(), _standing(places)
    p = _count(places, wish, len(kept))
    found = _solve(places, distance_m, kept, p, wish, tick)
    rows = _site_rows(places, distance_m, found, wish)
    figures = _walks(places, distance_m, found.open, found.share)
    _say_proof(report, found, _reached(places, found, wish))
    for text in places.told:
        report.say(text)
    report.table("How far people walk, as the crow flies", ["figure", "value"],
                 [[_WORDS.get(name, name.replace("_", " ")), value] for name, value in figures.items()])  # fmt: skip
    report.chart(_map(places, found.open, kept), f"Map of {len(found.open)} stations among what they serve")
    if wish.goal == "walk":
        _say_next(report, places, distance_m, np.array(found.open))
    _say_stations(report, rows, found, wish)
    report.then("Look at each place on the ground: permit, power, who passes by. Sizes for it: parcelwall plan mix. "
                "This changes nothing by itself; a station enters the network by parcelwall configure.")  # fmt: skip
    return Found(of=file.name, wish=wish, sites=rows, objective=found.objective, bound=found.bound,
                 proven=found.proven, figures=figures, told=list(places.told))  # fmt: skip


_WORDS = {
    "walk_mean_m": "mean walk of a parcel, m", "walk_p50_m": "half walk at most, m",
    "walk_p90_m": "nine in ten walk at most, m",
    **{f"share_within_{metres}_m": f"share of parcels that walk at most {metres} m" for metres in (300, 500, 1000)},
}  # fmt: skip


def _reached(places: Places, found: Siting, wish: Wish) -> str:
    """The plan's objective in a sentence that needs no knowledge of its formula."""
    total, count, within = places.weight.sum(), len(found.open), f"a station within {wish.radius_m:,.0f} m"
    of_all = f"of {total:,.0f} parcels a day ({found.objective / total:.1%})"
    if wish.goal == "walk":
        return (f"A parcel walks {found.objective / total:,.0f} m on average to the nearest of {count} stations, "
                f"{found.objective / 1000:,.0f} km a day for all parcels together.")  # fmt: skip
    if wish.goal == "reach":
        return f"With {count} stations {found.objective:,.0f} {of_all} have {within}."
    if wish.goal == "choice":
        return f"With {count} stations {found.objective:,.0f} {of_all} are expected to come."
    if wish.goal == "all":
        return f"{count} stations are enough: every point has {within}."
    return f"{count} stations and the walks to them cost {found.objective:,.2f} a day."


def _standing(places: Places) -> Any:
    return np.array([j for j, each in enumerate(places.sites) if each.open], dtype=np.int64)


def _count(places: Places, wish: Wish, standing: int) -> int:
    if wish.goal in ("cost", "all"):
        return 0
    p = wish.open
    if p is None:
        p = 0
    _refuse_count(p, max(1, standing), len(places.sites))
    return p


def _refuse_count(count: int | None, least: int, most: int) -> None:
    if count is not None and not least <= count <= most:
        raise Trouble(f"say how many stations with --open: from {least} to {most}")


def _refuse_out_of_reach(places: Places, distance_m: Array, radius_m: float) -> None:
    """Raises Trouble that names the places that no site reaches as the file has them: points are merged and sorted."""
    alone = places.points[(distance_m > radius_m).all(axis=1)]
    if len(alone):
        raise Trouble(f"{len(alone)} points have no site within {radius_m:,.0f} m, one of them at "
                      f"{alone[0][0]:g}, {alone[0][1]:g}: give more candidates, or a larger --radius-m")  # fmt: skip


def _solve(places: Places, distance_m: Array, kept: Any, p: int, wish: Wish, tick: Callable[[str], None]) -> Siting:
    limits, weight = Limits(seconds=wish.seconds), places.weight
    if wish.goal == "walk":
        cost = np.rint(distance_m) * weight[:, None]
        return median.solve(cost, p, kept=kept, limits=limits, tick=tick)
    if wish.goal == "reach":
        return site.most_reached(distance_m, weight, wish.radius_m, p, kept=kept, limits=limits)
    if wish.goal == "all":
        _refuse_out_of_reach(places, distance_m, wish.radius_m)
        return site.fewest_for_all(distance_m, wish.radius_m, kept=kept, limits=limits)
    if wish.goal == "choice":
        attraction, elsewhere = _attraction(distance_m, wish)
        return site.chosen(attraction, elsewhere, weight, p, kept=kept, limits=limits)
    fixed = np.array([0.0 if each.open else each.cost_per_day for each in places.sites], float)
    capacity = np.minimum([each.capacity_per_day for each in places.sites], weight.sum())
    cost = wish.per_km * distance_m / 1000 * weight[:, None]
    if (capacity >= weight.sum()).all():
        return site.with_costs(cost, fixed, limits)
    return site.with_capacity(cost, fixed, weight, capacity, limits)


def _attraction(distance_m: Array, wish: Wish) -> tuple[Array, Array]:
    """Of each site to each point, and that of not coming at all."""
    attraction = np.exp(-wish.logit_per_km * distance_m / 1000)
    attraction[attraction < LOGIT_ZERO] = 0.0
    return attraction, np.full(len(distance_m), np.exp(-wish.logit_per_km * wish.elsewhere_km))


def _site_rows(places: Places, distance_m: Array, found: Siting, wish: Wish) -> list[dict[str, Any]]:
    here = distance_m[:, list(found.open)]
    model: tuple[Array, Array | None]
    if wish.goal == "choice":
        model = site_rows.by_choice(*_attraction(here, wish), places.weight)
    elif found.share is not None:
        model = found.share[:, list(found.open)] * places.weight[:, None], None
    else:
        model = site_rows.nearest(here, places.weight)
    return site_rows.rows_of(places, found.open, here, *model)


def _goes(found: Siting, wish: Wish) -> str:
    if wish.goal == "choice":
        return "to stations by a logit of the distance"
    return "to the nearest station" if found.share is None else (
        "where the plan gives it room: to the nearest station of which the capacity is not used up by others")


def _say_stations(report: Report, rows: Sequence[dict[str, Any]], found: Siting, wish: Wish) -> None:
    """What each of them gets, and where that would go without it."""
    is_choice = wish.goal == "choice"
    head = ["station", "parcels a day", "8 in 10 days between", "mean walk, m", "without it they go to",
            *(["would not come"] if is_choice else []), "stands already", "latitude", "longitude"]  # fmt: skip
    report.table("Stations, those that get most first", head, [
        [row["id"], row["parcels_per_day"], f"{row['day_low']} to {row['day_high']}", row["mean_walk_m"],
         ", ".join(f"{name} {parcels:g}" for name, parcels in row["taken_from"].items()) or "-",
         *([row["new_per_day"]] if is_choice else []), row["open"], row["lat"], row["lon"]] for row in rows
    ])  # fmt: skip
    report.say(f"Each parcel goes {_goes(found, wish)}, by the file's demand, whatever day that is of. Days differ as "
               "parcels do that are independent of each other (Poisson); that the demand may be wrong is not in "
               "it.")  # fmt: skip


def _walks(
    places: Places, distance_m: Array, sites: Sequence[int], share: Array | None = None
) -> dict[str, float]:
    """Of the walk of a parcel to its nearest station, or as the plan shares them out, in metres: the mean, quantiles,
    and shares within reach."""
    here, weight = distance_m[:, list(sites)], places.weight
    walk = here.min(axis=1) if share is None else here.ravel()
    weight = weight if share is None else (share[:, list(sites)] * weight[:, None]).ravel()
    order, total = np.argsort(walk), weight.sum()
    heap = np.cumsum(weight[order]) / total
    quantile = {f"walk_p{q}_m": float(walk[order][np.searchsorted(heap, q / 100)]) for q in (50, 90)}
    within = {f"share_within_{r}_m": float(weight[walk <= r].sum() / total) for r in (300, 500, 1000)}
    mean = float(weight @ walk / total)
    return {"stations": len(sites), "walk_mean_m": round(mean, 1), **quantile, **within}


def _say_proof(report: Report, found: Siting | Growth, reached: str) -> None:
    gap = abs(found.objective - found.bound) / max(abs(found.objective), 1e-12)
    sure = "Proven: no other choice is better." if found.proven else (
        f"Not proven: time ran out. The best there is differs by at most {gap:.2%}; allow more with --seconds.")
    report.say(f"{reached} {sure}")


def _say_next(report: Report, places: Places, distance_m: Array, sites: Any) -> None:
    """What each further station would save, opened greedily on top, and what each of these is worth."""
    weight, total = places.weight, places.weight.sum()
    near, curve = distance_m[:, sites].min(axis=1), []
    for _ in range(min(MOST_POINTS, distance_m.shape[1] - len(sites))):
        curve.append(float(weight @ near / total))
        near = np.minimum(near, distance_m[:, int((weight @ np.minimum(near[:, None], distance_m)).argmin())])
    if len(curve) < 2:
        return
    report.say(f"One more station would shorten the mean walk by {curve[0] - curve[1]:,.0f} m.")
    chart = a_chart()
    axes = chart.add_subplot()
    axes.plot(range(len(sites), len(sites) + len(curve)), curve, color=INK)
    axes.set(xlabel="stations", ylabel="mean walk, m")
    report.chart(chart, "Mean walk in metres with each further station, the best one next")


def _map(places: Places, sites: Sequence[int], kept: Any) -> Any:
    chart = a_chart(8, 8)
    axes = chart.add_subplot()
    lat, lon = places.points.T
    size = 4 + 30 * places.weight / places.weight.max()
    axes.scatter(lon, lat, s=size, color="#9ab", linewidths=0, label="parcels go to")
    new = [j for j in sites if j not in set(kept)]
    for group, colour, word in ((list(kept), LIGHT, "station that stands"), (new, INK, "station of this plan")):
        if group:
            axes.scatter([places.sites[j].lon for j in group], [places.sites[j].lat for j in group], s=60, marker="s",
                         color=colour, edgecolors="white", label=word)  # fmt: skip
    axes.set_aspect(1 / np.cos(np.radians(lat.mean())))
    axes.set(xlabel="longitude", ylabel="latitude")
    axes.legend()
    return chart


def _over_years(report: Report, file: Path, places: Places, wish: Wish) -> Found:
    """Openings year by year within the budgets and permits; what stands already costs nothing."""
    years = len(wish.budgets)
    price = np.array([0.0 if each.open else each.price for each in places.sites], float)
    permitted = np.array([[each.permit_from <= t <= each.permit_until for each in places.sites]
                          for t in range(1, years + 1)], dtype=float)  # fmt: skip
    weight = np.array([places.weight * (1 + wish.growth) ** t for t in range(years)])
    distance_m = places.distance_m()
    found = grow(np.rint(distance_m), weight, price, np.array(wish.budgets), permitted=permitted,
                 unserved=wish.farthest_m, limits=Limits(seconds=wish.seconds))  # fmt: skip
    _say_proof(report, found, f"A parcel walks {found.objective / weight.sum():,.0f} m on average over {years} years, "
               f"counted as {wish.farthest_m:,.0f} m where no station is nearer.")  # fmt: skip
    for text in places.told:
        report.say(text)
    rows, before = [], set[int]()
    for year, sites in enumerate(found.open, 1):
        rows += [{"year": year, "id": places.sites[j].id, "lat": places.sites[j].lat, "lon": places.sites[j].lon,
                  "price": float(price[j])} for j in sites if j not in before]  # fmt: skip
        before |= set(sites)
    head = ["year", "station", "latitude", "longitude", "price"]
    report.table("Openings", head, [list(row.values()) for row in rows])
    last = found.open[-1]
    if last:
        report.chart(_map(places, last, _standing(places)), f"Map of the {len(last)} stations of the last year")
    figures = _walks(places, distance_m, last) if last else {"stations": 0.0}
    return Found(of=file.name, wish=wish, sites=rows, objective=found.objective, bound=found.bound,
                 proven=found.proven, figures=figures, told=list(places.told))  # fmt: skip
