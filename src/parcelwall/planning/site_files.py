"""Files for `plan site`: where parcels go and where a station might stand; and the problems of the OR-Library.

Beasley (1990), "OR-Library: distributing test problems by electronic mail".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from scipy.sparse.csgraph import shortest_path

from parcelwall.errors import Trouble
from parcelwall.planning.csv_file import names, read_text, rows_of, separator
from parcelwall.planning.solver import Array

POINTS = ("point", "parcelpoint")  # kinds of rows where a station might stand
EARTH_M = 6_371_000.0
GRID_DEGREES = 0.004  # some 450 m: without candidates, one site for each such square where parcels go,
MOST_POINTS = 5_000  # of a problem of the library: their distances are held in memory
MOST = 1e15  # a number beyond is none: sums of such numbers times metres would be no numbers any more
MOST_SQUARES = 300  # or for larger ones, so that there are no more than this many


class Median(msgspec.Struct, frozen=True):
    """Open `p` of the sites; `cost[i, j]`."""

    p: int
    cost: Array


class Costs(msgspec.Struct, frozen=True):
    """Open what pays; `fixed[j]` of opening, `cost[i, j]` for all of point i, `capacity[j]` for `demand[i]`."""

    fixed: Array
    cost: Array
    demand: Array
    capacity: Array


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a station might stand. Money is in whatever unit the file has, None where it does not say or says
    what is no number from 0 on; years count from 1."""

    id: str
    lat: float
    lon: float
    cost_per_day: float | None = None
    price: float | None = None
    capacity_per_day: float = float("inf")
    open: bool = False  # it stands there already
    permit_from: int = 1
    permit_until: int = 10_000


class Places(msgspec.Struct, frozen=True):
    """`points`: (lat, lon) of demand, shape (n, 2); `weight`: parcels a day; `sites`: where a station might stand."""

    points: Array
    weight: Array
    sites: tuple[Candidate, ...]
    told: tuple[str, ...] = ()  # what was left out, and why

    def distance_m(self) -> Array:
        """Great-circle metres, shape (points, sites), on a sphere of 6,371 km."""
        sites = np.array([(each.lat, each.lon) for each in self.sites])
        return great_circle_m(self.points, sites)


def great_circle_m(a: Array, b: Array) -> Array:
    """Metres between all (lat, lon) of `a` and all of `b`, shape (len(a), len(b))."""
    (lat1, lon1), (lat2, lon2) = np.radians(a).T, np.radians(b).T
    h = (np.sin((lat2 - lat1[:, None]) / 2) ** 2
         + np.cos(lat1)[:, None] * np.cos(lat2) * np.sin((lon2 - lon1[:, None]) / 2) ** 2)  # fmt: skip
    return np.asarray(2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(h, 1.0))))


def read_problem(file: Path, candidates: Path | None = None) -> Median | Costs | Places:
    """What the file holds. Raises Trouble naming file, row and remedy."""
    text = read_text(file)
    head = text.lstrip().splitlines()[0] if text.strip() else ""
    if "lat" in map(str.strip, head.split(separator(head))):
        return read_places(text, file.name, candidates)
    words = head.split()
    if not words or not all(word.replace(".", "", 1).isdigit() for word in words):
        raise Trouble(f"{file.name} is neither a table with columns lat and lon nor a problem of the OR-Library")
    if len(words) not in (2, 3):
        raise Trouble(f"{file.name}: a problem of the OR-Library begins with two numbers (sites, points) or three")
    return read_median(text, file.name) if len(words) == 3 else read_costs(text, file.name)


def read_median(text: str, name: str) -> Median:
    """points, edges, p, then edges (from, to, length): of one given twice the last counts; distances by road.

    Raises Trouble if edges are missing or a point cannot be reached.
    """
    points, edges, p, *rest = _numbers(text, name)
    n, count = _whole(name, points, edges)
    _whole(name, p)
    if not (1 <= p <= n <= MOST_POINTS and count >= 1):
        raise Trouble(f"{name}: to open {p:g} of {points:g} points with {edges:g} edges is no problem: there are 1 to "
                      f"{MOST_POINTS} points, and 1 to all of them are opened")
    if len(rest) < 3 * count:
        raise Trouble(f"{name} announces {count} edges and holds {len(rest) // 3}")
    if any(not 1 <= end <= n for place, end in enumerate(rest[: 3 * count]) if place % 3 < 2):
        raise Trouble(f"{name}: an edge ends at a point that is none of 1 to {n}")
    if min(rest[2 : 3 * count : 3]) < 0:
        raise Trouble(f"{name}: an edge is shorter than nothing")
    length = np.full((n, n), np.inf)
    for start, end, far in zip(rest[0 : 3 * count : 3], rest[1::3], rest[2::3], strict=False):
        length[int(start) - 1, int(end) - 1] = length[int(end) - 1, int(start) - 1] = far
    cost = shortest_path(length, directed=False)
    if not np.isfinite(cost).all():
        raise Trouble(f"{name}: some points cannot be reached from others")
    return Median(int(p), cost)


def read_costs(text: str, name: str) -> Costs:
    """sites, points; capacity and fixed cost of each site; demand of each point and its cost from each site.

    Raises Trouble if there are more or fewer numbers than that.
    """
    sites, points, *rest = _numbers(text, name)
    m, n = _whole(name, sites, points)
    if min(m, n) < 1 or min(rest, default=0) < 0:
        raise Trouble(f"{name} needs at least one site and one point, and no number below 0")
    if len(rest) != 2 * m + n * (m + 1):
        raise Trouble(f"{name} should hold {2 * m + n * (m + 1)} numbers after the first two and holds {len(rest)}")
    of_sites = np.array(rest[: 2 * m]).reshape(m, 2)
    of_points = np.array(rest[2 * m :]).reshape(n, m + 1)
    return Costs(of_sites[:, 1], of_points[:, 1:], of_points[:, 0], of_sites[:, 0])


def _numbers(text: str, name: str) -> list[float]:
    found = []
    for place, line in enumerate(text.splitlines(), 1):
        for word in line.split():
            try:
                found.append(float(word))
            except ValueError as error:
                raise Trouble(f"{name}, line {place}: {word[:40]!r} is no number") from error
            if not abs(found[-1]) <= MOST:
                raise Trouble(f"{name}, line {place} holds a number that is none, or beyond {MOST:.0e}: {word[:40]}")
    return found


def _whole(name: str, *counts: float) -> tuple[int, ...]:
    """Raises Trouble for a count that has parts: nobody knows which whole number is meant."""
    for each in counts:
        if each != int(each):
            raise Trouble(f"{name}: its first line counts in whole numbers, and {each:g} is none")
    return tuple(int(each) for each in counts)


def read_places(
    text: str, name: str, candidates: Path | None = None, wanted: Callable[[Mapping[str, str]], bool] = lambda row: True
) -> Places:
    """A table with lat, lon and, if it likes, parcels_per_day and kind (demand, point, depot).

    Without candidates, of a file of their own or as rows of kind `point`, each square of some 450 m (larger ones if
    there would be more than 300) in which parcels go has one in the middle of its parcels. Only rows that are `wanted`
    are looked at.

    Raises Trouble if there is no demand.
    """
    rows, told = _rows(text, name)
    rows = [row for row in rows if wanted(row)]
    demand = [row for row in rows if row.get("kind", "demand") in ("demand", "")]
    if not demand:
        raise Trouble(f"{name} has no row of demand with lat and lon that are numbers (60.17, not 60,17). Where there "
                      "is a column `kind`, rows of demand say `demand` there, or nothing")  # fmt: skip
    good = [row for row in demand if _is_demand(row)]
    if len(good) < len(demand):
        count = len(demand) - len(good)
        told.append(f"{name}: {count} rows whose parcels_per_day is no number above zero were left out")
    demand = good
    weight = np.array([number(row, "parcels_per_day", 1.0) for row in demand])
    points, weight = _merged(np.array([(float(r["lat"]), float(r["lon"])) for r in demand]), weight)
    sites = [row for row in rows if row.get("kind") in POINTS]
    if candidates:
        sites, more = _rows(read_text(candidates), candidates.name)
        told += more
        if not sites:
            raise Trouble(f"{candidates.name} has no row with lat and lon that are numbers (60.17, not 60,17)")
        ids = [row["id"] for row in sites if row.get("id")]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise Trouble(f"{candidates.name} has the id {names(twice)} more than once: nobody knows which "
                          "place is meant")  # fmt: skip
    found = _candidates(sites) if sites else _squares(points, weight)
    return Places(points, weight, tuple(found), tuple(told))


def _rows(text: str, name: str) -> tuple[list[dict[str, str]], list[str]]:
    """Rows whose lat and lon are numbers on the globe, and how many are not."""
    table = list(rows_of(text, name, ("lat", "lon")))
    if not table:
        raise Trouble(f"{name} has no row below its first line")
    good = [row for row in table if abs(number(row, "lat", 99)) <= 90 and abs(number(row, "lon", 999)) <= 180]
    told = [f"{name}: {len(table) - len(good)} rows without a place were left out"] if len(good) < len(table) else []
    return good, told


def _is_demand(row: dict[str, str]) -> bool:
    """Whether its demand is told, as a number above zero, or not told at all: then it is one parcel a day."""
    return not (row.get("parcels_per_day") or "").strip() or number(row, "parcels_per_day", 0.0) > 0


def number(row: dict[str, str], key: str, default: float) -> float:
    """The number of a cell, the default for an empty one, one that is none, or one beyond MOST."""
    try:
        value = float(row.get(key) or default)
    except ValueError:
        return default
    return value if abs(value) <= MOST else default


def _merged(points: Array, weight: Array) -> tuple[Array, Array]:
    """Parcels to the same place are one point; what is not above zero is none."""
    kept = weight > 0
    if not kept.any():
        raise Trouble("no row has parcels_per_day above zero")
    unique, where = np.unique(points[kept], axis=0, return_inverse=True)
    return unique, np.bincount(where.ravel(), weights=weight[kept]).astype(np.float64)


def _candidates(rows: Sequence[dict[str, str]]) -> Iterable[Candidate]:
    for place, row in enumerate(rows, 1):
        yield Candidate(
            id=row.get("id") or row.get("node") or f"site {place}", lat=float(row["lat"]), lon=float(row["lon"]),
            cost_per_day=_money(row, "cost_per_day"), price=_money(row, "price"),
            capacity_per_day=number(row, "capacity_per_day", float("inf")),
            open=row.get("open", "").lower() in ("1", "true", "yes"),
            permit_from=int(number(row, "permit_from", 1)), permit_until=int(number(row, "permit_until", 10_000)),
        )  # fmt: skip


def _money(row: dict[str, str], key: str) -> float | None:
    amount = number(row, key, -1.0)
    return amount if amount >= 0 else None


def _squares(points: Array, weight: Array) -> Iterable[Candidate]:
    side = GRID_DEGREES
    while len(squares := np.unique(np.floor(points / side), axis=0)) > MOST_SQUARES:
        side *= 1.25
    where = np.unique(np.floor(points / side), axis=0, return_inverse=True)[1].ravel()
    total = np.bincount(where, weights=weight)
    lat, lon = (np.bincount(where, weights=weight * points[:, axis]) / total for axis in (0, 1))
    for number in range(len(squares)):
        place = round(float(lat[number]), 5), round(float(lon[number]), 5)
        yield Candidate(id=f"square {number + 1}", lat=place[0], lon=place[1])
