"""Levels, protection and prices: tables in, a decision out. And counts by class against the whole station's rules."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from parcelwall.rules import admission, places

counts = st.lists(st.integers(0, 3), min_size=3, max_size=3)
PRICES = admission.Prices(period_h=24, ends_h=(10.5, 15.5), most=(0.5, 0.4, 0.3), scale=(3, 2, 1),
                          at=((10, 5, 2), (12, 6, 3)), now=1.0)  # fmt: skip


@given(counts, counts, st.integers(0, 2))
def test_room_by_counts_is_what_trying_every_placement_finds(free: list[int], promised: list[int], size: int) -> None:
    all_sizes = [s for s, count in enumerate(promised) for _ in range(count)][:7]
    kept = [all_sizes.count(s) for s in range(3)]
    if _placeable(free, all_sizes):  # promises in force could be kept
        assert places.room(free, kept, size) == _placeable(free, [*all_sizes, size])


def _placeable(free: list[int], sizes: list[int]) -> bool:
    """Whether any order and any choice of classes finds room for all of these."""
    return any(_greedy(list(free), order) for order in set(permutations(sorted(sizes)[-8:]))) if sizes else True


def _greedy(free: list[int], order: tuple[int, ...]) -> bool:
    for size in order:
        fitting = [c for c in range(size, len(free)) if free[c] > 0]
        if not fitting:
            return False
        free[fitting[0]] -= 1
    return True


@given(counts, st.integers(0, 2))
def test_best_fit_takes_the_smallest_class_that_has_one(free: list[int], size: int) -> None:
    chosen = places.best_fit(free, size)
    fitting = [c for c in range(size, 3) if free[c]]
    assert chosen == (fitting[0] if fitting else None)


@given(st.lists(st.integers(0, 2), max_size=12), counts)
def test_best_fit_places_as_many_as_any_rule_within_a_visit(sizes: list[int], free: list[int]) -> None:
    left, placed = list(free), 0
    for size in sizes:
        chosen = places.best_fit(left, size)
        if chosen is not None:
            left[chosen] -= 1
            placed += 1
    assert placed == _max_flow(sizes, free)


def _max_flow(sizes: list[int], free: list[int]) -> int:
    """A largest matching of parcels to compartments, by augmenting paths."""
    spaces = [c for c, count in enumerate(free) for _ in range(count)]
    holder: list[int | None] = [None] * len(spaces)

    def augment(parcel: int, seen: set[int]) -> bool:
        for space, cls in enumerate(spaces):
            if cls >= sizes[parcel] and space not in seen:
                seen.add(space)
                other = holder[space]
                if other is None or augment(other, seen):
                    holder[space] = parcel
                    return True
        return False

    return sum(augment(parcel, set()) for parcel in range(len(sizes)))


@given(st.floats(0, 60), st.floats(0, 60), st.integers(0, 2))
def test_the_more_room_is_expected_the_less_a_parcel_displaces(a: float, b: float, cls: int) -> None:
    lost = [admission.displaced(PRICES, [[room] * 3] * 3, [1, 0.8, 0.3], [0, 1, 0], 0.5, cls) for room in (a, b)]
    assert (a <= b) == (lost[0] >= lost[1]) or lost[0] == lost[1]


def test_who_stays_longer_displaces_more_and_so_does_a_larger_parcel() -> None:
    def lost(stay: list[float], cls: int) -> float:
        return admission.displaced(PRICES, [[8.0] * 3] * 3, stay, [0, 1, 0], 1.0, cls)

    assert lost([1, 1, 0.5], 0) > lost([1, 0.2, 0], 0)
    assert lost([1, 0.5, 0.2], 2) > lost([1, 0.5, 0.2], 0)


def test_prices_hold_out_against_rooms_that_cannot_be() -> None:
    assert 0 <= admission.displaced(PRICES, [[-1e9] * 2] * 3, [1, 1], [0, 1], 1.0, 2) <= 2.4 + 1e-9
    assert admission.displaced(PRICES, [[1e9] * 2] * 3, [1, 1], [0, 1], 1.0, 2) < 1e-9


def test_a_level_binds_only_below_what_is_expected() -> None:
    assert admission.within_level(3, 4, 10) and not admission.within_level(4, 4, 10)
    assert admission.within_level(99, 10, 10)
    assert admission.protects([0, 2, 1], [0, 0, 1], 2, 2) and not admission.protects([0, 0, 1], [0, 0, 1], 1, 2)
