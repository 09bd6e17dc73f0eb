"""What each station of a plan would get: parcels a day, how far these walk, and where they would go without it.

By the plan's own model: each parcel to the nearest station, or shared out by the logit of `choice`, or as capacities
allow; where they would go then, without it, is not known. A day's parcels are
taken for independent of each other (Poisson), so the interval is of days, and knows nothing of wrong demand.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import norm, poisson

from parcelwall.planning.site_files import Places
from parcelwall.planning.solver import Array

MOST_NEIGHBOURS = 3
LEAST = 0.05  # parcels a day: fewer are nobody's loss
DAYS = (0.1, 0.9)


def nearest(distance_m: Array, weight: Array) -> tuple[Array, Array]:
    """[point, station]: parcels a day that go there. [station, other]: of its parcels, those that would go to the other
    one without it. `distance_m` is to the open stations alone."""
    points, stations = distance_m.shape
    order = np.argsort(distance_m, axis=1, kind="stable")
    goes, taken = np.zeros((points, stations)), np.zeros((stations, stations))
    goes[np.arange(points), order[:, 0]] = weight
    if stations > 1:
        np.add.at(taken, (order[:, 0], order[:, 1]), weight)
    return goes, taken


def by_choice(attraction: Array, elsewhere: Array, weight: Array) -> tuple[Array, Array]:
    """The same of the logit: some would not come at all without it."""
    total = elsewhere + attraction.sum(axis=1)
    goes = weight[:, None] * attraction / total[:, None]
    without = total[:, None] - attraction
    more = 1 / np.maximum(without, 1e-300) - 1 / total[:, None]
    taken = more.T @ (weight[:, None] * attraction)
    np.fill_diagonal(taken, 0.0)
    return goes, taken


def rows_of(
    places: Places, sites: Sequence[int], distance_m: Array, goes: Array, taken: Array | None
) -> list[dict[str, Any]]:
    """The stations, those that get most first. `distance_m`, `goes` and `taken` as `nearest` has them; None: nobody
    knows where they would go."""
    parcels = goes.sum(axis=0)
    walk = (goes * distance_m).sum(axis=0) / np.maximum(parcels, 1e-12)
    low, high = (_of_days(level, parcels) for level in DAYS)
    rows = []
    for place in np.argsort(-parcels, kind="stable"):
        each = places.sites[sites[place]]
        rows.append({
            "id": each.id, "lat": each.lat, "lon": each.lon, "parcels_per_day": round(float(parcels[place]), 2),
            "day_low": int(low[place]), "day_high": int(high[place]), "mean_walk_m": round(float(walk[place])),
            "taken_from": {} if taken is None else _others(places, sites, taken[place]),
            "new_per_day": None if taken is None else round(max(0.0, float(parcels[place] - taken[place].sum())), 2),
            "open": "yes" if each.open else "",
        })  # fmt: skip
    return rows


def _of_days(level: float, parcels: Array) -> Array:
    """The quantile of a day's parcels; of so many that there is no Poisson any more, of the normal that it nears."""
    exact = poisson.ppf(level, parcels)
    return np.where(np.isfinite(exact), exact, norm.ppf(level, parcels, np.sqrt(parcels)))


def _others(places: Places, sites: Sequence[int], taken: Array) -> dict[str, float]:
    """The stations to which most would go, and how many a day."""
    most = np.argsort(-taken, kind="stable")[:MOST_NEIGHBOURS]
    return {places.sites[sites[each]].id: round(float(taken[each]), 2) for each in most if taken[each] >= LEAST}
