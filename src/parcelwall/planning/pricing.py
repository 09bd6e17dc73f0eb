"""The value of free room, learnt: a separable concave function of the room expected free at the ends of coming visits.

V(state) = - sum over u, h of most[u] scale[u] log(1 + exp((at[v(h)][u] - free[u, h]) / scale[u])). A parcel is admitted
while it is worth at least what V falls by, to first order: `rules.admission.displaced`. The numbers are found by the
cross-entropy method (Rubinstein 1999): drawn, tried on past periods, drawn again around the best.
"""

from collections.abc import Callable, Sequence

import numpy as np

from parcelwall.planning.demand import VISIT_LASTS_H, Array, Requests, survives
from parcelwall.planning.dice import dice
from parcelwall.planning.expected import Expected
from parcelwall.planning.lanes import Lanes
from parcelwall.planning.trial import BestFit, Inside, replay
from parcelwall.rules import admission, places

AHEAD = 6  # visits
KEPT = 0.2  # of the candidates, to draw the next around
INERTIA = 0.3
SURE = 2.0  # standard errors by which a rule must beat best fit on a past that it was not fitted on
Told = Callable[[str], None]


class Vectors:
    """Candidates as rows of numbers: log most[u], log scale[u], at[v][u], now."""

    def __init__(self, compartments: Sequence[int], visits: int) -> None:
        self.classes, self.visits = len(compartments), visits
        reach = np.array([sum(compartments[u:]) for u in range(self.classes)], dtype=float)
        n = self.classes * (2 + visits) + 1
        self.middle, self.spread = np.empty(n), np.empty(n)
        self.middle[: self.classes], self.spread[: self.classes] = -1.2, 0.7
        scale = slice(self.classes, 2 * self.classes)
        self.middle[scale], self.spread[scale] = np.log(reach / 20 + 1), 0.5
        self.middle[2 * self.classes : -1] = np.tile(reach / 4, visits)
        self.spread[2 * self.classes : -1] = np.tile(reach / 6, visits)
        self.middle[-1], self.spread[-1] = 1.0, 0.4

    def parts(self, rows: Array) -> tuple[Array, Array, Array, Array]:
        """most (P, U), scale (P, U), at (P, V, U), now (P) of P candidates."""
        u = self.classes
        return (np.exp(rows[:, :u]), np.exp(rows[:, u : 2 * u]),
                rows[:, 2 * u : -1].reshape(len(rows), self.visits, u), rows[:, -1])  # fmt: skip

    def prices(self, row: Array, expected: Expected) -> admission.Prices:
        most, scale, at, now = (part[0] for part in self.parts(row[None, :]))
        return admission.Prices(
            period_h=expected.period_h, ends_h=tuple(expected.ends_h.tolist()), most=tuple(most.tolist()),
            scale=tuple(scale.tolist()), at=tuple(tuple(each) for each in at.tolist()), now=float(now),
        )  # fmt: skip

    def decide(self, rows: Array) -> Callable[[Array, Array, Array, Array, Array], Array]:
        """`displaced <= 1` in all lanes. free (L, P, U, H), stay (L, H), visits (L, H), left (L), cls (L, P)."""
        most, scale, at, now = self.parts(rows.astype(np.float32))

        def admits(free: Array, stay: Array, visits: Array, left: Array, cls: Array) -> Array:
            reached = at[:, visits, :].transpose(1, 0, 3, 2).copy()
            reached[..., 0] *= (now[None, :] * left[:, None]).astype(np.float32)[:, :, None]
            steep = np.exp(np.clip((free - reached) / scale[None, :, :, None], -50, 50))
            price = most[None, :, :] * (stay[:, None, None, :] / (1 + steep)).sum(axis=3)
            lost = price.cumsum(axis=2)
            admitted: Array = np.take_along_axis(lost, cls[:, :, None], axis=2)[:, :, 0] <= 1
            return admitted

        return admits


def fit(
    past: Sequence[Requests], expected: Expected, compartments: Sequence[int], rounds: int = 20, candidates: int = 40,
    seed: int = 1, told: Told = lambda _: None,
) -> admission.Prices:  # fmt: skip
    """Prices that serve the most of the past. Whether they may be used is for `worth_it` to say."""
    vectors = Vectors(compartments, len(expected.ends_h))
    lanes = Lanes(past, expected, compartments, AHEAD)
    rng = dice(seed)
    middle, spread = vectors.middle, vectors.spread
    everybody = np.full_like(middle, 0.0)
    everybody[: len(compartments)] = -20.0
    best, most_served = middle, -1.0
    for number in range(rounds):
        rows = middle + spread * rng.standard_normal((candidates, len(middle)))
        rows[0], rows[1] = middle, everybody
        served = lanes.served(vectors.decide(rows), candidates)
        order = np.argsort(-served)
        best, most_served = rows[order[0]], float(served[order[0]])
        plain = float(served[1])
        kept = rows[[i for i in order if i != 1][: int(candidates * KEPT)]]
        middle = INERTIA * middle + (1 - INERTIA) * kept.mean(axis=0)
        spread = INERTIA * spread + (1 - INERTIA) * kept.std(axis=0)
        told(f"prices, round {number + 1} of {rounds}: {most_served:.0f} served of the past, best fit {plain:.0f}")
    finals = np.stack([middle, best])
    served = lanes.served(vectors.decide(finals), len(finals))
    return vectors.prices(finals[int(served.argmax())], expected)


def worth_it(
    prices: admission.Prices, held: Sequence[Requests], expected: Expected, compartments: Sequence[int]
) -> bool:
    """Whether the prices serve clearly more than best fit in past periods that they were not fitted on."""
    priced, plain = Priced(expected, prices), BestFit()
    more = np.array([
        float(replay(priced, each, compartments).served.sum()) - float(replay(plain, each, compartments).served.sum())
        for each in held
    ])  # fmt: skip
    return len(more) > 1 and float(more.mean()) > SURE * float(more.std(ddof=1)) / len(more) ** 0.5


class Priced:
    """Best fit for whoever is worth the room that later parcels are expected to miss. Without prices: everybody."""

    name = "priced room"

    def __init__(self, expected: Expected, prices: admission.Prices | None) -> None:
        self.expected, self.prices = expected, prices

    def begin(self, requests: Requests, compartments: Sequence[int]) -> None:
        self.compartments = np.asarray(compartments, dtype=float)
        self._stays: dict[int, list[list[float]]] = {}

    def visit(self, now_h: float, inside: Inside) -> None:
        """Looks ahead: expected free room at the ends of this visit and the next ones."""
        if self.prices is None:
            return
        ends, visits = self.expected.ahead(now_h, AHEAD)
        taken = self.expected.still_there(now_h, list(inside.stored.values()), ends, len(self.compartments))
        self.free = (self.compartments[:, None] - taken)[::-1].cumsum(axis=0)[::-1].tolist()
        self.end_h, self.visits = float(ends[0]), visits.tolist()
        first = self.visits[0]
        if first not in self._stays:
            strata = len(self.expected.survival)
            self._stays[first] = [
                survives(self.expected.survival, np.full(AHEAD, g), ends - ends[0]).tolist() for g in range(strata)
            ]
        self.stay = self._stays[first]

    def place(self, now_h: float, size: int, stratum: int, inside: Inside) -> int | None:
        chosen = places.best_fit(inside.free, size)
        if chosen is None or self.prices is None:
            return chosen
        left, stay = min(1.0, max(0.0, (self.end_h - now_h) / VISIT_LASTS_H)), self.stay[stratum]
        if admission.displaced(self.prices, self.free, stay, self.visits, left, chosen) > 1:
            return None
        for row in self.free[: chosen + 1]:
            for h, chance in enumerate(stay):
                row[h] -= chance
        return chosen
