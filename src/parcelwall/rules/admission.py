"""Who is admitted where not everybody can be: tables that planning learns, evaluated here. Counts in, a number out.

A class is a size of compartment, 0 the smallest; a parcel of class c uses room of every union "u or larger", u <= c.
The default admits everybody for whom there is room; anything else is an operator's choice
(docs/planning/allocation.md).
"""

from collections.abc import Sequence
from math import exp

import msgspec


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What one compartment of class u or larger, free at the end of a coming visit, is worth to later parcels:
    `most[u] / (1 + exp((free - at[v][u]) / scale[u]))`, where v is the visit of the period that ends at `ends_h[v]`.

    It is the slope of a value function that is separable and concave in the expected free room. `now` shifts `at` for
    the visit under way, in proportion to what is left of it.
    """

    period_h: float
    ends_h: tuple[float, ...]
    most: tuple[float, ...]
    scale: tuple[float, ...]
    at: tuple[tuple[float, ...], ...]
    now: float


def displaced(
    prices: Prices, free: Sequence[Sequence[float]], stay: Sequence[float], visits: Sequence[int], left: float, cls: int
) -> float:
    """What later parcels are expected to lose if one is put into class `cls`: admit it while it is worth that much.

    `free[u][h]`: expected free compartments of class u or larger at the end of the h-th visit ahead, the one under way
    first; `stay[h]`: the chance that the parcel is there then; `visits[h]`: which visit of the period that is; `left`:
    the share of the visit under way that is still to come.
    """
    lost = 0.0
    for u in range(cls + 1):
        most, scale = prices.most[u], prices.scale[u]
        for h, chance in enumerate(stay):
            at = prices.at[visits[h]][u] * (prices.now * left if h == 0 else 1.0)
            lost += chance * most / (1 + exp(min(50.0, max(-50.0, (free[u][h] - at) / scale))))
    return lost


def within_level(count: int, level: float, expected: float) -> bool:
    """Whether one more of a kind may be admitted: fewer than its level were, or the level does not bind because it
    reaches what is expected."""
    return level >= expected or count < level


def protects(free: Sequence[int], keep: Sequence[int], size: int, cls: int) -> bool:
    """Whether a parcel of `size` may go into class `cls`: above its own only while more than `keep` of it are free."""
    return cls == size or free[cls] > keep[cls]
