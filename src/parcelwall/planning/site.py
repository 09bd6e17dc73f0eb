"""Where to open stations: by walking distance, by cost of opening, by reach, by what people would choose, over years.

All take `cost[i, j]` or `distance_m[i, j]` of shape (points of demand, sites). Each answers with what it proves.
"""

import numpy as np
from numpy.typing import NDArray

from parcelwall.errors import Trouble
from parcelwall.planning.median import Siting
from parcelwall.planning.radius import RadiusModel
from parcelwall.planning.solver import Array, Limits, OutOfTime, Rows, Solved, minimise

CLOSE = 1e-6  # relative gap at which choice is called proven


def with_costs(cost: Array, fixed: Array, limits: Limits | None = None) -> Siting:
    """As many sites as pay: cost of opening `fixed[j]` a day and of serving, without limits of capacity.

    Uncapacitated facility location; for given rewards it is the lost-sales form of Deutsch and Golany (2018), too.
    """
    found = RadiusModel(cost, fixed=fixed).solve(limits)
    assert found, "one open site is always allowed"
    return Siting(found.open, found.objective, found.bound, found.proven)


def with_capacity(cost: Array, fixed: Array, demand: Array, capacity: Array, limits: Limits | None = None) -> Siting:
    """The same when site j serves at most `capacity[j]` parcels a day; a point's `demand[i]` may be split.

    `cost[i, j]` is for all of point i. Capacity is parcels a day at the wanted service level (`plan mix`), not a count
    of compartments. Raises Trouble if all sites together cannot serve the demand.
    """
    points, sites = cost.shape
    if demand.sum() > capacity.sum() + 1e-9:
        raise Trouble(f"the sites can serve {capacity.sum():,.0f} parcels a day, "
                                         f"the demand is {demand.sum():,.0f}")  # fmt: skip
    share = sites + np.arange(points * sites).reshape(points, sites)
    rows = Rows()
    for point in range(points):
        rows.add(share[point], 1.0, 1.0, 1.0)
    for site in range(sites):
        rows.add(np.append(share[:, site], site), np.append(demand, -capacity[site]), -np.inf, 0.0)
    pair = np.arange(points * sites)
    rows.add_many(np.repeat(pair, 2), np.stack([share.ravel(), pair % sites], axis=1).ravel(),
                  np.tile([1.0, -1.0], points * sites), np.full(points * sites, -np.inf),
                  np.zeros(points * sites))  # fmt: skip
    columns = sites + points * sites
    found = minimise(np.concatenate([fixed, cost.ravel()]), rows, integer=np.arange(columns) < sites,
                     low=np.zeros(columns), high=np.ones(columns), limits=limits)  # fmt: skip
    assert found, "all sites open serve everything"
    return Siting(_open(found.x[:sites]), found.objective, found.bound, found.proven, found.x[share])


def most_reached(
    distance_m: Array, weight: Array, radius_m: float, p: int, *, kept: NDArray[np.int64] | None = None,
    limits: Limits | None = None,
) -> Siting:  # fmt: skip
    """`p` sites so that most parcels have one within `radius_m` (Church, ReVelle 1974). `objective`: those reached."""
    points, sites = distance_m.shape
    rows = Rows()
    rows.add(np.arange(sites), 1.0, p, p)
    point, site = np.nonzero(distance_m <= radius_m)
    rows.add_many(np.concatenate([point, np.arange(points)]), np.concatenate([site, sites + np.arange(points)]),
                  np.concatenate([np.ones(len(point)), -np.ones(points)]), np.zeros(points),
                  np.full(points, np.inf))  # fmt: skip
    low = np.zeros(sites + points)
    low[[] if kept is None else kept] = 1.0
    found = minimise(np.concatenate([np.zeros(sites), -weight]), rows, integer=np.arange(sites + points) < sites,
                     low=low, high=np.ones(sites + points), limits=limits)  # fmt: skip
    assert found, "any p sites will do"
    return Siting(_open(found.x[:sites]), -found.objective, -found.bound, found.proven)


def fewest_for_all(
    distance_m: Array, radius_m: float, *, kept: NDArray[np.int64] | None = None, limits: Limits | None = None
) -> Siting:
    """The fewest sites, those `kept` among them, such that every point has one within `radius_m`.

    Raises Trouble if none reaches some.
    """
    near = distance_m <= radius_m
    if alone := [int(i) for i in np.flatnonzero(~near.any(axis=1))]:
        raise Trouble(f"{len(alone)} points have no site within {radius_m:,.0f} m, the first of "
                                         f"them in row {alone[0] + 1}")  # fmt: skip
    points, sites = distance_m.shape
    rows = Rows()
    point, site = np.nonzero(near)
    rows.add_many(point, site, 1.0, np.ones(points), np.full(points, np.inf))
    low = np.zeros(sites)
    low[[] if kept is None else kept] = 1.0
    found = minimise(np.ones(sites), rows, integer=np.ones(sites, bool), low=low, high=np.ones(sites), limits=limits)
    assert found, "all sites open reach all"
    return Siting(_open(found.x), found.objective, found.bound, found.proven)


def chosen(attraction: Array, elsewhere: Array, weight: Array, p: int, *, kept: NDArray[np.int64] | None = None,
           limits: Limits | None = None) -> Siting:  # fmt: skip
    """`p` sites that most parcels would come to, if people choose by a logit: share = V / (E + V).

    `attraction[i, j]` is exp(utility) of site j to point i, `elsewhere[i]` = E that of not coming. The share is concave
    in V, so tangents bound it from above: HiGHS places sites under all tangents so far, its answer gives new ones, and
    when bound and answer meet the answer is proven (outer approximation; Ljubić, Moreno 2018).
    """
    points, sites = attraction.shape
    rows = Rows()
    rows.add(np.arange(sites), 1.0, p, p)
    _tangents(rows, attraction, elsewhere, np.zeros(points))
    low = np.zeros(sites + points)
    low[[] if kept is None else kept] = 1.0
    sites_kept = [] if kept is None else [int(j) for j in kept]
    best_sites = _exchange_choice(attraction, elsewhere, weight, sites_kept,
                                  _greedy_choice(attraction, elsewhere, weight, p, sites_kept))  # fmt: skip
    best, left = _won(attraction, elsewhere, weight, best_sites), (limits or Limits()).seconds
    bound = _won(attraction, elsewhere, weight, list(range(sites)))  # nobody is lost by opening all
    _tangents(rows, attraction, elsewhere, attraction[:, best_sites].sum(axis=1))
    while left > 0 and bound - best > CLOSE * max(best, 1e-12):
        found = _under_tangents(rows, weight, low, left)
        if found is None:
            break
        bound, left = min(bound, -found.bound), left - found.seconds
        answer = list(_open(found.x[:sites]))
        if (won := _won(attraction, elsewhere, weight, answer)) > best:
            best, best_sites = won, answer
        _tangents(rows, attraction, elsewhere, attraction[:, answer].sum(axis=1))
    return Siting(tuple(sorted(best_sites)), best, bound, bound - best <= CLOSE * max(best, 1e-12))


def _under_tangents(rows: Rows, weight: Array, low: Array, seconds: float) -> Solved | None:
    """The sites that win most under all tangents so far; None if there was no time to find any."""
    place = np.arange(len(low))
    sites = len(low) - len(weight)
    try:
        found = minimise(np.concatenate([np.zeros(sites), -weight]), rows, integer=place < sites, low=low,
                         high=np.ones(len(low)), limits=Limits(seconds=seconds))  # fmt: skip
    except OutOfTime:
        return None
    assert found, "any p sites will do"
    return found


def _won(attraction: Array, elsewhere: Array, weight: Array, sites: list[int]) -> float:
    value = attraction[:, sites].sum(axis=1)
    return float(weight @ (value / (elsewhere + value)))


def _exchange_choice(
    attraction: Array, elsewhere: Array, weight: Array, kept: list[int], sites: list[int]
) -> list[int]:
    """Swaps an open site for a closed one as long as that wins more."""
    best, again = _won(attraction, elsewhere, weight, sites), True
    while again:
        again = False
        for closed in [j for j in sites if j not in kept]:
            others = [j for j in sites if j != closed]
            after = attraction[:, others].sum(axis=1)[:, None] + attraction
            won = weight @ (after / (elsewhere[:, None] + after))
            won[others] = -1.0
            if won.max() > best * (1 + 1e-12):
                best, sites, again = float(won.max()), [*others, int(won.argmax())], True
    return sites


def _greedy_choice(attraction: Array, elsewhere: Array, weight: Array, p: int, kept: list[int]) -> list[int]:
    """One after another, the site that wins most: at least 1 - 1/e of the best, for the share is submodular."""
    chosen_sites = list(kept)
    value = attraction[:, chosen_sites].sum(axis=1)
    while len(chosen_sites) < p:
        after = value[:, None] + attraction
        won = weight @ (after / (elsewhere[:, None] + after))
        won[chosen_sites] = -1.0
        chosen_sites.append(int(won.argmax()))
        value = value + attraction[:, chosen_sites[-1]]
    return chosen_sites


def _tangents(rows: Rows, attraction: Array, elsewhere: Array, value: Array) -> None:
    """share_i <= f(v) + f'(v) (V_i - v) for each point, at v = value."""
    points, sites = attraction.shape
    share, slope = value / (elsewhere + value), elsewhere / (elsewhere + value) ** 2
    point, site = np.nonzero(attraction)
    rows.add_many(np.concatenate([point, np.arange(points)]), np.concatenate([site, sites + np.arange(points)]),
                  np.concatenate([-slope[point] * attraction[point, site], np.ones(points)]),
                  np.full(points, -np.inf), share - slope * value)  # fmt: skip


def _open(y: Array) -> tuple[int, ...]:
    return tuple(int(j) for j in np.flatnonzero(y > 0.5))
