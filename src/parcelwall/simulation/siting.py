"""Where a pretend town's stations stand, and what they are made of. A plain k-means; `planning/` does better."""

from collections.abc import Sequence
from itertools import cycle, islice
from math import cos, radians

from parcelwall.ids import Chance
from parcelwall.rules.layout import COLUMN_MM, GAP_MM, LADDER, PLINTH_MM, Compartment, Layout

Place = tuple[float, float]  # (lat, lon) in degrees
ROUNDS = 30
TALLEST_MM = 2100
MIX = ("M", "S", "L", "M", "S", "M", "M", "L", "S", "XL")  # repeated; two in five of real parcels need an M
KM_PER_DEGREE = 110.54


def spread(places: Sequence[Place], count: int, chance: Chance) -> list[Place]:
    """`count` places in the middle of what they serve: k-means with k-means++ starts (Arthur, Vassilvitskii 2007)."""
    middles = [places[int(chance.random() * len(places))]]
    far = [_apart(place, middles[0]) for place in places]
    while len(middles) < count:
        middles.append(places[_drawn(far, chance.random())])
        far = [min(known, _apart(place, middles[-1])) for known, place in zip(far, places, strict=True)]
    for _ in range(ROUNDS):
        moved = _middles(places, middles)
        if moved == middles:
            break
        middles = moved
    return sorted((round(lat, 5), round(lon, 5)) for lat, lon in middles)


def _drawn(weights: Sequence[float], luck: float) -> int:
    left = luck * sum(weights)
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return index
    return 0


def _middles(places: Sequence[Place], middles: list[Place]) -> list[Place]:
    sums = [[0.0, 0.0, 0] for _ in middles]
    for place in places:
        mine = sums[nearest(place, middles)]
        mine[0] += place[0]
        mine[1] += place[1]
        mine[2] += 1
    return [(s[0] / s[2], s[1] / s[2]) if s[2] else old for s, old in zip(sums, middles, strict=True)]


def nearest(place: Place, middles: Sequence[Place]) -> int:
    return min(range(len(middles)), key=lambda index: _apart(place, middles[index]))


def _apart(a: Place, b: Place) -> float:
    """Squared kilometres, on a plane: good enough across one town."""
    north, east = a[0] - b[0], (a[1] - b[1]) * cos(radians(a[0]))
    return (north * north + east * east) * KM_PER_DEGREE**2


def layout_of(compartments: int) -> Layout:
    """A station of so many compartments, in sizes of MIX, stacked in columns of at most TALLEST_MM."""
    ladder = {size.name: size for size in LADDER}
    names = list(islice(cycle(MIX), compartments))
    made: list[Compartment] = []
    x, y = 0, PLINTH_MM
    for number, name in enumerate(names, start=1):
        height = ladder[name].height_mm
        if y + height > TALLEST_MM and y > PLINTH_MM:
            x, y = x + COLUMN_MM, PLINTH_MM
        made.append(Compartment(number, name, x, y, COLUMN_MM - GAP_MM, height))
        y += height + GAP_MM
    return Layout(tuple(size for size in LADDER if size.name in names), tuple(made))
