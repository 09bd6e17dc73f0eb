"""Opening stations over the years: a budget each, permits that begin and end; what opened stays open."""

from typing import NamedTuple

import numpy as np

from parcelwall.errors import Trouble
from parcelwall.planning.solver import Array, Limits, Rows, minimise


class Growth(NamedTuple):
    """`open[t]`: sites open in year t; `objective`: what demand pays in all years together, at least `bound`."""

    open: tuple[tuple[int, ...], ...]
    objective: float
    bound: float
    proven: bool


def grow(
    cost: Array, weight_by_year: Array, price: Array, budget_by_year: Array, *, permitted: Array,
    unserved: float, limits: Limits | None = None,
) -> Growth:  # fmt: skip
    """Which sites to open in which year.

    `cost[i, j]` for one parcel; `weight_by_year[t, i]` parcels; `price[j]` of opening; money that is left over stays
    for the next year; `permitted[t, j]` is 1 where the site may stand. `unserved` is what a parcel pays that has no
    site at all: it bounds what anyone walks. Raises Trouble if a site would have to close because its permit ends.
    """
    years, sites = permitted.shape
    _refuse_ending(permitted)
    rows = Rows()
    y = np.arange(years * sites).reshape(years, sites)
    for year in range(years):
        spent = np.concatenate([y[year], []]).astype(np.int64)
        rows.add(spent, price, -np.inf, float(budget_by_year[: year + 1].sum()))
        for site in range(sites if year else 0):
            rows.add([y[year, site], y[year - 1, site]], np.array([1.0, -1.0]), 0.0, np.inf)
    prices, constant = [np.zeros(years * sites)], 0.0
    columns = years * sites
    for year in range(years):
        for point in np.flatnonzero(weight_by_year[year] > 0):
            levels, added = _rings(rows, np.minimum(cost[point], unserved), y[year], columns, unserved)
            prices.append(added * weight_by_year[year, point])
            constant += float(levels * weight_by_year[year, point])
            columns += len(added)
    high = np.concatenate([permitted.ravel(), np.ones(columns - years * sites)])
    found = minimise(np.concatenate(prices), rows, integer=np.arange(columns) < years * sites, low=np.zeros(columns),
                     high=high, limits=limits)  # fmt: skip
    assert found, "opening nothing is always allowed"
    opened = found.x[: years * sites].reshape(years, sites) > 0.5
    plan = tuple(tuple(int(j) for j in np.flatnonzero(each)) for each in opened)
    return Growth(plan, found.objective + constant, found.bound + constant, found.proven)


def _rings(rows: Rows, cost: Array, y: Array, first: int, unserved: float) -> tuple[float, Array]:
    """Radius form with a last ring for those whom nobody serves; the least cost, and what each further ring adds."""
    order = np.argsort(cost, kind="stable")
    levels, starts = np.unique(cost[order], return_index=True)
    ends = np.append(starts[1:], len(cost))
    served = levels < unserved
    count = int(served.sum())
    if not count:
        return float(unserved), np.zeros(0)
    within, ring = ends[count - 1], np.arange(count)
    ring_of = np.searchsorted(ends[:count], np.arange(within), side="right")
    z = first + ring
    low = np.zeros(count)
    low[0] = 1.0
    rows.add_many(np.concatenate([ring_of, ring, ring[1:]]), np.concatenate([y[order[:within]], z, z[:-1]]),
                  np.concatenate([np.ones(within + count), -np.ones(count - 1)]), low,
                  np.full(count, np.inf))  # fmt: skip
    return float(levels[0]), np.diff(np.append(levels[:count], unserved))


def _refuse_ending(permitted: Array) -> None:
    ends = np.argwhere(permitted[:-1] > permitted[1:])
    if len(ends):
        year, site = ends[0]
        raise Trouble(f"the permit of site {site + 1} ends after year {year + 1}: leave the site "
                                         "out, or plan with a longer permit")  # fmt: skip
