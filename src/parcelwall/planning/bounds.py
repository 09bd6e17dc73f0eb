"""What no rule can beat: the clairvoyant, the same with parcels moved, the fluid bound, the fair fluid bound.

Formulation and proofs: docs/planning/allocation.md. Solved with HiGHS, to proven optimality. Each answers a number of
parcels (or their value).
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, vstack

from parcelwall.errors import Trouble
from parcelwall.planning.demand import STEP_H, Array, Requests

NEGLIGIBLE = 1e-9


class Choices:
    """One variable for each request and each class that it fits: request `of`, class `cls`."""

    def __init__(self, requests: Requests, classes: int) -> None:
        counts = classes - requests.size
        self.n = len(requests)
        self.of = np.repeat(np.arange(self.n), counts)
        first = np.cumsum(counts) - counts
        self.cls = np.arange(len(self.of)) - np.repeat(first, counts) + requests.size[self.of]

    def once(self) -> csr_array:
        """Each request is served at most once: n rows."""
        columns = np.arange(len(self.of))
        return csr_array((np.ones(len(columns)), (self.of, columns)), shape=(self.n, len(columns)))


def clairvoyant(
    requests: Requests, compartments: Sequence[int], value: Array | None = None, whole: bool = True
) -> float:
    """The most that could be served knowing every stay beforehand, nothing moved; `whole=False`: its relaxation."""
    choices = Choices(requests, len(compartments))
    cliques = clique_times(requests)
    rows, most = [choices.once()], [np.ones(choices.n)]
    for c, room in enumerate(compartments):
        there = _present(requests, cliques, np.flatnonzero(choices.cls == c), choices.of)
        busy = np.flatnonzero(np.diff(there.indptr) > room)
        rows.append(there[busy])
        most.append(np.full(len(busy), float(room)))
    return _most(_worth(choices, value), rows, most, whole)


def migration(requests: Requests, compartments: Sequence[int], value: Array | None = None) -> float:
    """The most that could be served if parcels might be moved between compartments: never below the clairvoyant."""
    cliques = clique_times(requests)
    everyone = np.arange(len(requests))
    rows, most = [], []
    for u in range(len(compartments)):
        there = _present(requests, cliques, np.flatnonzero(requests.size >= u), everyone)
        rows.append(there)
        most.append(np.full(there.shape[0], float(sum(compartments[u:]))))
    return _most(np.ones(len(requests)) if value is None else value, rows, most, whole=False)


def fluid(
    requests: Requests, compartments: Sequence[int], fair: float | None = None, value: Array | None = None
) -> float:
    """The most that can be expected of a rule that knows all arrivals, but of each stay only its stratum's law.

    `fair`: no group may be served more than this share less than the average of all requests.
    """
    choices, rows, most = _fluid_program(requests, compartments)
    if fair is not None:
        fairness = _fairness(requests, choices, fair)
        rows.append(fairness)
        most.append(np.zeros(fairness.shape[0]))
    return _most(_worth(choices, value), rows, most, whole=False)


def fluid_and_fair(requests: Requests, compartments: Sequence[int], tolerance: float) -> tuple[float, float]:
    """Both fluid bounds. Where what is best serves every group fairly already, it is both."""
    choices, rows, most = _fluid_program(requests, compartments)
    worth, fairness = _worth(choices, None), _fairness(requests, choices, tolerance)
    best = _solved(worth, rows, most, whole=False)
    if best is None:
        return 0.0, 0.0
    if (fairness @ best <= 1e-7).all():
        return float(worth @ best), float(worth @ best)
    fair = _most(worth, [*rows, fairness], [*most, np.zeros(fairness.shape[0])], whole=False)
    return float(worth @ best), fair


def _fluid_program(requests: Requests, compartments: Sequence[int]) -> tuple[Choices, list[csr_array], list[Array]]:
    choices = Choices(requests, len(compartments))
    ends = np.append(np.flatnonzero(np.diff(requests.visit)), len(requests) - 1)
    rows, most = [choices.once()], [np.ones(choices.n)]
    for c, room in enumerate(compartments):
        rows.append(_expected(requests, requests.comes_h[ends], np.flatnonzero(choices.cls == c), choices.of))
        most.append(np.full(len(ends), float(room)))
    return choices, rows, most


def clique_times(requests: Requests) -> Array:
    """The arrivals after which the next moment is a departure: only there can occupancy be at a peak."""
    moments = np.concatenate([requests.comes_h, requests.leaves_h])
    arrives = np.repeat([1, 0], len(requests))  # at equal times departures come first
    order = np.lexsort((arrives, moments))
    kinds = np.append(arrives[order], 0)
    peaks: Array = moments[order][(kinds[:-1] == 1) & (kinds[1:] == 0)]
    return peaks


def _worth(choices: Choices, value: Array | None) -> Array:
    return np.ones(len(choices.of)) if value is None else value[choices.of]


def _present(requests: Requests, times: Array, columns: Array, of: Array) -> csr_array:
    """Row t, column j: 1 where the request of a column is there at time t. Shape (times, len(of))."""
    comes, leaves = requests.comes_h[of[columns]], requests.leaves_h[of[columns]]
    first, last = np.searchsorted(times, comes, "left"), np.searchsorted(times, leaves, "left")
    row, column = _runs(first, last)
    return csr_array((np.ones(len(row)), (row, columns[column])), shape=(len(times), len(of)))


def _expected(requests: Requests, times: Array, columns: Array, of: Array) -> csr_array:
    """Row t, column j: the probability that the request of a column is still there at time t, had it been taken."""
    comes = requests.comes_h[of[columns]]
    gone = np.argmax(requests.survival <= NEGLIGIBLE, axis=1) * STEP_H
    longest = gone[requests.stratum[of[columns]]]
    first, last = np.searchsorted(times, comes, "left"), np.searchsorted(times, comes + longest, "right")
    row, column = _runs(first, last)
    share = requests.stays(requests.stratum[of[columns[column]]], times[row] - comes[column])
    return csr_array((share, (row, columns[column])), shape=(len(times), len(of)))


def _runs(first: Array, last: Array) -> tuple[Array, Array]:
    """Pairs (row, i) for every row in first[i] .. last[i] - 1."""
    counts = np.maximum(last - first, 0)
    which = np.repeat(np.arange(len(first)), counts)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.arange(counts.sum()) - starts + first[which], which


def _fairness(requests: Requests, choices: Choices, tolerance: float) -> csr_array:
    """(1 - tolerance) n_g / n * served of all - served of g <= 0: one row for each group that has requests."""
    groups = [g for g in range(len(requests.names)) if (requests.group == g).any()]
    dense = np.empty((len(groups), len(choices.of)))
    for row, g in enumerate(groups):
        dense[row] = (1 - tolerance) * (requests.group == g).mean() - (requests.group[choices.of] == g)
    return csr_array(dense)


def _most(worth: Array, rows: Sequence[csr_array], most: Sequence[Array], whole: bool) -> float:
    """max worth.x with rows.x <= most, x in 0..1, proven. Raises Trouble if HiGHS does not prove it."""
    found = _solved(worth, rows, most, whole)
    return 0.0 if found is None else float(worth @ found)


def _solved(worth: Array, rows: Sequence[csr_array], most: Sequence[Array], whole: bool) -> Array | None:
    """That x; None where there is nobody to serve."""
    if not len(worth):
        return None
    matrix, limits = vstack(rows), np.concatenate(most)
    if whole:
        found = milp(-worth, constraints=LinearConstraint(matrix, -np.inf, limits), bounds=Bounds(0, 1),
                     integrality=np.ones(len(worth)), options={"mip_rel_gap": 0.0})  # fmt: skip
    else:
        found = linprog(-worth, A_ub=matrix, b_ub=limits, bounds=(0, 1), method="highs-ds")
    if not found.success:
        raise Trouble(f"the bound was not solved: {found.message}")
    best: Array = found.x
    return best
